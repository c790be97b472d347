//! The story, in the order of events.

use anyhow::Result;
use muster::{
    domain::{plan::Cause, repository::RepositoryId},
    store::Decision,
};

use crate::{
    cast::{self, AGENCY},
    check::{Checks, look},
    end,
    stage::{Listen, Stage},
    tell::Sign,
};

/// Plays the story to its end and checks it. The stage stays open.
///
/// # Errors
/// If something cannot be set up, or Muster's database fails.
pub async fn play(listen: Listen, with_urls: bool) -> Result<(Stage, Checks)> {
    let mut stage = Stage::set("2026-11-30T09:30", listen, with_urls).await?;
    let mut checks = Checks::default();
    opening(&mut stage)?;
    let before = look(&stage.github);
    installed(&mut stage).await?;
    checks.same("nothing is written before there is a policy", look(&stage.github), before.clone());
    policy_is_merged(&mut stage).await?;
    first_day(&mut stage).await?;
    people_answer(&mut stage, &mut checks).await?;
    second_day(&mut stage).await?;
    weeks_later(&mut stage).await?;
    end::check(&mut stage, &mut checks, &before).await?;
    Ok((stage, checks))
}

fn full(repository: &str) -> String {
    format!("{AGENCY}/{repository}")
}

/// Who and what is there before Muster comes.
fn opening(stage: &mut Stage) -> Result<()> {
    stage.teller.plain("An agency keeps its code on GitHub. Every repository has a story of its own:");
    for (particular, repository) in cast::repositories()? {
        stage.teller.plain(&format!("  {:<16} {particular}", repository.name()));
    }
    let dana = stage.github.user("dana");
    let files = [("CONTRIBUTING.md", "# Contributing\n\nAsk dana.\n")];
    dana.open_pull_request_from_fork(&full("water-permits"), "say-how", &files, "Say how to contribute", "");
    Ok(())
}

async fn installed(stage: &mut Stage) -> Result<()> {
    stage.teller.chapter(stage.clock.now(), "olivia installs the App");
    stage.worker.begin().await?;
    stage.settle().await?;
    stage.tell_judgements().await?;
    stage.teller.line(Sign::Note, "", "without a policy Muster only observes: nothing is written");
    Ok(())
}

async fn policy_is_merged(stage: &mut Stage) -> Result<()> {
    stage.move_clock("2026-11-30T16:05", "the agency decides").await?;
    let (alice, home) = (stage.github.user("alice"), full(".github"));
    alice.create_branch(&home, "policy");
    alice.push(&home, "policy", &[(".github/muster.yml", cast::POLICY)], "Let Muster help");
    let number = alice.open_pull_request(&home, "policy", "Let Muster help", "Three a day to begin with.");
    stage.person("alice", ".github", &format!("opens pull request #{number}: the policy, mode fix")).await?;
    stage.github.user("olivia").merge(&home, number);
    stage.person("olivia", ".github", &format!("merges pull request #{number}: that approves it")).await?;
    stage.tell_waits(Cause::Event, &[]).await
}

async fn first_day(stage: &mut Stage) -> Result<()> {
    stage.move_clock("2026-12-01T09:00", "the creation window opens").await?;
    stage.tell_waits(Cause::Event, &[]).await
}

async fn people_answer(stage: &mut Stage, checks: &mut Checks) -> Result<()> {
    stage.move_clock("2026-12-01T10:30", "people answer").await?;
    let (alice, bob, carol) =
        (stage.github.user("alice"), stage.github.user("bob"), stage.github.user("carol"));

    alice.merge(&full("bird-counts"), 1);
    stage.person("alice", "bird-counts", "merges pull request #1").await?;

    bob.close_pull_request(&full("dam-safety"), 1);
    stage.person("bob", "dam-safety", "closes pull request #1 without merging").await?;
    let decisions =
        stage.ctx.store.decisions(RepositoryId(stage.github.repository_id(&full("dam-safety")))).await?;
    for Decision { decision, .. } in &decisions {
        let until = decision.until.map_or("for good".to_owned(), |until| stage.teller.until(until));
        let text = format!("recorded: declined by {} ({}), until {until}", decision.login, decision.role);
        stage.teller.line(Sign::Note, "dam-safety", &text);
    }
    let who = decisions.iter().map(|known| (known.decision.login.as_str(), known.decision.role.as_str()));
    checks.same("bob's decline is recorded", who.collect::<Vec<_>>(), vec![("bob", "write")]);

    carol.push(&full("river-gauges"), "main", &[("LICENSE", cast::license("CC0-1.0")?)], "Choose CC0");
    stage.person("carol", "river-gauges", "pushes a LICENSE").await?;

    stage.github.clear_calls();
    alice.push(&full("air-quality"), "main", &[("src/main.rs", "fn main() {}\n")], "Begin in Rust");
    stage.person("alice", "air-quality", "pushes src/main.rs, which no rule reads").await?;
    let calls = stage.github.calls().len();
    stage.teller.line(Sign::Note, "air-quality", &format!("Muster makes {calls} calls to GitHub"));
    checks.same("calls to GitHub after a push that touches none of Muster's files", calls, 0);

    let bold = cast::POLICY.replace("first_day: 3", "first_day: 100");
    bob.push(&full(".github"), "main", &[(".github/muster.yml", &bold)], "Go faster");
    stage.person("bob", ".github", "pushes a policy straight to main: a hundred a day").await?;
    let account = stage.account()?;
    let refused =
        stage.ctx.store.policy(account).await?.refused.map(|refused| refused.why).unwrap_or_default();
    stage.teller.line(Sign::Note, ".github", &format!("not taken: {refused}"));
    checks.same("bob's policy is refused with a way out", refused.contains("merge it by pull request"), true);
    stage.github.user("olivia").push(
        &full(".github"),
        "main",
        &[(".github/muster.yml", cast::POLICY)],
        "Go slowly",
    );
    stage.person("olivia", ".github", "puts the agreed policy back").await?;
    let taken = stage.ctx.store.policy(account).await?.taken.map(|taken| taken.text);
    checks.same("the policy in force is the agreed one", taken.as_deref(), Some(cast::POLICY));
    Ok(())
}

async fn second_day(stage: &mut Stage) -> Result<()> {
    stage.move_clock("2026-12-02T10:30", "the day after the first").await?;
    stage.github.user("olivia").create_repository(AGENCY, cast::newcomer()?);
    stage.person("olivia", "drought-index", "makes this repository, without CONTRIBUTING").await?;
    stage.tell_waits(Cause::Event, &["drought-index"]).await?;
    stage.github.user("carol").delete_files(&full("fire-weather"), "main", &["LICENSE"], "Tidy up");
    // Before the delivery leaves.
    stage.github.change_pending(Vec::clear);
    stage.person("carol", "fire-weather", "deletes LICENSE, and GitHub loses the delivery").await?;
    stage.move_clock("2026-12-02T10:40", "the daily sweep has come by").await?;
    stage.tell_waits(Cause::Sweep, &["fire-weather"]).await?;
    stage.move_clock("2026-12-02T11:40", "an hour later").await
}

async fn weeks_later(stage: &mut Stage) -> Result<()> {
    stage.leap("2026-12-09T11:00", "the new repository is a week old").await?;
    stage.leap("2027-01-12T10:00", "forty days after bob declined").await?;
    let text = format!("{}\nThe gates are checked every spring.\n", cast::readme("dam-safety"));
    stage.github.user("alice").push(&full("dam-safety"), "main", &[("README.md", &text)], "Say more");
    stage.person("alice", "dam-safety", "edits the README: Muster looks, and keeps its word").await
}
