//! The pull request that proposes an inventory, and the commit that publishes
//! it without one.

use super::{
    State, Subject, Totals,
    account::{self, Account},
};
use crate::domain::{
    letters::inventory as say,
    outgoing::{Line, PublicText},
    policy::Published,
    repository::{RepositoryId, Visibility},
    words,
};

/// A number of repositories that are not public is told from this on (etiquette
/// 4.0).
const TOLD_FROM: usize = 5;

/// Its title, and the subject of its commit.
#[must_use]
pub fn title() -> Line {
    Line::of("Update the source code inventory")
}

/// The body of the pull request: the account of each file, of the public
/// repositories only where everybody reads it; `marker` is its last line.
#[must_use]
pub fn pull_request(
    place: Visibility,
    files: &[(Published, &Account)],
    visibility: impl Fn(RepositoryId) -> Option<Visibility>,
    marker: &str,
) -> PublicText {
    let text = accounts(PublicText::about(place).say(say::WHY), place, files, visibility);
    text.say(say::HISTORY).say("\n\n").say(say::CLOSE).say("\n\n").marker(marker).say("\n")
}

/// The message of the commit below its subject: the same account.
#[must_use]
pub fn commit(
    place: Visibility,
    files: &[(Published, &Account)],
    visibility: impl Fn(RepositoryId) -> Option<Visibility>,
) -> PublicText {
    let text = accounts(PublicText::about(place).say(say::WHY_COMMIT), place, files, visibility);
    text.say(say::HISTORY_COMMIT)
}

fn accounts(
    text: PublicText,
    place: Visibility,
    files: &[(Published, &Account)],
    visibility: impl Fn(RepositoryId) -> Option<Visibility>,
) -> PublicText {
    let hidden = |line: &account::Line| match (&line.subject, &line.state) {
        (Subject::Repository(id), _) => visibility(*id) != Some(Visibility::Public),
        (Subject::Imported { .. }, State::Excluded { rule }) => rule == words::inventory::IMPORT_NOT_PUBLIC,
        (
            Subject::Imported { .. },
            State::Listed
            | State::Incomplete { .. }
            | State::Exempt { .. }
            | State::OutOfScope { .. }
            | State::Unknown { .. },
        ) => false,
    };
    let mut text = text.say("\n\n");
    for (published, account) in files {
        let (hidden, told): (Vec<_>, Vec<_>) =
            account.lines.iter().cloned().partition(|line| place == Visibility::Public && hidden(line));
        text = text.code(published.file()).say("\n\n");
        text = sums(text, &Account { lines: told }.totals());
        let hidden = hidden.len();
        text = match hidden {
            0 => text,
            few if few < TOLD_FROM => text.say(say::FEW_HIDDEN),
            many => text.say(say::HIDDEN_BEFORE).number(many as u64).say(say::HIDDEN_AFTER),
        };
    }
    text
}

fn sums(text: PublicText, totals: &Totals) -> PublicText {
    let rows = [
        (say::LISTED, totals.listed),
        (say::INCOMPLETE, totals.incomplete),
        (say::EXEMPT, totals.exempt),
        (say::EXCLUDED, totals.excluded),
        (say::OUT_OF_SCOPE, totals.out_of_scope),
        (say::UNKNOWN, totals.unknown),
        (say::ALL, totals.seen),
    ];
    let text = text.say(say::TABLE);
    let row = |text: PublicText, (state, count): (&'static str, usize)| {
        text.say("| ").say(state).say(" | ").number(count as u64).say(" |\n")
    };
    rows.into_iter().fold(text, row).say("\n")
}
