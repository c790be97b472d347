//! The published inventory, as everybody gets it and as it stands in its
//! repository, and the one that is imported.

use super::{
    Doctor,
    rows::{Check, Row},
};
use crate::{
    domain::{inventory::standing::Stands, repository::AccountId, words::inventory as say},
    store::{Import, Installation, Keeping, KeptFile, Store, StoreError, Verification},
};

impl Doctor<'_> {
    /// What is known of published files and of imports; nothing where there are
    /// none.
    pub(super) async fn inventories(&self, store: &Store) -> Vec<Row> {
        inventories(store)
            .await
            .unwrap_or_else(|error| vec![Row::unchecked(Check::Inventory, format!("{error}."))])
    }
}

async fn inventories(store: &Store) -> Result<Vec<Row>, StoreError> {
    let known = store.installations().await?;
    let imports = store.imports().await?;
    let mut rows: Vec<Row> = imports.iter().map(|(account, found)| import(&known, *account, found)).collect();
    for agency in store.verified_agencies().await? {
        rows.extend(store.verifications(&agency).await?.iter().map(verification));
    }
    for agency in store.keeping_agencies().await? {
        let Some(keeping) = store.keeping(&agency).await? else { continue };
        rows.extend(hindrance(&keeping));
        rows.extend(store.kept(&agency).await?.iter().filter_map(|file| kept(&keeping, file)));
    }
    Ok(rows)
}

fn hindrance(keeping: &Keeping) -> Option<Row> {
    let why = keeping.hindrance.as_ref()?;
    let since = keeping.hindered_at.map(|at| at.strftime("%Y-%m-%d %H:%MZ").to_string());
    let means = format!(
        "The inventory is not kept there as the policy asks, since {}: {why}.",
        since.unwrap_or_else(|| "a while".to_owned())
    );
    let remedy =
        "Mend that, or change inventory in the policy: docs/inventory.md, \"Where it is published\".";
    Some(Row::warning(Check::Inventory, means, remedy).about(&keeping.repository))
}

fn kept(keeping: &Keeping, file: &KeptFile) -> Option<Row> {
    let (stands, since, _) = file.stands?;
    let means = format!("Since {} {}.", since.strftime("%Y-%m-%d %H:%MZ"), say::stands(stands));
    let row = match stands {
        Stands::Same | Stands::Waits(_) => Row::ok(Check::Inventory, means),
        Stands::Behind | Stands::Absent => Row::warning(
            Check::Inventory,
            means,
            "It is proposed with the next change; a pull request that was closed can be opened again.",
        ),
        Stands::Edited => Row::warning(
            Check::Inventory,
            means,
            "Undo the edit, and make it in the code.json of the repository that the entry is about.",
        ),
    };
    Some(row.about(format!("{} {}", keeping.repository, file.file)))
}

/// Why it cannot be used may name a host: the audit has it.
fn import(known: &[Installation], account: AccountId, found: &Import) -> Row {
    let remedy = "Read why with muster audit, and mend what inventory.import names, or name another.";
    let row = match (&found.problem, &found.good) {
        (None, Some(good)) => Row::ok(
            Check::Inventory,
            format!("The import was read at {}.", good.read_at.strftime("%Y-%m-%d %H:%MZ")),
        ),
        (Some(_), Some(good)) => Row::warning(
            Check::Inventory,
            format!(
                "The import cannot be used any more: that of {} is used on.",
                good.read_at.strftime("%Y-%m-%d %H:%MZ")
            ),
            remedy,
        ),
        (Some(_) | None, None) => {
            Row::fails(Check::Inventory, "The import could never be used: nothing is published.", remedy)
        }
    };
    let login = known.iter().find(|known| known.account == account).map(|known| known.login.clone());
    row.about(login.unwrap_or_else(|| account.to_string()))
}

fn verification(found: &Verification) -> Row {
    let row = match (&found.differs, &found.last) {
        (None, Some(last)) => {
            let harvest = &last.harvest;
            let dropped = harvest.incomplete + harvest.duplicates;
            let means = format!(
                "Everybody gets what was published, as last verified at {}. A harvester takes {} entries and \
                 drops {dropped}; it deletes {} that it had.",
                last.at.strftime("%Y-%m-%d %H:%MZ"),
                harvest.identifiers.len(),
                harvest.deleted.len()
            );
            Row::ok(Check::Inventory, means)
        }
        (Some(why), last) => {
            let last = last.as_ref().map(|last| last.at.strftime("%Y-%m-%d %H:%MZ").to_string());
            let last =
                last.map_or_else(|| "never verified".to_owned(), |at| format!("last verified at {at}"));
            Row::warning(
                Check::Inventory,
                format!("What everybody gets is not what was published: {why}. It was {last}."),
                "Fetch the address below yourself: mend its cache or proxy, or correct MUSTER_PUBLIC_URL.",
            )
        }
        (None, None) => Row::unchecked(Check::Inventory, "It was never fetched."),
    };
    row.about(format!("{} {}", found.agency, found.file)).at(&found.url)
}
