//! The last good import of an account's policy, and what became of the newer
//! ones.
//!
//! Promises: (1) entries and what they were read from commit together; (2) one
//! that could not be used leaves the last good one in place; (3) an import that
//! says the same writes no entry.

use super::row::{self, Columns};
use super::{Store, StoreError, commit, sql};
use crate::domain::{inventory::Imported, repository::AccountId};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use std::collections::HashMap;

/// What is known of an import, but for its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// What was asked for last, as the policy writes it.
    pub asked: String,
    /// When.
    pub asked_at: Timestamp,
    /// Why that came to nothing.
    pub problem: Option<String>,
    /// The last that could be used; `None` if none ever could.
    pub good: Option<GoodImport>,
}

/// An import that could be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoodImport {
    /// What the policy called it.
    pub source: String,
    /// Its git object id, or SHA-256 in hex.
    pub version: String,
    /// The validator of its server.
    pub etag: Option<String>,
    /// When it was read.
    pub read_at: Timestamp,
}

impl Store {
    /// What is known of an account's import; `None` if none was ever asked for.
    ///
    /// # Errors
    /// As the database's.
    pub async fn import(&self, account: AccountId) -> Result<Option<Import>, StoreError> {
        let refused = StoreError::of("read what is known of an import");
        let row = sqlx::query(sql::IMPORT)
            .bind(row::number(account.0))
            .fetch_optional(&self.reader)
            .await
            .map_err(&refused)?;
        row.map(|row| import(&row)).transpose().map_err(refused)
    }

    /// What is known of all imports, by account.
    ///
    /// # Errors
    /// As the database's.
    pub async fn imports(&self) -> Result<Vec<(AccountId, Import)>, StoreError> {
        let refused = StoreError::of("list the imports");
        let rows = sqlx::query(sql::IMPORTS).fetch_all(&self.reader).await.map_err(&refused)?;
        let read = |row: &AnyRow| Ok((AccountId(row.number("account")?), import(row)?));
        rows.iter().map(read).collect::<Result<_, _>>().map_err(refused)
    }

    /// The entries of the last import that could be used, in its order.
    ///
    /// # Errors
    /// As the database's.
    pub async fn imported(&self, account: AccountId) -> Result<Vec<Imported>, StoreError> {
        let refused = StoreError::of("read an import");
        let rows = sqlx::query(sql::IMPORTED)
            .bind(row::number(account.0))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        let read = |row: &AnyRow| {
            let text = row.text("entry").map_err(&refused)?;
            serde_json::from_str(&text).map_err(|error| StoreError::Row {
                table: "imported",
                key: account.to_string(),
                problem: error.to_string(),
            })
        };
        rows.iter().map(read).collect()
    }

    /// Stores what became of an import; with `entries`, these in place of those
    /// before.
    ///
    /// # Errors
    /// As the database's.
    pub async fn take_import(
        &self,
        account: AccountId,
        import: &Import,
        entries: Option<&[Imported]>,
    ) -> Result<(), StoreError> {
        const DOING: &str = "store an import";
        let refused = StoreError::of(DOING);
        let before = match entries {
            Some(_) => self.imported_texts(account).await?,
            None => HashMap::new(),
        };
        let mut transaction = self.write(DOING).await?;
        let good = import.good.as_ref();
        sqlx::query(sql::PUT_IMPORT)
            .bind(row::number(account.0))
            .bind(row::text(&import.asked))
            .bind(row::millis(import.asked_at))
            .bind(row::maybe_text(import.problem.as_deref()))
            .bind(row::maybe_text(good.map(|good| good.source.as_str())))
            .bind(good.map(|good| good.version.clone()))
            .bind(row::maybe_text(good.and_then(|good| good.etag.as_deref())))
            .bind(row::maybe_millis(good.map(|good| good.read_at)))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        if let Some(entries) = entries {
            for (position, entry) in (0_i64..).zip(entries) {
                let text = serde_json::to_string(entry)
                    .map_err(|error| refused(sqlx::Error::Encode(error.into())))?;
                let text = row::text(&text);
                if before.get(&position) == Some(&text) {
                    continue;
                }
                sqlx::query(sql::PUT_IMPORTED)
                    .bind(row::number(account.0))
                    .bind(position)
                    .bind(text)
                    .execute(&mut *transaction)
                    .await
                    .map_err(&refused)?;
            }
            sqlx::query(sql::CUT_IMPORTED)
                .bind(row::number(account.0))
                .bind(i64::try_from(entries.len()).unwrap_or(i64::MAX))
                .execute(&mut *transaction)
                .await
                .map_err(&refused)?;
        }
        commit(transaction, DOING).await
    }

    /// Forgets an import: the policy names none any more.
    ///
    /// # Errors
    /// As the database's.
    pub async fn forget_import(&self, account: AccountId) -> Result<(), StoreError> {
        const DOING: &str = "forget an import";
        let refused = StoreError::of(DOING);
        let mut transaction = self.write(DOING).await?;
        sqlx::query(sql::REMOVE_IMPORT)
            .bind(row::number(account.0))
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        sqlx::query(sql::CUT_IMPORTED)
            .bind(row::number(account.0))
            .bind(0_i64)
            .execute(&mut *transaction)
            .await
            .map_err(&refused)?;
        commit(transaction, DOING).await
    }

    async fn imported_texts(&self, account: AccountId) -> Result<HashMap<i64, String>, StoreError> {
        let refused = StoreError::of("read an import");
        let rows = sqlx::query(sql::IMPORTED)
            .bind(row::number(account.0))
            .fetch_all(&self.reader)
            .await
            .map_err(&refused)?;
        let read = |row: &AnyRow| Ok((row.integer("position")?, row.text("entry")?));
        rows.iter().map(read).collect::<Result<_, _>>().map_err(refused)
    }
}

fn import(row: &AnyRow) -> Result<Import, sqlx::Error> {
    let good = match (row.maybe_text("source")?, row.maybe_text("version")?, row.maybe_time("read_at")?) {
        (Some(source), Some(version), Some(read_at)) => {
            Some(GoodImport { source, version, etag: row.maybe_text("etag")?, read_at })
        }
        (_, _, _) => None,
    };
    let (asked, asked_at) = (row.text("asked")?, row.time("asked_at")?);
    Ok(Import { asked, asked_at, problem: row.maybe_text("problem")?, good })
}
