//! How fast an installation may be called, for all replicas together.
//!
//! Promises: (1) whoever writes content on an installation takes a turn here
//! first, and the turns of all replicas together keep the pace, also after a
//! restart; (2) only the run that holds its lease gets a turn, and then holds
//! it for its whole length; (3) what GitHub refused one replica, no replica
//! begins before GitHub's moment.
//!
//! A turn is a row, written before the call, and no lock: a process that dies in
//! the middle of a write leaves nothing that others would have to wait for, and
//! one that starts anew knows what was written. Writes of different replicas
//! begin a second apart; that one has ended before the next begins is promised
//! within a process only.

use super::row::{self, Columns};
use super::work::Lease;
use super::{Store, StoreError, commit, sql};
use crate::domain::pace::{HOUR, Pace, Turn, Written};
use crate::domain::repository::InstallationId;
use jiff::Timestamp;
use sqlx::any::AnyRow;
use std::time::Duration;

impl Store {
    /// Asks for the turn to write so many pieces of content on an installation
    /// for the run of `lease`, which is lengthened to `lease_for` from now.
    /// What gets [`Turn::Now`] is counted; no piece at all gets it whenever the
    /// lease is held and GitHub does not ask to wait. `None` if the lease was
    /// lost: the run must stop.
    ///
    /// # Errors
    /// As the database's.
    pub async fn take_turn(
        &self,
        lease: &Lease,
        lease_for: Duration,
        installation: InstallationId,
        pieces: u32,
        pace: Pace,
        now: Timestamp,
    ) -> Result<Option<Turn>, StoreError> {
        const DOING: &str = "take a turn to write";
        let refused = StoreError::of(DOING);
        let id = row::number(installation.0);
        let mut transaction = self.write(DOING).await?;
        let held = sqlx::query(sql::HOLD_PACE)
            .bind(id)
            .fetch_one(&mut *transaction)
            .await
            .and_then(|row| Ok((row.maybe_time("paused_until")?, row.maybe_time("halved_until")?)));
        let (paused_until, halved_until) = held.map_err(&refused)?;
        if !super::queue::renew_in(&mut transaction, lease, lease_for, now).await.map_err(&refused)? {
            return Ok(None);
        }
        let turn = match paused_until.filter(|until| *until > now) {
            Some(until) => Turn::Not(until),
            None if pieces == 0 => Turn::Now,
            None => {
                let written = sqlx::query(sql::WRITTEN_SINCE)
                    .bind(id)
                    .bind(row::millis(now - HOUR))
                    .fetch_all(&mut *transaction)
                    .await
                    .and_then(|rows| rows.iter().map(written).collect::<Result<Vec<_>, _>>())
                    .map_err(&refused)?;
                let halved = halved_until.is_some_and(|until| until > now);
                let pace = if halved { pace.halved() } else { pace };
                pace.turn(&written, pieces, now)
            }
        };
        if turn == Turn::Now && pieces > 0 {
            sqlx::query(sql::FORGET_WRITTEN)
                .bind(id)
                .bind(row::millis(now - HOUR))
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
            sqlx::query(sql::COUNT_WRITE)
                .bind(id)
                .bind(row::millis(now))
                .bind(i64::from(pieces))
                .bind(i64::from(pace.per_hour.is_some()))
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        commit(transaction, DOING).await?;
        Ok(Some(turn))
    }

    /// GitHub refused a call for a limit: no job of the installation begins
    /// before `until`, and for an hour its content is written at half the pace.
    ///
    /// # Errors
    /// As the database's.
    pub async fn limited(
        &self,
        installation: i64,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(sql::LIMITED)
            .bind(installation)
            .bind(row::millis(until))
            .bind(row::millis(now + HOUR));
        self.change("note that GitHub asks to wait", query).await
    }
}

fn written(row: &AnyRow) -> Result<Written, sqlx::Error> {
    let pieces = u32::try_from(row.integer("pieces")?).unwrap_or(u32::MAX);
    Ok(Written { at: row.time("written_at")?, pieces, hourly: row.flag("hourly")? })
}
