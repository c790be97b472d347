//! The inventory from outside GitHub, in the same account: a file of the control
//! repository, and an address that cannot be trusted.

use std::time::Duration;

use github_sandbox::{Role, Sandbox, installation, org};
use muster::{clock::Clock, domain::inventory::Hosts, store::Publication};
use serde_json::{Value, json};

use crate::{
    harness::{Muster, README, Setup, clock, complete, old, sandbox},
    inventory::{POLICY, entries, get, header, lines, publication, setup},
    server::Database,
    site::{Say, Site},
};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// An entry that GSA 2.0.0 lacks nothing of.
pub fn release(name: &str, url: &str) -> Value {
    json!({
        "name": name, "description": "Counts drops.", "organization": "Office of Rain", "repositoryURL": url,
        "permissions": {"licenses": [{"name": "CC0-1.0", "URL": "https://spdx.org/licenses/CC0-1.0.html"}],
            "usageType": "openSource"},
        "status": "Production", "vcs": "git", "laborHours": 1, "tags": ["rain"], "languages": ["C"],
        "contact": {"email": "rain@agency.example.gov", "name": "Office of Rain"},
        "date": {"created": "2020-01-01", "lastModified": "2026-01-01", "metadataLastUpdated": "2026-01-01"},
    })
}

pub fn inventory(releases: &[Value]) -> String {
    json!({"version": "2.0.0", "agency": "XA", "measurementType": {"method": "projects"}, "releases": releases})
        .to_string()
}

/// So many entries, all different.
fn many(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| {
            release(&format!("tool-{n:02}"), &format!("https://git.agency.example.gov/tools/tool-{n:02}"))
        })
        .collect()
}

/// The agency whose policy names this import; its control repository holds
/// `outside`.
async fn github(clock: &Clock, import: &str, outside: Option<&str>) -> Sandbox {
    let policy = POLICY.replace("  defaults:\n", &format!("  import: {import}\n  defaults:\n"));
    let mut control = old(".github-private").file("README.md", README).private();
    if let Some(outside) = outside {
        control = control.file("inventory/outside.json", outside);
    }
    let organization = org("agency")
        .owner("olivia")
        .base_role(Some(Role::Write))
        .repository(old(".github").file("README.md", README).file(".github/muster.yml", &policy))
        .repository(control)
        .repository(complete("river").description("Counts birds."))
        .repository(complete("falcon-tracker").private());
    sandbox(clock).organization(organization).installation(installation("agency")).start().await.unwrap()
}

fn alone(database: Database, import_from: Hosts) -> Setup {
    let mut setup = Setup { organizations: vec!["agency".to_owned()], ..setup(database) };
    setup.agencies[0].organizations.truncate(1);
    setup.agencies[0].import_from = import_from;
    // A server that says nothing is not waited for.
    setup.patience = Some(Duration::from_secs(3));
    setup
}

/// What became of the import, one line each, in the account of `code.json`.
fn outside(github: &Sandbox, publication: &Publication) -> String {
    let of_import = |line: &&String| !line.starts_with("agency/");
    let all = lines(publication).iter().filter(of_import).cloned().collect::<Vec<_>>().join("\n");
    all.replace(github.web_url(), "GITHUB")
}

fn problems(publication: &Publication) -> Vec<String> {
    let account: Value = serde_json::from_str(publication.account.as_ref().unwrap()).unwrap();
    let problem = |one: &Value| one["problem"].as_str().unwrap().to_owned();
    account["problems"].as_array().unwrap().iter().map(problem).collect()
}

fn balances(publication: &Publication) {
    let account: Value = serde_json::from_str(publication.account.as_ref().unwrap()).unwrap();
    let count = |key: &str| account["totals"][key].as_u64().unwrap();
    let sum: u64 =
        ["listed", "incomplete", "exempt", "excluded", "out_of_scope", "unknown"].map(count).iter().sum();
    assert_eq!(sum, count("seen"), "{}", account["totals"]);
}

#[rstest::rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test]
async fn a_file_of_the_control_repository_is_in_the_same_account(#[case] database: Database) {
    let clock = clock();
    let github = github(&clock, "inventory/outside.json", None).await;
    let here = format!("{}/agency/river", github.web_url());
    let mut hidden = release("owl", "https://git.agency.example.gov/air/owl-radar");
    hidden["repositoryVisibility"] = "internal".into();
    let mut lacking = release("hail", "https://git.agency.example.gov/tools/hail");
    lacking.as_object_mut().unwrap().remove("description");
    let first = [
        release("Rain", "https://git.agency.example.gov/rain"),
        release("Snow", "https://git.agency.example.gov/all"),
        release("Sleet", "https://git.agency.example.gov/all"),
        hidden,
        lacking,
        json!("not an entry"),
        release("river", &here),
    ];
    let olivia = github.user("olivia");
    let push = |text: &str| {
        olivia.push("agency/.github-private", "main", &[("inventory/outside.json", text)], "Say more");
    };
    push(&inventory(&first));
    let muster = Muster::start_as(&github, &clock, alone(database, Hosts::default())).await;
    muster.begin().await;

    let published = publication(&muster, "code.json").await;
    assert_eq!(published.refused, None);
    balances(&published);
    insta::assert_snapshot!(outside(&github, &published), @r#"
https://git.agency.example.gov/rain listed
https://git.agency.example.gov/all listed
https://git.agency.example.gov/all (2) listed
https://git.agency.example.gov/air/owl-radar excluded "inventory.import: not public"
https://git.agency.example.gov/tools/hail incomplete ["/description"]
entry 6 incomplete [] "entry 6 of the import is not an object"
GITHUB/agency/river excluded "inventory.import: also on GitHub"
"#);
    insta::assert_snapshot!(entries(&muster, "code.json").await.join(", "), @"river, Rain, Sleet, Snow");
    let served = get(&muster, "/code.json", "").await.body;
    assert!(served.contains("https://git.agency.example.gov/all#snow"), "{served}");
    assert!(!served.contains("owl"), "what is not public is told");

    // A push is enough, and nothing else is read for it.
    push(&inventory(
        &[&first[..1], &first[2..], &[release("Fog", "https://git.agency.example.gov/fog")]].concat(),
    ));
    muster.settle().await;
    let names = entries(&muster, "code.json").await;
    assert!(names.contains(&"Fog".to_owned()) && !names.contains(&"Snow".to_owned()), "{names:?}");
    let before = publication(&muster, "code.json").await.sha256;

    // One that is cut off replaces nothing, and says so.
    push(&inventory(&first)[..200]);
    muster.settle().await;
    let published = publication(&muster, "code.json").await;
    assert_eq!((published.refused.clone(), &published.sha256), (None, &before));
    insta::assert_snapshot!(problems(&published).join("\n"), @"the import is used as it was read on 2026-11-17; since then it could not be: it cannot be read as JSON, line 1: the file ends within a text");
    // Meanwhile what is made private leaves at once.
    github.user("olivia").set_visibility("agency/river", github_sandbox::Visibility::Private);
    muster.settle().await;
    let names = entries(&muster, "code.json").await;
    assert!(names.contains(&"Fog".to_owned()) && !names.contains(&"river".to_owned()), "{names:?}");

    // A policy without an import takes its entries away.
    let policy = POLICY;
    olivia.push("agency/.github", "main", &[(".github/muster.yml", policy)], "Import nothing");
    muster.advance(HOUR).await;
    assert_eq!(outside(&github, &publication(&muster, "code.json").await), "");
    muster.finish().await;
}

#[tokio::test]
async fn an_import_that_was_never_read_stops_the_file_and_says_why() {
    let clock = clock();
    let github = github(&clock, "inventory/outside.json", Some("<html>")).await;
    let muster = Muster::start_as(&github, &clock, alone(Database::Sqlite, Hosts::default())).await;
    muster.begin().await;
    muster.advance(HOUR).await;
    assert_eq!(get(&muster, "/code.json", "").await.status, 404);
    insta::assert_snapshot!(publication(&muster, "code.json").await.refused.unwrap(), @"the import is not usable: it cannot be read as JSON, line 1: a value is missing here");
    let text = inventory(&many(2));
    let files = [("inventory/outside.json", text.as_str())];
    github.user("olivia").push("agency/.github-private", "main", &files, "Mend it");
    muster.settle().await;
    assert_eq!(entries(&muster, "code.json").await, ["river", "tool-00", "tool-01"]);
    muster.finish().await;
}

#[tokio::test]
async fn an_import_that_shrank_replaces_nothing_until_it_is_named_anew() {
    let clock = clock();
    let site = Site::start().await;
    site.has("/code.json", inventory(&many(10)));
    let github = github(&clock, &format!("{}/code.json", site.origin), None).await;
    let from = Hosts { public: vec![site.authority.clone()], private: Vec::new() };
    let muster = Muster::start_as(&github, &clock, alone(Database::Sqlite, from)).await;
    muster.begin().await;
    assert_eq!(entries(&muster, "code.json").await.len(), 11);
    site.has("/code.json", inventory(&many(6)));
    muster.advance(HOUR).await;
    muster.advance(HOUR).await;
    let published = publication(&muster, "code.json").await;
    assert_eq!(entries(&muster, "code.json").await.len(), 11);
    insta::assert_snapshot!(problems(&published).join("\n"), @"the import is used as it was read on 2026-11-17; since then it could not be: 4 of its 10 entries are gone: if that is right, write inventory.import anew, as with #2 after the address or another file name");
    // Four of ten are three too many only for whoever does not mean it.
    let anew =
        POLICY.replace("  defaults:\n", &format!("  import: {}/code.json#2\n  defaults:\n", site.origin));
    github.user("olivia").push(
        "agency/.github",
        "main",
        &[(".github/muster.yml", &anew)],
        "It is smaller now",
    );
    muster.advance(HOUR).await;
    assert_eq!(entries(&muster, "code.json").await.len(), 7);
    assert_eq!(problems(&publication(&muster, "code.json").await), Vec::<String>::new());
    muster.finish().await;
}

/// Threats O1 and O2: an address is asked by its rules, or not at all; whatever
/// it says, what was good stays.
#[tokio::test]
async fn o1_whatever_an_address_answers_the_last_good_import_stays() {
    let clock = clock();
    let (site, other) = (Site::start().await, Site::start().await);
    let good = inventory(&many(3));
    site.has("/code.json", good.clone());
    other.has("/code.json", good.clone());
    let github = github(&clock, &format!("{}/code.json", site.origin), None).await;
    let from =
        Hosts { public: vec![site.authority.clone(), "169.254.169.254".to_owned()], private: Vec::new() };
    let muster = Muster::start_as(&github, &clock, alone(Database::Sqlite, from)).await;
    muster.begin().await;
    assert_eq!(entries(&muster, "code.json").await.len(), 4);

    // What is the same is asked for once an hour, and not sent again.
    let asked = site.asked().len();
    muster.advance(HOUR).await;
    assert_eq!(site.asked().len(), asked + 1);
    assert!(site.asked().last().unwrap().contains("if-none-match: \""));
    let published = publication(&muster, "code.json").await;
    muster.advance(HOUR).await;
    assert_eq!(publication(&muster, "code.json").await.published_at, published.published_at);

    let raw = |text: &str| Say::Raw(text.as_bytes().to_vec());
    let to =
        |place: &str| raw(&format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n"));
    let length = good.len();
    let mut told = String::new();
    for (what, say) in [
        ("gone", raw("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")),
        ("a page to sign in", raw("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")),
        ("cut off", Say::File(good.as_bytes()[..length - 9].to_vec())),
        (
            "shorter than it says",
            raw(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{good}", length + 9)),
        ),
        (
            "longer than it says",
            raw(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{good}", length - 9)),
        ),
        ("50 MB announced", raw("HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n{")),
        ("without an end", Say::Endless("HTTP/1.1 200 OK\r\n\r\n[".to_owned())),
        ("packed", raw("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\u{1f}x")),
        ("slow", Say::Stall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{".to_vec())),
        ("in a circle", to("/code.json")),
        ("to another host", to(&format!("{}/code.json", other.origin))),
        ("to a cloud's own service", to("https://169.254.169.254/latest/meta-data/")),
        ("with a password", to(&format!("http://user:secret@{}/code.json", site.authority))),
        ("to a file", to("file:///etc/passwd")),
        ("to plain HTTP elsewhere", to("http://agency.example.gov/code.json")),
        ("an empty list", Say::File(inventory(&[]).into_bytes())),
    ] {
        site.says("/code.json", say);
        muster.advance(HOUR).await;
        let published = publication(&muster, "code.json").await;
        assert_eq!(published.refused, None, "{what}");
        assert_eq!(entries(&muster, "code.json").await.len(), 4, "{what}");
        let why = problems(&published).join("; ");
        let why = why.rsplit_once("could not be: ").map_or(why.as_str(), |(_, why)| why);
        let why = why.replace(&other.authority, "OTHER").replace(&site.authority, "SITE");
        told += &format!("{what}: {why}\n");
    }
    insta::assert_snapshot!(told, @r"
gone: its server answered 404
a page to sign in: it cannot be read as JSON, line 1: a value is missing here
cut off: it cannot be read as JSON, line 1: the file ends within a text
shorter than it says: it broke off before its end
longer than it says: it cannot be read as JSON, line 1: the file ends within a text
50 MB announced: it is larger than 50 MiB
without an end: it is larger than 50 MiB
packed: its server sent it packed, though it was asked not to
slow: it did not come within 3 seconds
in a circle: it was redirected more than 3 times
to another host: OTHER is not among the hosts that may be asked: the operator adds it to import_hosts in muster.toml
to a cloud's own service: its server is at an address of one link or of a cloud's own services, which is not asked
with a password: the address cannot be used: write https://HOST/PATH, without a user and a password
to a file: the address cannot be used: write https://HOST/PATH, without a user and a password
to plain HTTP elsewhere: the address cannot be used: write https://HOST/PATH, without a user and a password
an empty list: 3 of its 3 entries are gone: if that is right, write inventory.import anew, as with #2 after the address or another file name
");
    assert_eq!(other.asked().len(), 0, "a host that is not listed was asked");
    for head in site.asked() {
        assert!(!head.contains("authorization") && !head.contains("cookie"), "{head}");
        assert!(head.contains("accept-encoding: identity"), "{head}");
    }
    site.has("/code.json", good);
    muster.advance(HOUR).await;
    assert_eq!(entries(&muster, "code.json").await.len(), 4);
    muster.finish().await;
}

#[tokio::test]
async fn o1_a_host_that_the_operator_did_not_list_is_not_asked() {
    let clock = clock();
    let site = Site::start().await;
    site.has("/code.json", inventory(&many(3)));
    let github = github(&clock, &format!("{}/code.json", site.origin), None).await;
    let muster = Muster::start_as(&github, &clock, alone(Database::Sqlite, Hosts::default())).await;
    muster.begin().await;
    let refused = publication(&muster, "code.json").await.refused.unwrap().replace(&site.authority, "SITE");
    insta::assert_snapshot!(refused, @"the import is not usable: SITE is not among the hosts that may be asked: the operator adds it to import_hosts in muster.toml");
    assert_eq!(site.asked().len(), 0);
    muster.finish().await;
}

#[tokio::test]
async fn n4_an_imported_entry_that_names_private_code_is_held_back_alone() {
    let clock = clock();
    let github = github(&clock, "inventory/outside.json", None).await;
    let url = |name: &str| format!("https://git.agency.example.gov/tools/{name}");
    let mut gossip = release("gossip", &url("gossip"));
    gossip["description"] = format!("Replaces {}/agency/falcon-tracker.", github.web_url()).into();
    let ours = release("ours", &format!("{}/agency/falcon-tracker", github.web_url()));
    let mut markup = release("<script>alert(1)</script>", &url("markup"));
    markup["tags"] = json!(["<img src=x onerror=alert(1)>", "\u{202e}txt"]);
    let mut hidden = release("owl-radar-2", "https://git.agency.example.gov/air/owl-radar-2");
    hidden["repositoryVisibility"] = "private".into();
    let mut of_hidden = release("about", &url("about"));
    of_hidden["description"] = "See air/owl-radar-2.".into();
    let text = inventory(&[gossip, ours, markup, hidden, of_hidden, release("rain", &url("rain"))]);
    let files = [("inventory/outside.json", text.as_str())];
    github.user("olivia").push("agency/.github-private", "main", &files, "Say more");
    let muster = Muster::start_as(&github, &clock, alone(Database::Sqlite, Hosts::default())).await;
    muster.begin().await;
    let published = publication(&muster, "code.json").await;
    balances(&published);
    insta::assert_snapshot!(outside(&github, &published), @r#"
https://git.agency.example.gov/tools/gossip incomplete [] "it would tell what is not public"
GITHUB/agency/falcon-tracker incomplete [] "it would tell what is not public"
https://git.agency.example.gov/tools/markup listed
https://git.agency.example.gov/air/owl-radar-2 excluded "inventory.import: not public"
https://git.agency.example.gov/tools/about incomplete [] "it would tell what is not public"
https://git.agency.example.gov/tools/rain listed
"#);
    let answer = get(&muster, "/code.json", "").await;
    assert!(!answer.body.contains("falcon") && !answer.body.contains("owl"), "{}", answer.body);
    assert_eq!(header(&answer, "content-type"), "application/json");
    let names = entries(&muster, "code.json").await;
    assert!(names.contains(&"<script>alert(1)</script>".to_owned()), "{names:?}");
    muster.finish().await;
}

/// 50 MB of valid entries: taken or refused by the limits, and nobody waits.
#[tokio::test]
async fn a_file_of_50_megabytes_is_refused_by_its_entries() {
    let clock = clock();
    let site = Site::start().await;
    let small: Vec<String> = (0..60_000)
        .map(|n| {
            let mut one = release(&format!("tool-{n}"), &format!("https://git.agency.example.gov/tools/{n}"));
            one["description"] = "x".repeat(200).into();
            one.to_string()
        })
        .collect();
    let text = format!("{{\"releases\": [{}]}}", small.join(","));
    assert!(text.len() > 40_000_000 && text.len() < 52_000_000, "{}", text.len());
    site.has("/code.json", text);
    let github = github(&clock, &format!("{}/code.json", site.origin), None).await;
    let from = Hosts { public: vec![site.authority.clone()], private: Vec::new() };
    let setup = Setup { patience: Some(Duration::from_secs(30)), ..alone(Database::Sqlite, from) };
    let muster = Muster::start_as(&github, &clock, setup).await;
    muster.begin().await;
    insta::assert_snapshot!(publication(&muster, "code.json").await.refused.unwrap(), @"the import is not usable: it has 60000 entries, more than 20000");
    muster.finish().await;
}
