//! The end of the story: what must be there, and nothing else.

use anyhow::Result;
use github_sandbox::state::{Attempt, Delivery};
use muster::{
    domain::repository::InstallationId,
    jobs::sweep_installation,
    store::{JobFilter, JobKind, NewJob, Priority},
};

use crate::{
    cast::AGENCY,
    check::{Checks, Expected, World, look},
    stage::Stage,
    tell::Sign,
};

const fn row(
    repository: &'static str,
    items: &'static [&'static str],
    branches: &'static [&'static str],
) -> Expected {
    Expected { repository, items, branches, untouched: false }
}

const fn untouched(
    repository: &'static str,
    items: &'static [&'static str],
    branches: &'static [&'static str],
) -> Expected {
    Expected { repository, items, branches, untouched: true }
}

/// Every issue and pull request by repository, and the branches. Where a
/// repository may not have changed at all it says so.
const TABLE: &[Expected] = &[
    row(
        ".github",
        &["pull request #1 Let Muster help (merged)", "issue #2 Open source office digest (open)"],
        &["main", "policy"],
    ),
    row("river-gauges", &["issue #1 Repository open source checklist (closed: completed)"], &["main"]),
    row(
        "soil-maps",
        &["pull request #1 Add missing open source files: README.md (open)"],
        &["main", "muster/files"],
    ),
    row(
        "bird-counts",
        &["pull request #1 Add missing open source files: CONTRIBUTING.md (merged)"],
        &["main"],
    ),
    row(
        "dam-safety",
        &["pull request #1 Add missing open source files: CONTRIBUTING.md (closed)"],
        &["main"],
    ),
    row(
        "lidar-tools",
        &[
            "issue #1 Repository open source checklist (open)",
            "pull request #2 Add missing open source files: README.md, CONTRIBUTING.md (open)",
        ],
        &["main", "muster/files"],
    ),
    row("web-forms", &["issue #1 Repository open source checklist (open)"], &["main"]),
    row("air-quality", &[], &["main"]),
    row("fire-weather", &["issue #1 Repository open source checklist (open)"], &["main"]),
    row("tide-tables", &["issue #1 Repository open source checklist (open)"], &["main"]),
    untouched("parc-national", &[], &["main"]),
    untouched("satellite-tiles", &[], &["main"]),
    untouched("seismic-waves", &[], &["main"]),
    row(
        "trail-finder",
        &["pull request #1 Add missing open source files: CONTRIBUTING.md (open)"],
        &["muster/files", "release/2026"],
    ),
    untouched("fish-survey", &[], &["main"]),
    untouched("water-permits", &["pull request #1 Say how to contribute (open)"], &["main"]),
    untouched("incident-notes", &[], &["main"]),
    untouched("old-portal", &[], &["main"]),
    untouched("map-library", &[], &["main"]),
    untouched("next-idea", &[], &[]),
    untouched("park-alerts", &[], &["main"]),
    row(
        "drought-index",
        &["pull request #1 Add missing open source files: CONTRIBUTING.md (open)"],
        &["main", "muster/files"],
    ),
];

/// Checks the end state; a second round must write nothing.
///
/// # Errors
/// The database's.
pub async fn check(stage: &mut Stage, checks: &mut Checks, before: &World) -> Result<()> {
    let after = look(&stage.github);
    checks.compare(TABLE, before, &after);
    let private = "incident-notes";
    let told = after
        .iter()
        .filter(|(name, _)| *name != private)
        .flat_map(|(_, seen)| &seen.items)
        .any(|item| item.title.contains(private) || item.body.contains(private));
    checks.same("a public text names the private repository", told, false);

    stage.github.clear_calls();
    let installation = InstallationId(stage.github.installation_id(AGENCY));
    sweep_installation::run(&stage.ctx, installation, Priority::Push).await?;
    // The sweep passes over what has not changed: each is looked at besides.
    let now = stage.clock.now();
    let job = |repository: muster::store::Repository| {
        NewJob::new(
            JobKind::InspectRepository,
            repository.seen.id.0,
            installation,
            Priority::Push,
            now,
            "once more",
        )
    };
    let all = stage.ctx.store.repositories(installation).await?;
    stage.ctx.store.enqueue(&all.into_iter().map(job).collect::<Vec<_>>(), now).await?;
    stage.settle().await?;
    let calls = stage.github.calls();
    let writes: Vec<String> = calls
        .iter()
        .filter(|call| call.writes)
        .map(|call| format!("{} {}", call.method, call.path))
        .collect();
    let round = format!("a second round over everything: {} calls, {} writes", calls.len(), writes.len());
    stage.teller.line(Sign::Note, "", &round);
    checks.same("the second round looked at every repository", calls.len() > before.len(), true);
    checks.same("writes of a second round", writes, Vec::new());
    checks.same("the second round changed nothing", &look(&stage.github), &after);

    let now = stage.clock.now();
    let dead: Vec<_> = stage.ctx.store.dead(100, now).await?.into_iter().map(|job| job.error).collect();
    checks.same("dead letters", dead, Vec::new());
    let jobs = stage.ctx.store.jobs(JobFilter::default(), 1000, now).await?;
    checks.same("jobs left to do now", jobs.iter().filter(|job| job.run_at <= now).count(), 0);
    let deliveries = stage.github.deliveries();
    let taken = |delivery: &&Delivery| delivery.attempt.as_ref().is_some_and(Attempt::succeeded);
    checks.same("deliveries that Muster took", deliveries.iter().filter(taken).count(), deliveries.len());
    checks.same("what the sandbox does not know", stage.github.failures(), Vec::new());
    Ok(())
}
