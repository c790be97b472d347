//! Every fault on every call: whatever GitHub does to whichever call, the end
//! is the same as if nothing had been.
//!
//! The stories are played undisturbed, and what they called is recorded. Then
//! each call is disturbed by each fault that can befall it, one run for each:
//! a write before and after its effect, a read in its place. Everything that
//! stands on GitHub and in the ledger must be as in the undisturbed run.
//!
//! A new call is in the table as soon as a story makes it; a call that none
//! makes fails a test. With `MUSTER_FAULT_TABLE` each test leaves its counts in
//! that folder, for the closing lines of `tests/run`.

mod story;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    panic::AssertUnwindSafe,
    path::Path,
    time::Duration,
};

use futures_util::{FutureExt as _, StreamExt as _, stream};
use github_sandbox::{Call, Fault, FaultKind, Limit};
use muster::{
    domain::{
        inventory::{Agency, Hosts},
        repository::Login,
    },
    github::needs,
};

use self::story::{STORIES, Scene, Story};
use crate::{
    harness::{Muster, Setup},
    standing::{in_ledger, on_github},
};

/// What no story calls, and why that is right.
const NOT_CALLED: [(&str, &str); 2] = [
    ("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", "no job comments yet"),
    ("GET /app/hook/config", "the doctor asks, and says what it could not learn"),
];

/// Runs at a time; most of a run is waiting for the other side.
const AT_ONCE: usize = 6;
/// How long a call is waited for where GitHub is too slow.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long is waited before it is asked whether anything is left to do.
const AFTERWARDS: Duration = Duration::from_secs(2 * 60 * 60);

/// A call as the table names it: `GET /app`, `POST /graphql Snapshot`.
type Route = String;

/// When a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// Before the effect; of a read, in its place.
    Before,
    /// After the effect.
    After,
}

/// One fault on one call of one story.
#[derive(Debug, Clone)]
struct Case {
    story: usize,
    route: Route,
    /// How many calls of this route go well before.
    earlier: u64,
    kind: FaultKind,
    moment: Moment,
    /// How many calls of this route are hit, one after the other.
    times: u64,
    /// What is held is done in the end.
    late: bool,
}

/// What a story leaves, and what it called.
struct Ending {
    standing: String,
    calls: Vec<(Route, bool)>,
}

fn route(call: &Call) -> Route {
    let route = call.route.as_deref().unwrap_or(&call.path);
    let operation = call.operation.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    format!("{} {route}{operation}", call.method)
}

/// The route as the client's table writes it. GitHub's description has no route
/// by a repository's id, so the sandbox records the one that it stands for.
fn in_our_table(route: &str) -> &str {
    match route {
        "GET /repos/{owner}/{repo}" => "GET /repositories/{repository_id}",
        route => route,
    }
}

/// Whether a call has an effect that its caller can miss.
fn has_effect(call: &Call) -> bool {
    call.method != "GET" && (call.operation.is_none() || call.writes)
}

/// An agency of the one organization.
fn alone() -> Agency {
    let agency: Login = "agency".parse().unwrap();
    Agency {
        acronym: "XA".to_owned(),
        lead: agency.clone(),
        organizations: vec![agency],
        repository: Some("agency/inventory".parse().unwrap()),
        may_commit: true,
        import_from: Hosts::default(),
    }
}

/// Plays a story, with a fault or without.
async fn play(story: &Story, case: Option<&Case>) -> Ending {
    let (github, clock) = story.begin().await;
    let held = |case: &Case| matches!(case.kind, FaultKind::Held | FaultKind::HeldAfter);
    let patience = case.is_some_and(held).then_some(PATIENCE);
    let agencies = if story.publishes { vec![alone()] } else { Vec::new() };
    let setup = Setup { way: story.way, patience, agencies, ..Setup::default() };
    let muster = Muster::start_as(&github, &clock, setup).await;
    if let Some(case) = case {
        github.fault(Fault::on(&case.route).kind(case.kind).after(case.earlier).times(case.times));
    }
    let late = case.is_some_and(|case| case.late);
    let mut scene = Scene { github, muster, told: String::new(), late };
    story.play(&mut scene).await;
    let Scene { github, muster, told, late } = scene;
    assert!(!late, "what was held was never done");
    if let Some(case) = case {
        assert!(github.faults_left(case.kind) < case.times, "it never came to this call");
        github.clear_faults();
    }
    let standing = format!("{told}{}{}", on_github(&github), in_ledger(&muster).await);
    let calls = github.calls().iter().map(|call| (route(call), has_effect(call))).collect();
    // A limit that was hit at last is over by then.
    muster.advance(AFTERWARDS).await;
    muster.finish().await;
    Ending { standing, calls }
}

/// All stories undisturbed, in their order.
async fn undisturbed() -> Vec<Ending> {
    stream::iter(&STORIES).map(|story| play(story, None)).buffered(AT_ONCE).collect().await
}

/// A call to be disturbed.
struct Place {
    story: usize,
    route: Route,
    effect: bool,
    earlier: u64,
    /// The first of its route. A read is hit there as often as the client
    /// repeats it by itself, so that the job has to be done again.
    first: bool,
}

/// The calls that are disturbed: of each route the first in the first story
/// that makes it and the last in the last one, and of one with an effect also
/// the first in a story between. All of them would take ten times as long.
fn places(endings: &[Ending]) -> Vec<Place> {
    let mut found: BTreeMap<&Route, (bool, BTreeMap<usize, u64>)> = BTreeMap::new();
    for (story, ending) in endings.iter().enumerate() {
        for (route, effect) in &ending.calls {
            let (_, stories) = found.entry(route).or_insert((*effect, BTreeMap::new()));
            *stories.entry(story).or_default() += 1;
        }
    }
    let mut places = Vec::new();
    for (route, (effect, stories)) in found {
        let stories: Vec<(usize, u64)> = stories.into_iter().collect();
        let (first, middle, last) = (stories[0], stories[stories.len() / 2], stories[stories.len() - 1]);
        let mut chosen = BTreeSet::from([(first.0, 0), (last.0, last.1 - 1)]);
        chosen.extend(effect.then_some((middle.0, 0)));
        for (story, earlier) in chosen {
            let is_first = (story, earlier) == (first.0, 0);
            places.push(Place { story, route: route.clone(), effect, earlier, first: is_first });
        }
    }
    places
}

/// How one fault befalls a route with or without an effect: the kinds with
/// their moment, and whether what is held is done late.
type Befall = fn(&str, bool) -> Vec<(FaultKind, Moment, bool)>;

/// One column of the table.
type Column = (&'static str, Befall);

fn before_and_after(before: FaultKind, after: FaultKind, effect: bool) -> Vec<(FaultKind, Moment, bool)> {
    let mut kinds = vec![(before, Moment::Before, false)];
    kinds.extend(effect.then_some((after, Moment::After, false)));
    kinds
}

/// Whether the client repeats a read at once after this.
fn is_repeated(kind: FaultKind) -> bool {
    match kind {
        FaultKind::BadGateway
        | FaultKind::BadGatewayAfter
        | FaultKind::Reset
        | FaultKind::ResetAfter
        | FaultKind::PartialData
        | FaultKind::PartialElement => true,
        // What is held costs the whole patience each time.
        FaultKind::Held
        | FaultKind::HeldAfter
        | FaultKind::Unauthorized
        | FaultKind::Limited(..)
        | FaultKind::TruncatedTree
        | FaultKind::Cut(_)
        | FaultKind::GraphqlRateLimited
        | FaultKind::TooManyNodes(_)
        | FaultKind::Names(_) => false,
    }
}

fn limits(status: u16) -> Vec<(FaultKind, Moment, bool)> {
    [Limit::RetryAfter(120), Limit::Exhausted(1800), Limit::Secondary]
        .map(|limit| (FaultKind::Limited(status, limit), Moment::Before, false))
        .to_vec()
}

/// Disturbs every call by these faults, and counts.
async fn disturb(columns: &[Column]) {
    let endings = undisturbed().await;
    for (fault, befall) in columns {
        disturb_by(fault, *befall, &endings).await;
    }
}

async fn disturb_by(fault: &str, befall: Befall, endings: &[Ending]) {
    let mut cases = Vec::new();
    for Place { story, route, effect, earlier, first } in places(endings) {
        for (at, (kind, moment, late)) in befall(&route, effect).into_iter().enumerate() {
            // The ways to tell a limit differ in one header: one place sees all.
            if at > 0 && !first && matches!(kind, FaultKind::Limited(..)) {
                continue;
            }
            let repeated = first && (!effect || route == needs::MINT.to_string());
            let times = if repeated && is_repeated(kind) { 3 } else { 1 };
            cases.push(Case { story, route: route.clone(), earlier, kind, moment, times, late });
        }
    }
    let outcomes: Vec<(Case, Option<String>)> = stream::iter(cases)
        .map(|case| async move {
            let failure = fails(&case, &endings[case.story].standing).await;
            (case, failure)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut failures = String::new();
    let mut table: BTreeMap<Route, BTreeMap<Moment, u64>> = BTreeMap::new();
    for (case, failure) in outcomes {
        let Case { story, route, earlier, kind, moment, times, late } = &case;
        match failure {
            None => *table.entry(route.clone()).or_default().entry(*moment).or_default() += 1,
            Some(failure) => {
                let story = STORIES[*story].name;
                let late = if *late { ", done late" } else { "" };
                let _ = writeln!(
                    failures,
                    "## {story}: {route} after {earlier}, {kind:?} × {times}{late}\n{failure}\n"
                );
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    whole(&table, endings, befall);
    write_down(fault, &table);
}

/// Why a disturbed run does not end as the undisturbed one; `None` if it does.
async fn fails(case: &Case, expected: &str) -> Option<String> {
    let run = AssertUnwindSafe(play(&STORIES[case.story], Some(case))).catch_unwind();
    match run.await {
        Ok(ending) if ending.standing == expected => None,
        Ok(ending) => Some(difference(expected, &ending)),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            Some(said.or(panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned())
        }
    }
}

/// The lines that one of the two has more often, and what was called.
fn difference(expected: &str, ending: &Ending) -> String {
    let lines = |text: &str| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for line in text.lines() {
            *counts.entry(line.to_owned()).or_default() += 1;
        }
        counts
    };
    let (wanted, found) = (lines(expected), lines(&ending.standing));
    let fewer = |some: &BTreeMap<String, usize>, line: &String, count: usize| {
        some.get(line).is_none_or(|other| *other < count)
    };
    let missing = wanted.iter().filter(|(line, count)| fewer(&found, line, **count));
    let missing = missing.map(|(line, count)| format!("- {count} × {line}\n"));
    let more = found.iter().filter(|(line, count)| fewer(&wanted, line, **count));
    let more = more.map(|(line, count)| format!("+ {count} × {line}\n"));
    let calls: Vec<&str> = ending.calls.iter().map(|(route, _)| route.as_str()).collect();
    format!("{}{}calls: {calls:#?}", missing.collect::<String>(), more.collect::<String>())
}

/// Every call of the undisturbed runs was disturbed at every moment at which
/// this fault can befall it.
fn whole(table: &BTreeMap<Route, BTreeMap<Moment, u64>>, endings: &[Ending], befall: Befall) {
    let calls: BTreeSet<&(Route, bool)> = endings.iter().flat_map(|ending| &ending.calls).collect();
    for (route, effect) in calls {
        for (kind, moment, _) in befall(route, *effect) {
            let count = table.get(route).and_then(|moments| moments.get(&moment)).copied();
            assert!(count.unwrap_or_default() > 0, "{route} was never disturbed by {kind:?} {moment:?}");
        }
    }
}

/// Leaves the counts for the closing lines of `tests/run`: a line for each
/// call, with what was hit before its effect and after it.
fn write_down(fault: &str, table: &BTreeMap<Route, BTreeMap<Moment, u64>>) {
    let Some(folder) = std::env::var_os("MUSTER_FAULT_TABLE") else { return };
    let mut text = String::new();
    for (route, moments) in table {
        let route = in_our_table(route);
        let count = |moment| moments.get(&moment).copied().unwrap_or_default();
        let _ = writeln!(text, "{route}\t{fault}\t{}\t{}", count(Moment::Before), count(Moment::After));
    }
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(Path::new(&folder).join(format!("{fault}.tsv")), text).unwrap();
}

fn bad_gateway(_: &str, effect: bool) -> Vec<(FaultKind, Moment, bool)> {
    before_and_after(FaultKind::BadGateway, FaultKind::BadGatewayAfter, effect)
}

fn reset(_: &str, effect: bool) -> Vec<(FaultKind, Moment, bool)> {
    before_and_after(FaultKind::Reset, FaultKind::ResetAfter, effect)
}

fn partial(route: &str, effect: bool) -> Vec<(FaultKind, Moment, bool)> {
    match (route.starts_with("POST /graphql "), effect) {
        (false, _) => Vec::new(),
        (true, false) => vec![(FaultKind::PartialData, Moment::Before, false)],
        (true, true) => before_and_after(FaultKind::Cut(0), FaultKind::PartialData, true),
    }
}

fn limited_with_200(route: &str, _: bool) -> Vec<(FaultKind, Moment, bool)> {
    match route.starts_with("POST /graphql ") {
        true => vec![(FaultKind::GraphqlRateLimited, Moment::Before, false)],
        false => Vec::new(),
    }
}

fn slow(_: &str, effect: bool) -> Vec<(FaultKind, Moment, bool)> {
    let mut kinds = before_and_after(FaultKind::Held, FaultKind::HeldAfter, effect);
    // Given up, and done all the same before Muster looks again.
    kinds.extend(effect.then_some((FaultKind::Held, Moment::After, true)));
    kinds
}

#[tokio::test(flavor = "multi_thread")]
async fn any_call_may_be_a_502() {
    disturb(&[("502", bad_gateway)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_call_may_be_cut_off_with_its_connection() {
    disturb(&[("reset", reset)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_call_may_be_limited_by_a_403() {
    disturb(&[("403", |_, _| limits(403))]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_call_may_be_limited_by_a_429() {
    disturb(&[("429", |_, _| limits(429))]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_call_may_be_a_401_or_partial_or_limited_with_http_200() {
    let unauthorized: Befall = |_, _| vec![(FaultKind::Unauthorized, Moment::Before, false)];
    disturb(&[("401", unauthorized), ("partial", partial), ("limited", limited_with_200)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_call_may_be_too_slow() {
    disturb(&[("slow", slow)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_the_client_can_make_is_made_by_a_story() {
    let endings = undisturbed().await;
    let calls = endings.iter().flat_map(|ending| &ending.calls);
    let called: BTreeSet<Route> = calls.map(|(route, _)| in_our_table(route).to_owned()).collect();
    let operations = needs::OPERATIONS.iter().map(|(name, _)| format!("POST /graphql {name}"));
    let can: BTreeSet<Route> = needs::ROUTES.iter().map(ToString::to_string).chain(operations).collect();
    let unknown: Vec<_> = called.difference(&can).collect();
    assert!(unknown.is_empty(), "called, and not in the client's table: {unknown:#?}");
    let excused: BTreeSet<Route> = NOT_CALLED.iter().map(|(route, _)| (*route).to_owned()).collect();
    let untold: Vec<_> = can.difference(&called).filter(|route| !excused.contains(*route)).collect();
    assert!(untold.is_empty(), "add a story that calls this, or a reason to NOT_CALLED: {untold:#?}");
    let stale: Vec<_> =
        excused.iter().filter(|route| called.contains(*route) || !can.contains(*route)).collect();
    assert!(stale.is_empty(), "this is called now, or gone: take it out of NOT_CALLED: {stale:#?}");
}
