//! The digest issue in the control repository: what needs the agency's open
//! source office, said in one place (etiquette 4.0, 4.1, 4.6).
//!
//! Promises: (1) it names a repository only to people who may see it; the
//! others are counted, from five on (threats N1); (2) it says nothing of code
//! that was made public where everybody reads it (etiquette 4.4); (3) it changes
//! when what it says changes, and else once a week, so that its readers see
//! that Muster runs; (4) it repeats no sentence of GitHub's or of a file where
//! everybody reads it.

use jiff::{Span, Timestamp, ToSpan, civil::Date};

use super::{
    exemptions::report::FiscalYear,
    finding::{FindingSet, FindingsHash},
    letters::digest as say,
    outgoing::PublicText,
    repository::Visibility,
};

/// Repositories that not all readers may see are counted from this number on.
const TOLD_FROM: usize = 5;
/// So many of one sort are named.
const MOST: usize = 10;
/// The month in which the yearly report is due, on its last day (SHARE IT Act
/// §4(b)).
const REPORT_MONTH: i8 = 12;

/// What needs the office of one organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The organization.
    pub login: String,
    /// What needs it, the most pressing first.
    pub needs: Vec<Need>,
}

/// Something that a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// What.
    pub what: What,
    /// About what.
    pub told: Vec<Told>,
}

/// What a person has to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A newer policy file was not taken.
    PolicyRefused,
    /// A newer register of exemptions was not taken.
    RegisterRefused,
    /// The App lacks permissions.
    Permissions,
    /// A file of the inventory was refused, and the last good one stays.
    InventoryRefused,
    /// The inventory is not kept in its repository as the policy asks.
    NotKept,
    /// Somebody has edited the inventory there.
    Edited,
    /// What `inventory.import` names cannot be used.
    ImportRefused,
    /// What everybody gets is not what was published.
    NotAsPublished,
    /// More issues and pull requests are asked for than may come without a
    /// person's word.
    Approval,
    /// The yearly report on exemptions is due.
    ReportDue(FiscalYear),
    /// Exemptions that were asked for.
    Requested,
    /// Exemptions that do not count, since nobody can tell who approved them,
    /// or for which repository.
    Unconfirmed,
    /// Exemptions that end soon, or have ended.
    Ending,
    /// Code that was made public, and no approval is recorded.
    MadePublic,
    /// Items of ours whose marker cannot be read.
    Unreadable,
}

/// One thing that a need is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its name.
    pub name: String,
    /// More about it: a reason, a day.
    pub more: Option<String>,
    /// Who may see the name.
    pub seen_by: Visibility,
}

impl Told {
    /// Something that everybody may know.
    #[must_use]
    pub fn to_all(name: impl Into<String>) -> Told {
        Told { name: name.into(), more: None, seen_by: Visibility::Public }
    }
}

/// What the digest of a repository says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Who reads it.
    place: Visibility,
    /// The Monday of the week in which it was made.
    week: Date,
    accounts: Vec<Account>,
}

/// What is known of the digest where a plan is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Office<'a> {
    /// Nothing: it is another time's business.
    Unread,
    /// No digest belongs into this repository.
    Elsewhere,
    /// This one does, and since when something needs the office.
    Here(&'a Digest, Option<Timestamp>),
}

impl Digest {
    /// What is to be said on a day to those who see `place`, of the
    /// organizations whose control repository that is.
    #[must_use]
    pub fn of(place: Visibility, today: Date, accounts: Vec<Account>) -> Digest {
        let since_monday: Span = i64::from(today.weekday().to_monday_zero_offset()).days();
        let week = today.checked_sub(since_monday).unwrap_or(today);
        let accounts = accounts.into_iter().map(|account| Account {
            needs: account.needs.into_iter().filter(|need| may_be_said(need.what, place)).collect(),
            ..account
        });
        Digest { place, week, accounts: accounts.collect() }
    }

    /// Whether nothing needs anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.iter().all(|account| account.needs.is_empty())
    }

    /// Names what it says.
    #[must_use]
    pub fn named(&self) -> FindingsHash {
        FindingSet::default().hash_with(self.text().for_operator())
    }

    /// What it says.
    #[must_use]
    pub fn text(&self) -> PublicText {
        let mut text = PublicText::about(self.place).say(say::OPENING).say("\n\n");
        text = if self.is_empty() {
            text.say(say::NOTHING).say("\n\n")
        } else {
            text.say(say::NEEDS).say("\n\n")
        };
        let several = self.accounts.len() > 1;
        for account in self.accounts.iter().filter(|account| !account.needs.is_empty()) {
            if several {
                text = text.say("### ").code(&account.login).say("\n\n");
            }
            for need in &account.needs {
                text = self.need(text, need);
            }
            text = text.say("\n");
        }
        let week = self.week.to_string();
        text.say(say::WEEK).code(&week).say(". ").say(say::SILENT).say("\n\n").say(say::CLOSE).say("\n\n")
    }

    fn need(&self, text: PublicText, need: &Need) -> PublicText {
        let mut text = text.say("- ").say(sentence(need.what));
        if let What::ReportDue(year) = need.what {
            text = text.say(" ").code(&format!("muster report exemptions --fiscal-year {year}")).say(".");
        }
        text = text.say("\n");
        let (told, hidden): (Vec<_>, Vec<_>) = need.told.iter().partition(|told| self.place <= told.seen_by);
        for told in told.iter().take(MOST) {
            text = text.say("  - ").code(&told.name);
            if let (Some(more), true) = (&told.more, self.place != Visibility::Public) {
                text = text.say(": ").sentence(more);
            }
            text = text.say("\n");
        }
        if let Some(rest) = told.len().checked_sub(MOST).filter(|rest| *rest > 0) {
            text = text.say("  - ").say(say::MORE_BEFORE).number(rest as u64).say(say::MORE_AFTER).say("\n");
        }
        match hidden.len() {
            0 => text,
            few if few < TOLD_FROM => text.say("  - ").say(say::FEW_HIDDEN).say("\n"),
            many => {
                text.say("  - ").say(say::HIDDEN_BEFORE).number(many as u64).say(say::HIDDEN_AFTER).say("\n")
            }
        }
    }
}

/// The yearly report that is due in this month: of the fiscal year that has
/// ended, by 31 December, reminded of from the first.
#[must_use]
pub fn report_due(today: Date) -> Option<FiscalYear> {
    (today.month() == REPORT_MONTH).then(|| FiscalYear::over_by(today))
}

/// Whether those who see a place may read of it at all.
fn may_be_said(what: What, place: Visibility) -> bool {
    match what {
        What::MadePublic => place != Visibility::Public,
        What::PolicyRefused
        | What::RegisterRefused
        | What::Permissions
        | What::InventoryRefused
        | What::NotKept
        | What::Edited
        | What::ImportRefused
        | What::NotAsPublished
        | What::Approval
        | What::ReportDue(_)
        | What::Requested
        | What::Unconfirmed
        | What::Ending
        | What::Unreadable => true,
    }
}

fn sentence(what: What) -> &'static str {
    match what {
        What::PolicyRefused => say::POLICY_REFUSED,
        What::RegisterRefused => say::REGISTER_REFUSED,
        What::Permissions => say::PERMISSIONS,
        What::InventoryRefused => say::INVENTORY_REFUSED,
        What::NotKept => say::NOT_KEPT,
        What::Edited => say::EDITED,
        What::ImportRefused => say::IMPORT_REFUSED,
        What::NotAsPublished => say::NOT_AS_PUBLISHED,
        What::Approval => say::APPROVAL,
        What::ReportDue(_) => say::REPORT_DUE,
        What::Requested => say::REQUESTED,
        What::Unconfirmed => say::UNCONFIRMED,
        What::Ending => say::ENDING,
        What::MadePublic => say::MADE_PUBLIC,
        What::Unreadable => say::UNREADABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn told(name: &str, more: Option<&str>, seen_by: Visibility) -> Told {
        Told { name: name.to_owned(), more: more.map(str::to_owned), seen_by }
    }

    fn digest(place: Visibility, needs: Vec<Need>) -> Digest {
        Digest::of(place, day("2026-11-26"), vec![Account { login: "example-agency".to_owned(), needs }])
    }

    #[test]
    fn it_says_what_needs_the_office() {
        let ending = vec![told("example-agency/vault (7)", Some("2026-12-20"), Visibility::Private)];
        let refused = told("code.json", Some("4 of 9 entries would vanish"), Visibility::Public);
        let year = report_due(day("2026-12-01")).unwrap();
        let digest = digest(
            Visibility::Private,
            vec![
                Need { what: What::InventoryRefused, told: vec![refused] },
                Need { what: What::ReportDue(year), told: Vec::new() },
                Need { what: What::Ending, told: ending },
            ],
        );
        insta::assert_snapshot!(digest.text().for_operator(), @r"
        Muster keeps this issue for your open source office. It says what a person has to look at.

        This needs you:

        - The inventory was not published anew, so the last good file stands. `muster audit` says why.
          - `code.json`: 4 of 9 entries would vanish
        - OMB wants the report on exemptions by 31 December. Make it with `muster report exemptions --fiscal-year 2026`.
        - These exemptions end soon, or have ended. Renew them, or take them out:
          - `example-agency/vault (7)`: 2026-12-20

        Muster looked in the week of `2026-11-23`. If that is more than two weeks ago, Muster has stopped. Tell the people who run it.

        Close this issue to stop it. Open it again to get it back.
        ");
    }

    #[test]
    fn it_names_nothing_to_people_who_may_not_see_it() {
        let secret = |n: usize| {
            (0..n).map(|_| told("example-agency/vault", Some("why"), Visibility::Private)).collect::<Vec<_>>()
        };
        let open = told("example-agency/site", Some("why"), Visibility::Public);
        for (place, n, expected) in [
            (Visibility::Public, 4, "Fewer than 5"),
            (Visibility::Internal, 4, "Fewer than 5"),
            (Visibility::Public, 5, "There are 5 more that not all readers"),
        ] {
            let told = secret(n).into_iter().chain([open.clone()]).collect();
            let text = digest(place, vec![Need { what: What::Unconfirmed, told }]).text();
            let text = text.for_place(place).unwrap();
            assert!(text.contains(expected) && text.contains("site") && !text.contains("vault"), "{text}");
            assert_eq!(text.contains("why"), place != Visibility::Public);
        }
        let many = (0..12).map(|n| told(&format!("a/r{n}"), None, Visibility::Public)).collect();
        let text = digest(Visibility::Private, vec![Need { what: What::Ending, told: many }]).text();
        assert!(text.for_operator().contains("r9`\n  - And 2 more"), "{}", text.for_operator());
    }

    #[test]
    fn code_that_was_made_public_is_never_told_to_the_public() {
        let made = || vec![Need { what: What::MadePublic, told: vec![Told::to_all("example-agency/site")] }];
        assert!(digest(Visibility::Public, made()).is_empty());
        assert!(!digest(Visibility::Internal, made()).is_empty());
        let text = digest(Visibility::Public, made()).text();
        assert_eq!(text, digest(Visibility::Public, Vec::new()).text());
    }

    #[test]
    fn it_changes_with_what_it_says_and_once_a_week() {
        let on = |today| Digest::of(Visibility::Private, day(today), Vec::new());
        let named = |today| on(today).named();
        assert_eq!(named("2026-11-23"), named("2026-11-29"));
        assert_ne!(named("2026-11-29"), named("2026-11-30"));
        let needs = vec![Need { what: What::PolicyRefused, told: Vec::new() }];
        assert_ne!(digest(Visibility::Private, needs).named(), named("2026-11-26"));
    }

    #[test]
    fn the_yearly_report_is_asked_for_in_december() {
        let due = |today| report_due(day(today)).map(|year| year.to_string());
        assert_eq!(due("2026-11-30"), None);
        assert_eq!(due("2026-12-01").as_deref(), Some("2026"));
        assert_eq!(due("2026-12-31").as_deref(), Some("2026"));
        assert_eq!(due("2027-01-01"), None);
    }
}
