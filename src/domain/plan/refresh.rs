//! A pull request of ours that is open: kept as it is, made anew, closed
//! (etiquette 4.3).
//!
//! Promises: (1) never because it is merely behind; (2) once somebody else has
//! committed to it, it is theirs; (3) what could not be checked changes
//! nothing.

use super::{
    Change, ClosePullRequest, Closing, Description, Draft, Planner, Refresh, RefreshCause, brakes::Brake,
    change::QUIET_FOR, files, propose::refusal,
};
use crate::domain::{
    finding::{FindingSet, FindingsHash, Outcome, RuleId},
    letters,
    marker::Kind,
    observed::{HOLD, Item, OpenPull, Pull},
    outgoing::{Line, NewFile, PathRefused, PublicText, may_add},
    outstanding::{Attempt, Hands, OpenItem},
    policy::Mode,
    render,
};

const UPDATE: &str = "update the pull request";
const CLOSE: &str = "close the pull request";
/// GitHub may still be about to do it, and would say the line a second time.
pub(super) const CLOSING_BEGUN: &str = "its closing was begun a moment ago";

/// A pull request with what it carries.
struct Carrying<'a> {
    kind: Kind,
    open: &'a OpenItem,
    pull: &'a Pull,
    details: &'a OpenPull,
    /// What it should still carry, as it would be written now.
    kept: Vec<NewFile>,
    /// Of these, what its branch has otherwise.
    changed: Vec<NewFile>,
    /// Rules that it should answer no longer, each with its path.
    dropped: Vec<(String, RuleId)>,
}

impl Planner<'_> {
    /// What its marker names if it answers these findings now: them, and what
    /// our texts and the policy make of them.
    pub(super) fn named(
        &self,
        kind: Kind,
        findings: &FindingSet,
        files: &[NewFile],
        body: Option<&str>,
    ) -> FindingsHash {
        findings.hash_with(&files::edition(kind, self.s.policy, files, body))
    }

    /// Looks after one that is open.
    pub(super) fn open_pull_request(&self, kind: Kind, open: &OpenItem, draft: &mut Draft) {
        let opted_out = self.opted_out_of(Mode::Fix);
        let Some(pull) = open.item.pull.as_deref() else { return };
        if self.mode() < Mode::Fix && !opted_out || self.hands_off(kind, open, draft) {
            return;
        }
        if let Some(refused) = self.s.outstanding.refusal_of(Attempt::Update(kind), self.now) {
            return draft.refuse(UPDATE, refusal(refused), Some(refused.until()));
        }
        if opted_out {
            return self.close_pull_request(kind, open, Closing::OptedOut, draft);
        }
        let Some(details) = &pull.open else { return };
        match self.carrying(kind, open, pull, details) {
            Err(why) => draft.refuse(UPDATE, why, None),
            Ok(it) if it.kept.is_empty() => {
                self.close_pull_request(kind, open, self.why_empty(&it), draft);
            }
            Ok(it) => {
                if !self.expire(&it, draft) {
                    self.bring_up_to_date(&it, draft);
                }
            }
        }
    }

    /// Whether it is left alone, and says why. GitHub must not merge by itself
    /// what somebody else has put into a pull request of ours (threats I5);
    /// who asks for it once more has seen that.
    fn hands_off(&self, kind: Kind, open: &OpenItem, draft: &mut Draft) -> bool {
        let number = open.item.number;
        match open.hands {
            Hands::Unread => draft.refuse(UPDATE, "not all of it could be read", None),
            Hands::Foreign => {
                let asked = open.item.open_pull().and_then(|details| details.auto_merge_since);
                let before = |asked| open.hands_off_at.is_none_or(|seen| asked <= seen);
                if asked.is_some_and(before) {
                    let node_id = open.item.node_id.clone();
                    draft.change(Change::DisableAutoMerge { kind, number, node_id });
                }
                draft.refuse(UPDATE, format!("#{number} has commits of others, so it is theirs"), None);
            }
            Hands::Ours if self.s.outstanding.held.contains(&kind) => {
                draft.refuse(UPDATE, format!("#{number} has the label {HOLD}"), None);
            }
            Hands::Ours => return false,
        }
        true
    }

    /// What it carries, against what is wanted now.
    fn carrying<'a>(
        &self,
        kind: Kind,
        open: &'a OpenItem,
        pull: &'a Pull,
        details: &'a OpenPull,
    ) -> Result<Carrying<'a>, &'static str> {
        if self.rests_on_unread(kind) {
            return Err("something could not be checked");
        }
        let mut wanted = self.wanted_files(kind);
        let (mut kept, mut changed, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
        for (path, blob) in &details.files {
            let Some(rule) = files::rule_of(path) else {
                return Err("it has files that Muster does not add");
            };
            if matches!(self.s.report.outcome(rule), Some(Outcome::Unknown { .. })) {
                return Err("something could not be checked");
            }
            let Some(at) = wanted.iter().position(|file| file.rule == rule) else {
                let asked = self.findings().any(|(asked, _)| asked == rule);
                if rule == RuleId::CodeJson && asked {
                    return Err("only a person can mend the file by now");
                }
                dropped.push((path.clone(), rule));
                continue;
            };
            let file = wanted.swap_remove(at);
            let same = file.path == path
                && match &file.own {
                    // Its dates move with every look.
                    Some(own) => self.s.said.carries.as_ref() == Some(&own.substance),
                    None => blob.as_ref().is_some_and(|blob| blob.is_blob(file.text.as_bytes())),
                };
            if !same {
                changed.push(file.clone());
            }
            kept.push(file);
        }
        kept.sort_by_key(|file| file.rule);
        Ok(Carrying { kind, open, pull, details, kept, changed, dropped })
    }

    /// Why nothing of it is wanted any more.
    fn why_empty(&self, it: &Carrying<'_>) -> Closing {
        let there = |(path, rule): &(String, RuleId)| {
            let passes = matches!(self.s.report.outcome(*rule), Some(Outcome::Pass(_)));
            // That one may be there is what it is about.
            let there = *rule != RuleId::CodeJson;
            passes || there && matches!(may_add(path, &self.s.snapshot.files), Err(PathRefused::Taken(_)))
        };
        if it.dropped.iter().all(there) { Closing::Done } else { Closing::Withdrawn }
    }

    /// Closes what nobody touched for long, within the hours of the policy;
    /// whether it is that old.
    fn expire(&self, it: &Carrying<'_>, draft: &mut Draft) -> bool {
        let until = it.open.item.updated_at + QUIET_FOR;
        if self.now < until {
            draft.moments.push(until);
            return false;
        }
        match self.in_the_window() {
            Brake::Off => {
                let before = |file: &NewFile| self.s.outstanding.expired.iter().any(|e| e.rule == file.rule);
                let again = it.kept.iter().any(before);
                let closing = if again { Closing::ExpiredAgain } else { Closing::Expired };
                self.close_pull_request(it.kind, it.open, closing, draft);
            }
            Brake::Later { why, until } => draft.refuse(CLOSE, why, Some(until)),
            Brake::Approval(why) | Brake::No(why) => draft.refuse(CLOSE, why, None),
        }
        true
    }

    fn bring_up_to_date(&self, it: &Carrying<'_>, draft: &mut Draft) {
        let findings = self.answered_by(&it.kept);
        let named = self.named(it.kind, &findings, &it.kept, Some(&it.open.item.body));
        let is_said = it.open.findings == named;
        let Some(base) = &self.s.report.head else { return };
        let on_base = it.details.made_on.as_ref() == Some(&base.oid);
        let cause = if !it.dropped.is_empty() {
            Some(RefreshCause::Landed)
        } else if it.details.conflicting && !on_base {
            Some(RefreshCause::Conflict)
        } else {
            // What says the same in other words is not worth a commit.
            (!is_said && !it.changed.is_empty()).then_some(RefreshCause::Changed)
        };
        if cause.is_none() && is_said {
            return;
        }
        if let Some(until) = it.open.edit_loop_until(self.now).filter(|_| !self.is_answer(it.open)) {
            return draft.refuse(UPDATE, "blocked: edit loop, it was changed 3 times in a day", Some(until));
        }
        let description = self.description(it, findings, &named, !is_said);
        if description.body.is_too_long() {
            return draft.refuse(UPDATE, "what people wrote into its text leaves no room", None);
        }
        let Some(cause) = cause else {
            return draft.change(Change::DescribePullRequest(Box::new(description)));
        };
        // A code.json has no placeholders: who made it ready has seen the gaps.
        let placeholders = |file: &NewFile| file.draft && file.own.is_none();
        if it.changed.iter().any(placeholders) && !it.pull.draft {
            return draft.refuse(UPDATE, "a person would have to fill in something first", None);
        }
        if self.s.outstanding.staging.iter().any(|staging| staging.kind == it.kind && !staging.ours) {
            let prefix = &self.s.policy.pull_request.branch_prefix;
            let why = format!("a branch {} is there that we did not begin", it.kind.staging_branch(prefix));
            return draft.refuse(UPDATE, why, None);
        }
        if cause == RefreshCause::Changed && !self.is_answer(it.open) {
            // Our own doing keeps to the hours; what a push asks for does not.
            match self.in_the_window() {
                Brake::Off => {}
                Brake::Later { why, until } => return draft.refuse(UPDATE, why, Some(until)),
                Brake::Approval(why) | Brake::No(why) => {
                    return draft.refuse(UPDATE, why, None);
                }
            }
        }
        let prefix = &self.s.policy.pull_request.branch_prefix;
        let paths = it.details.files.iter().map(|(path, _)| path.as_str());
        let gone = paths.filter(|path| it.kept.iter().all(|file| file.path != *path));
        draft.change(Change::RefreshPullRequest(Box::new(Refresh {
            cause,
            branch: Line::of(&it.kind.branch(prefix)),
            staging: Line::of(&it.kind.staging_branch(prefix)),
            tip: it.pull.head.clone(),
            base: base.clone(),
            subject: render::pull_request_title(it.kind, &it.kept),
            files: it.kept.clone(),
            changed: it.changed.clone(),
            dropped: gone.map(str::to_owned).collect(),
            description,
        })));
    }

    /// Whether somebody answered a question of it since it was last edited: who
    /// answers is not kept waiting.
    fn is_answer(&self, open: &OpenItem) -> bool {
        let edited = open.edits.last().copied().unwrap_or(open.item.created_at);
        self.s.said.answered_at.is_some_and(|answered| answered >= edited)
    }

    fn description(
        &self,
        it: &Carrying<'_>,
        findings: FindingSet,
        named: &FindingsHash,
        differs: bool,
    ) -> Description {
        let item = &it.open.item;
        let title = render::pull_request_title(it.kind, &it.kept);
        let ours = render::is_pull_request_title(&item.title) && title.as_str() != item.title;
        let body = self.letter().pull_request(it.kind, &it.kept, named, Some(&item.body));
        let asked = |text: &str| text.contains(letters::QUESTIONS);
        let ready = it.pull.draft && asked(&item.body) && !asked(body.for_operator());
        Description {
            kind: it.kind,
            number: item.number,
            node_id: item.node_id.clone(),
            title: ours.then_some(title),
            body,
            ready,
            needed: differs || ours || ready,
            findings,
        }
    }

    /// Closes one, with a line unless it was said already.
    pub(super) fn close_pull_request(
        &self,
        kind: Kind,
        open: &OpenItem,
        closing: Closing,
        draft: &mut Draft,
    ) {
        let item = &open.item;
        let Some(pull) = &item.pull else { return };
        if let Some(until) = open.closing_until {
            return draft.refuse(CLOSE, CLOSING_BEGUN, Some(until));
        }
        draft.change(Change::ClosePullRequest(Box::new(ClosePullRequest {
            kind,
            number: item.number,
            node_id: item.node_id.clone(),
            branch: Line::of(&kind.branch(&self.s.policy.pull_request.branch_prefix)),
            tip: pull.head.clone(),
            closing,
            line: self.unsaid(item, closing),
        })));
    }

    /// The line that says why something is closed, unless Muster said it
    /// already and was cut off before it closed.
    pub(super) fn unsaid(&self, item: &Item, closing: Closing) -> Option<PublicText> {
        let line = match closing {
            Closing::Done => letters::CLOSED_DONE,
            Closing::Expired => letters::CLOSED_EXPIRED,
            Closing::ExpiredAgain => letters::CLOSED_EXPIRED_AGAIN,
            Closing::Withdrawn => letters::CLOSED_WITHDRAWN,
            Closing::OutOfScope => letters::CLOSED_OUT_OF_SCOPE,
            Closing::OptedOut => letters::CLOSED_OPTED_OUT,
            Closing::Moved => letters::digest::MOVED,
        };
        let said = item
            .comments
            .iter()
            .any(|comment| comment.author == Some(self.s.identity.bot) && comment.body.trim() == line);
        (!said).then(|| PublicText::about(self.s.snapshot.repository.visibility).say(line))
    }
}
