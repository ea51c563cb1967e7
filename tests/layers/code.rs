//! A source file as the rules see it: its code without comments, texts and tests, on the lines where it stood.

/// One file below `src/`.
pub struct Source {
    /// Below `src/`, with forward slashes.
    pub path: String,
    /// As written.
    pub text: String,
    /// Without comments and the insides of literals, and without the test module at the end; same lines.
    pub code: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        let tests_only = path.ends_with("/tests.rs") || path.contains("/tests/");
        let code = if tests_only { String::new() } else { without_tests(&blank(text)).to_owned() };
        Source { path: path.to_owned(), text: text.to_owned(), code }
    }

    /// The top folder of the pipeline it belongs to: `gate` for `gate/mod.rs`, `system` for `system.rs`.
    pub fn room(&self) -> &str {
        let top = self.path.split('/').next().unwrap_or_default();
        top.strip_suffix(".rs").unwrap_or(top)
    }

    /// How many `super::` lead from the file's own module to the root of the crate.
    pub fn depth(&self) -> usize {
        self.path.split('/').count() - usize::from(self.path.ends_with("/mod.rs"))
    }

    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(n, line)| (n + 1, line))
    }

    /// The line of a byte position in `code`.
    pub fn line_of(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }
}

/// The test module stands last in a file (clippy's `items_after_test_module` holds that).
fn without_tests(code: &str) -> &str {
    let start = code.match_indices("#[cfg(test)]").find(|(at, marker)| {
        let after = code[at + marker.len()..].trim_start();
        let at = |c| after.find(c).unwrap_or(usize::MAX);
        after.starts_with("mod ") && at('{') < at(';')
    });
    start.map_or(code, |(at, _)| &code[..at])
}

/// Comments and the insides of literals become blanks; line breaks stay.
fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (keep, length) = token(rest, out.chars().next_back(), c);
        let (token, after) = rest.split_at(length);
        if keep {
            out.push_str(token);
        } else {
            out.extend(token.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        rest = after;
    }
    out
}

/// Whether the next token is code, and its length in bytes.
fn token(rest: &str, before: Option<char>, first: char) -> (bool, usize) {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        return (false, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (false, block_comment(rest));
    }
    if first == '"' {
        return (false, quoted(rest));
    }
    if !in_word && let Some(length) = raw_string(rest) {
        return (false, length);
    }
    if first == '\''
        && let Some(length) = character(rest)
    {
        return (false, length);
    }
    (true, first.len_utf8())
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = body.bytes().take_while(|byte| *byte == b'#').count();
    let inner = body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = rest.len() - inner.len();
    Some(inner.find(&end).map_or(rest.len(), |at| start + at + end.len()))
}

/// A character literal, as opposed to a lifetime.
fn character(rest: &str) -> Option<usize> {
    let inner = &rest[1..];
    let mut chars = inner.chars();
    match chars.next()? {
        '\\' => inner[2..].find('\'').map(|at| 1 + 2 + at + 1),
        c => chars.as_str().starts_with('\'').then(|| 1 + c.len_utf8() + 1),
    }
}

#[test]
fn texts_comments_and_tests_are_no_code() {
    let text = r####"
use crate::gate; // crate::cli
/* crate::cli /* crate::web */ crate::cli */
const A: &str = "crate::cli \" crate::cli";
const B: &str = r#"crate::cli " "#; const C: char = '"'; const D: &'static str = ""; const E: char = '\'';
fn after() { crate::campaign::f() }
#[cfg(test)]
mod tests { use crate::cli; }
"####;
    let code = Source::new("engine/tick.rs", text).code;
    assert!(code.contains("use crate::gate;") && code.contains("crate::campaign::f()"), "{code}");
    assert!(!code.contains("cli") && !code.contains("web"), "{code}");
}

#[test]
fn a_test_module_in_its_own_file_hides_nothing_after_it() {
    let source = Source::new("gate/mod.rs", "#[cfg(test)]\nmod tests;\nuse crate::cli;\nfn f() {}\n");
    assert!(source.code.contains("use crate::cli;"));
}
