//! The sentences people read: all of them, so that an agency's plain-language
//! editor reads them in one place.
//!
//! Promises: (1) every sentence has at most 20 words, and all together read at
//! grade 8 (Flesch-Kincaid); a test measures both; (2) a sentence says "you",
//! and what you can do; (3) what others wrote enters a sentence through
//! [`name`] or [`reason`] only, so a sentence is one line and hides nothing. Markdown in it
//! is made plain where it enters a body (`outgoing::PublicText::sentence`).

use std::borrow::Cow;

use super::untrusted;

/// The longest piece of untrusted text in a sentence, in characters (threats I1).
const NAME_LIMIT: usize = 200;

/// Text from a repository, fit to stand in a sentence: treacherous characters
/// written out, at most 200 characters, and in quotation marks unless it is
/// made of letters, digits, `.`, `-`, `_` and `/` only.
#[must_use]
pub fn name(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    if !text.is_empty() && text.len() <= NAME_LIMIT && text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let short: String = text.chars().take(NAME_LIMIT).collect();
    let cut = if short.len() < text.len() { "…" } else { "" };
    Cow::Owned(format!("\"{}{cut}\"", untrusted::shown(&short)))
}

/// Why something failed, in the words of the system or of GitHub: one line, at
/// most 200 characters.
fn reason(text: &str) -> String {
    let short: String = text.chars().take(NAME_LIMIT).collect();
    untrusted::shown(short.trim_end_matches('.')).into_owned()
}

/// `a`, `a and b`, `a, b and c`; each as [`name`] shows it, at most five.
#[must_use]
pub fn names<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    const MOST: usize = 5;
    let texts: Vec<&str> = texts.into_iter().collect();
    let mut shown: Vec<Cow<'_, str>> = texts.iter().take(MOST).map(|text| name(text)).collect();
    if texts.len() > MOST {
        shown.push(Cow::Owned(format!("{} more", texts.len() - MOST)));
    }
    match shown.split_last() {
        None => String::new(),
        Some((last, [])) => last.to_string(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Why a license is asked for.
pub const LICENSE_WHY: &str = "Without a license, nobody knows whether they may use your code.";
/// What to do where there is none.
pub const LICENSE_REMEDY: &str = "Add the text of your license to a file named LICENSE in the root.";
/// Why a README is asked for.
pub const README_WHY: &str = "A README tells people what your software does and whether they can use it.";
/// What to do where there is none.
pub const README_REMEDY: &str = "Add a file named README.md that says what your software does.";
/// Why a contribution file is asked for.
pub const CONTRIBUTING_WHY: &str =
    "A contribution file tells people how to report a problem or send a change.";
/// What to do where there is none.
pub const CONTRIBUTING_REMEDY: &str = "Add a file named CONTRIBUTING.md that says how people can take part.";
/// Why the inventory file is asked for.
pub const CODE_JSON_WHY: &str = "The code.json file puts your code in the agency's source code inventory.";
/// What to do where there is none.
pub const CODE_JSON_REMEDY: &str =
    "Add a file named code.json to the root, with a name, description, license and contact.";

/// Why a file could not be judged, or what a person might look at.
pub mod file {
    use super::{name, reason};

    /// A link is never followed.
    #[must_use]
    pub fn link(path: &str) -> String {
        format!("{} is a link, and Muster does not follow links.", name(path))
    }

    /// A submodule's content is another repository's.
    #[must_use]
    pub fn submodule(path: &str) -> String {
        format!("{} is a submodule, so its content is in another repository.", name(path))
    }

    /// Git LFS keeps the content elsewhere.
    #[must_use]
    pub fn lfs_pointer(path: &str) -> String {
        format!("{} is kept in Git LFS, and Muster reads only what is in git.", name(path))
    }

    /// The listing has it, but no text came with it.
    #[must_use]
    pub fn unread(path: &str, why: &str) -> String {
        format!("{} could not be read: {}.", name(path), reason(why))
    }

    /// Its folder could not be listed.
    #[must_use]
    pub fn folder_unread(folder: &str, why: &str) -> String {
        match folder {
            "" => format!("The root could not be read: {}.", reason(why)),
            folder => format!("The folder {} could not be read: {}.", name(folder), reason(why)),
        }
    }

    /// Two names that some file systems take for one.
    #[must_use]
    pub fn collision(one: &str, other: &str) -> String {
        format!(
            "{} and {} differ only in case, so it is unclear which one counts. Please keep one of them.",
            name(one),
            name(other)
        )
    }

    /// Not text.
    #[must_use]
    pub fn binary(path: &str) -> String {
        format!("{} is not a text file, so Muster cannot read it.", name(path))
    }

    /// Over the limit of what is read.
    #[must_use]
    pub fn too_large(path: &str, bytes: u64) -> String {
        format!("{} has {bytes} bytes, more than Muster reads.", name(path))
    }

    /// The organization's `.github` repository could not be read.
    #[must_use]
    pub fn defaults_unread(why: &str) -> String {
        format!("Your organization's .github repository could not be read: {}.", reason(why))
    }
}

/// Sentences of the rule `license`.
pub mod license {
    use super::{name, names};

    /// No license file, and no sign of one.
    pub const MISSING: &str = "There is no license file.";
    /// What to do where the license is known from elsewhere.
    #[must_use]
    pub fn add_text(id: &str) -> String {
        format!("Add the text of {} to a file named LICENSE in the root.", name(id))
    }
    /// No license file, but some file names a license.
    #[must_use]
    pub fn elsewhere_only(path: &str, id: Option<&str>) -> String {
        match id {
            Some(id) => format!("There is no license file; only {} names one ({}).", name(path), name(id)),
            None => format!("There is no license file; only {} speaks of a license.", name(path)),
        }
    }
    /// GitHub shows a license, but no file of that kind was found.
    #[must_use]
    pub fn github_only(id: &str) -> String {
        format!("GitHub shows {}, but there is no license file where people look.", name(id))
    }
    /// The only license files are empty.
    #[must_use]
    pub fn empty(path: &str) -> String {
        format!("The license file {} is empty.", name(path))
    }
    /// None of the licenses found is one the policy allows.
    #[must_use]
    pub fn not_allowed(ids: &[&str]) -> String {
        format!("Your agency's policy does not allow {}.", names(ids.iter().copied()))
    }
    /// What to do about a license the policy does not allow.
    #[must_use]
    pub fn choose(allowed: &[&str]) -> String {
        format!(
            "Ask your open source office before you change the license. The policy allows {}.",
            names(allowed.iter().copied())
        )
    }
    /// Some of the licenses found are not on the policy's list.
    #[must_use]
    pub fn partly_allowed(ids: &[&str]) -> String {
        format!("The policy does not list {}; please check that this is meant.", names(ids.iter().copied()))
    }
    /// Other text stands beside the license.
    #[must_use]
    pub fn other_text(path: &str, lines: &str) -> String {
        format!("{} has other text beside the license ({lines}); please check it.", name(path))
    }
    /// Much like a known license, but not word for word.
    #[must_use]
    pub fn nearest(path: &str, id: &str, percent: u32, lines: Option<&str>) -> String {
        match lines {
            Some(lines) => {
                format!(
                    "{} is {percent} % like {}, but differs in {lines}; please compare.",
                    name(path),
                    name(id)
                )
            }
            None => format!("{} is {percent} % like {}; please compare.", name(path), name(id)),
        }
    }
    /// Like no license known.
    #[must_use]
    pub fn unidentified(path: &str) -> String {
        format!("{} is like no license Muster knows; please check it.", name(path))
    }
    /// Too long to be compared.
    #[must_use]
    pub fn too_long(path: &str) -> String {
        format!("{} is too long to be compared with known licenses; please check it.", name(path))
    }
    /// It names files that are not there.
    #[must_use]
    pub fn points_nowhere(path: &str, files: &[String]) -> String {
        format!(
            "{} points to {}, which Muster did not find.",
            name(path),
            names(files.iter().map(String::as_str))
        )
    }
    /// GitHub's license line reads the root only.
    pub const NOT_SHOWN: &str = "GitHub looks for the license in the root, and will not show it from here.";
}

/// Sentences of the rule `readme`.
pub mod readme {
    use super::{name, names};

    /// None there.
    pub const MISSING: &str = "There is no README.";
    /// There, and empty.
    #[must_use]
    pub fn empty(path: &str) -> String {
        format!("{} is empty.", name(path))
    }
    /// There, and too short.
    #[must_use]
    pub fn too_short(path: &str, words: usize, wanted: u32) -> String {
        format!("{} has {}; the policy asks for at least {wanted}.", name(path), super::words(words))
    }
    /// What to do about a short one.
    pub const WRITE_MORE: &str =
        "Say in a few sentences what your software does, who it is for and how to start.";
    /// Sections are missing.
    #[must_use]
    pub fn sections(path: &str, missing: &[&str]) -> String {
        format!("{} has no heading for {}.", name(path), names(missing.iter().copied()))
    }
    /// What to do about missing sections.
    #[must_use]
    pub fn add_sections(missing: &[&str]) -> String {
        format!("Add a heading and some text for {}.", names(missing.iter().copied()))
    }
    /// Only translations are there.
    #[must_use]
    pub fn only_translated(path: &str) -> String {
        format!("GitHub may not show {} on your front page; it looks for README.md.", name(path))
    }
}

/// Sentences of the rule `contributing`.
pub mod contributing {
    use super::name;

    /// None there.
    pub const MISSING: &str = "There is no contribution file.";
    /// None there, and a private `.github` repository hands nothing down.
    pub const MISSING_DEFAULTS_PRIVATE: &str =
        "There is no contribution file, and a private .github repository lends none.";
    /// Only the organization's is there.
    pub const ONLY_INHERITED: &str =
        "Only your organization has a contribution file; the policy asks for one here.";
    /// The internal default cannot be read by outsiders.
    pub const OUTSIDERS: &str = "People outside your enterprise cannot open this file.";
    /// Why the organization's defaults are not known to a local check.
    pub const DEFAULTS_NOT_GIVEN: &str = "no checkout of it was named with --defaults";
    /// There, and empty.
    #[must_use]
    pub fn empty(path: &str) -> String {
        format!("The contribution file {} is empty.", name(path))
    }
}

/// Sentences of the rule `code-json`.
pub mod code_json {
    use ::code_json::document::{FaultKind, SlipKind};

    use super::{name, names, reason};

    /// The policy requires it, and it is not there.
    pub const MISSING: &str = "There is no code.json in the root.";
    /// What to do about a file that is no JSON.
    pub const CORRECT: &str = "Correct the file at this place.";
    /// Named otherwise.
    #[must_use]
    pub fn other_case(path: &str) -> String {
        format!("There is {}, but programs look for the name code.json.", name(path))
    }
    /// What to do about a name in other case.
    pub const RENAME: &str = "Rename the file to code.json, in small letters.";
    /// There, and empty.
    pub const EMPTY: &str = "The file code.json is empty.";
    /// What is wrong where the text cannot be understood any further, and what to
    /// do about it. The rest is in the words of the library, which quotes nothing
    /// of the file but brackets.
    #[must_use]
    pub fn fault(kind: &FaultKind) -> (String, String) {
        let fixed = |summary: &str, remedy: &str| (summary.to_owned(), remedy.to_owned());
        match kind {
            FaultKind::CutOff(..) | FaultKind::Empty => fixed(
                "The file ends before the last bracket is closed.",
                "Check that the file was saved whole.",
            ),
            FaultKind::Quote => fixed(
                "There is a single quote, but JSON texts stand in double quotes.",
                "Write double quotes.",
            ),
            FaultKind::TooDeep(_) => fixed(
                "The values are nested too deep to be read.",
                "Write a plain record, as the schema shows it.",
            ),
            // Its backslashes would be read as Markdown.
            FaultKind::Escape => fixed("There is an escape that JSON does not know.", CORRECT),
            FaultKind::TooLarge(_)
            | FaultKind::TooManyValues(_)
            | FaultKind::Utf16
            | FaultKind::NotUtf8(..)
            | FaultKind::OpenText
            | FaultKind::Number
            | FaultKind::BareKey
            | FaultKind::BareWord(_)
            | FaultKind::Expected(_)
            | FaultKind::WrongBracket(_)
            | FaultKind::AfterTheEnd => {
                (format!("This is not JSON: {}.", reason(&kind.message())), kind.remedy())
            }
        }
    }
    /// What is wrong with a text that can be understood all the same, and what to
    /// do about it; a byte order mark is only worth advice.
    #[must_use]
    pub fn slip(kind: &SlipKind) -> Option<(String, String)> {
        let (summary, remedy) = match kind {
            SlipKind::ByteOrderMark => return None,
            SlipKind::TrailingComma => {
                ("There is a comma after the last entry, which JSON does not allow.", "Remove this comma.")
            }
            SlipKind::MissingComma => ("A comma is missing at the end of the line.", "Write a comma."),
            SlipKind::Comment => ("There is a comment, which JSON does not allow.", "Remove the comment."),
            SlipKind::ControlCharacter => {
                ("A text holds a tab or another control character.", "Write a space, or escape it.")
            }
            SlipKind::LoneSurrogate => ("A text holds half of a character.", "Write the whole character."),
            SlipKind::DuplicateKey(key, ..) => {
                let summary =
                    format!("The key {} is there twice, and programs differ on which one counts.", name(key));
                return Some((summary, "Keep one of the two.".to_owned()));
            }
        };
        Some((summary.to_owned(), remedy.to_owned()))
    }
    /// The root is not a record.
    #[must_use]
    pub fn not_a_record(found: &str) -> String {
        format!("The file holds {found}, but every schema asks for one object.")
    }
    /// What to do about a list at the root.
    pub const ONE_RECORD: &str = "Write one object in braces, with the fields of this repository.";
    /// Fields are missing or empty.
    #[must_use]
    pub fn fields(missing: &[&str], place: &str) -> String {
        format!("{place} does not have {}.", names(missing.iter().copied()))
    }
    /// What to do about missing fields.
    #[must_use]
    pub fn add_fields(missing: &[&str]) -> String {
        format!("Fill in {}.", names(missing.iter().copied()))
    }
    /// The file says otherwise than the repository is.
    #[must_use]
    pub fn drift(fields: &[&str]) -> String {
        format!("The file does not agree with the repository about {}.", names(fields.iter().copied()))
    }
    /// What to do about that.
    #[must_use]
    pub fn drift_remedy(fields: &[&str]) -> String {
        format!("Correct {} in the file.", names(fields.iter().copied()))
    }
    /// A field is of another type.
    #[must_use]
    pub fn wrong_type(field: &str, wanted: &str) -> String {
        format!("The field {} must be {wanted}.", name(field))
    }
    /// What to do about a wrong type.
    #[must_use]
    pub fn write_as(wanted: &str) -> String {
        format!("Write {wanted}.")
    }
    /// A byte order mark.
    pub const BYTE_ORDER_MARK: &str = "The file begins with a byte order mark, which some programs refuse.";
    /// The shape of the first inventories.
    pub const PROJECTS: &str = "This is the old shape with projects; version 2 calls them releases.";
}

/// The inventory and its account.
pub mod inventory {
    use crate::domain::inventory::standing::Stands;

    /// The name of an entry that names nothing; a random id follows.
    pub const RESTRICTED_NAME: &str = "Restricted source code";
    /// Its description.
    pub const RESTRICTED_DESCRIPTION: &str =
        "This source code is not public. Federal employees can ask for access at the address of this entry.";
    /// A link, a folder or a submodule stands where the file should.
    pub const NOT_A_FILE: &str = "code.json is not a regular file";
    /// It is binary, or a pointer of Git LFS.
    pub const NOT_TEXT: &str = "code.json is not text";
    /// It is over the limit.
    pub const TOO_LARGE: &str = "code.json is too large to be read";
    /// Its text was not fetched.
    pub const NOT_READ: &str = "code.json was not read";
    /// Several of its records are about this repository.
    pub const SEVERAL_RECORDS: &str = "code.json describes this repository several times";
    /// The organization's own settings.
    pub const ORGANIZATION_HOME: &str = "the organization's settings, no code of its own";
    /// `inventory.private`, where it is `omit`.
    pub const PRIVATE_OMITTED: &str = "inventory.private: omit";
    /// Nothing was ever read of it.
    pub const NEVER_READ: &str = "it was not read yet";
    /// Its redacted entry has no random id yet.
    pub const NO_ID: &str = "only the server keeps the random ids of redacted entries";
    /// It waits for others to join with it.
    pub const NEXT_BATCH: &str = "joins the file with the next monthly batch";
    /// The import has what GitHub has.
    pub const IMPORTED_TWICE: &str = "inventory.import: also on GitHub";
    /// The import calls it private.
    pub const IMPORT_NOT_PUBLIC: &str = "inventory.import: not public";
    /// The file is something else.
    pub const IMPORT_OF_WHAT: &str =
        "it is no inventory: write a code.json, a list of GitLab's projects, or one of DOE CODE";
    /// What to do if a smaller import is right.
    pub const IMPORT_SHRANK: &str =
        "if that is right, write inventory.import anew, as with #2 after the address or another file name";
    /// It was not asked for yet.
    pub const IMPORT_NOT_READ: &str = "it was not read yet";
    /// An entry of an import has too much in it.
    #[must_use]
    pub fn import_too_large(number: usize, kib: usize) -> String {
        format!("entry {number} of the import is larger than {kib} KiB")
    }
    /// An entry of an import is something else.
    #[must_use]
    pub fn import_no_object(number: usize) -> String {
        format!("entry {number} of the import is not an object")
    }
    /// An entry of an import says nothing to know it by.
    #[must_use]
    pub fn import_nameless(number: usize) -> String {
        format!("entry {number} of the import has neither a name nor an address")
    }
    /// The last good import is used on.
    #[must_use]
    pub fn import_stale(since: &str, why: &str) -> String {
        format!("the import is used as it was read on {since}; since then it could not be: {why}")
    }
    /// `inventory.by` is `commit`, and the operator's file does not say so.
    pub const NOT_BY_COMMIT: &str = "the operator's file does not say by = \"commit\" for this agency";
    /// GitHub refuses the commit.
    pub const RULES_REFUSE: &str = "a rule or protection of the default branch refuses the commit";
    /// GitHub refuses the commit for something else.
    pub const COMMIT_REFUSED: &str = "GitHub refuses the commit; muster audit says why";
    /// GitHub refuses the pull request.
    pub const PULL_REQUEST_REFUSED: &str = "GitHub refuses the pull request; muster audit says why";
    /// Nobody agreed.
    pub const NOT_OPTED_IN: &str =
        "the repository has not opted in: add inventory: {agency: ACRONYM} to its .github/muster.yml";
    /// It is out of reach.
    pub const NOT_OURS: &str = "the App is not installed on the repository's organization for this agency";
    /// There is nothing to commit on, or it is read-only.
    pub const EMPTY_OR_ARCHIVED: &str = "the repository is empty or archived";
    /// A person has taken the pull request over.
    pub const IN_OTHER_HANDS: &str = "somebody else has committed to the pull request, so it is theirs";
    /// That could not be read.
    pub const HANDS_UNREAD: &str = "the pull request could not be read whole";
    /// Somebody stopped the writing.
    pub const PAUSED: &str = "writing is paused";
    /// How a file stands in the repository of the inventory.
    #[must_use]
    pub fn stands(stands: Stands) -> String {
        match stands {
            Stands::Same => "the default branch says what is published".to_owned(),
            Stands::Waits(number) => format!("pull request #{number} waits for its merge"),
            Stands::Behind => "an earlier one of ours stands there, and nothing is proposed".to_owned(),
            Stands::Absent => "it is not there, and nothing is proposed".to_owned(),
            Stands::Edited => "somebody has edited it there by hand".to_owned(),
        }
    }
    /// The public address answers with another file.
    pub const FETCHED_OTHER: &str = "another file came; a cache may keep an old one";
    /// The public address answers with a file without entries.
    pub const FETCHED_EMPTY: &str = "a file without entries came";
    /// The entry is held back.
    pub const LEAKS: &str = "it would tell what is not public";
    /// Two entries had one address.
    pub const SAME_ADDRESS: &str = "another entry has the same address: a fragment was added to both";
    /// Code was made public, and nothing says that somebody agreed.
    pub const NO_APPROVAL: &str = "No approval of the release is recorded. Ask who made it public. \
        If it should not be, make it private again and look at what was in it.";
    /// There is no estimate, or no newer one.
    #[must_use]
    pub fn uncounted(why: &str) -> String {
        format!("labor hours could not be counted: {why}; what was counted before stands")
    }
    /// The repository's file says nothing that can be used.
    #[must_use]
    pub fn broken_file(why: &str) -> String {
        format!("code.json is broken ({why}): what was known before is published")
    }
}

/// Sentences of the check run on a pull request. In Markdown, but for the title.
pub mod check {
    use super::name;

    /// The headline: what was found, counted.
    #[must_use]
    pub fn title(errors: u64, warnings: u64, hints: u64) -> String {
        let counted = [(errors, "error"), (warnings, "warning"), (hints, "hint")].map(|(count, word)| {
            let end = if count == 1 { "" } else { "s" };
            (count > 0).then(|| format!("{count} {word}{end}"))
        });
        let counted: Vec<String> = counted.into_iter().flatten().collect();
        if counted.is_empty() { "Nothing to correct".to_owned() } else { counted.join(", ") }
    }
    /// What it is about.
    pub const LOOKED: &str = "You change files that Muster reads for your agency. This is what it found.";
    /// The head of the table.
    pub const TABLE: &str = "| file | errors | warnings | hints |\n|---|---|---|---|\n";
    /// Where to look.
    pub const MARKED: &str = "You find each of them at its line, under **Files changed**.";
    /// There are more than are marked; a number follows.
    pub const MORE: &str = "There was no room to mark all of them. Left out: ";
    /// No more than the form was looked at.
    pub const FORM_ONLY: &str =
        "From a fork, or from someone who cannot write here, Muster looks at the form of files only.";
    /// The list of changed files is cut off.
    pub const MANY_FILES: &str =
        "GitHub names only the first 100 changed files. Muster compared its own with your default branch.";
    /// The file would go.
    pub const RECORD_REMOVED: &str = "You remove code.json, and your agency's policy asks for it.";
    /// The policy would go.
    pub const POLICY_REMOVED: &str =
        "You remove the policy. Without one, Muster only looks and writes nothing.";
    /// Something else stands there.
    #[must_use]
    pub fn no_file(path: &str) -> String {
        format!("{} is not a file.", name(path))
    }
    /// The headline if it failed.
    pub const COULD_NOT: &str = "Could not evaluate";
    /// Why that is no harm.
    pub const COULD_NOT_WHY: &str =
        "Muster could not check your files this time. This says nothing about them, and holds up nothing.";
}

/// `no words`, `1 word`, `212 words`.
#[must_use]
pub fn words(count: usize) -> String {
    match count {
        0 => "no words".to_owned(),
        1 => "1 word".to_owned(),
        count => format!("{count} words"),
    }
}

#[cfg(test)]
mod tests;
