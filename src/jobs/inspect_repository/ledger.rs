//! What the ledger learns from GitHub before anything is planned: items that
//! opened, were merged, were closed, and whether closing them was a decline.

use std::time::Duration;

use jiff::Timestamp;

use super::{Target, note};
use crate::{
    domain::{
        finding::{FindingSet, Report, Severity},
        marker::{Identity, Kind, Whose},
        observed::{Actor, Item, ItemKind},
        outstanding::{Declined, News, Outstanding, Remembered, Standing, Start, State},
        plan::{Plan, kind_for},
        policy::{Mode, Policy},
        repository::{AccountId, Login, RepositoryId},
    },
    github::{self, Reader, Role},
    jobs::{Context, JobError},
    store::{Adopted, DecisionStatus, NewDecision, NewOutstanding},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Who is named where GitHub names nobody: a deleted account, a deletion.
const NOBODY: AccountId = AccountId(0);

/// The declines in force for a repository: of each rule and gap the last
/// decision counts.
pub(in crate::jobs) async fn declines(
    ctx: &Context,
    repository: RepositoryId,
) -> Result<Vec<Declined>, JobError> {
    let mut declined: Vec<Declined> = Vec::new();
    for decision in ctx.store.decisions(repository).await? {
        let decision = decision.decision;
        for (rule, gap) in decision.findings.iter() {
            declined.retain(|earlier| (earlier.rule, earlier.gap) != (rule, Some(gap)));
            match decision.status {
                DecisionStatus::Declined => {
                    declined.push(Declined { rule, gap: Some(gap), until: decision.until });
                }
                DecisionStatus::Requested
                | DecisionStatus::Waived
                | DecisionStatus::Denied
                | DecisionStatus::Expired
                | DecisionStatus::Withdrawn => {}
            }
        }
    }
    Ok(declined)
}

/// Teaches the ledger what is new.
pub(super) async fn learn(
    ctx: &Context,
    reader: &Reader,
    target: &Target,
    policy: &Policy,
    report: &Report,
    news: &[News],
) -> Result<(), JobError> {
    let rows = ctx.store.outstanding(target.repository).await?;
    let identity = ctx.identity(reader).await?;
    let lesson = Lesson { ctx, reader, target, policy, report, identity, rows };
    for news in news {
        match news {
            News::Opened(item, kind) => lesson.opened(item, *kind).await?,
            News::Merged(item, kind) => {
                if *kind == Kind::CodeJson {
                    ctx.store.own_file_merged(target.repository).await?;
                }
                lesson.settle(item, *kind, State::Merged, None).await?;
            }
            News::Closed { item, kind, findings, by, at } => {
                lesson.closed(item, *kind, findings.as_ref(), by.as_ref(), *at).await?;
            }
            News::Locked { item, kind, findings, by } => {
                lesson.locked(item, *kind, findings.as_ref(), by.as_ref()).await?;
            }
            News::Gone(row) => lesson.gone(row).await?,
            News::Touched(item, kind) => lesson.touched(item, *kind).await?,
        }
    }
    Ok(())
}

/// Forgets creations that were begun, of which nothing stands on GitHub, and
/// that are not wanted any more: they would count as open for ever.
pub(super) async fn forget_unmade(
    ctx: &Context,
    target: &Target,
    outstanding: &Outstanding,
    plan: &Plan,
) -> Result<(), JobError> {
    let unmade = |kind: &&Kind| {
        *outstanding.standing(**kind) == Standing::Free(Start::Nothing) && !plan.creates(**kind)
    };
    for kind in outstanding.begun.iter().filter(unmade) {
        let rows = ctx.store.outstanding(target.repository).await?;
        for row in rows.iter().filter(|row| row.kind == *kind && row.state == State::Creating) {
            ctx.store.withdraw_outstanding(row.id).await?;
        }
    }
    Ok(())
}

/// Takes in an edit of the tracking issue whose answer was lost: it lists what
/// it is to list now, and the ledger still knows what it listed before. What
/// its marker names alone would not do: a person may paste an older one
/// (threats P3).
pub(super) async fn note_rewritten(
    ctx: &Context,
    target: &Target,
    outstanding: &Outstanding,
    listed: &FindingSet,
) -> Result<(), JobError> {
    let Some(open) = outstanding.open(Kind::Tracking) else { return Ok(()) };
    if !open.findings.names(listed) {
        return Ok(());
    }
    let rows = ctx.store.outstanding(target.repository).await?;
    let behind = |row: &&Remembered| {
        row.kind == Kind::Tracking && row.number == Some(open.item.number) && row.findings != *listed
    };
    if let Some(row) = rows.iter().find(behind) {
        ctx.store.refresh_outstanding(row.id, listed, ctx.clock.now()).await?;
    }
    Ok(())
}

/// The kinds whose pull request is held by a label that counts: put on by
/// someone who may write, or by nobody knows whom (etiquette 4.3, threats P2).
pub(super) async fn held(
    reader: &Reader,
    target: &Target,
    outstanding: &Outstanding,
) -> Result<Vec<Kind>, JobError> {
    let mut held = Vec::new();
    for kind in Kind::PULL_REQUESTS {
        let details = outstanding.open(kind).and_then(|open| open.item.open_pull());
        let Some(hold) = details.and_then(|details| details.hold.as_ref()) else { continue };
        if hold.by.is_none() || role(reader, target, hold.by.as_ref()).await? >= Role::Write {
            held.push(kind);
        }
    }
    Ok(held)
}

/// The role of a person; none for bots and accounts that are gone.
pub(super) async fn role(reader: &Reader, target: &Target, by: Option<&Actor>) -> Result<Role, JobError> {
    let Some(actor) = by.filter(|actor| !actor.bot) else { return Ok(Role::None) };
    let Ok(login) = actor.login.parse::<Login>() else { return Ok(Role::None) };
    let Some(id) = actor.id else { return Ok(Role::None) };
    match reader.permission(&target.name, &login, id).await {
        Ok(role) => Ok(role),
        // The login has passed to someone else: who acted is gone.
        Err(github::Error::StaleData(_)) => Ok(Role::None),
        Err(error) => Err(error.into()),
    }
}

struct Lesson<'a> {
    ctx: &'a Context,
    reader: &'a Reader,
    target: &'a Target,
    policy: &'a Policy,
    report: &'a Report,
    identity: Identity,
    rows: Vec<Remembered>,
}

impl Lesson<'_> {
    /// The row about an item: by its number, else the one whose creation was
    /// begun and never answered.
    fn row(&self, item: &Item, kind: Kind) -> Option<&Remembered> {
        let of_kind = || self.rows.iter().filter(|row| row.kind == kind);
        of_kind()
            .find(|row| row.number == Some(item.number))
            .or_else(|| of_kind().find(|row| row.number.is_none() && row.state == State::Creating))
    }

    /// One of ours is open: a creation whose answer was lost, one that the
    /// ledger never knew, or one that a person reopened, who thereby takes the
    /// decline back.
    ///
    /// One that wants a review stays begun, so that the plan asks for it.
    async fn opened(&self, item: &Item, kind: Kind) -> Result<(), JobError> {
        let begun = self.row(item, kind).is_some_and(|row| row.state == State::Creating);
        if begun && self.policy.mode >= Mode::Fix && self.policy.reviewers(kind).is_some() {
            return Ok(());
        }
        let declined =
            self.row(item, kind).filter(|row| matches!(row.state, State::Declined | State::Closed));
        if let Some(row) = declined {
            self.decide(
                kind,
                &row.findings,
                DecisionStatus::Withdrawn,
                "reopen",
                None,
                Role::None,
                None,
                Some(item),
            )
            .await?;
        }
        self.settle(item, kind, State::Open, None).await
    }

    /// Somebody else's commit is on it: from now on it is theirs.
    async fn touched(&self, item: &Item, kind: Kind) -> Result<(), JobError> {
        let Some(row) = self.row(item, kind) else { return Ok(()) };
        let now = self.ctx.clock.now();
        self.ctx.store.hands_off(row.id, now).await?;
        self.ctx.store.note(&[note(self.target, "hands_off", &item.url)], now).await?;
        Ok(())
    }

    async fn settle(
        &self,
        item: &Item,
        kind: Kind,
        state: State,
        findings: Option<FindingSet>,
    ) -> Result<(), JobError> {
        let (store, now) = (&self.ctx.store, self.ctx.clock.now());
        if let Some(row) = self.row(item, kind) {
            if row.number.is_none() {
                let commit = item.pull.as_ref().map(|pull| &pull.head);
                store.opened(row.id, item.number, &item.node_id, commit, now).await?;
            }
            store.settle_outstanding(row.id, state, now).await?;
            return Ok(());
        }
        let new = NewOutstanding {
            repository: self.target.repository,
            account: self.target.account,
            kind,
            findings: findings.unwrap_or_else(|| self.findings_of(item, kind)),
        };
        let (number, node_id) = (item.number, item.node_id.clone());
        let found = Adopted { new, state, number, node_id, created_at: item.created_at };
        store.adopt_outstanding(&found, now).await?;
        Ok(())
    }

    /// What an item is about that the ledger does not know: what its marker
    /// names, else what it would be about today.
    fn findings_of(&self, item: &Item, kind: Kind) -> FindingSet {
        let today = self.findings_now(kind);
        match self.identity.whose(item, self.target.repository) {
            Whose::Ours(marker) if !marker.findings.names(&today) => {
                let possible = |rule, gap| kind == Kind::Tracking || kind_for(rule, gap) == Some(kind);
                marker.findings.recall(possible).unwrap_or(today)
            }
            Whose::Ours(_) | Whose::Unreadable | Whose::OtherInstance | Whose::Foreign => today,
        }
    }

    /// What an item of this kind would be about today.
    fn findings_now(&self, kind: Kind) -> FindingSet {
        self.report
            .findings(Severity::Recommended)
            .map(|(rule, finding)| (rule, finding.gap))
            .filter(|(rule, gap)| kind == Kind::Tracking || kind_for(*rule, *gap) == Some(kind))
            .collect()
    }

    /// Closed by our App: never a decline. By a person who may write: a
    /// decline. By anyone else: it stays closed, but is nobody's decline
    /// (etiquette 4.6, threats P2); it silences all the same, so that nobody is
    /// asked the same thing twice. A decline counts from `at`, when the item was
    /// closed, however late the ledger learns of it.
    async fn closed(
        &self,
        item: &Item,
        kind: Kind,
        findings: Option<&FindingSet>,
        by: Option<&Actor>,
        at: Option<Timestamp>,
    ) -> Result<(), JobError> {
        let findings = findings.cloned().unwrap_or_else(|| self.findings_of(item, kind));
        if by.and_then(|actor| actor.id) == Some(self.identity.bot) {
            let state = self.row(item, kind).and_then(|row| row.closing).unwrap_or(State::Closed);
            return self.settle(item, kind, state, Some(findings)).await;
        }
        let days = if kind.item() == ItemKind::PullRequest { 365 } else { 180 };
        let until = Some(at.unwrap_or_else(|| self.ctx.clock.now()) + DAY * days);
        self.declined(item, kind, findings, "close", by, until).await
    }

    /// Locked: nobody is to talk about it any more, so it is never raised
    /// again (etiquette 4.2).
    async fn locked(
        &self,
        item: &Item,
        kind: Kind,
        findings: Option<&FindingSet>,
        by: Option<&Actor>,
    ) -> Result<(), JobError> {
        let findings = findings.cloned().unwrap_or_else(|| self.findings_of(item, kind));
        self.declined(item, kind, findings, "lock", by, None).await
    }

    async fn declined(
        &self,
        item: &Item,
        kind: Kind,
        findings: FindingSet,
        via: &'static str,
        by: Option<&Actor>,
        until: Option<Timestamp>,
    ) -> Result<(), JobError> {
        let role = role(self.reader, self.target, by).await?;
        let may_decline = role >= Role::Write;
        self.decide(kind, &findings, DecisionStatus::Declined, via, by, role, until, Some(item)).await?;
        let state = if may_decline { State::Declined } else { State::Closed };
        self.settle(item, kind, state, Some(findings)).await
    }

    /// Deleted, transferred or converted: never recreated.
    async fn gone(&self, row: &Remembered) -> Result<(), JobError> {
        let declined = DecisionStatus::Declined;
        self.decide(row.kind, &row.findings, declined, "gone", None, Role::None, None, None).await?;
        self.ctx.store.settle_outstanding(row.id, State::Closed, self.ctx.clock.now()).await?;
        Ok(())
    }

    /// Records a decision.
    #[expect(clippy::too_many_arguments, reason = "the columns of a decision")]
    async fn decide(
        &self,
        kind: Kind,
        findings: &FindingSet,
        status: DecisionStatus,
        via: &'static str,
        by: Option<&Actor>,
        role: Role,
        until: Option<Timestamp>,
        item: Option<&Item>,
    ) -> Result<(), JobError> {
        let now = self.ctx.clock.now();
        let decision = NewDecision {
            repository: self.target.repository,
            rule: None,
            findings: findings.clone(),
            status,
            actor: by.and_then(|actor| actor.id).unwrap_or(NOBODY),
            login: by.map(|actor| actor.login.clone()).unwrap_or_default(),
            role: word(role).to_owned(),
            via: via.to_owned(),
            reason: None,
            until,
            approver: None,
            evidence_url: item.map(|item| item.url.clone()),
        };
        let detail = item.map_or_else(|| kind.as_str().to_owned(), |item| item.url.clone());
        self.ctx.store.decide(&decision, &[note(self.target, via, &detail)], now).await?;
        Ok(())
    }
}

/// The role as the ledger keeps it.
fn word(role: Role) -> &'static str {
    match role {
        Role::None => "none",
        Role::Read => "read",
        Role::Triage => "triage",
        Role::Write => "write",
        Role::Maintain => "maintain",
        Role::Admin => "admin",
    }
}
