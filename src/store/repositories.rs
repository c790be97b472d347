//! Repositories as last seen and last judged.

use super::inventory::put_entry;
use super::ledger::{NewAudit, note};
use super::publicized::note_publicized;
use super::row::{self, Columns, parsed};
use super::{NewJob, Store, StoreError, Transaction, commit, sql};
use crate::domain::basis::Basis;
use crate::domain::finding::FindingSet;
use crate::domain::inventory::Sources;
use crate::domain::repository::{InstallationId, ObjectId, RepositoryId, RepositoryName, Visibility};
use jiff::Timestamp;
use sqlx::any::AnyRow;

/// A repository as GitHub lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRepository {
    /// GitHub's numeric id: the key, since names change.
    pub id: RepositoryId,
    /// GitHub's node id.
    pub node_id: String,
    /// The installation it was seen through.
    pub installation: InstallationId,
    /// Its name at present.
    pub name: RepositoryName,
    /// Who can see it.
    pub visibility: Visibility,
    /// Whether it is read-only.
    pub archived: bool,
}

/// A repository with what is remembered of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// As GitHub listed it last.
    pub seen: SeenRepository,
    /// When Muster saw it for the first time.
    pub first_seen_at: Timestamp,
    /// When Muster saw it last.
    pub seen_at: Timestamp,
    /// Since when it is gone, or out of the App's reach.
    pub removed_at: Option<Timestamp>,
    /// When it came from another installation, or got its first commit after
    /// it had been seen empty.
    pub arrived_at: Option<Timestamp>,
    /// The head of the default branch that was judged last.
    pub head: Option<ObjectId>,
    /// The policy it was judged by.
    pub policy_digest: Option<String>,
    /// The facts it was judged on, beside the head; `None` if the judgement
    /// left something open.
    pub facts_digest: Option<String>,
    /// The next moment at which time alone could change the plan.
    pub due: Option<Timestamp>,
    /// When what was judged last was read.
    pub judged_at: Option<Timestamp>,
    /// The rule that skips it.
    pub skipped: Option<String>,
    /// Why it could not be read the last time.
    pub unknown: Option<String>,
    /// The last report, JSON.
    pub report: Option<String>,
    /// The numbers of items of ours whose marker cannot be read.
    pub unreadable: Vec<u64>,
    /// How long the findings have been what they are.
    pub evaluations: Option<Evaluations>,
}

/// One set of findings, seen again and again without another between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluations {
    /// The set; empty if nothing was found wrong.
    pub findings: FindingSet,
    /// When this set was seen first.
    pub since: Timestamp,
    /// When it was seen last.
    pub last: Timestamp,
    /// In how many evaluations, 1 at least.
    pub count: u64,
    /// Whether one of these was brought about by an event or a policy.
    pub confirmed: bool,
}

/// A judgement to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The repository as it was read.
    pub seen: SeenRepository,
    /// When reading it began.
    pub read_at: Timestamp,
    /// The head that was judged; none in an empty repository.
    pub head: Option<ObjectId>,
    /// The policy it was judged by.
    pub policy_digest: String,
    /// What the judgement rested on; `None` if the next sweep has to look
    /// again whatever it finds.
    pub basis: Option<Basis>,
    /// When to judge again though nothing changed.
    pub due: Option<Timestamp>,
    /// The rule that skips it, if one does.
    pub skipped: Option<String>,
    /// The report, JSON.
    pub report: String,
    /// What was found wrong, empty if nothing; `None` if it could not be told,
    /// and then what was known before stays as it was.
    pub findings: Option<FindingSet>,
    /// Whether an event or a policy brought this judgement about.
    pub confirmed: bool,
    /// Issues and pull requests still to come.
    pub wants: u32,
    /// What is to be audited of it.
    pub audit: Vec<NewAudit>,
    /// What the inventory is to know of it.
    pub entry: Sources,
}

impl Store {
    /// Stores repositories as just seen, all in one commit. One that was gone
    /// is back; one seen through another installation has moved.
    ///
    /// # Errors
    /// As the database's.
    pub async fn see_repositories(&self, seen: &[SeenRepository], now: Timestamp) -> Result<(), StoreError> {
        const DOING: &str = "store repositories";
        let mut transaction = self.write(DOING).await?;
        let mut seen: Vec<_> = seen.iter().collect();
        seen.sort_by_key(|repository| repository.id);
        for repository in seen {
            see(&mut transaction, repository, now).await.map_err(StoreError::of(DOING))?;
        }
        note_publicized(&mut transaction, DOING, now).await?;
        commit(transaction, DOING).await
    }

    /// One repository, also if it is gone.
    ///
    /// # Errors
    /// As the database's.
    pub async fn repository(&self, id: RepositoryId) -> Result<Option<Repository>, StoreError> {
        let refused = StoreError::of("read a repository");
        sqlx::query(sql::REPOSITORY)
            .bind(row::number(id.0))
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?
            .map(|row| read(&row))
            .transpose()
    }

    /// The repositories of an installation that are not gone, by name.
    ///
    /// # Errors
    /// As the database's.
    pub async fn repositories(&self, installation: InstallationId) -> Result<Vec<Repository>, StoreError> {
        let refused = StoreError::of("list repositories");
        sqlx::query(sql::REPOSITORIES)
            .bind(row::number(installation.0))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?
            .iter()
            .map(read)
            .collect()
    }

    /// Whether an installation covers a repository of this name, in lower case.
    ///
    /// # Errors
    /// As the database's.
    pub async fn has_repository(&self, installation: InstallationId, name: &str) -> Result<bool, StoreError> {
        let row = sqlx::query(sql::HAS_REPOSITORY)
            .bind(row::number(installation.0))
            .bind(row::text(name))
            .fetch_one(&self.reader)
            .await;
        Ok(row.and_then(|row| row.integer("there")).map_err(StoreError::of("look for a repository"))? > 0)
    }

    /// The repository that was seen last under a name, in any case, unless it is
    /// gone.
    ///
    /// # Errors
    /// As the database's.
    pub async fn find_repository(&self, name: &RepositoryName) -> Result<Option<Repository>, StoreError> {
        let refused = StoreError::of("look for a repository");
        sqlx::query(sql::FIND_REPOSITORY)
            .bind(row::text(&name.owner().as_str().to_lowercase()))
            .bind(row::text(&name.name().to_lowercase()))
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?
            .map(|row| read(&row))
            .transpose()
    }

    /// The head judged last: what a push must begin at to cost no job.
    ///
    /// # Errors
    /// As the database's.
    pub async fn judged_head(&self, repository: RepositoryId) -> Result<Option<ObjectId>, StoreError> {
        let refused = StoreError::of("read the head that was judged");
        let row = sqlx::query(sql::JUDGED_HEAD)
            .bind(row::number(repository.0))
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?;
        match row {
            Some(row) => head(&row, repository).map_err(&refused)?.transpose(),
            None => Ok(None),
        }
    }

    /// Stores the name under which a repository is found now.
    ///
    /// # Errors
    /// As the database's.
    pub async fn rename_repository(&self, id: RepositoryId, name: &RepositoryName) -> Result<(), StoreError> {
        let query = sqlx::query(sql::RENAME_REPOSITORY)
            .bind(row::number(id.0))
            .bind(name.owner().as_str())
            .bind(name.name());
        self.change("rename a repository", query).await
    }

    /// Marks a repository as gone; its judgements stay readable.
    ///
    /// # Errors
    /// As the database's.
    pub async fn remove_repository(&self, id: RepositoryId, now: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query(sql::REMOVE_REPOSITORY).bind(row::number(id.0)).bind(row::millis(now));
        self.change("mark a repository as gone", query).await
    }

    /// After a complete listing: marks as gone what it did not show, that is
    /// all of the installation last seen before `listed_at`. Answers how many.
    ///
    /// # Errors
    /// As the database's.
    pub async fn remove_unseen(
        &self,
        installation: InstallationId,
        listed_at: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        const DOING: &str = "mark unlisted repositories as gone";
        let mut transaction = self.write(DOING).await?;
        let gone = sqlx::query(sql::REMOVE_UNSEEN)
            .bind(row::number(installation.0))
            .bind(row::millis(listed_at))
            .bind(row::millis(now))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(DOING))?
            .rows_affected();
        commit(transaction, DOING).await?;
        Ok(gone)
    }

    /// Notes which items of ours cannot be read, in place of those noted
    /// before.
    ///
    /// # Errors
    /// As the database's.
    pub async fn set_unreadable(&self, repository: RepositoryId, numbers: &[u64]) -> Result<(), StoreError> {
        const DOING: &str = "note what cannot be read";
        let mut transaction = self.write(DOING).await?;
        let text = numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
        sqlx::query(sql::SET_UNREADABLE)
            .bind(row::number(repository.0))
            .bind((!numbers.is_empty()).then_some(text))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(DOING))?;
        commit(transaction, DOING).await
    }

    /// Stores judgements, their entries in the inventory, what is to be audited
    /// of them and the jobs that follow, in one commit; `publish` follows if an
    /// entry says something new. Answers how many were stored: one that rests
    /// on an older reading than what is stored is not, nor is it audited.
    ///
    /// # Errors
    /// As the database's.
    pub async fn judged(
        &self,
        judged: &[Judged],
        jobs: &[NewJob],
        publish: Option<&NewJob>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        const DOING: &str = "store judgements";
        let refused = StoreError::of(DOING);
        let mut merged = super::intake::Jobs::default();
        merged.merge(jobs.iter(), row::millis(now));
        let mut transaction = self.write(DOING).await?;
        let (mut stored, mut news) = (0, false);
        for one in judged {
            see(&mut transaction, &one.seen, now).await.map_err(&refused)?;
            if judge(&mut transaction, one).await.map_err(&refused)? {
                stored += 1;
                note(&mut transaction, &one.audit, now).await?;
                let skipped = one.skipped.as_deref();
                news |= put_entry(&mut transaction, &one.seen, skipped, &one.entry, one.read_at)
                    .await
                    .map_err(&refused)?;
            }
        }
        note_publicized(&mut transaction, DOING, now).await?;
        if news {
            merged.merge(publish.into_iter(), row::millis(now));
        }
        let turns = self.put_jobs(&mut transaction, &merged).await?;
        commit(transaction, DOING).await?;
        self.turns.remember(turns);
        Ok(stored)
    }
}

/// Numbers with spaces between.
pub(super) fn numbers(text: &str) -> Vec<u64> {
    text.split(' ').filter_map(|number| number.parse().ok()).collect()
}

/// Stores one judgement; `false` if a later reading was judged already.
async fn judge(transaction: &mut Transaction, judged: &Judged) -> Result<bool, sqlx::Error> {
    let basis = judged.basis.as_ref();
    let rows = sqlx::query(sql::JUDGED)
        .bind(row::number(judged.seen.id.0))
        .bind(judged.head.as_ref().map(ObjectId::as_str))
        .bind(row::text(&judged.policy_digest))
        .bind(basis.map(|basis| basis.facts.as_str()))
        .bind(row::maybe_millis(judged.due))
        .bind(row::millis(judged.read_at))
        .bind(row::text(&judged.report))
        .bind(basis.map(|basis| basis.common.as_str()))
        .bind(basis.map(|basis| basis.ours.as_str()))
        .bind(row::maybe_millis(basis.map(|basis| basis.pushed_at)))
        .bind(row::maybe_text(judged.skipped.as_deref()))
        .bind(i64::from(judged.wants))
        .execute(&mut **transaction)
        .await?
        .rows_affected();
    if rows == 0 {
        return Ok(false);
    }
    if let Some(findings) = &judged.findings {
        sqlx::query(sql::EVALUATED)
            .bind(row::number(judged.seen.id.0))
            .bind(findings.to_string())
            .bind(row::millis(judged.read_at))
            .bind(i64::from(judged.confirmed))
            .execute(&mut **transaction)
            .await?;
    }
    Ok(true)
}

pub(super) async fn see(
    transaction: &mut Transaction,
    seen: &SeenRepository,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(sql::SEE_REPOSITORY)
        .bind(row::number(seen.id.0))
        .bind(row::text(&seen.node_id))
        .bind(row::number(seen.installation.0))
        .bind(seen.name.owner().as_str())
        .bind(seen.name.name())
        .bind(seen.visibility.as_str())
        .bind(i64::from(seen.archived))
        .bind(row::millis(now))
        .execute(&mut **transaction)
        .await
        .map(|_| ())
}

/// The stored head, and in it the error of that row.
fn head(row: &AnyRow, id: RepositoryId) -> Result<Option<Result<ObjectId, StoreError>>, sqlx::Error> {
    let head = row.maybe_text("head")?;
    Ok(head.map(|head| parsed("repository", id, &head)))
}

/// A repository as last listed.
pub(super) fn seen(row: &AnyRow) -> Result<SeenRepository, StoreError> {
    let refused = StoreError::of("read a repository");
    let id = RepositoryId(row.number("id").map_err(&refused)?);
    let text = |column| row.text(column).map_err(&refused);
    Ok(SeenRepository {
        id,
        node_id: text("node_id")?,
        installation: InstallationId(row.number("installation").map_err(&refused)?),
        name: parsed("repository", id, &format!("{}/{}", text("owner")?, text("name")?))?,
        visibility: parsed("repository", id, &text("visibility")?)?,
        archived: row.flag("archived").map_err(&refused)?,
    })
}

/// How long the findings have been what they are.
pub(super) fn evaluations(
    row: &AnyRow,
    findings: Option<FindingSet>,
) -> Result<Option<Evaluations>, sqlx::Error> {
    let since = row.maybe_time("findings_since")?;
    let last = row.maybe_time("findings_last")?;
    let count = row.number("findings_evaluations")?;
    let confirmed = row.flag("findings_confirmed")?;
    let seen = findings.zip(since.zip(last));
    Ok(seen.map(|(findings, (since, last))| Evaluations { findings, since, last, count, confirmed }))
}

fn read(row: &AnyRow) -> Result<Repository, StoreError> {
    let refused = StoreError::of("read a repository");
    let id = RepositoryId(row.number("id").map_err(&refused)?);
    let seen = seen(row)?;
    let findings = row.maybe_text("findings").map_err(&refused)?;
    let findings = findings.map(|findings| parsed("repository", id, &findings)).transpose()?;
    let head = head(row, id).map_err(&refused)?.transpose()?;
    let rest = || -> Result<Repository, sqlx::Error> {
        Ok(Repository {
            seen,
            first_seen_at: row.time("first_seen_at")?,
            seen_at: row.time("seen_at")?,
            removed_at: row.maybe_time("removed_at")?,
            arrived_at: row.maybe_time("arrived_at")?,
            head,
            policy_digest: row.maybe_text("policy_digest")?,
            facts_digest: row.maybe_text("facts_digest")?,
            due: row.maybe_time("due")?,
            judged_at: row.maybe_time("judged_at")?,
            skipped: row.maybe_text("skipped")?,
            unknown: row.maybe_text("unknown")?,
            report: row.maybe_text("report")?,
            unreadable: numbers(row.maybe_text("unreadable")?.as_deref().unwrap_or_default()),
            evaluations: evaluations(row, findings)?,
        })
    };
    rest().map_err(refused)
}
