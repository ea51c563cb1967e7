//! `[msmail]`: the site's own facts for the Microsoft Mail playbook.

use super::Context;
use super::basics::span;
use crate::campaign::model::MsMail;
use crate::campaign::table::Table;
use chrono::Duration;

/// A signed-in client looks for mail every 10 minutes, and a known fault doubles that (Q118528, Q104913).
const POLLING: Duration = Duration::minutes(20);

pub(super) fn read(all: &mut Table, context: &mut Context) -> Option<MsMail> {
    let mut table = all.table("msmail")?;
    let stated = table.stated();
    let postoffice = table.required("postoffice", "\"M:/MAILDATA\", the live postoffice");
    let staged = table.required("staged", "\"D:/NEWPO\", the postoffice installed with the new serial number");
    let disks = table.text("disks");
    let network = table.required("network", "\"CORP\", the network name");
    let name = table.required("name", "\"HQ\", the postoffice name");
    let old_serial = table.required("old_serial", "\"32-10411\", in quotes");
    let new_serial = table.required("new_serial", "\"32-20977\", in quotes");
    let gateways = table.texts("gateways").into_iter().map(|text| text.value).collect();
    let global_address_list = table.boolean("global_address_list").unwrap_or(false);
    let polling = table.parsed("polling", span).unwrap_or(POLLING);
    let place = table.place();
    table.finish();
    if let Some(disks) = disks {
        context.disks = context.path(&disks);
    }
    Some(MsMail {
        postoffice: context.path(&postoffice?),
        staged: context.path(&staged?),
        network: network?.value,
        name: name?.value,
        old_serial: old_serial?.value,
        new_serial: new_serial?.value,
        gateways,
        global_address_list,
        polling,
        place,
        stated,
    })
}
