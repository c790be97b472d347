//! Deliveries that GitHub's record has and we have not, and how far that record
//! was read.
//!
//! Promises: (1) what was read of the record and what was missing in it commit
//! together, so that no entry is passed over; (2) an attempt is counted before
//! it is made; (3) a delivery that came in is missed no more, by whichever way
//! it came.

use super::row::{self, Columns};
use super::{Store, StoreError, commit, sql};
use crate::domain::repository::InstallationId;
use jiff::Timestamp;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;

/// How far a list of GitHub's record was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// The newest entry that earlier passes have read.
    pub read: Entry,
    /// The pass under way.
    pub pass: Option<Pass>,
    /// When it was read last.
    pub round_at: Timestamp,
}

/// An entry of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// When the attempt was made, by GitHub's clock.
    pub at: Timestamp,
    /// GitHub's id of the attempt.
    pub id: u64,
}

/// A pass that has not reached yet what an earlier one has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// Its newest entry.
    pub newest: Entry,
    /// Where it goes on.
    pub cursor: String,
}

/// An entry of the record that has not come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedDelivery {
    /// Its GUID.
    pub guid: String,
    /// GitHub's id of the newest attempt to deliver it.
    pub delivery: u64,
    /// The installation it was sent for.
    pub installation: Option<InstallationId>,
    /// How often we have asked for it.
    pub attempts: i64,
}

const READING: &str = "read which deliveries are missing";
const NOTING: &str = "note which deliveries are missing";

impl Store {
    /// How far a list was read; `None` before the first time.
    ///
    /// # Errors
    /// As the database's.
    pub async fn delivery_record(&self, list: &'static str) -> Result<Option<DeliveryRecord>, StoreError> {
        let refused = StoreError::of(READING);
        sqlx::query(sql::DELIVERY_RECORD)
            .bind(list)
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?
            .map(|row| record(&row).map_err(&refused))
            .transpose()
    }

    /// Stores how far a list was read, and of what was read those deliveries
    /// that have not come in. They are due at once, and not tried yet.
    ///
    /// # Errors
    /// As the database's.
    pub async fn read_deliveries(
        &self,
        list: &'static str,
        record: &DeliveryRecord,
        listed: &[MissedDelivery],
    ) -> Result<(), StoreError> {
        let refused = StoreError::of(NOTING);
        let mut transaction = self.write(NOTING).await?;
        for missed in listed {
            sqlx::query(sql::MISS_DELIVERY)
                .bind(row::text(&missed.guid))
                .bind(row::number(missed.delivery))
                .bind(row::millis(record.round_at))
                .bind(missed.installation.map(|installation| row::number(installation.0)))
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        sqlx::query(sql::KEEP_DELIVERY_RECORD)
            .bind(list)
            .bind(row::millis(record.read.at))
            .bind(row::number(record.read.id))
            .bind(record.pass.as_ref().map(|pass| row::millis(pass.newest.at)))
            .bind(record.pass.as_ref().map(|pass| row::number(pass.newest.id)))
            .bind(record.pass.as_ref().map(|pass| pass.cursor.as_str()))
            .bind(row::millis(record.round_at))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        commit(transaction, NOTING).await
    }

    /// At most `limit` that are missing and may be asked for now, oldest first;
    /// those that came in meanwhile are forgotten.
    ///
    /// # Errors
    /// As the database's.
    pub async fn missed_deliveries(
        &self,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<MissedDelivery>, StoreError> {
        self.change_missed(sqlx::query(sql::FORGET_ARRIVED)).await?;
        let refused = StoreError::of(READING);
        let rows = sqlx::query(sql::MISSED)
            .bind(row::millis(now))
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        rows.iter().map(|row| missed(row).map_err(&refused)).collect()
    }

    /// Counts an attempt that is about to be made; the next is not before
    /// `next_at`.
    ///
    /// # Errors
    /// As the database's.
    pub async fn try_missed_delivery(&self, guid: &str, next_at: Timestamp) -> Result<(), StoreError> {
        self.change_missed(sqlx::query(sql::TRY_MISSED).bind(row::text(guid)).bind(row::millis(next_at)))
            .await
    }

    /// It is not for us: no row of it is kept (threats T1).
    ///
    /// # Errors
    /// As the database's.
    pub async fn forget_missed_delivery(&self, guid: &str) -> Result<(), StoreError> {
        self.change_missed(sqlx::query(sql::FORGET_MISSED).bind(row::text(guid))).await
    }

    /// It cannot be had: it is never asked for again.
    ///
    /// # Errors
    /// As the database's.
    pub async fn give_up_missed_delivery(&self, guid: &str, now: Timestamp) -> Result<(), StoreError> {
        self.change_missed(sqlx::query(sql::GIVE_UP_MISSED).bind(row::text(guid)).bind(row::millis(now)))
            .await
    }

    async fn change_missed(&self, query: Query<'_, sqlx::Any, AnyArguments>) -> Result<(), StoreError> {
        let mut transaction = self.write(NOTING).await?;
        query.execute(&mut *transaction).await.map_err(StoreError::of(NOTING))?;
        commit(transaction, NOTING).await
    }
}

fn record(row: &AnyRow) -> Result<DeliveryRecord, sqlx::Error> {
    let newest = row.maybe_time("pass_at")?.zip(row.maybe_number("pass_id")?);
    let pass = newest.zip(row.maybe_text("cursor")?);
    Ok(DeliveryRecord {
        read: Entry { at: row.time("read_at")?, id: row.number("read_id")? },
        pass: pass.map(|((at, id), cursor)| Pass { newest: Entry { at, id }, cursor }),
        round_at: row.time("round_at")?,
    })
}

fn missed(row: &AnyRow) -> Result<MissedDelivery, sqlx::Error> {
    Ok(MissedDelivery {
        guid: row.text("guid")?,
        delivery: row.number("delivery")?,
        installation: row.maybe_number("installation")?.map(InstallationId),
        attempts: row.integer("attempts")?,
    })
}
