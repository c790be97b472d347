//! The chain: each entry of the ledger is sealed with the hash of its
//! predecessor, so that nobody can change the past unnoticed (threats O8).
//!
//! Promises: (1) a link's hash is the SHA-256 of one line of JSON (RFC 8785):
//! the entry's columns as stored, its kind, the hash before and its place, so
//! that an auditor can compute it without Muster; (2) the form of that line
//! never changes; (3) replicas append one after the other; (4) the first entry
//! that was changed, replaced or removed is told, and one cut off at the end
//! against a hash that was kept elsewhere.

mod follow;

pub use follow::Broken;
pub(in crate::store) use follow::Follower;

use super::super::row::Columns;
use super::super::rows::{AuditRow, DecisionRow, LinkRow};
use super::super::work::words;
use super::super::{StoreError, Transaction, sql, take_numbers};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::AnyConnection;
use std::collections::HashMap;

/// What stands before the first entry.
pub(in crate::store) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// So many links are read at a time.
const PAGE: i64 = 1000;

words! {
    /// The two kinds of entries of the ledger.
    EntryKind {
        /// What a person decided.
        Decision = "decision",
        /// What Muster did or refused.
        Audit = "audit",
    }
}

/// An entry as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(in crate::store) enum Entry {
    Decision(DecisionRow),
    Audit(AuditRow),
}

impl Entry {
    pub(in crate::store) fn kind(&self) -> EntryKind {
        match self {
            Entry::Decision(_) => EntryKind::Decision,
            Entry::Audit(_) => EntryKind::Audit,
        }
    }

    pub(in crate::store) fn id(&self) -> i64 {
        match self {
            Entry::Decision(row) => row.id,
            Entry::Audit(row) => row.id,
        }
    }

    fn number(&mut self, id: i64) {
        match self {
            Entry::Decision(row) => row.id = id,
            Entry::Audit(row) => row.id = id,
        }
    }

    pub(in crate::store) async fn insert(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let query = match self {
            Entry::Decision(row) => row.insert(),
            Entry::Audit(row) => row.insert(),
        };
        query.execute(connection).await.map(|_| ())
    }
}

/// The line that is hashed: its fields in the order of the alphabet, without
/// white space.
#[derive(Serialize)]
struct Sealed<'a> {
    entry: &'a Entry,
    kind: &'static str,
    previous: &'a str,
    seq: i64,
}

/// The hash of an entry at its place after `previous`.
fn seal(entry: &Entry, previous: &str, seq: i64) -> String {
    let sealed = Sealed { entry, kind: entry.kind().as_str(), previous, seq };
    let line = serde_json::to_vec(&sealed).expect("numbers and texts under names are JSON");
    hex::encode(Sha256::digest(line))
}

fn link(entry: &Entry, previous: String, seq: i64) -> LinkRow {
    let hash = seal(entry, &previous, seq);
    LinkRow { entry: entry.id(), hash, kind: entry.kind().as_str().to_owned(), previous, seq }
}

/// Numbers entries, adds them and links them, in this order; answers their ids.
/// Whoever appends holds the end of the chain until the transaction ends, so
/// this comes last in it.
pub(in crate::store) async fn append(
    transaction: &mut Transaction,
    mut entries: Vec<Entry>,
    doing: &'static str,
) -> Result<Vec<i64>, StoreError> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let refused = StoreError::of(doing);
    let count = entries.len() as i64;
    let mut seq = take_numbers(transaction, "chain", count, doing).await? - count;
    let mut previous = last_hash(transaction, seq).await.map_err(&refused)?;
    for kind in EntryKind::ALL {
        let mut of_kind: Vec<&mut Entry> = entries.iter_mut().filter(|entry| entry.kind() == *kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let count = of_kind.len() as i64;
        let first = take_numbers(transaction, kind.as_str(), count, doing).await? - count + 1;
        of_kind.iter_mut().zip(first..).for_each(|(entry, id)| entry.number(id));
    }
    for entry in &entries {
        seq += 1;
        let link = link(entry, previous, seq);
        entry.insert(transaction).await.map_err(&refused)?;
        link.insert().execute(&mut **transaction).await.map_err(&refused)?;
        previous = link.hash;
    }
    Ok(entries.iter().map(Entry::id).collect())
}

/// The hash of the newest link up to `seq`. If somebody took the newest away,
/// the chain goes on all the same, and the gap stays to be found.
async fn last_hash(connection: &mut AnyConnection, seq: i64) -> Result<String, sqlx::Error> {
    let last = sqlx::query(sql::LAST_LINK).bind(seq).fetch_optional(connection).await?;
    last.map_or_else(|| Ok(GENESIS.to_owned()), |row| row.text("hash"))
}

/// Links every entry of a ledger that had no chain yet, in the order of time.
pub(in crate::store) async fn forge(
    transaction: &mut Transaction,
    doing: &'static str,
) -> Result<(), StoreError> {
    let refused = StoreError::of(doing);
    let mut entries = Vec::new();
    for row in sqlx::query(DecisionRow::SELECT).fetch_all(&mut **transaction).await.map_err(&refused)? {
        let row = DecisionRow::read(&row).map_err(&refused)?;
        entries.push((row.decided_at, Entry::Decision(row)));
    }
    for row in sqlx::query(AuditRow::SELECT).fetch_all(&mut **transaction).await.map_err(&refused)? {
        let row = AuditRow::read(&row).map_err(&refused)?;
        entries.push((row.noted_at, Entry::Audit(row)));
    }
    // What has one time stays in order: decisions, then the audit of them.
    entries.sort_by_key(|(at, _)| *at);
    let mut previous = GENESIS.to_owned();
    for ((_, entry), seq) in entries.iter().zip(1_i64..) {
        let link = link(entry, previous, seq);
        link.insert().execute(&mut **transaction).await.map_err(&refused)?;
        previous = link.hash;
    }
    take_numbers(transaction, "chain", entries.len() as i64, doing).await.map(|_| ())
}

/// A link and its entry; none if the entry is gone, or is no longer one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Linked {
    pub(in crate::store) link: LinkRow,
    pub(in crate::store) entry: Option<Entry>,
}

/// The links after `seq` with their entries, oldest first; empty at the end.
pub(in crate::store) async fn page(
    connection: &mut AnyConnection,
    seq: i64,
) -> Result<Vec<Linked>, sqlx::Error> {
    let rows = sqlx::query(sql::LINKS).bind(seq).bind(PAGE).fetch_all(&mut *connection).await?;
    let links: Vec<LinkRow> = rows.iter().map(LinkRow::read).collect::<Result<_, _>>()?;
    let Some(last) = links.last().map(|link| link.seq) else { return Ok(Vec::new()) };
    let mut entries = HashMap::new();
    // What cannot be read as an entry was changed: it counts as not there.
    let decisions = sqlx::query(sql::DECISIONS_OF_LINKS).bind(seq).bind(last);
    let rows = decisions.fetch_all(&mut *connection).await?;
    for row in rows.iter().map(DecisionRow::read).filter_map(Result::ok) {
        entries.insert((EntryKind::Decision, row.id), Entry::Decision(row));
    }
    let rows = sqlx::query(sql::AUDIT_OF_LINKS).bind(seq).bind(last).fetch_all(connection).await?;
    for row in rows.iter().map(AuditRow::read).filter_map(Result::ok) {
        entries.insert((EntryKind::Audit, row.id), Entry::Audit(row));
    }
    let linked = |link: LinkRow| {
        let kind: Option<EntryKind> = link.kind.parse().ok();
        Linked { entry: kind.and_then(|kind| entries.remove(&(kind, link.entry))), link }
    };
    Ok(links.into_iter().map(linked).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted() -> Entry {
        Entry::Audit(AuditRow {
            actor: None,
            detail: "{\"detail\":\"opened\u{1f}#3 \\\"ä\\\"\"}".to_owned(),
            id: 12,
            installation: Some(3),
            noted_at: 1_790_000_000_000,
            repository: Some(7),
            what: "changed".to_owned(),
        })
    }

    /// The line and its hash are for life: this text never changes.
    #[test]
    fn the_sealed_line_is_as_ever() {
        let entry = noted();
        let sealed = Sealed { entry: &entry, kind: "audit", previous: GENESIS, seq: 1 };
        let line = serde_json::to_string(&sealed).unwrap();
        assert_eq!(
            line,
            format!(
                "{{\"entry\":{{\"actor\":null,\"detail\":\"{{\\\"detail\\\":\\\"opened\\u001f#3 \\\\\\\"ä\\\\\\\"\\\"}}\",\
                 \"id\":12,\"installation\":3,\"noted_at\":1790000000000,\"repository\":7,\"what\":\"changed\"}},\
                 \"kind\":\"audit\",\"previous\":\"{GENESIS}\",\"seq\":1}}"
            )
        );
        let decision = Entry::Decision(DecisionRow {
            actor: 44,
            approver: None,
            decided_at: 1,
            evidence_url: None,
            findings: "readme:missing".to_owned(),
            id: 1,
            login: "alice".to_owned(),
            reason: None,
            repository: 7,
            role: "write".to_owned(),
            rule: None,
            status: "declined".to_owned(),
            until: Some(2),
            via: "close".to_owned(),
        });
        assert_eq!(
            serde_json::to_string(&decision).unwrap(),
            "{\"actor\":44,\"approver\":null,\"decided_at\":1,\"evidence_url\":null,\
             \"findings\":\"readme:missing\",\"id\":1,\"login\":\"alice\",\"reason\":null,\"repository\":7,\
             \"role\":\"write\",\"rule\":null,\"status\":\"declined\",\"until\":2,\"via\":\"close\"}"
        );
    }
}
