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
        Source { path: path.to_owned(), text: text.to_owned(), code: without_tests(&blank(text)).to_owned() }
    }

    /// The modules it declares for tests alone, as paths below `src/` without `.rs`.
    pub fn test_modules(&self) -> Vec<String> {
        let stem = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        let folder = stem.strip_suffix("/mod").or(stem.strip_suffix("lib")).unwrap_or(stem);
        let files = modules_for_tests(&self.code).filter(|module| module.rest.starts_with(';'));
        files.map(|module| format!("{folder}/{}", module.name).trim_start_matches('/').to_owned()).collect()
    }

    /// Leaves no code when the file is, or lies in, one of these modules.
    pub fn without_modules(mut self, modules: &[String]) -> Source {
        let inside = |module: &String| {
            self.path.strip_prefix(module.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        if modules.iter().any(inside) {
            self.code.clear();
        }
        self
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
    let inline = modules_for_tests(code).find(|module| module.rest.starts_with('{'));
    inline.map_or(code, |module| &code[..module.attribute])
}

struct TestModule<'a> {
    /// Where its attribute stands.
    attribute: usize,
    name: &'a str,
    /// What follows the name.
    rest: &'a str,
}

/// Every `#[cfg(test)] mod name`, and `#[cfg(all(test, …))]` likewise.
fn modules_for_tests(code: &str) -> impl Iterator<Item = TestModule<'_>> {
    code.match_indices("#[cfg(").filter_map(|(attribute, marker)| {
        let (condition, item) = code[attribute + marker.len()..].split_once(")]")?;
        if condition != "test" && !condition.starts_with("all(test,") {
            return None;
        }
        let item = item.trim_start();
        let item = item.strip_prefix("pub(crate) ").or(item.strip_prefix("pub(super) ")).unwrap_or(item);
        let item = item.strip_prefix("mod ")?;
        let (name, rest) = item.split_at(item.find(|c: char| !c.is_alphanumeric() && c != '_')?);
        Some(TestModule { attribute, name, rest: rest.trim_start() })
    })
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
fn other_conditions_hide_nothing() {
    let code = |condition: &str| Source::new("a.rs", &format!("#[cfg({condition})]\nmod m {{ use super::*; }}")).code;
    assert_eq!(code("all(test, unix)"), "");
    assert!(code("not(test)").contains("super") && code("unix").contains("super"));
}

#[test]
fn a_test_module_in_its_own_file_hides_that_file_and_nothing_else() {
    let declaring = Source::new("gate/mod.rs", "#[cfg(test)]\nmod cases;\nuse crate::cli;\nfn f() {}\n");
    assert!(declaring.code.contains("use crate::cli;"));
    let modules = declaring.test_modules();
    assert_eq!(modules, ["gate/cases"]);
    let code = |path: &str| Source::new(path, "use crate::cli;").without_modules(&modules).code;
    assert_eq!((code("gate/cases.rs"), code("gate/cases/deep.rs")), (String::new(), String::new()));
    assert!(!code("gate/cases_of_use.rs").is_empty());
    assert_eq!(Source::new("gate/pass.rs", "#[cfg(test)]\nmod cases;").test_modules(), ["gate/pass/cases"]);
    assert_eq!(Source::new("lib.rs", "#[cfg(test)]\npub(crate) mod trees;").test_modules(), ["trees"]);
}
