//! The law of the queue, for any order of wishes, leases, crashes and time.
//!
//! Never two leases on a subject; nothing lost; a lost lease changes nothing.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Step {
    Wish { kind: JobKind, subject: i64, priority: Priority, delay: i64 },
    Lease,
    Finish(usize),
    Fail(usize),
    Release(usize),
    Renew(usize),
    Wait(i64),
    Park(i64),
    Unpark(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop::sample::select(vec![JobKind::InspectRepository, JobKind::SweepInstallation]);
    let priority = prop::sample::select(Priority::ALL.to_vec());
    prop_oneof![
        6 => (kind, 0..4_i64, priority, 0..40_i64)
            .prop_map(|(kind, subject, priority, delay)| Step::Wish { kind, subject, priority, delay }),
        6 => Just(Step::Lease),
        4 => (0..8_usize).prop_map(Step::Finish),
        2 => (0..8_usize).prop_map(Step::Fail),
        1 => (0..8_usize).prop_map(Step::Release),
        1 => (0..8_usize).prop_map(Step::Renew),
        3 => (1..50_i64).prop_map(Step::Wait),
        1 => (0..2_i64).prop_map(Step::Park),
        1 => (0..2_i64).prop_map(Step::Unpark),
    ]
}

/// A lease as the model sees it.
struct Held {
    lease: Lease,
    until: i64,
    /// How many wishes for its key had been made when it was taken.
    answers: u64,
    ours: bool,
}

/// What the queue must remember.
#[derive(Default)]
struct Model {
    now: i64,
    /// Wishes made for a key since a run answered all of them.
    wishes: BTreeMap<(JobKind, i64), u64>,
    held: Vec<Held>,
    fence: i64,
}

impl Model {
    async fn play(&mut self, store: &Store, step: &Step) {
        match step {
            Step::Wish { kind, subject, priority, delay } => {
                let job = NewJob {
                    kind: *kind,
                    subject: *subject,
                    installation: subject % 2,
                    priority: *priority,
                    run_at: at(self.now + delay),
                    cause: String::new(),
                };
                store.enqueue(&[job], at(self.now)).await.unwrap();
                *self.wishes.entry((*kind, *subject)).or_default() += 1;
            }
            Step::Lease => self.lease(store).await,
            Step::Finish(which) => {
                let Some(settled) =
                    self.settle(*which, async |lease, now| store.finish(lease, now).await).await
                else {
                    return;
                };
                let (key, answers, settlement) = settled;
                let done = self.wishes.get(&key) == Some(&answers);
                assert_eq!(settlement, if done { Settlement::Done } else { Settlement::Again });
                if done {
                    self.wishes.remove(&key);
                }
            }
            Step::Fail(which) => {
                let retry_at = at(self.now + 5);
                let settled = self
                    .settle(*which, async |lease, now| store.fail(lease, "no", retry_at, now).await)
                    .await;
                if let Some((key, answers, settlement)) = settled {
                    let newer = self.wishes.get(&key) != Some(&answers);
                    assert!(!(newer && settlement == Settlement::Dead), "a new wish died with an old run");
                }
            }
            Step::Release(which) => {
                let later = at(self.now + 5);
                let _ = self.settle(*which, async |lease, _| store.release(lease, later).await).await;
            }
            Step::Renew(which) => {
                if let Some(held) = self.held.get_mut(*which) {
                    let ours = store.renew(&held.lease, MINUTE, at(self.now)).await.unwrap();
                    assert_eq!(ours, held.ours);
                    held.until = if ours { self.now + 60 } else { held.until };
                }
            }
            Step::Wait(seconds) => self.now += seconds,
            Step::Park(installation) => store.park(*installation, "", at(self.now)).await.unwrap(),
            Step::Unpark(installation) => {
                store.unpark(*installation).await.unwrap();
            }
        }
    }

    async fn lease(&mut self, store: &Store) {
        let taken = store.lease("worker", MINUTE, at(self.now)).await.unwrap();
        // Leasing takes back what has ended.
        for held in &mut self.held {
            held.ours &= held.until > self.now;
        }
        let Some(lease) = taken else { return };
        assert!(lease.fence > self.fence, "fences rise");
        assert!((1..=MAX_ATTEMPTS).contains(&lease.attempts));
        self.fence = lease.fence;
        let rival = self.held.iter().find(|held| held.ours && held.lease.subject == lease.subject);
        assert!(rival.is_none(), "two leases on subject {}", lease.subject);
        let answers = *self.wishes.get(&(lease.kind, lease.subject)).expect("only what was wished for runs");
        self.held.push(Held { lease, until: self.now + 60, answers, ours: true });
    }

    /// Gives a lease back; `None` if it was lost, and then nothing changed.
    async fn settle(
        &mut self,
        which: usize,
        act: impl AsyncFnOnce(&Lease, Timestamp) -> Result<Settlement, StoreError>,
    ) -> Option<((JobKind, i64), u64, Settlement)> {
        if which >= self.held.len() {
            return None;
        }
        let ours = self.held[which].ours;
        let settlement = act(&self.held[which].lease, at(self.now)).await.unwrap();
        assert_eq!(settlement == Settlement::Lost, !ours);
        let held = &mut self.held[which];
        held.ours = false;
        ours.then_some(((held.lease.kind, held.lease.subject), held.answers, settlement))
    }

    /// Everything still wished for runs in the end, and nothing else.
    async fn drain(&mut self, store: &Store) {
        self.now += 10_000;
        for installation in 0..2 {
            store.unpark(installation).await.unwrap();
        }
        // Ends the leases that were never given back.
        self.lease(store).await;
        for dead in store.dead(100, at(self.now)).await.unwrap() {
            assert!(store.retry_dead(&dead.kind, dead.subject, at(self.now)).await.unwrap());
        }
        loop {
            for which in 0..self.held.len() {
                if self.held[which].ours {
                    self.play(store, &Step::Finish(which)).await;
                }
            }
            let before = self.held.len();
            self.lease(store).await;
            if self.held.len() == before {
                break;
            }
        }
        assert!(self.wishes.is_empty(), "lost: {:?}", self.wishes);
        assert_eq!(store.job_count().await.unwrap(), 0);
        assert_eq!(store.next_run_at().await.unwrap(), None);
    }
}

fn holds(dialect: Dialect, cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (place, store) = runtime.block_on(async {
        let place = Place::new(dialect).await;
        let store = place.open().await;
        (place, store)
    });
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in prop::collection::vec(step(), 1..60))| {
        runtime.block_on(async {
            store.writer.execute("DELETE FROM work").await.unwrap();
            store.writer.execute("DELETE FROM parked").await.unwrap();
            let fence = store.writer.fetch_one("SELECT value FROM counter WHERE name = 'fence'").await.unwrap();
            let mut model = Model { fence: fence.try_get(0).unwrap(), ..Model::default() };
            for step in &steps {
                model.play(&store, step).await;
            }
            model.drain(&store).await;
        });
    });
    runtime.block_on(store.close());
    drop(place);
}

#[test]
fn the_law_holds_on_sqlite() {
    holds(Dialect::Sqlite, 150);
}

#[test]
fn the_law_holds_on_postgres() {
    holds(Dialect::Postgres, 30);
}
