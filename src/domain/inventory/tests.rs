//! Laws of the inventory, for any repositories.

use std::collections::BTreeSet;

use code_json::record::{Field, Provenance, Record, Usage};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

use super::{leak::Secrets, *};
use crate::domain::{
    policy::{Policy, Published},
    repository::{AccountId, RepositoryId, RepositoryName, Visibility},
};

const NOW: &str = "2026-11-17T15:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A repository in figures, so that it shrinks.
#[derive(Debug, Clone)]
struct Sample {
    visibility: Visibility,
    archived: bool,
    skipped: bool,
    unknown: bool,
    read: bool,
    described: bool,
    licensed: bool,
    /// What its own file says: nothing, enough for both files, or that it is
    /// another one's.
    file: u8,
    exempt: Option<Usage>,
    listed: bool,
}

fn sample() -> impl Strategy<Value = Sample> {
    let visibility =
        prop_oneof![Just(Visibility::Public), Just(Visibility::Internal), Just(Visibility::Private)];
    let usages = [Usage::ExemptByAgencySystem, Usage::ExemptByNationalSecurity, Usage::ExemptByFoia];
    let exempt = proptest::option::weighted(0.2, proptest::sample::select(usages.to_vec()));
    let flags = (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    (visibility, flags, 0..4_u8, exempt).prop_map(
        |(visibility, (archived, skipped, unknown, read, described, licensed, listed), file, exempt)| {
            Sample {
                visibility,
                archived,
                skipped: skipped && listed,
                unknown,
                read,
                described,
                licensed,
                file,
                exempt,
                listed,
            }
        },
    )
}

/// What [`Seen`] borrows from.
struct Owned {
    sample: Sample,
    name: RepositoryName,
    sources: Sources,
    opaque: Opaque,
    exempt: Option<Exempt>,
}

fn record(file: u8, url: &str, name: &RepositoryName) -> Option<Record> {
    let person = || Provenance::Person { file: "code.json".to_owned() };
    let mut record = Record::new();
    record.set(Field::Description, "Counts birds.", person());
    record.set(Field::Usage, vec![Usage::GovernmentWideReuse.name()], person());
    record.set(Field::AiUseCaseId, "0", person());
    match file {
        0 => return None,
        1 => {}
        // Many repositories of one page.
        2 => record.set(Field::RepositoryUrl, "https://birds.example.gov", person()),
        // A hostile one names another that is hidden.
        _ => {
            record.set(Field::RepositoryUrl, url, person());
            record.set(Field::Tags, vec![format!("see {name}")], person());
        }
    }
    Some(record)
}

fn owned(samples: &[Sample], hidden_name: impl Fn(usize) -> String) -> Vec<Owned> {
    let named = |at: usize| {
        let hidden = samples[at].visibility != Visibility::Public;
        let name = if hidden { hidden_name(at) } else { format!("site-{at}") };
        format!("agency/{name}").parse::<RepositoryName>().unwrap()
    };
    let victim = (0..samples.len()).find(|at| samples[*at].visibility != Visibility::Public).map(named);
    let one = |(at, sample): (usize, &Sample)| {
        let name = named(at);
        let url = format!("https://github.example.gov/{name}");
        let told = victim.clone().filter(|_| sample.visibility == Visibility::Public).unwrap_or(name.clone());
        let sources = Sources {
            url: url.clone(),
            description: sample.described.then(|| format!("About {}.", name.name())),
            homepage: None,
            topics: vec!["birds".to_owned()],
            languages: vec!["Rust".to_owned()],
            forks: at as u64,
            issues_enabled: true,
            created_at: "2020-05-05T00:00:00Z".parse().unwrap(),
            pushed_at: Some(now()),
            licenses: if sample.licensed { vec!["MIT".to_owned()] } else { Vec::new() },
            file: FileState::Absent,
            record: record(sample.file, &url, &told),
        };
        let mut random = [0; Opaque::LENGTH];
        random[0] = at as u8;
        Owned {
            sample: sample.clone(),
            name,
            sources,
            opaque: Opaque::drawn(random, now(), sample.listed),
            exempt: sample.exempt.map(|usage| Exempt {
                usage,
                reason: "It guards systems of the agency.".to_owned(),
                basis: None,
            }),
        }
    };
    samples.iter().enumerate().map(one).collect()
}

fn seen(owned: &[Owned]) -> Vec<Seen<'_>> {
    let one = |at: usize| {
        let one = &owned[at];
        Seen {
            id: RepositoryId(at as u64 + 1),
            account: AccountId(1),
            name: &one.name,
            visibility: one.sample.visibility,
            archived: one.sample.archived,
            skipped: one.sample.skipped.then_some("fork"),
            unknown: one.sample.unknown.then_some("GitHub answered 502"),
            sources: one.sample.read.then_some(&one.sources),
            clones: None,
            hours: None,
            uncounted: None,
            changed_at: Some(now()),
            former_urls: &[],
            answers: None,
            exempt: one.exempt.as_ref(),
            opaque: (one.sample.visibility != Visibility::Public).then_some(&one.opaque),
        }
    };
    (0..owned.len()).map(one).collect()
}

fn policy(redact: bool) -> Policy {
    let private = if redact {
        "private: redact, access_url: \"https://www.example.gov/access\""
    } else {
        "private: omit"
    };
    Policy::parse(&format!(
        "agency: {{acronym: XA, name: Example Agency, contact: {{name: Office, email: office@example.gov}}}}\n\
         inventory: {{{private}, defaults: {{status: Beta, maintenance: internal, labor_hours: 0, contract_number: []}}}}\n"
    ))
    .unwrap()
}

/// An import of every kind of entry: one of its own, one that shares its address,
/// one that GitHub may have too, one that is not public, one that is broken.
fn imports() -> Vec<Imported> {
    let release = |name: &str, url: &str, visibility: &str| {
        serde_json::json!({
            "name": name, "description": "Counts.", "repositoryURL": url, "repositoryVisibility": visibility,
            "permissions": {"licenses": null, "usageType": "governmentWideReuse"}, "tags": ["birds"],
            "languages": [], "AIUseCaseID": "0", "SBOM": "None", "reuseFrequency": {"forks": 0},
            "feedbackMechanism": "https://git.example.gov/issues", "date": {"created": "2020-01-01T00:00:00Z"},
        })
    };
    let list = serde_json::json!([
        release("Owl", "https://git.example.gov/birds", "public"),
        release("Owl", "https://git.example.gov/birds", "public"),
        release("Site", "https://github.example.gov/agency/site-0", "public"),
        release("Hidden", "https://git.example.gov/air/hidden", "private"),
        7,
    ]);
    import::read(list.to_string().as_bytes(), "outside.json").unwrap()
}

fn assembled(owned: &[Owned], redact: bool) -> (Assembly, Secrets) {
    let hidden = |one: &&Owned| one.sample.visibility != Visibility::Public;
    let names = |public: bool| owned.iter().filter(move |one| hidden(one) != public).map(|one| &one.name);
    let mut secrets = Secrets::new(names(false), names(true), &[]).unwrap();
    secrets.allow_mailboxes("office@example.gov");
    (assemble(&policy(redact), &seen(owned), &imports(), &secrets, now()), secrets)
}

fn hidden_name(at: usize) -> String {
    format!("falcon-tracker-{at}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_account_balances_and_lists_what_is_in_the_file(
        samples in proptest::collection::vec(sample(), 0..12), redact: bool,
    ) {
        let owned = owned(&samples, hidden_name);
        let (assembly, secrets) = assembled(&owned, redact);
        prop_assert_eq!(assembly.files.len(), 2);
        for file in &assembly.files {
            let totals = file.account.totals();
            prop_assert!(totals.balance(), "{totals:?}");
            prop_assert_eq!((totals.seen, totals.imported), (samples.len() + 5, 5));
            prop_assert_eq!(totals.entries, file.entries.len());
            let subjects: BTreeSet<&Subject> = file.account.lines.iter().map(|line| &line.subject).collect();
            prop_assert_eq!(subjects.len(), samples.len() + 5, "each is in one line");
            let release = |entry: &Entry| serde_json::from_str::<Value>(&entry.text).unwrap();
            let url = |entry: &std::sync::Arc<Entry>| release(entry)["repositoryURL"].to_string();
            let urls: BTreeSet<String> = file.entries.iter().map(url).collect();
            prop_assert_eq!(urls.len(), file.entries.len(), "no address twice");
            let bytes = file.bytes();
            prop_assert_eq!(secrets.look_through_file(&bytes, &assembly.mailboxes), Ok(()));
            let document: Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(document["releases"].as_array().unwrap().len(), file.entries.len());
            let schema = match file.published {
                Published::AgencyIndex2 => code_json::schema::Published::AgencyIndex2,
                Published::Gsa2 => code_json::schema::Published::Gsa2,
            };
            let options = code_json::validate::Options {
                schema: code_json::validate::Choice::Published(schema),
                ..Default::default()
            };
            let report = code_json::validate::validate(&bytes, &options);
            prop_assert_eq!(report.violations, Some(0), "{:#?}", report.problems);
        }
    }

    #[test]
    fn the_same_input_gives_the_same_bytes_in_any_order(
        samples in proptest::collection::vec(sample(), 1..10), redact: bool,
    ) {
        let owned = owned(&samples, hidden_name);
        let (one, _) = assembled(&owned, redact);
        let (other, secrets) = assembled(&owned, redact);
        prop_assert_eq!(&one, &other);
        let mut turned = seen(&owned);
        turned.reverse();
        let turned = assemble(&policy(redact), &turned, &imports(), &secrets, now());
        for (file, turned) in one.files.iter().zip(&turned.files) {
            // Fragments that make an address unique are given in the order of the list.
            prop_assert_eq!(file.entries.len(), turned.entries.len());
            if one.problems.iter().all(|problem| !problem.what.contains("fragment")) {
                prop_assert_eq!(file.bytes(), turned.bytes());
            }
        }
    }

    /// Threats N3.
    #[test]
    fn n3_other_private_names_give_the_same_bytes(
        samples in proptest::collection::vec(sample(), 1..10), redact: bool,
    ) {
        let hostile = samples.iter().any(|sample| sample.file == 3 && sample.visibility == Visibility::Public);
        prop_assume!(!hostile);
        let bytes = |name: fn(usize) -> String| {
            let owned = owned(&samples, name);
            let (assembly, _) = assembled(&owned, redact);
            assembly.files.iter().map(File::bytes).collect::<Vec<_>>()
        };
        let count = samples.len();
        prop_assert!(count < 100);
        prop_assert_eq!(bytes(hidden_name), bytes(|at| format!("heron-count-{}", 99 - at)));
    }
}

/// A public repository that lacks nothing.
fn fine() -> Sample {
    Sample {
        visibility: Visibility::Public,
        archived: false,
        skipped: false,
        unknown: false,
        read: true,
        described: true,
        licensed: true,
        file: 1,
        exempt: None,
        listed: true,
    }
}

#[test]
fn what_is_not_valid_is_told_by_its_place_in_the_whole_file() {
    let owned = owned(&vec![fine(); 520], hidden_name);
    let (assembly, secrets) = assembled(&owned, true);
    let mut file = assembly.files[1].clone();
    let look = |file: &File| {
        let entries: Vec<&Entry> = file.entries.iter().map(std::sync::Arc::as_ref).collect();
        guard::finished(file, &entries, &secrets, &assembly.mailboxes, now())
    };
    assert_eq!(look(&file), Ok(()));
    for at in [3, 510] {
        let broken = Entry { text: "{\n      \"name\": 7\n    }".to_owned(), ..(*file.entries[at]).clone() };
        file.entries[at] = broken.into();
    }
    let whole = guard::valid(file.published, &file.bytes(), now());
    assert!(whole.is_err());
    assert_eq!(look(&file), whole, "both, by their places in the file");
    file.entries.remove(3);
    let said = look(&file).unwrap_err().to_string();
    assert!(said.contains("at /releases/509"), "{said}");
}

#[test]
fn an_entry_that_tells_a_hidden_name_is_held_back_alone() {
    let fine = fine();
    let samples = [
        fine.clone(),
        Sample { file: 3, ..fine.clone() },
        Sample { visibility: Visibility::Private, ..fine },
    ];
    let owned = owned(&samples, hidden_name);
    let (assembly, _) = assembled(&owned, true);
    let lines = assembly.files[1].account.lines.iter().take(samples.len());
    let states: Vec<&str> = lines.map(|line| line.state.word()).collect();
    assert_eq!(states, ["listed", "incomplete", "listed"]);
    let of_repositories = |problem: &&Problem| matches!(problem.subject, Subject::Repository(_));
    assert_eq!(assembly.problems.iter().filter(of_repositories).count(), 2, "{:?}", assembly.problems);
}

#[test]
fn clones_come_along_and_are_never_a_reason_to_propose() {
    let fine = fine();
    let mut owned = owned(&[fine.clone(), Sample { visibility: Visibility::Private, ..fine }], hidden_name);
    // A person wrote a number once.
    let person = Provenance::Person { file: "code.json".to_owned() };
    for one in &mut owned {
        one.sources.record.as_mut().unwrap().set(Field::Clones, 7, person.clone());
    }
    let (_, secrets) = assembled(&owned, true);
    let counted = |clones: Option<u64>| {
        let seen: Vec<Seen<'_>> = seen(&owned).into_iter().map(|one| Seen { clones, ..one }).collect();
        assemble(&policy(true), &seen, &[], &secrets, now()).files.remove(0)
    };
    let (none, some, more) = (counted(None), counted(Some(10)), counted(Some(11)));
    assert_eq!(some.published, Published::AgencyIndex2);
    let told = |file: &File, at: usize| {
        let entry: Value = serde_json::from_str(&file.entries[at].text).unwrap();
        entry["reuseFrequency"]["clones"].clone()
    };
    assert_eq!((told(&none, 0), told(&some, 0), told(&more, 0)), (7.into(), 10.into(), 11.into()));
    assert!(none.substance() == some.substance() && some.substance() == more.substance());
    // An entry that names nothing says nothing of it.
    assert_eq!(some.entries.len(), 2);
    assert!(some.entries[1].text == more.entries[1].text && !some.entries[1].text.contains("10"));
}
