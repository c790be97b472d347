//! What is said of one thing that was looked at.

use jiff::Timestamp;

use crate::{domain::repository::InstallationId, github, github::Examined};

/// What is looked at, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// GitHub answers, and is the one the settings mean.
    Connection,
    /// Our clock and GitHub's.
    Clock,
    /// The App's private key.
    Key,
    /// The age of the secrets.
    Secrets,
    /// What the App asks for.
    App,
    /// The App's webhook.
    Hook,
    /// What the webhook was sent last.
    LastDelivery,
    /// The App on an account that is served.
    Installation,
    /// What the account has granted.
    Permissions,
    /// What the App sees there.
    Repositories,
    /// The organization's `.github` repository.
    OrganizationHome,
    /// The policy in force.
    Policy,
    /// Clones and views.
    Traffic,
    /// GitHub's limits.
    RateLimit,
    /// The App on an account that is not served.
    Strangers,
    /// The database.
    Database,
    /// The disk it is on.
    Disk,
    /// Jobs that failed for good.
    DeadLetters,
    /// Items of ours that cannot be read.
    Unreadable,
    /// Where writing is stopped.
    Writing,
    /// The published inventory, and what is imported into it.
    Inventory,
}

impl Check {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Check::Connection => "connection",
            Check::Clock => "clock",
            Check::Key => "key",
            Check::Secrets => "secrets",
            Check::App => "app",
            Check::Hook => "hook",
            Check::LastDelivery => "last_delivery",
            Check::Installation => "installation",
            Check::Permissions => "permissions",
            Check::Repositories => "repositories",
            Check::OrganizationHome => "organization_home",
            Check::Policy => "policy",
            Check::Traffic => "traffic",
            Check::RateLimit => "rate_limit",
            Check::Strangers => "strangers",
            Check::Database => "database",
            Check::Disk => "disk",
            Check::DeadLetters => "dead_letters",
            Check::Unreadable => "unreadable",
            Check::Writing => "writing",
            Check::Inventory => "inventory",
        }
    }
}

/// How a thing stands, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// As it should be.
    Ok,
    /// It could not be looked at.
    CouldNotCheck,
    /// It works, and something should be done.
    Warning,
    /// It does not work.
    Fails,
}

impl State {
    /// All of them.
    pub const ALL: [State; 4] = [State::Ok, State::CouldNotCheck, State::Warning, State::Fails];

    /// The words for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::CouldNotCheck => "could not check",
            State::Warning => "warning",
            State::Fails => "fails",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What.
    pub check: Check,
    /// Of whom: an account, an item, a setting. A name.
    pub subject: Option<String>,
    /// The installation it is about.
    pub installation: Option<InstallationId>,
    /// How it stands.
    pub state: State,
    /// What that means; names nobody.
    pub means: String,
    /// What to do, unless it is well; names nobody.
    pub remedy: Option<String>,
    /// Where to do it.
    pub link: Option<String>,
}

impl Row {
    fn new(check: Check, state: State, means: impl Into<String>, remedy: Option<String>) -> Row {
        Row { check, subject: None, installation: None, state, means: means.into(), remedy, link: None }
    }

    pub(super) fn ok(check: Check, means: impl Into<String>) -> Row {
        Row::new(check, State::Ok, means, None)
    }

    pub(super) fn warning(check: Check, means: impl Into<String>, remedy: impl Into<String>) -> Row {
        Row::new(check, State::Warning, means, Some(remedy.into()))
    }

    pub(super) fn fails(check: Check, means: impl Into<String>, remedy: impl Into<String>) -> Row {
        Row::new(check, State::Fails, means, Some(remedy.into()))
    }

    /// An error of GitHub's says itself what to do.
    pub(super) fn unasked(check: Check, error: &github::Error) -> Row {
        Row::unchecked(check, format!("{error}."))
    }

    pub(super) fn unchecked(check: Check, means: impl Into<String>) -> Row {
        let remedy = "Remove the cause and run muster doctor again.".to_owned();
        Row::new(check, State::CouldNotCheck, means, Some(remedy))
    }

    /// Of an account.
    pub(super) fn of(self, examined: &Examined) -> Row {
        let subject = examined.installation.login.as_ref().map(ToString::to_string);
        Row { subject, installation: Some(examined.installation.id), ..self }
    }

    pub(super) fn about(self, subject: impl Into<String>) -> Row {
        Row { subject: Some(subject.into()), ..self }
    }

    pub(super) fn at(self, link: &str) -> Row {
        Row { link: (!link.is_empty()).then(|| link.to_owned()), ..self }
    }
}

/// Counts the rows by state: `12 ok, 1 warning`.
#[must_use]
pub fn summary(rows: &[Row]) -> String {
    let count = |state: State| (state, rows.iter().filter(|row| row.state == state).count());
    let counts = State::ALL.into_iter().map(count).filter(|(_, count)| *count > 0);
    let words: Vec<String> = counts.map(|(state, count)| format!("{count} {}", state.as_str())).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

/// How old secrets are; at four fifths of their time it is said (threats §4,
/// Secrets and rotation).
pub(super) fn ages(secrets: &[(&'static str, Timestamp)], now: Timestamp) -> Vec<Row> {
    let age = |&(setting, since): &(&'static str, Timestamp)| {
        let days = now.duration_since(since).as_hours() / 24;
        // The App's key lives a year, a webhook secret a quarter.
        let most = if setting == "MUSTER_PRIVATE_KEY" { 365 } else { 90 };
        let means = format!("Its file is {days} days old.");
        let row = if days * 5 >= most * 4 {
            let remedy = format!("Change it every {most} days: deploy/README.md, \"Changing a secret\".");
            Row::warning(Check::Secrets, means, remedy)
        } else {
            Row::ok(Check::Secrets, means)
        };
        row.about(setting)
    };
    secrets.iter().map(age).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_to_be_changed_at_four_fifths_of_its_time() {
        let now: Timestamp = "2026-11-17T15:00:00Z".parse().unwrap();
        let state = |setting, days: i64| {
            let since = now - jiff::SignedDuration::from_hours(24 * days);
            ages(&[(setting, since)], now)[0].state
        };
        for (setting, days, expected) in [
            ("MUSTER_PRIVATE_KEY", 291, State::Ok),
            ("MUSTER_PRIVATE_KEY", 292, State::Warning),
            ("MUSTER_WEBHOOK_SECRET", 71, State::Ok),
            ("MUSTER_WEBHOOK_SECRET", 72, State::Warning),
            ("MUSTER_WEBHOOK_SECRET", -1, State::Ok),
        ] {
            assert_eq!(state(setting, days), expected, "{setting} {days}");
        }
    }

    #[test]
    fn rows_are_counted_by_state() {
        let rows = [Row::ok(Check::Key, ""), Row::fails(Check::Hook, "", ""), Row::ok(Check::Clock, "")];
        assert_eq!(summary(&rows), "2 ok, 1 fails");
        assert_eq!(summary(&[]), "nothing");
    }
}
