//! The queue case by case.

use super::*;

#[rstest]
#[tokio::test]
async fn a_job_runs_once_and_leaves(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    assert_eq!(lease(&store, 0).await, None);
    assert_eq!(store.next_run_at().await.unwrap(), None);
    let later = NewJob { run_at: at(30), cause: "push 5d0c\0".to_owned(), ..inspect(7) };
    store.enqueue(&[later], at(10)).await.unwrap();
    assert_eq!(lease(&store, 29).await, None);
    assert_eq!(store.next_run_at().await.unwrap(), Some(at(30)));
    let taken = lease(&store, 30).await.unwrap();
    assert_eq!((taken.kind, taken.subject, taken.attempts), (JobKind::InspectRepository, 7, 1));
    assert_eq!((taken.cause.as_str(), taken.enqueued_at), ("push 5d0c\u{FFFD}", at(10)));
    assert_eq!(lease(&store, 30).await, None, "it is taken");
    assert_eq!(store.next_run_at().await.unwrap(), Some(at(90)), "when the lease ends");
    assert_eq!(store.finish(&taken, at(31)).await.unwrap(), Settlement::Done);
    assert_eq!(store.job_count().await.unwrap(), 0);
    assert_eq!(store.finish(&taken, at(31)).await.unwrap(), Settlement::Lost);
}

#[rstest]
#[tokio::test]
async fn wishes_for_one_job_join(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let sweep = NewJob { priority: Priority::Sweep, run_at: at(5), ..inspect(7) };
    let push = NewJob { run_at: at(60), ..inspect(7) };
    store.enqueue(&[sweep], at(0)).await.unwrap();
    store.enqueue(std::slice::from_ref(&push), at(1)).await.unwrap();
    let jobs = store.jobs(JobFilter::default(), 9, at(5)).await.unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!((jobs[0].priority, jobs[0].run_at), (Priority::Push, at(5)), "the better of both");
    assert_eq!(jobs[0].state, JobState::Ready);

    let taken = lease(&store, 5).await.unwrap();
    store.enqueue(&[NewJob { cause: "next".to_owned(), ..push }], at(6)).await.unwrap();
    assert_eq!(store.finish(&taken, at(7)).await.unwrap(), Settlement::Again);
    assert_eq!(lease(&store, 59).await, None, "asked for during the run: its own time counts");
    let again = lease(&store, 60).await.unwrap();
    assert_eq!((again.cause.as_str(), again.attempts), ("next", 1));
    assert_eq!(store.finish(&again, at(61)).await.unwrap(), Settlement::Done);
}

/// A sweep that comes while a push is looked at must not turn it into a sweep's
/// own finding, should that run come to nothing.
#[rstest]
#[tokio::test]
async fn a_run_that_answers_nobody_keeps_the_better_rank(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let sweep = NewJob { priority: Priority::Sweep, ..inspect(7) };
    store.enqueue(&[inspect(7)], at(0)).await.unwrap();
    for end in 0..3 {
        let taken = lease(&store, end).await.unwrap();
        assert_eq!(taken.priority, Priority::Push, "{end}");
        store.enqueue(std::slice::from_ref(&sweep), at(end)).await.unwrap();
        match end {
            0 => assert_eq!(store.release(&taken, at(1)).await.unwrap(), Settlement::Again),
            1 => assert_eq!(store.fail(&taken, "no", at(2), at(1)).await.unwrap(), Settlement::Again),
            _ => assert_eq!(store.take_back("worker", at(3)).await.unwrap(), 1),
        }
    }
    let taken = lease(&store, 3).await.unwrap();
    assert_eq!(taken.priority, Priority::Push);
    store.enqueue(std::slice::from_ref(&sweep), at(3)).await.unwrap();
    assert_eq!(store.finish(&taken, at(3)).await.unwrap(), Settlement::Again);
    assert_eq!(lease(&store, 3).await.unwrap().priority, Priority::Sweep, "the push was answered");
}

#[rstest]
#[tokio::test]
async fn one_run_at_a_time_on_a_subject(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let policy = NewJob { kind: JobKind::SweepInstallation, ..inspect(7) };
    store.enqueue(&[inspect(7), policy, inspect(8)], at(0)).await.unwrap();
    let first = lease(&store, 0).await.unwrap();
    let second = lease(&store, 0).await.unwrap();
    assert_eq!((first.subject, second.subject), (7, 8));
    assert_eq!(lease(&store, 0).await, None);
    assert_eq!(store.finish(&first, at(1)).await.unwrap(), Settlement::Done);
    assert_eq!(lease(&store, 1).await.unwrap().kind, JobKind::SweepInstallation);
}

#[rstest]
#[tokio::test]
async fn five_attempts_then_a_dead_letter(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.enqueue(&[inspect(7), inspect(8)], at(0)).await.unwrap();
    for attempt in 1..=MAX_ATTEMPTS {
        let now = attempt * 100;
        // The other one waits its turn, and is not harmed.
        let taken = lease(&store, now).await.unwrap();
        assert_eq!((taken.subject, taken.attempts), (7, attempt));
        let settled = store.fail(&taken, "no route", at(-1), at(now)).await.unwrap();
        let expected = if attempt < MAX_ATTEMPTS { Settlement::Again } else { Settlement::Dead };
        assert_eq!(settled, expected);
    }
    let other = lease(&store, 900).await.unwrap();
    assert_eq!(other.subject, 8);
    assert_eq!(store.finish(&other, at(900)).await.unwrap(), Settlement::Done);
    assert_eq!(lease(&store, 9999).await, None);
    assert_eq!(store.next_run_at().await.unwrap(), None);
    let dead = store.dead(9, at(900)).await.unwrap();
    assert_eq!(dead[0].error.as_deref(), Some("no route"));
    assert_eq!(dead[0].state, JobState::Dead { since: at(500) });

    assert!(store.retry_dead("inspect_repository", 7, at(900)).await.unwrap());
    assert!(!store.retry_dead("inspect_repository", 7, at(900)).await.unwrap());
    assert_eq!(lease(&store, 900).await.unwrap().attempts, 1);
}

#[rstest]
#[tokio::test]
async fn a_new_wish_revives_the_dead(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.enqueue(&[inspect(7)], at(0)).await.unwrap();
    for _ in 0..MAX_ATTEMPTS {
        let taken = lease(&store, 0).await.unwrap();
        let _ = store.fail(&taken, "no", at(0), at(0)).await.unwrap();
    }
    assert_eq!(lease(&store, 1).await, None);
    store.enqueue(&[NewJob { run_at: at(50), ..inspect(7) }], at(1)).await.unwrap();
    assert_eq!(lease(&store, 49).await, None, "the dead one's time no longer counts");
    let revived = lease(&store, 50).await.unwrap();
    assert_eq!(revived.attempts, 1);

    // A wish during the last attempt is a new cause as well.
    let mut taken = revived;
    for _ in 1..MAX_ATTEMPTS {
        assert_eq!(store.fail(&taken, "no", at(50), at(50)).await.unwrap(), Settlement::Again);
        taken = lease(&store, 50).await.unwrap();
    }
    store.enqueue(&[inspect(7)], at(50)).await.unwrap();
    assert_eq!(store.fail(&taken, "no", at(50), at(50)).await.unwrap(), Settlement::Again);
    assert_eq!(lease(&store, 50).await.unwrap().attempts, 1);
}

#[rstest]
#[tokio::test]
async fn dead_letters_go_after_ninety_days(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.enqueue(&[inspect(7)], at(0)).await.unwrap();
    for _ in 0..MAX_ATTEMPTS {
        let taken = lease(&store, 0).await.unwrap();
        let _ = store.fail(&taken, "no", at(0), at(0)).await.unwrap();
    }
    assert_eq!(store.prune(Retention::default(), at(90 * 86_400)).await.unwrap().dead_letters, 0);
    assert_eq!(store.prune(Retention::default(), at(90 * 86_400 + 1)).await.unwrap().dead_letters, 1);
}

/// A worker that stops between leasing and finishing: its process is gone, the
/// lease ends, the next one takes over, and the first comes too late.
#[rstest]
#[tokio::test]
async fn a_crash_costs_an_attempt_and_nothing_else(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.enqueue(&[inspect(7)], at(0)).await.unwrap();
    let lost = lease(&store, 0).await.unwrap();
    store.close().await;
    drop(store);

    let store = place.open().await;
    assert_eq!(lease(&store, 59).await, None);
    let taken = lease(&store, 60).await.unwrap();
    assert_eq!((taken.subject, taken.attempts), (7, 2));
    assert!(taken.fence > lost.fence);
    assert_eq!(store.finish(&lost, at(61)).await.unwrap(), Settlement::Lost);
    assert_eq!(store.fail(&lost, "late", at(61), at(61)).await.unwrap(), Settlement::Lost);
    assert_eq!(store.release(&lost, at(61)).await.unwrap(), Settlement::Lost);
    assert!(!store.renew(&lost, MINUTE, at(61)).await.unwrap());
    assert!(store.renew(&taken, MINUTE, at(100)).await.unwrap());
    assert_eq!(lease(&store, 159).await, None, "renewed");
    assert_eq!(store.finish(&taken, at(159)).await.unwrap(), Settlement::Done);
}

#[rstest]
#[tokio::test]
async fn a_job_that_kills_its_worker_is_buried(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.enqueue(&[inspect(7)], at(0)).await.unwrap();
    for attempt in 1..=MAX_ATTEMPTS {
        assert_eq!(lease(&store, attempt * 100).await.unwrap().attempts, attempt);
    }
    assert_eq!(lease(&store, 600).await, None);
    let dead = store.dead(9, at(600)).await.unwrap();
    assert_eq!(dead[0].error.as_deref(), Some("the worker stopped before it finished"));
}

/// The same key, kind and owner in a later life of a row: the old lease's
/// fence is not the new one's.
#[rstest]
#[tokio::test]
async fn fences_outlive_their_rows(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.enqueue(&[inspect(7)], at(0)).await.unwrap();
    let early = lease(&store, 0).await.unwrap();
    assert_eq!(store.finish(&early, at(0)).await.unwrap(), Settlement::Done);
    store.enqueue(&[inspect(7)], at(1)).await.unwrap();
    let late = lease(&store, 1).await.unwrap();
    assert_eq!((early.generation, early.attempts), (late.generation, late.attempts));
    assert_eq!(store.finish(&early, at(2)).await.unwrap(), Settlement::Lost);
    assert_eq!(store.finish(&late, at(2)).await.unwrap(), Settlement::Done);
}

#[rstest]
#[tokio::test]
async fn release_is_no_attempt(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.enqueue(&[inspect(7)], at(0)).await.unwrap();
    for round in 0..10 {
        let taken = lease(&store, round * 10).await.unwrap();
        assert_eq!(taken.attempts, 1);
        assert_eq!(store.release(&taken, at(round * 10 + 10)).await.unwrap(), Settlement::Again);
        assert_eq!(lease(&store, round * 10 + 9).await, None);
    }
}

#[rstest]
#[tokio::test]
async fn the_better_priority_first_and_installations_in_turn(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    let job = |installation, subject, priority| NewJob { installation, priority, ..inspect(subject) };
    let mut jobs: Vec<_> = (100..106).map(|subject| job(1, subject, Priority::Push)).collect();
    jobs.push(job(2, 200, Priority::Push));
    jobs.push(job(3, 300, Priority::Push));
    jobs.push(job(1, 110, Priority::Sweep));
    jobs.push(job(2, 210, Priority::Policy));
    jobs.push(job(3, 310, Priority::Command));
    store.enqueue(&jobs, at(0)).await.unwrap();
    let mut order = Vec::new();
    while let Some(taken) = lease(&store, 0).await {
        order.push(taken.subject);
        assert_eq!(store.finish(&taken, at(0)).await.unwrap(), Settlement::Done);
    }
    assert_eq!(order, [310, 100, 200, 300, 101, 102, 103, 104, 105, 210, 110]);
}

#[rstest]
#[tokio::test]
async fn a_parked_installation_waits(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.park(1, "suspended", at(0)).await.unwrap();
    store.enqueue(&[inspect(7), NewJob { installation: 2, ..inspect(8) }], at(0)).await.unwrap();
    let taken = lease(&store, 0).await.unwrap();
    assert_eq!(taken.subject, 8);
    assert_eq!(store.finish(&taken, at(0)).await.unwrap(), Settlement::Done);
    assert_eq!(lease(&store, 99).await, None);
    assert_eq!(store.next_run_at().await.unwrap(), None);
    let jobs = store.jobs(JobFilter { installation: Some(1), subject: Some(7) }, 9, at(0)).await.unwrap();
    assert_eq!(jobs[0].state, JobState::Parked { reason: "suspended".to_owned() });
    assert!(store.unpark(1).await.unwrap() && !store.unpark(1).await.unwrap());
    let taken = lease(&store, 99).await.unwrap();
    assert_eq!(store.finish(&taken, at(99)).await.unwrap(), Settlement::Done);
}

#[rstest]
#[tokio::test]
async fn a_periodic_job_is_armed_once(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let (store, replica) = (place.open().await, place.open().await);
    let every = Duration::from_secs(300);
    for (replica, seconds) in [(&store, 0), (&replica, 2), (&store, 4)] {
        replica.arm(JobKind::PruneStore, 0, 0, every, at(seconds)).await.unwrap();
    }
    let taken = lease(&store, 10).await.unwrap();
    assert_eq!(lease(&replica, 10).await, None);
    assert_eq!(store.finish(&taken, at(10)).await.unwrap(), Settlement::Done);
    assert_eq!(store.next_run_at().await.unwrap(), Some(at(310)));
    for attempt in 1..=MAX_ATTEMPTS {
        let taken = lease(&store, 310).await.unwrap();
        assert_eq!(taken.attempts, attempt);
        assert_eq!(store.fail(&taken, "away", at(310), at(310)).await.unwrap(), Settlement::Again);
    }
    assert_eq!(lease(&store, 609).await, None, "never buried: it waits for its next period");
    let taken = lease(&store, 610).await.unwrap();
    assert_eq!(taken.attempts, 1);
    // Asked for at once while it runs: at once, and then by its period again.
    store
        .enqueue(&[NewJob { kind: JobKind::PruneStore, run_at: at(620), ..inspect(0) }], at(615))
        .await
        .unwrap();
    assert_eq!(store.finish(&taken, at(616)).await.unwrap(), Settlement::Again);
    assert_eq!(lease(&store, 619).await, None);
    let taken = lease(&store, 620).await.unwrap();
    assert_eq!((taken.priority, taken.cause.as_str()), (Priority::Push, "push"));
    assert_eq!(store.finish(&taken, at(620)).await.unwrap(), Settlement::Done);
    assert_eq!(store.next_run_at().await.unwrap(), Some(at(920)));
    let taken = lease(&store, 920).await.unwrap();
    assert_eq!((taken.priority, taken.cause.as_str()), (Priority::Sweep, "periodic"));
    assert_eq!(store.finish(&taken, at(920)).await.unwrap(), Settlement::Done);
    // A longer period leaves the next run where it is; a shorter one brings it nearer.
    store.arm(JobKind::PruneStore, 0, 0, 2 * every, at(930)).await.unwrap();
    assert_eq!(store.next_run_at().await.unwrap(), Some(at(1220)));
    store.arm(JobKind::PruneStore, 0, 0, MINUTE, at(940)).await.unwrap();
    assert_eq!(store.next_run_at().await.unwrap(), Some(at(1000)));
}

#[rstest]
#[tokio::test]
async fn a_kind_from_the_future_is_set_aside(#[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.enqueue(&[inspect(7), inspect(8)], at(0)).await.unwrap();
    store.writer.execute("UPDATE work SET kind = 'brew_tea' WHERE subject = 7").await.unwrap();
    assert_eq!(lease(&store, 0).await.unwrap().subject, 8);
    let dead = store.dead(9, at(0)).await.unwrap();
    assert_eq!(dead[0].kind, "brew_tea");
    assert!(dead[0].error.as_deref().unwrap().contains("does not know this kind"));
    assert!(store.retry_dead("brew_tea", 7, at(1)).await.unwrap());
}

#[rstest]
#[tokio::test]
async fn a_job_that_is_due_again_keeps_the_earlier_and_better_of_two_wishes(
    #[values(Dialect::Sqlite, Dialect::Postgres)] dialect: Dialect,
) {
    let place = Place::new(dialect).await;
    let store = place.open().await;
    store.enqueue(&[inspect(7)], at(0)).await.unwrap();
    for (asked, due, expected) in [
        (None, 900, (Priority::Sweep, 900)),
        (Some(950), 1000, (Priority::Push, 950)),
        (Some(2000), 1000, (Priority::Push, 1000)),
    ] {
        let taken = lease(&store, 960).await.unwrap();
        if let Some(run_at) = asked {
            store.enqueue(&[NewJob { run_at: at(run_at), ..inspect(7) }], at(900)).await.unwrap();
        }
        let settled = store.finish_until(&taken, at(due), Priority::Sweep).await.unwrap();
        assert_eq!(settled, Settlement::Again);
        let jobs = store.jobs(JobFilter::default(), 9, at(0)).await.unwrap();
        assert_eq!((jobs[0].priority, jobs[0].run_at), (expected.0, at(expected.1)), "{asked:?} {due}");
    }
}
