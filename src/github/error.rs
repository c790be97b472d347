//! Why a call to GitHub failed, sorted once by what the caller does next.
//!
//! Promises: (1) every answer of GitHub becomes exactly one of these; (2) a
//! message names the route, the status and what to do, never a token, a body
//! or a repository; only a refusal repeats GitHub's own sentence, shortened
//! and without control characters, since nobody could act on it otherwise.

use jiff::Timestamp;

/// The result of a call to GitHub.
pub type Result<T> = std::result::Result<T, Error>;

/// A failed call, by what the caller does next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// GitHub refused for a limit: nobody calls for this installation until
    /// then; nothing was changed.
    #[error("GitHub's limits are reached until {until}: the work is taken up again then")]
    RateLimited {
        /// The earliest moment at which another call may go out.
        until: Timestamp,
    },
    /// Not sent, since a limit is known or the pace of writing is reached:
    /// release the job until then.
    #[error("it waits until {until}, to stay within GitHub's limits and the pace of the policy")]
    Paced {
        /// The earliest moment at which this call may go out.
        until: Timestamp,
    },
    /// Try the whole job again later; nothing was changed.
    #[error("{0}: try again later")]
    Transient(String),
    /// A write whose answer was lost: it may have happened. Read what stands
    /// on GitHub before doing anything else; never send it again blindly.
    #[error("{0}: the write may have happened, so read before writing again")]
    Ambiguous(String),
    /// Not there, or not for our eyes (GitHub answers both with 404).
    #[error("{0}: not found, or not visible to this installation")]
    NotFound(String),
    /// Switched off or deleted for good (410): issues disabled, for one.
    #[error("{0}: switched off or deleted")]
    Gone(String),
    /// The App, or a setting of the account, does not allow it. Never retried.
    #[error("{route}: not allowed; it needs {needs}")]
    Forbidden {
        /// The route or the document.
        route: String,
        /// As GitHub states it in `X-Accepted-GitHub-Permissions`, else what
        /// [`needs`](super::needs) says of the route.
        needs: String,
    },
    /// The installation is suspended: park its jobs until it no longer is.
    #[error("the installation is suspended: its jobs wait until the account unsuspends it")]
    Suspended,
    /// Our clock is 5 minutes or more off: no token was asked for.
    #[error("this machine's clock is {} GitHub's: set it by a time server; until then no token is asked for", super::skew::shown(*ahead))]
    ClockOff {
        /// How far it is ahead; below zero, behind.
        ahead: jiff::SignedDuration,
        /// When to try again, by GitHub's clock.
        again: Timestamp,
    },
    /// The credentials are not accepted, also not after minting them anew.
    #[error("{0}: GitHub does not accept the credentials; check the App's id, its key and the clock")]
    Unauthorized(String),
    /// What the write rests on has changed: read, judge and plan again.
    #[error("{0}: it changed meanwhile, so read and plan again")]
    StaleData(String),
    /// Something of that name is there already: see whether it is ours.
    #[error("{0}: it exists already")]
    Conflict(String),
    /// Understood and refused: repeating it will not help.
    #[error("{message}: refused")]
    Refused {
        /// Why, as far as it can be told from GitHub's words.
        reason: Refusal,
        /// The route and GitHub's sentence.
        message: String,
    },
    /// Only a part of the answer came: nothing may be judged by it.
    #[error("{0}: the answer is incomplete, so nothing is concluded from it")]
    Partial(String),
    /// A mistake of settings or of ours: a person has to look.
    #[error("{0}")]
    Permanent(String),
}

/// Why GitHub refuses a well-formed write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// A ruleset or a branch protection forbids it.
    Rules,
    /// Draft pull requests do not exist in this repository.
    Drafts,
    /// The branch holds nothing that its base does not.
    NoCommits,
    /// Archived: read-only for all.
    ReadOnly,
    /// Muster itself does not write there.
    Ours,
    /// Anything else.
    Other,
}

impl Error {
    /// One word for it, for what is counted.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Error::RateLimited { .. } => "rate_limited",
            Error::Paced { .. } => "paced",
            Error::Transient(_) => "transient",
            Error::Ambiguous(_) => "ambiguous",
            Error::NotFound(_) => "not_found",
            Error::Gone(_) => "gone",
            Error::Forbidden { .. } => "forbidden",
            Error::Suspended => "suspended",
            Error::ClockOff { .. } => "clock_off",
            Error::Unauthorized(_) => "unauthorized",
            Error::StaleData(_) => "stale_data",
            Error::Conflict(_) => "conflict",
            Error::Refused { .. } => "refused",
            Error::Partial(_) => "partial",
            Error::Permanent(_) => "permanent",
        }
    }

    /// Whether repeating the same call at once may help, and cannot harm if
    /// the call only reads.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Error::Transient(_) | Error::Partial(_) => true,
            Error::RateLimited { .. }
            | Error::Paced { .. }
            | Error::Ambiguous(_)
            | Error::NotFound(_)
            | Error::Gone(_)
            | Error::Forbidden { .. }
            | Error::Suspended
            | Error::ClockOff { .. }
            | Error::Unauthorized(_)
            | Error::StaleData(_)
            | Error::Conflict(_)
            | Error::Refused { .. }
            | Error::Permanent(_) => false,
        }
    }
}

/// GitHub's sentence, fit for a message: one line, at most 200 characters.
pub(super) fn sentence(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether GitHub's words, in lower case, are about a ruleset or a branch
/// protection: the latter alone names one rule after the other.
pub(super) fn is_of_rules(words: &str) -> bool {
    const WORDS: [&str; 7] = [
        "rule violation",
        "protected branch",
        "cannot create ref",
        "must be made through a pull request",
        "not authorized to push to this branch",
        "approving review",
        "required status check",
    ];
    WORDS.iter().any(|word| words.contains(word))
}

/// Sorts GitHub's words about a write it refuses (REST 409 and 422, and the
/// errors of mutations).
pub(super) fn refusal(route: &str, words: &str) -> Error {
    let lower = words.to_ascii_lowercase();
    let message = format!("{route}: {}", sentence(words));
    let refused = |reason| Error::Refused { reason, message: message.clone() };
    if is_of_rules(&lower) {
        refused(Refusal::Rules)
    } else if lower.contains("already exists") || lower.contains("already_exists") {
        Error::Conflict(message)
    } else if lower.contains("reference does not exist") {
        Error::NotFound(message)
    } else if lower.contains("draft pull requests are not supported") {
        refused(Refusal::Drafts)
    } else if lower.contains("no commits between") {
        refused(Refusal::NoCommits)
    } else if lower.contains("archived") {
        refused(Refusal::ReadOnly)
    } else if lower.contains("expected branch to point to") || lower.contains("stale_data") {
        Error::StaleData(message)
    } else {
        refused(Refusal::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_sorted_by_githubs_words() {
        let reason = |words| match refusal("PATCH /x", words) {
            Error::Refused { reason, .. } => Some(reason),
            _ => None,
        };
        assert_eq!(
            reason("Repository rule violations found\n\nChanges must be made through …"),
            Some(Refusal::Rules)
        );
        for words in [
            "Changes must be made through a pull request.",
            "protected branch 'main' check failed:\n\tAt least 1 approving review is required",
            "Required status check \"build\" is expected.",
            "You're not authorized to push to this branch. Visit https://docs.github.com/",
        ] {
            assert_eq!(reason(words), Some(Refusal::Rules), "{words}");
        }
        assert_eq!(
            reason("Draft pull requests are not supported in this repository."),
            Some(Refusal::Drafts)
        );
        assert_eq!(reason("No commits between main and muster/files"), Some(Refusal::NoCommits));
        assert_eq!(reason("Repository was archived so is read-only."), Some(Refusal::ReadOnly));
        assert_eq!(reason("Validation Failed"), Some(Refusal::Other));
        assert!(matches!(
            refusal("x", "A pull request already exists for agency:muster/files."),
            Error::Conflict(_)
        ));
        assert!(matches!(
            refusal("x", "Expected branch to point to \"a\" but it did not."),
            Error::StaleData(_)
        ));
    }

    #[test]
    fn a_message_is_one_short_line() {
        let text = refusal("POST /x", &format!("a\u{1b}[31m\nb {}", "c".repeat(900))).to_string();
        assert!(!text.contains(['\n', '\u{1b}']) && text.len() < 300, "{text}");
    }
}
