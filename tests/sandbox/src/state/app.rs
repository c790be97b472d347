//! The App, its installations and their tokens.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use rand::Rng as _;
use serde_json::{Value, json};

use super::{AccountId, Caller, Grant, Level, Permission, Permissions, Refusal, RepositoryId, Scope, State};

/// GitHub's numeric id of an installation.
pub type InstallationId = u64;

/// The one GitHub App of a sandbox.
#[derive(Debug, Clone)]
pub struct App {
    /// Numeric id.
    pub id: u64,
    /// `Iv23…`.
    pub client_id: String,
    /// URL name; the bot is `slug[bot]`.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// The account that acts.
    pub bot: AccountId,
    /// Who owns the App.
    pub owner: AccountId,
    /// What it asks for.
    pub permissions: Permissions,
    /// The events it subscribed to.
    pub events: Vec<String>,
    /// Where deliveries go; `None` sends nothing.
    pub hook_url: Option<String>,
    /// What deliveries are signed with; `None` leaves them unsigned.
    pub webhook_secret: Option<String>,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// The App on one account.
#[derive(Debug, Clone)]
pub struct Installation {
    /// Numeric id.
    pub id: InstallationId,
    /// The organization or user.
    pub account: AccountId,
    /// The only repositories; `None` for all.
    pub selected: Option<BTreeSet<RepositoryId>>,
    /// What was accepted; may be less than the App asks for.
    pub permissions: Permissions,
    /// When and by whom it was suspended.
    pub suspended: Option<(Timestamp, AccountId)>,
    /// When it was installed.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}

/// What a token stands for.
#[derive(Debug, Clone)]
pub(crate) enum Token {
    Person(AccountId),
    Installation { grant: Grant, expires_at: Timestamp },
}

/// What to narrow a new installation token to.
#[derive(Debug, Clone, Default)]
pub struct TokenRequest {
    /// Repository names without owner.
    pub repositories: Vec<String>,
    /// Repository ids.
    pub repository_ids: Vec<RepositoryId>,
    /// Permissions; `None` for all of the installation's.
    pub permissions: Option<Permissions>,
}

/// A token just made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// `ghs_<app id>_<three parts with dots>`, about 520 characters.
    pub token: String,
    /// One hour from now.
    pub expires_at: Timestamp,
    /// What it allows.
    pub grant: Grant,
}

/// The key pair of the App, made once a process since making one takes time.
pub(crate) struct AppKey {
    pub(crate) private_pem: String,
    public: DecodingKey,
}

impl AppKey {
    pub(crate) fn get() -> &'static AppKey {
        static KEY: std::sync::OnceLock<AppKey> = std::sync::OnceLock::new();
        KEY.get_or_init(|| {
            use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
            use aws_lc_rs::signature::KeyPair as _;
            let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048)
                .expect("the random source of this machine works");
            let der: Pkcs8V1Der<'_> = pair.as_der().expect("a fresh key can be encoded");
            let base64 = STANDARD.encode(der.as_ref());
            let lines: Vec<&str> = base64
                .as_bytes()
                .chunks(64)
                .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
                .collect();
            let private_pem =
                format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
            AppKey { private_pem, public: DecodingKey::from_rsa_der(pair.public_key().as_ref()) }
        })
    }
}

impl State {
    /// The App.
    pub fn app(&self) -> &App {
        &self.app
    }

    pub(crate) fn app_mut(&mut self) -> &mut App {
        &mut self.app
    }

    /// Every installation, by id.
    pub fn installations(&self) -> impl Iterator<Item = &Installation> {
        self.installations.values()
    }

    /// An installation.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn installation(&self, id: InstallationId) -> Result<&Installation, Refusal> {
        self.installations.get(&id).ok_or(Refusal::NotFound)
    }

    /// Whether an installation covers a repository.
    pub fn installed_on(&self, installation: &Installation, repository: RepositoryId) -> bool {
        self.repositories.get(&repository).is_some_and(|repository| {
            repository.owner == installation.account
                && installation.selected.as_ref().is_none_or(|only| only.contains(&repository.id))
        })
    }

    /// The installations that cover a repository.
    pub(crate) fn installations_on(&self, repository: RepositoryId) -> Vec<InstallationId> {
        self.installations()
            .filter(|installation| self.installed_on(installation, repository))
            .map(|installation| installation.id)
            .collect()
    }

    /// Who sent a request, by its `Authorization` header.
    ///
    /// # Errors
    /// `BadCredentials`, `BadJwt`; `Suspended` for a token of a suspended
    /// installation.
    pub fn authenticate(&self, authorization: Option<&str>) -> Result<Caller, Refusal> {
        let Some(authorization) = authorization else { return Ok(Caller::Anonymous) };
        let (scheme, token) = authorization.split_once(' ').ok_or(Refusal::BadCredentials)?;
        if !scheme.eq_ignore_ascii_case("bearer") && !scheme.eq_ignore_ascii_case("token") {
            return Err(Refusal::BadCredentials);
        }
        match self.tokens.get(token) {
            Some(Token::Person(person)) => Ok(Caller::Person(*person)),
            Some(Token::Installation { grant, expires_at }) => {
                let installation =
                    self.installations.get(&grant.installation).ok_or(Refusal::BadCredentials)?;
                if *expires_at <= self.now() {
                    return Err(Refusal::BadCredentials);
                }
                if installation.suspended.is_some() {
                    return Err(Refusal::Suspended);
                }
                Ok(Caller::Installation(grant.clone()))
            }
            None if token.matches('.').count() == 2 && !token.starts_with("gh") => {
                self.check_jwt(token).map(|()| Caller::App)
            }
            None => Err(Refusal::BadCredentials),
        }
    }

    /// GitHub's rules for an App's JWT: RS256, issued in the past, expiring
    /// at most ten minutes ahead, issuer App id or client id.
    fn check_jwt(&self, token: &str) -> Result<(), Refusal> {
        let mut rules = Validation::new(Algorithm::RS256);
        // The sandbox's clock decides, not the machine's.
        rules.validate_exp = false;
        rules.required_spec_claims.clear();
        let claims = jsonwebtoken::decode::<Value>(token, &AppKey::get().public, &rules)
            .map_err(|_| Refusal::BadJwt("A JSON web token could not be decoded"))?
            .claims;
        let now = self.now().as_second();
        let issuer = match &claims["iss"] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
        };
        if issuer != self.app.client_id && issuer != self.app.id.to_string() {
            return Err(Refusal::BadJwt("'Issuer' claim ('iss') must be an Integer or the client ID"));
        }
        let (Some(iat), Some(exp)) = (claims["iat"].as_i64(), claims["exp"].as_i64()) else {
            return Err(Refusal::BadJwt(
                "Missing 'issued at' claim ('iat') or 'expiration time' claim ('exp')",
            ));
        };
        if iat > now {
            return Err(Refusal::BadJwt(
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
            ));
        }
        if exp <= now || exp > now + 600 {
            return Err(Refusal::BadJwt(
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
            ));
        }
        Ok(())
    }

    /// A personal token of a user.
    pub(crate) fn person_token(&mut self, person: AccountId) -> String {
        let random: String =
            rand::rng().sample_iter(rand::distr::Alphanumeric).take(36).map(char::from).collect();
        let token = format!("ghp_{random}");
        self.tokens.insert(token.clone(), Token::Person(person));
        token
    }

    /// Every token that was made and not revoked: what nobody should find
    /// anywhere else.
    pub fn tokens(&self) -> Vec<String> {
        self.tokens.keys().cloned().collect()
    }

    /// What the installation tokens allow that were made and not revoked,
    /// expired ones too.
    pub fn grants(&self) -> Vec<Grant> {
        let grant = |token: &Token| match token {
            Token::Person(_) => None,
            Token::Installation { grant, .. } => Some(grant.clone()),
        };
        self.tokens.values().filter_map(grant).collect()
    }

    /// Makes an installation token (`POST …/access_tokens`).
    ///
    /// # Errors
    /// `NotFound`, `Suspended`; `Unprocessable` for repositories or
    /// permissions the installation does not have.
    pub fn create_token(
        &mut self,
        installation: InstallationId,
        request: TokenRequest,
    ) -> Result<NewToken, Refusal> {
        let home = self.installation(installation)?;
        if home.suspended.is_some() {
            return Err(Refusal::Suspended);
        }
        let mut permissions = home.permissions.clone();
        if let Some(wanted) = request.permissions {
            let granted = |(permission, level): (&Permission, &Level)| {
                (*permission, *level) == (Permission::Metadata, Level::Read)
                    || home.permissions.get(permission).is_some_and(|held| held >= level)
            };
            if !wanted.iter().all(granted) {
                return Err(Refusal::Unprocessable(
                    "The permissions requested are not granted to this installation.".to_owned(),
                ));
            }
            permissions = wanted;
        }
        permissions.entry(Permission::Metadata).or_insert(Level::Read);
        let narrows = !request.repositories.is_empty() || !request.repository_ids.is_empty();
        let mut repositories = BTreeSet::new();
        let named = |name: &String| {
            self.repositories()
                .find(|r| r.owner == home.account && r.name.eq_ignore_ascii_case(name))
                .map(|r| r.id)
        };
        let wanted =
            request.repositories.iter().map(named).chain(request.repository_ids.iter().copied().map(Some));
        for id in wanted {
            let id = id.filter(|id| self.installed_on(home, *id)).ok_or_else(|| {
                Refusal::Unprocessable("There is at least one repository that does not exist or is not accessible to the parent installation.".to_owned())
            })?;
            repositories.insert(id);
        }
        let repositories = narrows.then_some(repositories);
        let grant = Grant { installation, permissions, repositories };
        let expires_at = self.now() + SignedDuration::from_hours(1);
        let token = self.stateless_token(&grant, expires_at);
        let known = Token::Installation { grant: grant.clone(), expires_at };
        self.tokens.insert(token.clone(), known);
        Ok(NewToken { token, expires_at, grant })
    }

    /// The long form GitHub rolls out since April 2026. Only its looks are
    /// real: the sandbox finds it in its own table.
    fn stateless_token(&self, grant: &Grant, expires_at: Timestamp) -> String {
        let head = json!({ "alg": "RS256", "typ": "JWT" });
        let unique: u64 = rand::rng().random();
        let claims = json!({
            "iss": "github-sandbox",
            "aud": "api.sandbox",
            "iat": self.now().as_second(),
            "exp": expires_at.as_second(),
            "installation": grant.installation,
            "jti": format!("{unique:016x}"),
        });
        let mut signature = [0_u8; 256];
        rand::rng().fill(&mut signature[..]);
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        format!(
            "ghs_{}_{}.{}.{}",
            self.app.id,
            part(head.to_string().as_bytes()),
            part(claims.to_string().as_bytes()),
            part(&signature)
        )
    }

    /// Revokes a token; an unknown one changes nothing.
    pub(crate) fn revoke(&mut self, token: &str) {
        self.tokens.remove(token);
    }

    /// Installs the App on an account, telling `installation.created`.
    pub fn install(
        &mut self,
        by: AccountId,
        account: AccountId,
        selected: Option<BTreeSet<RepositoryId>>,
        permissions: Option<Permissions>,
    ) -> InstallationId {
        let (id, now) = (self.next_id(), self.now());
        let permissions = permissions.unwrap_or_else(|| self.app.permissions.clone());
        let installation = Installation {
            id,
            account,
            selected,
            permissions,
            suspended: None,
            created_at: now,
            updated_at: now,
        };
        self.installations.insert(id, installation);
        self.emit_installation(by, id, "created");
        id
    }

    fn emit_installation(&mut self, by: AccountId, id: InstallationId, action: &'static str) {
        let repositories = self.installation_repositories(id);
        let body = json!({ "repositories": self.brief(&repositories), "requester": null });
        self.emit(&Caller::Person(by), Scope::Installation(id), "installation", Some(action), body);
    }

    /// The repositories an installation covers, by id.
    pub fn installation_repositories(&self, id: InstallationId) -> Vec<RepositoryId> {
        let Some(installation) = self.installations.get(&id) else { return Vec::new() };
        let covered = self.repositories().filter(|r| self.installed_on(installation, r.id));
        covered.map(|repository| repository.id).collect()
    }

    /// What installation events say of a repository.
    fn brief(&self, repositories: &[RepositoryId]) -> Value {
        let known = repositories.iter().filter_map(|id| self.repositories.get(id));
        known
            .map(|repository| {
                json!({
                    "id": repository.id,
                    "node_id": self.node_id_of(repository),
                    "name": repository.name,
                    "full_name": self.full_name(repository),
                    "private": repository.visibility != super::Visibility::Public,
                })
            })
            .collect()
    }

    /// Suspends an installation, or ends the suspension.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn set_suspended(
        &mut self,
        by: AccountId,
        id: InstallationId,
        suspended: bool,
    ) -> Result<(), Refusal> {
        let now = self.now();
        let installation = self.installations.get_mut(&id).ok_or(Refusal::NotFound)?;
        installation.suspended = suspended.then_some((now, by));
        installation.updated_at = now;
        self.emit_installation(by, id, if suspended { "suspend" } else { "unsuspend" });
        Ok(())
    }

    /// Takes the App off an account; its tokens are dead at once.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn uninstall(&mut self, by: AccountId, id: InstallationId) -> Result<(), Refusal> {
        self.installation(id)?;
        self.emit_installation(by, id, "deleted");
        self.installations.remove(&id);
        Ok(())
    }

    /// Accepts what the App asks for now (`new_permissions_accepted`).
    ///
    /// # Errors
    /// `NotFound`.
    pub fn accept_permissions(&mut self, by: AccountId, id: InstallationId) -> Result<(), Refusal> {
        let permissions = self.app.permissions.clone();
        self.installations.get_mut(&id).ok_or(Refusal::NotFound)?.permissions = permissions;
        self.emit_installation(by, id, "new_permissions_accepted");
        Ok(())
    }

    /// The App asks for other permissions from now on; each installation keeps
    /// those it has until it accepts.
    pub fn ask_for_permissions(&mut self, permissions: Permissions) {
        self.app.permissions = permissions;
    }

    /// Gives the App another name: its slug and the login of its bot change,
    /// ids do not.
    pub fn rename_app(&mut self, slug: &str) {
        slug.clone_into(&mut self.app.slug);
        slug.clone_into(&mut self.app.name);
        if let Some(bot) = self.accounts.get_mut(&self.app.bot) {
            bot.login = format!("{slug}[bot]");
        }
    }

    /// From selected repositories to all there are and will be.
    ///
    /// # Errors
    /// `NotFound`; `Unprocessable` when the installation covers all.
    pub fn select_all(&mut self, by: AccountId, id: InstallationId) -> Result<(), Refusal> {
        let (before, now) = (self.installation_repositories(id), self.now());
        let installation = self.installations.get_mut(&id).ok_or(Refusal::NotFound)?;
        if installation.selected.take().is_none() {
            return Err(Refusal::Unprocessable("The installation covers all repositories".to_owned()));
        }
        installation.updated_at = now;
        let all = self.installation_repositories(id);
        let added: Vec<RepositoryId> = all.into_iter().filter(|home| !before.contains(home)).collect();
        let body = json!({
            "repository_selection": "all",
            "repositories_added": self.brief(&added),
            "repositories_removed": [],
            "requester": null,
        });
        let scope = Scope::Installation(id);
        self.emit(&Caller::Person(by), scope, "installation_repositories", Some("added"), body);
        Ok(())
    }

    /// Adds repositories to a selected installation and removes others.
    ///
    /// # Errors
    /// `NotFound`; `Unprocessable` when the installation covers all.
    pub fn select_repositories(
        &mut self,
        by: AccountId,
        id: InstallationId,
        added: &[RepositoryId],
        removed: &[RepositoryId],
    ) -> Result<(), Refusal> {
        let now = self.now();
        let installation = self.installations.get_mut(&id).ok_or(Refusal::NotFound)?;
        let Some(selected) = &mut installation.selected else {
            return Err(Refusal::Unprocessable("The installation covers all repositories".to_owned()));
        };
        selected.extend(added);
        selected.retain(|repository| !removed.contains(repository));
        installation.updated_at = now;
        let changes = [("added", added), ("removed", removed)];
        for (action, changed) in changes.into_iter().filter(|(_, changed)| !changed.is_empty()) {
            let (now_added, now_removed): (&[u64], &[u64]) =
                if action == "added" { (changed, &[]) } else { (&[], changed) };
            let body = json!({
                "repository_selection": "selected",
                "repositories_added": self.brief(now_added),
                "repositories_removed": self.brief(now_removed),
                "requester": null,
            });
            let scope = Scope::Installation(id);
            self.emit(&Caller::Person(by), scope, "installation_repositories", Some(action), body);
        }
        Ok(())
    }

    /// A repository left installations by deletion or transfer: those that
    /// had selected it are told and forget it.
    pub(crate) fn dropped_from(
        &mut self,
        caller: &Caller,
        installations: &[InstallationId],
        repository: RepositoryId,
    ) {
        let Ok(by) = self.actor(caller) else { return };
        for id in installations {
            let selects = self.installations.get(id).is_some_and(|i| i.selected.is_some());
            if selects {
                // The installation was found a moment ago and selects.
                let _ = self.select_repositories(by, *id, &[], &[repository]);
            }
        }
    }

    /// Renames an account (`installation_target.renamed`); the old login is
    /// free at once, repository names redirect.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` when the login is taken.
    pub fn rename_account(&mut self, account: AccountId, login: &str) -> Result<(), Refusal> {
        if self.account_named(login).is_some() {
            return Err(Refusal::invalid("User", "login", "already_exists"));
        }
        let old = self.account(account).ok_or(Refusal::NotFound)?.login.clone();
        if let Some(account) = self.accounts.get_mut(&account) {
            login.clone_into(&mut account.login);
        }
        for repository in self.repositories.values_mut().filter(|r| r.owner == account) {
            repository.former_names.push(format!("{old}/{}", repository.name));
        }
        let target = self.account(account).map_or("User", super::Account::type_word);
        let body = json!({
            "account": self.simple_user(account),
            "changes": { "login": { "from": old } },
            "target_type": target,
        });
        let installed: Vec<InstallationId> =
            self.installations().filter(|i| i.account == account).map(|i| i.id).collect();
        for id in installed {
            let (who, scope) = (Caller::Person(account), Scope::Installation(id));
            self.emit(&who, scope, "installation_target", Some("renamed"), body.clone());
        }
        Ok(())
    }
}

/// Permissions as JSON, and back from it.
pub(crate) fn permissions_json(permissions: &Permissions) -> Value {
    let words = permissions.iter().map(|(what, level)| (what.word().to_owned(), json!(level.word())));
    Value::Object(words.collect())
}

/// Reads permissions from JSON; `None` for a name or level that is unknown.
pub(crate) fn permissions_from(value: &Value) -> Option<Permissions> {
    let read = |(name, level): (&String, &Value)| {
        let level = match level.as_str()? {
            "read" => Level::Read,
            "write" => Level::Write,
            _ => return None,
        };
        Some((Permission::from_word(name)?, level))
    };
    value.as_object()?.iter().map(read).collect::<Option<BTreeMap<_, _>>>()
}
