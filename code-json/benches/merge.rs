//! How long merging takes: `cargo bench -p code-json --bench merge`.
//!
//! 20,000 records, each of a file, what was written last, facts and defaults,
//! must take less than 1 s (median). The reference beside it is the time that
//! copying the 20,000 files' records takes.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use code_json::{
    merge::{Facts, Sources, merge},
    migrate,
    record::{Field, Provenance, Record},
};
use serde_json::{Value, json};

/// Rounds whose median is told.
const ROUNDS: usize = 7;

const RECORDS: usize = 20_000;

struct Repository {
    file: Record,
    written: Record,
    facts: Facts,
}

fn main() {
    let defaults = defaults();
    let repositories: Vec<Repository> = (0..RECORDS).map(repository).collect();
    let changes = |repository: &Repository| {
        let sources = Sources {
            file: Some(&repository.file),
            answers: None,
            facts: &repository.facts,
            defaults: &defaults,
            written: Some(&repository.written),
        };
        black_box(merge(&sources)).changes.len()
    };
    let total: usize = repositories.iter().map(changes).sum();
    assert!(total > RECORDS, "{total} changes: the records are too simple");
    let limit = Duration::from_secs(1);
    let median_of_merge = median(|| {
        black_box(repositories.iter().map(changes).sum::<usize>());
    });
    let reference = median(|| {
        for repository in &repositories {
            black_box(repository.file.clone());
        }
    });
    let verdict = if median_of_merge <= limit { "" } else { "  over" };
    println!("{:<44} {:>9} {:>12} {:>7}", "", "median", "reference", "limit");
    println!(
        "{:<44} {:>6.0} ms {:>9.0} ms {:>4.0} ms{verdict}",
        format!("merge {RECORDS} records, {total} changes"),
        milliseconds(median_of_merge),
        milliseconds(reference),
        milliseconds(limit)
    );
    assert!(median_of_merge <= limit, "merging takes longer than allowed");
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(mut run: impl FnMut()) -> Duration {
    run();
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}

fn defaults() -> Record {
    let mut record = Record::new();
    record.set(Field::Vcs, "git", Provenance::Default);
    record.set(Field::Maintenance, "internal", Provenance::Default);
    record.set(Field::ContactEmail, "opensource@example.gov", Provenance::Default);
    record
}

/// A file that a person wrote and a machine completed, of a repository that
/// has moved on since.
fn repository(number: usize) -> Repository {
    let file = json!({
        "name": format!("service-{number}"),
        "version": "1.4.2",
        "description": "Takes applications for benefits, checks them and tells people what is missing.",
        "longDescription": "A longer text about the same. ".repeat(12),
        "status": "Production",
        "permissions": {
            "licenses": [{"name": "CC0-1.0", "URL": format!("https://github.com/agency/service-{number}/blob/main/LICENSE")}],
            "usageType": ["openSource"],
            "exemptionText": null
        },
        "organization": "Office of Digital Services",
        "repositoryURL": format!("https://github.com/agency/service-{number}"),
        "repositoryVisibility": "public",
        "homepageURL": format!("https://service-{number}.example.gov"),
        "vcs": "git",
        "laborHours": 1200 + number,
        "reuseFrequency": {"forks": number % 50, "clones": 0},
        "platforms": ["web"],
        "categories": ["government"],
        "softwareType": "standalone/web",
        "languages": ["TypeScript", "Python", "HCL", "Shell", "Dockerfile"],
        "maintenance": "contract",
        "contractNumber": [format!("75FCMC{number:08}")],
        "SBOM": format!("https://github.com/agency/service-{number}/network/dependencies"),
        "relatedCode": [{"name": "design system", "URL": "https://github.com/agency/design", "isGovernmentRepo": true}],
        "date": {
            "created": "2019-03-04T05:06:07Z",
            "lastModified": "2026-10-01T00:00:00Z",
            "metadataLastUpdated": "2026-10-01T00:00:00Z"
        },
        "tags": ["benefits", "applications", "service"],
        "contact": {"email": "team@example.gov", "name": "The team"},
        "feedbackMechanism": format!("https://github.com/agency/service-{number}/issues"),
        "AIUseCaseID": "0",
        "localisation": false,
        "fismaLevel": "moderate"
    });
    let read = |value: &Value, from| migrate::read_release(value.as_object().expect("an object"), from).0;
    let written = json!({
        "laborHours": 1200 + number,
        "reuseFrequency": {"forks": number % 50},
        "languages": ["TypeScript", "Python", "HCL", "Shell", "Dockerfile"],
        "date": {"lastModified": "2026-10-01T00:00:00Z"},
        "SBOM": format!("https://github.com/agency/service-{number}/network/dependencies"),
    });
    let observed = json!({
        "name": format!("service-{number}"),
        "description": "Applications for benefits",
        "languages": ["Python", "TypeScript", "HCL", "Shell", "Dockerfile"],
        "reuseFrequency": {"forks": number % 50 + 1},
        "laborHours": 1300 + number,
        "date": {"created": "2019-03-04T05:06:07Z", "lastModified": "2026-11-01T00:00:00Z"},
        "tags": ["benefits"],
        "feedbackMechanism": format!("https://github.com/agency/service-{number}/issues"),
    });
    let facts = Facts {
        public: Some(true),
        archived: Some(number.is_multiple_of(10)),
        url: Some(format!("https://github.com/agency/service-{number}")),
        former_urls: vec![format!("https://github.com/agency/old-{number}")],
        licenses: Some(vec!["CC0-1.0".into()]),
        license_url: None,
        others: read(&observed, Provenance::Fact),
    };
    let person = Provenance::Person { file: "code.json".into() };
    Repository { file: read(&file, person), written: read(&written, Provenance::Fact), facts }
}
