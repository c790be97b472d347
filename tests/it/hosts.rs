//! Muster on every product: the same walk, and what differs.

use github_sandbox::{Flavor, installation, org};
use insta::assert_snapshot;
use muster::domain::finding::{Outcome, RuleId};

use crate::harness::{Muster, README, agency, clock, old, sandbox};

const FIX: &str = "mode: fix\nrepositories: {exclude: [\".github\"]}\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_push_becomes_a_pull_request_on_a_server_behind_an_alias() {
    let clock = clock();
    let github = sandbox(&clock)
        .flavor(Flavor::Server)
        .own_name("git.agency.example")
        .organization(agency(FIX).repository(old("site").file("README.md", README)))
        .installation(installation("agency"))
        .start()
        .await
        .unwrap();
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    let alice = github.user("alice");
    alice.push("agency/site", "main", &[("README.md", &format!("{README}\nMore."))], "Say more");
    muster.settle().await;
    assert_snapshot!(github.pull_requests("agency/site"), @"#1 Add missing open source files: CONTRIBUTING.md (open)");
    assert!(github.calls().iter().all(|call| !call.anonymous));
    muster.finish().await;
}

/// On GHE.com nothing is public: what is internal is judged as anything else,
/// and an internal `.github` hands down to the enterprise (platform §1.7).
#[tokio::test(flavor = "multi_thread")]
async fn with_data_residency_internal_repositories_are_judged_and_inherit() {
    let clock = clock();
    let home = old(".github")
        .internal()
        .file("README.md", README)
        .file("CONTRIBUTING.md", "# Contributing\n\nSend us a pull request.\n")
        .file(".github/muster.yml", FIX);
    let agency = org("agency")
        .owner("olivia")
        .member("alice")
        .base_role(Some(github_sandbox::Role::Write))
        .repository(home)
        .repository(old("site").internal().file("README.md", README))
        .repository(old("secret").private().file("README.md", README))
        .repository(old("bare").internal());
    let builder = sandbox(&clock).flavor(Flavor::DataResidency).own_name("api.agency.ghe.com");
    let github = builder.organization(agency).installation(installation("agency")).start().await.unwrap();
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    for name in ["agency/site", "agency/secret"] {
        let report = muster.plan(name).await.report;
        assert_eq!(report.skipped, None, "{name}");
        let outcome = |rule| report.judgements.iter().find(|judged| judged.rule == rule).map(|j| &j.outcome);
        let Some(Outcome::Pass(evidence)) = outcome(RuleId::Contributing) else {
            panic!("{name}: {:?}", outcome(RuleId::Contributing))
        };
        // Within the enterprise everybody can follow the link.
        assert_eq!(evidence.advice, None, "{name}");
        assert!(matches!(outcome(RuleId::License), Some(Outcome::Fail(_))), "{name}: {report:?}");
    }
    let alice = github.user("alice");
    alice.push("agency/bare", "main", &[("src/main.rs", "fn main() {}\n")], "Begin");
    muster.settle().await;
    assert_snapshot!(github.pull_requests("agency/bare"), @"");
    muster.finish().await;
}
