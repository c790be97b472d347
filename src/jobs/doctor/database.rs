//! The database: whether it is there, takes writes, has room, and what lies in
//! it that nobody has looked at.

use super::{
    Doctor,
    rows::{Check, Row},
};
use crate::store::{Dialect, Examined, FileFacts, Scope, Store, StoreError};

/// The most dead letters and unreadable items that are told one by one.
const MOST: u32 = 100;
const MIB: u64 = 1024 * 1024;

impl Doctor<'_> {
    /// What only a person can go on with.
    pub(super) async fn work_left(&self, store: &Store) -> Vec<Row> {
        let mut rows = vec![match store.dead(MOST, self.now).await {
            Ok(dead) => dead_letters(dead.len()),
            Err(error) => Row::unchecked(Check::DeadLetters, format!("{error}.")),
        }];
        match store.unreadable(MOST).await {
            Ok(found) if found.is_empty() => {
                rows.push(Row::ok(Check::Unreadable, "Everything that Muster has opened can be read."));
            }
            Ok(found) => rows.extend(found.into_iter().map(|item| {
                Row::warning(
                    Check::Unreadable,
                    "This is Muster's, but its hidden line is damaged: nothing else of its kind is opened there.",
                    "Close it, or bring back the key it was signed with in MUSTER_INSTANCE_KEY.",
                )
                .about(format!("{}#{}", item.repository, item.number))
            })),
            Err(error) => rows.push(Row::unchecked(Check::Unreadable, format!("{error}."))),
        }
        rows.extend(
            paused(store)
                .await
                .unwrap_or_else(|error| vec![Row::unchecked(Check::Writing, format!("{error}."))]),
        );
        rows
    }
}

/// Where writing is stopped by an operator.
async fn paused(store: &Store) -> Result<Vec<Row>, StoreError> {
    let (pauses, known) = (store.pauses().await?, store.installations().await?);
    if pauses.is_empty() {
        return Ok(vec![Row::ok(Check::Writing, "It is paused nowhere.")]);
    }
    let mut rows = Vec::new();
    for pause in pauses {
        let held = store.held(pause.scope).await?;
        let since = pause.since.strftime("%Y-%m-%d %H:%MZ");
        let waits = format!("{} changes in {} repositories wait", held.changes, held.repositories);
        rows.push(match pause.scope {
            Scope::All => {
                let remedy = "muster pause says who paused it and why; muster resume --all ends it.";
                Row::warning(
                    Check::Writing,
                    format!("It is paused everywhere since {since}; {waits}."),
                    remedy,
                )
            }
            Scope::Account(account) => {
                let remedy = "muster pause says who paused it and why; muster resume ORG ends it.";
                let known = known.iter().find(|known| known.account == account);
                let row =
                    Row::warning(Check::Writing, format!("It is paused since {since}; {waits}."), remedy);
                let row = row.about(known.map_or_else(|| account.to_string(), |known| known.login.clone()));
                Row { installation: known.map(|known| known.id), ..row }
            }
        });
    }
    Ok(rows)
}

fn dead_letters(count: usize) -> Row {
    let most = MOST as usize;
    let means = match count {
        0 => return Row::ok(Check::DeadLetters, "No job has failed for good."),
        1 => "1 job has failed for good.".to_owned(),
        count if count < most => format!("{count} jobs have failed for good."),
        _ => format!("{most} jobs or more have failed for good."),
    };
    let remedy =
        "Read why with muster jobs --dead, remove the cause, and bring them back with muster jobs retry.";
    Row::warning(Check::DeadLetters, means, remedy)
}

/// The rows about a database as it was found.
pub(super) fn judge(examined: &Result<Option<Examined>, StoreError>) -> Vec<Row> {
    let found = match examined {
        Err(error) => {
            return vec![Row::fails(
                Check::Database,
                format!("{error}."),
                "Check MUSTER_DATABASE_URL, and that the database runs and lets this user in.",
            )];
        }
        Ok(None) => {
            return vec![Row::ok(Check::Database, "There is no database yet; muster serve makes it.")];
        }
        Ok(Some(found)) => found,
    };
    let mut rows = vec![schema(found)];
    if let Some(facts) = &found.file {
        if facts.open_to_others {
            let means = "Other users of this machine can read the database.";
            rows.push(Row::fails(Check::Database, means, "Give the file mode 0600."));
        }
        rows.push(disk(facts));
    }
    rows
}

fn schema(found: &Examined) -> Row {
    let Examined { version, known, journal, .. } = found;
    let name = match found.dialect {
        Dialect::Sqlite => "SQLite",
        Dialect::Postgres => "PostgreSQL",
    };
    if version > known {
        let error = StoreError::Newer { found: *version, known: *known };
        return Row::fails(
            Check::Database,
            format!("{error}."),
            "Start a Muster at least as new as that one.",
        );
    }
    if let Some(Err(error)) = &found.writable {
        let remedy = "Give this user the right to write; see that the disk is not full or read-only.";
        return Row::fails(Check::Database, format!("It takes no writes: {error}."), remedy);
    }
    if version < known {
        let means = format!("{name} has schema version {version}, this Muster writes {known}.");
        if *version == 0 {
            return Row::ok(Check::Database, means + " muster serve makes it.");
        }
        return Row::warning(Check::Database, means, "Back it up and start muster serve, which upgrades it.");
    }
    if journal.contains("off") {
        let means = format!("{name} ({journal}) may lose in a crash what was answered with 202.");
        return Row::warning(Check::Database, means, "Switch fsync and synchronous_commit on.");
    }
    Row::ok(Check::Database, format!("{name}, schema version {version}, takes writes ({journal})."))
}

fn disk(facts: &FileFacts) -> Row {
    let free = facts.free / MIB;
    let means = format!("{free} MiB are free on the disk of the database.");
    let remedy = "Make room, or move the database to a larger disk.";
    if free < 100 {
        Row::fails(Check::Disk, means, remedy)
    } else if free < 1024 || facts.free.saturating_mul(20) < facts.size {
        Row::warning(Check::Disk, means, remedy)
    } else {
        Row::ok(Check::Disk, means)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::rows::State, *};

    fn found() -> Examined {
        Examined {
            dialect: Dialect::Sqlite,
            version: 2,
            known: 2,
            writable: Some(Ok(())),
            journal: "wal".to_owned(),
            file: Some(FileFacts { open_to_others: false, free: 5000 * MIB, size: 9000 * MIB }),
        }
    }

    fn states(examined: Examined) -> Vec<State> {
        judge(&Ok(Some(examined))).iter().map(|row| row.state).collect()
    }

    #[test]
    fn a_database_is_judged_by_what_was_found() {
        use State::{Fails, Ok, Warning};
        assert_eq!(states(found()), [Ok, Ok]);
        assert_eq!(states(Examined { version: 1, ..found() }), [Warning, Ok]);
        assert_eq!(states(Examined { version: 3, ..found() }), [Fails, Ok]);
        assert_eq!(states(Examined { version: 0, writable: None, ..found() }), [Ok, Ok]);
        let away = || StoreError::Url { problem: "x".to_owned() };
        assert_eq!(states(Examined { writable: Some(Err(away())), ..found() }), [Fails, Ok]);
        let server = |journal: &str| Examined {
            dialect: Dialect::Postgres,
            journal: journal.to_owned(),
            file: None,
            ..found()
        };
        assert_eq!(states(server("fsync on, synchronous_commit on")), [Ok]);
        assert_eq!(states(server("fsync on, synchronous_commit off")), [Warning]);
        assert_eq!(judge(&Err(away()))[0].state, Fails);
        assert_eq!(judge(&std::result::Result::Ok(None))[0].state, Ok);
    }

    #[test]
    fn a_file_is_ours_alone_and_has_room() {
        use State::{Fails, Ok, Warning};
        let with = |open_to_others, free: u64, size: u64| {
            states(Examined {
                file: Some(FileFacts { open_to_others, free: free * MIB, size: size * MIB }),
                ..found()
            })
        };
        assert_eq!(with(true, 5000, 9000), [Ok, Fails, Ok]);
        assert_eq!(with(false, 99, 9000), [Ok, Fails]);
        assert_eq!(with(false, 1023, 9000), [Ok, Warning]);
        assert_eq!(with(false, 4000, 90_000), [Ok, Warning]);
    }

    #[test]
    fn dead_letters_are_counted() {
        assert_eq!(dead_letters(0).state, State::Ok);
        assert_eq!(dead_letters(1).means, "1 job has failed for good.");
        assert!(dead_letters(100).means.contains("or more"));
    }
}
