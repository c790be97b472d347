//! Clones and views, where an organization has opted in.

use std::time::Duration;

use github_sandbox::{
    Fault, FaultKind, Level, Permission, Role, Sandbox, Traffic, Visibility, app, installation, org,
    state::{Caller, Resource},
};
use jiff::civil::date;
use muster::{
    clock::Clock,
    domain::{
        exemptions::report::FiscalYear,
        inventory::traffic::{Span, Year},
        repository::{InstallationId, RepositoryId},
    },
};
use serde_json::Value;

use crate::{
    harness::{Muster, README, Setup, clock, complete, old, sandbox},
    inventory::{POLICY, for_agencies, get, own_file, setup},
    reports::program,
    server::Database,
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const CLONES: &str = "GET /repos/{owner}/{repo}/traffic/clones";
const VIEWS: &str = "GET /repos/{owner}/{repo}/traffic/views";

/// The Fixer, and with it what its owner has opted into.
fn permissions(measured: bool) -> Vec<(Permission, Level)> {
    let fixer = [
        (Permission::Metadata, Level::Read),
        (Permission::Contents, Level::Write),
        (Permission::Issues, Level::Write),
        (Permission::PullRequests, Level::Write),
        (Permission::Checks, Level::Write),
    ];
    let more = measured.then_some((Permission::Administration, Level::Read));
    fixer.into_iter().chain(more).collect()
}

/// The agency's one organization: `river` and `lake` say all that an entry
/// needs, `lake` also how often it was cloned.
async fn github(clock: &Clock, measured: bool) -> Sandbox {
    let agency = org("agency")
        .owner("olivia")
        .member("alice")
        .base_role(Some(Role::Write))
        .repository(old(".github").file("README.md", README).file(".github/muster.yml", POLICY))
        .repository(complete("river").description("Counts birds."))
        .repository(complete("lake").description("Counts fish."))
        .repository(complete("old-dam").description("Measures water.").archived())
        .repository(complete("play-sandbox").description("To play with."))
        .repository(complete("falcon").file("code.json", for_agencies("falcon")).private());
    let github = sandbox(clock)
        .app(app("muster").permissions(permissions(measured)))
        .organization(agency)
        .installation(installation("agency"))
        .start()
        .await
        .unwrap();
    let olivia = github.user("olivia");
    let of = |name: &str| own_file(name, &format!("{}/agency/{name}", github.web_url()));
    olivia.push("agency/river", "main", &[("code.json", &of("river"))], "Describe it");
    let lake = of("lake").replace(r#""forks": 0"#, r#""forks": 0, "clones": 9"#);
    olivia.push("agency/lake", "main", &[("code.json", &lake)], "Describe it");
    github
}

fn alone(database: Database) -> Setup {
    let mut setup = Setup { organizations: vec!["agency".to_owned()], ..setup(database) };
    setup.agencies[0].organizations.truncate(1);
    setup
}

/// What the served entry of a repository says of its reuse.
async fn reuse(muster: &Muster, name: &str) -> Value {
    let served = get(muster, "/agency-index.json", "").await;
    assert_eq!(served.status, 200, "{}", served.body);
    let document: Value = serde_json::from_str(&served.body).unwrap();
    let here = format!("/agency/{name}");
    let mut releases = document["releases"].as_array().unwrap().iter();
    let found = releases.find(|release| release["repositoryURL"].as_str().unwrap().ends_with(&here));
    found.unwrap_or_else(|| panic!("no {name}: {}", served.body))["reuseFrequency"].clone()
}

/// Two clone `river` on a day, one of them `falcon` too, and ten look at it.
fn visit(github: &Sandbox, river: &str) {
    github.visit(river, Traffic { clones: 2, cloners: 2, views: 10, visitors: 3 });
    github.visit("agency/falcon", Traffic { clones: 1, cloners: 1, ..Traffic::default() });
}

/// The numbers for OMB, as an operator asks for them.
fn omb(muster: &Muster) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["report", "omb", "--fiscal-year", "2027", "--format", "json"];
    let (code, text, said) = program(folder.path(), &muster.url, &[], &arguments);
    assert_eq!((code, said.as_str()), (0, ""), "{text}");
    serde_json::from_str::<Value>(&text).unwrap()["reuse"].clone()
}

async fn year(muster: &Muster) -> Year {
    muster.ctx.store.traffic_of("2027".parse::<FiscalYear>().unwrap()).await.unwrap()
}

async fn told(muster: &Muster) -> String {
    let rows = muster.doctor(None).await;
    rows.into_iter().find(|row| row.contains(" traffic agency: ")).unwrap()
}

/// How often GitHub was asked about clones since the last time.
fn asked(muster: &Muster) -> usize {
    muster.calls().iter().filter(|call| *call == CLONES || *call == VIEWS).count()
}

#[rstest::rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn clones_are_counted_before_github_forgets_them(#[case] database: Database) {
    let clock = clock();
    let github = github(&clock, true).await;
    let olivia = github.user("olivia");
    let muster = Muster::start_as(&github, &clock, alone(database)).await;
    muster.begin().await;
    let pass = async |days: usize, river: &str| {
        for _ in 0..days {
            visit(&github, river);
            muster.advance(DAY - 60 * MINUTE).await;
            // The inventory is published every hour.
            muster.advance(60 * MINUTE).await;
        }
    };
    // A seventh each night, and so each in its own.
    assert_eq!(asked(&muster), 2);
    pass(14, "agency/river").await;
    assert_eq!(asked(&muster), 2 * 8);
    assert_eq!(reuse(&muster, "river").await, serde_json::json!({ "forks": 0, "clones": 28 }));
    // What is measured counts, also where a person wrote a number once.
    assert_eq!(reuse(&muster, "lake").await["clones"], 0);

    // Two nights fail, and nothing is lost.
    pass(6, "agency/river").await;
    github.fault(Fault::on(CLONES).kind(FaultKind::BadGateway).times(1000));
    pass(2, "agency/river").await;
    assert_eq!(reuse(&muster, "river").await["clones"], 28, "the last good number stands");
    assert_eq!(muster.ctx.store.dead(10, muster.clock.now()).await.unwrap(), []);
    github.clear_faults();
    pass(1, "agency/river").await;
    assert_eq!(reuse(&muster, "river").await["clones"], 46);

    let river = RepositoryId(github.repository_id("agency/river"));
    let measured = year(&muster).await.0.remove(&river).unwrap();
    // Of the day that is not over there is no telling.
    let span = Span { first: date(2026, 11, 4), last: date(2026, 12, 9) };
    assert_eq!((measured.clones, measured.views, measured.spans), (46, 230, vec![span]));
    let numbers = omb(&muster);
    assert_eq!((&numbers["clones"], &numbers["views"]), (&63.into(), &230.into()));
    let expected = serde_json::json!({ "repositories": 4, "from": "2026-11-04", "with_gaps": 0 });
    assert_eq!(numbers["measured"], expected);
    assert!(
        told(&muster).await.contains("ok traffic agency: Clones and views are measured, last on 2026-12-10.")
    );

    // It is renamed and nobody says so; another one takes the name.
    olivia.rename("agency/river", "stream");
    olivia.create_repository("agency", complete("river"));
    github.change_pending(Vec::clear);
    github.visit("agency/river", Traffic { clones: 1000, cloners: 1, views: 1000, visitors: 1 });
    pass(7, "agency/stream").await;
    assert_eq!(reuse(&muster, "stream").await["clones"], 60);

    // Of what is not public any more no number is told, but it is counted.
    olivia.set_visibility("agency/stream", Visibility::Private);
    olivia.delete_repository("agency/old-dam");
    muster.settle().await;
    let served = get(&muster, "/agency-index.json", "").await.body;
    assert!(!served.contains("\"clones\": 60") && !served.contains("stream"), "{served}");
    pass(7, "agency/stream").await;
    let numbers = omb(&muster);
    assert!(numbers["clones"].as_u64().unwrap() >= 1000 + 74, "{numbers}");
    assert_eq!(muster.ctx.store.dead(10, muster.clock.now()).await.unwrap(), []);

    // The owner takes the permission away: nothing is asked, and it is said.
    github.change(|state| state.ask_for_permissions(permissions(false).into_iter().collect()));
    olivia.accept_permissions("agency");
    muster.settle().await;
    asked(&muster);
    pass(3, "agency/stream").await;
    assert_eq!(asked(&muster), 0);
    assert!(told(&muster).await.starts_with("warning traffic agency: Clones and views are measured no more"));
    assert_eq!(omb(&muster), numbers, "what was measured stays");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_where_nobody_opted_in() {
    let clock = clock();
    // Not granted; and granted, where no agency counts.
    for (granted, agencies) in [(false, true), (true, false)] {
        let github = github(&clock, granted).await;
        let mut setup = alone(Database::Sqlite);
        setup.agencies.truncate(usize::from(agencies));
        let muster = Muster::start_as(&github, &clock, setup).await;
        muster.begin().await;
        for _ in 0..3 {
            visit(&github, "agency/river");
            muster.advance(DAY).await;
        }
        assert_eq!(asked(&muster), 0);
        let administration = github.state(|state| {
            let grants = state.grants();
            grants.iter().any(|grant| grant.permissions.contains_key(&Permission::Administration))
        });
        assert!(!administration, "a token was asked for");
        assert!(told(&muster).await.starts_with("ok traffic agency: "));
        if agencies {
            assert_eq!(reuse(&muster, "lake").await["clones"], 9, "a person's number stands");
            assert_eq!(reuse(&muster, "river").await, serde_json::json!({ "forks": 0 }));
            assert_eq!((&omb(&muster)["clones"], &omb(&muster)["measured"]), (&Value::Null, &Value::Null));
        }
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_that_measures_can_do_nothing_else() {
    let clock = clock();
    let github = github(&clock, true).await;
    let muster = Muster::start_as(&github, &clock, alone(Database::Sqlite)).await;
    muster.begin().await;
    assert_eq!(asked(&muster), 2);
    let narrow: Vec<_> = github
        .state(|state| state.grants())
        .into_iter()
        .map(|grant| grant.permissions)
        .filter(|permissions| permissions.contains_key(&Permission::Administration))
        .collect();
    let expected = [(Permission::Administration, Level::Read), (Permission::Metadata, Level::Read)];
    assert_eq!(narrow, [expected.into_iter().collect()]);
    muster.finish().await;
}

/// The work of others comes first: while less than half of the hour's calls is
/// left, nothing is measured.
#[tokio::test(flavor = "multi_thread")]
async fn it_waits_while_calls_are_scarce() {
    let clock = clock();
    let github = github(&clock, true).await;
    let muster = Muster::start_as(&github, &clock, alone(Database::Sqlite)).await;
    let installation = InstallationId(github.installation_id("agency"));
    let spend = || {
        github.change(|state| {
            let grant = github_sandbox::state::Grant {
                installation: installation.0,
                permissions: permissions(true).into_iter().collect(),
                repositories: None,
            };
            state.charge(&Caller::Installation(grant), Resource::Core, 2600).unwrap();
        });
    };
    spend();
    muster.begin().await;
    for _ in 0..3 {
        muster.advance(15 * MINUTE).await;
        assert_eq!(asked(&muster), 0);
    }
    // The next hour.
    muster.advance(16 * MINUTE).await;
    assert_eq!(asked(&muster), 2);
    muster.finish().await;
}

/// A hundred repositories a run, and a minute between.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_night_is_cut_into_runs() {
    let clock = clock();
    let policy = format!("{POLICY}mode: observe\n");
    let mut agency = org("agency")
        .owner("olivia")
        .base_role(Some(Role::Write))
        .repository(old(".github").file("README.md", README).file(".github/muster.yml", &policy));
    for n in 0..150 {
        agency = agency.repository(old(&format!("tool-{n:03}")).description("Counts."));
    }
    let github = sandbox(&clock)
        .app(app("muster").permissions(permissions(true)))
        .organization(agency)
        .installation(installation("agency"))
        .start()
        .await
        .unwrap();
    let muster = Muster::start_as(&github, &clock, alone(Database::Sqlite)).await;
    muster.begin().await;
    assert_eq!(asked(&muster), 2 * 22, "a seventh of 150");
    // As if all had been asked about ten days ago.
    muster.clock.advance(10 * DAY);
    let then = muster.clock.now() - 9 * DAY;
    for n in 0..150 {
        let id = RepositoryId(github.repository_id(&format!("agency/tool-{n:03}")));
        muster.ctx.store.take_traffic(id, &[], then).await.unwrap();
    }
    muster.settle().await;
    assert_eq!(asked(&muster), 2 * 100);
    muster.advance(59 * Duration::from_secs(1)).await;
    assert_eq!(asked(&muster), 0);
    muster.advance(Duration::from_secs(1)).await;
    assert_eq!(asked(&muster), 2 * 50);
    // GitHub fails whole: three tries, and the night is over.
    muster.clock.advance(10 * DAY);
    github.fault(Fault::on(CLONES).kind(FaultKind::BadGateway).times(10_000));
    muster.settle().await;
    muster.advance(10 * MINUTE).await;
    assert_eq!(asked(&muster), 3 * 3, "each is tried three times");
    github.clear_faults();
    muster.finish().await;
}
