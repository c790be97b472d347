//! Text that others wrote, made fit to be looked at.
//!
//! Promises: (1) what [`shown`] returns is one line: it moves no cursor, turns
//! no reading direction and hides nothing; (2) text without such characters
//! comes back as it was, uncopied (threats I1, I8, I12).

use std::{borrow::Cow, fmt::Write};

/// `text` with every character that a terminal obeys, that changes the reading
/// direction or that shows nothing written as `\u{…}`. It stays untrusted in
/// every other respect: Markdown, HTML and shells still read it.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_treacherous) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_treacherous(character) {
            write!(out, "\\u{{{:x}}}", u32::from(character)).expect("a String takes everything");
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// Whether a character does something other than show itself: controls (C0,
/// DEL, C1), line and paragraph separators, bidirectional controls, and the
/// default-ignorable characters of Unicode. The two selectors between text and
/// emoji style (U+FE0E, U+FE0F) are left: they change no reading.
#[must_use]
pub fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_or_hides_is_written_out() {
        for (text, expected) in [
            ("plain", "plain"),
            ("Überblick 概要 ❤\u{fe0f}", "Überblick 概要 ❤\u{fe0f}"),
            ("a\nb\tc\r", r"a\u{a}b\u{9}c\u{d}"),
            ("\u{1b}[31mred", r"\u{1b}[31mred"),
            ("\u{1b}]8;;https://x\u{7}", r"\u{1b}]8;;https://x\u{7}"),
            ("\u{9b}2J\u{7f}\0", r"\u{9b}2J\u{7f}\u{0}"),
            ("README\u{202e}dm", r"README\u{202e}dm"),
            ("\u{2066}x\u{2069}\u{200f}\u{61c}", r"\u{2066}x\u{2069}\u{200f}\u{61c}"),
            ("LI\u{200b}CEN\u{feff}SE\u{ad}", r"LI\u{200b}CEN\u{feff}SE\u{ad}"),
            ("\u{e0041}\u{2028}", r"\u{e0041}\u{2028}"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn harmless_text_is_not_copied() {
        assert!(matches!(shown("docs/README.md"), Cow::Borrowed("docs/README.md")));
    }

    proptest::proptest! {
        #[test]
        fn nothing_treacherous_is_left_and_showing_twice_changes_nothing(text: String) {
            let once = shown(&text).into_owned();
            proptest::prop_assert!(!once.chars().any(is_treacherous));
            proptest::prop_assert_eq!(shown(&once), once.as_str());
        }
    }
}
