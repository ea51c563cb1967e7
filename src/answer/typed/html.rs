//! HTML made into plain lines, quoted parts marked with `>` as in plain text. Nothing is interpreted beyond that:
//! no style sheet, no script, no link.

/// Elements that stand on lines of their own.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "br",
    "tr",
    "table",
    "li",
    "ul",
    "ol",
    "h1",
    "h2",
    "h3",
    "h4",
    "hr",
    "blockquote",
    "pre",
    "section",
    "article",
    "header",
    "footer",
    "body",
    "dt",
    "dd",
];
/// Elements whose content nobody sees.
const UNSEEN: &[&str] = &["script", "style", "head", "title", "noscript", "template"];
/// Elements without content.
const VOID: &[&str] = &["br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "wbr"];
/// How mail programs mark what is quoted: the element and all in it.
const QUOTED: &[&str] = &[
    "gmail_quote",
    "yahoo_quoted",
    "moz-cite-prefix",
    "protonmail_quote",
    "gmail_extra",
    "zmail_extra",
    "tutanota_quote",
    "mailru-blockquote",
    "ms-outlook-mobile-reference-message",
    "quoted-text",
];
/// … and where everything that follows is quoted: Outlook's border above the old header, Hotmail, Zimbra.
const QUOTED_FROM_HERE: &[&str] = &[
    "divrplyfwdmsg",
    "appendonsend",
    "stopspelling",
    "zwchr",
    "olk_src_body_section",
    "outlookmessageheader",
    "mail-editor-reference-message-container",
    "border-top:solid #e1e1e1 1.0pt",
    "border-top:solid #b5c4df 1.0pt",
    "border-top:1pt solid #e1e1e1",
];
const SIGNATURES: &[&str] =
    &["gmail_signature", "moz-signature", "ms-outlook-mobile-signature", "protonmail_signature_block"];
/// Deeper than this nothing is told apart any more.
const DEPTH: usize = 200;

/// What an open element means for the text in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Plain,
    Quoted,
    Unseen,
}

pub(super) fn lines(html: &str) -> String {
    let mut page = Page::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        page.text(&rest[..at]);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        // A `<` that begins no tag is text.
        let begins = |c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?');
        if !rest[1..].starts_with(begins) {
            page.text("<");
            rest = &rest[1..];
            continue;
        }
        let Some(end) = rest.find('>') else { break };
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        page.tag(tag);
        if let Some(name) = page.raw.take() {
            let close = format!("</{name}");
            rest = find_ignoring_case(rest, &close).map_or("", |at| &rest[at..]);
        }
    }
    page.text(rest);
    page.finish()
}

#[derive(Default)]
struct Page {
    out: String,
    line: String,
    open: Vec<(String, Inside)>,
    quoted_from_here: bool,
    /// The element just opened whose content is no HTML.
    raw: Option<String>,
}

impl Page {
    fn inside(&self, what: Inside) -> bool {
        self.open.iter().any(|(_, inside)| *inside == what)
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() || self.inside(Inside::Unseen) {
            return;
        }
        let preformatted = self.open.iter().any(|(name, _)| name == "pre");
        let text = unescape(text);
        for (n, line) in text.split('\n').enumerate() {
            if n > 0 && preformatted {
                self.break_line();
            } else if n > 0 {
                self.blank();
            }
            for c in line.chars() {
                match c {
                    '\u{200B}'..='\u{200D}' | '\u{FEFF}' | '\u{AD}' => {}
                    c if c.is_whitespace() => self.blank(),
                    c => self.line.push(c),
                }
            }
        }
    }

    fn blank(&mut self) {
        if !self.line.is_empty() && !self.line.ends_with(' ') {
            self.line.push(' ');
        }
    }

    fn tag(&mut self, tag: &str) {
        let closing = tag.starts_with('/');
        let body = tag.trim_start_matches('/');
        let name: String =
            body.chars().take_while(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect();
        if BLOCKS.contains(&name.as_str()) {
            self.break_line();
        }
        if closing {
            if let Some(at) = self.open.iter().rposition(|(open, _)| *open == name) {
                self.open.truncate(at);
            }
            return;
        }
        let attributes = body[name.len()..].to_ascii_lowercase();
        let marked = |marks: &[&str]| marks.iter().any(|mark| attributes.contains(mark));
        if marked(QUOTED_FROM_HERE) {
            self.quoted_from_here = true;
        }
        let invisible = marked(&["display:none", "display: none", "font-size:0", "visibility:hidden"]);
        let inside = match name.as_str() {
            // Gmail wraps a forwarded or quoted message, and sometimes the whole answer, in gmail_extra: not that one.
            name if UNSEEN.contains(&name) || invisible => Inside::Unseen,
            "blockquote" => Inside::Quoted,
            _ if marked(QUOTED) && !attributes.contains("gmail_extra") => Inside::Quoted,
            _ if marked(SIGNATURES) => Inside::Quoted,
            _ => Inside::Plain,
        };
        if matches!(name.as_str(), "script" | "style" | "title") && !tag.ends_with('/') {
            self.raw = Some(name.clone());
        }
        if !VOID.contains(&name.as_str()) && !tag.ends_with('/') && self.open.len() < DEPTH {
            self.open.push((name, inside));
        }
    }

    fn break_line(&mut self) {
        let quoted = self.quoted_from_here || self.inside(Inside::Quoted);
        let line = std::mem::take(&mut self.line);
        let line = line.trim();
        if quoted {
            self.out.push_str("> ");
        }
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn finish(mut self) -> String {
        self.break_line();
        self.out
    }
}

fn find_ignoring_case(text: &str, word: &str) -> Option<usize> {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    memchr::memchr_iter(word[0], text)
        .find(|at| text[*at..].get(..word.len()).is_some_and(|s| s.eq_ignore_ascii_case(word)))
}

/// The character references that mail programs write (HTML 5 section 13.5), and every number.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|c| c == b';');
        match end.and_then(|end| reference(&rest[1..end]).map(|c| (c, end))) {
            Some((c, end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let hex = number.strip_prefix(['x', 'X']);
        let value = hex.map_or_else(|| number.parse().ok(), |digits| u32::from_str_radix(digits, 16).ok())?;
        return char::from_u32(value);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" | "rsquo" | "lsquo" => '\'',
        "nbsp" | "ensp" | "emsp" => ' ',
        "shy" => '\u{AD}',
        "ndash" | "mdash" | "minus" => '-',
        "hellip" => '…',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "eacute" => 'é',
        "Eacute" => 'É',
        "egrave" => 'è',
        "ecirc" => 'ê',
        "agrave" => 'à',
        "aacute" => 'á',
        "acirc" => 'â',
        "ccedil" => 'ç',
        "iacute" => 'í',
        "oacute" => 'ó',
        "ocirc" => 'ô',
        "uacute" => 'ú',
        "ntilde" => 'ñ',
        "atilde" => 'ã',
        "otilde" => 'õ',
        "aring" => 'å',
        "aelig" => 'æ',
        "oslash" => 'ø',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_sees_in_lines_and_what_is_quoted_marked() {
        let text = lines(
            "<html><head><title>x</title><style>p{a:b}</style></head><body><p>Hello&nbsp;you &amp; me</p>\
            <div>1 &lt; 2<br>two</div><blockquote><p>old</p></blockquote><span style=\"display:none\">unseen</span>end</body>",
        );
        let seen: Vec<&str> = text.lines().filter(|line| !line.trim_matches(['>', ' ']).is_empty()).collect();
        assert_eq!(seen, ["Hello you & me", "1 < 2", "two", "> old", "end"]);
    }

    #[test]
    fn every_way_of_quoting() {
        for html in [
            "mine<div class=\"gmail_quote\"><div>On x wrote:</div><b>theirs</b></div>",
            "mine<hr id=\"stopSpelling\">theirs",
            "<p>mine</p><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt'><p>theirs</p></div><p>theirs</p>",
            "mine<div id=appendonsend></div><div>theirs</div>",
            "mine<div class=\"yahoo_quoted\" id=\"yahoo_quoted_1\">theirs</div>",
        ] {
            let text = lines(html);
            for line in text.lines().filter(|line| line.contains("theirs")) {
                assert!(line.starts_with('>'), "{html}\n{text}");
            }
            assert!(text.lines().any(|line| line == "mine"), "{html}\n{text}");
        }
    }

    #[test]
    fn broken_html_is_text() {
        for html in ["<", "a < b", "<p", "&#xFFFFFFFF;", "<script>never closed", "</div></div>", "&;&&amp", "<!-- open"]
        {
            lines(html);
        }
        assert_eq!(lines("a < b").trim(), "a < b");
        assert_eq!(lines(&"<div>".repeat(10_000)).trim(), "");
    }
}
