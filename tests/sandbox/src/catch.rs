//! Calls that are never answered: a test ends the caller while it waits.

use tokio::sync::oneshot;

/// Which call is caught, and when.
#[derive(Debug, Clone, Default)]
pub struct Catch {
    naming: Vec<String>,
    skip: u64,
    done: bool,
}

impl Catch {
    /// The next call whose path and body together name all of these.
    pub fn naming(words: &[&str]) -> Catch {
        Catch { naming: words.iter().map(|word| (*word).to_owned()).collect(), ..Catch::default() }
    }

    /// The next call, whatever it is.
    pub fn anything() -> Catch {
        Catch::default()
    }

    /// How many such calls pass before.
    pub fn after(mut self, calls: u64) -> Catch {
        self.skip = calls;
        self
    }

    /// Caught when it has been carried out; else before that.
    pub fn done(mut self, done: bool) -> Catch {
        self.done = done;
        self
    }
}

/// A trap that was set, and whom it tells.
pub(crate) struct Trap {
    pub(crate) catch: Catch,
    pub(crate) told: oneshot::Sender<()>,
}

/// A call that was caught.
pub(crate) struct Caught {
    pub(crate) done: bool,
    told: oneshot::Sender<()>,
}

impl Caught {
    /// Tells the test, and never comes back.
    pub(crate) async fn wait(self) {
        // Whoever no longer waits has no use for the caller's end either.
        let _ = self.told.send(());
        std::future::pending::<()>().await;
    }
}

/// The trap that catches a call of this path and body, if one does.
pub(crate) fn take(traps: &mut Vec<Trap>, path: &str, body: &[u8]) -> Option<Caught> {
    traps.retain(|trap| !trap.told.is_closed());
    let body = String::from_utf8_lossy(body);
    let mut caught = None;
    for (at, trap) in traps.iter_mut().enumerate() {
        let named = |word: &String| path.contains(word.as_str()) || body.contains(word.as_str());
        if !trap.catch.naming.iter().all(named) {
            continue;
        }
        if trap.catch.skip > 0 {
            trap.catch.skip -= 1;
        } else if caught.is_none() {
            caught = Some(at);
        }
    }
    let trap = traps.remove(caught?);
    Some(Caught { done: trap.catch.done, told: trap.told })
}
