//! The house rules, held by reading `src/`: which room imports which, what deciding code never knows, sizes and names.

mod code;
mod rules;

use code::Source;
use std::path::Path;
use std::sync::LazyLock;

/// Files and rooms that only decide. Add to it; a path that is gone fails.
const DECIDING: [&str; 19] = [
    "fault.rs",
    "campaign/model.rs",
    "campaign/schedule.rs",
    "campaign/steps.rs",
    "roster/person.rs",
    "msmail/serial.rs",
    "msmail/sizes.rs",
    "msmail/drain.rs",
    "msmail/drain/",
    "answer/",
    "package/code.rs",
    "package/floppy/",
    "package/archive/write.rs",
    "outbox/delivery.rs",
    "outbox/retry.rs",
    "outbox/reply.rs",
    "outbox/senders.rs",
    "gate/",
    "runbook/step.rs",
];

fn sources() -> &'static [Source] {
    static READ: LazyLock<Vec<Source>> = LazyLock::new(read);
    &READ
}

fn read() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).expect("src is readable") {
            let path = entry.expect("src is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).expect("below src").to_str().expect("UTF-8").replace('\\', "/");
                found.push(Source::new(&name, &fs_err::read_to_string(&path).expect("UTF-8")));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    let for_tests: Vec<String> = found.iter().flat_map(Source::test_modules).collect();
    found.into_iter().map(|source| source.without_modules(&for_tests)).collect()
}

/// Holds a rule for every source file, showing all complaints at once.
fn hold(rule: impl Fn(&Source) -> Vec<String>) {
    let complaints: Vec<String> = sources().iter().flat_map(rule).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn order() -> Vec<String> {
    let sources = sources();
    rules::rooms(sources.iter().find(|source| source.path == "lib.rs").expect("src/lib.rs"))
}

#[test]
fn a_room_imports_only_rooms_above_it() {
    let rooms = order();
    assert!(rooms.len() > 10 && rooms.first().is_some_and(|room| room == "fault"), "{rooms:?}");
    hold(|source| rules::imports(source, &rooms));
}

#[test]
fn deciding_code_knows_nothing_of_the_world() {
    for path in DECIDING {
        assert!(sources().iter().any(|source| source.path.starts_with(path)), "{path} is gone: correct DECIDING");
    }
    let decides = |source: &Source| DECIDING.iter().any(|path| source.path.starts_with(path));
    hold(|source| if decides(source) { rules::deciding(source) } else { Vec::new() });
}

#[test]
fn the_database_is_opened_in_the_ledger_alone() {
    hold(rules::kept);
}

#[test]
fn one_room_knows_the_operating_system() {
    hold(rules::portable);
}

#[test]
fn names_come_from_somewhere() {
    hold(rules::globs);
}

#[test]
fn files_are_short() {
    hold(rules::length);
}

#[test]
fn files_are_called_by_what_is_inside() {
    hold(rules::names_that_say_nothing);
}

mod a_broken_rule_is_found {
    use super::{Source, rules};

    fn rooms() -> Vec<String> {
        rules::rooms(&Source::new("lib.rs", "pub mod fault; // a\npub mod gate;\n\npub mod engine;\npub mod cli;\n"))
    }

    fn imports(path: &str, text: &str) -> Vec<String> {
        rules::imports(&Source::new(path, text), &rooms())
    }

    #[test]
    fn the_order_is_read_from_the_list() {
        assert_eq!(rooms(), ["fault", "gate", "engine", "cli"]);
    }

    #[test]
    fn imports_from_below_in_every_spelling() {
        for text in [
            "use crate::engine::Tick;",
            "fn f() { crate::cli::run() }",
            "use crate::{fault::Fault, engine};",
            "use crate::{fault::{Finding, Place}, engine::{a, b}};",
            "use crate::{\n    fault::Finding,\n    cli,\n};",
            "use super::super::engine;",
        ] {
            assert_eq!(imports("gate/verdict.rs", text).len(), 1, "{text}");
        }
        assert_eq!(imports("gate/mod.rs", "use super::engine;").len(), 1);
        assert_eq!(
            imports("gate/mod.rs", "\n\nuse crate::cli;"),
            ["gate/mod.rs:3: gate imports cli, which stands below it"]
        );
        assert_eq!(imports("attic/mod.rs", "").len(), 1);
    }

    #[test]
    fn imports_from_above_pass() {
        let text = "use crate::{fault::Fault, gate::{self, pass}};\nuse super::Tick;\nuse crate::engine::x;\nuse othercrate::cli;";
        assert_eq!(imports("engine/tick.rs", text), [""; 0]);
        assert_eq!(imports("main.rs", "use crate::cli;"), [""; 0]);
    }

    #[test]
    fn the_world_in_deciding_code() {
        for text in [
            "use fs_err as fs;",
            "let now = Utc::now();",
            "std::thread::spawn(f);",
            "use std::net::TcpStream;",
            "fn f(c: &rusqlite::Connection) {}",
            "use crate::system::World;",
            "async fn f() { tokio::spawn(g()); }",
        ] {
            assert_eq!(rules::deciding(&Source::new("gate/mod.rs", text)).len(), 1, "{text}");
        }
        assert_eq!(
            rules::deciding(&Source::new("gate/mod.rs", "use std::fs_like; // Utc::now\nlet tokio_like = 1;")),
            [""; 0]
        );
    }

    #[test]
    fn a_database_in_another_room() {
        let text = "use rusqlite::Connection;";
        assert_eq!(rules::kept(&Source::new("engine/tick.rs", text)).len(), 1);
        assert_eq!(rules::kept(&Source::new("ledger/sqlite/mod.rs", text)), [""; 0]);
    }

    #[test]
    fn a_system_in_another_room() {
        for text in [
            "use std::os::unix::fs::PermissionsExt;",
            "use fs_err::os::unix::fs::OpenOptionsExt;",
            "rustix::fs::fsync(file)?;",
            "#[cfg(unix)]",
            "#[cfg(target_os = \"linux\")]",
            "if cfg!(windows) {}",
        ] {
            assert!(!rules::portable(&Source::new("engine/tick.rs", text)).is_empty(), "{text}");
        }
        assert_eq!(rules::portable(&Source::new("platform/unix.rs", "use rustix::fs;")), [""; 0]);
    }

    #[test]
    fn globs_outside_tests() {
        assert_eq!(rules::globs(&Source::new("gate/mod.rs", "use super::*;")).len(), 1);
        assert_eq!(rules::globs(&Source::new("gate/mod.rs", "#[cfg(test)]\nmod tests { use super::*; }")), [""; 0]);
    }

    #[test]
    fn long_files_and_empty_names() {
        assert_eq!(rules::length(&Source::new("gate/mod.rs", &"\n".repeat(501))).len(), 1);
        assert_eq!(rules::length(&Source::new("gate/mod.rs", &"\n".repeat(500))), [""; 0]);
        for path in ["utils.rs", "gate/helpers.rs", "cli/common/mod.rs"] {
            assert_eq!(rules::names_that_say_nothing(&Source::new(path, "")).len(), 1, "{path}");
        }
        assert_eq!(rules::names_that_say_nothing(&Source::new("gate/commonwealth.rs", "")), [""; 0]);
    }
}
