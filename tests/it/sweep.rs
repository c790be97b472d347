//! The sweep: what it costs and what it finds.

mod trouble;

use std::{collections::BTreeMap, time::Duration};

use github_sandbox::{NewOrganization, NewRepository, Sandbox, Visibility};
use muster::{
    clock::Clock,
    domain::{
        adoption::Ending,
        repository::{AccountId, InstallationId, RepositoryId},
    },
    jobs::{Next, inspect_installation, sweep_installation},
    store::{Accounted, JobFilter, Priority},
};

use crate::{
    harness::{Muster, README, agency, clock, complete, installed, old},
    server::Database,
};

const OBSERVE: &str = "mode: observe\nrepositories: {exclude: [\".github\"]}\n";
const FIX: &str = "mode: fix\nrepositories: {exclude: [\".github\"]}\n";
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn cc0() -> &'static str {
    spdx::license_id("CC0-1.0").unwrap().text()
}

/// A repository that lacks a contribution file.
fn lacking(name: &str) -> NewRepository {
    old(name).file("README.md", README).file("LICENSE", cc0())
}

/// `agency` with so many more repositories like this one.
fn with(policy: &str, count: usize, like: &NewRepository) -> NewOrganization {
    (1..=count).fold(agency(policy), |agency, n| agency.repository(like.named(&format!("r{n:04}"))))
}

/// What is asked for every few minutes or every hour, whatever there is to
/// sweep.
const BESIDES: [&str; 2] = ["GET /app/hook/deliveries", "GET /app/installations"];

/// GitHub's calls by name since this was asked last, tokens and [`BESIDES`]
/// aside.
fn counted(muster: &Muster) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for call in muster.calls().into_iter().filter(|call| !BESIDES.contains(&call.as_str())) {
        *counted.entry(call).or_default() += 1;
    }
    counted
}

/// How much was opened in repositories; the office's digest is nobody's burden.
fn opened(github: &Sandbox) -> usize {
    github.state(|state| {
        let others = state.repositories().filter(|home| home.name != ".github");
        others.map(|home| home.issues.len()).sum()
    })
}

const LIST: &str = "GET /installation/repositories";

/// How often each of these was called, and how many calls there were besides.
fn figures(muster: &Muster, names: [&str; 4]) -> ([usize; 4], usize) {
    let counted = counted(muster);
    let all: usize = counted.values().sum();
    let of = names.map(|name| counted.get(name).copied().unwrap_or_default());
    (of, all - of.iter().sum::<usize>())
}

const SWEEP: [&str; 4] = [LIST, "Standing", "Repositories", "TextsOfMany"];

/// A Muster that knows who it is, with the first sweep still to come.
async fn begun(github: &Sandbox, clock: &Clock) -> Muster {
    let muster = Muster::start(github, clock).await;
    muster.worker.begin().await.unwrap();
    github.clear_calls();
    muster
}

fn here(github: &Sandbox) -> InstallationId {
    InstallationId(github.installation_id("agency"))
}

async fn accounted(muster: &Muster) -> Accounted {
    let all = muster.ctx.store.accounted(here(&muster.github)).await.unwrap();
    assert_eq!(all.total, all.judged + all.skipped + all.unknown + all.waiting, "{all:?}");
    all
}

/// Asks for a sweep as the night does, and does it.
async fn sweep(muster: &Muster) {
    let next = sweep_installation::run(&muster.ctx, here(&muster.github), Priority::Sweep).await.unwrap();
    assert!(matches!(next, Next::At(..)), "{next:?}");
    muster.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_sweep_costs_a_call_for_each_page_and_an_unchanged_one_hardly_any() {
    let clock = clock();
    // 999 and `.github`.
    let github = installed(&clock, with(OBSERVE, 999, &complete("like"))).await;
    let muster = begun(&github, &clock).await;
    muster.settle().await;
    // Beside these, who pushed the policy is asked for once (threats T7).
    assert_eq!(figures(&muster, SWEEP), ([10, 1, 20, 0], 1), "the first");
    let all = accounted(&muster).await;
    assert_eq!((all.judged, all.skipped, all.total), (999, 1, 1000));
    sweep(&muster).await;
    assert_eq!(figures(&muster, SWEEP), ([10, 1, 0, 0], 0), "unchanged");
    // By itself, the night after.
    muster.advance(DAY).await;
    assert_eq!(figures(&muster, SWEEP), ([10, 1, 0, 0], 0), "the next night");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn to_meet_an_organization_costs_no_more_than_to_sweep_it() {
    let clock = clock();
    let github = installed(&clock, with(OBSERVE, 119, &complete("like"))).await;
    let muster = Muster::meeting(&github, &clock, Database::Sqlite).await;
    muster.worker.begin().await.unwrap();
    github.clear_calls();
    muster.settle().await;
    assert_eq!(figures(&muster, SWEEP), ([2, 1, 3, 0], 1));
    let adoption = muster.ctx.store.adoption(account(&github)).await.unwrap().unwrap();
    assert_eq!(adoption.ended.map(|(_, ending)| ending), Some(Ending::NothingFound));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_outstanding_is_compared_a_hundred_a_call() {
    let clock = Clock::stepped("2026-11-17T09:00:00Z".parse().unwrap());
    let policy = "mode: issue\nrepositories: {exclude: [\".github\"]}\nlimits: {issues_per_day: 500, open: 500, writes_per_minute: 80, writes_per_hour: 500}\n";
    let github = installed(&clock, with(policy, 119, &old("like").file("README.md", README))).await;
    let muster = begun(&github, &clock).await;
    muster.settle().await;
    muster.advance(2 * HOUR).await;
    approve(&muster).await;
    for _ in 0..6 {
        muster.advance(HOUR).await;
    }
    let account = account(&github);
    assert_eq!(muster.ctx.store.open_count(account).await.unwrap(), 119);
    // What was opened is looked at once more, and so is the digest, which does
    // not ask for an approval any more.
    sweep(&muster).await;
    sweep(&muster).await;
    let _ = counted(&muster);
    sweep(&muster).await;
    assert_eq!(figures(&muster, SWEEP), ([2, 2, 0, 0], 0));
    // Somebody comments on one of them, closes another: those two are read.
    let alice = github.user("alice");
    alice.comment("agency/r0007", 1, "We are on it.");
    alice.close_issue("agency/r0008", 1);
    github.change_pending(Vec::clear);
    sweep(&muster).await;
    let ([list, standing, many, _], others) = figures(&muster, SWEEP);
    assert_eq!((list, standing, many), (2, 2, 1));
    assert!(others > 0, "the closed one is looked at closer");
    let rows = muster.ctx.store.decisions(RepositoryId(github.repository_id("agency/r0008"))).await.unwrap();
    assert_eq!(rows.len(), 1, "closing is a decline, also where its event was lost");
    muster.finish().await;
}

fn account(github: &Sandbox) -> AccountId {
    AccountId(github.state(|state| state.account_named("agency").unwrap().id))
}

/// What `muster plan ORG --approve N` does.
async fn approve(muster: &Muster) {
    use muster::store::{JobKind, NewAudit, NewJob};
    let (store, now, here) = (&muster.ctx.store, muster.clock.now(), here(&muster.github));
    let common = store.sweep(here).await.unwrap().unwrap().common;
    let audit = NewAudit {
        installation: Some(here),
        repository: None,
        actor: None,
        what: "rollout_approved".to_owned(),
        detail: "{}".to_owned(),
    };
    let job = NewJob::new(JobKind::InspectInstallation, here.0, here, Priority::Policy, now, "approved");
    let whose = (account(&muster.github), here);
    assert!(store.approve_rollout(whose, &common, &audit, &job, now).await.unwrap());
    muster.settle().await;
}

/// One thing happens that only the sweep can see; whether it is looked at.
type Happening = (&'static str, fn(&Sandbox), usize);

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_unheard_is_found_by_the_next_sweep_and_nothing_else_is_read() {
    let happenings: [Happening; 9] = [
        ("nothing", |_| {}, 0),
        (
            "a push",
            |github| {
                github.user("alice").push("agency/r0001", "main", &[("src/new.rs", "\n")], "Write");
            },
            1,
        ),
        (
            "a push to another branch",
            |github| {
                github.user("alice").push("agency/r0001", "topic", &[("src/new.rs", "\n")], "Write");
            },
            1,
        ),
        ("archived", |github| github.user("olivia").set_archived("agency/r0001", true), 1),
        (
            "privatized",
            |github| {
                github.user("olivia").set_visibility("agency/r0001", Visibility::Private);
            },
            1,
        ),
        ("renamed", |github| github.user("olivia").rename("agency/r0001", "other"), 1),
        ("issues off", |github| github.user("olivia").set_issues_enabled("agency/r0001", false), 1),
        (
            "another license in GitHub's eyes",
            |github| {
                let id = github.repository_id("agency/r0001");
                github.change(|state| state.repository_mut(id).unwrap().license = Some("MIT".to_owned()));
            },
            1,
        ),
        (
            "what is handed down",
            |github| {
                github.user("olivia").push(
                    "agency/.github",
                    "main",
                    &[("docs/CONTRIBUTING.md", "Ask us.\n")],
                    "Say how",
                );
            },
            21,
        ),
    ];
    for (what, happen, read) in happenings {
        let clock = clock();
        let github = installed(&clock, with(OBSERVE, 20, &complete("like"))).await;
        let muster = begun(&github, &clock).await;
        muster.settle().await;
        muster.advance(HOUR).await;
        happen(&github);
        github.change_pending(Vec::clear);
        // A push just before the read does not settle; an hour later it does.
        muster.advance(HOUR).await;
        let _ = counted(&muster);
        let judged = |muster: &Muster| {
            let (store, here) = (muster.ctx.store.clone(), here(&muster.github));
            async move {
                let rows = store.repositories(here).await.unwrap();
                rows.into_iter().map(|row| (row.seen.id, row.judged_at)).collect::<BTreeMap<_, _>>()
            }
        };
        let before = judged(&muster).await;
        sweep(&muster).await;
        let after = judged(&muster).await;
        let looked = after.iter().filter(|(id, at)| before.get(id) != Some(at)).count();
        assert_eq!(looked, read, "{what}");
        let ([list, standing, many, _], others) = figures(&muster, SWEEP);
        assert_eq!((list, standing, many, others), (1, 1, usize::from(read > 0), 0), "{what}");
        sweep(&muster).await;
        assert_eq!(figures(&muster, SWEEP), ([1, 1, 0, 0], 0), "{what}: then it is known");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unusual_names_are_collected_and_texts_seen_before_are_not_read_again() {
    let clock = clock();
    let unusual = |name: &str, text: &str| {
        old(name).file("README.adoc", README).file("COPYING", text).file("CONTRIBUTING.rst", "Write to us.\n")
    };
    // 60 whose license is one and the same, 40 with a text of their own.
    let mut organization = with(OBSERVE, 60, &unusual("like", cc0()));
    for n in 1..=40 {
        organization =
            organization.repository(unusual(&format!("own{n:02}"), &format!("{}\n\nNumber {n}.\n", cc0())));
    }
    let github = installed(&clock, organization).await;
    let muster = begun(&github, &clock).await;
    muster.settle().await;
    let ([list, standing, many, texts], others) = figures(&muster, SWEEP);
    assert_eq!((list, standing, many, others), (2, 1, 3, 1));
    // 40 licenses of their own, and three texts that all share; 32 a call.
    assert!((2..=3).contains(&texts), "{texts}");
    let all = accounted(&muster).await;
    assert_eq!((all.judged, all.unknown), (100, 0));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_flipped_to_fix_for_500_opens_25_and_waits_for_a_person() {
    let clock = Clock::stepped("2026-11-16T14:00:00Z".parse().unwrap());
    let github = installed(&clock, with(OBSERVE, 500, &lacking("like"))).await;
    let muster = begun(&github, &clock).await;
    muster.settle().await;
    let generous = format!(
        "{FIX}limits: {{first_day: 40, per_day: 40, open: 500, writes_per_minute: 80, writes_per_hour: 500}}\n"
    );
    github.user("olivia").push("agency/.github", "main", &[(".github/muster.yml", &generous)], "Fix all");
    muster.settle().await;
    for _ in 0..4 * 6 {
        muster.advance(4 * HOUR).await;
        assert!(opened(&github) <= 25, "{} were opened", opened(&github));
    }
    assert_eq!(opened(&github), 25);
    let plan = muster.plan("agency/r0400").await.plan.to_string();
    assert!(plan.contains("500 are asked for, and after 25 a person must approve"), "{plan}");
    // It waits without a call for what waits.
    let _ = counted(&muster);
    muster.advance(DAY).await;
    let ([list, standing, many, _], others) = figures(&muster, SWEEP);
    assert_eq!((list, standing, others), (6, 1, 0), "{many}");
    assert!(many <= 1, "{many}");
    // A person agrees: it goes on at the pace of the policy.
    muster.advance(2 * DAY).await;
    approve(&muster).await;
    muster.advance(HOUR).await;
    assert_eq!(opened(&github), 25 + 40);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_costs_a_pass_or_two_a_day_and_keeps_its_pace() {
    let clock = Clock::stepped("2026-11-16T14:00:00Z".parse().unwrap());
    let github = installed(&clock, with(FIX, 149, &lacking("like"))).await;
    let muster = begun(&github, &clock).await;
    muster.settle().await;
    approve(&muster).await;
    assert_eq!(opened(&github), 5, "the first day");
    let _ = counted(&muster);
    // Every job when it is due, to Friday.
    let end = clock.now() + 4 * DAY;
    while let Some(next) = muster.ctx.store.next_run_at().await.unwrap().filter(|next| *next <= end) {
        muster.advance(Duration::try_from(next.duration_since(clock.now())).unwrap_or_default()).await;
    }
    // Tuesday to Thursday.
    assert_eq!(opened(&github), 35, "ten a day after that");
    let counted = counted(&muster);
    let pages = counted["Repositories"];
    // Three calls read all of them once.
    assert!(pages <= 4 * 3 * 3, "{counted:?}");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_night_is_the_same_after_a_restart() {
    let clock = clock();
    let github = installed(&clock, with(OBSERVE, 3, &complete("like"))).await;
    let muster = begun(&github, &clock).await;
    muster.settle().await;
    let next = async || {
        let jobs = muster.ctx.store.jobs(JobFilter::default(), 99, clock.now()).await.unwrap();
        jobs.iter().find(|job| job.kind == "sweep_installation").unwrap().run_at
    };
    let night = next().await;
    assert!(night > clock.now() && night < clock.now() + DAY);
    muster.worker.begin().await.unwrap();
    assert_eq!(next().await, night);
    // A sweep that was asked for in between does not move it.
    muster.github.user("olivia").push(
        "agency/.github",
        "main",
        &[("docs/CONTRIBUTING.md", "Ask us.\n")],
        "Say how",
    );
    muster.settle().await;
    assert_eq!(next().await, night);
    muster.advance(DAY).await;
    assert_eq!(next().await, night + DAY);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_what_a_sweep_does_whoever_reads_it() {
    // Looked at among many and alone, a repository gets the same plan. One with
    // a pull request is looked at alone in any case.
    let clock = clock();
    let policy = FIX.replace("fix", "issue");
    let github = installed(&clock, with(&policy, 3, &old("like").file("README.md", README))).await;
    let muster = begun(&github, &clock).await;
    let known = {
        muster.settle().await;
        muster.ctx.installation(here(&github)).await.unwrap().unwrap()
    };
    muster.advance(DAY * 2).await;
    let ids: Vec<RepositoryId> = ["r0001", "r0002", ".github"]
        .map(|n| RepositoryId(github.repository_id(&format!("agency/{n}"))))
        .into();
    use muster::{domain::plan::Cause, jobs::Act};
    let mut round =
        inspect_installation::Round::begin(&muster.ctx, &known, ids, Cause::Event, Act::Plan).await.unwrap();
    let mut seen = 0;
    while let Some(looked) = round.next().await.unwrap() {
        for looked in looked {
            let alone = muster.plan(&looked.target.name.to_string()).await;
            let inspect_installation::Look::Settled(settled) = looked.look else {
                panic!("{:?}", looked.target)
            };
            assert_eq!(github.issues(&looked.target.name.to_string()).len(), usize::from(seen > 0));
            assert_eq!(settled.inspection.plan, alone.plan);
            assert_eq!(settled.inspection.report, alone.report);
            assert_eq!(settled.inspection.repository, alone.repository);
            seen += 1;
        }
    }
    assert_eq!(seen, 3);
    muster.finish().await;
}
