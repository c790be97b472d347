//! Issues and pull requests, their comments, events and reactions.

use super::resolve::{Context, Field, Found, READ_CONTENTS, READ_CONVERSATIONS, Resolved, Thing, time};
use crate::git::{FileChange, FileStatus};
use crate::state::{
    CloseReason, Issue, IssueState, Node, PullRequest, Reaction, Refusal, Repository, RepositoryId, Review,
    ReviewVerdict,
};

/// The enum value of a state: `OPEN`, `CLOSED` or `MERGED`.
pub(super) fn state_word(issue: &Issue) -> &'static str {
    match &issue.pull_request {
        Some(pull) if pull.merged.is_some() => "MERGED",
        Some(_) | None if issue.is_open() => "OPEN",
        Some(_) | None => "CLOSED",
    }
}

fn reason_word(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Completed => "COMPLETED",
        CloseReason::NotPlanned => "NOT_PLANNED",
        CloseReason::Duplicate => "DUPLICATE",
    }
}

/// The reactions of the REST API and their names here.
pub(super) const REACTIONS: [(&str, &str); 8] = [
    ("+1", "THUMBS_UP"),
    ("-1", "THUMBS_DOWN"),
    ("laugh", "LAUGH"),
    ("confused", "CONFUSED"),
    ("heart", "HEART"),
    ("hooray", "HOORAY"),
    ("rocket", "ROCKET"),
    ("eyes", "EYES"),
];

impl Context<'_> {
    pub(super) fn conversation(&self, id: RepositoryId, number: u64, field: &Field<'_>) -> Resolved {
        let state = self.state.borrow();
        let home = state.repository(id)?;
        let issue = state.issue(id, number)?;
        let pull = issue.pull_request.as_ref();
        let node = if pull.is_some() { Node::PullRequest(id, number) } else { Node::Issue(id, number) };
        let kind = if pull.is_some() { "pull" } else { "issues" };
        let database_id = pull.map_or(issue.id, |pull| pull.id);
        Ok(match field.name {
            "id" => Found::leaf(node.encode()),
            "databaseId" => Found::leaf(i32::try_from(database_id).ok()),
            "fullDatabaseId" => Found::leaf(database_id.to_string()),
            "number" => Found::leaf(number),
            "url" => Found::leaf(format!("{}/{}/{kind}/{number}", state.urls.web, state.full_name(home))),
            "title" => Found::leaf(issue.title.as_str()),
            "body" => Found::leaf(issue.body.clone().unwrap_or_default()),
            "state" => Found::leaf(state_word(issue)),
            "closed" => Found::leaf(!issue.is_open()),
            "closedAt" => issue.closed_at().map_or(Found::NULL, time),
            "locked" => Found::leaf(issue.lock.is_some()),
            "createdAt" => time(issue.created_at),
            "updatedAt" => time(issue.updated_at),
            "lastEditedAt" => issue.edits.last().map_or(Found::NULL, |edit| time(edit.at)),
            "repository" => Found::One(Thing::Repository(id)),
            "author" => self.actor(issue.author),
            "stateReason" => Found::leaf(match &issue.state {
                IssueState::Open { reopened } => reopened.then_some("REOPENED"),
                IssueState::Closed { reason, .. } => reason.map(reason_word),
            }),
            "labels" => {
                let labels = issue.labels.iter().map(|label| Thing::Label(id, *label)).collect();
                return self.page("LabelConnection", labels, field);
            }
            "comments" => {
                let comments = home.comments_of(number).map(|comment| Thing::Comment(id, comment.id));
                return self.page("IssueCommentConnection", comments.collect(), field);
            }
            "reactions" => return self.reactions(&issue.reactions, field),
            "timelineItems" => return self.timeline(id, issue, field),
            _ => match pull {
                Some(pull) => return self.pull_request(home, issue, pull, field),
                None => return Err(field.unknown()),
            },
        })
    }

    /// An account as an actor; null when it is gone.
    pub(super) fn actor(&self, id: u64) -> Found {
        Found::maybe(self.state.borrow().account(id).map(|account| Thing::Account(account.id)))
    }

    fn pull_request(
        &self,
        home: &Repository,
        issue: &Issue,
        pull: &PullRequest,
        field: &Field<'_>,
    ) -> Resolved {
        let state = self.state.borrow();
        let id = home.id;
        let head_home = pull.head_repository.and_then(|head| state.repository(head).ok());
        let branch = |home: &Repository, name: &str| {
            let name = format!("refs/heads/{name}");
            Found::maybe(home.references.contains_key(&name).then_some(Thing::Ref(home.id, name)))
        };
        let changes = || home.changed_files(pull);
        let sum = |part: fn(&FileChange) -> u64| Found::leaf(changes().iter().map(part).sum::<u64>());
        Ok(match field.name {
            "isDraft" => Found::leaf(pull.draft),
            "isCrossRepository" => Found::leaf(pull.head_repository != Some(id)),
            "headRefName" => Found::leaf(pull.head_branch.as_str()),
            "headRefOid" => Found::leaf(pull.head.to_string()),
            "headRef" => head_home.map_or(Found::NULL, |home| branch(home, &pull.head_branch)),
            "headRepository" => {
                let seen = head_home.filter(|head| state.can_see(self.caller, head));
                Found::maybe(seen.map(|head| Thing::Repository(head.id)))
            }
            "baseRefName" => Found::leaf(pull.base_branch.as_str()),
            "baseRefOid" => Found::leaf(pull.base.to_string()),
            "baseRef" => branch(home, &pull.base_branch),
            "merged" => Found::leaf(pull.merged.is_some()),
            "mergedAt" => pull.merged.as_ref().map_or(Found::NULL, |merged| time(merged.at)),
            "mergeCommit" => {
                Found::maybe(pull.merged.as_ref().map(|merged| Thing::Object(id, merged.commit)))
            }
            "mergedBy" => pull.merged.as_ref().map_or(Found::NULL, |merged| self.actor(merged.by)),
            "reviews" => {
                let reviews = pull.reviews.iter().map(|review| Thing::Review(id, review.clone()));
                return self.page("PullRequestReviewConnection", reviews.collect(), field);
            }
            "autoMergeRequest" => {
                Found::maybe(pull.auto_merge.as_ref().map(|wish| Thing::AutoMerge(wish.at, wish.by)))
            }
            "commits" => {
                self.allow(id, READ_CONTENTS)?;
                let commits = home.commits_of(pull).into_iter().map(|(oid, _)| Thing::Proposed(id, oid));
                return self.page("PullRequestCommitConnection", commits.collect(), field);
            }
            "mergeable" => Found::leaf(match (issue.is_open(), home.is_mergeable(pull)) {
                (false, _) => "UNKNOWN",
                (true, true) => "MERGEABLE",
                (true, false) => "CONFLICTING",
            }),
            "additions" => sum(|change| change.additions),
            "deletions" => sum(|change| change.deletions),
            "changedFiles" => Found::leaf(changes().len()),
            "files" => {
                self.allow(id, READ_CONTENTS)?;
                let files = changes().into_iter().map(Thing::ChangedFile).collect();
                return self.page("PullRequestChangedFileConnection", files, field);
            }
            _ => return Err(field.unknown()),
        })
    }

    pub(super) fn review(&self, home: RepositoryId, review: &Review, field: &Field<'_>) -> Resolved {
        Ok(match field.name {
            "id" => Found::leaf(format!("PRR_{}", review.id)),
            "author" => self.actor(review.by),
            "commit" => Found::One(Thing::Object(home, review.commit)),
            "state" => Found::leaf(match review.verdict {
                ReviewVerdict::Approved => "APPROVED",
                ReviewVerdict::ChangesRequested => "CHANGES_REQUESTED",
                ReviewVerdict::Commented => "COMMENTED",
                ReviewVerdict::Dismissed => "DISMISSED",
            }),
            "submittedAt" => time(review.at),
            _ => return Err(field.unknown()),
        })
    }

    pub(super) fn changed_file(&self, change: &FileChange, field: &Field<'_>) -> Resolved {
        Ok(match field.name {
            "path" => Found::leaf(change.path.as_str()),
            "additions" => Found::leaf(change.additions),
            "deletions" => Found::leaf(change.deletions),
            "changeType" => Found::leaf(match change.status {
                FileStatus::Added => "ADDED",
                FileStatus::Removed => "DELETED",
                FileStatus::Modified => "MODIFIED",
            }),
            _ => return Err(field.unknown()),
        })
    }

    /// The timeline, oldest first: the labels that were put on, and of
    /// locking, closing and reopening the last, which is what the state keeps.
    fn timeline(&self, id: RepositoryId, issue: &Issue, field: &Field<'_>) -> Resolved {
        let wanted = field.texts("itemTypes");
        let asked = |kind: &str| wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|one| one == kind));
        let mut events = Vec::new();
        if asked("LABELED_EVENT") {
            let labeled = issue.labeled.iter().enumerate();
            events.extend(labeled.map(|(n, event)| (event.at, Thing::Labeled(id, issue.number, n))));
        }
        if let Some((at, _)) = issue.locked.filter(|_| asked("LOCKED_EVENT")) {
            events.push((at, Thing::Locked(id, issue.number)));
        }
        events.sort_by_key(|(at, _)| *at);
        let last = match &issue.state {
            IssueState::Closed { .. } => asked("CLOSED_EVENT").then_some(Thing::Closed(id, issue.number)),
            IssueState::Open { reopened } => {
                (*reopened && asked("REOPENED_EVENT")).then_some(Thing::Reopened(id, issue.number))
            }
        };
        let events = events.into_iter().map(|(_, event)| event).chain(last).collect();
        let kind = match issue.pull_request {
            Some(_) => "PullRequestTimelineItemsConnection",
            None => "IssueTimelineItemsConnection",
        };
        self.page(kind, events, field)
    }

    pub(super) fn labeled(&self, id: RepositoryId, number: u64, at: usize, field: &Field<'_>) -> Resolved {
        let state = self.state.borrow();
        let event = state.issue(id, number)?.labeled.get(at).ok_or(Refusal::NotFound)?;
        Ok(match field.name {
            "id" => Found::leaf(format!("LE_{id}_{number}_{at}")),
            "actor" => self.actor(event.by),
            "createdAt" => time(event.at),
            "label" => Found::One(Thing::Label(id, event.label)),
            _ => return Err(field.unknown()),
        })
    }

    pub(super) fn locked(&self, id: RepositoryId, number: u64, field: &Field<'_>) -> Resolved {
        let state = self.state.borrow();
        let (at, by) = state.issue(id, number)?.locked.ok_or(Refusal::NotFound)?;
        Ok(match field.name {
            "id" => Found::leaf(format!("LOE_{id}_{number}_{}", at.as_second())),
            "actor" => self.actor(by),
            "createdAt" => time(at),
            _ => return Err(field.unknown()),
        })
    }

    pub(super) fn closed(&self, id: RepositoryId, number: u64, field: &Field<'_>) -> Resolved {
        let state = self.state.borrow();
        let IssueState::Closed { at, by, reason } = &state.issue(id, number)?.state else {
            return Err(Refusal::NotFound.into());
        };
        Ok(match field.name {
            "id" => Found::leaf(format!("CE_{id}_{number}_{}", at.as_second())),
            "actor" => self.actor(*by),
            "createdAt" => time(*at),
            "stateReason" => Found::leaf(reason.map(reason_word)),
            _ => return Err(field.unknown()),
        })
    }

    pub(super) fn comment(&self, id: RepositoryId, comment: u64, field: &Field<'_>) -> Resolved {
        let state = self.state.borrow();
        let home = state.repository(id)?;
        let comment = state.comment(id, comment)?;
        let on = state.issue(id, comment.issue)?;
        let kind = if on.pull_request.is_some() { "pull" } else { "issues" };
        Ok(match field.name {
            "id" => Found::leaf(Node::IssueComment(id, comment.id).encode()),
            "databaseId" => Found::leaf(i32::try_from(comment.id).ok()),
            "body" => Found::leaf(comment.body.as_str()),
            "author" => self.actor(comment.author),
            "createdAt" => time(comment.created_at),
            "updatedAt" => time(comment.updated_at),
            "lastEditedAt" => comment.edits.last().map_or(Found::NULL, |edit| time(edit.at)),
            "repository" => Found::One(Thing::Repository(id)),
            "issue" if on.pull_request.is_none() => Found::One(Thing::Conversation(id, on.number)),
            "issue" => return Err(Refusal::NotFound.into()),
            "pullRequest" => {
                Found::maybe(on.pull_request.is_some().then_some(Thing::Conversation(id, on.number)))
            }
            "url" => Found::leaf(format!(
                "{}/{}/{kind}/{}#issuecomment-{}",
                state.urls.web,
                state.full_name(home),
                on.number,
                comment.id
            )),
            "reactions" => {
                self.allow(id, READ_CONVERSATIONS)?;
                return self.reactions(&comment.reactions, field);
            }
            _ => return Err(field.unknown()),
        })
    }

    fn reactions(&self, all: &[Reaction], field: &Field<'_>) -> Resolved {
        let wanted = field.text("content");
        let found = all.iter().filter(|reaction| wanted.is_none_or(|wanted| content(reaction) == wanted));
        self.page("ReactionConnection", found.cloned().map(Thing::Reaction).collect(), field)
    }

    pub(super) fn reaction(&self, reaction: &Reaction, field: &Field<'_>) -> Resolved {
        let state = self.state.borrow();
        Ok(match field.name {
            "id" => Found::leaf(Node::Reaction(reaction.id).encode()),
            "databaseId" => Found::leaf(i32::try_from(reaction.id).ok()),
            "content" => Found::leaf(content(reaction)),
            "createdAt" => time(reaction.at),
            "user" => Found::maybe(state.account(reaction.by).map(|by| Thing::CommitUser(by.id))),
            _ => return Err(field.unknown()),
        })
    }
}

fn content(reaction: &Reaction) -> &'static str {
    REACTIONS.iter().find(|(rest, _)| *rest == reaction.content).map_or("EYES", |(_, word)| word)
}
