//! The rules, a function each: a source file in, complaints out.

use super::code::Source;

/// What deciding code never knows: files, clocks, sockets, threads, programs, databases, chance.
const WORLD: [&str; 18] = [
    "fs_err",
    "std::fs",
    "SystemTime",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "std::thread",
    "std::process",
    "std::env",
    "tokio",
    "rusqlite",
    "getrandom",
    "tempfile",
    "crate::system",
];

/// Libraries that only one room may open.
const KEPT_IN: [(&str, &str); 1] = [("rusqlite", "ledger")];

/// What only one system has, and what asks which system it is.
const SYSTEMS: [&str; 13] = [
    "std::os",
    "os::unix",
    "os::windows",
    "rustix",
    "libc",
    "nix",
    "windows_sys",
    "winapi",
    "target_os",
    "cfg(unix",
    "cfg(windows",
    "cfg!(unix",
    "cfg!(windows",
];

const LINES: usize = 500;

/// The rooms in their order, as `src/lib.rs` lists them.
pub fn rooms(lib: &Source) -> Vec<String> {
    lib.code.lines().filter_map(|line| line.strip_prefix("pub mod ")?.split(';').next().map(str::to_owned)).collect()
}

/// A room imports only rooms above it, and names them from the root of the crate.
pub fn imports(source: &Source, rooms: &[String]) -> Vec<String> {
    let rank = |name: &str| rooms.iter().position(|room| room == name);
    let Some(own) = rank(source.room()) else {
        return if ["lib", "main"].contains(&source.room()) {
            Vec::new()
        } else {
            vec![format!("{}: no room of src/lib.rs", source.path)]
        };
    };
    let mut complaints = Vec::new();
    for (line, name) in named_rooms(source) {
        if name == "super" {
            complaints.push(format!("{}:{line}: reaches another room through `super`; write `crate::`", source.path));
        } else if rank(&name).is_some_and(|other| other > own) {
            complaints.push(format!("{}:{line}: {} imports {name}, which stands below it", source.path, source.room()));
        }
    }
    complaints
}

/// Every room that the code names, with its line; "super" where the path climbs to the root.
fn named_rooms(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, prefix) in source.code.match_indices("crate::") {
        let before = source.code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let after = &source.code[at + prefix.len()..];
        let names = match after.strip_prefix('{') {
            Some(group) => group_heads(group),
            None => vec![first_word(after)],
        };
        let line = source.line_of(at);
        found.extend(names.into_iter().map(|name| (line, name)));
    }
    let climb = "super::".repeat(source.depth());
    for (at, _) in source.code.match_indices(&climb) {
        // The one that begins a chain: `super::super::x` is found once.
        if !source.code[..at].ends_with("::") {
            found.push((source.line_of(at), "super".to_owned()));
        }
    }
    found
}

/// The first word of every entry of `{a::b, c::{d, e}, f}`, the opening brace already read.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut entry, mut heads) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                heads.push(first_word(group[entry..at].trim_start()));
                entry = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    heads
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Deciding code gets time and bytes as arguments.
pub fn deciding(source: &Source) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in source.lines() {
        for word in WORLD.iter().filter(|word| names(line, word)) {
            complaints.push(format!("{}:{number}: decides, and knows `{word}`", source.path));
        }
    }
    complaints
}

/// A library of one room stays there.
pub fn kept(source: &Source) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in source.lines() {
        for (library, room) in KEPT_IN {
            if source.room() != room && names(line, library) {
                complaints.push(format!("{}:{number}: `{library}` belongs to {room}", source.path));
            }
        }
    }
    complaints
}

/// What differs between systems is known in one room.
pub fn portable(source: &Source) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in source.lines().filter(|_| source.room() != "platform") {
        for word in SYSTEMS.iter().filter(|word| names(line, word)) {
            complaints.push(format!("{}:{number}: `{word}` belongs to platform", source.path));
        }
    }
    complaints
}

/// Whether a path stands in a line as words of their own.
fn names(line: &str, path: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(path)
        .any(|(at, _)| !word(line[..at].chars().next_back()) && !word(line[at + path.len()..].chars().next()))
}

/// `use super::*` outside tests hides where a name comes from.
pub fn globs(source: &Source) -> Vec<String> {
    let is_glob = |line: &str| line.contains("use super::*") || line.contains("use crate::*");
    let found = source.lines().filter(|(_, line)| is_glob(line));
    found.map(|(number, line)| format!("{}:{number}: {}", source.path, line.trim())).collect()
}

/// A file that grows splits by stage or verb.
pub fn length(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    if lines > LINES { vec![format!("{}: {lines} lines, {LINES} are the most", source.path)] } else { Vec::new() }
}

/// A name says what is inside.
pub fn names_that_say_nothing(source: &Source) -> Vec<String> {
    let nothing = ["utils", "util", "helpers", "helper", "common", "misc", "shared"];
    let mut parts = source.path.split('/').map(|part| part.strip_suffix(".rs").unwrap_or(part));
    parts
        .find(|part| nothing.contains(part))
        .map(|part| format!("{}: `{part}` says nothing", source.path))
        .into_iter()
        .collect()
}
