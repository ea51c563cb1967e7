//! `[web]`: where the confirm page listens, and how it is reached.

use super::Context;
use crate::campaign::model::Web;
use crate::campaign::network::Network;
use crate::campaign::table::Table;
use crate::campaign::url::Url;
use crate::fault::Finding;

/// The longest address that leaves room for `/c/` and the link in the 75 columns of a message through a gateway.
const LONGEST: usize = 75 - 3 - 40;

pub(super) fn read(all: &mut Table, context: &Context) -> Option<Web> {
    let mut table = all.table("web")?;
    let listen = table.parsed("listen", |text| {
        text.parse().map_err(|_| {
            let cause = format!("'{text}' is no address with a port");
            Finding::error("bad-listen", cause, "write it like 127.0.0.1:8480")
        })
    });
    let public_url = public_url(&mut table, context);
    let proxies = table
        .texts("proxies")
        .into_iter()
        .filter_map(|text| match text.value.parse::<Network>() {
            Ok(network) => Some(network),
            Err(()) => {
                let cause = format!("'{}' is no address and no network", text.value);
                table.report.add(text.at, Finding::error("bad-proxy", cause, "write it like 127.0.0.1 or 10.0.0.0/8"));
                None
            }
        })
        .collect();
    let link_key = link_key(&mut table);
    table.finish();
    let listen = listen.unwrap_or_else(|| ([127, 0, 0, 1], 8480).into());
    Some(Web { listen, public_url, proxies, link_key })
}

fn public_url(table: &mut Table, context: &Context) -> Option<String> {
    let text = table.text("public_url")?;
    let plain = |url: &Url| url.query.is_empty() && url.user.is_none() && !text.value.contains(['#', '"', '\'', ' ']);
    match Url::parse(&text.value) {
        Ok(url) if matches!(url.scheme.as_str(), "https" | "http") && plain(&url) => {
            if url.scheme == "http" && !url.is_loopback() {
                let cause = "links that everybody on the way can read let anybody answer for somebody else";
                let remedy = "write https://, and let a web server in front of flagday speak TLS";
                table.report.add(text.at, Finding::warning("plain-http", cause, remedy));
            }
            let address = text.value.trim_end_matches('/').to_owned();
            if context.has_postoffice && address.len() > LONGEST {
                let cause = format!(
                    "gateways of Microsoft Mail wrap lines at 78 columns, and with '{address}' links are longer"
                );
                let remedy = format!("use an address of at most {LONGEST} characters: a wrapped link cannot be opened");
                table.report.add(text.at, Finding::warning("long-url", cause, remedy).article("Q111860"));
            }
            Some(address)
        }
        _ => {
            let cause = format!("'{}' is no address that a browser could open", text.value);
            let remedy = "write it like https://flagday.corp.example";
            table.report.add(text.at, Finding::error("bad-url", cause, remedy));
            None
        }
    }
}

fn link_key(table: &mut Table) -> u8 {
    let Some((number, at)) = table.number("link_key") else { return 1 };
    if (1.0..=255.0).contains(&number) && number.fract() == 0.0 {
        return number as u8;
    }
    let cause = format!("'link_key' is {number}, and keys are numbered 1 to 255");
    table.report.add(at, Finding::error("out-of-range", cause, "raise it by one to make old links worthless"));
    1
}
