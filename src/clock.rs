//! The one clock. `main` or a test makes it and hands it to worker, web and
//! GitHub client; nothing else asks what time it is.
//!
//! Promises: (1) a stepped clock stands still until it is advanced, and
//! everyone who sleeps on it wakes in time; (2) both kinds never run backwards
//! for their users.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::watch;

/// A cloneable source of time: the system's, or one that a test advances.
#[derive(Debug, Clone)]
pub struct Clock(Kind);

#[derive(Debug, Clone)]
enum Kind {
    System,
    Stepped(Arc<watch::Sender<Timestamp>>),
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Clock {
        Clock(Kind::System)
    }

    /// A clock that stands at `start` until [`Clock::advance`] moves it.
    #[must_use]
    pub fn stepped(start: Timestamp) -> Clock {
        Clock(Kind::Stepped(Arc::new(watch::Sender::new(start))))
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Kind::System => Timestamp::now(),
            Kind::Stepped(time) => *time.borrow(),
        }
    }

    /// Returns once the clock has reached `when`, at once if it has passed.
    pub async fn sleep_until(&self, when: Timestamp) {
        match &self.0 {
            Kind::System => loop {
                let Ok(left) = Duration::try_from(when.duration_since(Timestamp::now())) else { return };
                if left.is_zero() {
                    return;
                }
                // The monotonic timer and the wall clock may drift: look again.
                tokio::time::sleep(left.min(Duration::from_secs(60))).await;
            },
            Kind::Stepped(time) => {
                let mut reader = time.subscribe();
                // An error means that the last handle is gone: nobody will
                // advance the clock any more, and this one is such a handle.
                let _ = reader.wait_for(|now| *now >= when).await;
            }
        }
    }

    /// A short wait within a call, for a pace or another attempt. Nobody can
    /// step a clock while they wait for that call, so a stepped clock is moved
    /// on to `when` by the wait itself.
    pub async fn pause_until(&self, when: Timestamp) {
        match &self.0 {
            Kind::System => self.sleep_until(when).await,
            Kind::Stepped(time) => {
                time.send_if_modified(|now| {
                    let waits = *now < when;
                    *now = (*now).max(when);
                    waits
                });
            }
        }
    }

    /// Moves a stepped clock on.
    ///
    /// # Panics
    /// If this is the system's clock: only a test may step, and only its own.
    pub fn advance(&self, by: Duration) {
        match &self.0 {
            Kind::System => panic!("the system's clock cannot be advanced"),
            Kind::Stepped(time) => time.send_modify(|now| *now += by),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_is_advanced() {
        let clock = Clock::stepped(Timestamp::UNIX_EPOCH);
        let when = Timestamp::UNIX_EPOCH + Duration::from_secs(3600);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep_until(when).await;
                clock.now()
            }
        });
        clock.advance(Duration::from_secs(3599));
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        assert_eq!(sleeper.await.unwrap(), when);
    }

    #[tokio::test]
    async fn a_pause_moves_a_stepped_clock_and_never_back() {
        let clock = Clock::stepped(Timestamp::UNIX_EPOCH);
        let when = Timestamp::UNIX_EPOCH + Duration::from_secs(2);
        clock.pause_until(when).await;
        clock.pause_until(Timestamp::UNIX_EPOCH).await;
        assert_eq!(clock.now(), when);
    }

    #[tokio::test]
    async fn the_past_does_not_wait() {
        Clock::system().sleep_until(Timestamp::UNIX_EPOCH).await;
    }
}
