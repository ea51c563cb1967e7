//! Is this a postoffice, and of a kind that this change is for?

use super::{gateways, names};
use crate::campaign::MsMail;
use crate::fault::Finding;
use crate::msmail::tree::{Folder, Postoffice};
use crate::msmail::{records, sizes};

/// The directories that every postoffice has (Q132744); P1 is judged on its own.
const FOLDERS: [&str; 17] = [
    "ATT", "CAL", "FOLDERS", "GLB", "GRP", "HLP", "INF", "KEY", "LOG", "MAI", "MBG", "MEM", "MMF", "NME", "TPL", "USR",
    "XTN",
];
/// What the postoffice of an Exchange connector lacks (Q181951).
const NOT_IN_A_CONNECTOR: [&str; 5] = ["CAL", "FOLDERS", "INI", "MEM", "MMF"];

/// Every documented directory is there, the 16 parts of ATT and MAI included.
pub fn folders(po: &Postoffice) -> Vec<Finding> {
    if is_connector(po) {
        let cause = format!("no {}: this is the postoffice of an Exchange connector", NOT_IN_A_CONNECTOR.join(", "));
        let remedy = "name the production postoffice; a connector's serial number is always 22-28798";
        return vec![Finding::error("connector-postoffice", cause, remedy).in_file(po.root()).article("Q181951")];
    }
    let mut missing: Vec<String> = FOLDERS.iter().filter(|name| !po.has_folder(name)).map(|&n| n.to_owned()).collect();
    for (folder, part) in [("ATT", "AT"), ("MAI", "MA")] {
        if let Some(entries) = po.folder(folder) {
            let parts = (0..16).map(|digit| format!("{part}{digit:X}"));
            let gone = parts.filter(|part| !entries.get(part).is_some_and(|entry| entry.is_folder));
            missing.extend(gone.map(|part| format!("{folder}/{part}")));
        }
    }
    let mut findings = Vec::new();
    if !missing.is_empty() {
        let cause = format!("directories are missing: {}", names(missing.iter().map(String::as_str)));
        let remedy = "name the postoffice's own folder, the one that holds GLB; create what is missing with MAILINT";
        findings.push(Finding::error("folder-missing", cause, remedy).in_file(po.root()).article("Q132744"));
    }
    if !po.has_folder("INI") {
        let cause = "the directory INI is missing; versions before 3.2 have none";
        let remedy = "from version 3.2 on, let PODIAG create it";
        findings.push(Finding::warning("ini-missing", cause, remedy).in_file(po.root()).article("Q109466"));
    }
    findings
}

fn is_connector(po: &Postoffice) -> bool {
    po.has_folder("GLB") && NOT_IN_A_CONNECTOR.iter().all(|name| !po.has_folder(name))
}

/// Every file whose size is documented has it. MASTER.GLB is left to its own check.
pub fn file_sizes(po: &Postoffice) -> Vec<Finding> {
    let files = crate::msmail::FOLDERS.iter().filter_map(|&name| Some((name, po.folder(name)?)));
    let files = files.flat_map(|(name, folder)| folder.files().map(move |file| (name, file)));
    files
        .filter(|(_, file)| !file.name.eq_ignore_ascii_case("MASTER.GLB"))
        .filter_map(|(folder, file)| sizes::check(folder, &file.name, file.size, &file.path))
        .collect()
}

/// Each mailbag has its KEY file and each KEY file its mailbag (Q77926). Without a KEY file nobody reads what lies in the
/// mailbag, and nothing comes in.
pub fn mailbag_pairs(po: &Postoffice) -> Option<Finding> {
    let (mailbags, keys) = (po.folder("MBG")?, po.folder("KEY")?);
    let alone = |folder: &Folder, suffix: &'static str, other: &Folder, wanted: &str| -> Vec<String> {
        let stems = folder.with_suffix(suffix).map(|(stem, _)| stem);
        stems
            .filter(|stem| other.get(&format!("{stem}{wanted}")).is_none())
            .map(|stem| format!("{stem}{suffix}"))
            .collect()
    };
    let alone = [alone(mailbags, ".MBG", keys, ".KEY"), alone(keys, ".KEY", mailbags, ".MBG")].concat();
    let cause = format!("of a mailbag and its KEY file only one is there: {}", names(alone.iter().map(String::as_str)));
    let remedy = "put the missing one back from a backup, before the people concerned are asked to fetch their mail";
    let place = po.place("MBG");
    (!alone.is_empty()).then(|| Finding::warning("mailbag-pair", cause, remedy).in_file(place).article("Q87408"))
}

/// The indexes of shared folders and of each user's folders, two directories down.
pub fn folder_indexes(po: &Postoffice) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut judge = |rules: &str, folder: &Folder| {
        findings.extend(folder.files().filter_map(|file| sizes::check(rules, &file.name, file.size, &file.path)));
    };
    let (shared, mut refused) = po.below("FOLDERS/PUB");
    judge("FOLDERS/PUB", &shared);
    let (own, more) = po.below("FOLDERS/LOC");
    refused.extend(more);
    for user in own.entries().filter(|entry| entry.is_folder) {
        let (folder, more) = po.list(user);
        refused.extend(more);
        judge("FOLDERS/LOC", &folder);
    }
    [refused, findings].concat()
}

/// A workgroup postoffice always has ADMIN.TPL and ADMIN.INF; a standard one may have them too (Q132560). It is
/// taken for a workgroup's unless something shows that mail leaves it: no transport can serve a workgroup (Q94178).
pub fn workgroup(live: &Postoffice) -> Option<Finding> {
    let template = live.file("TPL/ADMIN.TPL")?;
    live.file("INF/ADMIN.INF")?;
    if has_transport(live) {
        return None;
    }
    let cause = "ADMIN.TPL and ADMIN.INF are there, and no gateway, external postoffice or trace of External is: \
                 this is a workgroup postoffice, and all of those have the serial number 0799-99992";
    let remedy =
        "upgrade it to a full postoffice first; if it is one, start External once so that it leaves RNETSEM.GLB";
    Some(Finding::error("workgroup-postoffice", cause, remedy).in_file(&template.path).article("Q132560"))
}

/// Traces of External (Q118946, Q119414), of a gateway, or of an external postoffice.
fn has_transport(live: &Postoffice) -> bool {
    let external = live.file("GLB/RNETSEM.GLB").is_some() || live.file("GLB/RNETWORK.GLB").is_some();
    let peers = live.folder("XTN").is_some_and(|folder| {
        folder.with_suffix(".XTN").any(|(stem, file)| records::is_hexid(stem) && file.size >= sizes::EXTERNAL)
    });
    external || peers || !gateways::pairs(live).is_empty()
}

/// SRVCONF.GLB lies only on the directory synchronisation server, and MASTER.GLB says that it is one (Q131423).
pub fn directory_sync(live: &Postoffice, facts: &MsMail) -> Option<Finding> {
    let file = live.file("GLB/SRVCONF.GLB")?;
    let cause = format!(
        "{}/{} is the directory synchronisation server; a new MASTER.GLB does not say so",
        facts.network, facts.name
    );
    let remedy = "set the server up in the staged postoffice too, and never switch it off in the live one: that deletes \
                  its tables (Q257740)";
    Some(Finding::warning("directory-sync-server", cause, remedy).in_file(&file.path).article("Q128358"))
}
