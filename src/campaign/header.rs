//! What a line of a letter's header can take of a name: the one limit of whoever reads names and whoever writes them.

/// The longest name of a person or a file, in bytes. Encoded, a longer one does not fit a line (RFC 5322 §2.1.1).
pub const LONGEST_NAME: usize = 200;

/// Line breaks and other control characters, and the marks that turn text around or break lines in Unicode.
pub fn is_unsafe_in_header(c: char) -> bool {
    c.is_control() || turns_direction(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Bidirectional controls (Unicode Standard Annex 9 §2) make a text read as another one.
pub fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
