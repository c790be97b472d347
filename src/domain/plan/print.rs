//! A plan prints itself: one line a change, in the words of the person who
//! reads it in a terminal and of the test that asserts it.

use std::fmt;

use super::{Change, Plan};

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::DeleteBranch(branch) => write!(f, "delete the merged branch {}", branch.name),
            Change::CloseDuplicate { kind, number } => write!(f, "close the second {kind} item #{number}"),
            Change::OpenPullRequest(new) => {
                let draft = if new.draft { "draft " } else { "" };
                let files: Vec<String> = new.files.iter().map(|file| format!("+{}", file.path)).collect();
                write!(
                    f,
                    "open {draft}pull request {:?} from {}: {}",
                    new.title.as_str(),
                    new.branch,
                    files.join(" ")
                )
            }
            Change::AskForReview { number, team, .. } => {
                write!(f, "ask the team {team} to review pull request #{number}")
            }
            Change::OpenIssue(new) => write!(f, "open issue {:?}: {}", new.title.as_str(), new.findings),
            Change::EditIssue { number, findings, .. } => write!(f, "edit issue #{number}: {findings}"),
            Change::CloseIssue { number } => write!(f, "close issue #{number}: nothing is left to do"),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "{change}")?;
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
