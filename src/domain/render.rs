//! What Muster writes to people: titles and bodies, by the etiquette.
//!
//! Promises: (1) everything goes through [`PublicText`]; (2) a body has no
//! date and no count, so that it changes only when the findings do; (3) the
//! last line is the marker; (4) nobody is mentioned or assigned; (5) what
//! people wrote into the place for them, and what they ticked, stays.

use code_json::record::Field;

use super::{
    digest::Digest,
    finding::{Finding, FindingSet, FindingsHash, Outcome, Report, RuleId},
    letters::{self, own_file as say},
    marker::{Identity, Kind},
    outgoing::{Line, NewFile, PublicText},
    own_file::{OwnFile, questions},
    policy::Policy,
    repository::{Repository, Visibility},
    rules,
};

/// The title of the tracking issue: stable, since people search for it.
#[must_use]
pub fn tracking_title() -> Line {
    Line::of("Repository open source checklist")
}

/// The title of the digest issue.
#[must_use]
pub fn digest_title() -> Line {
    Line::of("Open source office digest")
}

/// The title of a pull request, and the subject of its commit.
#[must_use]
pub fn pull_request_title(kind: Kind, files: &[NewFile]) -> Line {
    let paths: Vec<&str> = files.iter().map(|file| file.path).collect();
    let what = match kind {
        Kind::License => LICENSE_TITLE,
        Kind::Files | Kind::Tracking | Kind::Digest => FILES_TITLE,
        Kind::Inventory => return super::inventory::letter::title(),
        Kind::CodeJson if files.iter().any(NewFile::replaces) => return Line::of(CODE_JSON_TITLES[1]),
        Kind::CodeJson => return Line::of(CODE_JSON_TITLES[0]),
    };
    Line::of(&format!("{what}: {}", paths.join(", ")))
}

const LICENSE_TITLE: &str = "Add a license";
const FILES_TITLE: &str = "Add missing open source files";
/// Where there is none, and where it is mended.
const CODE_JSON_TITLES: [&str; 2] = ["Add code.json", "Update code.json"];

/// Whether a title is as we write them: what a person chose instead stays.
#[must_use]
pub fn is_pull_request_title(title: &str) -> bool {
    [LICENSE_TITLE, FILES_TITLE].iter().any(|ours| title.starts_with(&format!("{ours}: ")))
        || CODE_JSON_TITLES.contains(&title)
}

/// Names in code spans.
fn listed<'t>(mut text: PublicText, names: impl IntoIterator<Item = &'t str>) -> PublicText {
    for (at, name) in names.into_iter().enumerate() {
        text = if at == 0 { text } else { text.say(", ") };
        text = text.code(name.trim_start_matches('/'));
    }
    text
}

/// A link to the policy in the organization's `.github` repository, which is
/// seen by whom `visibility` says; `site` is that repository's page.
#[must_use]
pub fn policy_page(visibility: Visibility, site: &str) -> PublicText {
    let page = format!("{site}/blob/HEAD/.github/muster.yml");
    PublicText::about(visibility).link(letters::POLICY_LABEL, &page)
}

/// What the tracking issue lists.
#[derive(Debug, Clone, Copy)]
pub struct Checklist<'a> {
    /// What the judge says.
    pub report: &'a Report,
    /// The findings.
    pub open: &'a [(RuleId, &'a Finding)],
    /// Those of them that a pull request of ours answers.
    pub covered: &'a FindingSet,
    /// Files that Muster may not propose, so that people add them themselves.
    pub offered: &'a [NewFile],
}

/// A file longer than this, in characters, is not offered in an issue.
const MAX_OFFERED: usize = 15_000;

/// One letter to the people of one repository.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// To whom.
    pub repository: &'a Repository,
    /// In whose name.
    pub policy: &'a Policy,
    /// The page of the policy.
    pub policy_page: Option<&'a PublicText>,
    /// Who we are.
    pub identity: &'a Identity,
}

impl Letter<'_> {
    fn blank(&self) -> PublicText {
        PublicText::about(self.repository.visibility)
    }

    /// The body of a pull request whose marker names `named`; `before` is the
    /// body it replaces.
    #[must_use]
    pub fn pull_request(
        &self,
        kind: Kind,
        files: &[NewFile],
        named: &FindingsHash,
        before: Option<&str>,
    ) -> PublicText {
        let mut text = match files.iter().find_map(|file| file.own.as_deref()) {
            Some(own) => self.about_own_file(own, before),
            None => self.about_files(kind, files, before),
        };
        text = text.say(letters::DECLINE_PULL_REQUEST).say(" ").say(letters::DECLINE_MEANS).say("\n\n");
        text = self.contact(text.say(letters::COMMITS_WELCOME).say("\n\n"));
        self.signed(text.human(before), kind, named)
    }

    /// What a pull request adds, and what has to be answered.
    fn about_files(&self, kind: Kind, files: &[NewFile], before: Option<&str>) -> PublicText {
        let opening = if kind == Kind::License { letters::LICENSE_OPENING } else { letters::FILES_OPENING };
        let mut text =
            self.why(self.blank().say(opening).say("\n\n")).say("\n\n").say(letters::FILES_TABLE_HEAD);
        for file in files {
            text = text.say("| ").code(file.path).say(" | ").say(rules::rule(file.rule).why).say(" |\n");
        }
        text = text.say("\n");
        self.questions(text, letters::QUESTIONS, files, kind == Kind::License, before)
    }

    /// What the pull request about `code.json` does, and what it asks.
    fn about_own_file(&self, own: &OwnFile, before: Option<&str>) -> PublicText {
        let opening = if own.over.is_some() { say::OPENING } else { say::OPENING_NEW };
        let mut text = self.blank().say(opening).say("\n\n");
        text = match self.policy_page {
            Some(page) if page.for_place(self.repository.visibility).is_ok() => {
                text.say(say::POLICY_ASKS).join(page).say(".")
            }
            Some(_) | None => text.say(say::POLICY_UNLINKED),
        };
        text = text.say("\n\n");
        if own.over.is_some() && !own.sets.is_empty() {
            text = listed(text.say(say::SETS), own.sets.iter().map(String::as_str)).say(".\n\n");
        }
        if !own.defaults.is_empty() {
            let defaults = own.defaults.iter().map(|field| field.pointer());
            text = listed(text.say(say::DEFAULTS), defaults).say(". ").say(say::DEFAULTS_CHANGE).say("\n\n");
        }
        if own.open.is_empty() {
            return text;
        }
        text = text.say(letters::QUESTIONS).say("\n\n").say(say::HOW).say("\n\n");
        text = questions::write(text, &own.open, before, self.policy);
        let asked: Vec<Field> = questions::asked(&own.open).collect();
        let later: Vec<&str> =
            own.open.iter().filter(|field| !asked.contains(field)).map(|field| field.pointer()).collect();
        if later.is_empty() { text } else { listed(text.say(say::LATER), later).say(".\n\n") }
    }

    /// The body of the tracking issue, whose marker names `named`; `before` is
    /// the body it replaces.
    #[must_use]
    pub fn tracking_issue(
        &self,
        list: &Checklist<'_>,
        named: &FindingsHash,
        before: Option<&str>,
    ) -> PublicText {
        let mut text = self.why(self.blank().say(letters::TRACKING_OPENING).say("\n\n")).say("\n\n");
        text = text.say(letters::TABLE_HEAD);
        for (rule, finding) in list.open {
            text =
                text.say("| ").say(rules::rule(*rule).title).say(" | ").sentence(&finding.summary).say(" | ");
            let offered = list.offered.iter().find(|file| file.rule == *rule);
            text = if list.covered.contains(*rule, finding.gap) {
                text.say(letters::ANSWERED)
            } else if let Some(file) = offered {
                let label = if file.replaces() { letters::OFFERED_CHANGE } else { letters::OFFERED };
                text.link(label, &self.new_file(file)).say(letters::OFFERED_BELOW)
            } else {
                text.sentence(&finding.remedy)
            };
            text = text.say(" |\n");
        }
        text = self.offers(text.say("\n"), list.offered, before);
        text = self.already_fine(text, list.report);
        text = text.say(letters::DECLINE_ISSUE).say(" ").say(letters::DECLINE_MEANS).say("\n\n");
        let text = self.contact(text);
        self.signed(text.human(before), Kind::Tracking, named)
    }

    /// The body of the digest issue; `before` is the body it replaces.
    #[must_use]
    pub fn digest_issue(&self, digest: &Digest, before: Option<&str>) -> PublicText {
        let text = self.contact(self.blank().join(&digest.text()));
        self.signed(text.human(before), Kind::Digest, &digest.named())
    }

    /// The files that Muster may not propose, folded, with their questions.
    fn offers(&self, mut text: PublicText, offered: &[NewFile], before: Option<&str>) -> PublicText {
        if offered.is_empty() {
            return text;
        }
        text = text.say(letters::OFFERED_WHY).say("\n\n");
        let license = offered.iter().any(|file| file.rule == RuleId::License);
        text = self.questions(text, letters::QUESTIONS_OFFERED, offered, license, before);
        for file in offered {
            text = text.say("<details><summary>").say(file.path).say("</summary>\n\n");
            text = match file.text.chars().count() {
                count if count > MAX_OFFERED => text.say(letters::OFFERED_TOO_LONG).say("\n"),
                _ => text.block(&file.text),
            };
            text = text.say("\n</details>\n\n");
        }
        text
    }

    /// GitHub's page for a new file at this path, or for changing the one that
    /// is there.
    fn new_file(&self, file: &NewFile) -> String {
        let branch = self.repository.head.as_ref().map_or("HEAD", |head| head.branch.as_str());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        let encode = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        let branch: String = branch.bytes().map(encode).collect();
        if file.replaces() {
            return format!("{}/edit/{branch}/{}", self.repository.url, file.path);
        }
        format!("{}/new/{branch}?filename={}", self.repository.url, file.path)
    }

    fn why(&self, text: PublicText) -> PublicText {
        match self.policy_page {
            Some(page) if page.for_place(self.repository.visibility).is_ok() => {
                text.say(letters::POLICY_ASKS).join(page).say(".")
            }
            Some(_) | None => text.say(letters::POLICY_UNLINKED),
        }
    }

    /// What a person has to answer; what was ticked in `before` stays ticked.
    fn questions(
        &self,
        mut text: PublicText,
        heading: &'static str,
        files: &[NewFile],
        license: bool,
        before: Option<&str>,
    ) -> PublicText {
        let asked = files.iter().filter(|file| file.draft).map(|file| match file.rule {
            RuleId::License => letters::QUESTION_HOLDER,
            RuleId::CodeJson => letters::QUESTION_FIELDS,
            RuleId::Readme | RuleId::Contributing => letters::QUESTION_PURPOSE,
        });
        let asked: Vec<&'static str> = asked.collect();
        if asked.is_empty() && !license {
            return text;
        }
        let ticked = |question: &str| {
            let done = [format!("- [x] {question}"), format!("- [X] {question}")];
            before.is_some_and(|before| before.lines().any(|line| done.iter().any(|d| d == line.trim_end())))
        };
        let box_of = |question: &str| if ticked(question) { "- [x] " } else { "- [ ] " };
        text = text.say(heading).say("\n\n");
        for question in asked {
            text = text.say(box_of(question)).say(question).say("\n");
        }
        if license {
            text = text.say(box_of(letters::QUESTION_ORIGIN)).say(letters::QUESTION_ORIGIN).say("\n");
            for origin in [letters::ORIGIN_EMPLOYEES, letters::ORIGIN_CONTRACTOR, letters::ORIGIN_MIXED] {
                text = text.say("  - ").say(origin).say("\n");
            }
        }
        text.say("\n")
    }

    fn already_fine(&self, mut text: PublicText, report: &Report) -> PublicText {
        let fine = report.judgements.iter().filter_map(|judgement| match &judgement.outcome {
            Outcome::Pass(evidence) => Some((judgement.rule, evidence)),
            Outcome::Fail(_) | Outcome::Waived { .. } | Outcome::Unknown { .. } => None,
        });
        let fine: Vec<_> = fine.collect();
        if fine.is_empty() {
            return text;
        }
        text = text.say("<details><summary>").say(letters::ALREADY_FINE).say("</summary>\n\n");
        for (rule, evidence) in fine {
            text =
                text.say("- ").say(rules::rule(rule).title).say(": ").sentence(&evidence.summary).say("\n");
        }
        text.say("\n</details>\n\n")
    }

    fn contact(&self, text: PublicText) -> PublicText {
        let contact = &self.policy.agency.contact;
        match (&contact.name, &contact.email) {
            (Some(name), Some(email)) => {
                text.say(letters::CONTACT).sentence(name).say(", ").code(email).say(".\n\n")
            }
            (None, Some(email)) => text.say(letters::CONTACT).code(email).say(".\n\n"),
            (Some(name), None) => text.say(letters::CONTACT).sentence(name).say(".\n\n"),
            (None, None) => text,
        }
    }

    fn signed(&self, text: PublicText, kind: Kind, named: &FindingsHash) -> PublicText {
        text.marker(&self.identity.marker(kind, self.repository.id, named)).say("\n")
    }
}
