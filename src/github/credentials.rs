//! The App's key, and the tokens minted with it.
//!
//! Promises: (1) a token is asked for by host, App, installation, permissions
//! and repositories, and given to nobody who asks for anything else;
//! (2) twenty who ask at once cause one to be minted; (3) tokens live in
//! memory, at most fifty minutes, and never print; (4) nothing about a
//! token's form or length is assumed.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::{
    error::{Error, Result},
    needs::Need,
};
use crate::domain::repository::{InstallationId, RepositoryId};

/// The longest time a token is used, whatever GitHub allows.
const TOKEN_LIFE: Duration = Duration::from_secs(50 * 60);
/// How long before its end a token is no longer handed out.
const TOKEN_MARGIN: Duration = Duration::from_secs(5 * 60);
/// How far a JWT reaches back, for a clock that runs ahead of GitHub's.
const JWT_BACK: i64 = 60;
/// How long a JWT is good for, in seconds.
const JWT_LIFE: i64 = 5 * 60;

/// The App: its issuer and its private keys, newest first.
#[derive(Clone)]
pub struct App {
    issuer: String,
    keys: Vec<EncodingKey>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("issuer", &self.issuer).field("keys", &self.keys.len()).finish()
    }
}

/// Why a text cannot be the App's private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No key at all.
    #[error("no private key is set: download one on the App's page, section \"Private keys\"")]
    None,
    /// Not an RSA key in PEM form.
    #[error("private key {0} is not an RSA key in PEM form: use the .pem file as GitHub gave it")]
    Form(usize),
}

impl App {
    /// Whether it is the App of this id and client id.
    #[must_use]
    pub fn is(&self, id: u64, client_id: Option<&str>) -> bool {
        client_id == Some(self.issuer.as_str()) || self.issuer == id.to_string()
    }

    /// The App of this client id (recommended) or App id, with its keys.
    ///
    /// # Errors
    /// [`KeyError`], which counts the keys from 1.
    pub fn new<'a>(
        issuer: &str,
        pems: impl IntoIterator<Item = &'a SecretString>,
    ) -> std::result::Result<App, KeyError> {
        let keys = pems
            .into_iter()
            .enumerate()
            .map(|(at, pem)| {
                let key = EncodingKey::from_rsa_pem(pem.expose_secret().as_bytes());
                // Only a signature tells a private key from a public one.
                let signs = |key: &EncodingKey| {
                    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &serde_json::json!({}), key).is_ok()
                };
                key.ok().filter(signs).ok_or(KeyError::Form(at + 1))
            })
            .collect::<std::result::Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(KeyError::None);
        }
        Ok(App { issuer: issuer.to_owned(), keys })
    }

    /// How many keys there are.
    pub(super) fn keys(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// A JSON Web Token of the App, signed with the `key`-th key (GitHub
    /// documentation, "Generating a JSON Web Token (JWT) for a GitHub App").
    pub(super) fn jwt(&self, key: usize, now: Timestamp) -> Result<SecretString> {
        #[derive(Serialize)]
        struct Claims<'a> {
            iat: i64,
            exp: i64,
            iss: Issuer<'a>,
        }
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Issuer<'a> {
            AppId(u64),
            ClientId(&'a str),
        }
        let iss = self.issuer.parse().map_or(Issuer::ClientId(&self.issuer), Issuer::AppId);
        let claims = Claims { iat: now.as_second() - JWT_BACK, exp: now.as_second() + JWT_LIFE, iss };
        let key = self.keys.get(key).unwrap_or(&self.keys[0]);
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, key)
            .map(SecretString::from)
            .map_err(|_| Error::Permanent("the App's private key does not sign: replace it".to_owned()))
    }
}

/// What a token is asked for, and what its cache is keyed by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct TokenKey {
    pub(super) host: String,
    pub(super) app: String,
    pub(super) scope: Scope,
}

/// What a token may do, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    pub(super) installation: InstallationId,
    /// In the order of [`Permission`](super::needs::Permission), each once.
    pub(super) permissions: Vec<Need>,
    /// Sorted; `None` for all the installation has.
    pub(super) repositories: Option<Vec<RepositoryId>>,
}

impl Scope {
    pub(super) fn new(
        installation: InstallationId,
        permissions: &[Need],
        repositories: Option<&[RepositoryId]>,
    ) -> Scope {
        let mut permissions = permissions.to_vec();
        permissions.sort_unstable();
        permissions.dedup();
        let repositories = repositories.map(|ids| {
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            ids.dedup();
            ids
        });
        Scope { installation, permissions, repositories }
    }
}

/// A token in use.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) secret: SecretString,
    /// Not handed out from then on.
    fresh_until: Timestamp,
    /// Tells it from the one minted after it.
    mint: Arc<()>,
}

impl Token {
    pub(super) fn new(secret: SecretString, minted: Timestamp, expires: Timestamp) -> Token {
        let fresh_until = (minted + TOKEN_LIFE).min(expires - TOKEN_MARGIN);
        Token { secret, fresh_until, mint: Arc::new(()) }
    }
}

type Slot = Arc<tokio::sync::Mutex<Option<Token>>>;

/// The tokens in memory.
#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<TokenKey, Slot>>);

impl Tokens {
    /// The token for `key`: the cached one while it is fresh, else what `mint`
    /// brings. Whoever asks meanwhile waits for the same one.
    pub(super) async fn get<F>(&self, key: TokenKey, now: Timestamp, mint: F) -> Result<Token>
    where
        F: Future<Output = Result<Token>>,
    {
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Tokens for one repository each would pile up otherwise.
            slots.retain(|_, slot| match slot.try_lock() {
                Ok(token) => {
                    Arc::strong_count(slot) > 1 || token.as_ref().is_some_and(|token| token.fresh_until > now)
                }
                Err(_) => true,
            });
            Arc::clone(slots.entry(key).or_default())
        };
        let mut token = slot.lock().await;
        if let Some(token) = token.as_ref().filter(|token| token.fresh_until > now) {
            return Ok(token.clone());
        }
        *token = None;
        let minted = mint.await?;
        Ok(token.insert(minted).clone())
    }

    /// Drops a token that GitHub no longer takes, unless it was replaced.
    pub(super) async fn forget(&self, key: &TokenKey, refused: &Token) {
        let slot = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).map(Arc::clone);
        if let Some(slot) = slot {
            let mut token = slot.lock().await;
            if token.as_ref().is_some_and(|held| Arc::ptr_eq(&held.mint, &refused.mint)) {
                *token = None;
            }
        }
    }

    /// Takes all tokens out of memory.
    pub(super) async fn drain(&self) -> Vec<Token> {
        let slots = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut tokens = Vec::new();
        for slot in slots.into_values() {
            tokens.extend(slot.lock().await.take());
        }
        tokens
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::github::needs::{ISSUE_WRITING, PROPOSING, READING};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn key(scope: Scope) -> TokenKey {
        TokenKey { host: "api.github.com".to_owned(), app: "Iv1".to_owned(), scope }
    }

    fn token(minute: i64) -> Token {
        Token::new(SecretString::from("ghs_1_a.b.c"), at(minute), at(minute + 60))
    }

    #[tokio::test]
    async fn trap_6_twenty_who_ask_at_once_mint_one() {
        let tokens = Arc::new(Tokens::default());
        let minted = Arc::new(AtomicUsize::new(0));
        let asks: Vec<_> = (0..20)
            .map(|_| {
                let (tokens, minted) = (Arc::clone(&tokens), Arc::clone(&minted));
                tokio::spawn(async move {
                    let mint = async {
                        minted.fetch_add(1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        Ok(token(0))
                    };
                    tokens.get(key(Scope::new(InstallationId(1), READING, None)), at(0), mint).await
                })
            })
            .collect();
        for ask in asks {
            ask.await.unwrap().unwrap();
        }
        assert_eq!(minted.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn nobody_gets_a_token_for_anything_else() {
        let tokens = Tokens::default();
        let minted = AtomicUsize::new(0);
        let (a, b) = (RepositoryId(1), RepositoryId(2));
        let scopes = [
            Scope::new(InstallationId(1), READING, None),
            Scope::new(InstallationId(2), READING, None),
            Scope::new(InstallationId(1), ISSUE_WRITING, None),
            Scope::new(InstallationId(1), ISSUE_WRITING, Some(&[a])),
            Scope::new(InstallationId(1), ISSUE_WRITING, Some(&[b])),
            Scope::new(InstallationId(1), PROPOSING, Some(&[a])),
            Scope::new(InstallationId(1), PROPOSING, Some(&[a, b])),
        ];
        let mut keys: Vec<TokenKey> = scopes.into_iter().map(key).collect();
        keys.push(TokenKey { host: "git.agency.gov".to_owned(), ..keys[0].clone() });
        keys.push(TokenKey { app: "Iv2".to_owned(), ..keys[0].clone() });
        for _ in 0..2 {
            for key in &keys {
                let mint = async {
                    minted.fetch_add(1, Ordering::SeqCst);
                    Ok(token(0))
                };
                tokens.get(key.clone(), at(0), mint).await.unwrap();
            }
        }
        assert_eq!(minted.load(Ordering::SeqCst), keys.len());
        let swapped = Scope::new(InstallationId(1), PROPOSING, Some(&[b, a, b]));
        let mint = async { unreachable!("the order of ids does not matter") };
        tokens.get(key(swapped), at(0), mint).await.unwrap();
    }

    #[tokio::test]
    async fn a_token_is_used_for_fifty_minutes_and_not_after_a_refusal() {
        let tokens = Tokens::default();
        let scope = || key(Scope::new(InstallationId(1), READING, None));
        let first = tokens.get(scope(), at(0), async { Ok(token(0)) }).await.unwrap();
        let same = tokens.get(scope(), at(49), async { unreachable!("still fresh") }).await.unwrap();
        assert!(Arc::ptr_eq(&same.mint, &first.mint));
        let second = tokens.get(scope(), at(50), async { Ok(token(50)) }).await.unwrap();
        assert!(!Arc::ptr_eq(&second.mint, &first.mint));
        tokens.forget(&scope(), &first).await;
        tokens.get(scope(), at(51), async { unreachable!("an older one was refused") }).await.unwrap();
        tokens.forget(&scope(), &second).await;
        let third = tokens.get(scope(), at(52), async { Ok(token(52)) }).await.unwrap();
        assert!(!Arc::ptr_eq(&third.mint, &second.mint));
        assert_eq!(tokens.drain().await.len(), 1);
        let short = Token::new(SecretString::from("x"), at(0), at(20));
        assert_eq!(short.fresh_until, at(15));
    }

    #[test]
    fn a_key_that_is_none_is_refused_with_its_place() {
        assert_eq!(App::new("1", []).err(), Some(KeyError::None));
        let bad =
            SecretString::from("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n");
        assert_eq!(App::new("1", [&bad]).err(), Some(KeyError::Form(1)));
    }
}
