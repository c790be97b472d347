use super::*;

/// Every text literal of the two files that ends like a sentence.
fn sentences() -> Vec<String> {
    let source = concat!(include_str!("../words.rs"), include_str!("../letters.rs"));
    // A quotation mark within a literal would end it here.
    let source = source.replace("\\\"", "");
    let code: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut found = Vec::new();
    for literal in code.join("\n").split('"').skip(1).step_by(2) {
        for sentence in literal.replace(". ", ".\n").lines() {
            if sentence.ends_with(['.', '?']) && sentence.contains(' ') {
                found.push(sentence.to_owned());
            }
        }
    }
    found
}

fn syllables(word: &str) -> usize {
    let word = word.to_ascii_lowercase();
    let vowels = word.chars().map(|c| "aeiouy".contains(c)).collect::<Vec<_>>();
    let groups =
        vowels.iter().enumerate().filter(|(at, vowel)| **vowel && (*at == 0 || !vowels[at - 1])).count();
    let silent = usize::from(word.ends_with('e') && !word.ends_with("le") && groups > 1);
    (groups - silent).max(1)
}

#[test]
fn sentences_are_short_and_plain() {
    let sentences = sentences();
    assert!(sentences.len() > 40, "only {} sentences found", sentences.len());
    let (mut words, mut sounds) = (0, 0);
    for sentence in &sentences {
        let parts: Vec<&str> =
            sentence.split_whitespace().filter(|part| part.chars().any(char::is_alphanumeric)).collect();
        assert!(parts.len() <= 20, "{} words: {sentence}", parts.len());
        words += parts.len();
        sounds += parts.iter().map(|part| syllables(part)).sum::<usize>();
    }
    // Flesch-Kincaid grade level.
    let grade = 0.39 * words as f64 / sentences.len() as f64 + 11.8 * sounds as f64 / words as f64 - 15.59;
    assert!(grade <= 8.0, "the sentences read at grade {grade:.1}");
}

#[test]
fn names_from_repositories_neither_act_nor_hide() {
    for (text, expected) in [
        ("README.md", "README.md"),
        ("docs/LICENSE-MIT", "docs/LICENSE-MIT"),
        ("", "\"\""),
        ("a b", "\"a b\""),
        ("@agency/team", "\"@agency/team\""),
        ("a\nb", r#""a\u{a}b""#),
        ("x\u{202e}dm", r#""x\u{202e}dm""#),
        ("<img src=x>", "\"<img src=x>\""),
    ] {
        assert_eq!(name(text), expected, "{text:?}");
    }
    assert!(name(&"x".repeat(5000)).chars().count() <= NAME_LIMIT + 3);
    assert_eq!(names(["a", "b", "c"]), "a, b and c");
    assert_eq!(names(["a", "b", "c", "d", "e", "f", "g"]), "a, b, c, d, e and 2 more");
}
