//! Sweeps: what is remembered to be compared, where the list stands, what is
//! to be looked at.
//!
//! Promises: (1) a page of the list, what it showed to be changed, and where
//! the next page is commit together, so that a sweep goes on where it was cut
//! off; (2) what is marked stays marked until a read that began later was
//! judged, told unknown, or handed over; (3) every repository of an
//! installation is in exactly one state of [`Accounted`].

use super::publicized::note_publicized;
use super::row::{self, Columns, parsed};
use super::{Evaluations, NewJob, SeenRepository, Store, StoreError, commit, sql};
use crate::domain::basis::Basis;
use crate::domain::outstanding::Remembered;
use crate::domain::repository::{InstallationId, RepositoryId};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use std::collections::{HashMap, HashSet};

/// What a sweep must know of a repository: all but its report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// As GitHub listed it last.
    pub seen: SeenRepository,
    /// Whether nothing was committed when it was judged.
    pub empty: bool,
    /// What the last judgement rested on; `None` if there was none, or if it
    /// left something open.
    pub basis: Option<Basis>,
    /// When it came to this installation.
    pub arrived_at: Option<Timestamp>,
    /// How long the findings have been what they are.
    pub evaluations: Option<Evaluations>,
    /// Since when it could not be read.
    pub unknown_since: Option<Timestamp>,
    /// Whether an item of ours in it could not be read.
    pub unreadable: bool,
}

/// Where an installation's sweep stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// When it began.
    pub began_at: Timestamp,
    /// What all repositories shared then.
    pub common: String,
    /// The next page of the list.
    pub next: Option<String>,
    /// Whether all pages showed the same total, and as many repositories.
    pub complete: bool,
    /// When the list was at its end.
    pub listed_at: Option<Timestamp>,
    /// When nothing was left to look at.
    pub ended_at: Option<Timestamp>,
}

/// A page of the list.
#[derive(Debug, Clone, Copy)]
pub struct SweptPage<'a> {
    /// Whose list it is.
    pub installation: InstallationId,
    /// What it showed.
    pub seen: &'a [SeenRepository],
    /// Those to be looked at.
    pub marked: &'a [RepositoryId],
    /// How often those were forked of which that is news.
    pub forks: &'a [(RepositoryId, u64)],
    /// How many there are on all pages, by this page.
    pub total: usize,
    /// The page after it; `None` if it is the last.
    pub next: Option<&'a str>,
}

/// How many repositories of an installation are in which state; they sum up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accounted {
    /// All that are not gone.
    pub total: u64,
    /// Judged by the rules.
    pub judged: u64,
    /// Skipped by a rule.
    pub skipped: u64,
    /// Could not be read the last time.
    pub unknown: u64,
    /// Not looked at yet.
    pub waiting: u64,
    /// Issues and pull requests still to come in all of them.
    pub wants: u64,
}

const SWEEPING: &str = "store a page of a sweep";
const READING: &str = "read what a sweep compares";

impl Store {
    /// What is remembered of every repository of an installation.
    ///
    /// # Errors
    /// As the database's, and [`StoreError::Row`].
    pub async fn memories(
        &self,
        installation: InstallationId,
    ) -> Result<HashMap<RepositoryId, Memory>, StoreError> {
        let rows = sqlx::query(sql::MEMORIES)
            .bind(row::number(installation.0))
            .fetch_all(&self.reader)
            .await
            .map_err(StoreError::of(READING))?;
        rows.iter().map(|row| memory(row).map(|memory| (memory.seen.id, memory))).collect()
    }

    /// What an installation has outstanding, by repository, newest first.
    ///
    /// # Errors
    /// As the database's, and [`StoreError::Row`].
    pub async fn outstanding_of(
        &self,
        installation: InstallationId,
    ) -> Result<HashMap<RepositoryId, Vec<Remembered>>, StoreError> {
        let rows = sqlx::query(sql::OUTSTANDING_OF)
            .bind(row::number(installation.0))
            .fetch_all(&self.reader)
            .await
            .map_err(StoreError::of(READING))?;
        let mut all: HashMap<RepositoryId, Vec<Remembered>> = HashMap::new();
        for row in &rows {
            let repository = RepositoryId(row.number("repository").map_err(StoreError::of(READING))?);
            all.entry(repository).or_default().push(super::outstanding::read(row)?);
        }
        Ok(all)
    }

    /// The repositories of an installation that people decided something of.
    ///
    /// # Errors
    /// As the database's.
    pub async fn decided(&self, installation: InstallationId) -> Result<HashSet<RepositoryId>, StoreError> {
        let refused = StoreError::of(READING);
        let rows = sqlx::query(sql::DECIDED)
            .bind(row::number(installation.0))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        rows.iter().map(|row| row.number("repository").map(RepositoryId).map_err(&refused)).collect()
    }

    /// Where an installation's sweep stands; `None` if there never was one.
    ///
    /// # Errors
    /// As the database's.
    pub async fn sweep(&self, installation: InstallationId) -> Result<Option<Sweep>, StoreError> {
        let refused = StoreError::of(SWEEPING);
        let row = sqlx::query(sql::SWEEP)
            .bind(row::number(installation.0))
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?;
        let read = |row: &AnyRow| -> Result<Sweep, sqlx::Error> {
            Ok(Sweep {
                began_at: row.time("began_at")?,
                common: row.text("common")?,
                next: row.maybe_text("next")?,
                complete: row.maybe_integer("total")? == Some(row.integer("listed")?),
                listed_at: row.maybe_time("listed_at")?,
                ended_at: row.maybe_time("ended_at")?,
            })
        };
        row.map(|row| read(&row).map_err(&refused)).transpose()
    }

    /// Begins an installation's sweep, in place of one that stands.
    ///
    /// # Errors
    /// As the database's.
    pub async fn begin_sweep(
        &self,
        installation: InstallationId,
        common: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write(SWEEPING).await?;
        sqlx::query(sql::BEGIN_SWEEP)
            .bind(row::number(installation.0))
            .bind(row::millis(now))
            .bind(common)
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(SWEEPING))?;
        commit(transaction, SWEEPING).await
    }

    /// Stores a page of the list: what it showed, what of it is to be looked
    /// at, and where to go on.
    ///
    /// # Errors
    /// As the database's.
    pub async fn swept_page(&self, page: SweptPage<'_>, now: Timestamp) -> Result<(), StoreError> {
        let refused = StoreError::of(SWEEPING);
        let mut transaction = self.write(SWEEPING).await?;
        let mut seen: Vec<_> = page.seen.iter().collect();
        seen.sort_by_key(|repository| repository.id);
        for repository in seen {
            super::repositories::see(&mut transaction, repository, now).await.map_err(&refused)?;
        }
        for id in page.marked {
            sqlx::query(sql::MARK)
                .bind(row::number(id.0))
                .bind(row::millis(now))
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        for forks in page.forks {
            super::traffic::put_forks(&mut transaction, *forks, now).await.map_err(&refused)?;
        }
        sqlx::query(sql::SWEPT_PAGE)
            .bind(row::number(page.installation.0))
            .bind(row::maybe_text(page.next))
            .bind(page.seen.len() as i64)
            .bind(page.total as i64)
            .bind(row::maybe_millis(page.next.is_none().then_some(now)))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        note_publicized(&mut transaction, SWEEPING, now).await?;
        commit(transaction, SWEEPING).await
    }

    /// At most `limit` repositories that are marked, or whose time has come.
    ///
    /// # Errors
    /// As the database's.
    pub async fn to_look_at(
        &self,
        installation: InstallationId,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<RepositoryId>, StoreError> {
        let refused = StoreError::of(READING);
        let rows = sqlx::query(sql::TO_LOOK_AT)
            .bind(row::number(installation.0))
            .bind(row::millis(now))
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        rows.iter().map(|row| row.number("id").map(RepositoryId).map_err(&refused)).collect()
    }

    /// When the next repository of an installation is to be looked at: in the
    /// past if one is marked.
    ///
    /// # Errors
    /// As the database's.
    pub async fn next_look(&self, installation: InstallationId) -> Result<Option<Timestamp>, StoreError> {
        sqlx::query(sql::NEXT_LOOK)
            .bind(row::number(installation.0))
            .fetch_one(&self.reader)
            .await
            .and_then(|row| row.maybe_time("moment"))
            .map_err(StoreError::of(READING))
    }

    /// Notes which repositories could not be read at `read_at`, why, and when
    /// to try again.
    ///
    /// # Errors
    /// As the database's.
    pub async fn could_not_read(
        &self,
        unread: &[(RepositoryId, String, Timestamp)],
        read_at: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "note what could not be read";
        let mut transaction = self.write(DOING).await?;
        for (id, why, again) in unread {
            sqlx::query(sql::COULD_NOT_READ)
                .bind(row::number(id.0))
                .bind(row::millis(read_at))
                .bind(row::text(why))
                .bind(row::millis(*again))
                .execute(&mut *transaction)
                .await
                .map_err(StoreError::of(DOING))?;
        }
        commit(transaction, DOING).await
    }

    /// Hands repositories that were read at `read_at` over to jobs of their
    /// own, each with what it wants. A job that was given up since is not asked
    /// for again: the next sweep does (threats W6).
    ///
    /// # Errors
    /// As the database's.
    pub async fn hand_over(
        &self,
        over: &[(NewJob, u32)],
        read_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "hand repositories over to jobs";
        let mut jobs = super::intake::Jobs::default();
        let mut transaction = self.write(DOING).await?;
        for (job, wants) in over {
            let dead = sqlx::query(sql::GIVEN_UP_SINCE)
                .bind(job.subject)
                .fetch_one(&mut *transaction)
                .await
                .and_then(|row| row.integer("dead"))
                .map_err(StoreError::of(DOING))?;
            if dead == 0 {
                jobs.merge(std::iter::once(job), row::millis(now));
            }
            sqlx::query(sql::HANDED_OVER)
                .bind(job.subject)
                .bind(row::millis(read_at))
                .bind(i64::from(*wants))
                .execute(&mut *transaction)
                .await
                .map_err(StoreError::of(DOING))?;
        }
        let turns = self.put_jobs(&mut transaction, &jobs).await?;
        commit(transaction, DOING).await?;
        self.turns.remember(turns);
        Ok(())
    }

    /// Ends an installation's sweep if its list is at the end; `true` if this
    /// ended it.
    ///
    /// # Errors
    /// As the database's.
    pub async fn end_sweep(&self, installation: InstallationId, now: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.write(SWEEPING).await?;
        let ended = sqlx::query(sql::END_SWEEP)
            .bind(row::number(installation.0))
            .bind(row::millis(now))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::of(SWEEPING))?
            .rows_affected();
        commit(transaction, SWEEPING).await?;
        Ok(ended > 0)
    }

    /// How many repositories of an installation are in which state.
    ///
    /// # Errors
    /// As the database's.
    pub async fn accounted(&self, installation: InstallationId) -> Result<Accounted, StoreError> {
        let read = |row: AnyRow| -> Result<Accounted, sqlx::Error> {
            let (total, judged) = (row.number("total")?, row.number("judged")?);
            let (skipped, unknown) = (row.number("skipped")?, row.number("unknown")?);
            let waiting = total - judged - skipped - unknown;
            Ok(Accounted { total, judged, skipped, unknown, waiting, wants: row.number("wants")? })
        };
        sqlx::query(sql::ACCOUNT)
            .bind(row::number(installation.0))
            .fetch_one(&self.reader)
            .await
            .and_then(read)
            .map_err(StoreError::of(READING))
    }
}

fn memory(row: &AnyRow) -> Result<Memory, StoreError> {
    let refused = StoreError::of(READING);
    let seen = super::repositories::seen(row)?;
    let id = seen.id;
    let findings = row.maybe_text("findings").map_err(&refused)?;
    let findings = findings.map(|findings| parsed("repository", id, &findings)).transpose()?;
    let rest = || -> Result<Memory, sqlx::Error> {
        let facts = row.maybe_text("facts_digest")?.zip(row.maybe_text("common_digest")?);
        let ours = row.maybe_text("ours_digest")?.zip(row.maybe_time("pushed_at")?);
        Ok(Memory {
            seen,
            empty: row.maybe_text("head")?.is_none(),
            basis: facts.zip(ours).map(|((facts, common), (ours, pushed_at))| Basis {
                facts,
                common,
                ours,
                pushed_at,
            }),
            arrived_at: row.maybe_time("arrived_at")?,
            evaluations: super::repositories::evaluations(row, findings)?,
            unknown_since: row.maybe_time("unknown_since")?,
            unreadable: row.maybe_text("unreadable")?.is_some(),
        })
    };
    rest().map_err(refused)
}
