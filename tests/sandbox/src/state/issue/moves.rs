//! What takes an issue out of sight: deleted, moved, made a discussion.

use serde_json::json;

use super::{
    super::{Caller, Refusal, RepositoryId, Role, State},
    Comment, Issue,
};

impl State {
    /// Takes an issue out of a repository, with its comments.
    fn take_issue(
        &mut self,
        repository: RepositoryId,
        number: u64,
    ) -> Result<(Issue, Vec<Comment>), Refusal> {
        let home = self.repository_mut(repository)?;
        if home.issues.get(&number).is_none_or(|issue| issue.pull_request.is_some()) {
            return Err(Refusal::NotFound);
        }
        let issue = home.issues.remove(&number).ok_or(Refusal::NotFound)?;
        let ids: Vec<u64> = home.comments_of(number).map(|comment| comment.id).collect();
        let comments = ids.iter().filter_map(|id| home.comments.remove(id)).collect();
        Ok((issue, comments))
    }

    /// Deletes an issue for good.
    ///
    /// # Errors
    /// `NotFound` for a pull request, which nobody can delete; people need
    /// admin.
    pub fn delete_issue(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
    ) -> Result<(), Refusal> {
        self.require_role(caller, repository, Role::Admin)?;
        self.writable(repository)?;
        self.issue(repository, number)?;
        self.emit_issue(caller, repository, number, "deleted", json!({}))?;
        self.take_issue(repository, number).map(|_| ())
    }

    /// Moves an issue to another repository of the same owner; returns its
    /// number there. Under its old id it is found no more.
    ///
    /// # Errors
    /// `NotFound`, `IssuesDisabled`, `Archived`; people need write in both.
    pub fn transfer_issue(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        to: RepositoryId,
    ) -> Result<u64, Refusal> {
        for home in [repository, to] {
            self.require_role(caller, home, Role::Write)?;
        }
        self.writable(repository)?;
        let target = self.writable(to)?;
        if !target.has_issues {
            return Err(Refusal::IssuesDisabled);
        }
        if target.owner != self.repository(repository)?.owner {
            return Err(Refusal::NotFound);
        }
        let mut issue = self.issue(repository, number)?.clone();
        if issue.pull_request.is_some() {
            return Err(Refusal::NotFound);
        }
        let there = self.repository(to)?.issues.last_key_value().map_or(1, |(last, _)| last + 1);
        issue.number = there;
        issue.labels.clear();
        self.repository_mut(to)?.issues.insert(there, issue);
        let changes = json!({ "changes": {
            "new_issue": self.issue_json(self.repository(to)?, self.issue(to, there)?),
            "new_repository": self.repository_json(self.repository(to)?),
        } });
        self.emit_issue(caller, repository, number, "transferred", changes)?;
        let (_, comments) = self.take_issue(repository, number)?;
        let home = self.repository_mut(to)?;
        for mut comment in comments {
            comment.issue = there;
            home.comments.insert(comment.id, comment);
        }
        Ok(there)
    }

    /// Makes a discussion of an issue. GitHub sends no event of issues for it,
    /// and the sandbox has no discussions: it is gone.
    ///
    /// # Errors
    /// `NotFound` for a pull request; people need write.
    pub fn convert_to_discussion(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
    ) -> Result<(), Refusal> {
        self.require_role(caller, repository, Role::Write)?;
        self.writable(repository)?;
        self.take_issue(repository, number).map(|_| ())
    }
}
