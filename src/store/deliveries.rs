//! Deliveries: what GitHub sent, kept so that nothing counts twice.
//!
//! How long they are kept is said in `retention`.

use super::intake::Arrival;
use super::row::{self, Columns};
use super::work::NewJob;
use super::{Store, StoreError, sql};
use crate::domain::repository::{ObjectId, RepositoryId};
use bytes::Bytes;
use jiff::Timestamp;
use sqlx::any::AnyRow;

/// A verified delivery on its way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// `X-GitHub-Delivery`; the same on redelivery.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The payload's `action`, where the event has one.
    pub action: Option<String>,
    /// The payload's `installation.id`.
    pub installation: Option<i64>,
    /// The payload's `repository.id`.
    pub repository: Option<i64>,
    /// SHA-256 of the body.
    pub digest: [u8; 32],
    /// The body as signed.
    pub body: Bytes,
    /// When it came.
    pub received_at: Timestamp,
}

/// A push that changed nothing a judgement rests on: what was judged at
/// `before` holds at `after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadMoved {
    /// Where.
    pub repository: RepositoryId,
    /// The head that was judged.
    pub before: ObjectId,
    /// The head that counts as judged from now.
    pub after: ObjectId,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// Stored with its jobs.
    New,
    /// Its GUID is stored already; nothing was added.
    Duplicate,
    /// Stored, but a delivery with another GUID had the same body: its jobs
    /// were enqueued, commands excepted, since GUIDs are not signed.
    KnownBody,
}

impl Accepted {
    /// By what [`super::sql::ADD_DELIVERY`] gives back: nothing for a GUID that
    /// is stored already, else whether the body was known.
    pub(super) fn by(known_body: Option<bool>) -> Accepted {
        match known_body {
            None => Accepted::Duplicate,
            Some(true) => Accepted::KnownBody,
            Some(false) => Accepted::New,
        }
    }
}

/// A delivery as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// `X-GitHub-Delivery`.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The payload's `action`.
    pub action: Option<String>,
    /// The payload's `installation.id`.
    pub installation: Option<i64>,
    /// The payload's `repository.id`.
    pub repository: Option<i64>,
    /// SHA-256 of the body.
    pub digest: Vec<u8>,
    /// Whether the body had come before under another GUID.
    pub known_body: bool,
    /// When it came.
    pub received_at: Timestamp,
    /// The body: only from [`Store::delivery`], and only as long as it is kept.
    pub body: Option<Vec<u8>>,
}

/// Which deliveries to list; the default lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Only of this installation.
    pub installation: Option<i64>,
    /// Only about this repository.
    pub repository: Option<i64>,
    /// Only of this event.
    pub event: Option<String>,
}

impl Store {
    /// Stores a delivery together with its jobs; answers after the commit.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot take it now, and
    /// [`StoreError::Newer`] if this version no longer can store it: answer 503.
    pub async fn accept(&self, delivery: NewDelivery, jobs: Vec<NewJob>) -> Result<Accepted, StoreError> {
        self.arrive(Arrival { delivery, jobs, moved: None, check: None, answers: Vec::new() }).await
    }

    /// Stores a push that costs no job, and moves the judged head along unless
    /// the delivery, its body or another head came first; answers after the
    /// commit.
    ///
    /// # Errors
    /// As [`Store::accept`].
    pub async fn accept_moved(
        &self,
        delivery: NewDelivery,
        moved: HeadMoved,
    ) -> Result<Accepted, StoreError> {
        self.arrive(Arrival {
            delivery,
            jobs: Vec::new(),
            moved: Some(moved),
            check: None,
            answers: Vec::new(),
        })
        .await
    }

    /// A database that no longer understands how this version stores a delivery
    /// has been changed by a newer one, which will take it.
    pub(super) async fn arrive(&self, arrival: Arrival) -> Result<Accepted, StoreError> {
        match self.take_in(arrival).await {
            Err(refused @ StoreError::Refused { .. }) => match self.alive().await {
                Err(newer @ StoreError::Newer { .. }) => Err(newer),
                Ok(()) | Err(_) => Err(refused),
            },
            other => other,
        }
    }

    /// At most `limit` deliveries, newest first, without their bodies.
    ///
    /// # Errors
    /// As the database's.
    pub async fn deliveries(&self, filter: &DeliveryFilter, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let refused = StoreError::of("list deliveries");
        let rows = sqlx::query(sql::DELIVERIES)
            .bind(filter.installation)
            .bind(filter.repository)
            .bind(row::maybe_text(filter.event.as_deref()))
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        rows.iter().map(|row| listed(row, None).map_err(&refused)).collect()
    }

    /// One delivery with its body, as long as that is kept.
    ///
    /// # Errors
    /// As the database's.
    pub async fn delivery(&self, guid: &str) -> Result<Option<Delivery>, StoreError> {
        let refused = StoreError::of("read a delivery");
        sqlx::query(sql::DELIVERY)
            .bind(row::text(guid))
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?
            .map(|row| listed(&row, row.maybe_bytes("body").map_err(&refused)?).map_err(&refused))
            .transpose()
    }
}

fn listed(row: &AnyRow, body: Option<Vec<u8>>) -> Result<Delivery, sqlx::Error> {
    Ok(Delivery {
        guid: row.text("guid")?,
        event: row.text("event")?,
        action: row.maybe_text("action")?,
        installation: row.maybe_integer("installation")?,
        repository: row.maybe_integer("repository")?,
        digest: row.bytes("digest")?,
        known_body: row.flag("known_body")?,
        received_at: row.time("received_at")?,
        body,
    })
}
