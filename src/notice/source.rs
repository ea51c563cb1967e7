//! Where templates come from: the built-in ones, over them those of the playbook, and over both `templates/mail/` of the
//! campaign.
//!
//! ```text
//! templates/mail/<notice>/{subject,text,html}[.<language>].hbs
//! templates/mail/partials/<name>.{text,html}[.<language>].hbs
//! ```
//! Whoever has a `text` of its own for a notice speaks for itself: the `text` and `html` of that notice that lie below are
//! left out in every language, or a reader would find the old words in the HTML. Partials likewise.

use super::builtin;
use crate::campaign::instead;
use crate::fault::{Finding, Place};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The largest template, in bytes. A letter is a page or two.
const LIMIT: u64 = 64 * 1024;
/// Below `templates/`.
const FOLDERS: [&str; 4] = ["mail", "package", "report", "web"];
const NAMES: &str =
    "name it subject.hbs, text.hbs or html.hbs, with a language as in text.de.hbs; a partial footer.text.hbs";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Subject,
    Text,
    Html,
}

/// What a template file is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Piece {
    /// The notice, or the partial.
    pub name: String,
    pub partial: bool,
    pub part: Part,
    pub language: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Source {
    /// As findings name it.
    pub file: PathBuf,
    pub text: String,
}

pub(super) type Sources = BTreeMap<Piece, Source>;

impl Source {
    /// The finding at a line and column of this file, with the line quoted. Line 0: the file as a whole.
    pub(super) fn point(&self, finding: Finding, line: usize, column: usize) -> Finding {
        let finding = finding.at(Place::new(&self.file, line as u32, column as u32));
        match line.checked_sub(1).and_then(|above| self.text.lines().nth(above)) {
            Some(quote) => finding.quoting(quote, 1),
            None => finding,
        }
    }
}

/// Every template there is. Files that cannot be taken are findings.
pub(super) fn gather(mail: &Path, playbook: Option<&str>) -> (Sources, Vec<Finding>) {
    let mut findings = Vec::new();
    let own = campaign_files(mail, &mut findings);
    (lay(built_in(playbook), own), findings)
}

fn lay(mut all: Sources, own: Sources) -> Sources {
    let silenced: BTreeSet<(&str, bool, Part)> = own
        .keys()
        .filter(|piece| piece.partial || piece.part == Part::Text)
        .map(|piece| (piece.name.as_str(), piece.partial, piece.part))
        .collect();
    let speaks_for_itself = |piece: &Piece| {
        let part = if piece.partial { piece.part } else { Part::Text };
        piece.part != Part::Subject && silenced.contains(&(piece.name.as_str(), piece.partial, part))
    };
    all.retain(|piece, _| !speaks_for_itself(piece));
    all.extend(own);
    all
}

/// What comes with the program and the playbook, and nothing of a campaign.
pub(super) fn built_in(playbook: Option<&str>) -> Sources {
    let sources = |(below, files): (&str, builtin::Files)| -> Sources {
        let source = |(path, text): &(&str, &str)| {
            let (folder, file) = path.split_once('/')?;
            let piece = piece(folder, file)?;
            let file = Path::new("(built-in)/templates").join(below).join(path);
            Some((piece, Source { file, text: (*text).to_owned() }))
        };
        files.iter().filter_map(source).collect()
    };
    let everybodys = sources(("mail", builtin::FILES));
    let own = playbook.and_then(builtin::of_playbook).map(sources);
    own.map_or(everybodys.clone(), |own| lay(everybodys, own))
}

fn campaign_files(mail: &Path, findings: &mut Vec<Finding>) -> Sources {
    let mut found = BTreeMap::new();
    for folder in entries(mail, findings) {
        if !folder.is_dir() {
            findings.push(unknown(&folder, "a template stands in a folder that is named like its notice"));
            continue;
        }
        for file in entries(&folder, findings) {
            let names = (folder.file_name().and_then(|name| name.to_str()), file.file_name().and_then(|n| n.to_str()));
            let Some(piece) = names.0.zip(names.1).and_then(|(folder, file)| piece(folder, file)) else {
                findings.push(unknown(&file, NAMES));
                continue;
            };
            match read(&file) {
                Ok(text) => {
                    found.insert(piece, Source { file, text });
                }
                Err(finding) => findings.push(*finding),
            }
        }
    }
    found
}

/// What stands beside the folders that flagday reads: somebody expects it to be sent, and it is not.
/// So with the text of a notice that is none of `notices`: the built-in one goes out in its place.
pub(super) fn strays(templates: &Path, notices: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in entries(templates, &mut findings) {
        let known = path.file_name().is_some_and(|name| FOLDERS.iter().any(|folder| name == *folder));
        // A new campaign has one.
        let readme = path.file_name().is_some_and(|name| name == "README.txt");
        if !(known && path.is_dir() || readme && path.is_file()) {
            let remedy =
                "put texts of notices into templates/mail/<notice>/, those on a package into templates/package/";
            findings.push(unknown(&path, remedy));
        }
    }
    // What is no folder there, or cannot be listed, `gather` has told.
    for path in entries(&templates.join("mail"), &mut Vec::new()).iter().filter(|path| path.is_dir()) {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        if name != "partials" && !notices.contains(&name.as_ref()) {
            let cause = format!("'{name}' is no notice of this campaign, and what stands here is read for none");
            let remedy = instead(&name, notices.iter().copied());
            findings.push(Finding::warning("template-file", cause, remedy).in_file(path));
        }
    }
    findings
}

/// In order of their names; none where the folder does not exist.
fn entries(folder: &Path, findings: &mut Vec<Finding>) -> Vec<PathBuf> {
    let listed = fs_err::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>());
    match listed {
        Ok(mut paths) => {
            paths.retain(|path| path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b".")));
            paths.sort();
            paths
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => vec![],
        Err(error) => {
            findings.push(unreadable(folder, error.to_string()));
            vec![]
        }
    }
}

fn read(file: &Path) -> Result<String, Box<Finding>> {
    let failed = |cause: String| Box::new(unreadable(file, cause));
    let mut bytes = Vec::new();
    let opened = fs_err::File::open(file).map_err(|error| failed(error.to_string()))?;
    opened.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > LIMIT {
        return Err(failed(format!("the template has more than {LIMIT} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
        let finding = unreadable(file, "the template is not UTF-8 here".to_owned());
        Box::new(finding.at(Place::new(file, line, 1)))
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

/// Takes a path below `mail/` apart; `None` when it names no template.
fn piece(folder: &str, file: &str) -> Option<Piece> {
    let mut stem = file.strip_suffix(".hbs")?.split('.');
    let partial = folder == "partials";
    let name = if partial { stem.next()? } else { folder };
    let part = match stem.next()? {
        "subject" if !partial => Part::Subject,
        "text" => Part::Text,
        "html" => Part::Html,
        _ => return None,
    };
    let language = stem.next().map(str::to_ascii_lowercase);
    let word = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c));
    let valid = stem.next().is_none() && word(name) && language.as_deref().is_none_or(word);
    valid.then(|| Piece { name: name.to_owned(), partial, part, language })
}

fn unknown(path: &Path, remedy: &str) -> Finding {
    Finding::warning("template-file", "this is no template that flagday reads", remedy).in_file(path)
}

fn unreadable(path: &Path, cause: String) -> Finding {
    Finding::error("template-file", cause, "save it as UTF-8 text of a few pages that this account may read")
        .in_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(files: &[(&str, &[u8])]) -> (BTreeMap<Piece, Source>, Vec<Finding>) {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = folder.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, content).unwrap();
        }
        gather(folder.path(), None)
    }

    fn found(all: &BTreeMap<Piece, Source>, folder: &str, file: &str) -> Option<bool> {
        all.get(&piece(folder, file).unwrap()).map(|source| source.file.starts_with("(built-in)"))
    }

    #[test]
    fn what_stands_beside_the_known_folders_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for known in FOLDERS {
            fs_err::create_dir(folder.path().join(known)).unwrap();
        }
        assert_eq!(strays(folder.path(), &[]), []);
        fs_err::write(folder.path().join("subject.hbs"), "x").unwrap();
        fs_err::create_dir(folder.path().join("mails")).unwrap();
        let named: Vec<_> =
            strays(folder.path(), &[]).into_iter().map(|one| (one.code, one.place.unwrap().file)).collect();
        let at = |name: &str| ("template-file", std::sync::Arc::from(folder.path().join(name)));
        assert_eq!(named, [at("mails"), at("subject.hbs")]);
    }

    #[test]
    fn a_text_of_no_notice_is_told_with_the_nearest_one() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["announcement", "anouncement", "partials", ".old", "zzz"] {
            fs_err::create_dir_all(folder.path().join("mail").join(name)).unwrap();
        }
        let told = strays(folder.path(), &["announcement", "reminder"]);
        let told: Vec<_> = told.into_iter().map(|one| (one.is_error(), one.cause, one.remedy)).collect();
        let cause =
            |name: &str| format!("'{name}' is no notice of this campaign, and what stands here is read for none");
        let expected = [
            (false, cause("anouncement"), "did you mean 'announcement'?".to_owned()),
            (false, cause("zzz"), "choose one of announcement, reminder.".to_owned()),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn every_built_in_file_is_a_template() {
        let playbooks = crate::campaign::playbook_names().iter().filter_map(|name| builtin::of_playbook(name));
        for (path, _) in playbooks.flat_map(|(_, files)| files).chain(builtin::FILES) {
            let (folder, file) = path.split_once('/').unwrap();
            assert!(piece(folder, file).is_some(), "{path}");
        }
        assert_eq!(own(&[]).0.len(), builtin::FILES.len());
    }

    #[test]
    fn a_text_of_the_campaign_silences_the_built_in_text_and_html() {
        let (all, findings) = own(&[("change-date/text.hbs", b"\xef\xbb\xbfHello")]);
        assert_eq!(findings, []);
        assert_eq!(found(&all, "change-date", "text.hbs"), Some(false));
        assert_eq!(all[&piece("change-date", "text.hbs").unwrap()].text, "Hello");
        assert_eq!(found(&all, "change-date", "text.de.hbs"), None);
        assert_eq!(found(&all, "change-date", "html.hbs"), None);
        assert_eq!(found(&all, "change-date", "subject.hbs"), Some(true));
        assert_eq!(found(&all, "reminder", "html.hbs"), Some(true));
        let (all, _) = own(&[("change-date/html.hbs", b"<p>Hello"), ("partials/footer.text.hbs", b"Bye")]);
        assert_eq!(found(&all, "change-date", "text.hbs"), Some(true));
        assert_eq!(found(&all, "partials", "footer.text.de.hbs"), None);
        assert_eq!(found(&all, "partials", "footer.html.hbs"), Some(true));
    }

    #[test]
    fn a_playbook_says_some_things_in_its_own_words() {
        let words =
            |playbook: Option<&str>, file: &str| built_in(playbook)[&piece("all-clear", file).unwrap()].text.clone();
        assert!(!words(None, "text.hbs").contains("credential") && !words(None, "html.hbs").contains("Mail runs"));
        assert!(words(Some("credential-rotation"), "html.de.hbs").contains("Zugangsdaten"));
        assert!(words(Some("msmail-serial-change"), "text.hbs").contains("Mail runs again"));
        assert_eq!(words(Some("credential-rotation"), "subject.hbs"), words(None, "subject.hbs"));
    }

    #[test]
    fn what_is_no_template_is_said() {
        let big = vec![b'x'; LIMIT as usize + 1];
        let (_, findings) = own(&[
            ("text.hbs", b""),
            ("change-date/txt.hbs", b""),
            ("change-date/text.hbs.bak", b""),
            ("change-date/.swp", b""),
            ("partials/subject.hbs", b""),
            ("reminder/text.d/e.hbs", b""),
            ("reminder/subject.hbs", b"ab\nc\xff"),
            ("reminder/html.hbs", &big),
        ]);
        let said: Vec<_> = findings.iter().map(|finding| (finding.is_error(), finding.cause.as_str())).collect();
        let unknown = (false, "this is no template that flagday reads");
        assert_eq!(said.iter().filter(|said| **said == unknown).count(), 5, "{findings:#?}");
        assert!(said.contains(&(true, "the template has more than 65536 bytes")));
        let utf8 = findings.iter().find(|finding| finding.cause.contains("UTF-8")).unwrap();
        assert_eq!(utf8.place.as_ref().unwrap().line, 2);
    }
}
