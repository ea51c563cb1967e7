//! The sample campaign is what it says: sizes by the public rules, rosters and trees that agree, one disk that is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn sample(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/msmail").join(path)
}

fn bytes(path: &str) -> Vec<u8> {
    fs_err::read(sample(path)).expect("a sample file")
}

/// Every file below a folder of the sample: its path from there, and its size.
fn files(folder: &str) -> BTreeMap<String, u64> {
    let root = sample(folder);
    let mut found = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).expect("a sample folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).expect("below").to_str().expect("ASCII").replace('\\', "/");
                found.insert(name, fs_err::metadata(&path).expect("its size").len());
            }
        }
    }
    found
}

/// Rows of a roster by column name.
fn roster(file: &str, delimiter: u8, text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
    let headers = reader.headers().expect(file).clone();
    let row =
        |record: csv::StringRecord| headers.iter().zip(&record).map(|(h, v)| (h.to_owned(), v.to_owned())).collect();
    reader.records().map(|record| row(record.expect(file))).collect()
}

fn users() -> Vec<BTreeMap<String, String>> {
    let text =
        oem_cp::decode_string_complete_table(&bytes("rosters/users.csv"), &oem_cp::code_table::DECODING_TABLE_CP850);
    roster("users.csv", b';', &text)
}

/// Size rules: the file, with `*` for a hex id or a name; what is there before the first record; the record; the article.
const RULES: [(&str, u64, u64, &str); 21] = [
    ("GLB/MASTER.GLB", 176, 0, "Q77926"),
    ("GLB/ACCESS.GLB", 0, 586, "Q87402"),
    ("GLB/ACCESS2.GLB", 0, 69, "Q87402"),
    ("GLB/ACCESS3.GLB", 0, 512, "Q87402"),
    ("GLB/CONTROL.GLB", 8, 0, "Q87388"),
    ("GLB/TID.GLB", 4, 0, "Q77926"),
    ("GLB/NETWORK.GLB", 0, 122, "Q148666"),
    ("GLB/NETPO.GLB", 4, 43, "Q77926"),
    ("GLB/GROUP.GLB", 4, 51, "Q77926"),
    ("GLB/GRPMEM.GLB", 4, 128, "Q77926"),
    ("GLB/MODEM.GLB", 64, 0, "Q77926"),
    ("GLB/C850SORT.GLB", 795, 0, "Q135868"),
    ("GLB/TRANSFIL.GLB", 1603, 0, "Q135868"),
    ("GLB/SMTP.GLB", 4, 0, "Q87028"),
    ("GLB/FAX.GLB", 4, 0, "Q85349"),
    ("KEY/*.KEY", 560, 0, "Q118619"),
    ("MBG/*.MBG", 0, 116, "Q87417"),
    ("NME/*.NME", 0, 45, "Q77926"),
    ("GRP/*.GRP", 0, 8, "Q77926"),
    ("XTN/*.XTN", 0, 698, "Q77926"),
    ("USR/*.USR", 0, 53, "Q77926"),
];

#[test]
fn sizes_follow_the_rules_in_both_trees() {
    for tree in ["postoffice", "staged"] {
        let files = files(tree);
        for (pattern, start, record, article) in RULES {
            let matches = |path: &str| match pattern.split_once('*') {
                Some((folder, suffix)) => path.starts_with(folder) && path.ends_with(suffix),
                None => path == pattern,
            };
            let matching: Vec<_> = files.iter().filter(|(path, _)| matches(path)).collect();
            assert!(!matching.is_empty() || (tree, pattern) == ("staged", "USR/*.USR"), "{tree}/{pattern} is missing");
            for (path, size) in matching {
                let fits = *size == start || record > 0 && *size > start && (size - start).is_multiple_of(record);
                assert!(fits, "{tree}/{path} has {size} bytes, against {article}");
            }
        }
        for path in ["NME/SMTP.NME", "NME/FAX.NME", "NME/VIEW.NME", "MBG/INQUEUE3.MBG"] {
            assert_eq!(files[path], 0, "{tree}/{path}");
        }
    }
}

#[test]
fn folders_are_complete_and_survive_a_repository() {
    for tree in ["postoffice", "staged"] {
        let files = files(tree);
        let populated = |prefix: &str, depth: usize| {
            let here = |path: &&String| path.starts_with(prefix) && path.ends_with("/POPULATE.MSM");
            files.keys().filter(here).filter(|path| path.matches('/').count() == depth).count()
        };
        let gateways = if tree == "postoffice" { 2 } else { 0 };
        assert_eq!(populated("", 1), 19 + gateways, "{tree}: top level (Q132744)");
        assert_eq!(populated("ATT/", 2), 16);
        assert_eq!(populated("MAI/", 2), 16);
        assert!(files.iter().all(|(path, size)| !path.ends_with("POPULATE.MSM") || *size == 1));
        assert!(!files.keys().any(|path| path.starts_with("P1/") && path != "P1/POPULATE.MSM"), "P1 is quiet");
        assert!(!files.contains_key("INF/ADMIN.INF"), "no workgroup postoffice (Q132560)");
    }
}

#[test]
fn the_staged_master_is_another_one_that_may_replace_the_live_one() {
    let (live, staged) = (bytes("postoffice/GLB/MASTER.GLB"), bytes("staged/GLB/MASTER.GLB"));
    assert_ne!(live, staged);
    assert_eq!(live[0x93] & 0x10, staged[0x93] & 0x10);
    assert_eq!(live[0x94], staged[0x94]);
    assert_eq!(bytes("postoffice/NME/ADMIN.NME"), bytes("postoffice/NME/ADMINSHD.NME"), "the shadow (Q85647)");
}

#[test]
fn rosters_and_trees_agree() {
    let (users, tree) = (users(), files("postoffice"));
    let of_kind = |kind: &str| users.iter().filter(|user| user["kind"] == kind).count();
    assert_eq!((users.len(), of_kind("remote"), of_kind("local")), (40, 12, 28));
    assert!(users.iter().any(|user| user["name"] == "Jürgen Müller"), "code page 850");
    for user in &users {
        let hexid = &user["hexid"];
        assert!(tree.contains_key(&format!("MBG/{hexid}.MBG")), "{}", user["id"]);
        let on_server = user["kind"] == "local" && user["mail_store"] == "postoffice";
        let mmf = tree.get(&format!("MMF/{hexid}.MMF"));
        assert_eq!(mmf.is_some_and(|size| *size >= 32 << 10), on_server, "{}", user["id"]);
    }
    // One deleted user: a record more in the ACCESS files, and a message store that belongs to nobody.
    assert_eq!(
        (tree["GLB/ACCESS.GLB"], tree["GLB/ACCESS2.GLB"], tree["GLB/ACCESS3.GLB"]),
        (41 * 586, 41 * 69, 41 * 512)
    );
    assert_eq!(tree.keys().filter(|path| path.starts_with("MMF/") && path.ends_with(".MMF")).count(), 17 + 1);

    let admins = String::from_utf8(bytes("rosters/async-admins.csv")).expect("UTF-8");
    let admins = roster("async-admins.csv", b',', admins.strip_prefix('\u{feff}').expect("a byte order mark"));
    assert_eq!(admins.len(), 5);
    // CORP, HARBOR, LUMEN, ORCHARD, one deleted network, SMTP, FAX.
    let network = bytes("postoffice/GLB/NETWORK.GLB");
    let name = |record: &[u8]| String::from_utf8_lossy(&record[2..13]).trim_end_matches('\0').to_owned();
    let active: BTreeSet<_> = network.chunks(122).filter(|record| record[0] == 1).map(name).collect();
    let expected: BTreeSet<_> =
        admins.iter().map(|admin| admin["network"].clone()).chain(["SMTP".into(), "FAX".into()]).collect();
    assert_eq!(active, expected);
}

#[test]
fn every_remote_user_has_a_disk_and_one_of_them_is_wrong() {
    let disks = files("disks");
    let mut connect = BTreeMap::<Vec<u8>, Vec<String>>::new();
    for user in users().iter().filter(|user| user["kind"] == "remote") {
        let mailbox = &user["mailbox"];
        if let Some(size) = disks.get(&format!("{mailbox}.img")) {
            assert_eq!(*size, 360 << 10);
            continue;
        }
        for (name, size) in [("CONNECT.GLB", 695), ("TRANSFIL", 1603), ("C850SORT.GLB", 795), ("CONTROL.MAI", 8)] {
            assert_eq!(disks.get(&format!("{mailbox}/{name}")), Some(&size), "{mailbox}/{name}");
        }
        assert!(
            disks.contains_key(&format!("{mailbox}/RNETWORK.GLB"))
                && disks.contains_key(&format!("{mailbox}/ACCESS.MAI"))
        );
        connect.entry(bytes(&format!("disks/{mailbox}/CONNECT.GLB"))).or_default().push(mailbox.clone());
    }
    let shared: Vec<_> = connect.values().filter(|owners| owners.len() > 1).collect();
    assert_eq!(shared, [&vec!["LINDBERG".to_owned(), "CARTER".to_owned()]]);
    assert!(
        !connect.contains_key(&bytes("corrections/disks/CARTER/CONNECT.GLB")),
        "the corrected one is nobody else's"
    );
    assert_eq!(files("corrections/disks").len(), 6);
}

#[test]
fn the_rehearsal_speaks_of_people_who_exist() {
    let text = fs_err::read_to_string(sample("rehearsal.toml")).expect("rehearsal.toml");
    let rehearsal: toml::Table = text.parse().expect("TOML");
    let mut known: BTreeSet<String> = users().into_iter().map(|mut user| user.remove("id").expect("an id")).collect();
    known.extend(["DENVER", "MUNICH", "HARBOR", "LUMEN", "ORCHARD"].map(String::from));
    let people = |table: &toml::Table| table["person"].as_table().expect("a table").keys().cloned().collect::<Vec<_>>();
    let mut named = people(&rehearsal);
    for section in ["drain", "read_back"] {
        named.extend(people(rehearsal[section].as_table().expect("a table")));
    }
    for entry in rehearsal["administrator"].as_array().expect("entries") {
        named.extend(entry.get("person").map(|person| person.as_str().expect("an id").to_owned()));
    }
    assert!(named.len() > 12);
    for person in named {
        assert!(known.contains(&person), "{person}");
    }
}

#[test]
fn it_stays_small() {
    let size: u64 = files("").values().sum();
    assert!(size < 1_500_000, "{size} bytes");
}
