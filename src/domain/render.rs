//! What Muster writes to people: titles and bodies, by the etiquette.
//!
//! Promises: (1) everything goes through [`PublicText`]; (2) a body has no
//! date and no count, so that it changes only when the findings do; (3) the
//! last line is the marker; (4) nobody is mentioned or assigned.

use super::{
    finding::{Finding, FindingSet, Outcome, Report, RuleId},
    letters,
    marker::{Identity, Kind},
    outgoing::{Line, NewFile, PublicText},
    policy::Policy,
    repository::{Repository, Visibility},
    rules,
};

/// The title of the tracking issue: stable, since people search for it.
#[must_use]
pub fn tracking_title() -> Line {
    Line::of("Repository open source checklist")
}

/// The title of a pull request, and the subject of its commit.
#[must_use]
pub fn pull_request_title(kind: Kind, files: &[NewFile]) -> Line {
    let paths: Vec<&str> = files.iter().map(|file| file.path).collect();
    let what = if kind == Kind::License { "Add a license" } else { "Add missing open source files" };
    Line::of(&format!("{what}: {}", paths.join(", ")))
}

/// A link to the policy in the organization's `.github` repository, which is
/// seen by whom `visibility` says; `site` is that repository's page.
#[must_use]
pub fn policy_page(visibility: Visibility, site: &str) -> PublicText {
    let page = format!("{site}/blob/HEAD/.github/muster.yml");
    PublicText::about(visibility).link(letters::POLICY_LABEL, &page)
}

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

    /// The body of a pull request.
    #[must_use]
    pub fn pull_request(&self, kind: Kind, files: &[NewFile], findings: &FindingSet) -> PublicText {
        let opening = if kind == Kind::License { letters::LICENSE_OPENING } else { letters::FILES_OPENING };
        let mut text =
            self.why(self.blank().say(opening).say("\n\n")).say("\n\n").say(letters::FILES_TABLE_HEAD);
        for file in files {
            text = text.say("| ").code(file.path).say(" | ").say(rules::rule(file.rule).why).say(" |\n");
        }
        text = self.questions(text.say("\n"), kind, files);
        text = text.say(letters::DECLINE_PULL_REQUEST).say(" ").say(letters::DECLINE_MEANS).say("\n\n");
        text = self.contact(text.say(letters::COMMITS_WELCOME).say("\n\n"));
        self.signed(text, kind, findings)
    }

    /// The body of the tracking issue: the findings in `open`, of which those
    /// in `covered` are answered by a pull request of ours.
    #[must_use]
    pub fn tracking_issue(
        &self,
        report: &Report,
        open: &[(RuleId, &Finding)],
        covered: &FindingSet,
        findings: &FindingSet,
    ) -> PublicText {
        let mut text = self.why(self.blank().say(letters::TRACKING_OPENING).say("\n\n")).say("\n\n");
        text = text.say(letters::TABLE_HEAD);
        for (rule, finding) in open {
            text =
                text.say("| ").say(rules::rule(*rule).title).say(" | ").sentence(&finding.summary).say(" | ");
            text = if covered.contains(*rule, finding.gap) {
                text.say(letters::ANSWERED)
            } else {
                text.sentence(&finding.remedy)
            };
            text = text.say(" |\n");
        }
        text = self.already_fine(text.say("\n"), report);
        text = text.say(letters::DECLINE_ISSUE).say(" ").say(letters::DECLINE_MEANS).say("\n\n");
        let text = self.contact(text);
        self.signed(text, Kind::Tracking, findings)
    }

    fn why(&self, text: PublicText) -> PublicText {
        match self.policy_page {
            Some(page) if page.for_place(self.repository.visibility).is_ok() => {
                text.say(letters::POLICY_ASKS).join(page).say(".")
            }
            Some(_) | None => text.say(letters::POLICY_UNLINKED),
        }
    }

    fn questions(&self, mut text: PublicText, kind: Kind, files: &[NewFile]) -> PublicText {
        let asked = files.iter().filter(|file| file.draft).map(|file| match file.rule {
            RuleId::License => letters::QUESTION_HOLDER,
            RuleId::Readme | RuleId::Contributing | RuleId::CodeJson => letters::QUESTION_PURPOSE,
        });
        let asked: Vec<&'static str> = asked.collect();
        if asked.is_empty() && kind != Kind::License {
            return text;
        }
        text = text.say(letters::QUESTIONS).say("\n\n");
        for question in asked {
            text = text.say("- [ ] ").say(question).say("\n");
        }
        if kind == Kind::License {
            text = text.say("- [ ] ").say(letters::QUESTION_ORIGIN).say("\n");
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

    fn signed(&self, text: PublicText, kind: Kind, findings: &FindingSet) -> PublicText {
        text.marker(&self.identity.marker(kind, self.repository.id, &findings.hash())).say("\n")
    }
}
