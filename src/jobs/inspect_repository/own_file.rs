//! What is known of a repository's own `code.json` beside what was read of it,
//! and the answers of its people.
//!
//! Promises (etiquette 4.4 and 4.7, threats P1 and P3): (1) an answer counts
//! only in a pull request of ours that is open, if nobody has written something
//! else in its place, and if who gave it may write there now; (2) one that came
//! while Muster wrote the text anew is not lost; (3) what does not count is
//! forgotten, and stays in the text; (4) doing it again does the same.

use std::collections::BTreeMap;

use super::{Target, ledger, note};
use crate::{
    domain::{
        marker::{Identity, Kind, Whose},
        observed::{Actor, Item, ItemState, RepositoryRead},
        own_file::{
            Said,
            questions::{self, Heard},
        },
        policy::{CodeJsonFile, Policy},
        repository::{AccountId, Repository},
    },
    github::{Reader, Role},
    jobs::{Act, Context, JobError},
    store::{KnownFile, NewAudit, TakenAnswer},
};

/// Looks which answers of people count, and notes what is known.
pub(super) async fn learn(
    ctx: &Context,
    reader: &Reader,
    target: &Target,
    policy: &Policy,
    identity: &Identity,
    read: &mut RepositoryRead,
    act: Act,
) -> Result<Said, JobError> {
    match policy.rules.code_json.file {
        CodeJsonFile::Required if act == Act::Apply => {
            hear(ctx, reader, target, policy, identity, read).await?
        }
        CodeJsonFile::Required | CodeJsonFile::Optional | CodeJsonFile::Off => {}
    }
    let known = ctx.store.own_file(target.account, target.repository).await?;
    Ok(take_in(known, &mut read.snapshot.repository))
}

/// Adds to a repository what only the store knows of it.
pub(in crate::jobs) fn take_in(known: KnownFile, repository: &mut Repository) -> Said {
    let KnownFile { url, former_urls, said } = known;
    repository.former_urls =
        former_urls.into_iter().chain(url).filter(|url| *url != repository.url).collect();
    said
}

async fn hear(
    ctx: &Context,
    reader: &Reader,
    target: &Target,
    policy: &Policy,
    identity: &Identity,
    read: &RepositoryRead,
) -> Result<(), JobError> {
    let waiting = ctx.store.answers_said(target.repository).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let ours = |item: &&Item| {
        let is_ours = matches!(identity.whose(item, target.repository),
            Whose::Ours(marker) if marker.kind == Kind::CodeJson);
        is_ours && item.state == ItemState::Open
    };
    let mut roles: BTreeMap<AccountId, Role> = BTreeMap::new();
    let (mut taken, mut audit): (Vec<TakenAnswer>, Vec<NewAudit>) = (Vec::new(), Vec::new());
    for said in &waiting {
        let item = read.observed.items.iter().filter(ours).find(|item| item.node_id == said.pull_request);
        let Some(item) = item else { continue };
        // Somebody has written something else since, who will be heard. That
        // nothing stands there any more is Muster's own doing: who takes an
        // answer back says so by an edit.
        let stands = questions::filled(&item.body, said.field).unwrap_or_default();
        if !stands.is_empty() && stands != said.filled {
            continue;
        }
        let value = match questions::heard(said.field, &said.filled, policy) {
            Heard::Value(value) => value,
            // The text says what is wrong with it.
            Heard::Refused(_) | Heard::Nothing => continue,
        };
        let role = match roles.get(&said.actor) {
            Some(role) => *role,
            None => {
                let actor = Actor { id: Some(said.actor), login: said.login.clone(), bot: false };
                let role = ledger::role(reader, target, Some(&actor)).await?;
                roles.insert(said.actor, role);
                role
            }
        };
        let counts = role >= Role::Write;
        let what = if counts { "answered" } else { "answer_without_effect" };
        let detail = format!("#{} {}", item.number, said.field.pointer());
        audit.push(NewAudit { actor: Some(said.actor), ..note(target, what, &detail) });
        if counts {
            taken.push(TakenAnswer { said: said.clone(), value, number: item.number });
        }
    }
    let now = ctx.clock.now();
    Ok(ctx.store.take_own_answers(target.repository, &taken, &waiting, &audit, now).await?)
}
