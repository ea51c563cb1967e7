//! Letters as ASCII, for mail systems that know nothing else.

use std::collections::BTreeSet;

/// The text in ASCII, and the characters that became a question mark. Line ends and tabs stay.
pub(super) fn to_ascii(text: &str) -> (String, BTreeSet<char>) {
    let mut lost = BTreeSet::new();
    let mut ascii = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else if let Some((_, plain)) = LETTERS.iter().find(|(letters, _)| letters.contains(c)) {
            ascii.push_str(plain);
        } else {
            ascii.push('?');
            lost.insert(c);
        }
    }
    (ascii, lost)
}

/// German umlauts as German typists write them; elsewhere the letter without its mark.
const LETTERS: &[(&str, &str)] = &[
    ("äæ", "ae"),
    ("ÄÆ", "Ae"),
    ("öøœ", "oe"),
    ("ÖØŒ", "Oe"),
    ("ü", "ue"),
    ("Ü", "Ue"),
    ("ß", "ss"),
    ("ẞ", "SS"),
    ("å", "aa"),
    ("Å", "Aa"),
    ("þ", "th"),
    ("Þ", "Th"),
    ("àáâãāăą", "a"),
    ("ÀÁÂÃĀĂĄ", "A"),
    ("çćĉċč", "c"),
    ("ÇĆĈĊČ", "C"),
    ("ďđð", "d"),
    ("ĎĐÐ", "D"),
    ("èéêëēĕėęě", "e"),
    ("ÈÉÊËĒĔĖĘĚ", "E"),
    ("ĝğġģ", "g"),
    ("ĜĞĠĢ", "G"),
    ("ĥħ", "h"),
    ("ĤĦ", "H"),
    ("ìíîïĩīĭįı", "i"),
    ("ÌÍÎÏĨĪĬĮİ", "I"),
    ("ĵ", "j"),
    ("Ĵ", "J"),
    ("ķ", "k"),
    ("Ķ", "K"),
    ("ĺļľŀł", "l"),
    ("ĹĻĽĿŁ", "L"),
    ("ñńņň", "n"),
    ("ÑŃŅŇ", "N"),
    ("òóôõōŏő", "o"),
    ("ÒÓÔÕŌŎŐ", "O"),
    ("ŕŗř", "r"),
    ("ŔŖŘ", "R"),
    ("śŝşšș", "s"),
    ("ŚŜŞŠȘ", "S"),
    ("ţťŧț", "t"),
    ("ŢŤŦȚ", "T"),
    ("ùúûũūŭůűų", "u"),
    ("ÙÚÛŨŪŬŮŰŲ", "U"),
    ("ŵ", "w"),
    ("Ŵ", "W"),
    ("ýÿŷ", "y"),
    ("ÝŸŶ", "Y"),
    ("źżž", "z"),
    ("ŹŻŽ", "Z"),
    ("‘’‚‹›′", "'"),
    ("“”„«»″", "\""),
    ("‐‑‒–—−", "-"),
    ("…", "..."),
    ("•·", "*"),
    ("\u{a0}\u{2007}\u{2009}\u{202f}", " "),
    ("\u{ad}\u{200b}\u{feff}", ""),
    ("€", "EUR"),
    ("£", "GBP"),
    ("×", "x"),
    ("→", "->"),
    ("№", "No."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_letters_are_spelled_and_others_are_named() {
        let (text, lost) = to_ascii("Jürgen Łukasz Ærø – “naïve”…\tδ 你\n");
        assert_eq!(text, "Juergen Lukasz Aeroe - \"naive\"...\t? ?\n");
        assert_eq!(lost.into_iter().collect::<String>(), "δ你");
    }

    #[test]
    fn the_table_is_ascii_on_one_side_and_says_each_letter_once() {
        let mut seen = BTreeSet::new();
        for (letters, plain) in LETTERS {
            assert!(plain.is_ascii());
            assert!(letters.chars().all(|c| !c.is_ascii() && seen.insert(c)), "{letters}");
        }
    }
}
