//! Random histories: whatever happens to the events and to the calls, and
//! whenever people act, Muster ends where it would have ended undisturbed.
//!
//! The law. People act, some of them on what Muster opened. In the *ordered*
//! run every event arrives at once and no call fails. In the *troubled* run of
//! the same acts events are lost, doubled, reordered and late, lists lag, calls
//! fail before and after their effect, and people act while Muster is in the
//! middle of a job. When all of them have stopped and the clock has run 14
//! days, both runs have come to the same [`End`](life::End).
//!
//! What may differ, since it rests on what Muster saw in between and not on
//! where it ended: numbers, how often something was opened and closed, and how
//! the files are spread over pull requests of a kind. Who acts on an item of
//! Muster's acts on what it says, so that in the troubled run they wait until
//! Muster has said it too; if it never does, the law is broken. What must be
//! equal is said field by field in [`End`](life::End).
//!
//! The histories are the same in every run of the tests. `MUSTER_HISTORIES`
//! takes a number: so many others are drawn, from a seed that is printed.

mod life;

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use self::life::{Act, Beginning, Edit, File, KINDS, Life, Quality, Step, Trouble};
use crate::server::Database;

/// An act on an item of Muster's names a kind; if none of that kind is there,
/// it is about another.
fn act() -> impl Strategy<Value = Act> {
    let file = || prop::sample::select(File::ALL.to_vec());
    let quality = prop::sample::select(vec![Quality::Good, Quality::Good, Quality::Bad]);
    let kind = || prop::sample::select(KINDS.to_vec());
    prop_oneof![
        4 => (file(), quality).prop_map(|(file, quality)| Act::Write(file, quality)),
        5 => file().prop_map(Act::Remove),
        1 => Just(Act::Rename),
        1 => Just(Act::Visibility),
        4 => kind().prop_map(Act::Merge),
        3 => kind().prop_map(Act::Close),
        2 => kind().prop_map(Act::CloseAndReopen),
        1 => kind().prop_map(|kind| Act::EditBody(kind, Edit::AroundMarker)),
        1 => kind().prop_map(|kind| Act::EditBody(kind, Edit::WithoutMarker)),
        2 => kind().prop_map(Act::PushOnto),
        2 => kind().prop_map(Act::DeleteBranch),
        1 => kind().prop_map(Act::Label),
    ]
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        1 => Just(Trouble::None),
        3 => Just(Trouble::Lost),
        1 => Just(Trouble::Doubled),
        1 => Just(Trouble::Reversed),
        2 => Just(Trouble::Late),
        2 => (0..8_u64).prop_map(Trouble::InTheMiddle),
        3 => (0..life::FAULTS.len(), 0..10_u64, 1..4_u64)
            .prop_map(|(fault, after, times)| Trouble::Fault { fault, after, times }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let hours = prop::sample::select(vec![0, 0, 1, 7, 30, 100]);
    (act(), hours, trouble()).prop_map(|(act, hours, trouble)| Step { act, hours, trouble })
}

fn history() -> impl Strategy<Value = (Beginning, Vec<Step>)> {
    let files = prop::sample::subsequence(File::ALL.to_vec(), 0..=File::ALL.len());
    let beginning = (files, any::<bool>(), 0..=5_u8);
    let beginning = beginning.prop_map(|(files, proposes, lag)| Beginning { files, proposes, lag });
    (beginning, prop::collection::vec(step(), 1..9))
}

fn holds(database: Database, cases: u32) {
    let more = std::env::var("MUSTER_HISTORIES").ok().and_then(|number| number.parse().ok());
    let seed: [u8; 32] = match more {
        Some(_) => rand::random(),
        None => *b"The same histories in every run.",
    };
    println!("seed: {seed:?}");
    let config = Config {
        cases: more.unwrap_or(cases),
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let outcome = runner.run(&history(), |(beginning, steps)| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (ordered, done) = Life::ordered(&beginning, &steps).await;
            let troubled = Life::troubled(database, &beginning, &done).await;
            prop_assert_eq!(troubled, ordered, "{:#?}", done);
            Ok(())
        })
    });
    if let Err(failure) = outcome {
        panic!("{failure}\nseed: {seed:?}");
    }
}

#[test]
fn a_troubled_history_ends_as_the_ordered_one() {
    holds(Database::Sqlite, 24);
}

#[test]
fn a_troubled_history_ends_as_the_ordered_one_on_postgresql() {
    holds(Database::Postgres, 6);
}
