//! The playbooks that come with the program.

use super::nearest::instead;
use crate::fault::Finding;

#[derive(Debug)]
pub(super) struct Playbook {
    pub(super) name: &'static str,
    /// In the same form as `flagday.toml`.
    pub(super) text: &'static str,
    /// What a new campaign begins with: path and text. `{{name}}` stands for the campaign's name.
    pub(super) starter: &'static [(&'static str, &'static str)],
}

macro_rules! playbook {
    ($name:literal starting with $($file:literal)+) => {
        Playbook {
            name: $name,
            text: include_str!(concat!("../../templates/playbooks/", $name, ".toml")),
            starter: &[$(($file, include_str!(concat!("../../templates/playbooks/", $name, "/", $file)))),+],
        }
    };
}

static PLAYBOOKS: &[Playbook] = &[
    playbook!("msmail-serial-change" starting with
        "flagday.toml" "rosters/users.csv" "rosters/async-admins.csv" "templates/README.txt"),
    playbook!("credential-rotation" starting with
        "flagday.toml" "rosters/users.csv" "rosters/partners.csv" "credentials/rosa.ovpn" "credentials/sam.ovpn"
        "credentials/lee.ovpn" "templates/README.txt"),
];

/// What `playbook = "…"` and `init --playbook` may name.
pub fn playbook_names() -> &'static [&'static str] {
    &["msmail-serial-change", "credential-rotation"]
}

pub(super) fn find(name: &str) -> Result<&'static Playbook, Finding> {
    PLAYBOOKS.iter().find(|playbook| playbook.name == name).ok_or_else(|| {
        let cause = format!("there is no playbook named '{name}'");
        Finding::error("unknown-playbook", cause, instead(name, playbook_names().iter().copied()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_playbook_has_its_name_told() {
        let names: Vec<_> = PLAYBOOKS.iter().map(|playbook| playbook.name).collect();
        assert_eq!(names, playbook_names());
    }
}
