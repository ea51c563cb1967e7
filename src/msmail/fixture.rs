//! Postoffices for tests: synthetic bytes, sizes by rule.

use super::tree::Postoffice;
use crate::campaign::MsMail;
use crate::fault::{Finding, Place, Severity};
use crate::roster::{MailStore, Person};
use chrono::{DateTime, Utc};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A postoffice in a temporary folder, gone when dropped.
pub struct Tree {
    pub folder: TempDir,
    lower_case: bool,
}

impl Tree {
    fn empty(lower_case: bool) -> Tree {
        Tree { folder: TempDir::new().expect("a temporary folder"), lower_case }
    }

    /// A fresh installation with the SMTP access component.
    pub fn staged() -> Tree {
        let tree = Tree::empty(false);
        tree.common(0x20);
        tree.records(1, &[(1, "CORP", ""), (1, "SMTP", "00000002")]);
        tree
    }

    /// A live postoffice: 8 user records, one external postoffice, the SMTP gateway, External has run.
    pub fn live() -> Tree {
        let tree = Tree::empty(false);
        tree.grown();
        tree
    }

    /// The same on a server that keeps lower-case names.
    pub fn lower_case() -> Tree {
        let tree = Tree::empty(true);
        tree.grown();
        tree
    }

    fn grown(&self) {
        self.common(0x10);
        self.records(8, &[(1, "CORP", ""), (1, "SALES", ""), (1, "SMTP", "0000000B")]);
        self.fill("NME/GAL.NME", 450).fill("GLB/RNETSEM.GLB", 4).fill("GLB/FLAG.GLB", 2).fill("GLB/RNETWORK.GLB", 600);
        for id in 0..7 {
            self.mailbag(&format!("{id:08X}"), 0);
        }
        self.mailbag("0000000A", 116).mailbag("0000000B", 0);
        let mut external = vec![0; 698];
        external[..6].copy_from_slice(b"\x01SALES");
        external[0x0C..0x14].copy_from_slice(b"0000000A");
        self.write("XTN/00000009.XTN", &external).fill("USR/0000000A.USR", 159);
        for (id, size) in [(0, 43_008), (1, 59_100), (2, 24_000)] {
            self.fill(&format!("MMF/{id:08X}.MMF"), size);
        }
    }

    fn common(&self, fill: u8) {
        for folder in super::FOLDERS.iter().filter(|name| **name != "POLD") {
            self.write(&format!("{folder}/POPULATE.MSM"), b"\0");
        }
        self.folder("INI");
        for digit in 0..16 {
            self.folder(&format!("ATT/AT{digit:X}")).folder(&format!("MAI/MA{digit:X}"));
        }
        let mut master = vec![fill; 176];
        master[0x93] = 0x61;
        master[0x94] = 0;
        self.write("GLB/MASTER.GLB", &master);
        for (name, size) in [("CONTROL", 8), ("GLOBAL", 512), ("TID", 4), ("MODEM", 64), ("NETPO", 47), ("GROUP", 55)] {
            self.fill(&format!("GLB/{name}.GLB"), size);
        }
        for (name, size) in [("C850SORT", 795), ("TRANSFIL", 1603), ("ANSISORT", 795), ("GRPMEM", 4), ("REQCONF", 512)]
        {
            self.fill(&format!("GLB/{name}.GLB"), size);
        }
        for (name, size) in [("ERRORADM", 22_272), ("ERRORDYN", 1920), ("ENGMAI", 18_304), ("ENGMON", 4096)] {
            self.fill(&format!("GLB/{name}.GLB"), size);
        }
        self.fill("GLB/SMTP.GLB", 4).fill("NME/SMTP.NME", 0).fill("GRP/ADMIN.GRP", 8).fill("XTN/00000001.XTN", 0);
        for name in ["00000000", "INQUEUE", "INQUEUE3", "SYSTEM"] {
            self.mailbag(name, 0);
        }
    }

    fn records(&self, users: usize, networks: &[(u8, &str, &str)]) {
        self.fill("GLB/ACCESS.GLB", users * 586).fill("GLB/ACCESS2.GLB", users * 69);
        self.fill("GLB/ACCESS3.GLB", users * 512);
        self.fill("NME/ADMIN.NME", (users + 1) * 45).fill("NME/ADMINSHD.NME", (users + 1) * 45);
        self.networks(networks);
    }

    /// NETWORK.GLB with these active records: type, name, mailbag.
    pub fn networks(&self, networks: &[(u8, &str, &str)]) -> &Tree {
        let mut bytes = Vec::new();
        for (kind, name, mailbag) in networks {
            let mut record = vec![0; 122];
            record[..2].copy_from_slice(&[1, *kind]);
            record[2..2 + name.len()].copy_from_slice(name.as_bytes());
            record[0x21..0x21 + mailbag.len()].copy_from_slice(mailbag.as_bytes());
            bytes.extend(record);
        }
        self.write("GLB/NETWORK.GLB", &bytes)
    }

    pub fn mailbag(&self, hexid: &str, size: usize) -> &Tree {
        self.fill(&format!("MBG/{hexid}.MBG"), size).fill(&format!("KEY/{hexid}.KEY"), 560)
    }

    pub fn path(&self, path: &str) -> PathBuf {
        let path = if self.lower_case { path.to_ascii_lowercase() } else { path.to_owned() };
        self.folder.path().join(path)
    }

    pub fn folder(&self, path: &str) -> &Tree {
        fs_err::create_dir_all(self.path(path)).expect("a folder");
        self
    }

    pub fn write(&self, path: &str, bytes: &[u8]) -> &Tree {
        let path = self.path(path);
        fs_err::create_dir_all(path.parent().expect("below the root")).expect("a folder");
        fs_err::write(path, bytes).expect("written");
        self
    }

    /// Synthetic bytes of that length.
    pub fn fill(&self, path: &str, size: usize) -> &Tree {
        self.write(path, &vec![0xE5; size])
    }

    /// Changes one byte of a file.
    pub fn patch(&self, path: &str, offset: usize, byte: u8) -> &Tree {
        let mut bytes = fs_err::read(self.path(path)).expect("read");
        bytes[offset] = byte;
        self.write(path, &bytes)
    }

    pub fn remove(&self, path: &str) -> &Tree {
        let path = self.path(path);
        if path.is_dir() { fs_err::remove_dir_all(path) } else { fs_err::remove_file(path) }.expect("removed");
        self
    }

    pub fn rename(&self, from: &str, to: &str) -> &Tree {
        fs_err::rename(self.path(from), self.path(to)).expect("renamed");
        self
    }

    pub fn copy(&self, from: &Tree, path: &str) -> &Tree {
        self.write(path, &fs_err::read(from.path(path)).expect("read"))
    }

    pub fn touch(&self, path: &str, time: DateTime<Utc>) -> &Tree {
        let file = fs_err::OpenOptions::new().write(true).open(self.path(path)).expect("opened");
        file.set_modified(time.into()).expect("touched");
        self
    }

    pub fn read_only(&self, path: &str) -> &Tree {
        let mut permissions = fs_err::metadata(self.path(path)).expect("there").permissions();
        permissions.set_readonly(true);
        fs_err::set_permissions(self.path(path), permissions).expect("set");
        self
    }

    /// Sets the hidden attribute as Samba keeps it.
    #[cfg(target_os = "linux")]
    pub fn hide(&self, path: &str) -> &Tree {
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(self.path(path), "user.DOSATTRIB", b"0x2\0", flags)
            .expect("the temporary folder must be on a file system with user attributes (ext4, btrfs, xfs)");
        self
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn open(&self) -> Postoffice {
        Postoffice::open(self.root()).expect("a postoffice")
    }
}

pub fn facts() -> MsMail {
    MsMail {
        postoffice: "live".into(),
        staged: "staged".into(),
        network: "CORP".into(),
        name: "HQ".into(),
        old_serial: "32-10411".into(),
        new_serial: "32-20977".into(),
        gateways: vec!["SMTP".into()],
        global_address_list: true,
        polling: chrono::Duration::minutes(20),
        place: Place::new("flagday.toml", 40, 1),
        stated: Default::default(),
    }
}

pub fn person(id: &str, kind: &str, hexid: Option<&str>, mail_store: MailStore) -> Person {
    let person = Person::named(id, kind, Place::new("rosters/users.csv", 2, 1));
    Person { hexid: hexid.map(Into::into), mail_store, ..person }
}

/// The codes of the errors and warnings, sorted.
pub fn troubles(findings: &[Finding]) -> Vec<&'static str> {
    let mut codes: Vec<_> = findings.iter().filter(|f| f.severity > Severity::Note).map(|f| f.code).collect();
    codes.sort_unstable();
    codes
}
