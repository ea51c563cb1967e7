//! `[package.NAME]`: what one person gets as an attachment.

use super::Context;
use crate::campaign::model::{Medium, Package, PackageFormat, PackageSource};
use crate::campaign::table::Table;
use crate::campaign::tree::Origin;
use crate::campaign::value;
use crate::fault::Finding;

const FORMATS: [(&str, Option<PackageFormat>); 4] = [
    ("zip", Some(PackageFormat::Zip)),
    ("img", Some(PackageFormat::Img)),
    ("files", Some(PackageFormat::Files)),
    ("link", None),
];

const MEDIA: [(&str, Medium); 4] =
    [("360K", Medium::K360), ("720K", Medium::K720), ("1.2M", Medium::M1_2), ("1.44M", Medium::M1_44)];

#[derive(Clone, Copy)]
enum Way {
    Collected,
    Recipe,
    Command,
}

const WAYS: [(&str, Way); 3] = [("collected", Way::Collected), ("recipe", Way::Recipe), ("command", Way::Command)];

pub(super) fn read(all: &mut Table, context: &Context) -> Vec<Package> {
    let read = |(name, node): (value::Text, _)| {
        let table = Table::of(context.report, format!("[package.{}]", name.value), node)?;
        package(name.value, table, context)
    };
    all.named("package").into_iter().filter_map(read).collect()
}

fn package(name: String, mut table: Table, context: &Context) -> Option<Package> {
    let audience = table.required("audience", "\"remote-users\"");
    let audience = audience.and_then(|text| context.audiences.resolve(context.report, text));
    let format = table.parsed("format", format).unwrap_or(PackageFormat::Zip);
    // An image is of a disk, and so is what Microsoft Mail installs; anything else is one only where the file says so.
    let is_disk = format == PackageFormat::Img || context.has_postoffice;
    let medium = table.word("medium", &MEDIA).or(is_disk.then_some(Medium::M1_44));
    let source = source(&mut table, context);
    let place = table.place();
    table.finish();
    Some(Package { name, audience: audience?, format, medium, source: source?, place })
}

fn format(text: &str) -> Result<PackageFormat, Finding> {
    value::one_of("format", text, &FORMATS)?.ok_or_else(|| {
        let cause = "format = \"link\" needs the confirm page, which this build does not have yet";
        Finding::error("not-available", cause, "use zip, img or files, which travel as attachments")
    })
}

fn source(table: &mut Table, context: &Context) -> Option<PackageSource> {
    table.require("source", "\"collected\", \"recipe\" or \"command\"");
    let way = table.word("source", &WAYS);
    let from = table.text("from");
    let argv: Vec<String> = table.texts("command").into_iter().map(|text| text.value).collect();
    let way = way?;
    let fits = match way {
        Way::Collected => argv.is_empty(),
        Way::Recipe => argv.is_empty() && from.is_some(),
        Way::Command => !argv.is_empty() && from.as_ref().is_none_or(|from| from.at.origin == Origin::Playbook),
    };
    if !fits {
        let cause = "source, from and command of the package do not fit together";
        let remedy = "collected (a folder of each person's own files) and recipe (one folder of files and templates for everybody) \
                      want from = \"FOLDER\"; command runs a program for each person (command = [\"program\", \"{person}\", \
                      \"{out}\"])";
        table.complain(Finding::error("contradiction", cause, remedy));
        return None;
    }
    if matches!(way, Way::Collected) && from.is_none() && !context.has_postoffice {
        let cause = "source = \"collected\" takes what lies in a folder, and the package names none";
        let remedy = "add from = \"credentials\": a folder in which each person has a folder, or files, of their id";
        table.complain(Finding::error("missing-key", cause, remedy));
        return None;
    }
    let from = || from.as_ref().map_or_else(|| context.disks.clone(), |text| context.path(text));
    Some(match way {
        Way::Collected => PackageSource::Collected { from: from() },
        Way::Recipe => PackageSource::Recipe { from: from() },
        Way::Command => PackageSource::Command { argv },
    })
}
