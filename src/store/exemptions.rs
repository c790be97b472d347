//! The register of exemptions of each account: the last good one, why a later
//! one was refused, and all that was ever in force.
//!
//! Promises: (1) a refusal takes no exemption away; (2) what a register adds to
//! the history is committed with it, and noted in the audit; (3) the history is
//! only added to: triggers refuse the rest; (4) whether a repository is still
//! where its exemption holds is looked up with every read, so that one that
//! leaves is out at once (threats T6).

use std::collections::BTreeMap;

use super::ledger::{NewAudit, note};
use super::row::{self, Columns};
use super::rows::ExemptionEventRow;
use super::{Store, StoreError, Transaction, commit, sql, take_numbers};
use crate::domain::{
    exemptions::{
        Entry, Exemption, Standing, Trust, Whereabouts,
        history::{Event, Happened, History},
        verify::Proof,
    },
    repository::{AccountId, InstallationId, Login, RepositoryId, RepositoryName},
};
use jiff::{Timestamp, civil::Date};
use sqlx::any::AnyRow;
use sqlx::{Any, Executor};

/// A register that was read and taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenRegister {
    /// The control repository.
    pub repository: RepositoryId,
    /// The tip of its default branch.
    pub head: String,
    /// Git object id of the file.
    pub oid: String,
    /// How many exemptions are classified.
    pub annex: u32,
    /// When it was read.
    pub read_at: Timestamp,
}

/// A register that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterRefusal {
    /// Git object id of the file, if it was read.
    pub oid: Option<String>,
    /// Why, for people.
    pub why: String,
    /// When.
    pub refused_at: Timestamp,
}

/// What is known of an account's exemptions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exemptions {
    /// The register in force; `None` where there is none.
    pub register: Option<TakenRegister>,
    /// A later one that was refused.
    pub refused: Option<RegisterRefusal>,
    /// The entries of the register in force, each bound to its repository.
    pub entries: Vec<Entry>,
    /// What was in force, now or once.
    pub history: History,
    /// What showed that an entry was approved, by its digest: also of such that
    /// are void now.
    proofs: BTreeMap<String, Proof>,
}

impl Exemptions {
    /// The exemptions that hold on a day: granted, verified, begun, not ended,
    /// each for a repository that is still there.
    pub fn in_force(&self, on: Date) -> impl Iterator<Item = &Exemption> {
        let holds = move |entry: &&Entry| entry.standing(on) == Standing::Granted;
        self.entries.iter().filter(holds).map(|entry| &entry.exemption)
    }

    /// What showed that this entry was approved, when that was seen.
    #[must_use]
    pub fn proof(&self, digest: &str) -> Option<&Proof> {
        self.proofs.get(digest).or_else(|| self.history.proof(digest))
    }
}

const READING: &str = "read the exemptions";
const TAKING: &str = "take a register of exemptions";

impl Store {
    /// The exemptions of an account. They hold for repositories of `ours`: the
    /// accounts of its agency, itself among them.
    ///
    /// # Errors
    /// As the database's, and [`StoreError::Row`].
    pub async fn exemptions(&self, account: AccountId, ours: &[AccountId]) -> Result<Exemptions, StoreError> {
        let mut snapshot = self.snapshot(READING).await?;
        let known = known(&mut *snapshot, account, ours).await?;
        snapshot.rollback().await.map_err(StoreError::of(READING))?;
        Ok(known)
    }

    /// The accounts of which anything is known about exemptions.
    ///
    /// # Errors
    /// As the database's.
    pub async fn registers(&self) -> Result<Vec<AccountId>, StoreError> {
        let refused = StoreError::of(READING);
        let rows = sqlx::query(sql::EXEMPTION_REGISTERS).fetch_all(&self.reader).await.map_err(&refused)?;
        rows.iter().map(|row| row.number("account").map(AccountId).map_err(&refused)).collect()
    }

    /// Puts a register in force, or none; an earlier refusal is settled by it.
    /// What changes by it is added to the history.
    ///
    /// # Errors
    /// As [`Store::exemptions`].
    pub async fn take_register(
        &self,
        (account, installation): (AccountId, InstallationId),
        ours: &[AccountId],
        register: Option<(&TakenRegister, &[Entry])>,
        now: Timestamp,
    ) -> Result<Vec<Event>, StoreError> {
        let refused = StoreError::of(TAKING);
        let mut transaction = self.write(TAKING).await?;
        for statement in [sql::REMOVE_ENTRIES, sql::REMOVE_REGISTER, sql::CLEAR_REGISTER_REFUSAL] {
            let query = sqlx::query(statement).bind(row::number(account.0));
            query.execute(&mut *transaction).await.map_err(&refused)?;
        }
        if let Some((register, entries)) = register {
            put(&mut transaction, account, register, entries).await.map_err(&refused)?;
        }
        let known = known(&mut *transaction, account, ours).await?;
        let events = known.history.after(&known.entries, now);
        add(&mut transaction, account, &events, &known.history).await?;
        let audit: Vec<NewAudit> = events.iter().map(|event| audited(event, installation, &known)).collect();
        if !audit.is_empty() {
            note(&mut transaction, &audit, now).await?;
        }
        commit(transaction, TAKING).await?;
        Ok(events)
    }

    /// Notes why a register was not taken; the last good one stays in force.
    ///
    /// # Errors
    /// As the database's.
    pub async fn refuse_register(
        &self,
        account: AccountId,
        refusal: &RegisterRefusal,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(sql::REFUSE_REGISTER)
            .bind(row::number(account.0))
            .bind(row::maybe_text(refusal.oid.as_deref()))
            .bind(row::text(&refusal.why))
            .bind(row::millis(refusal.refused_at));
        self.change("note a refused register of exemptions", query).await
    }
}

/// All that is known of an account, at one moment.
async fn known<'c, E>(
    executor: &'c mut E,
    account: AccountId,
    ours: &[AccountId],
) -> Result<Exemptions, StoreError>
where
    for<'e> &'e mut E: Executor<'e, Database = Any>,
{
    let refused = StoreError::of(READING);
    let id = row::number(account.0);
    let register = sqlx::query(sql::EXEMPTION_REGISTER)
        .bind(id)
        .fetch_optional(&mut *executor)
        .await
        .map_err(&refused)?;
    let refusal =
        sqlx::query(sql::REGISTER_REFUSAL).bind(id).fetch_optional(&mut *executor).await.map_err(&refused)?;
    let rows =
        sqlx::query(sql::EXEMPTION_ENTRIES).bind(id).fetch_all(&mut *executor).await.map_err(&refused)?;
    let events =
        sqlx::query(sql::EXEMPTION_EVENTS).bind(id).fetch_all(&mut *executor).await.map_err(&refused)?;
    let mut known = Exemptions {
        register: register.as_ref().map(taken).transpose().map_err(&refused)?,
        refused: refusal.as_ref().map(not_taken).transpose().map_err(&refused)?,
        ..Exemptions::default()
    };
    for row in &rows {
        let entry: Entry = decoded("exemption_entry", account, &row.text("entry").map_err(&refused)?)?;
        if let Some(Trust::Verified(proof)) = &entry.trust {
            known.proofs.insert(entry.exemption.digest(), proof.clone());
        }
        let found = whereabouts(row).map_err(&refused)?;
        known.entries.push(entry.bound(found.as_ref(), ours));
    }
    let event = |row: &AnyRow| -> Result<Event, StoreError> {
        Ok(Event {
            digest: row.text("digest").map_err(&refused)?,
            at: row.time("happened_at").map_err(&refused)?,
            what: decoded("exemption_event", account, &row.text("happened").map_err(&refused)?)?,
        })
    };
    known.history = History::of(events.iter().map(event).collect::<Result<Vec<_>, _>>()?);
    Ok(known)
}

fn taken(row: &AnyRow) -> Result<TakenRegister, sqlx::Error> {
    Ok(TakenRegister {
        repository: RepositoryId(row.number("repository")?),
        head: row.text("head")?,
        oid: row.text("oid")?,
        annex: u32::try_from(row.integer("annex")?).unwrap_or_default(),
        read_at: row.time("read_at")?,
    })
}

fn not_taken(row: &AnyRow) -> Result<RegisterRefusal, sqlx::Error> {
    Ok(RegisterRefusal {
        oid: row.maybe_text("oid")?,
        why: row.text("why")?,
        refused_at: row.time("refused_at")?,
    })
}

/// Where an entry's repository is; `None` if it was never seen.
fn whereabouts(row: &AnyRow) -> Result<Option<Whereabouts>, sqlx::Error> {
    let (owner, name) = (row.maybe_text("owner")?, row.maybe_text("name")?);
    let (Some(owner), Some(name), Some(home)) = (owner, name, row.maybe_number("home")?) else {
        return Ok(None);
    };
    let name = owner.parse::<Login>().ok().and_then(|owner| RepositoryName::new(owner, &name).ok());
    let gone = row.flag("gone")?;
    Ok(name.map(|name| Whereabouts { name, account: AccountId(home), gone }))
}

async fn put(
    transaction: &mut Transaction,
    account: AccountId,
    register: &TakenRegister,
    entries: &[Entry],
) -> Result<(), sqlx::Error> {
    sqlx::query(sql::TAKE_REGISTER)
        .bind(row::number(account.0))
        .bind(row::number(register.repository.0))
        .bind(row::text(&register.head))
        .bind(row::text(&register.oid))
        .bind(i64::from(register.annex))
        .bind(row::millis(register.read_at))
        .execute(&mut **transaction)
        .await?;
    for (place, entry) in (0_i64..).zip(entries) {
        sqlx::query(sql::ADD_ENTRY)
            .bind(row::number(account.0))
            .bind(place)
            .bind(row::number(entry.exemption.id.0))
            .bind(encoded(entry))
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

/// Adds events to the history.
async fn add(
    transaction: &mut Transaction,
    account: AccountId,
    events: &[Event],
    history: &History,
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let last = take_numbers(transaction, "exemption_event", count, TAKING).await?;
    for (id, event) in (last - count + 1..).zip(events) {
        let row = ExemptionEventRow {
            account: row::number(account.0),
            digest: event.digest.clone(),
            happened: encoded(&event.what),
            happened_at: row::millis(event.at),
            id,
            repository: about(event, history).map_or(0, |id| row::number(id.0)),
        };
        row.insert().execute(&mut **transaction).await.map_err(StoreError::of(TAKING))?;
    }
    Ok(())
}

/// The repository of an event.
fn about(event: &Event, history: &History) -> Option<RepositoryId> {
    match &event.what {
        Happened::Began { exemption, .. } => Some(exemption.id),
        Happened::Ended => history.get(&event.digest).map(|past| past.exemption.id),
    }
}

fn audited(event: &Event, installation: InstallationId, known: &Exemptions) -> NewAudit {
    let (what, actor, detail) = match &event.what {
        Happened::Began { proof, .. } => {
            let detail = serde_json::json!({
                "digest": event.digest, "pull_request": proof.pull_request, "commit": proof.commit,
            });
            ("exemption_began", Some(proof.by), detail)
        }
        Happened::Ended => ("exemption_ended", None, serde_json::json!({ "digest": event.digest })),
    };
    NewAudit {
        installation: Some(installation),
        repository: about(event, &known.history),
        actor,
        what: what.to_owned(),
        detail: detail.to_string(),
    }
}

/// As stored: JSON, in which NUL is escaped.
fn encoded<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("what is stored has only text keys")
}

fn decoded<T: serde::de::DeserializeOwned>(
    table: &'static str,
    account: AccountId,
    stored: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(stored).map_err(|error| StoreError::Row {
        table,
        key: account.to_string(),
        problem: format!("this version cannot read it: {error}; use the version that wrote it"),
    })
}
