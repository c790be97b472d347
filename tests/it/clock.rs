//! A clock that is off: said at 30 seconds, at 5 minutes nothing is minted and
//! the work rests, and it goes on by itself once the clock is right.

use std::{
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use github_sandbox::{Sandbox, installation};
use muster::clock::Clock;

use crate::harness::{Muster, README, agency, clock, old, sandbox};

const FIX: &str = "mode: fix\nrepositories: {exclude: [\".github\"]}\n";
const MINUTE: Duration = Duration::from_secs(60);

/// How many seconds GitHub's clock is ahead of ours.
#[derive(Clone, Default)]
struct Ahead(Arc<AtomicI64>);

impl Ahead {
    fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }
}

async fn github(clock: &Clock, ahead: &Ahead) -> Sandbox {
    let site = old("site").file("README.md", README).file("LICENSE", cc0());
    let (ours, ahead) = (clock.clone(), ahead.clone());
    let theirs = move || ours.now() + jiff::SignedDuration::from_secs(ahead.0.load(Ordering::SeqCst));
    sandbox(clock)
        .clock(Arc::new(theirs))
        .organization(agency(FIX).repository(site))
        .installation(installation("agency"))
        .start()
        .await
        .unwrap()
}

fn cc0() -> &'static str {
    spdx::license_id("CC0-1.0").unwrap().text()
}

fn push(github: &Sandbox, text: &str) {
    github.user("alice").push("agency/site", "main", &[("README.md", &format!("{README}\n{text}"))], "Write");
}

fn minted(github: &Sandbox) -> usize {
    let mint = |route: &str| route.contains("access_tokens");
    github.calls().iter().filter(|call| call.route.as_deref().is_some_and(mint)).count()
}

/// What was logged while it lives, on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let writer = self.clone();
        let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
        tracing::subscriber::set_default(log.finish())
    }

    fn lines(&self, with: &str) -> usize {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains(with)).count()
    }
}

#[tokio::test]
async fn up_to_five_minutes_off_it_is_said_once_and_worked_with() {
    for ahead in [-240, -90, 45, 280] {
        let log = Log::default();
        let _listening = log.listen();
        let (clock, skew) = (clock(), Ahead::default());
        skew.set(ahead);
        let github = github(&clock, &skew).await;
        let muster = Muster::start(&github, &clock).await;
        muster.begin().await;
        push(&github, "More.");
        muster.settle().await;
        assert_eq!(github.pull_requests("agency/site").len(), 1, "{ahead}");
        assert_eq!(log.lines("clock"), 1, "{ahead}");
        assert_eq!(log.lines("set it by a time server"), 1, "{ahead}");
        // It is put right, which is said once too.
        skew.set(0);
        push(&github, "Even more.");
        muster.settle().await;
        assert_eq!(log.lines("agrees with GitHub's again"), 1, "{ahead}");
        muster.finish().await;
    }
}

#[tokio::test]
async fn a_start_with_a_clock_that_is_off_says_so_and_mints_nothing() {
    for ahead in [-600, 600, 3 * 3600] {
        let (clock, skew) = (clock(), Ahead::default());
        skew.set(ahead);
        let github = github(&clock, &skew).await;
        let muster = Muster::start(&github, &clock).await;
        for _ in 0..3 {
            let error = muster.worker.begin().await.unwrap_err().to_string();
            assert!(error.contains("for the right time"), "{error}");
        }
        assert_eq!(github.calls().iter().filter(|call| !call.anonymous).count(), 1, "it asked once");
        assert_eq!(minted(&github), 0);
        skew.set(0);
        clock.advance(MINUTE);
        muster.begin().await;
        muster.finish().await;
    }
}

#[tokio::test]
async fn while_the_clock_is_off_the_work_rests_and_then_goes_on_by_itself() {
    for ahead in [-600, 600] {
        let (clock, skew) = (clock(), Ahead::default());
        let github = github(&clock, &skew).await;
        github.user("alice").push("agency/site", "main", &[("CONTRIBUTING.md", "Write to us.\n")], "Say how");
        let muster = Muster::start(&github, &clock).await;
        muster.begin().await;
        assert_eq!(github.pull_requests("agency/site").len(), 0);
        skew.set(ahead);
        github.user("alice").delete_files("agency/site", "main", &["CONTRIBUTING.md"], "Tidy up");
        muster.settle().await;
        // The read that noticed it came by the token that was there.
        github.clear_calls();
        // Within the policy's hours.
        for n in 0..45 {
            push(&github, &format!("{n} more."));
            muster.advance(MINUTE).await;
        }
        let calls = github.calls();
        assert!(calls.iter().all(|call| call.anonymous), "{calls:?}");
        assert!(calls.len() <= 45, "GitHub is asked for the time {} times in 45 minutes", calls.len());
        assert_eq!(github.pull_requests("agency/site").len(), 0);
        let now = clock.now();
        assert!(muster.ctx.store.dead(10, now).await.unwrap().is_empty());
        // Everything was taken in meanwhile, and no attempt was spent.
        assert!(github.deliveries().iter().all(|delivery| delivery.attempt.as_ref().unwrap().succeeded()));
        let jobs = muster.ctx.store.jobs(Default::default(), 100, now).await.unwrap();
        assert!(jobs.iter().all(|job| job.attempts <= 1), "{jobs:?}");
        skew.set(0);
        muster.advance(MINUTE).await;
        assert_eq!(github.pull_requests("agency/site").len(), 1);
        muster.finish().await;
    }
}
