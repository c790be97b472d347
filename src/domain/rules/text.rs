//! What the rules read out of prose: words and headings.

/// How many words a reader sees: runs with a letter or digit, without what
/// stands in HTML comments, tags and link targets of Markdown.
pub(super) fn count_words(text: &str) -> usize {
    visible(text).split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

/// The longest tag or link target that is left out, in bytes: a bound that keeps
/// the work linear.
const ASIDE: usize = 2_000;
/// The most headings that are looked at.
const HEADINGS: usize = 10_000;

/// Leaves out `<!-- … -->`, `<…>` and `](…)`; unclosed ones stay.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // Where comments end is searched to the end of the text only as long as
    // that finds something.
    let mut comments_end = true;
    while let Some(at) = rest.find(['<', ']']) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        let near = &tail[..tail.floor_char_boundary(ASIDE)];
        let end = if tail.starts_with("<!--") {
            let end = if comments_end { tail.find("-->") } else { None };
            comments_end = end.is_some();
            end.map(|end| end + "-->".len())
        } else if tail.starts_with("](") {
            near.find([')', '\n']).filter(|end| near[*end..].starts_with(')')).map(|end| end + 1)
        } else if tail.starts_with('<')
            && tail[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        {
            // `a < b` is prose, `<b>` is not.
            near.find('>').map(|end| end + 1)
        } else {
            None
        };
        let (shown, end) = end.map_or((&tail[..1], 1), |end| (" ", end));
        out.push_str(shown);
        rest = &tail[end..];
    }
    out.push_str(rest);
    out
}

/// The headings of Markdown (`#`, underlined), reStructuredText, AsciiDoc (`=`)
/// and Org (`*`), and HTML's on one line, as [`plain`] text.
pub(super) fn headings(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    for (at, line) in lines.iter().enumerate() {
        let line = line.trim();
        match fence {
            Some(open) if line.starts_with(open) => {
                fence = None;
                continue;
            }
            Some(_) => continue,
            None => {
                fence = ["```", "~~~"].into_iter().find(|mark| line.starts_with(mark));
                if fence.is_some() {
                    continue;
                }
            }
        }
        let marked = ['#', '=', '*'].iter().find_map(|mark| {
            let title = line.trim_start_matches(*mark);
            let depth = line.len() - title.len();
            // `*` alone also begins a list: Org's headings are not indented,
            // and a list item is not called "License".
            ((1..=6).contains(&depth) && title.starts_with([' ', '\t'])).then_some(title)
        });
        let underlined = || {
            let under = lines.get(at + 1).map(|next| next.trim())?;
            let mark = under.chars().next().filter(|mark| "=-~^*+#".contains(*mark))?;
            (under.len() >= 3 && under.chars().all(|c| c == mark) && !line.is_empty()).then_some(line)
        };
        let html = || line.starts_with("<h").then_some(line);
        if let Some(title) = marked.or_else(underlined).or_else(html) {
            found.push(plain(title));
        }
        if found.len() == HEADINGS {
            break;
        }
    }
    found
}

/// Lower-case words with single spaces between: `## 4. How to *Contribute*`
/// becomes `how to contribute`.
pub(super) fn plain(title: &str) -> String {
    let words: Vec<String> = visible(title)
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty() && !word.chars().all(|c| c.is_ascii_digit()))
        .map(str::to_lowercase)
        .collect();
    words.join(" ")
}

/// Sections that mean the same, by what agencies and templates call them.
const SYNONYMS: &[&[&str]] = &[
    &[
        "description",
        "about",
        "about the project",
        "overview",
        "introduction",
        "project description",
        "summary",
        "what is this",
        "purpose",
    ],
    &[
        "installation",
        "install",
        "installing",
        "setup",
        "set up",
        "getting started",
        "quick start",
        "quickstart",
        "local development",
    ],
    &[
        "usage",
        "use",
        "using",
        "how to use",
        "examples",
        "example",
        "quick start",
        "quickstart",
        "getting started",
    ],
    &[
        "contributing",
        "contribute",
        "contributions",
        "how to contribute",
        "contribution",
        "contributing guidelines",
        "getting involved",
    ],
    &[
        "license",
        "licence",
        "licensing",
        "licenses",
        "copyright",
        "public domain",
        "copyright and license",
        "license and copyright",
    ],
    &["contact", "contacts", "support", "help", "getting help", "feedback", "questions", "maintainers"],
    &[
        "security",
        "security policy",
        "reporting a vulnerability",
        "reporting security issues",
        "vulnerability disclosure",
    ],
    &["requirements", "prerequisites", "dependencies", "building dependencies"],
    &["tests", "testing", "running tests", "running the tests", "test", "testing conventions"],
    &[
        "pull requests",
        "writing pull requests",
        "submitting pull requests",
        "submitting changes",
        "sending a change",
    ],
    &["issues", "writing issues", "reporting issues", "reporting bugs", "bug reports", "filing issues"],
];

/// Whether one of the headings is the section `wanted`: the same words, one of
/// its synonyms, or a longer title that begins or ends with it.
pub(super) fn has_section(headings: &[String], wanted: &str) -> bool {
    let wanted = plain(wanted);
    if wanted.is_empty() {
        return true;
    }
    let means = |name: &str| {
        headings.iter().any(|heading| {
            heading == name
                || heading.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '))
                || heading.strip_suffix(name).is_some_and(|rest| rest.ends_with(' '))
        })
    };
    means(&wanted)
        || SYNONYMS
            .iter()
            .filter(|group| group.contains(&wanted.as_str()))
            .any(|group| group.iter().any(|name| headings.iter().any(|heading| heading == name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_a_reader_sees() {
        for (text, count) in [
            ("", 0),
            ("one two", 2),
            ("# one *two* --- ***", 2),
            ("one <!-- not these four words --> two", 2),
            ("[one](https://example.gov/a) two", 2),
            ("<p align=\"center\">one</p> two", 2),
            ("a < b and b > a", 5),
            ("unclosed <!-- three four", 3),
            ("概要 です", 2),
        ] {
            assert_eq!(count_words(text), count, "{text:?}");
        }
    }

    #[test]
    fn headings_of_many_markups_are_found() {
        for text in [
            "## How to contribute",
            "How to contribute\n---",
            "How to *Contribute*\n=====\ntext",
            "== How to contribute",
            "* How to contribute",
            "<h2>How to contribute</h2>",
            "\n  ### 4. [How to contribute](#x)",
        ] {
            assert!(
                headings(text).contains(&"how to contribute".to_owned()),
                "{text:?}: {:?}",
                headings(text)
            );
        }
        assert!(headings("```\n# not this\n```\ntext").is_empty());
        assert!(headings("#no-space").is_empty());
    }

    #[test]
    fn sections_are_known_under_their_other_names() {
        let has = |text: &str, wanted| has_section(&headings(text), wanted);
        assert!(has("# How to contribute", "Contributing"));
        assert!(has("## Public domain", "License"));
        assert!(has("# Policies and procedures", "Policies"));
        assert!(!has("# Policiesandmore", "Policies"));
        assert!(!has("text about a license", "License"));
    }
}
