//! The handle of a running sandbox.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};

use crate::build::{Builder, NewRepository};
use crate::catch::{self, Catch, Caught, Trap};
use crate::fault::Fault;
use crate::record::{Call, Exchanges};
use crate::rest;
use crate::state::{
    AccountId, AppKey, Caller, Delivery, Flavor, Refusal, RepositoryId, State, Traffic, Urls,
};

/// A running GitHub. Cloning gives another handle of the same.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    flavor: Flavor,
    tenants_apart: bool,
    urls: Urls,
    state: Arc<Mutex<State>>,
    faults: Mutex<Vec<Fault>>,
    traps: Mutex<Vec<Trap>>,
    calls: Mutex<Vec<Call>>,
    failures: Mutex<Vec<String>>,
    strays: Mutex<Vec<String>>,
    exchanges: Option<Mutex<Exchanges>>,
    holding: Notify,
    released: Notify,
    delivering: tokio::sync::Mutex<()>,
}

/// A lock whose holder panicked is still a lock: the panic fails the test.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sandbox {
    /// Begins the description of a GitHub.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) async fn serve(
        mut state: State,
        own_name: Option<String>,
        tenants_apart: bool,
        api: SocketAddr,
        web: SocketAddr,
    ) -> std::io::Result<Sandbox> {
        let (api, web) = (TcpListener::bind(api).await?, TcpListener::bind(web).await?);
        let (root, web_url) =
            (format!("http://{}", api.local_addr()?), format!("http://{}", web.local_addr()?));
        let flavor = state.flavor;
        let at = |root: &str, web: &str| match flavor {
            Flavor::DotCom | Flavor::DataResidency => {
                Urls { api: root.to_owned(), graphql: format!("{root}/graphql"), web: web.to_owned() }
            }
            Flavor::Server => Urls {
                api: format!("{root}/api/v3"),
                graphql: format!("{root}/api/graphql"),
                web: web.to_owned(),
            },
        };
        let urls = at(&root, &web_url);
        state.urls = match own_name.map(|host| format!("https://{host}")) {
            Some(own) => at(&own, &own),
            None => urls.clone(),
        };
        state.silent = false;
        let inner = Inner {
            flavor,
            tenants_apart,
            urls,
            state: Arc::new(Mutex::new(state)),
            faults: Mutex::default(),
            traps: Mutex::default(),
            calls: Mutex::default(),
            failures: Mutex::default(),
            strays: Mutex::default(),
            exchanges: Exchanges::from_environment()?.map(Mutex::new),
            holding: Notify::new(),
            released: Notify::new(),
            delivering: tokio::sync::Mutex::default(),
        };
        let sandbox = Sandbox { inner: Arc::new(inner) };
        tokio::spawn(crate::server::accept(sandbox.clone(), api));
        let pages = crate::pages::router(Arc::clone(&sandbox.inner.state));
        tokio::spawn(async move { axum::serve(web, pages).await });
        Ok(sandbox)
    }

    /// A GitHub with one organization, the App on all of it.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub async fn with(organization: crate::build::NewOrganization) -> std::io::Result<Sandbox> {
        let login = organization.login().to_owned();
        let builder = Sandbox::builder().organization(organization);
        builder.installation(crate::build::installation(&login)).start().await
    }

    /// Which GitHub is played.
    pub fn flavor(&self) -> Flavor {
        self.inner.flavor
    }

    /// Where REST begins, without a slash at the end.
    pub fn api_url(&self) -> &str {
        &self.inner.urls.api
    }

    /// Where GraphQL is posted to.
    pub fn graphql_url(&self) -> &str {
        &self.inner.urls.graphql
    }

    /// Where the pages are, without a slash at the end.
    pub fn web_url(&self) -> &str {
        &self.inner.urls.web
    }

    /// Reads the state.
    pub fn state<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&lock(&self.inner.state))
    }

    /// Changes the state by its operations.
    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut lock(&self.inner.state))
    }

    /// The App's private key as PEM (PKCS #8).
    pub fn private_key(&self) -> &'static str {
        &AppKey::get().private_pem
    }

    /// The App's id.
    pub fn app_id(&self) -> u64 {
        self.state(|state| state.app().id)
    }

    /// The App's client id.
    pub fn client_id(&self) -> String {
        self.state(|state| state.app().client_id.clone())
    }

    /// What deliveries are signed with; empty when they are not.
    pub fn webhook_secret(&self) -> String {
        self.state(|state| state.app().webhook_secret.clone().unwrap_or_default())
    }

    /// Login and account id of the App's bot.
    pub fn bot(&self) -> (String, u64) {
        self.state(|state| (state.login(state.app().bot).to_owned(), state.app().bot))
    }

    /// Where deliveries go from now on. Until it is set, what happens is not
    /// told to anybody, as on GitHub.
    pub fn set_hook_url(&self, url: &str) {
        self.change(|state| state.app_mut().hook_url = Some(url.to_owned()));
    }

    /// The installation on an account.
    ///
    /// # Panics
    /// When there is none.
    pub fn installation_id(&self, account: &str) -> u64 {
        let found = self.state(|state| {
            let account = state.account_named(account)?.id;
            state.installations().find(|i| i.account == account).map(|i| i.id)
        });
        found.unwrap_or_else(|| panic!("the App is not installed on {account}"))
    }

    /// The id of a repository by `owner/name`.
    ///
    /// # Panics
    /// When there is none of that name now.
    pub fn repository_id(&self, full_name: &str) -> RepositoryId {
        let found = self.state(|state| {
            let named = |home: &&crate::state::Repository| state.full_name(home) == full_name;
            state.repositories().find(named).map(|home| home.id)
        });
        found.unwrap_or_else(|| panic!("there is no repository {full_name}"))
    }

    /// A personal token of a user.
    ///
    /// # Panics
    /// When there is no such user.
    pub fn user_token(&self, login: &str) -> String {
        self.change(|state| {
            let found = state.account_named(login).map(|account| account.id);
            let person = found.unwrap_or_else(|| panic!("there is no user {login}"));
            state.person_token(person)
        })
    }

    /// Makes a repository now; the sandbox's own administrator does it.
    ///
    /// # Panics
    /// When the account does not exist or has one of that name.
    pub fn create_repository(&self, owner: &str, new: NewRepository) -> RepositoryId {
        self.change(|state| {
            let found = state.account_named(owner).map(|account| account.id);
            let account = found.unwrap_or_else(|| panic!("there is no account {owner}"));
            let admin = Caller::Person(state.app().owner);
            state
                .create_repository(&admin, account, new)
                .unwrap_or_else(|refusal| panic!("{owner}: {refusal:?}"))
        })
    }

    /// People clone a repository today, and look at its pages.
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn visit(&self, repository: &str, more: Traffic) {
        let id = self.repository_id(repository);
        self.change(|state| state.visit(id, more))
            .unwrap_or_else(|refusal| panic!("{repository}: {refusal:?}"));
    }

    /// Injects a fault.
    ///
    /// # Panics
    /// When it names a route that does not exist.
    pub fn fault(&self, fault: Fault) {
        if let Some(on) = &fault.on {
            let known = on == "POST /graphql"
                || on.starts_with("POST /graphql ")
                || rest::ROUTES.iter().any(|r| format!("{} {}", r.method, r.template) == *on);
            assert!(known, "fault on {on:?}: there is no such route");
        }
        lock(&self.inner.faults).push(fault);
    }

    /// The faults that have not hit as often as they are to.
    pub fn faults(&self) -> Vec<Fault> {
        lock(&self.inner.faults).clone()
    }

    /// How many calls faults of this kind are still to hit.
    pub fn faults_left(&self, kind: crate::FaultKind) -> u64 {
        lock(&self.inner.faults).iter().filter(|fault| fault.kind == kind).map(|fault| fault.times).sum()
    }

    /// Ends all faults that have not hit yet.
    pub fn clear_faults(&self) {
        lock(&self.inner.faults).clear();
    }

    /// Waits until [`crate::FaultKind::Held`] or
    /// [`crate::FaultKind::HeldAfter`] holds one more call.
    pub async fn holds(&self) {
        self.inner.holding.notified().await;
    }

    /// Lets the calls go that are held.
    pub fn release(&self) {
        self.inner.released.notify_waiters();
    }

    pub(crate) async fn held(&self) {
        let mut released = std::pin::pin!(self.inner.released.notified());
        // From here on a release is not missed, so whoever waits may know.
        released.as_mut().enable();
        self.inner.holding.notify_one();
        released.await;
    }

    pub(crate) fn take_fault(
        &self,
        route: &str,
        measure: Option<&crate::graphql::Measure>,
    ) -> Option<crate::FaultKind> {
        crate::fault::take(&mut lock(&self.inner.faults), route, measure)
    }

    /// Sets a trap for one call, which is never answered. The receiver is told
    /// when it is caught; dropping it takes the trap away.
    pub fn catch(&self, catch: Catch) -> oneshot::Receiver<()> {
        let (told, caught) = oneshot::channel();
        lock(&self.inner.traps).push(Trap { catch, told });
        caught
    }

    pub(crate) fn caught(&self, path: &str, body: &[u8]) -> Option<Caught> {
        catch::take(&mut lock(&self.inner.traps), path, body)
    }

    /// Every call so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.inner.calls).clone()
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        lock(&self.inner.calls).clear();
    }

    pub(crate) fn record(&self, call: Call) {
        lock(&self.inner.calls).push(call);
    }

    /// What a correct program would not have sent: unknown routes, arguments
    /// and fields, invalid GraphQL. Tests assert that it is empty.
    pub fn failures(&self) -> Vec<String> {
        lock(&self.inner.failures).clone()
    }

    pub(crate) fn fail(&self, failure: String) {
        tracing::error!("sandbox: {failure}");
        lock(&self.inner.failures).push(failure);
    }

    /// Calls in which a token of one installation named anything of another
    /// account, of a sandbox whose [`crate::Builder::tenants_apart`]; each was
    /// refused.
    pub fn strays(&self) -> Vec<String> {
        lock(&self.inner.strays).clone()
    }

    /// Refuses a call of an installation that names an account not its own.
    pub(crate) fn keep_apart(&self, caller: &Caller, named: &[AccountId], call: &str) -> Result<(), Refusal> {
        let Caller::Installation(grant) = caller else { return Ok(()) };
        if !self.inner.tenants_apart {
            return Ok(());
        }
        let own = self.state(|state| state.installation(grant.installation).map(|home| home.account))?;
        if named.iter().all(|account| *account == own) {
            return Ok(());
        }
        lock(&self.inner.strays).push(format!("installation {}: {call}", grant.installation));
        Err(Refusal::NotFound)
    }

    pub(crate) fn exchange(&self, exchange: &serde_json::Value) {
        if let Some(exchanges) = &self.inner.exchanges
            && let Err(error) = lock(exchanges).write(exchange)
        {
            self.fail(format!("the exchange could not be recorded: {error}"));
        }
    }

    /// Sends all pending deliveries, one after the other, and those that
    /// happen meanwhile; returns how many when all were answered.
    pub async fn deliver(&self) -> usize {
        let _one_at_a_time = self.inner.delivering.lock().await;
        let mut sent = 0;
        while self.send_next().await.is_some() {
            sent += 1;
        }
        sent
    }

    /// Sends the oldest pending delivery; `None` if there is none.
    pub async fn deliver_next(&self) -> Option<Delivery> {
        let _one_at_a_time = self.inner.delivering.lock().await;
        self.send_next().await
    }

    async fn send_next(&self) -> Option<Delivery> {
        let mut next = self.state(|state| state.pending().next().cloned())?;
        let attempt = crate::webhook::send(self, &next).await;
        self.change(|state| state.settle(next.id, attempt.clone()));
        next.attempt = Some(attempt);
        Some(next)
    }

    /// Sends deliveries as they happen, for a demonstration.
    pub fn deliver_automatically(&self) {
        let (sandbox, changed) = (self.clone(), self.state(|state| Arc::clone(&state.changed)));
        tokio::spawn(async move {
            loop {
                sandbox.deliver().await;
                changed.notified().await;
            }
        });
    }

    /// The deliveries not sent yet.
    pub fn pending(&self) -> Vec<Delivery> {
        self.state(|state| state.pending().cloned().collect())
    }

    /// Loses, doubles or reorders the deliveries not sent yet.
    pub fn change_pending(&self, change: impl FnOnce(&mut Vec<Delivery>)) {
        self.change(|state| state.change_pending(change));
    }

    /// Every attempted delivery, newest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.state(|state| state.delivered().cloned().collect())
    }
}
