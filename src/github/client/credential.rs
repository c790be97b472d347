//! The credentials a call is made with: the App's signature, a token minted
//! with it, or the plain token.

use std::sync::{PoisonError, atomic::Ordering};

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Access, Client, Kind, Who};
use crate::{
    domain::repository::InstallationId,
    github::{
        credentials::{App, Scope, Token, TokenKey},
        error::{Error, Result},
        needs::{self, Granted, Need},
        transport::Request,
    },
};

/// The credentials of one attempt.
pub(super) enum Credential {
    /// A JWT, which of the App's keys signed it, and by how much its dates
    /// differ from our clock.
    App(SecretString, usize, SignedDuration),
    /// A token of an installation.
    Installation(Token),
    /// The plain token.
    Plain(SecretString),
}

impl Credential {
    /// What goes into the header.
    pub(super) fn secret(&self) -> &SecretString {
        match self {
            Credential::App(jwt, _, _) => jwt,
            Credential::Installation(token) => &token.secret,
            Credential::Plain(token) => token,
        }
    }
}

/// What was tried after a 401.
#[derive(Debug, Default)]
pub(super) struct Renewals {
    /// Other keys, or another token.
    others: usize,
    /// The same key, dated by GitHub's clock.
    redated: bool,
}

impl Client {
    pub(super) async fn credential(&self, who: &Who) -> Result<Credential> {
        match (who, &self.access) {
            (Who::App, Access::App(app)) => {
                let key = self.key.load(Ordering::Relaxed);
                let ahead = self.correction().await?;
                Ok(Credential::App(app.jwt(key, self.clock.now() - ahead)?, key, ahead))
            }
            (Who::Installation(scope), Access::App(app)) => {
                let lacks = self.lacks(scope);
                if !lacks.is_empty() {
                    return Err(missing(&lacks));
                }
                let now = self.clock.now();
                let key = self.token_key(app, scope);
                Ok(Credential::Installation(self.tokens.get(key, now, self.mint(scope, now)).await?))
            }
            (Who::Token, Access::Token(token)) => Ok(Credential::Plain(token.clone())),
            (Who::App | Who::Installation(_), Access::Token(_)) => Err(Error::Permanent(
                "this needs the App's credentials: set its id and private key".to_owned(),
            )),
            (Who::Token, Access::App(_)) => {
                Err(Error::Permanent("this needs a plain token, and only the App is set up".to_owned()))
            }
        }
    }

    /// After a 401: whether other credentials are at hand.
    pub(super) async fn renew(&self, who: &Who, refused: &Credential, tried: &mut Renewals) -> bool {
        match (who, refused, &self.access) {
            (Who::App, Credential::App(_, key, dated), Access::App(app)) => {
                // The refusal told GitHub's time: the dates may be all that was wrong.
                if !tried.redated && self.skew().correction() != Ok(*dated) {
                    tried.redated = true;
                    return true;
                }
                // During a rotation GitHub knows one of the keys, not which.
                self.key.store((key + 1) % app.keys(), Ordering::Relaxed);
                tried.others += 1;
                tried.others < app.keys()
            }
            (Who::Installation(scope), Credential::Installation(token), Access::App(app)) => {
                self.tokens.forget(&self.token_key(app, scope), token).await;
                tried.others += 1;
                tried.others == 1
            }
            (Who::App | Who::Installation(_) | Who::Token, _, _) => false,
        }
    }

    /// Ends every token in memory; returns how many GitHub ended, and how many
    /// it did not (those end by themselves within the hour).
    pub(in crate::github) async fn revoke_all(&self) -> (usize, usize) {
        let (mut ended, mut left) = (0, 0);
        for token in self.tokens.drain().await {
            let request = Request {
                method: needs::REVOKE.method.clone(),
                uri: self.endpoints.rest(needs::REVOKE.template),
                token: Some(&token.secret),
                body: None,
                follows: false,
            };
            match self.transport.send(request).await {
                Ok(answer) if answer.status.is_success() => ended += 1,
                Ok(_) | Err(_) => left += 1,
            }
        }
        (ended, left)
    }

    /// Takes in what an installation grants.
    pub(in crate::github) fn note_granted(&self, installation: InstallationId, granted: Granted) {
        let mut known = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(installation, granted);
    }

    /// What an installation is known to grant.
    pub(in crate::github) fn granted(&self, installation: InstallationId) -> Option<Granted> {
        self.granted.lock().unwrap_or_else(PoisonError::into_inner).get(&installation).cloned()
    }

    /// What the installation is known not to grant of a scope.
    fn lacks(&self, scope: &Scope) -> Vec<Need> {
        let granted = self.granted(scope.installation);
        granted.map_or_else(Vec::new, |granted| granted.lacks(&scope.permissions))
    }

    fn token_key(&self, app: &App, scope: &Scope) -> TokenKey {
        TokenKey {
            host: self.endpoints.host().to_owned(),
            app: app.issuer().to_owned(),
            scope: scope.clone(),
        }
    }

    /// Mints a token. It shows to nobody and changes nothing, so it may be
    /// asked for again.
    async fn mint(&self, scope: &Scope, now: Timestamp) -> Result<Token> {
        #[derive(Deserialize)]
        struct Minted {
            token: String,
            expires_at: Timestamp,
        }
        let permissions: serde_json::Map<String, Value> = scope
            .permissions
            .iter()
            .map(|(permission, level)| (permission.as_str().to_owned(), level.as_str().into()))
            .collect();
        let mut body = json!({ "permissions": permissions });
        if let Some(ids) = &scope.repositories {
            body["repository_ids"] = ids.iter().map(|id| id.0).collect();
        }
        let id = scope.installation.to_string();
        // The App's own call is made by the same path, which has no end for the compiler.
        let answer: Result<Minted> =
            Box::pin(self.rest_json(&Who::App, &needs::MINT, &[&id], Some(&body), Kind::Read)).await;
        match answer {
            Ok(minted) => Ok(Token::new(SecretString::from(minted.token), now, minted.expires_at)),
            Err(Error::Refused { .. }) => Err(self.why_refused(scope).await),
            Err(error) => Err(error),
        }
    }

    /// Why GitHub refuses a token: more permissions were asked for than the
    /// account grants, which it is asked about, or a repository that is out of
    /// the installation's reach.
    async fn why_refused(&self, scope: &Scope) -> Error {
        let id = scope.installation.to_string();
        let installed: Result<Installed> =
            Box::pin(self.rest_json(&Who::App, &needs::INSTALLATION, &[&id], None, Kind::Read)).await;
        match installed {
            Ok(Installed { permissions }) => {
                self.note_granted(scope.installation, permissions);
                match self.lacks(scope) {
                    lacks if lacks.is_empty() => Error::NotFound(needs::MINT.to_string()),
                    lacks => missing(&lacks),
                }
            }
            Err(error) => error,
        }
    }
}

/// An installation, as far as its permissions go.
#[derive(Deserialize)]
struct Installed {
    #[serde(default)]
    permissions: Granted,
}

fn missing(lacks: &[Need]) -> Error {
    Error::Forbidden { route: needs::MINT.to_string(), needs: needs::shown(lacks) }
}
