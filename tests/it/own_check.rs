//! Muster meets what it asks of others.

use std::path::Path;

use jiff::Timestamp;
use muster::{
    checkout,
    domain::{
        finding::{Outcome, RuleId},
        policy::Policy,
        repository::Inherited,
        rules,
    },
};

#[test]
fn this_repository_passes_every_rule_on_its_own_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Nothing is lent: the repository has to have its own files.
    let lent = Inherited::Unread("nothing is lent here".to_owned());
    let policy = Policy::default();
    let snapshot = checkout::snapshot(root, rules::policy_paths(&policy), lent).expect("a readable checkout");
    let now: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
    let report = rules::evaluate(&policy, &snapshot, now);
    assert_eq!(report.skipped, None);
    let told: Vec<RuleId> = report.judgements.iter().map(|judgement| judgement.rule).collect();
    // The policy asks for no code.json in a repository, and there is none.
    assert_eq!(told, [RuleId::License, RuleId::Readme, RuleId::Contributing]);
    for judgement in &report.judgements {
        let Outcome::Pass(evidence) = &judgement.outcome else {
            panic!("{}: {:?}", judgement.rule, judgement.outcome)
        };
        assert_eq!(evidence.advice, None, "{}", judgement.rule);
        if judgement.rule == RuleId::License {
            assert_eq!(evidence.licenses, ["Apache-2.0"]);
        }
    }
}
