//! A backup that is made while Muster works, and the life after it.

use std::{io::Cursor, time::Duration};

use github_sandbox::{Fault, FaultKind, Sandbox};
use muster::{
    clock::Clock,
    domain::{adoption::Ending, repository::AccountId},
    store::{Durability, Store},
};
use rstest::rstest;

use crate::{
    adoption::standing,
    harness::{Muster, README, agency, installed, old},
    server::{Database, new_database},
};

const MORNING: &str = "2026-11-17T09:00:00Z";
const POLICY: &str = "mode: fix
repositories: {exclude: [\".github\"]}
limits: {first_day: 7, per_day: 7}
";
const SITES: [&str; 10] = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"];
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn organization() -> (Sandbox, Clock) {
    let clock = Clock::stepped(MORNING.parse().unwrap());
    let license = spdx::license_id("CC0-1.0").unwrap().text();
    let sites = SITES.iter().map(|name| old(name).file("README.md", README).file("LICENSE", license));
    let organization = sites.fold(agency(POLICY), github_sandbox::NewOrganization::repository);
    (installed(&clock, organization).await, clock)
}

/// Two are opened and answered before the load comes.
async fn morning(github: &Sandbox, muster: &Muster) {
    let alice = github.user("alice");
    for name in &SITES[..2] {
        let site = format!("agency/{name}");
        alice.push(&site, "main", &[("README.md", &format!("{README}\nMore."))], "Say more");
    }
    muster.settle().await;
    alice.close_pull_request("agency/s0", 1);
    muster.settle().await;
}

fn load(github: &Sandbox) {
    for name in SITES {
        let files = [("README.md", &*format!("{README}\nMuch more."))];
        github.user("alice").push(&format!("agency/{name}"), "main", &files, "Say much more");
    }
}

/// After the load: one more answer, and the days until everything is open.
async fn afterwards(github: &Sandbox, muster: &Muster) {
    for _ in 0..6 {
        muster.advance(DAY).await;
    }
    assert_eq!(muster.ctx.store.verify_ledger(None).await.unwrap().broken, None);
    let opened = |name: &&str| github.pull_requests(&format!("agency/{name}")).len();
    assert_eq!(SITES.iter().map(opened).collect::<Vec<_>>(), [1; 10], "one each, none twice");
}

async fn undisturbed() -> String {
    let (github, clock) = organization().await;
    let muster = Muster::start(&github, &clock).await;
    morning(&github, &muster).await;
    load(&github);
    muster.settle().await;
    github.user("alice").close_pull_request("agency/s1", 1);
    muster.settle().await;
    afterwards(&github, &muster).await;
    let standing = standing(&github, &SITES);
    muster.finish().await;
    standing
}

#[rstest]
#[case(Database::Sqlite, Database::Postgres)]
#[case(Database::Postgres, Database::Sqlite)]
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_under_load_ends_as_if_nothing_had_been_lost(
    #[case] from: Database,
    #[case] to: Database,
) {
    let expected = undisturbed().await;
    let (github, clock) = organization().await;
    let muster = Muster::start_with(&github, &clock, from, None).await;
    morning(&github, &muster).await;
    load(&github);
    github.deliver().await;
    // The backup is made while a pull request is being opened and others wait.
    github.fault(Fault::on("POST /graphql Propose").kind(FaultKind::Held).after(2));
    let mut file = Vec::new();
    let saving = async {
        github.holds().await;
        let made = muster.ctx.store.back_up(&mut file, clock.now()).await.unwrap();
        github.release();
        made
    };
    let (drained, made) = tokio::join!(muster.worker.drain(), saving);
    drained.unwrap();
    muster.settle().await;
    assert_eq!(made.broken, None);
    // What happens after the backup is known to GitHub alone.
    github.user("alice").close_pull_request("agency/s1", 1);
    github.change_pending(Vec::clear);
    let opened =
        SITES.iter().filter(|name| !github.pull_requests(&format!("agency/{name}")).is_empty()).count();
    assert!(opened > 4, "more was opened than the backup knows: {opened}");
    muster.lose().await;

    let (folder, url) = new_database(to).await;
    let store = Store::open_with(&url, Durability::Test).await.unwrap();
    let restored = store.restore(&mut Cursor::new(&file), clock.now()).await.unwrap();
    assert_eq!(restored.head, made.head);
    store.close().await;
    let muster = Muster::resume(&github, &clock, (folder, &url)).await;
    muster.begin().await;
    muster.advance(HOUR).await;
    let account = AccountId(github.state(|state| state.account_named("agency").unwrap().id));
    let ended = muster.ctx.store.adoption(account).await.unwrap().unwrap().ended;
    assert_eq!(ended.map(|(_, ending)| ending), Some(Ending::Restored), "nobody has to wait seven days");
    afterwards(&github, &muster).await;
    assert_eq!(standing(&github, &SITES), expected);
    muster.finish().await;
}
