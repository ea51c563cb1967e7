//! File names that whoever gets a package can keep: on a floppy disk those of DOS, up to eight characters, a dot, up to
//! three, capitals; else those of any system. No names of devices.

use crate::fault::Finding;

/// The characters besides letters and digits that every DOS takes in a name.
const SIGNS: &[u8] = b"!#$%&'()-@^_`{}~";

/// Names that DOS keeps for devices, with any extension.
const DEVICES: [&str; 5] = ["CON", "PRN", "AUX", "NUL", "CLOCK$"];

/// The name in capitals, when DOS can hold it. Blanks are legal in a directory but no DOS command can name such a
/// file, so they are refused, as is everything beyond ASCII: its capitals depend on the code page.
pub fn short(name: &str) -> Result<String, Finding> {
    let upper = name.to_ascii_uppercase();
    let (base, extension) = upper.split_once('.').unwrap_or((&upper, ""));
    let legal = |part: &str| part.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || SIGNS.contains(&c));
    let why = if base.is_empty() || base.len() > 8 || extension.len() > 3 || upper.ends_with('.') {
        "a DOS name has one to eight characters and an extension of up to three"
    } else if !legal(base) || !legal(extension) {
        "a DOS name holds letters, digits and ! # $ % & ' ( ) - @ ^ _ ` { } ~ only"
    } else if is_device(base) {
        "DOS takes that name for a device, whatever its extension"
    } else {
        return Ok(upper);
    };
    Err(Finding::error("package-name", format!("{name:?} is no file name for a DOS disk: {why}"), "rename the file"))
}

/// So long a name is still shown whole by mail programs.
const LONGEST: usize = 100;

/// The name as it is, when every system can hold it: Windows refuses more than others do. Signs beyond ASCII are
/// refused, because unzippers disagree about them.
pub fn long(name: &str) -> Result<String, Finding> {
    let base = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let legal = |c: u8| (c.is_ascii_graphic() || c == b' ') && !br#"/\:*?"<>|"#.contains(&c);
    let why = if name.is_empty() || name.len() > LONGEST {
        "it has to have 1 to 100 characters"
    } else if !name.bytes().all(legal) {
        "it may hold letters, digits, blanks and ASCII signs other than / \\ : * ? \" < > |"
    } else if name.starts_with(['.', ' ', '-']) || name.ends_with(['.', ' ']) {
        "it begins or ends with a sign that hides it or gets lost"
    } else if is_device(&base) {
        "Windows takes that name for a device, whatever its extension"
    } else {
        return Ok(name.to_owned());
    };
    Err(Finding::error(
        "package-name",
        format!("{name:?} is no file name that every system can hold: {why}"),
        "rename the file",
    ))
}

fn is_device(base: &str) -> bool {
    let numbered = base.len() == 4
        && (base.starts_with("COM") || base.starts_with("LPT"))
        && base.ends_with(|last: char| last.is_ascii_digit() && last != '0');
    numbered || DEVICES.contains(&base)
}

/// The name under which a recipient sees an artefact: letters and digits of the package's name, cut to eight, and the
/// extension. `init-disk` and `ZIP` make `INITDISK.ZIP`.
pub fn shown(package: &str, extension: &str) -> String {
    let base: String = package.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    let base = base.to_ascii_uppercase();
    if base.is_empty() || is_device(&base) { format!("PACKAGE.{extension}") } else { format!("{base}.{extension}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_postoffice_are_good() {
        for name in ["ACCESS.MAI", "TRANSFIL", "C850SORT.GLB", "COM0", "COM10.X", "LPT", "A-B_C~1.$$$", "CONNECT.GLB"] {
            assert_eq!(short(name).expect(name), name);
        }
        assert_eq!(short("rnetwork.glb").expect("small letters"), "RNETWORK.GLB");
    }

    #[test]
    fn everything_else_is_refused_with_the_reason() {
        for (name, why) in [
            ("", "one to eight"),
            ("LONGNAME9.TXT", "one to eight"),
            ("A.TEXT", "one to eight"),
            ("A.", "one to eight"),
            (".DS_Store", "one to eight"),
            ("A.B.C", "letters, digits"),
            ("..", "one to eight"),
            ("../A", "one to eight"),
            ("A/B", "letters, digits"),
            ("A\\B", "letters, digits"),
            ("C:A", "letters, digits"),
            ("A B", "letters, digits"),
            ("A\0", "letters, digits"),
            ("Ä", "letters, digits"),
            ("con", "device"),
            ("Nul.txt", "device"),
            ("COM1.GLB", "device"),
            ("lpt9", "device"),
            ("CLOCK$", "device"),
        ] {
            let cause = short(name).expect_err(name).cause;
            assert!(cause.contains(why), "{name}: {cause}");
        }
    }

    #[test]
    fn what_is_no_disk_may_have_a_name_of_any_system() {
        for name in ["ann.smith@corp.example.ovpn", "wg0.conf", "CA cert (2026).pem", "Makefile", "a-b_c~1.$$$"] {
            assert_eq!(long(name).expect(name), name);
        }
        let endless = "x".repeat(101);
        for name in
            ["", &endless, "a/b", "..", ".ssh", "-rf", "a:b", "x.", "x ", "NUL", "con.txt", "J\u{f6}rg.p12", "a\nb"]
        {
            assert!(long(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_recipient_sees_a_dos_name() {
        assert_eq!(shown("init-disk", "ZIP"), "INITDISK.ZIP");
        assert_eq!(shown("vpn-certificates", "IMG"), "VPNCERTI.IMG");
        assert_eq!(shown("con", "ZIP"), "PACKAGE.ZIP");
        assert_eq!(shown("---", "ZIP"), "PACKAGE.ZIP");
    }
}
