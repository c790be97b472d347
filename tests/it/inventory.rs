//! The inventory of an agency: assembled from all its repositories, guarded,
//! served.

use std::time::Duration;

use code_json::{
    schema::Published,
    validate::{self, Choice},
};
use github_sandbox::{NewOrganization, Role, Sandbox, Visibility, installation, org};
use muster::{
    domain::inventory::{Agency, Hosts},
    store::Publication,
};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use crate::{
    harness::{Muster, README, Setup, clock, complete, installed, old, sandbox},
    server::{Answer, Database},
};

pub const POLICY: &str = r#"
agency:
  acronym: XA
  name: Example Agency
  contact: {name: Open Source Program Office, email: opensource@agency.example.gov}
repositories: {exclude: ["*-sandbox"]}
inventory:
  private: redact
  access_url: https://www.agency.example.gov/code-access
  internal_hosts: [git.agency.internal]
  defaults:
    status: Production
    maintenance: internal
    labor_hours: 0
    contract_number: []
"#;

/// What a maintainer writes of code that only agencies may use; where it is,
/// GitHub knows.
pub fn for_agencies(name: &str) -> String {
    let file = own_file(name, "https://birds.example.gov").replace("openSource", "governmentWideReuse");
    let lines = file.lines().filter(|line| !line.contains("repositoryURL"));
    lines.collect::<Vec<_>>().join("\n")
}

/// An agency of two organizations; the first leads.
pub fn agency() -> Agency {
    Agency {
        acronym: "XA".to_owned(),
        lead: "agency".parse().unwrap(),
        organizations: vec!["agency".parse().unwrap(), "bureau".parse().unwrap()],
        repository: None,
        may_commit: false,
        import_from: Hosts::default(),
    }
}

pub fn setup(database: Database) -> Setup {
    Setup { database, agencies: vec![agency()], ..Setup::serving(&["agency", "bureau"]) }
}

/// A file of a repository that says all that gov 2.0.0 asks for and no host
/// knows.
pub fn own_file(name: &str, url: &str) -> String {
    format!(
        r#"{{
  "name": "{name}",
  "description": "Counts the birds of a river.",
  "status": "Beta",
  "permissions": {{ "licenses": [{{ "name": "CC0-1.0", "URL": "{url}/blob/main/LICENSE" }}], "usageType": ["openSource"], "exemptionText": "" }},
  "organization": "Office of Birds",
  "repositoryURL": "{url}",
  "repositoryVisibility": "public",
  "vcs": "git",
  "laborHours": 120,
  "reuseFrequency": {{ "forks": 0 }},
  "languages": ["Rust"],
  "maintenance": "internal",
  "contractNumber": [],
  "SBOM": "None",
  "date": {{ "created": "2020-01-01T00:00:00Z" }},
  "tags": ["birds"],
  "contact": {{ "email": "birds@agency.example.gov", "name": "Office of Birds" }},
  "feedbackMechanism": "{url}/issues",
  "AIUseCaseID": "0"
}}
"#
    )
}

fn lead() -> NewOrganization {
    org("agency")
        .owner("olivia")
        .member("alice")
        .base_role(Some(Role::Write))
        .repository(old(".github").file("README.md", README).file(".github/muster.yml", POLICY))
}

pub async fn github(clock: &muster::clock::Clock) -> Sandbox {
    let github = sandbox(clock)
        .organization(
            lead()
                .repository(
                    complete("river").description("Counts birds.").topics(["birds"]).language("Rust", 100),
                )
                .repository(
                    complete("lake").description("Counts fish.").file("code.json", for_agencies("lake")),
                )
                .repository(complete("pond"))
                .repository(complete("old-dam").description("Measures water.").archived())
                .repository(complete("play-sandbox").description("To play with."))
                .repository(
                    complete("falcon-tracker").file("code.json", for_agencies("falcon-tracker")).private(),
                )
                .repository(complete("api").description("Hidden.").internal())
                .repository(complete("data").file("code.json", for_agencies("data")).internal())
                .repository(
                    old("copy").description("Of another.").mirror_of("https://git.example.org/copy.git"),
                ),
        )
        .organization(
            org("bureau")
                .owner("olivia")
                .base_role(Some(Role::Write))
                .repository(complete("rain").description("Counts drops.")),
        )
        .installation(installation("agency"))
        .installation(installation("bureau"))
        .start()
        .await
        .unwrap();
    let url = format!("{}/agency/river", github.web_url());
    github.user("olivia").push(
        "agency/river",
        "main",
        &[("code.json", &own_file("River", &url))],
        "Say what it is",
    );
    while github.deliver_next().await.is_some() {}
    github
}

pub async fn get(muster: &Muster, path: &str, headers: &str) -> Answer {
    let mut stream = tokio::net::TcpStream::connect(muster.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: muster\r\n{headers}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    Answer::read(&mut stream).await
}

/// A header of an answer, in lower case.
pub fn header(answer: &Answer, name: &str) -> String {
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned);
    answer.head.lines().find_map(value).unwrap_or_else(|| panic!("no {name} in {}", answer.head))
}

/// The names of the entries of a served file, in its order.
pub async fn entries(muster: &Muster, file: &str) -> Vec<String> {
    let answer = get(muster, &format!("/agencies/xa/{file}"), "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let schema = if file == "code.json" { Published::Gsa2 } else { Published::AgencyIndex2 };
    let options = validate::Options { schema: Choice::Published(schema), ..validate::Options::default() };
    assert_eq!(validate::validate(answer.body.as_bytes(), &options).violations, Some(0), "{}", answer.body);
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    let name = |release: &Value| release["name"].as_str().unwrap().to_owned();
    document["releases"].as_array().unwrap().iter().map(name).collect()
}

/// Entries with names, and those without, which stand last.
fn split(entries: Vec<String>) -> (Vec<String>, Vec<String>) {
    let at = entries.iter().position(|name| name.starts_with("Restricted")).unwrap_or(entries.len());
    let (named, unnamed) = entries.split_at(at);
    assert!(unnamed.iter().all(|name| name.starts_with("Restricted source code ")), "{unnamed:?}");
    (named.to_vec(), unnamed.to_vec())
}

pub async fn publication(muster: &Muster, file: &str) -> Publication {
    muster.ctx.store.publication("xa", file).await.unwrap()
}

pub fn lines(publication: &Publication) -> Vec<String> {
    let account: Value = serde_json::from_str(publication.account.as_ref().unwrap()).unwrap();
    let line = |line: &Value| {
        let more =
            ["fields", "rule", "why"].iter().filter_map(|key| line.get(key).filter(|it| !it.is_null()));
        let more: Vec<String> = more.map(Value::to_string).collect();
        let name = line["name"].as_str().or(line["imported"].as_str()).unwrap();
        let state = line["state"].as_str().unwrap();
        [vec![name.to_owned(), state.to_owned()], more].concat().join(" ")
    };
    account["lines"].as_array().unwrap().iter().map(line).collect()
}

#[rstest::rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test]
async fn every_repository_is_accounted_for_and_two_files_are_served(#[case] database: Database) {
    let clock = clock();
    let github = github(&clock).await;
    let muster = Muster::start_as(&github, &clock, setup(database)).await;
    muster.begin().await;
    muster.advance(Duration::from_secs(600)).await;

    let published = publication(&muster, "code.json").await;
    assert_eq!(published.refused, None);
    insta::assert_snapshot!(lines(&published).join("\n"), @r#"
    agency/.github out-of-scope "the organization's settings, no code of its own"
    agency/river listed
    agency/lake listed
    agency/pond incomplete ["/description"]
    agency/old-dam listed
    agency/play-sandbox excluded "repositories.exclude: *-sandbox"
    agency/falcon-tracker listed
    agency/api incomplete ["/permissions/usageType"]
    agency/data listed
    agency/copy excluded "mirror"
    bureau/rain listed
    "#);
    // By organization and name; what names nothing comes last.
    let (named, unnamed) = split(entries(&muster, "code.json").await);
    assert_eq!((named.join(" ").as_str(), unnamed.len()), ("old-dam rain lake River", 2));
    let (named, unnamed) = split(entries(&muster, "agency-index.json").await);
    assert_eq!((named.join(" ").as_str(), unnamed.len()), ("lake River", 2));
    insta::assert_snapshot!(lines(&publication(&muster, "agency-index.json").await).join("\n"), @r#"
    agency/.github out-of-scope "the organization's settings, no code of its own"
    agency/river listed
    agency/lake listed
    agency/pond incomplete ["/AIUseCaseID","/description"]
    agency/old-dam incomplete ["/AIUseCaseID"]
    agency/play-sandbox excluded "repositories.exclude: *-sandbox"
    agency/falcon-tracker listed
    agency/api incomplete ["/AIUseCaseID","/permissions/usageType"]
    agency/data listed
    agency/copy excluded "mirror"
    bureau/rain incomplete ["/AIUseCaseID"]
    "#);

    // For everybody, with validators of these bytes alone.
    let answer = get(&muster, "/code.json", "").await;
    assert_eq!(header(&answer, "access-control-allow-origin"), "*");
    assert_eq!(header(&answer, "content-type"), "application/json");
    let tag = header(&answer, "etag");
    assert!(header(&answer, "last-modified").ends_with(" gmt"));
    let known = get(&muster, "/agencies/XA/code.json", &format!("If-None-Match: W/{tag}\r\n")).await;
    assert_eq!((known.status, known.body.len()), (304, 0));
    let unknown = get(&muster, "/agencies/xb/code.json", "").await;
    assert_eq!((unknown.status, unknown.body), (404, get(&muster, "/nothing", "").await.body));
    muster.finish().await;
}

#[tokio::test]
async fn what_happens_to_a_repository_reaches_the_served_files() {
    let clock = clock();
    let github = github(&clock).await;
    let muster = Muster::start_as(&github, &clock, setup(Database::Sqlite)).await;
    muster.begin().await;
    muster.advance(Duration::from_secs(600)).await;
    let olivia = github.user("olivia");
    let names = async || {
        github.deliver().await;
        muster.settle().await;
        entries(&muster, "code.json").await
    };
    let restricted = |names: &[String]| names.iter().filter(|name| name.starts_with("Restricted")).count();
    let before = names().await;
    assert_eq!(restricted(&before), 2);

    olivia.rename("agency/lake", "big-lake");
    assert_eq!(names().await, before, "it is still called lake by its file");
    let served = get(&muster, "/code.json", "").await.body;
    assert!(served.contains("/agency/big-lake\"") && !served.contains("/agency/lake\""));

    // From push to served file there are three calls at most.
    github.clear_calls();
    let file = own_file("Rain", "https://rain.example.gov");
    olivia.push("bureau/rain", "main", &[("code.json", &file)], "Say what it is");
    assert!(names().await.contains(&"Rain".to_owned()));
    let calls = muster.calls();
    assert!(calls.len() <= 3, "{calls:#?}");

    // A privatization redacts at once, and joins later.
    olivia.set_visibility("agency/big-lake", Visibility::Private);
    let after = names().await;
    assert!(!after.contains(&"lake".to_owned()));
    assert_eq!(restricted(&after), 2, "it joins with the month");
    muster.advance(Duration::from_secs(15 * 24 * 60 * 60)).await;
    let joined = names().await;
    assert_eq!(split(joined).1.len(), 3);

    // A publication takes the entry that named nothing, and its id.
    olivia.set_visibility("agency/falcon-tracker", Visibility::Public);
    let public = names().await;
    assert!(public.contains(&"falcon-tracker".to_owned()));
    assert_eq!(restricted(&public), 2);

    // A transfer out of the agency, and a deletion.
    olivia.transfer("bureau/rain", "olivia");
    olivia.delete_repository("agency/old-dam");
    let left = names().await;
    assert!(!left.contains(&"Rain".to_owned()) && !left.contains(&"old-dam".to_owned()));

    // A broken file stops nobody, a corrected one counts at once.
    olivia.push("agency/river", "main", &[("code.json", "{ \"name\": ")], "Break it");
    assert!(names().await.contains(&"River".to_owned()), "the last good record stands");
    let url = format!("{}/agency/river", github.web_url());
    olivia.push("agency/river", "main", &[("code.json", &own_file("Great River", &url))], "Mend it");
    assert!(names().await.contains(&"Great River".to_owned()));

    let bytes = publication(&muster, "code.json").await.sha256;
    muster.advance(Duration::from_secs(60)).await;
    muster.settle().await;
    assert_eq!(publication(&muster, "code.json").await.sha256, bytes, "nothing changed");
    muster.finish().await;
}

#[tokio::test]
async fn n5_a_privatization_that_was_not_delivered_is_seen_before_the_next_publication() {
    let clock = clock();
    let github = github(&clock).await;
    let muster = Muster::start_as(&github, &clock, setup(Database::Sqlite)).await;
    muster.begin().await;
    muster.advance(Duration::from_secs(600)).await;
    assert!(entries(&muster, "code.json").await.contains(&"lake".to_owned()));
    github.user("olivia").set_visibility("agency/lake", Visibility::Private);
    github.change_pending(Vec::clear);
    muster.advance(Duration::from_secs(60 * 60)).await;
    assert!(!entries(&muster, "code.json").await.contains(&"lake".to_owned()));
    muster.finish().await;
}

/// Where the entries of `code.json` say that their code is. A process that has
/// nothing in memory comes to the same bytes.
async fn urls(muster: Muster) -> (Muster, Vec<String>) {
    muster.settle().await;
    muster.advance(Duration::from_secs(60)).await;
    let served = get(&muster, "/code.json", "").await.body;
    let muster = muster.restart().await;
    muster.begin().await;
    muster.advance(Duration::from_secs(60 * 60)).await;
    assert_eq!(get(&muster, "/code.json", "").await.body, served);
    let document: Value = serde_json::from_str(&served).unwrap();
    let releases = document["releases"].as_array().unwrap();
    let url = |release: &Value| release["repositoryURL"].as_str().unwrap().to_owned();
    (muster, releases.iter().map(url).collect())
}

#[tokio::test]
async fn those_that_share_an_address_are_told_apart_as_long_as_they_do() {
    const PAGE: &str = "https://birds.example.gov/code";
    let clock = clock();
    let file = |name: &str| complete(name).file("code.json", own_file(name, PAGE));
    let organization = lead().repository(file("brook")).repository(file("creek")).repository(file("river"));
    let github = installed(&clock, organization).await;
    let muster = Muster::start_as(&github, &clock, alone()).await;
    muster.begin().await;
    let page = |fragment: &str| format!("{PAGE}{fragment}");
    let (muster, all) = urls(muster).await;
    assert_eq!(all, [page("#brook"), page("#creek"), page("#river")]);
    // One gets an address of its own, another goes.
    let olivia = github.user("olivia");
    let own = own_file("creek", "https://birds.example.gov/creek");
    olivia.push("agency/creek", "main", &[("code.json", &own)], "Say where it is");
    let (muster, all) = urls(muster).await;
    assert_eq!(all, [page("#brook"), "https://birds.example.gov/creek".to_owned(), page("#river")]);
    olivia.delete_repository("agency/river");
    let (muster, all) = urls(muster).await;
    assert_eq!(all, [page(""), "https://birds.example.gov/creek".to_owned()]);
    muster.finish().await;
}

pub const WITH_REPOSITORY: &str = "  repository: agency/code-inventory\n  defaults:\n";

/// The agency with a repository for its inventory that has this wish.
async fn proposing(clock: &muster::clock::Clock, wish: &str) -> Sandbox {
    let policy = POLICY.replace("  defaults:\n", WITH_REPOSITORY);
    let organization = org("agency")
        .owner("olivia")
        .base_role(Some(Role::Write))
        .repository(old(".github").file("README.md", README).file(".github/muster.yml", &policy))
        .repository(complete("code-inventory").description("The inventory.").file(".github/muster.yml", wish))
        .repository(complete("river").description("Counts birds."))
        .repository(complete("falcon-tracker").file("code.json", for_agencies("falcon-tracker")).private());
    sandbox(clock).organization(organization).installation(installation("agency")).start().await.unwrap()
}

pub fn alone() -> Setup {
    let agency = Agency { organizations: vec!["agency".parse().unwrap()], ..agency() };
    Setup { agencies: vec![agency], ..Setup::serving(&["agency"]) }
}

#[tokio::test]
async fn the_inventory_is_proposed_once_for_each_thing_it_says() {
    let clock = clock();
    let github = proposing(&clock, "inventory: {agency: xa}\n").await;
    let muster = Muster::start_as(&github, &clock, alone()).await;
    muster.begin().await;
    let pulls = || github.pull_requests("agency/code-inventory");
    insta::assert_snapshot!(pulls(), @"#1 Update the source code inventory (open)");
    let id = github.repository_id("agency/code-inventory");
    let pull = github.state(|state| state.repository(id).unwrap().issues[&1].body.clone());
    let pull = pull.unwrap();
    let (text, marker) = pull.split_once("<!-- ").unwrap();
    assert!(
        marker.starts_with(&format!("muster:v1 kind=inventory inst=test repo={id} findings=")),
        "{marker}"
    );
    insta::assert_snapshot!(text, @r"
    Muster keeps the inventory of the agency's source code. Merge this to publish what has changed.

    `agency-index.json`

    | State | Repositories |
    |---|---|
    | Listed | 0 |
    | Incomplete | 2 |
    | Exempt | 0 |
    | Excluded by rule | 0 |
    | Out of scope | 1 |
    | Could not be read | 0 |
    | All | 3 |

    Fewer than 5 repositories that are not public are not in this table.

    `code.json`

    | State | Repositories |
    |---|---|
    | Listed | 2 |
    | Incomplete | 0 |
    | Exempt | 0 |
    | Excluded by rule | 0 |
    | Out of scope | 1 |
    | Could not be read | 0 |
    | All | 3 |

    Fewer than 5 repositories that are not public are not in this table.

    The history of this repository keeps every version that you merge.

    Close this pull request to decline it. It comes back when something else changes.
    ");
    // What moves by itself is no reason to write.
    github.user("olivia").push("agency/river", "main", &[("src/main.rs", "fn main() {}\n")], "Count faster");
    muster.advance(Duration::from_secs(3600)).await;
    assert_eq!(pulls().len(), 1);
    // Another word is: the pull request that is open takes it in.
    github.user("olivia").rename("agency/river", "stream");
    muster.settle().await;
    insta::assert_snapshot!(pulls(), @"#1 Update the source code inventory (open)");
    github.user("olivia").merge("agency/code-inventory", 1);
    muster.settle().await;
    let there = github.state(|state| {
        let home = state.repository(id).unwrap();
        let oid = home.resolve("main").unwrap();
        let tree = home.objects.commit(oid).unwrap().tree;
        let blob = home.objects.entry_at(tree, "code.json").unwrap().oid;
        home.objects.blob(blob).unwrap().to_vec()
    });
    assert!(String::from_utf8(there).unwrap().contains("/agency/stream\""));
    muster.advance(Duration::from_secs(24 * 3600)).await;
    assert_eq!(pulls().len(), 1, "nothing is left to say");
    // One that a person closes comes back with the next thing, not before.
    github.user("olivia").rename("agency/stream", "creek");
    muster.settle().await;
    github.user("olivia").close_pull_request("agency/code-inventory", 2);
    muster.advance(Duration::from_secs(24 * 3600)).await;
    assert_eq!(pulls().len(), 2);
    github.user("olivia").rename("agency/creek", "brook");
    muster.settle().await;
    assert_eq!(pulls().len(), 3);
    muster.finish().await;
}

#[rstest::rstest]
#[case::without_a_word("# Nothing\n")]
#[case::for_another_agency("inventory: {agency: XB}\n")]
#[tokio::test]
async fn t7_a_repository_that_has_not_opted_in_is_not_written_to(#[case] wish: &str) {
    let clock = clock();
    let github = proposing(&clock, wish).await;
    let muster = Muster::start_as(&github, &clock, alone()).await;
    muster.begin().await;
    assert_eq!(github.pull_requests("agency/code-inventory").len(), 0);
    assert!(entries(&muster, "code.json").await.contains(&"river".to_owned()), "it is served all the same");
    muster.finish().await;
}

#[tokio::test]
async fn t7_a_person_s_commit_on_the_branch_is_left_alone() {
    let clock = clock();
    let github = proposing(&clock, "inventory: {agency: XA}\n").await;
    let muster = Muster::start_as(&github, &clock, alone()).await;
    muster.begin().await;
    let olivia = github.user("olivia");
    olivia.push("agency/code-inventory", "muster/inventory", &[("code.json", "{}\n")], "Mine");
    olivia.rename("agency/river", "stream");
    muster.settle().await;
    let changes =
        github.calls().into_iter().filter(|call| call.operation.as_deref() == Some("MoveRefs")).count();
    assert_eq!(changes, 0);
    muster.abandon();
}

/// Threats N1, N3, N4, and the canary crawl of §6 as far as the inventory goes.
#[tokio::test]
async fn n1_nothing_of_what_is_private_is_told_anywhere() {
    const CANARY: &str = "zebrafalcon";
    let clock = clock();
    let policy = POLICY.replace("  defaults:\n", WITH_REPOSITORY);
    let told = for_agencies("zebrafalcon-file")
        .replace("birds@agency.example.gov", "zebrafalcon@agency.example.gov")
        .replace("Office of Birds", "Zebrafalcon office")
        .replace("[\"birds\"]", "[\"zebrafalcon\"]")
        .replace("Counts the birds of a river.", "The zebrafalcon counts.")
        .replace("\"contractNumber\": []", "\"contractNumber\": [\"zebrafalcon 7\"]");
    let mut organization = org("agency")
        .owner("olivia")
        .base_role(Some(Role::Write))
        .repository(old(".github").file("README.md", README).file(".github/muster.yml", &policy))
        .repository(complete("code-inventory").file(".github/muster.yml", "inventory: {agency: XA}\n"))
        .repository(complete("river").description("Counts birds."))
        // Somebody has told already, in a place of their own.
        .repository(complete("gossip").description("Replaces agency/zebrafalcon-1, at git.agency.internal."));
    for n in 0..8 {
        let repository =
            complete(&format!("zebrafalcon-{n}")).description("The zebrafalcon.").file("code.json", &told);
        organization =
            organization.repository(if n % 2 == 0 { repository.private() } else { repository.internal() });
    }
    let github = sandbox(&clock)
        .organization(organization)
        .installation(installation("agency"))
        .start()
        .await
        .unwrap();
    let muster = Muster::start_as(&github, &clock, alone()).await;
    muster.begin().await;
    muster.advance(Duration::from_secs(3600)).await;
    // The office hears of them where everybody reads it.
    let ask = |n: u64| {
        let (id, olivia) =
            (github.repository_id(&format!("agency/zebrafalcon-{n}")), github.user("olivia").id());
        format!(
            "- {{id: {id}, usage: exemptByFOIA, basis: 5 USC 552(b)(7)(E), origin: employee, reason: It would \
             help who breaks in., requested_by: {olivia}}}\n"
        )
    };
    let register = format!("exemptions:\n{}", (0..6).map(ask).collect::<String>());
    github.user("olivia").push("agency/.github", "main", &[("muster-exemptions.yml", &register)], "Ask");
    github.user("olivia").set_visibility("agency/river", Visibility::Private);
    muster.settle().await;
    github.user("olivia").rename("agency/zebrafalcon-3", "zebrafalcon-three");
    muster.advance(Duration::from_secs(20 * 24 * 3600)).await;
    // Into the hours in which something may be opened.
    muster.advance(Duration::from_secs(20 * 3600)).await;

    let mut crawled = 0;
    let mut crawl = |what: &str, text: &str| {
        crawled += text.len();
        assert!(!text.to_lowercase().contains(CANARY), "{what} tells it");
    };
    for path in [
        "/code.json",
        "/agency-index.json",
        "/agencies/xa/code.json",
        "/healthz",
        "/readyz",
        "/zebrafalcon-1",
    ] {
        let answer = get(&muster, path, "").await;
        crawl(path, &format!("{} {}", answer.head, answer.body));
    }
    let ids = ["code-inventory", ".github"].map(|name| github.repository_id(&format!("agency/{name}")));
    // Files, commits, branches, issues, pull requests, edits, checks.
    github.state(|state| {
        ids.iter().for_each(|id| crawl("GitHub", &format!("{:?}", state.repository(*id).unwrap())))
    });
    assert!(crawled > 20_000, "{crawled} bytes were crawled");
    assert_eq!(github.pull_requests("agency/code-inventory").len(), 1);
    let digest = github.issues("agency/.github")[0].body.clone();
    assert!(digest.contains("There are 6 more that not all readers may see."), "{digest}");
    // GSA 2.0.0 has no contract numbers; the other asks for them, and a sentence
    // in their place is not told, and not taken for none.
    for (file, listed) in [("/code.json", 8), ("/agency-index.json", 0)] {
        let served = get(&muster, file, "").await.body;
        assert_eq!(served.matches("\"Restricted source code ").count(), listed, "{file}");
    }
    let account = lines(&publication(&muster, "code.json").await);
    assert!(account.iter().any(|line| line.starts_with("agency/gossip incomplete")), "{account:#?}");
    muster.finish().await;
}

#[rstest::rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test]
async fn people_answer_for_repositories_without_a_file(#[case] database: Database) {
    let clock = clock();
    let organization = lead()
        .repository(old(".github-private").file("README.md", README).private())
        .repository(complete("river").description("Counts birds."))
        .repository(complete("notes").description("To try things."))
        .repository(complete("falcon-tracker").private());
    let github = sandbox(&clock)
        .organization(organization)
        .installation(installation("agency"))
        .start()
        .await
        .unwrap();
    let muster = Muster::start_as(&github, &clock, Setup { database, ..alone() }).await;
    muster.begin().await;
    let olivia = github.user("olivia");
    let record = |name: &str| format!("records/{}.json", github.repository_id(&format!("agency/{name}")));
    let push = |files: &[(&str, &str)]| olivia.push("agency/.github-private", "main", files, "Answer");
    let states = async || {
        muster.settle().await;
        let account = lines(&publication(&muster, "agency-index.json").await);
        account.into_iter().filter(|line| !line.contains("/.github")).collect::<Vec<_>>().join("\n")
    };
    let before = states().await;
    assert!(before.contains("agency/river incomplete [\"/AIUseCaseID\"]"), "{before}");

    push(&[
        (&record("river"), r#"{"AIUseCaseID": "0"}"#),
        (&record("notes"), r#"{"name": "notes", "description": "Notes.", "outOfScope": "exploratory"}"#),
        (
            &record("falcon-tracker"),
            r#"{"permissions": {"usageType": ["governmentWideReuse"]}, "AIUseCaseID": "0"}"#,
        ),
        ("records/README.md", "Answers."),
    ]);
    insta::assert_snapshot!(states().await, @r#"
agency/river listed
agency/notes out-of-scope "exploratory"
agency/falcon-tracker listed
"#);
    let index = get(&muster, "/agency-index.json", "").await.body;
    assert!(index.contains("\"AIUseCaseID\": \"0\"") && !index.contains("outOfScope"));

    // One that is broken stops nobody, and what it said before stands.
    push(&[(&record("river"), "{"), (&record("falcon-tracker"), "[]")]);
    assert!(states().await.contains("agency/river listed"));
    // One that is taken away is gone.
    olivia.delete_files("agency/.github-private", "main", &[&record("river")], "Ask again");
    assert!(states().await.contains("agency/river incomplete"));
    muster.finish().await;
}
