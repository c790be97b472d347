//! What the database knows of the facts that the evidence rests on.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{super::report::known::Known, gather::Stamp};
use crate::{
    domain::{
        evidence::{Exempted, Input, Inputs, PolicyUsed, Published as PublishedThen, RegisterUsed},
        exemptions::{
            Class,
            history::Past,
            report::{Report, Source},
        },
        inventory::{Totals, leak::Secrets},
        policy::Published,
        repository::RepositoryId,
    },
    store::PublishedFile,
};

/// The registers as far as they were known at a moment. What was only asked for
/// or denied has no history; of a classified annex today's number is known.
pub(super) fn known_by(then: Timestamp, sources: &[Source]) -> Vec<Source> {
    let past = |past: &Past| {
        let stood = past.stood.iter().filter(|(from, _)| *from <= then);
        let stood: Vec<_> = stood.map(|(from, to)| (*from, to.filter(|to| *to <= then))).collect();
        (!stood.is_empty()).then(|| Past { stood, ..past.clone() })
    };
    let source = |source: &Source| Source {
        entries: Vec::new(),
        past: source.past.iter().filter_map(past).collect(),
        ..source.clone()
    };
    sources.iter().map(source).collect()
}

/// The moment of the newest fact.
pub(super) fn newest(known: &Known, stamp: &Stamp, registers: &[(RegisterUsed, Timestamp)]) -> Timestamp {
    let publications = stamp
        .publications
        .iter()
        .flat_map(|(_, one)| [one.published_at, one.accounted_at, one.refused_at].into_iter().flatten());
    let others = registers.iter().map(|(_, read_at)| *read_at);
    let others = others.chain(known.taken.as_ref().map(|taken| taken.taken_at));
    let all = publications.chain(others).chain(stamp.newest.as_ref().map(|newest| newest.at));
    all.max().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The policy in force; of an earlier moment, if it was in force then already.
pub(super) fn policy(known: &Known, then: Option<Timestamp>) -> Option<PolicyUsed> {
    let taken = known.taken.as_ref();
    let source = match (known.operators, taken) {
        (true, _) => "operator",
        (false, Some(_)) => "organization",
        (false, None) => "built-in",
    };
    let kept = then.is_none_or(|then| taken.is_some_and(|taken| taken.taken_at <= then));
    kept.then(|| PolicyUsed {
        source,
        digest: known.policy.digest(),
        oid: taken.map(|taken| taken.oid.clone()),
        taken_at: taken.map(|taken| taken.taken_at),
    })
}

/// The registers that were read, and when.
pub(super) async fn registers(known: &Known) -> anyhow::Result<Vec<(RegisterUsed, Timestamp)>> {
    let (ours, mut all) = (known.accounts(), Vec::new());
    for one in &known.installations {
        let found = known.store.exemptions(one.account, &ours).await?;
        all.extend(found.register.map(|register| {
            let used = RegisterUsed {
                organization: one.login.clone(),
                repository: register.repository,
                commit: register.head,
                oid: register.oid,
                refused: found.refused.is_some(),
            };
            (used, register.read_at)
        }));
    }
    Ok(all)
}

pub(super) fn exempted(register: &Report) -> Exempted {
    let of = |class| register.of_class(class).count();
    Exempted {
        automatic: of(Class::Automatic),
        discretionary: of(Class::Discretionary),
        policy: of(Class::Policy),
        annex: register.annex,
        not_counted: register.doubted.len(),
    }
}

pub(super) fn then(
    which: Published,
    file: &PublishedFile,
    account: Option<Totals>,
    stamp: &Stamp,
) -> anyhow::Result<PublishedThen> {
    let document: Value = serde_json::from_slice(&file.body)?;
    let publication = stamp.publications.iter().find(|(published, _)| *published == which);
    Ok(PublishedThen {
        file: which.file(),
        schema: which.as_str(),
        sha256: file.sha256.clone(),
        published_at: file.published_at,
        entries: document["releases"].as_array().map_or(0, Vec::len),
        refused: account.is_some() && publication.is_some_and(|(_, one)| one.refused.is_some()),
        account,
    })
}

/// The commits that were judged.
pub(super) async fn inputs(known: &Known, internal: bool) -> anyhow::Result<Inputs> {
    let mut heads: HashMap<RepositoryId, Option<String>> = HashMap::new();
    for one in &known.installations {
        let found = known.store.repositories(one.id).await?.into_iter();
        heads.extend(found.map(|one| (one.seen.id, one.head.map(|head| head.to_string()))));
    }
    let names = known.names(internal);
    let input = |(repository, name): (&RepositoryId, &String)| Input {
        repository: *repository,
        name: name.clone(),
        commit: heads.get(repository).cloned().flatten(),
    };
    let mut repositories: Vec<Input> = names.iter().map(input).collect();
    repositories.sort_by_key(|input| input.repository);
    let not_named = known.entries.len() - repositories.len();
    Ok(Inputs { repositories, not_named })
}

/// What must not be told outside. The addresses in what is published may be.
pub(super) async fn secrets(
    known: &Known,
    published: &[(Published, PublishedFile)],
) -> anyhow::Result<Secrets> {
    let mut secrets = known.secrets().await?;
    for (_, file) in published {
        secrets.allow_mailboxes(&String::from_utf8_lossy(&file.body));
    }
    Ok(secrets)
}
