//! Gateways and the global address list: what the live postoffice has must be in the staged one, because a new
//! MASTER.GLB forgets every gateway installed since (Q128358).
//!
//! Evidence of a gateway's access component is a pair of GLB\<gateway>.GLB and NME\<gateway>.NME and an active record
//! of NETWORK.GLB. Templates and help files are none: a bare 3.5 install has those of all gateways (Q135868).

use super::names;
use crate::campaign::MsMail;
use crate::fault::Finding;
use crate::msmail::{records, records::Network, tree::Postoffice};
use std::collections::BTreeSet;

/// Gateways by the name of their files and records (Q118674, Q148666).
const KNOWN: [&str; 9] = ["FAX", "MCI", "MHS", "MSMAIL", "OV", "PROFS", "SMTP", "SNADS", "X400"];

/// Every gateway of the live postoffice, and every declared one, is in the staged postoffice by the same evidence.
pub fn staged_has_all(live: &Postoffice, staged: &Postoffice, facts: &MsMail) -> Vec<Finding> {
    let (live, mut findings) = Evidence::of(live);
    let (there, unreadable) = Evidence::of(staged);
    findings.extend(unreadable);
    let declared: BTreeSet<String> = facts.gateways.iter().map(|name| file_name(name)).collect();
    for name in live.gateways().union(&declared) {
        let (wanted, found) = (live.has(name), there.has(name));
        let pair = wanted.pair && !found.pair;
        let record = wanted.record && !found.record;
        let nothing = !wanted.any() && !found.any();
        if pair || record || nothing {
            findings.push(missing(name, pair || nothing, record || nothing, staged));
        }
    }
    findings.extend(other_networks(&live, &there, facts).map(|note| note.in_file(staged.place("GLB/NETWORK.GLB"))));
    findings
}

/// The gateways that `flagday.toml` lists are those that the live postoffice shows.
pub fn declared(live: &Postoffice, facts: &MsMail) -> Vec<Finding> {
    let (evidence, mut findings) = Evidence::of(live);
    let declared: BTreeSet<String> = facts.gateways.iter().map(|name| file_name(name)).collect();
    for name in evidence.gateways().difference(&declared) {
        let cause = format!("the live postoffice has the gateway {name}, which `gateways` does not list");
        let remedy = "add it to `gateways`, or remove what is left of it in ADMIN";
        let finding = Finding::warning("gateway-undeclared", cause, remedy).article("Q128358");
        findings.push(facts.at("gateways", finding));
    }
    for name in declared.iter().filter(|name| !evidence.has(name).any()) {
        let cause = format!("`gateways` lists {name}, of which the live postoffice shows no files and no record");
        let remedy = "see ADMIN's Gateway menu; take the name out of `gateways` if the gateway is not there";
        findings.push(facts.at("gateways", Finding::warning("gateway-not-live", cause, remedy).article("Q87030")));
    }
    findings
}

/// The names with both files of an access component. Names of 8 hex digits are users' and views' files.
pub fn pairs(po: &Postoffice) -> BTreeSet<String> {
    let (Some(glb), Some(nme)) = (po.folder("GLB"), po.folder("NME")) else { return BTreeSet::new() };
    let both = glb.with_suffix(".GLB").filter(|(stem, _)| nme.get(&format!("{stem}.NME")).is_some());
    both.filter(|(stem, _)| !records::is_hexid(stem)).map(|(stem, _)| stem.to_owned()).collect()
}

/// What one postoffice shows of its gateways.
struct Evidence {
    pairs: BTreeSet<String>,
    networks: Vec<Network>,
}

/// What there is of one gateway.
#[derive(Clone, Copy)]
struct Has {
    pair: bool,
    record: bool,
}

impl Has {
    fn any(self) -> bool {
        self.pair || self.record
    }
}

impl Evidence {
    fn of(po: &Postoffice) -> (Evidence, Vec<Finding>) {
        let (bytes, findings) = match po.read("GLB/NETWORK.GLB") {
            Ok(bytes) => (bytes.unwrap_or_default(), Vec::new()),
            Err(fault) => (Vec::new(), fault.findings),
        };
        (Evidence { pairs: pairs(po), networks: records::networks(&bytes) }, findings)
    }

    fn gateways(&self) -> BTreeSet<String> {
        self.pairs.iter().cloned().chain(self.networks.iter().filter_map(gateway)).collect()
    }

    fn has(&self, name: &str) -> Has {
        let record = self.networks.iter().any(|network| gateway(network).as_deref() == Some(name));
        Has { pair: self.pairs.contains(name), record }
    }
}

/// The gateway that a network stands for; `None` for a plain network, as far as its type is documented.
fn gateway(network: &Network) -> Option<String> {
    match network.kind {
        records::MAIL_CONNECTION => Some("MSMAIL".to_owned()),
        records::FFAPI => Some(file_name(&network.name)).filter(|name| !name.is_empty()),
        _ => Some(file_name(&network.name)).filter(|name| KNOWN.contains(&name.as_str())),
    }
}

/// A gateway's name as its files have it. Gateways to AT&T and 3+Mail use the SMTP access component (Q249142).
pub fn file_name(name: &str) -> String {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    match plain.as_str() {
        "ATT" | "3COM" => "SMTP".to_owned(),
        "OFFICEVISION" => "OV".to_owned(),
        "MAILCONNECTION" => "MSMAIL".to_owned(),
        "" => name.escape_debug().to_string(),
        _ => plain,
    }
}

fn missing(name: &str, pair: bool, record: bool, staged: &Postoffice) -> Finding {
    let mut lacks = Vec::new();
    if pair {
        lacks.push(format!("no GLB/{name}.GLB with NME/{name}.NME"));
    }
    if record {
        lacks.push("no active record of it in NETWORK.GLB".to_owned());
    }
    let mut cause = format!("the staged postoffice lacks the gateway {name}: {}", lacks.join(", and "));
    let templates =
        staged.folder("TPL").is_some_and(|tpl| tpl.with_suffix(".TPL").any(|(stem, _)| stem.starts_with(name)));
    if templates {
        cause += "; its templates are there, but a bare install has those of every gateway";
    }
    let remedy = format!("install the access component of {name} in the staged postoffice; its flag is in MASTER.GLB");
    Finding::error("gateway-missing", cause, remedy).in_file(staged.root()).article("Q128358")
}

/// Networks that only the live postoffice lists: plain ones as far as is known, which a person may know better.
fn other_networks(live: &Evidence, staged: &Evidence, facts: &MsMail) -> Option<Finding> {
    let plain = live.networks.iter().filter(|network| gateway(network).is_none());
    let own = |network: &Network| network.name.eq_ignore_ascii_case(&facts.network);
    let list: Vec<String> = plain
        .filter(|network| !own(network) && !staged.networks.iter().any(|other| other.name == network.name))
        .map(|network| format!("{} (type {:02X})", network.name, network.kind))
        .collect();
    let cause = format!(
        "networks of the live postoffice that the staged one does not list: {}; disks made from it lack their addresses",
        names(list.iter().map(String::as_str))
    );
    let remedy = "if one of them is a gateway, install its access component; of the others remote users get the addresses \
                  by Update Address Lists after the change";
    (!list.is_empty()).then(|| Finding::note("networks-not-staged", cause, remedy).article("Q101604"))
}

/// No file proves that the global address list is on: a person has to look (Q134226).
pub fn global_address_list(live: &Postoffice, facts: &MsMail) -> Option<Finding> {
    let file = live.file("NME/GAL.NME");
    let (cause, remedy) = match (facts.global_address_list, file) {
        (true, _) => (
            "whether the staged postoffice has its global address list on is in no file; a new install has it off",
            "set Global-List to YES in ADMIN of the staged postoffice and state it when the staged postoffice is attested",
        ),
        (false, Some(_)) => (
            "the live postoffice has files of a global address list, while `global_address_list` is false; the files may be \
             left from earlier",
            "look at Global-List in ADMIN of the live postoffice and correct `global_address_list` if it is YES",
        ),
        (false, None) => return None,
    };
    let note = Finding::note("global-address-list", cause, remedy).article("Q134226");
    Some(facts.at("global_address_list", note))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_goes_by_the_name_of_its_files() {
        let pairs = [("X.400", "X400"), ("smtp", "SMTP"), ("AT&T", "SMTP"), ("OfficeVision", "OV"), ("FAX", "FAX")];
        for (written, files) in pairs {
            assert_eq!(file_name(written), files);
        }
    }

    #[test]
    fn types_decide_where_they_are_documented_and_names_elsewhere() {
        let network = |kind, name: &str| Network { kind, name: name.into(), mailbag: None };
        assert_eq!(gateway(&network(0x10, "MACS")).as_deref(), Some("MSMAIL"));
        assert_eq!(gateway(&network(0x64, "PROXYNET")).as_deref(), Some("PROXYNET"));
        assert_eq!(gateway(&network(0x01, "SMTP")).as_deref(), Some("SMTP"));
        assert_eq!(gateway(&network(0x01, "CORP")), None);
    }
}
