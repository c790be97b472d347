//! How often repositories are cloned and looked at, day by day, and forked.
//!
//! Promises: (1) what an answer says commits whole: the days, which of them are
//! settled, the sum, and when it was asked; (2) a day that is told again
//! replaces what was told before, and the sum follows; (3) forks cost a row
//! only when they are another number.

use super::row::{self, Columns};
use super::{Store, StoreError, Transaction, commit, sql};
use crate::domain::exemptions::report::FiscalYear;
use crate::domain::inventory::traffic::{Day, Measured, Poll, Span, Year, day_of};
use crate::domain::repository::{InstallationId, RepositoryId};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use sqlx::any::AnyRow;
use std::collections::HashMap;

const DOING: &str = "store clones and views";
const READING: &str = "read clones and views";

/// A day as stored: the midnight UTC with which it began.
fn midnight(day: Date) -> i64 {
    day.to_zoned(TimeZone::UTC).map_or(i64::MAX, |midnight| row::millis(midnight.timestamp()))
}

impl Store {
    /// When the repositories of an installation were asked about.
    ///
    /// # Errors
    /// As the database's.
    pub async fn traffic_polls(
        &self,
        installation: InstallationId,
    ) -> Result<HashMap<RepositoryId, Poll>, StoreError> {
        let refused = StoreError::of(READING);
        let rows = sqlx::query(sql::TRAFFIC_POLLS)
            .bind(row::number(installation.0))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        let read = |row: &AnyRow| -> Result<_, sqlx::Error> {
            let polled_on = row.maybe_time("polled_on")?.map(day_of);
            let poll = Poll { tried_on: day_of(row.time("tried_on")?), polled_on };
            Ok((RepositoryId(row.number("repository")?), poll))
        };
        rows.iter().map(read).collect::<Result<_, _>>().map_err(refused)
    }

    /// The last day on which GitHub told of an installation's repositories;
    /// `None` if it never did.
    ///
    /// # Errors
    /// As the database's.
    pub async fn traffic_measured_on(
        &self,
        installation: InstallationId,
    ) -> Result<Option<Date>, StoreError> {
        sqlx::query(sql::LAST_TRAFFIC_POLL)
            .bind(row::number(installation.0))
            .fetch_one(&self.reader)
            .await
            .and_then(|row| row.maybe_time("polled_on"))
            .map(|moment| moment.map(day_of))
            .map_err(StoreError::of(READING))
    }

    /// Stores what GitHub told of a repository.
    ///
    /// # Errors
    /// As the database's.
    pub async fn take_traffic(
        &self,
        repository: RepositoryId,
        days: &[Day],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write(DOING).await?;
        put(&mut transaction, repository, days, now).await.map_err(StoreError::of(DOING))?;
        commit(transaction, DOING).await
    }

    /// Notes that GitHub was asked about a repository and did not tell.
    ///
    /// # Errors
    /// As the database's.
    pub async fn traffic_untold(&self, repository: RepositoryId, now: Timestamp) -> Result<(), StoreError> {
        let query =
            sqlx::query(sql::TRAFFIC_TRIED).bind(row::number(repository.0)).bind(midnight(day_of(now)));
        self.change(DOING, query).await
    }

    /// What was measured in a fiscal year, of all repositories.
    ///
    /// # Errors
    /// As the database's.
    pub async fn traffic_of(&self, year: FiscalYear) -> Result<Year, StoreError> {
        let refused = StoreError::of(READING);
        let (first, last) = (midnight(year.first()), midnight(year.last()));
        let ask = |statement| sqlx::query(statement).bind(first).bind(last).fetch_all(&self.reader);
        let (sums, spans) = (ask(sql::TRAFFIC_BETWEEN).await, ask(sql::SPANS_BETWEEN).await);
        let mut found: HashMap<RepositoryId, Measured> = HashMap::new();
        for row in sums.map_err(&refused)? {
            let id = RepositoryId(row.number("repository").map_err(&refused)?);
            let (clones, views) = (row.number("clones"), row.number("views"));
            let measured = found.entry(id).or_default();
            (measured.clones, measured.views) = (clones.map_err(&refused)?, views.map_err(&refused)?);
        }
        for row in spans.map_err(&refused)? {
            let id = RepositoryId(row.number("repository").map_err(&refused)?);
            let Span { first, last } = span(&row).map_err(&refused)?;
            let within = Span { first: first.max(year.first()), last: last.min(year.last()) };
            found.entry(id).or_default().spans.push(within);
        }
        found.retain(|_, measured| !measured.spans.is_empty());
        Ok(Year(found))
    }

    /// The newest known number of forks of an installation's repositories.
    ///
    /// # Errors
    /// As the database's.
    pub async fn forks(
        &self,
        installation: InstallationId,
    ) -> Result<HashMap<RepositoryId, u64>, StoreError> {
        let refused = StoreError::of("read the forks");
        let rows = sqlx::query(sql::FORKS)
            .bind(row::number(installation.0))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        let read = |row: &AnyRow| Ok((RepositoryId(row.number("repository")?), row.number("forks")?));
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(refused)
    }
}

/// Notes a number of forks.
pub(super) async fn put_forks(
    transaction: &mut Transaction,
    (repository, forks): (RepositoryId, u64),
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(sql::PUT_FORKS)
        .bind(row::number(repository.0))
        .bind(row::millis(now))
        .bind(row::number(forks))
        .execute(&mut **transaction)
        .await
        .map(|_| ())
}

async fn put(
    transaction: &mut Transaction,
    repository: RepositoryId,
    days: &[Day],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let id = row::number(repository.0);
    let mut more = 0;
    for day in days {
        let before = sqlx::query(sql::TRAFFIC_ON)
            .bind(midnight(day.day))
            .bind(id)
            .fetch_optional(&mut **transaction)
            .await?;
        let before = before.map_or(Ok(Day::nothing_on(day.day)), |row| counted(&row, day.day))?;
        if before == *day {
            continue;
        }
        more += row::number(day.clones) - row::number(before.clones);
        sqlx::query(sql::PUT_TRAFFIC)
            .bind(midnight(day.day))
            .bind(id)
            .bind(row::number(day.clones))
            .bind(row::number(day.cloners))
            .bind(row::number(day.views))
            .bind(row::number(day.visitors))
            .execute(&mut **transaction)
            .await?;
    }
    let settled = Span::settled_at(now);
    let last = sqlx::query(sql::LAST_SPAN).bind(id).fetch_optional(&mut **transaction).await?;
    let last = last.map(|row| span(&row)).transpose()?;
    let whole = last.and_then(|last| last.joined(settled)).unwrap_or(settled);
    sqlx::query(sql::PUT_SPAN)
        .bind(id)
        .bind(midnight(whole.first))
        .bind(midnight(whole.last))
        .execute(&mut **transaction)
        .await?;
    sqlx::query(sql::TRAFFIC_POLLED)
        .bind(id)
        .bind(midnight(day_of(now)))
        .bind(more)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn counted(row: &AnyRow, day: Date) -> Result<Day, sqlx::Error> {
    Ok(Day {
        day,
        clones: row.number("clones")?,
        cloners: row.number("cloners")?,
        views: row.number("views")?,
        visitors: row.number("visitors")?,
    })
}

fn span(row: &AnyRow) -> Result<Span, sqlx::Error> {
    Ok(Span { first: day_of(row.time("first_day")?), last: day_of(row.time("last_day")?) })
}
