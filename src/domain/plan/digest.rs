//! The digest issue of a control repository: opened when something has
//! needed the office for an hour, kept up to date, never opened against people's will (etiquette
//! 4.1). No mode, grace or pace is about it: it asks no maintainer for anything.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Change, Closing, Draft, HOUR, NewIssue, Plan, Planner,
    brakes::Brake,
    propose::refusal,
    tracking::{DISABLED, EDIT_LOOP, NO_ROOM},
};
use crate::domain::{
    digest::{Digest, Office},
    finding::FindingSet,
    marker::Kind,
    outstanding::{Attempt, OpenItem, Standing},
    render,
};

/// So long something must need the office before a digest is opened for it.
pub const FOR_AN_HOUR: Duration = HOUR;

const OPEN: &str = "open the digest";
const EDIT: &str = "edit the digest";

impl Planner<'_> {
    pub(super) fn digest_issue(&self, draft: &mut Draft) {
        let (digest, since) = match self.s.office {
            Office::Unread => return,
            Office::Elsewhere => return self.close_issue(Kind::Digest, Closing::Moved, draft),
            Office::Here(digest, since) => (digest, since),
        };
        match self.s.outstanding.standing(Kind::Digest) {
            Standing::Open(issue) => self.edit_digest(issue, digest, draft),
            Standing::Free(_) | Standing::Blocked { .. } if digest.is_empty() => {}
            Standing::Blocked { why, until } => draft.refuse(OPEN, why.clone(), *until),
            Standing::Free(_) => self.new_digest(digest, since.unwrap_or(self.now), draft),
        }
    }

    fn new_digest(&self, digest: &Digest, since: Timestamp, draft: &mut Draft) {
        if self.s.outstanding.digest_declined {
            return draft.refuse(OPEN, "people have closed it", None);
        }
        if !self.s.snapshot.repository.issues_enabled {
            return draft.refuse(OPEN, DISABLED, None);
        }
        if let Some(refused) = self.s.outstanding.refusal_of(Attempt::Open(Kind::Digest), self.now) {
            return draft.refuse(OPEN, refusal(refused), Some(refused.until()));
        }
        let settled = since + FOR_AN_HOUR;
        if self.now < settled {
            return draft.refuse(OPEN, "what needs the office may be over in an hour", Some(settled));
        }
        match self.in_the_window() {
            Brake::Off => draft.change(Change::OpenIssue(Box::new(NewIssue {
                kind: Kind::Digest,
                title: render::digest_title(),
                body: self.letter().digest_issue(digest, None),
                label: None,
                create_label: false,
                findings: FindingSet::default(),
            }))),
            Brake::Later { why, until } => draft.refuse(OPEN, why, Some(until)),
            Brake::Approval(why) | Brake::No(why) => draft.refuse(OPEN, why, None),
        }
    }

    fn edit_digest(&self, issue: &OpenItem, digest: &Digest, draft: &mut Draft) {
        if digest.named() == issue.findings {
            return;
        }
        if !self.s.snapshot.repository.issues_enabled {
            return draft.refuse(EDIT, DISABLED, None);
        }
        if let Some(refused) = self.s.outstanding.refusal_of(Attempt::Update(Kind::Digest), self.now) {
            return draft.refuse(EDIT, refusal(refused), Some(refused.until()));
        }
        if let Some(until) = issue.edit_loop_until(self.now) {
            return draft.refuse(EDIT, EDIT_LOOP, Some(until));
        }
        let (kind, number, before) = (Kind::Digest, issue.item.number, issue.item.body.clone());
        let body = self.letter().digest_issue(digest, Some(&before));
        if body.is_too_long() {
            return draft.refuse(EDIT, NO_ROOM, None);
        }
        draft.change(Change::EditIssue { kind, number, before, body, findings: FindingSet::default() });
    }
}

impl Plan {
    /// Whether it leaves the digest as it is for as long as nothing else
    /// happens.
    #[must_use]
    pub fn leaves_the_digest(&self) -> bool {
        let waits = self.would_not.iter().any(|not| [OPEN, EDIT].contains(&not.what) && not.until.is_some());
        let about = |change: &Change| change.issue() == Some(Kind::Digest);
        !waits && !self.changes.iter().chain(&self.held).any(about)
    }
}
