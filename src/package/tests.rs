//! Packages from their source to the recipient's eyes, and back.

use super::manifest::{Entry, Sum};
use super::*;
use crate::campaign::{Campaign, Medium, Package, PackageFormat, PackageSource};
use crate::fault::Finding;
use crate::roster::Person;
use fs_err as fs;
use std::path::{Path, PathBuf};

const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

/// A campaign with one disk for each of the people.
struct Site {
    root: tempfile::TempDir,
    campaign: Campaign,
    package: Package,
    people: Vec<Person>,
}

impl Site {
    fn new(format: PackageFormat, ids: &[&str]) -> Site {
        let root = tempfile::tempdir().expect("a folder");
        let campaign = sample::campaign(root.path());
        let package = sample::package(format, PackageSource::Collected { from: root.path().join("disks") });
        let people = ids.iter().map(|id| sample::person(id)).collect();
        let site = Site { root, campaign, package, people };
        ids.iter().for_each(|id| site.disk(id));
        site
    }

    fn disk(&self, id: &str) {
        let disk = self.root.path().join("disks").join(id);
        fs::create_dir_all(&disk).expect("made");
        let mut connect = id.as_bytes().to_vec();
        connect.resize(695, 0);
        for (name, bytes) in [("CONNECT.GLB", connect), ("CONTROL.MAI", vec![1; 8]), ("TRANSFIL", vec![2; 1603])] {
            fs::write(disk.join(name), bytes).expect("written");
        }
    }

    fn folder(&self) -> PathBuf {
        self.campaign.state().join("packages/init-disk")
    }

    fn job(&self) -> Job<'_> {
        Job { campaign: &self.campaign, package: &self.package, secret: SECRET, folder: self.folder() }
    }

    fn people(&self) -> Vec<&Person> {
        self.people.iter().collect()
    }

    fn build(&self) -> Result<Outcome, Vec<Finding>> {
        build(&self.job(), &self.people(), &|_, _| Vec::new(), &|_| Vec::new()).map_err(|fault| fault.findings)
    }

    fn verify(&self) -> Vec<Finding> {
        verify(&self.job(), &self.people()).expect("a manifest")
    }

    fn manifest(&self) -> Manifest {
        Manifest::load(&self.folder()).expect("a manifest")
    }

    fn bounds(&self) -> Bounds {
        Bounds::of(self.package.medium)
    }

    /// What the person finds when the artefacts are unpacked.
    fn unpacked(&self, id: &str) -> FileSet {
        self.unpacked_from(self.manifest().person(id).expect("built"))
    }

    fn unpacked_from(&self, entry: &Entry) -> FileSet {
        let bytes: Vec<_> =
            entry.artefacts.iter().map(|artefact| artefact.read(&self.folder()).expect("as it was built")).collect();
        match self.package.format {
            PackageFormat::Zip => archive::read(&bytes[0], self.bounds()).expect("a zip"),
            PackageFormat::Img => floppy::read(&bytes[0]).expect("a floppy"),
            PackageFormat::Files => {
                let named = entry.artefacts.iter().zip(bytes);
                let loose = named.map(|(artefact, bytes)| DiskFile::new(&artefact.shown, bytes)).collect();
                FileSet::within(self.bounds(), loose).expect("good")
            }
        }
    }

    /// Every file below the package's folder, with its bytes.
    fn tree(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn walk(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    walk(&path, found)
                } else {
                    found.push((path.clone(), fs::read(&path).expect("read")))
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.folder(), &mut found);
        found.sort();
        found
    }
}

const FORMATS: [PackageFormat; 3] = [PackageFormat::Zip, PackageFormat::Img, PackageFormat::Files];

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn everybody_gets_their_own_files_with_their_own_code() {
    for format in FORMATS {
        let site = Site::new(format, &["ADAMS", "BAKER", "COLE"]);
        assert_eq!(site.build().expect("nothing is wrong").findings, []);
        assert_eq!(site.verify(), []);
        let all: Vec<Code> = site
            .people
            .iter()
            .map(|person| {
                let files = site.unpacked(&person.id);
                assert!(files.get("CONNECT.GLB").expect("there").bytes.starts_with(person.id.as_bytes()));
                assert_eq!(files.len(), 4);
                let source = files.clone().without("README.TXT").digest();
                let code = code_for(SECRET, &site.campaign, &site.package, person, &source);
                let readme = String::from_utf8_lossy(&files.get("README.TXT").expect("there").bytes).into_owned();
                assert!(readme.contains(&code.to_string()), "{readme}");
                assert_eq!(site.manifest().person(&person.id).expect("built").code_fingerprint, code.fingerprint());
                code
            })
            .collect();
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
        let manifest = fs::read_to_string(site.folder().join("manifest.json")).expect("a manifest");
        assert!(all.iter().all(|code| !manifest.contains(&code.to_string())), "a code stands in the manifest");
    }
}

#[test]
fn the_recipient_sees_dos_names() {
    for (format, shown) in [(PackageFormat::Zip, "INITDISK.ZIP"), (PackageFormat::Img, "INITDISK.IMG")] {
        let site = Site::new(format, &["ADAMS"]);
        site.build().expect("nothing is wrong");
        let artefacts = site.manifest().person("ADAMS").expect("built").artefacts.clone();
        assert_eq!((artefacts.len(), artefacts[0].shown.as_str()), (1, shown));
    }
    let site = Site::new(PackageFormat::Files, &["ADAMS"]);
    site.build().expect("nothing is wrong");
    let artefacts = site.manifest().person("ADAMS").expect("built").artefacts.clone();
    let shown: Vec<_> = artefacts.iter().map(|artefact| artefact.shown.as_str()).collect();
    assert_eq!(shown, ["CONNECT.GLB", "CONTROL.MAI", "README.TXT", "TRANSFIL"]);
}

#[test]
fn same_input_same_bytes_and_nothing_is_written_twice() {
    for format in FORMATS {
        let site = Site::new(format, &["ADAMS", "BAKER"]);
        let first = site.build().expect("nothing is wrong");
        assert!(first.written >= 2);
        let tree = site.tree();
        assert_eq!(site.build().expect("nothing is wrong").written, 0);
        assert_eq!(site.tree(), tree);
        fs::remove_dir_all(site.folder()).expect("removed");
        assert_eq!(site.build().expect("nothing is wrong").written, first.written);
        assert_eq!(site.tree(), tree);
        fs::write(site.root.path().join("disks/BAKER/CONTROL.MAI"), [9; 8]).expect("written");
        let changed = if format == PackageFormat::Files { 2 } else { 1 };
        assert_eq!(site.build().expect("nothing is wrong").written, changed, "README.TXT has a new code, too");
        assert_eq!(site.verify(), []);
    }
}

#[test]
fn nothing_is_written_while_anything_is_wrong_with_anybody() {
    let mut site = Site::new(PackageFormat::Zip, &["ADAMS", "BAKER"]);
    site.build().expect("nothing is wrong");
    let tree = site.tree();
    fs::write(site.root.path().join("disks/ADAMS/CONTROL.MAI"), [9; 8]).expect("written");
    site.people.extend(["COLE", "DAVIS"].map(sample::person));
    let findings = site.build().expect_err("two disks are missing");
    assert_eq!(codes(&findings), ["disk-missing", "disk-missing"]);
    assert_eq!(site.tree(), tree);
}

#[test]
fn checks_of_the_caller_stop_the_build() {
    let site = Site::new(PackageFormat::Zip, &["ADAMS", "BAKER"]);
    let each = |person: &Person, files: &FileSet| {
        assert_eq!((files.len(), files.place().is_some()), (3, true));
        vec![Finding::error("looked-at", person.id.clone(), "")]
    };
    let all = |people: &[(String, Vec<Sum>)]| {
        assert_eq!(people.len(), 2);
        assert_ne!(people[0].1[0].sha256, people[1].1[0].sha256);
        vec![Finding::error("compared", "", "")]
    };
    let fault = build(&site.job(), &site.people(), &each, &all).expect_err("three errors");
    assert_eq!(codes(&fault.findings), ["looked-at", "looked-at", "compared"]);
    assert!(Manifest::load(&site.folder()).is_err());
    assert_eq!(codes(&check(&site.job(), &site.people(), &each, &all).expect("findings")), codes(&fault.findings));
}

impl Site {
    fn at_source(&self) -> Vec<AtSource> {
        at_source(&self.job(), &self.people(), Manifest::load(&self.folder()).ok().as_ref()).expect("a source")
    }
}

#[test]
fn a_source_that_was_replaced_or_taken_away_is_noticed_and_one_that_was_copied_back_is_the_same() {
    use AtSource::{Replaced, Same};
    let site = Site::new(PackageFormat::Zip, &["ADAMS", "BAKER"]);
    let disk = |path: &str| site.root.path().join("disks").join(path);
    assert_eq!(site.at_source(), [Same, Same], "nothing is built of anything else");
    site.build().expect("nothing is wrong");
    assert_eq!(site.at_source(), [Same, Same]);
    let good = fs::read(disk("ADAMS/CONTROL.MAI")).expect("there");
    fs::write(disk("ADAMS/CONTROL.MAI"), [9; 8]).expect("written");
    assert_eq!(site.at_source(), [Replaced, Same], "of the same size");
    fs::write(disk("ADAMS/CONTROL.MAI"), good).expect("written");
    assert_eq!(site.at_source(), [Same, Same]);
    fs::write(disk("BAKER/MORE.MAI"), "x").expect("written");
    assert_eq!(site.at_source(), [Same, Replaced]);
    site.build().expect("nothing is wrong");
    assert_eq!(site.at_source(), [Same, Same]);
    fs::remove_dir_all(disk("BAKER")).expect("removed");
    let lacking = |at: &AtSource| matches!(at, AtSource::Lacking(why) if codes(why) == ["disk-missing"]);
    assert!(matches!(site.at_source().as_slice(), [Same, baker] if lacking(baker)));
    fs::remove_dir_all(site.root.path().join("disks")).expect("removed");
    let why = at_source(&site.job(), &site.people(), Some(&site.manifest())).expect_err("no folder");
    assert_eq!(codes(&why), ["files-missing"]);
}

#[test]
fn another_recipe_or_another_text_beside_the_files_is_another_package() {
    use AtSource::{Replaced, Same};
    let mut site = Site::new(PackageFormat::Zip, &["ADAMS", "BAKER"]);
    site.people[0].phone = Some("1".into());
    let recipe = site.root.path().join("recipe");
    fs::create_dir(&recipe).expect("made");
    fs::write(recipe.join("hello.txt.hbs"), "Hello {{person.id}}").expect("written");
    site.package.source = PackageSource::Recipe { from: recipe.clone() };
    site.build().expect("nothing is wrong");
    assert_eq!(site.at_source(), [Same, Same]);
    let one = "{{#if person.phone}}Good day{{else}}Hello{{/if}} {{person.id}}";
    fs::write(recipe.join("hello.txt.hbs"), one).expect("written");
    assert_eq!(site.at_source(), [Replaced, Same], "only one of them reads another text");
    site.build().expect("nothing is wrong");
    let texts = site.root.path().join("templates/package");
    fs::create_dir_all(&texts).expect("made");
    fs::write(texts.join("README.TXT.hbs"), "{{code}}").expect("written");
    assert_eq!(site.at_source(), [Replaced, Replaced]);
    site.package.source = PackageSource::Command { argv: vec!["/no/such/program".into()] };
    assert_eq!(site.at_source(), [Same, Same], "a program is not run for it");
}

#[test]
fn who_left_loses_their_artefact() {
    for format in FORMATS {
        let mut site = Site::new(format, &["ADAMS", "BAKER"]);
        site.build().expect("nothing is wrong");
        fs::write(site.folder().join(".build-left-by-a-crash"), "").expect("written");
        site.people.pop();
        let outcome = site.build().expect("nothing is wrong");
        assert_eq!((outcome.written, outcome.removed, codes(&outcome.findings)), (0, 2, vec!["disk-unclaimed"]));
        assert!(site.tree().iter().all(|(path, _)| !path.to_string_lossy().contains("BAKER")));
        assert_eq!(site.verify(), []);
    }
}

#[test]
fn a_disk_and_its_readme_have_to_fit_together() {
    let mut site = Site::new(PackageFormat::Zip, &["ADAMS"]);
    site.package.medium = Some(Medium::K360);
    let room = floppy::Geometry::of(Medium::K360).capacity() - 1024 - 1024 - 2048;
    fs::write(site.root.path().join("disks/ADAMS/BIG.BIN"), vec![0; room]).expect("written");
    let findings = site.build().expect_err("no room for README.TXT");
    assert_eq!(codes(&findings), ["package-too-large"]);
    assert_eq!(*findings[0].place.as_ref().expect("a place").file, *Path::new("users.csv"));
    fs::write(site.root.path().join("disks/ADAMS/README.TXT"), "mine").expect("written");
    fs::remove_file(site.root.path().join("disks/ADAMS/BIG.BIN")).expect("removed");
    assert_eq!(codes(&site.build().expect_err("README.TXT is there")), ["package-readme"]);
}

#[test]
fn what_is_no_disk_keeps_its_names_and_letters_and_may_be_larger() {
    for format in [PackageFormat::Zip, PackageFormat::Files] {
        let mut site = Site::new(format, &["ann.smith"]);
        fs::remove_dir_all(site.root.path().join("disks/ann.smith")).expect("removed");
        let profile: Vec<u8> = (0..4_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        fs::write(site.root.path().join("disks/ann.smith.ovpn"), &profile).expect("written");
        site.people[0].name = "J\u{f6}rg \u{10c}apek".to_owned();
        assert_eq!(codes(&site.build().expect_err("a disk")), ["disk-missing"]);
        site.package.medium = None;
        assert_eq!(codes(&site.build().expect("no disk").findings), [""; 0]);
        let files = site.unpacked("ann.smith");
        assert_eq!(files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["README.TXT", "ann.smith.ovpn"]);
        assert_eq!(files.get("ann.smith.ovpn").expect("there").bytes, profile);
        let readme = String::from_utf8(files.get("README.TXT").expect("there").bytes.clone()).expect("UTF-8");
        assert!(readme.contains("J\u{f6}rg \u{10c}apek"), "{readme}");
        assert_eq!(site.verify(), []);
    }
}

#[test]
fn ids_that_cannot_be_file_names_are_refused() {
    for id in ["../BAKER", "a/b", ".x", "manifest.json", "a:b", ""] {
        let mut site = Site::new(PackageFormat::Zip, &["ADAMS"]);
        site.people[0].id = id.to_owned();
        assert_eq!(codes(&site.build().expect_err(id)), ["package-id"], "{id}");
    }
    let mut site = Site::new(PackageFormat::Zip, &["ADAMS", "BAKER"]);
    site.people[0].id = "one".to_owned();
    site.people[1].id = "ONE".to_owned();
    assert_eq!(codes(&site.build().expect_err("one file name")), ["package-same-id"]);
}

#[test]
fn a_code_changes_with_the_person_the_files_and_the_facts() {
    let site = Site::new(PackageFormat::Zip, &["ADAMS"]);
    let code = |campaign: &Campaign, id: &str, digest: &str| {
        code_for(SECRET, campaign, &site.package, &sample::person(id), digest)
    };
    let usual = code(&site.campaign, "ADAMS", "d");
    assert_eq!(usual, code(&site.campaign, "ADAMS", "d"));
    assert_ne!(usual, code(&site.campaign, "BAKER", "d"));
    assert_ne!(usual, code(&site.campaign, "ADAMS", "e"));
    let mut other = site.campaign.clone();
    other.msmail.as_mut().expect("a postoffice").new_serial = "32-20978".into();
    assert_ne!(usual, code(&other, "ADAMS", "d"));
    let mut other = site.campaign.clone();
    other.change.local += chrono::Duration::hours(1);
    assert_ne!(usual, code(&other, "ADAMS", "d"));
    let mut other = site.campaign.clone();
    other.facts.insert("gateway".into(), "vpn2".into());
    assert_ne!(usual, code(&other, "ADAMS", "d"));
}

#[test]
fn reading_back_finds_what_is_not_as_it_was_built() {
    let mut site = Site::new(PackageFormat::Zip, &["ADAMS", "BAKER"]);
    site.build().expect("nothing is wrong");
    let (adams, baker) = (site.folder().join("ADAMS.zip"), site.folder().join("BAKER.zip"));
    let good = fs::read(&adams).expect("built");
    fs::write(&adams, fs::read(&baker).expect("built")).expect("written");
    assert_eq!(codes(&site.verify()), ["package-altered"]);
    fs::remove_file(&adams).expect("removed");
    assert_eq!(codes(&site.verify()), ["io"]);
    fs::write(&adams, good).expect("written");
    site.people.push(sample::person("COLE"));
    assert_eq!(codes(&site.verify()), ["package-missing"]);
    site.people.truncate(1);
    assert_eq!(codes(&site.verify()), ["package-stranger"]);
    site.campaign.msmail.as_mut().expect("a postoffice").new_serial = "32-20978".into();
    assert_eq!(codes(&site.verify()), ["package-stranger", "package-code"]);
    site.campaign.name = "another".into();
    assert_eq!(codes(&site.verify()), ["package-other", "package-stranger", "package-code"]);
}

/// Somebody who can write the folder can write the manifest as well: the wrong package is found by what is in it.
#[test]
fn reading_back_finds_a_package_of_somebody_else_under_a_good_manifest() {
    let site = Site::new(PackageFormat::Zip, &["ADAMS", "BAKER"]);
    site.build().expect("nothing is wrong");
    let mut manifest = site.manifest();
    let mut swapped = manifest.people[1].clone();
    swapped.id = "ADAMS".into();
    manifest.people[0] = swapped;
    fs::write(site.folder().join("manifest.json"), serde_json::to_vec(&manifest).expect("JSON")).expect("written");
    let found = codes(&site.verify());
    assert!(found.contains(&"package-code"), "{found:?}");
    assert!(!found.contains(&"package-altered"), "{found:?}");
}

#[test]
fn a_foreign_code_in_a_file_is_found() {
    let site = Site::new(PackageFormat::Zip, &["ADAMS", "BAKER"]);
    site.build().expect("nothing is wrong");
    let source = site.unpacked("BAKER").without("README.TXT").digest();
    let foreign = code_for(SECRET, &site.campaign, &site.package, &site.people[1], &source);
    fs::write(site.root.path().join("disks/ADAMS/NOTES.TXT"), format!("x{foreign} y")).expect("written");
    site.build().expect("the build does not read the files");
    let findings = site.verify();
    assert_eq!(codes(&findings), ["package-foreign-code"]);
    assert!(findings[0].cause.contains("NOTES.TXT in the package of ADAMS holds the code of BAKER"), "{findings:?}");
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_what_is_built() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new(PackageFormat::Files, &["ADAMS"]);
    site.build().expect("nothing is wrong");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&site.folder()), mode(&site.folder().join("ADAMS"))), (0o700, 0o700));
    assert!(site.tree().iter().all(|(path, _)| mode(path) == 0o600));
}

/// P3: in a thousand packages no code and no name but the owner's.
#[test]
fn a_thousand_packages_hold_nothing_of_anybody_else() {
    let ids: Vec<String> = (0..1000).map(|n| format!("PERSON{n:04}")).collect();
    let site = Site::new(PackageFormat::Zip, &ids.iter().map(String::as_str).collect::<Vec<_>>());
    site.build().expect("nothing is wrong");
    assert_eq!(site.verify(), []);
    let mut fingerprints = std::collections::HashSet::new();
    for entry in &site.manifest().people {
        let text: Vec<u8> = site.unpacked_from(entry).iter().flat_map(|file| file.bytes.clone()).collect();
        let text = String::from_utf8_lossy(&text);
        assert!(text.match_indices("PERSON").all(|(at, _)| text[at..].starts_with(&entry.id)), "{}", entry.id);
        assert!(fingerprints.insert(entry.code_fingerprint.clone()));
    }
    assert_eq!(fingerprints.len(), 1000);
}
