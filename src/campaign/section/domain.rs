//! `[mail.domain."example.com"]`: what the recipients of one domain bear, whatever the server in between would take.

use super::mail::connections;
use super::transport::rate;
use crate::campaign::model::{DomainLimit, DomainLimits};
use crate::campaign::table::Table;
use crate::fault::Finding;

/// Stands for each domain that has no section of its own.
const OTHERS: &str = "*";

pub(super) fn limits(outer: Table) -> DomainLimits {
    let report = outer.report;
    let mut limits = DomainLimits::default();
    for (name, node) in outer.into_values() {
        let Some(mut table) = Table::of(report, format!("[mail.domain.\"{}\"]", name.value), node) else { continue };
        let limit = DomainLimit { connections: connections(&mut table), rate: table.parsed("rate", rate) };
        table.finish();
        match in_ascii(&name.value) {
            _ if name.value == OTHERS => limits.others = Some(limit),
            Some(domain) if limits.named.insert(domain.clone(), limit).is_none() => {}
            Some(domain) => {
                let remedy = "keep one of the two: capitals make no difference";
                report.add(name.at, Finding::error("contradiction", format!("'{domain}' stands here twice"), remedy));
            }
            None => {
                let cause = format!("'{}' is no domain of mail addresses", name.value.escape_debug());
                let remedy =
                    "write the part after the @, in quotes: [mail.domain.\"example.com\"]; \"*\" is each other one";
                report.add(name.at, Finding::error("bad-domain", cause, remedy));
            }
        }
    }
    limits
}

/// As DNS holds it: lower case, ASCII (RFC 5890).
pub(super) fn in_ascii(name: &str) -> Option<String> {
    let domain = idna::domain_to_ascii_strict(name).ok()?;
    let host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    (!domain.is_empty() && domain.chars().all(host)).then_some(domain)
}
