//! Lines broken at words, for a terminal that would cut them anywhere. Where nobody looks on they stay whole.

use std::iter::repeat_n;

/// Less room than this is no column of text any more.
const LEAST: usize = 20;

/// Each line no wider than `width`: what does not fit goes on under the text of its line, or beside a command under the
/// words about it. A command in backticks is not torn apart, and neither is a word.
pub fn wrapped(text: &str, width: Option<usize>) -> String {
    let Some(width) = width else { return text.to_owned() };
    text.split_inclusive('\n').map(|line| broken(line, width, 0, hang(line, width))).collect()
}

/// One line, of which `taken` columns are printed already; it goes on `hang` columns from the left.
pub fn broken(line: &str, width: usize, taken: usize, hang: usize) -> String {
    let mut text = String::new();
    let (mut rest, mut taken) = (line, taken);
    while taken + columns(rest.trim_end()) > width {
        let Some(at) = last_gap(rest, width.saturating_sub(taken)).or_else(|| first_gap(rest)) else { break };
        text += rest[..at].trim_end();
        text.push('\n');
        text.extend(repeat_n(' ', hang));
        rest = rest[at..].trim_start_matches(' ');
        taken = hang;
    }
    text + rest
}

/// Where the text of a line begins: behind its indentation, or behind a column that two blanks set off.
fn hang(line: &str, width: usize) -> usize {
    let indent = columns(line) - columns(line.trim_start_matches(' '));
    let body = line.trim_start_matches(' ');
    let second = body.find("  ").map(|gap| {
        let behind = body[gap..].trim_start_matches(' ');
        columns(line) - columns(behind)
    });
    second.filter(|at| at + LEAST <= width).unwrap_or(indent)
}

/// The byte at the last gap between words within so many columns.
fn last_gap(line: &str, columns: usize) -> Option<usize> {
    gaps(line).take_while(|(column, _)| *column <= columns).last().map(|(_, at)| at)
}

fn first_gap(line: &str) -> Option<usize> {
    gaps(line).next().map(|(_, at)| at)
}

/// The gaps at which a line may be broken, by column and byte: none before its first word, none inside of backticks.
fn gaps(line: &str) -> impl Iterator<Item = (usize, usize)> {
    let (mut begun, mut quoted) = (false, false);
    line.trim_end().char_indices().enumerate().filter_map(move |(column, (at, c))| {
        quoted ^= c == '`';
        begun |= c != ' ';
        (c == ' ' && begun && !quoted).then_some((column, at))
    })
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_words_under_their_text() {
        for (text, told) in [
            ("short enough\nand this too\n", "short enough\nand this too\n"),
            ("  no mail comes in or goes out today\n", "  no mail comes in or\n  goes out today\n"),
            ("  go  x y\n", "  go  x y\n"),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bb", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nbb"),
            ("then run `flagday cutover --yes` again", "then run\n`flagday cutover --yes`\nagain"),
            ("Grüße aus München und Köln", "Grüße aus München und\nKöln"),
        ] {
            assert_eq!(wrapped(text, Some(24)), told);
            assert_eq!(wrapped(text, None), text);
        }
        assert_eq!(
            wrapped("  flagday status   shows what is next; it only looks", Some(40)),
            "  flagday status   shows what is next;\n                   it only looks"
        );
        assert_eq!(
            wrapped("  flagday status   shows what is next", Some(30)),
            "  flagday status   shows what\n  is next"
        );
    }

    #[test]
    fn columns_that_are_taken_count() {
        assert_eq!(broken("one two three", 12, 6, 2), "one\n  two three");
    }
}
