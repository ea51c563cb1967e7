//! What `init` writes: a campaign that loads, with everything a person has to fill in marked.

use super::{playbook, value};
use crate::fault::Result;
use std::path::PathBuf;

/// The files of a new campaign, by path below its folder.
///
/// # Errors
/// An unknown playbook; a campaign name that is not made of `[a-z0-9-]`.
pub fn starter(playbook: &str, name: &str) -> Result<Vec<(PathBuf, String)>> {
    let playbook = playbook::find(playbook)?;
    let name = value::name(name)?;
    let file = |(path, text): &(&str, &str)| (PathBuf::from(path), text.replace("{{name}}", &name));
    Ok(playbook.starter.iter().map(file).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_campaign_loads_and_names_what_is_still_to_be_filled_in() {
        let root = tempfile::tempdir().expect("a folder");
        for (path, text) in starter("msmail-serial-change", "corp-hq").expect("a starter") {
            let path = root.path().join(path);
            fs_err::create_dir_all(path.parent().expect("a folder")).expect("written");
            fs_err::write(path, text).expect("written");
        }
        let (campaign, findings) = crate::campaign::load(root.path()).expect("a campaign");
        assert_eq!(campaign.name, "corp-hq");
        assert_eq!(campaign.rosters.len(), 2);
        let placeholders = findings.iter().filter(|finding| finding.code == "placeholder").count();
        assert_eq!((placeholders, findings.len()), (7, 7), "{findings:#?}");
    }

    #[test]
    fn a_playbook_or_a_name_that_cannot_be_is_refused() {
        assert!(starter("msmail", "corp").expect_err("refused").findings[0].remedy.contains("msmail-serial-change"));
        assert!(starter("msmail-serial-change", "../corp").is_err());
    }
}
