//! A campaign of thousands of people and one notice.

use super::{Campaign, FUTURE};
use std::cell::RefCell;
use std::path::Path;
use tempfile::TempDir;

impl Campaign {
    /// So many people, one notice to all of them as text and HTML, and nothing else.
    pub fn crowd(people: usize, transport: &str) -> Campaign {
        let folder = TempDir::new().expect("a temporary folder");
        let root = folder.path().join("campaign");
        Campaign { _folder: folder, ..Campaign::crowd_in(&root, people, transport) }
    }

    /// The same in a folder of the caller's.
    pub fn crowd_in(root: &Path, people: usize, transport: &str) -> Campaign {
        let folder = TempDir::new().expect("a temporary folder");
        let campaign = Campaign { root: root.to_owned(), outputs: RefCell::default(), _folder: folder };
        campaign.fill(people, transport);
        campaign
    }

    fn fill(&self, people: usize, transport: &str) {
        let rows: String = (0..people).map(|n| format!("P{n},Person {n},person{n}@site{}.example\n", n % 50)).collect();
        self.write("rosters/users.csv", format!("id,name,email\n{rows}"));
        self.write("templates/mail/move/subject.hbs", "The mail server moves on {{change.date}}\n");
        self.write("templates/mail/move/text.hbs", "Dear {{person.name}},\n\nit moves on {{change.local}}.\n");
        self.write("templates/mail/move/html.hbs", "<p>Dear {{person.name}}, it moves on {{change.local}}.</p>\n");
        self.write(
            "flagday.toml",
            format!(
                "[campaign]\nname = \"crowd\"\ntitle = \"The mail server moves\"\nchange_at = {FUTURE}\n\
                 time_zone = \"America/Chicago\"\ncontact = \"Mail Desk\"\n\
                 [mail]\nfrom = \"desk@corp.example\"\ntransport = \"{transport}\"\nconnections = 4\n\
                 [[roster]]\nfile = \"rosters/users.csv\"\nkind = \"local\"\n[audience]\neveryone = {{}}\n\
                 [notice.move]\naudience = \"everyone\"\n"
            ),
        );
    }
}
