//! The lives of installations.

mod repositories;

use std::time::Duration;

use github_sandbox::{Level, NewOrganization, Permission, Sandbox, app, installation, repository};
use insta::assert_snapshot;
use muster::{
    domain::repository::{InstallationId, RepositoryId},
    store::{DeliveryFilter, JobFilter, JobState, Repository},
};

use crate::{
    harness::{Muster, README, agency, clock, complete, installed, old, sandbox},
    recovery::FREELY,
};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A repository that lacks a contribution file.
fn lacking(name: &str) -> github_sandbox::NewRepository {
    old(name).file("README.md", README).file("LICENSE", spdx::license_id("CC0-1.0").unwrap().text())
}

fn with(repositories: impl IntoIterator<Item = github_sandbox::NewRepository>) -> NewOrganization {
    repositories.into_iter().fold(agency(FREELY), NewOrganization::repository)
}

/// What is remembered of a repository.
async fn row(muster: &Muster, id: u64) -> Repository {
    muster.ctx.store.repository(RepositoryId(id)).await.unwrap().expect("it was seen")
}

/// The turns in the lives of installations, oldest first.
async fn turns(muster: &Muster) -> Vec<String> {
    let mut audit = muster.ctx.store.audit(None, 10_000).await.unwrap();
    audit.reverse();
    let of_one = audit.into_iter().map(|entry| entry.audit);
    let of_one = of_one.filter(|audit| audit.installation.is_some() && audit.repository.is_none());
    of_one.map(|audit| audit.what).collect()
}

/// The calls since the last time this was asked, tokens included.
fn all_calls(github: &Sandbox) -> Vec<String> {
    let calls = github.calls();
    github.clear_calls();
    calls.iter().map(ToString::to_string).collect()
}

fn minted(calls: &[String]) -> usize {
    calls.iter().filter(|call| call.contains("access_tokens")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_made_while_muster_runs_is_swept_now_and_every_day() {
    let clock = clock();
    let github = sandbox(&clock).organization(with([lacking("site")])).start().await.unwrap();
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    assert_eq!(muster.ctx.store.installations().await.unwrap(), []);
    github.user("olivia").install("agency", None);
    muster.settle().await;
    assert_snapshot!(github.pull_requests("agency/site"), @"#1 Add missing open source files: CONTRIBUTING.md (open)");
    // Nobody tells of this one; the next day's sweep finds it.
    github.create_repository("agency", lacking("quiet"));
    github.change_pending(Vec::clear);
    muster.advance(DAY).await;
    assert_eq!(github.pull_requests("agency/quiet").len(), 1);
    assert_eq!(turns(&muster).await, ["installation_added"]);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_uninstalled_is_stopped_at_once_and_kept_as_of_then() {
    for told in [true, false] {
        let clock = clock();
        let github = installed(&clock, with([complete("site")])).await;
        let muster = Muster::start(&github, &clock).await;
        muster.begin().await;
        let (site, id) = (github.repository_id("agency/site"), github.installation_id("agency"));
        let judged = row(&muster, site).await;
        let (olivia, alice) = (github.user("olivia"), github.user("alice"));
        alice.delete_files("agency/site", "main", &["LICENSE"], "Tidy up");
        olivia.uninstall("agency");
        github.change_pending(|pending| pending.retain(|_| told));
        muster.settle().await;
        if !told {
            muster.advance(HOUR).await;
        }
        let gone = row(&muster, site).await;
        assert!(gone.removed_at.is_some());
        assert_eq!((gone.report, gone.judged_at), (judged.report, judged.judged_at), "as of then");
        let of_it = JobFilter { installation: Some(i64::try_from(id).unwrap()), subject: None };
        assert_eq!(muster.ctx.store.jobs(of_it, 100, clock.now()).await.unwrap(), []);
        all_calls(&github);
        muster.advance(3 * DAY).await;
        assert_eq!(minted(&all_calls(&github)), 0);
        // Installed anew, it is a new one; what was known is found again.
        olivia.install("agency", None);
        muster.settle().await;
        muster.advance(2 * HOUR).await;
        let back = row(&muster, site).await;
        assert!(back.removed_at.is_none());
        assert_ne!(back.seen.installation, InstallationId(id));
        assert_eq!(back.first_seen_at, gone.first_seen_at);
        assert_eq!(
            turns(&muster).await,
            ["installation_added", "installation_removed", "installation_added"],
            "told: {told}"
        );
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_installation_is_parked_and_swept_once_when_it_goes_on() {
    for told in [true, false] {
        let clock = clock();
        let github = installed(&clock, with([complete("site"), complete("other")])).await;
        let muster = Muster::start(&github, &clock).await;
        muster.begin().await;
        let olivia = github.user("olivia");
        let hear = async || {
            github.change_pending(|pending| pending.retain(|delivery| told || delivery.event == "push"));
            muster.settle().await;
        };
        github.user("alice").delete_files("agency/site", "main", &["CONTRIBUTING.md"], "Tidy up");
        olivia.set_suspended("agency", true);
        all_calls(&github);
        hear().await;
        // Told, nothing of it is called any more; untold, a refusal tells.
        let refused = all_calls(&github).iter().filter(|call| call.ends_with(" 403")).count();
        assert_eq!(refused, usize::from(!told));
        for _ in 0..49 {
            muster.advance(HOUR).await;
        }
        let calls = all_calls(&github);
        assert_eq!(minted(&calls), 0, "told: {told}: {calls:#?}");
        let jobs = muster.ctx.store.jobs(JobFilter::default(), 100, clock.now()).await.unwrap();
        let parked = jobs.iter().filter(|job| matches!(job.state, JobState::Parked { .. })).count();
        assert!(parked >= 1, "{jobs:#?}");
        assert_eq!(muster.ctx.store.dead(10, clock.now()).await.unwrap(), []);
        assert_eq!(github.pull_requests("agency/site").len(), 0);
        olivia.set_suspended("agency", false);
        hear().await;
        if !told {
            muster.advance(HOUR).await;
        }
        let lists =
            all_calls(&github).iter().filter(|call| call.contains("/installation/repositories")).count();
        assert_eq!(lists, 1, "one sweep; told: {told}");
        assert_eq!(github.pull_requests("agency/site").len(), 1);
        assert_eq!(
            turns(&muster).await,
            ["installation_added", "installation_suspended", "installation_unsuspended"],
            "told: {told}"
        );
        muster.finish().await;
    }
}

use Permission::{Checks, Contents, Issues, Metadata, PullRequests};

/// What the Observer's manifest asks for.
const OBSERVER: [(Permission, Level); 5] = [
    (Metadata, Level::Read),
    (Contents, Level::Read),
    (Issues, Level::Write),
    (PullRequests, Level::Read),
    (Checks, Level::Write),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_one_line_and_what_waits_goes_on_when_it_is_granted() {
    for told in [true, false] {
        let clock = clock();
        let sites = (0..12).map(|n| lacking(&format!("site-{n:02}")));
        let github = sandbox(&clock)
            .organization(with(sites))
            .installation(installation("agency").permissions(OBSERVER))
            .start()
            .await
            .unwrap();
        let muster = Muster::start(&github, &clock).await;
        muster.begin().await;
        for _ in 0..3 {
            muster.advance(DAY).await;
        }
        // Known from what the installation grants: GitHub is not even asked.
        let refused = |calls: &[String]| calls.iter().filter(|call| call.ends_with(" 422")).count();
        assert_eq!(refused(&all_calls(&github)), 0);
        assert_eq!(turns(&muster).await, ["installation_added", "permission_missing"]);
        let lacks = muster.ctx.store.lacking(InstallationId(github.installation_id("agency"))).await.unwrap();
        assert_eq!(lacks, ["contents: write, pull_requests: write"]);
        assert_eq!(muster.ctx.store.dead(10, clock.now()).await.unwrap(), []);
        assert_eq!(github.pull_requests("agency/site-00").len(), 0);
        github.user("olivia").accept_permissions("agency");
        github.change_pending(|pending| pending.retain(|_| told));
        muster.settle().await;
        if !told {
            muster.advance(HOUR).await;
        }
        for n in 0..12 {
            assert_eq!(github.pull_requests(&format!("agency/site-{n:02}")).len(), 1, "{n}; told: {told}");
        }
        assert_eq!(turns(&muster).await[2..], ["permissions_changed"]);
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_leave_to_read_nothing_is_tried_and_nothing_dies() {
    let clock = clock();
    let sites = (0..12).map(|n| lacking(&format!("site-{n:02}")));
    let granted = OBSERVER.into_iter().filter(|(permission, _)| *permission != Checks);
    let github = sandbox(&clock)
        .organization(with(sites))
        .installation(installation("agency").permissions(granted))
        .start()
        .await
        .unwrap();
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    for n in 0..12 {
        github.user("alice").push(
            &format!("agency/site-{n:02}"),
            "main",
            &[("LICENSE", "None.\n")],
            "Change",
        );
    }
    muster.settle().await;
    for _ in 0..3 {
        muster.advance(DAY).await;
    }
    let calls = all_calls(&github);
    assert_eq!(minted(&calls), 0, "{calls:#?}");
    assert_eq!(turns(&muster).await, ["installation_added", "permission_missing"]);
    assert_eq!(muster.ctx.store.dead(100, clock.now()).await.unwrap(), []);
    github.user("olivia").accept_permissions("agency");
    muster.settle().await;
    for n in 0..12 {
        assert!(row(&muster, github.repository_id(&format!("agency/site-{n:02}"))).await.report.is_some());
    }
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_asked_for_later_is_waited_for() {
    let clock = clock();
    let github = sandbox(&clock)
        .app(app("muster").permissions(OBSERVER))
        .organization(with([lacking("site")]))
        .installation(installation("agency"))
        .start()
        .await
        .unwrap();
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    // The operator makes the App a Fixer; nobody has accepted it yet.
    let mut fixer = OBSERVER;
    (fixer[1].1, fixer[3].1) = (Level::Write, Level::Write);
    github.change(|state| state.ask_for_permissions(fixer.into_iter().collect()));
    muster.advance(DAY).await;
    assert_eq!(github.pull_requests("agency/site").len(), 0);
    github.user("olivia").accept_permissions("agency");
    muster.settle().await;
    assert_eq!(github.pull_requests("agency/site").len(), 1);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_a_renamed_organization_keeps_its_place_and_whoever_takes_its_name_gets_nothing() {
    for told in [true, false] {
        let clock = clock();
        let github = installed(&clock, with([complete("site")])).await;
        let muster = Muster::start(&github, &clock).await;
        muster.begin().await;
        let (olivia, mallory) = (github.user("olivia"), github.user("mallory"));
        olivia.rename_account("agency", "department");
        github.change_pending(|pending| pending.retain(|_| told));
        muster.settle().await;
        // The old name is free: somebody takes it, with a policy of their own.
        github.change(|state| {
            let taken = github_sandbox::org("agency")
                .owner("mallory")
                .repository(complete("site"))
                .repository(repository(".github").file(".github/muster.yml", "mode: observe\n"));
            state.add_organization(taken);
        });
        mallory.install("agency", None);
        mallory.push("agency/site", "main", &[("LICENSE", "Mine.\n")], "Mine");
        github.user("alice").delete_files("department/site", "main", &["CONTRIBUTING.md"], "Tidy up");
        all_calls(&github);
        muster.settle().await;
        assert_eq!(github.pull_requests("department/site").len(), 1, "told: {told}");
        assert_eq!(github.pull_requests("agency/site").len(), 0);
        let stranger = github.installation_id("agency");
        let calls = github.calls();
        assert!(calls.iter().all(|call| call.installation != Some(stranger)));
        let path = format!("/app/installations/{stranger}/access_tokens");
        assert!(calls.iter().all(|call| call.path != path), "no token for whoever has the name");
        let site = row(&muster, github.repository_id("department/site")).await;
        assert_eq!(site.seen.name.to_string(), "department/site");
        let known = muster.ctx.store.installations().await.unwrap();
        assert_eq!(known.iter().map(|known| known.login.as_str()).collect::<Vec<_>>(), ["department"]);
        assert_eq!(turns(&muster).await, ["installation_added", "account_renamed"], "told: {told}");
        // Also for a process that has nothing in memory.
        let muster = muster.restart().await;
        muster.begin().await;
        github.user("alice").delete_files("department/site", "main", &["LICENSE"], "Tidy up more");
        muster.settle().await;
        let stored = muster.ctx.store.deliveries(&DeliveryFilter::default(), 1_000).await.unwrap();
        let known = i64::try_from(github.installation_id("department")).unwrap();
        assert!(stored.iter().all(|delivery| delivery.installation == Some(known)));
        assert_eq!(github.issues("department/site").len(), 1);
        let rows = muster.doctor(None).await.join("\n");
        assert!(rows.contains("ok permissions department: "), "{rows}");
        assert!(rows.contains("warning strangers agency: This account has taken a listed name"), "{rows}");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_app_knows_its_own() {
    let clock = clock();
    let github = installed(&clock, with([lacking("site")])).await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    assert_eq!(github.pull_requests("agency/site").len(), 1);
    github.change(|state| state.rename_app("the-agencys-muster"));
    muster.advance(DAY).await;
    let muster = muster.restart().await;
    muster.begin().await;
    muster.advance(DAY).await;
    assert_snapshot!(github.pull_requests("agency/site"), @"#1 Add missing open source files: CONTRIBUTING.md (open)");
    // Its own merge is recognised, and its branch cleared away.
    github.user("alice").merge("agency/site", 1);
    muster.settle().await;
    assert_eq!(github.branches("agency/site"), ["main"]);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_is_no_account_with_repositories() {
    let clock = clock();
    let github = installed(&clock, with([complete("site")])).await;
    let muster = Muster::start(&github, &clock).await;
    // Of the same name as the organization, and known before and after.
    let enterprise = github.change(|state| {
        let enterprise = state.add_enterprise("agency");
        let owner = state.person("olivia");
        state.install(owner, enterprise, None, None)
    });
    muster.begin().await;
    muster.advance(DAY).await;
    let path = format!("/app/installations/{enterprise}/access_tokens");
    assert!(github.calls().iter().all(|call| call.path != path), "a token was asked for");
    let stored = muster.ctx.store.deliveries(&DeliveryFilter::default(), 100).await.unwrap();
    assert!(stored.iter().all(|delivery| delivery.installation != Some(i64::try_from(enterprise).unwrap())));
    assert_eq!(muster.ctx.store.installations().await.unwrap().len(), 1);
    muster.finish().await;
}
