//! Whether the ledger is as it was written.

use super::chain::{Broken, EntryKind, Follower, page};
use crate::store::row::Columns;
use crate::store::{Store, StoreError, sql};
use sqlx::AnyConnection;

const VERIFYING: &str = "verify the ledger";

/// What verifying the ledger brought to light.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many entries are as they were written, from the first on.
    pub entries: i64,
    /// The hash of the last of these. Kept elsewhere, it proves later that
    /// nothing up to it was changed or cut off.
    pub head: String,
    /// The first that is not, if there is one.
    pub broken: Option<Broken>,
}

impl Store {
    /// Follows the chain of the ledger from its first entry, at one moment.
    /// `anchor` is a hash that was the head once.
    ///
    /// # Errors
    /// As the database's.
    pub async fn verify_ledger(&self, anchor: Option<&str>) -> Result<Verified, StoreError> {
        let refused = StoreError::of(VERIFYING);
        let mut snapshot = self.snapshot(VERIFYING).await?;
        let mut follower = Follower::new(anchor);
        let broken = follow(&mut snapshot, &mut follower).await.map_err(&refused)?;
        snapshot.rollback().await.map_err(&refused)?;
        Ok(Verified { entries: follower.seq(), head: follower.head().to_owned(), broken })
    }
}

async fn follow(
    connection: &mut AnyConnection,
    follower: &mut Follower<'_>,
) -> Result<Option<Broken>, sqlx::Error> {
    loop {
        let links = page(&mut *connection, follower.seq()).await?;
        if links.is_empty() {
            break;
        }
        if let Some(broken) = links.iter().find_map(|linked| follower.follow(linked).err()) {
            return Ok(Some(broken));
        }
    }
    for (kind, statement) in
        [(EntryKind::Decision, sql::FIRST_UNLINKED_DECISION), (EntryKind::Audit, sql::FIRST_UNLINKED_AUDIT)]
    {
        let first = sqlx::query(statement).fetch_one(&mut *connection).await?.maybe_integer("id")?;
        if let Some(id) = first {
            return Ok(Some(Broken::Foreign { entry: format!("{kind} {id}") }));
        }
    }
    let written = sqlx::query(sql::CHAINED).fetch_one(&mut *connection).await?.integer("value")?;
    Ok(follower.whole(written).err())
}
