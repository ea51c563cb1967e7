//! README.TXT: what the recipient does with the files and when, and the code that proves that they hold them.

use super::code::Code;
use super::files::{DiskFile, FileSet};
use super::floppy::Geometry;
use super::source::{bounded, seen};
use super::template::{Template, Words};
use super::text;
use crate::campaign::{Campaign, Package, instead};
use crate::fault::Finding;
use crate::roster::Person;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub const NAME: &str = "README.TXT";

const MSMAIL: (&str, &str) =
    ("msmail-serial-change.txt.hbs", include_str!("../../templates/package/msmail-serial-change.txt.hbs"));
const CREDENTIALS: (&str, &str) =
    ("credential-rotation.txt.hbs", include_str!("../../templates/package/credential-rotation.txt.hbs"));
const GENERAL: (&str, &str) = ("README.TXT.hbs", include_str!("../../templates/package/README.TXT.hbs"));

/// A template of this size is a mistake.
const TEMPLATE_MAX: usize = 64 * 1024;

/// The text for everybody, read once.
#[derive(Debug)]
pub struct Readme<'a> {
    campaign: &'a Campaign,
    package: &'a Package,
    template: Template,
    seen: String,
}

impl<'a> Readme<'a> {
    /// The campaign's own text, the first there is of `<package>.txt.hbs`, a file with the built-in text's name, and
    /// `README.TXT.hbs` below `templates/package`; else the built-in text.
    pub fn open(campaign: &'a Campaign, package: &'a Package) -> Result<Readme<'a>, Finding> {
        let folder = own_folder(campaign);
        let built_in = built_in(campaign);
        let own = names(campaign, package)
            .into_iter()
            .map(|name| folder.join(name))
            // One that cannot be looked at is not taken for absent: reading it tells why.
            .find(|path| path.try_exists().unwrap_or(true));
        let seen = seen(own.as_slice());
        let template = match own {
            Some(path) => {
                let source = String::from_utf8(bounded(&path, TEMPLATE_MAX)?).map_err(|_| {
                    Finding::error("template-encoding", "the template is not UTF-8", "save it as UTF-8").in_file(&path)
                })?;
                Template::compile(&path, source.trim_start_matches('\u{feff}'))?
            }
            None => Template::compile(&Path::new("templates/package").join(built_in.0), built_in.1)?,
        };
        Ok(Readme { campaign, package, template, seen })
    }

    /// What was seen of the campaign's own text before it was read.
    pub fn seen(&self) -> &str {
        &self.seen
    }

    /// The person's README.TXT. The finding beside it is a warning: signs that DOS cannot show became question marks.
    pub fn write(&self, person: &Person, code: &Code, files: &FileSet) -> Result<(DiskFile, Option<Finding>), Finding> {
        let listed = |file: &DiskFile| json!({ "name": format!("{:<12}", file.name), "size": file.bytes.len() });
        let words = Words::of(self.campaign, person).with("code", json!(code.to_string())).with(
            "package",
            json!({
                "name": self.package.name,
                "medium": self.package.medium.map_or("", |medium| Geometry::of(medium).name),
                "files": files.iter().map(listed).collect::<Vec<_>>(),
            }),
        );
        let rendered = text::wrap(&self.template.render(&words)?);
        if rendered.matches(&code.to_string()).count() == 0 {
            let cause = "the text of README.TXT does not give the possession code, and without it nobody can answer";
            return Err(Finding::error("readme-code", cause, "write {{code}} where it shall stand")
                .in_file(self.template.file()));
        }
        if self.package.medium.is_none() {
            return Ok((DiskFile::new(NAME, text::crlf(&rendered)), None));
        }
        let (bytes, lost) = text::encode_readably(&text::crlf(&rendered));
        let warning = (!lost.is_empty()).then(|| {
            let signs: Vec<String> = lost.iter().map(char::to_string).collect();
            let cause = format!(
                "README.TXT for {} shows ? for {}: code page 437 of DOS lacks them",
                person.id,
                signs.join(" ")
            );
            Finding::warning("readme-character", cause, "write the name in the roster with Latin letters, or let it be")
                .at(person.place.clone())
        });
        Ok((DiskFile::new(NAME, bytes), warning))
    }
}

fn own_folder(campaign: &Campaign) -> PathBuf {
    campaign.root.join("templates").join("package")
}

fn built_in(campaign: &Campaign) -> (&'static str, &'static str) {
    match campaign.playbook.as_deref() {
        _ if campaign.msmail.is_some() => MSMAIL,
        Some("credential-rotation") => CREDENTIALS,
        _ => GENERAL,
    }
}

/// What the campaign's own text may be called; the first that is there is taken.
fn names(campaign: &Campaign, package: &Package) -> [String; 3] {
    [format!("{}.txt.hbs", package.name), built_in(campaign).0.to_owned(), GENERAL.0.to_owned()]
}

/// What stands in `templates/package` and is read for no package: somebody expects to find it in theirs.
pub fn strays(campaign: &Campaign) -> Vec<Finding> {
    let known: BTreeSet<String> = campaign.packages.values().flat_map(|package| names(campaign, package)).collect();
    // A folder that is not there holds nothing, and one that cannot be listed is told by what reads its files.
    let entries = fs_err::read_dir(own_folder(campaign)).into_iter().flatten().flatten();
    let mut strays: Vec<(String, PathBuf)> =
        entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect();
    strays.retain(|(name, _)| !name.starts_with('.') && !known.contains(name));
    strays.sort();
    let told = |(name, path): (String, PathBuf)| {
        let remedy = instead(&name, known.iter().map(String::as_str));
        let remedy = format!("{remedy} A package has one text, whatever language its owner speaks");
        Finding::warning("template-file", "this is no text of a package that flagday reads", remedy).in_file(path)
    };
    strays.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{PackageFormat, PackageSource};
    use crate::package::sample;
    use fs_err as fs;

    fn source() -> PackageSource {
        PackageSource::Collected { from: "disks".into() }
    }

    fn code() -> Code {
        Code::derive(&[7; 32], &["ADAMS"])
    }

    fn files() -> FileSet {
        FileSet::new(vec![DiskFile::new("CONNECT.GLB", [0; 695]), DiskFile::new("TRANSFIL", [0; 1603])]).expect("good")
    }

    fn written(root: &Path, person: &Person) -> Result<(String, Option<Finding>), Finding> {
        let campaign = sample::campaign(root);
        let package = sample::package(PackageFormat::Zip, source());
        let (file, warning) = Readme::open(&campaign, &package)?.write(person, &code(), &files())?;
        Ok((String::from_utf8_lossy(&file.bytes).into_owned(), warning))
    }

    fn narrow(text: &str) {
        assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']));
        text.lines().for_each(|line| assert!(line.len() <= text::COLUMNS, "{line}"));
    }

    #[test]
    fn a_remote_user_learns_what_to_do_and_when() {
        let person = Person { name: "Ann Adams".into(), ..sample::person("ADAMS") };
        let (text, warning) = written(Path::new("/corp"), &person).expect("a text");
        assert_eq!(warning, None);
        narrow(&text);
        insta::assert_snapshot!(text.replace("\r\n", "\n"));
    }

    #[test]
    fn another_campaign_has_a_text_without_postoffices() {
        let campaign =
            crate::campaign::Campaign { msmail: None, playbook: None, ..sample::campaign(Path::new("/corp")) };
        let package = sample::package(PackageFormat::Zip, source());
        let person = Person { name: "Ann Adams".into(), mailbox: None, ..sample::person("ADAMS") };
        let readme = Readme::open(&campaign, &package).expect("built in");
        let text = String::from_utf8(readme.write(&person, &code(), &files()).expect("a text").0.bytes).expect("ASCII");
        narrow(&text);
        insta::assert_snapshot!(text.replace("\r\n", "\n"));
    }

    #[test]
    fn a_long_name_is_wrapped_and_a_foreign_one_is_shown_as_well_as_dos_can() {
        let person =
            Person { name: format!("J\u{f6}rg \u{10c}apek {}", "von Habsburg ".repeat(9)), ..sample::person("ADAMS") };
        let (text, warning) = written(Path::new("/corp"), &person).expect("a text");
        narrow(&text.replace('\u{fffd}', "o"));
        assert!(text.contains("Capek") && warning.is_none());
        let person = Person { name: "\u{418}\u{432}\u{430}\u{43d}".into(), ..sample::person("ADAMS") };
        let warning = written(Path::new("/corp"), &person).expect("a text").1.expect("a warning");
        assert!(!warning.is_error() && warning.cause.contains('\u{418}'), "{warning:?}");
    }

    #[test]
    fn the_campaign_may_bring_its_own_text() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("templates/package");
        fs::create_dir_all(&folder).expect("made");
        let person = sample::person("ADAMS");
        fs::write(folder.join("README.TXT.hbs"), "general {{code}}").expect("written");
        assert_eq!(written(root.path(), &person).expect("own").0, format!("general {}\r\n", code()));
        fs::write(folder.join("init-disk.txt.hbs"), "{{package.medium}} {{code}}").expect("written");
        assert_eq!(written(root.path(), &person).expect("own").0, format!("1.44M {}\r\n", code()));
        fs::write(folder.join("init-disk.txt.hbs"), "no code").expect("written");
        assert_eq!(written(root.path(), &person).expect_err("no code").code, "readme-code");
        fs::write(folder.join("init-disk.txt.hbs"), "{{cod}}").expect("written");
        let finding = written(root.path(), &person).expect_err("a typo");
        assert_eq!((finding.code, finding.place.expect("a place").line), ("template-word", 1));
    }

    #[test]
    fn a_text_of_no_package_is_told() {
        let root = tempfile::tempdir().expect("a folder");
        let mut campaign = sample::campaign(root.path());
        assert_eq!(strays(&campaign), []);
        let package = sample::package(PackageFormat::Zip, source());
        campaign.packages = [(package.name.clone(), package)].into();
        let folder = root.path().join("templates/package");
        fs::create_dir_all(&folder).expect("made");
        let known = ["init-disk.txt.hbs", "msmail-serial-change.txt.hbs", "README.TXT.hbs", ".init-disk.txt.hbs.swp"];
        for name in known.into_iter().chain(["README.TXT.de.hbs", "README.hbs", "init-disc.txt.hbs"]) {
            fs::write(folder.join(name), "{{code}}").expect("written");
        }
        let told: Vec<_> = strays(&campaign).into_iter().map(|one| (one.is_error(), one.remedy)).collect();
        let meant = |name: &str| {
            (false, format!("did you mean '{name}'? A package has one text, whatever language its owner speaks"))
        };
        assert_eq!(told, [meant("README.TXT.hbs"), meant("README.TXT.hbs"), meant("init-disk.txt.hbs")]);
    }
}
