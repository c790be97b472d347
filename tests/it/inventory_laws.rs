//! Random histories of who may see what: whatever people change, and whatever
//! happens to the events, nothing of a repository that is not public stands in
//! what is published (threats N5, N3).
//!
//! The law is looked at whenever Muster is quiet and has either heard of every
//! change or let an hour pass. `MUSTER_HISTORIES` takes a number: so many other
//! histories are drawn, from a seed that is printed.

use std::time::Duration;

use github_sandbox::{Fault, FaultKind, Role, Sandbox, Visibility, installation, org};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use crate::{
    harness::{Muster, README, clock, complete, old, sandbox},
    inventory::{POLICY, WITH_REPOSITORY, alone, for_agencies, get},
};

const REPOSITORIES: usize = 4;
const INVENTORY: &str = "agency/code-inventory";

#[derive(Debug, Clone, Copy)]
enum Act {
    See(usize, Visibility),
    Rename(usize),
    Describe(usize),
}

/// What becomes of the events of an act.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    None,
    Lost,
    Late,
    /// It happens after so many calls of a publication that is under way.
    InTheMiddle(u64),
}

#[derive(Debug, Clone, Copy)]
struct Step {
    act: Act,
    trouble: Trouble,
    hours: u64,
}

fn step() -> impl Strategy<Value = Step> {
    let visibility =
        prop::sample::select(vec![Visibility::Public, Visibility::Private, Visibility::Internal]);
    let act = prop_oneof![
        5 => (0..REPOSITORIES, visibility).prop_map(|(at, visibility)| Act::See(at, visibility)),
        1 => (0..REPOSITORIES).prop_map(Act::Rename),
        1 => (0..REPOSITORIES).prop_map(Act::Describe),
    ];
    let trouble = prop_oneof![
        2 => Just(Trouble::None),
        2 => Just(Trouble::Lost),
        1 => Just(Trouble::Late),
        3 => (0..6_u64).prop_map(Trouble::InTheMiddle),
    ];
    let hours = prop::sample::select(vec![0, 0, 1, 3, 31 * 24]);
    (act, trouble, hours).prop_map(|(act, trouble, hours)| Step { act, trouble, hours })
}

struct Life {
    github: Sandbox,
    muster: Muster,
    /// How each is called now.
    names: Vec<String>,
    renamed: usize,
}

impl Life {
    async fn begin() -> Life {
        let clock = clock();
        let policy = POLICY.replace("  defaults:\n", WITH_REPOSITORY);
        let mut organization = org("agency")
            .owner("olivia")
            .base_role(Some(Role::Write))
            .repository(old(".github").file("README.md", README).file(".github/muster.yml", &policy))
            .repository(complete("code-inventory").file(".github/muster.yml", "inventory: {agency: XA}\n"));
        let names: Vec<String> = (0..REPOSITORIES).map(|at| format!("zebra{at}-tracker")).collect();
        for (at, name) in names.iter().enumerate() {
            let told =
                for_agencies(name).replace("Counts the birds", &format!("The zebra{at} counts the birds"));
            let new = complete(name).description(&format!("What zebra{at} is.")).file("code.json", told);
            organization = organization.repository(if at % 2 == 0 { new.private() } else { new });
        }
        let github = sandbox(&clock).organization(organization).installation(installation("agency"));
        let github = github.start().await.unwrap();
        let muster = Muster::start_as(&github, &clock, alone()).await;
        muster.begin().await;
        Life { github, muster, names, renamed: 0 }
    }

    fn act(&mut self, act: Act) {
        self.names = acted(&self.github, &self.names, act, &mut self.renamed);
    }

    async fn go(&mut self, step: Step) {
        match step.trouble {
            Trouble::None => self.act(step.act),
            Trouble::Lost => {
                self.act(step.act);
                self.github.change_pending(Vec::clear);
            }
            Trouble::Late => {
                let before = self.github.pending().len();
                self.act(step.act);
                let mut late = Vec::new();
                self.github.change_pending(|pending| late = pending.split_off(before.min(pending.len())));
                self.quiet(step.hours).await;
                self.github.change_pending(|pending| pending.extend(late));
            }
            Trouble::InTheMiddle(calls) => self.act_in_the_middle(calls, step.act).await,
        }
        self.quiet(step.hours).await;
    }

    async fn quiet(&self, hours: u64) {
        self.muster.advance(Duration::from_secs(hours * 3600)).await;
    }

    /// An hour passes, in which the inventory is published; in the middle of
    /// that somebody acts.
    async fn act_in_the_middle(&mut self, calls: u64, act: Act) {
        self.github.fault(Fault::anywhere().kind(FaultKind::Held).after(calls));
        let github = self.github.clone();
        self.muster.clock.advance(Duration::from_secs(3600));
        let held = {
            let mut working = Box::pin(self.muster.settle());
            tokio::select! {
                () = &mut working => false,
                () = github.holds() => {
                    self.names = acted(&github, &self.names, act, &mut self.renamed);
                    github.release();
                    working.await;
                    true
                }
            }
        };
        self.github.clear_faults();
        if !held {
            self.act(act);
        }
        self.muster.settle().await;
    }

    /// Everything that everybody can read now.
    async fn published(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for file in ["code.json", "agency-index.json"] {
            all.push((format!("served {file}"), get(&self.muster, &format!("/{file}"), "").await.body));
        }
        let id = self.github.repository_id(INVENTORY);
        self.github.state(|state| {
            let home = state.repository(id).unwrap();
            for issue in home.issues.values() {
                let text = format!("{} {}", issue.title, issue.body.as_deref().unwrap_or_default());
                all.push(("pull request".to_owned(), text));
            }
            let Some(tip) = home.resolve("muster/inventory") else { return };
            let tree = home.objects.commit(tip).unwrap().tree;
            for file in ["code.json", "agency-index.json"] {
                if let Some(entry) = home.objects.entry_at(tree, file) {
                    let bytes = home.objects.blob(entry.oid).unwrap().to_vec();
                    all.push((format!("proposed {file}"), String::from_utf8(bytes).unwrap()));
                }
            }
        });
        all
    }

    async fn holds(&self) -> Result<(), TestCaseError> {
        let published = self.published().await;
        for (at, name) in self.names.iter().enumerate() {
            let id = self.github.repository_id(&format!("agency/{name}"));
            let visibility = self.github.state(|state| state.repository(id).unwrap().visibility);
            if visibility == Visibility::Public {
                continue;
            }
            for (place, text) in &published {
                prop_assert!(
                    !text.contains(&format!("zebra{at}")),
                    "{place} tells of {name}, {visibility:?}"
                );
            }
        }
        Ok(())
    }
}

/// Acts, and says how each is called then.
fn acted(github: &Sandbox, names: &[String], act: Act, renamed: &mut usize) -> Vec<String> {
    let (olivia, mut names) = (github.user("olivia"), names.to_vec());
    match act {
        Act::See(at, visibility) => olivia.set_visibility(&format!("agency/{}", names[at]), visibility),
        Act::Rename(at) => {
            *renamed += 1;
            let name = format!("zebra{at}-tracker-{renamed}");
            olivia.rename(&format!("agency/{}", names[at]), &name);
            names[at] = name;
        }
        Act::Describe(at) => {
            let file = for_agencies(&names[at]).replace("Counts", &format!("The zebra{at} also counts"));
            olivia.push(&format!("agency/{}", names[at]), "main", &[("code.json", &file)], "Say more");
        }
    }
    names
}

#[test]
fn n5_no_history_leaves_a_private_fact_public() {
    let more = std::env::var("MUSTER_HISTORIES").ok().and_then(|number| number.parse().ok());
    let seed: [u8; 32] = match more {
        Some(_) => rand::random(),
        None => *b"Who may see it, in every history",
    };
    println!("seed: {seed:?}");
    let config = Config {
        cases: more.unwrap_or(24),
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let outcome = runner.run(&prop::collection::vec(step(), 1..8), |steps| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut life = Life::begin().await;
            for step in steps {
                life.go(step).await;
                // What was lost is seen at the next publication.
                life.quiet(1).await;
                life.holds().await?;
            }
            // And everything is told that may be.
            life.quiet(24).await;
            let served = &life.published().await[0].1;
            for (at, name) in life.names.iter().enumerate() {
                let id = life.github.repository_id(&format!("agency/{name}"));
                let visibility = life.github.state(|state| state.repository(id).unwrap().visibility);
                prop_assert_eq!(served.contains(&format!("zebra{at}")), visibility == Visibility::Public);
            }
            life.muster.finish().await;
            Ok(())
        })
    });
    if let Err(failure) = outcome {
        panic!("{failure}\nseed: {seed:?}");
    }
}
