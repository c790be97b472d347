//! A plan prints itself: one line a change, in the words of the person who
//! reads it in a terminal and of the test that asserts it.

use std::fmt;

use super::{Change, Closing, Plan, RefreshCause};
use crate::domain::outgoing::NewFile;

impl fmt::Display for RefreshCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RefreshCause::Landed => "some of it is not missing any more",
            RefreshCause::Conflict => "it conflicts with its base",
            RefreshCause::Changed => "the policy or our texts changed",
        })
    }
}

impl fmt::Display for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Closing::Done => "nothing is left to do",
            Closing::Expired => "nobody touched it for 90 days",
            Closing::ExpiredAgain => "nobody touched it for 90 days, a second time",
            Closing::Withdrawn => "the policy does not ask for it any more",
            Closing::OutOfScope => "the policy leaves this repository out",
            Closing::Moved => "the policy keeps it in another repository now",
            Closing::OptedOut => "the repository's own file wants none of it",
        })
    }
}

fn paths(files: &[NewFile]) -> String {
    let sign = |file: &NewFile| if file.replaces() { '~' } else { '+' };
    files.iter().map(|file| format!("{}{}", sign(file), file.path)).collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::DisableAutoMerge { number, .. } => {
                write!(f, "turn off the auto-merge of pull request #{number}: it has commits of others")
            }
            Change::DeleteBranch { branch, why, .. } => {
                write!(f, "delete the branch {}, since {why}", branch.name)
            }
            Change::CloseDuplicate { kind, number } => write!(f, "close the second {kind} item #{number}"),
            Change::RefreshPullRequest(refresh) => {
                let number = refresh.description.number;
                write!(
                    f,
                    "refresh pull request #{number}, since {}: {}",
                    refresh.cause,
                    paths(&refresh.files)
                )
            }
            Change::DescribePullRequest(text) => {
                write!(f, "describe pull request #{} anew: {}", text.number, text.findings)
            }
            Change::ClosePullRequest(close) => {
                write!(f, "close pull request #{}: {}", close.number, close.closing)
            }
            Change::OpenPullRequest(new) => {
                let draft = if new.draft { "draft " } else { "" };
                let (title, files) = (new.title.as_str(), paths(&new.files));
                write!(f, "open {draft}pull request {title:?} from {}: {files}", new.branch)
            }
            Change::AskForReview { number, team, .. } => {
                write!(f, "ask the team {team} to review pull request #{number}")
            }
            Change::OpenIssue(new) if new.findings.is_empty() => {
                write!(f, "open issue {:?}", new.title.as_str())
            }
            Change::OpenIssue(new) => write!(f, "open issue {:?}: {}", new.title.as_str(), new.findings),
            Change::EditIssue { number, findings, .. } if findings.is_empty() => {
                write!(f, "edit issue #{number}")
            }
            Change::EditIssue { number, findings, .. } => write!(f, "edit issue #{number}: {findings}"),
            Change::CloseIssue { number, closing, .. } => write!(f, "close issue #{number}: {closing}"),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "{change}")?;
        }
        for change in &self.held {
            writeln!(f, "waits: {change}")?;
        }
        for refused in &self.would_not {
            write!(f, "would not {}: {}", refused.what, refused.why)?;
            if let Some(until) = refused.until {
                write!(f, " (until {until})")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
