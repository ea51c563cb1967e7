//! One folder for everybody: plain files go out as they are, `.hbs` files are rendered for each person.

use super::folder::{self, located};
use super::seen::seen;
use crate::campaign::Campaign;
use crate::fault::{Finding, Place};
use crate::package::bounds::Bounds;
use crate::package::files::{DiskFile, FileSet};
use crate::package::template::{Template, Words};
use crate::package::text;
use crate::roster::Person;
use std::path::{Path, PathBuf};

/// A recipe with its files read and its templates compiled.
#[derive(Debug)]
pub struct Recipe<'a> {
    campaign: &'a Campaign,
    from: PathBuf,
    bounds: Bounds,
    plain: Vec<DiskFile>,
    templates: Vec<(String, Template)>,
    seen: String,
}

impl<'a> Recipe<'a> {
    pub fn open(from: &Path, campaign: &'a Campaign, bounds: Bounds) -> Result<Recipe<'a>, Vec<Finding>> {
        let listed = folder::plain_files(from)?;
        // Before they are read: what is written after this look is seen to differ from it.
        let seen = seen(&listed.iter().map(|(_, path)| path.clone()).collect::<Vec<_>>());
        let (plain, templates) = Default::default();
        let mut recipe = Recipe { campaign, from: from.to_owned(), bounds, plain, templates, seen };
        let mut findings = Vec::new();
        let mut read = 0;
        for (name, path) in listed {
            let bytes =
                folder::bounded_by(&path, bounds.room() - read, bounds.called()).map_err(|finding| vec![finding])?;
            read += bytes.len();
            match suffix(&name) {
                None => recipe.plain.push(DiskFile::new(name, bytes)),
                Some(shown) => match template(&path, bytes) {
                    Ok(template) => recipe.templates.push((shown.to_owned(), template)),
                    Err(finding) => findings.push(finding),
                },
            }
        }
        if recipe.plain.is_empty() && recipe.templates.is_empty() && findings.is_empty() {
            let finding = Finding::error("recipe-empty", "the recipe is empty", "put the files of the package there");
            findings.push(finding.in_file(from));
        }
        if findings.is_empty() { Ok(recipe) } else { Err(findings) }
    }

    /// What was seen of the recipe's files before they were read.
    pub fn seen(&self) -> &str {
        &self.seen
    }

    pub fn gather(&self, person: &Person) -> Result<FileSet, Vec<Finding>> {
        let words = Words::of(self.campaign, person);
        let mut files = self.plain.clone();
        let mut findings = Vec::new();
        for (name, template) in &self.templates {
            match render(template, &words, self.bounds) {
                Ok(bytes) => files.push(DiskFile::new(name, bytes)),
                Err(finding) => findings.push(finding),
            }
        }
        match FileSet::within(self.bounds, files) {
            Ok(files) if findings.is_empty() => return Ok(files.from_place(&self.from)),
            Ok(_) => {}
            Err(names) => findings.extend(located(names, &Place::file(&self.from))),
        }
        for finding in &mut findings {
            finding.cause = format!("for {}: {}", person.id, finding.cause);
        }
        Err(findings)
    }
}

fn suffix(name: &str) -> Option<&str> {
    let (shown, suffix) = name.rsplit_once('.')?;
    suffix.eq_ignore_ascii_case("hbs").then_some(shown)
}

fn template(path: &Path, bytes: Vec<u8>) -> Result<Template, Finding> {
    let source = String::from_utf8(bytes).map_err(|_| {
        Finding::error("template-encoding", "the template is not UTF-8", "save it as UTF-8").in_file(path)
    })?;
    Template::compile(path, source.trim_start_matches('\u{feff}'))
}

/// A file of a package may be a program's input, so nothing in it is replaced: on a disk a character that DOS lacks is
/// refused, and elsewhere it is UTF-8 with the line ends of the template.
fn render(template: &Template, words: &Words, bounds: Bounds) -> Result<Vec<u8>, Finding> {
    let rendered = template.render(words)?;
    if bounds == Bounds::Mail {
        return Ok(rendered.into_bytes());
    }
    let rendered = text::crlf(&rendered);
    text::encode(&rendered).map_err(|(line, _, c)| {
        Finding::error(
            "template-character",
            format!("line {line} of the rendered text holds {c:?}, which code page 437 of DOS lacks"),
            "write it with other letters, in the template or in the roster",
        )
        .in_file(template.file())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::sample;
    use fs_err as fs;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        files.iter().for_each(|(name, bytes)| fs::write(folder.path().join(name), bytes).expect("written"));
        folder
    }

    fn gather(files: &[(&str, &[u8])], person: &Person) -> Result<FileSet, Vec<String>> {
        let folder = folder(files);
        let campaign = sample::campaign(folder.path());
        let told = |findings: Vec<Finding>| {
            let line = |finding: Finding| {
                let place = finding.place.expect("a place");
                let file = place.file.file_name().expect("a name").to_string_lossy().into_owned();
                format!("{file}:{}:{} {}", place.line, place.column, finding.code)
            };
            findings.into_iter().map(line).collect::<Vec<_>>()
        };
        Recipe::open(folder.path(), &campaign, Bounds::Floppy).and_then(|recipe| recipe.gather(person)).map_err(told)
    }

    #[test]
    fn plain_files_stay_and_templates_are_rendered_for_dos() {
        let files: &[(&str, &[u8])] = &[
            ("setup.exe", b"\x00\xff\n{{person.name}}"),
            ("hello.txt.HBS", "Grüße, {{person.name}}\nZimmer {{person.Room}}\r\n".as_bytes()),
        ];
        let set = gather(files, &sample::person("ADAMS")).expect("a good recipe");
        assert_eq!(set.get("SETUP.EXE").expect("there").bytes, b"\x00\xff\n{{person.name}}");
        assert_eq!(set.get("HELLO.TXT").expect("there").bytes, b"Gr\x81\xe1e, Ann O'Hara & {{x}}\r\nZimmer 2.17\r\n");
    }

    #[test]
    fn everything_that_is_wrong_for_a_person_is_told_at_once() {
        let files: &[(&str, &[u8])] = &[
            ("a.txt.hbs", b"fine {{person.id}}"),
            ("b.txt.hbs", b"line\n {{person.phone}}"),
            ("c.txt.hbs", "5 \u{2126}".as_bytes()),
        ];
        let told = gather(files, &sample::person("ADAMS")).expect_err("two faults");
        assert_eq!(told, ["b.txt.hbs:2:2 template-word", "c.txt.hbs:0:0 template-character"]);
    }

    #[test]
    fn a_recipe_that_cannot_be_read_is_refused_before_anybody_is_asked_for() {
        let told = gather(&[("a.txt.hbs", b"{{#if x}}"), ("b.txt.hbs", b"\xff")], &sample::person("ADAMS"));
        assert_eq!(
            told.expect_err("two faults"),
            ["a.txt.hbs:1:10 template-syntax", "b.txt.hbs:0:0 template-encoding"]
        );
        assert_eq!(
            gather(&[], &sample::person("ADAMS")).expect_err("empty")[0].split(' ').next_back(),
            Some("recipe-empty")
        );
        let twice = gather(&[("a.txt", b"1"), ("a.txt.hbs", b"2")], &sample::person("ADAMS")).expect_err("twice");
        assert!(twice[0].ends_with("package-name-twice"), "{twice:?}");
    }
}
