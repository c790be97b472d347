//! Comments and reactions.

use serde_json::{Value, json};

use super::{
    super::{Caller, Refusal, RepositoryId, Role, Scope, State},
    Comment, Edit, REACTIONS, Reaction, Subject,
};

impl State {
    /// Comments on an issue or pull request; returns the comment's id.
    ///
    /// # Errors
    /// `NotFound`, `Archived`, `Invalid`, `SecondaryLimit`; a locked
    /// conversation is open to those who may write.
    pub fn create_comment(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        number: u64,
        body: &str,
    ) -> Result<u64, Refusal> {
        let author = self.require_role(caller, repository, Role::Read)?;
        self.conversing(repository, number)?;
        let locked = self.issue(repository, number)?.lock.is_some();
        if locked && self.require_role(caller, repository, Role::Write).is_err() {
            return Err(Refusal::Forbidden("Unable to create comment because issue is locked."));
        }
        if body.trim().is_empty() {
            return Err(Refusal::invalid("IssueComment", "body", "missing_field"));
        }
        Self::check_body("IssueComment", Some(body))?;
        self.count_content(caller)?;
        let (id, now) = (self.next_id(), self.now());
        let comment = Comment {
            id,
            issue: number,
            body: body.to_owned(),
            author,
            by_app: matches!(caller, Caller::Installation(_)),
            created_at: now,
            updated_at: now,
            edits: Vec::new(),
            reactions: Vec::new(),
        };
        self.repository_mut(repository)?.comments.insert(id, comment);
        self.issue_mut(repository, number)?.updated_at = now;
        self.emit_comment(caller, repository, id, "created", json!({}))?;
        Ok(id)
    }

    /// A comment, whoever asks.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn comment(&self, repository: RepositoryId, id: u64) -> Result<&Comment, Refusal> {
        self.repository(repository)?.comments.get(&id).ok_or(Refusal::NotFound)
    }

    fn emit_comment(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        id: u64,
        action: &'static str,
        mut extra: Value,
    ) -> Result<(), Refusal> {
        let home = self.repository(repository)?;
        let comment = self.comment(repository, id)?;
        let issue = self.issue(repository, comment.issue)?;
        extra["issue"] = self.issue_json(home, issue);
        extra["comment"] = self.comment_json(home, comment);
        self.emit(caller, Scope::Repository(repository), "issue_comment", Some(action), extra);
        Ok(())
    }

    /// Changes the text of a comment.
    ///
    /// # Errors
    /// `NotFound`, `Archived`, `Invalid`; for people who neither wrote it nor
    /// may write.
    pub fn update_comment(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        id: u64,
        body: &str,
    ) -> Result<(), Refusal> {
        let actor = self.require_role(caller, repository, Role::Read)?;
        self.writable(repository)?;
        if self.comment(repository, id)?.author != actor {
            self.require_role(caller, repository, Role::Write)?;
        }
        Self::check_body("IssueComment", Some(body))?;
        let now = self.now();
        let home = self.repository_mut(repository)?;
        let comment = home.comments.get_mut(&id).ok_or(Refusal::NotFound)?;
        let from = std::mem::replace(&mut comment.body, body.to_owned());
        comment.updated_at = now;
        comment.edits.push(Edit { at: now, by: actor, from: Some(from.clone()) });
        let changes = json!({ "changes": { "body": { "from": from } } });
        self.emit_comment(caller, repository, id, "edited", changes)
    }

    /// Deletes a comment.
    ///
    /// # Errors
    /// As [`State::update_comment`].
    pub fn delete_comment(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        id: u64,
    ) -> Result<(), Refusal> {
        let actor = self.require_role(caller, repository, Role::Read)?;
        self.writable(repository)?;
        if self.comment(repository, id)?.author != actor {
            self.require_role(caller, repository, Role::Write)?;
        }
        self.emit_comment(caller, repository, id, "deleted", json!({}))?;
        self.repository_mut(repository)?.comments.remove(&id);
        Ok(())
    }

    /// Reacts; the same reaction twice is one. Returns it and whether it is new.
    ///
    /// # Errors
    /// `Invalid` for a content GitHub does not know; `NotFound`, `Archived`.
    pub fn react(
        &mut self,
        caller: &Caller,
        repository: RepositoryId,
        subject: Subject,
        content: &str,
    ) -> Result<(Reaction, bool), Refusal> {
        let by = self.require_role(caller, repository, Role::Read)?;
        self.writable(repository)?;
        if !REACTIONS.contains(&content) {
            return Err(Refusal::invalid("Reaction", "content", "invalid"));
        }
        let (id, at) = (self.next_id(), self.now());
        let home = self.repository_mut(repository)?;
        let reactions = match subject {
            Subject::Issue(number) => &mut home.issues.get_mut(&number).ok_or(Refusal::NotFound)?.reactions,
            Subject::Comment(id) => &mut home.comments.get_mut(&id).ok_or(Refusal::NotFound)?.reactions,
        };
        if let Some(known) = reactions.iter().find(|r| r.by == by && r.content == content) {
            return Ok((known.clone(), false));
        }
        let reaction = Reaction { id, content: content.to_owned(), by, at };
        reactions.push(reaction.clone());
        Ok((reaction, true))
    }
}
