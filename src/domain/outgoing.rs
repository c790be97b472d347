//! Text on its way to GitHub.
//!
//! Promises (threats N1, I1, I2, I4): (1) a text knows the least visible
//! repository it draws on, and is refused at a place that more people see;
//! (2) what comes from a repository stands in a code span, shortened, with
//! control and direction characters shown; there is no other way in; (3)
//! titles, branches and commit subjects have a small alphabet; (4) a file is
//! only ever written to a path of a closed list.

use std::fmt::{self, Write as _};

use super::{
    finding::RuleId,
    own_file::{self, OwnFile},
    repository::{Files, Listing, Visibility},
    untrusted::shown,
};

/// The most characters GitHub is sent as one body (its own limit is 65,536).
pub const MAX_BODY: usize = 60_000;

/// Markdown text, and the visibility of the least visible repository whose
/// facts are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicText {
    text: String,
    drawn_from: Visibility,
}

/// A text would tell more people than may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a text drawn from a {} repository was about to be written to a {} place",
    drawn_from.as_str(), place.as_str())]
pub struct TooPublic {
    drawn_from: Visibility,
    place: Visibility,
}

impl PublicText {
    /// An empty text about a repository of this visibility.
    #[must_use]
    pub fn about(visibility: Visibility) -> PublicText {
        PublicText { text: String::new(), drawn_from: visibility }
    }

    /// Adds words of our own. What is not known at compile time goes through
    /// [`PublicText::code`], [`PublicText::number`] or [`PublicText::link`].
    #[must_use]
    pub fn say(mut self, words: &'static str) -> Self {
        self.text.push_str(words);
        self
    }

    /// Adds untrusted text as a code span of at most 200 characters, longer
    /// than any run of backticks in it.
    #[must_use]
    pub fn code(mut self, untrusted: &str) -> Self {
        self.text.push_str(&code_span(untrusted));
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        let _ = write!(self.text, "{number}");
        self
    }

    /// Adds a link with a label of our own. An address that is not plain
    /// `https` (or `http` on loopback, for the sandbox) leaves only the label.
    #[must_use]
    pub fn link(mut self, label: &'static str, address: &str) -> Self {
        if is_plain_address(address) {
            let _ = write!(self.text, "[{label}]({address})");
        } else {
            self.text.push_str(label);
        }
        self
    }

    /// Adds a sentence of the judge or of the policy. Its code spans are made
    /// anew, all other Markdown in it is made plain.
    #[must_use]
    pub fn sentence(mut self, sentence: &str) -> Self {
        let mut rest = sentence;
        while let Some((before, inner, after)) = first_code_span(rest) {
            push_plain(&mut self.text, before);
            self.text.push_str(&code_span(inner));
            rest = after;
        }
        push_plain(&mut self.text, rest);
        self
    }

    /// Adds untrusted text for a place that shows text as it is, such as the
    /// message of an annotation: one line of at most 1,000 characters.
    #[must_use]
    pub fn verbatim(mut self, untrusted: &str) -> Self {
        const MOST: usize = 1_000;
        let shown = shown(untrusted);
        self.text.extend(shown.chars().take(MOST));
        if shown.chars().nth(MOST).is_some() {
            self.text.push('…');
        }
        self
    }

    /// Adds the text of a file, to be copied: as a code block longer than any
    /// run of backticks in it, with control and direction characters shown.
    #[must_use]
    pub fn block(mut self, file: &str) -> Self {
        let longest = file.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        let lines: Vec<_> = file.trim_end().lines().map(shown).collect();
        let _ = write!(self.text, "{fence}text\n{}\n{fence}\n", lines.join("\n"));
        self
    }

    /// Adds the place for people's own words, with what stands in it in the
    /// text that this one replaces at the same place.
    #[must_use]
    pub fn human(mut self, before: Option<&str>) -> Self {
        let kept = before.map(human).unwrap_or_default();
        let _ = write!(self.text, "{HUMAN}{kept}{HUMAN_END}\n\n");
        self
    }

    /// Whether it is longer than Muster sends.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.text.chars().count() > MAX_BODY
    }

    /// Adds another text; the result is as visible as the less visible one.
    #[must_use]
    pub fn join(mut self, other: &PublicText) -> Self {
        self.text.push_str(&other.text);
        self.drawn_from = self.drawn_from.min(other.drawn_from);
        self
    }

    /// Adds one line that was made for this purpose and signed (the marker).
    #[must_use]
    pub(super) fn marker(mut self, line: &str) -> Self {
        self.text.push_str(line);
        self
    }

    /// The text, if everyone who sees `place` may see what it draws on.
    ///
    /// # Errors
    /// [`TooPublic`] otherwise: the last guard before the socket.
    pub fn for_place(&self, place: Visibility) -> Result<&str, TooPublic> {
        if self.drawn_from < place {
            return Err(TooPublic { drawn_from: self.drawn_from, place });
        }
        Ok(&self.text)
    }

    /// The text for a terminal of someone who may see everything.
    #[must_use]
    pub fn for_operator(&self) -> &str {
        &self.text
    }
}

/// Between these, a text of ours is people's own (etiquette 4.2).
const HUMAN: &str = "<!-- muster:human -->\n";
const HUMAN_END: &str = "<!-- /muster:human -->";

/// What people wrote between the marks, all of it, line ends as we write them.
/// Without an end it goes on to the last line, which is the marker.
fn human(body: &str) -> String {
    let body = body.replace("\r\n", "\n");
    let mut rest = body.trim_end().rsplit_once('\n').map_or("", |(before_marker, _)| before_marker);
    let mut kept = String::new();
    while let Some((_, inside)) = rest.split_once(HUMAN.trim_end()) {
        let (words, after) = inside.split_once(HUMAN_END).unwrap_or((inside, ""));
        let words = words.trim_matches('\n');
        if !words.is_empty() {
            kept.push_str(words);
            kept.push('\n');
        }
        rest = after;
    }
    kept
}

fn is_plain_address(address: &str) -> bool {
    let plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '(' | ')' | '<' | '>' | '[' | ']' | '"' | '`' | '\\');
    let scheme = address.starts_with("https://")
        || address.starts_with("http://127.0.0.1")
        || address.starts_with("http://localhost");
    scheme && address.len() <= 2_000 && address.chars().all(plain)
}

/// A code span that holds `untrusted`, whatever it is.
#[must_use]
pub fn code_span(untrusted: &str) -> String {
    let mut inner: String = shown(untrusted).chars().take(200).collect();
    if inner.chars().count() == 200 {
        inner.push('…');
    }
    // Inside a table GitHub splits cells before it reads code spans.
    let inner = inner.replace('|', "\\|");
    let longest = inner.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if inner.is_empty() || inner.starts_with('`') || inner.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{inner}{pad}{fence}")
}

/// Splits at the first code span: what is before, in, and after it.
fn first_code_span(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find('`')?;
    let fence = text[start..].chars().take_while(|c| *c == '`').count();
    let inner = &text[start + fence..];
    let mut from = 0;
    while let Some(at) = inner[from..].find('`') {
        let end = from + at;
        let run = inner[end..].chars().take_while(|c| *c == '`').count();
        if run == fence {
            let content = &inner[..end];
            let unpadded = content.strip_prefix(' ').and_then(|c| c.strip_suffix(' ')).unwrap_or(content);
            return Some((&text[..start], unpadded, &inner[end + run..]));
        }
        from = end + run;
    }
    None
}

/// Untrusted words as Markdown that only says them, for a file of ours; the
/// rules of [`PublicText::sentence`].
#[must_use]
pub fn plain(untrusted: &str) -> String {
    let mut out = String::with_capacity(untrusted.len());
    push_plain(&mut out, untrusted);
    out
}

/// Writes prose so that Markdown, HTML, mentions and references in it stay
/// text: every character that could begin one is escaped.
fn push_plain(out: &mut String, text: &str) {
    for c in shown(text).chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            // A zero-width joiner would be invisible; an entity is not a
            // mention, a reference or a link scheme to GitHub.
            '@' => out.push_str("&#64;"),
            '#' => out.push_str("&#35;"),
            _ => out.push(c),
        }
    }
}

/// A title, branch or commit subject: letters, digits and ` ._/,:()-` only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line(String);

impl Line {
    /// A line of at most 250 characters of the small alphabet; what does not
    /// belong to it is left out.
    #[must_use]
    pub fn of(text: &str) -> Line {
        let fits = |c: &char| c.is_ascii_alphanumeric() || " ._/,:()-".contains(*c);
        Line(text.chars().filter(fits).take(250).collect())
    }

    /// The line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The paths a pull request of ours may add: nothing a repository, a template
/// or an answer says can lead anywhere else (threats I4).
pub const TARGET_PATHS: [&str; 6] = [
    "LICENSE",
    "README.md",
    "CONTRIBUTING.md",
    ".github/CONTRIBUTING.md",
    "docs/CONTRIBUTING.md",
    own_file::PATH,
];

/// The paths of the inventory, in the repository that has agreed to hold it.
pub const INVENTORY_PATHS: [&str; 2] = ["agency-index.json", "code.json"];

/// A file to add; `code.json` alone may replace one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// One of [`TARGET_PATHS`].
    pub path: &'static str,
    /// Its text, with `\n` line ends.
    pub text: String,
    /// The rule that asks for it.
    pub rule: RuleId,
    /// Whether a person has to fill in something.
    pub draft: bool,
    /// More, of `code.json`.
    pub own: Option<Box<OwnFile>>,
}

impl NewFile {
    /// Whether it takes the place of one that is there.
    #[must_use]
    pub fn replaces(&self) -> bool {
        self.own.as_ref().is_some_and(|own| own.over.is_some())
    }
}

/// Why a file cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathRefused {
    /// Not a path of the closed list.
    #[error("{0} is not a path Muster writes")]
    NotATarget(String),
    /// Something stands there already, perhaps in another spelling.
    #[error("{} is there already", shown(.0))]
    Taken(String),
    /// The folder is not a folder, or could not be read.
    #[error("the folder of {0} could not be read, or is no folder")]
    Folder(String),
    /// The file it was made from is another one by now.
    #[error("{0} is not as it was read")]
    Moved(String),
}

/// Checks that a file may be written to a repository with these files: added,
/// or, `code.json` alone, in place of the very file it was made from.
///
/// # Errors
/// [`PathRefused`] says why not.
pub fn may_write(file: &NewFile, files: &Files) -> Result<(), PathRefused> {
    let Some(over) = file.own.as_ref().and_then(|own| own.over.as_ref()) else {
        return may_add(file.path, files);
    };
    if file.path != own_file::PATH {
        return Err(PathRefused::NotATarget(file.path.to_owned()));
    }
    if files.unread("").is_some() {
        return Err(PathRefused::Folder(file.path.to_owned()));
    }
    let mut same = files.in_folder("").filter(|entry| fold(&entry.path) == fold(file.path));
    match (same.next(), same.next()) {
        (Some(entry), None)
            if entry.path == file.path
                && entry.kind == super::repository::EntryKind::File
                && entry.oid.as_ref() == Some(over) =>
        {
            Ok(())
        }
        (Some(_) | None, _) => Err(PathRefused::Moved(file.path.to_owned())),
    }
}

/// Checks that `path` may be added to a repository with these files.
///
/// # Errors
/// [`PathRefused`] says why not.
pub fn may_add(path: &str, files: &Files) -> Result<(), PathRefused> {
    if !TARGET_PATHS.contains(&path) {
        return Err(PathRefused::NotATarget(path.to_owned()));
    }
    let (folder, _) = path.rsplit_once('/').unwrap_or(("", path));
    if !folder.is_empty() {
        // The parent must be a tree, or nothing at all under any spelling.
        match files.folders.get("") {
            Some(Listing::Entries(root)) => {
                let same = root.iter().filter(|entry| fold(&entry.path) == fold(folder));
                for entry in same {
                    if entry.path != folder || entry.kind != super::repository::EntryKind::Folder {
                        return Err(PathRefused::Folder(path.to_owned()));
                    }
                }
            }
            Some(Listing::Absent | Listing::Unread(_)) | None => {
                return Err(PathRefused::Folder(path.to_owned()));
            }
        }
    }
    match files.folders.get(folder) {
        Some(Listing::Entries(entries)) => match entries.iter().find(|e| fold(&e.path) == fold(path)) {
            Some(entry) => Err(PathRefused::Taken(entry.path.clone())),
            None => Ok(()),
        },
        Some(Listing::Absent) => Ok(()),
        Some(Listing::Unread(_)) | None => Err(PathRefused::Folder(path.to_owned())),
    }
}

/// Names that a file system without case, or with composed letters, takes for
/// one (CVE-2014-9390).
fn fold(path: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    path.nfc().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::repository::{Entry, EntryKind};

    #[test]
    fn a_text_is_refused_where_more_people_see_it() {
        let text =
            PublicText::about(Visibility::Public).say("See ").join(&PublicText::about(Visibility::Internal));
        assert!(text.for_place(Visibility::Public).is_err());
        assert_eq!(text.for_place(Visibility::Internal), Ok("See "));
        assert_eq!(text.for_place(Visibility::Private), Ok("See "));
    }

    #[test]
    fn a_code_span_holds_whatever_is_put_in() {
        assert_eq!(code_span("LICENSE"), "`LICENSE`");
        assert_eq!(code_span("a`b``c"), "```a`b``c```");
        assert_eq!(code_span("`"), "`` ` ``");
        assert_eq!(code_span("a|b"), "`a\\|b`");
        assert!(code_span("a\nb\u{202e}").contains("\\u{"));
        assert!(code_span(&"x".repeat(10_000)).chars().count() < 210);
    }

    #[test]
    fn prose_from_the_judge_cannot_mention_link_or_close() {
        let text = PublicText::about(Visibility::Public)
            .sentence("<!-- muster:v1 --> @octocat closes #1 ![x](http://e) [a](b) **b**");
        let mut html = String::new();
        pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(text.for_operator()));
        assert!(
            !html.contains("<!--")
                && !html.contains("<img")
                && !html.contains("<a ")
                && !html.contains("<strong")
        );
        assert!(!text.for_operator().contains('@') && !text.for_operator().contains("closes #"));
    }

    #[test]
    fn a_link_goes_to_a_plain_address_or_is_not_one() {
        let link = |address: &str| PublicText::about(Visibility::Public).link("policy", address).text;
        assert_eq!(link("https://github.com/a/b"), "[policy](https://github.com/a/b)");
        for bad in
            ["javascript:alert(1)", "https://x/)[evil](https://y", "http://evil.example", "https://x/ y"]
        {
            assert_eq!(link(bad), "policy", "{bad}");
        }
    }

    #[test]
    fn a_line_keeps_its_small_alphabet() {
        assert_eq!(Line::of("Add $(rm -rf /): a\nb [skip ci] `x`").as_str(), "Add (rm -rf /): ab skip ci x");
    }

    #[test]
    fn a_sentence_keeps_its_code_spans_and_nothing_else() {
        let sentence = |text: &str| PublicText::about(Visibility::Public).sentence(text).text;
        assert_eq!(sentence("`a*b` is *empty*."), "`a*b` is \\*empty\\*.");
        assert_eq!(sentence("`` ` `` and `"), "`` ` `` and \\`");
    }

    #[test]
    fn what_people_wrote_between_the_marks_is_kept() {
        let rewritten = |before: &str| PublicText::about(Visibility::Public).human(Some(before)).text;
        let nothing = "<!-- muster:human -->\n<!-- /muster:human -->\n\n";
        assert_eq!(rewritten("Our words.\n\n<!-- muster:v1 x -->\n"), nothing);
        assert_eq!(rewritten(&format!("Our words.\n\n{nothing}<!-- muster:v1 x -->\n")), nothing);
        let mine = "<!-- muster:human -->\r\nWe *wait* for\r\n\r\ncounsel.\r\n<!-- /muster:human -->";
        let kept = "<!-- muster:human -->\nWe *wait* for\n\ncounsel.\n<!-- /muster:human -->\n\n";
        let body = format!("Ours.\r\n{mine}\r\nOurs.\r\n<!-- muster:v1 x -->\r\n");
        assert_eq!(rewritten(&body), kept);
        // Once more changes nothing.
        assert_eq!(rewritten(&format!("Ours.\n{kept}<!-- muster:v1 x -->\n")), kept);
        // Without an end, the marker is still ours.
        let open = "Ours.\n<!-- muster:human -->\nMine.\n\n<!-- muster:v1 x -->\n";
        assert_eq!(rewritten(open), "<!-- muster:human -->\nMine.\n<!-- /muster:human -->\n\n");
        let two = format!("{mine}\nOurs.\n{}\n<!-- muster:v1 x -->", mine.replace("counsel", "Bob"));
        assert!(rewritten(&two).contains("counsel.\nWe") && rewritten(&two).contains("Bob."));
    }

    #[test]
    fn a_block_holds_whatever_is_put_in() {
        let block = |text: &str| PublicText::about(Visibility::Public).block(text).text;
        assert_eq!(block("a\nb\n"), "```text\na\nb\n```\n");
        assert!(block("```\n</details>").starts_with("````text\n"));
        assert!(block("a\u{202e}b\r\nc").contains("\\u{202e}"));
    }

    fn files(root: &[(&str, EntryKind)]) -> Files {
        let entries = root.iter().map(|(path, kind)| Entry {
            path: (*path).into(),
            kind: *kind,
            oid: None,
            size: None,
        });
        let mut files = Files::default();
        files.folders.insert(String::new(), Listing::Entries(entries.collect()));
        for folder in [".github", "docs"] {
            files.folders.insert(folder.into(), Listing::Absent);
        }
        files
    }

    #[test]
    fn a_file_is_added_only_at_a_free_path_of_the_list() {
        let free = files(&[("src", EntryKind::Folder)]);
        for path in TARGET_PATHS {
            assert_eq!(may_add(path, &free), Ok(()), "{path}");
        }
        for path in [
            ".github/workflows/x.yml",
            "../LICENSE",
            "/LICENSE",
            ".git/config",
            ".GitHub/CONTRIBUTING.md",
            "license",
        ] {
            assert!(matches!(may_add(path, &free), Err(PathRefused::NotATarget(_))), "{path}");
        }
        for (name, kind) in [("license", EntryKind::File), ("LICENSE", EntryKind::Link)] {
            assert!(matches!(may_add("LICENSE", &files(&[(name, kind)])), Err(PathRefused::Taken(_))));
        }
        for (name, kind) in
            [(".github", EntryKind::Link), (".GitHub", EntryKind::Folder), (".github", EntryKind::File)]
        {
            let refused = may_add(".github/CONTRIBUTING.md", &files(&[(name, kind)]));
            assert!(matches!(refused, Err(PathRefused::Folder(_))), "{name}");
        }
    }
}
