//! Many repositories a call.
//!
//! Promises: (1) as many are asked for at once as GitHub answers
//! ([`PageSize`](crate::github::limits::PageSize)); (2) one that fails alone
//! is told as failed and does not stop the others; three in a row, with none
//! that came between, are GitHub's failure and not theirs; (3) from a part of
//! an answer nothing is concluded: those of which an error speaks are asked for
//! again, alone; (4) texts under names that are not foreseen are collected
//! until a call is full of them, or many wait for them, and those seen before are not read again.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    OurNames, Reader, Result, Wanted, answer,
    texts::{Missing, Wish},
};
use crate::{
    domain::{
        marker::Kind,
        observed::{Observed, PolicySource},
        repository::{Files, Inherited, Login, Repository, RepositoryId, RepositoryName},
    },
    github::{
        client,
        error::Error,
        graphql::{REPOSITORIES, SLOTS, STANDING, TEXTS_OF_MANY},
    },
};

/// The most ids in one list (GitHub GraphQL reference, `nodes`).
const MOST_IDS: usize = 100;
/// The bytes of text that one call may bring; GitHub's answers are bounded.
const MOST_TEXT: u64 = 4 * 1024 * 1024;
/// The most repositories that wait for texts: each is held with all its files.
const MOST_HELD: usize = 100;
/// Failures in a row, each of one repository alone, that are GitHub's.
const MOST_ALONE: u32 = 3;
/// How often one alone is asked for if only a part comes of it. An answer that
/// does not come at all is asked for again by the client itself.
const TRIES: u32 = 2;

/// A repository to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Its id.
    pub id: RepositoryId,
    /// GraphQL's global id.
    pub node_id: String,
    /// Its name when last seen.
    pub name: RepositoryName,
    /// GraphQL ids of what the ledger has in it.
    pub known: Vec<String>,
}

/// What the organization hands down, and its policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// Its community files.
    pub inherited: Inherited,
    /// Its policy file.
    pub policy: PolicySource,
}

/// A repository as read among many: facts, files, and what of ours is known
/// there. The lists of its issues and pull requests were not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// Its facts.
    pub repository: Repository,
    /// Its folders and texts.
    pub files: Files,
    /// Of items only those that were known; branches and the label as they are.
    pub observed: Observed,
    /// How many issues carry our label, and how many pull requests came from
    /// each branch of our names, in any state.
    pub traces: [(Kind, u64); 4],
}

/// What came of one that was asked for.
#[derive(Debug)]
pub struct Found {
    /// Its id.
    pub id: RepositoryId,
    /// When the call for it began: what it says may be older than later news.
    pub read_at: Timestamp,
    /// The organization at the time.
    pub home: Arc<Home>,
    /// The repository; [`Error::NotFound`] if it is gone or out of reach.
    pub outcome: Result<Glance>,
}

/// Reads repositories of one account, a few calls at a time.
pub struct Many {
    reader: Reader,
    owner: Login,
    names: OurNames,
    wanted: Wanted<'static>,
    asks: VecDeque<Ask>,
    /// Those that spoiled a call for others, and how often they did alone.
    alone: VecDeque<(Ask, u32)>,
    failed_alone: u32,
    /// Read but for some texts.
    held: VecDeque<Held>,
}

struct Held {
    read_at: Timestamp,
    home: Arc<Home>,
    glance: Glance,
    missing: Missing,
}

#[derive(Deserialize)]
struct Page {
    repositories: Vec<Value>,
    #[serde(default)]
    home: Option<Value>,
    #[serde(default)]
    known: Vec<Value>,
}

impl Reader {
    /// Reads many repositories of `owner`. [`Many::next`] brings them, a few at
    /// a time.
    #[must_use]
    pub fn many(
        &self,
        owner: Login,
        asks: impl IntoIterator<Item = Ask>,
        names: OurNames,
        wanted: Wanted<'static>,
    ) -> Many {
        Many {
            reader: self.clone(),
            owner,
            names,
            wanted,
            asks: asks.into_iter().collect(),
            alone: VecDeque::new(),
            failed_alone: 0,
            held: VecDeque::new(),
        }
    }

    /// What the organization hands down, and GitHub's stamp on each of these
    /// items: `None` for one that is gone. One call for each hundred.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn standing(
        &self,
        owner: &Login,
        items: &[String],
    ) -> Result<(Home, BTreeMap<String, Option<String>>)> {
        #[derive(Deserialize)]
        struct Standing {
            #[serde(default)]
            home: Option<Value>,
            known: Vec<Value>,
        }
        let mut home = None;
        let mut stamps = BTreeMap::new();
        let mut left = items;
        loop {
            let (some, rest) = left.split_at(left.len().min(MOST_IDS));
            left = rest;
            let variables = json!({ "owner": owner.as_str(), "known": some });
            let answer: Standing = self.query(&STANDING, &variables).await?;
            if answer.known.len() != some.len() {
                return Err(Error::Partial("GraphQL nodes".to_owned()));
            }
            if home.is_none() {
                home = Some(self.home(owner, answer.home).await?);
            }
            stamps.extend(some.iter().cloned().zip(answer.known.iter().map(answer::stamp)));
            if let (Some(home), true) = (&home, left.is_empty()) {
                return Ok((home.clone(), stamps));
            }
        }
    }

    async fn home(&self, owner: &Login, home: Option<Value>) -> Result<Home> {
        let answer = answer::Whole::of_home(home);
        let (inherited, policy) = answer.home();
        Ok(Home { inherited, policy: self.whole_policy(owner, policy, &answer).await? })
    }
}

impl Many {
    /// The next that are read, none if this call only brought others nearer;
    /// `None` when all have been told.
    ///
    /// # Errors
    /// [`Error`], if it is about all: a limit, a suspension, an outage.
    pub async fn next(&mut self) -> Result<Option<Vec<Found>>> {
        let full = self.held.len() >= MOST_HELD || self.next_texts().len() == SLOTS;
        let to_read = !self.asks.is_empty() || !self.alone.is_empty();
        if to_read && !full {
            self.read_page().await.map(Some)
        } else if !self.held.is_empty() {
            self.read_texts().await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// Those of the next call, in order, and how often they were asked for
    /// alone.
    fn take(&mut self) -> (Vec<Ask>, u32) {
        if let Some((ask, tries)) = self.alone.pop_front() {
            return (vec![ask], tries);
        }
        let size = self.reader.client.page_size(&self.reader.who);
        let mut taken = Vec::new();
        let mut ids = 0;
        while let Some(ask) = self.asks.pop_front() {
            ids += ask.known.len();
            if taken.len() == size || (ids > MOST_IDS && !taken.is_empty()) {
                self.asks.push_front(ask);
                break;
            }
            taken.push(ask);
        }
        (taken, 0)
    }

    async fn read_page(&mut self) -> Result<Vec<Found>> {
        let (asked, tries) = self.take();
        let single = asked.len() == 1;
        let read_at = self.reader.client.clock.now();
        let answer = self.ask(&asked).await;
        let whole = match &answer {
            Ok((_, failed)) => failed.values().all(|error| matches!(error, Error::NotFound(_))),
            Err(error) => !error.is_transient(),
        };
        self.reader.client.page_answered(&self.reader.who, asked.len(), whole);
        let (page, mut failed) = match answer {
            Ok(answer) => answer,
            Err(error) if error.is_transient() => return self.spoiled(asked, tries, read_at, error),
            Err(error) => return Err(error),
        };
        let home = Arc::new(self.reader.home(&self.owner, page.home).await?);
        let mut known = page.known.into_iter();
        let mut found = Vec::new();
        for (at, (ask, repository)) in asked.into_iter().zip(page.repositories).enumerate() {
            let items: Vec<Value> = known.by_ref().take(ask.known.len()).collect();
            let outcome = match failed.remove(&at) {
                Some(Error::NotFound(route)) => Err(Error::NotFound(route)),
                // Perhaps it was too much for one call, perhaps it is broken.
                Some(_) if !single || tries + 1 < TRIES => {
                    self.alone.push_back((ask, tries + u32::from(single)));
                    continue;
                }
                Some(error) => Err(error),
                None => self.glance(&ask, repository, items),
            };
            let id = ask.id;
            match outcome {
                Err(error) => {
                    if single && error.is_transient() {
                        self.count_alone(&error)?;
                    }
                    found.push(Found { id, read_at, home: Arc::clone(&home), outcome: Err(error) });
                }
                Ok((glance, missing)) => {
                    self.failed_alone = 0;
                    let home = Arc::clone(&home);
                    if missing.is_empty() {
                        found.push(Found { id, read_at, home, outcome: Ok(glance) });
                    } else {
                        self.held.push_back(Held { read_at, home, glance, missing });
                    }
                }
            }
        }
        Ok(found)
    }

    /// One call; what it says of each, and of which it says nothing.
    async fn ask(&self, asked: &[Ask]) -> Result<(Page, BTreeMap<usize, Error>)> {
        let known: Vec<&String> = asked.iter().flat_map(|ask| &ask.known).collect();
        let variables = json!({
            "owner": self.owner.as_str(),
            "ids": asked.iter().map(|ask| &ask.node_id).collect::<Vec<_>>(),
            "known": known,
            "prefix": format!("refs/heads/{}", self.names.prefix),
            "label": self.names.label,
            "files": self.names.files_branch,
            "license": self.names.license_branch,
            "codeJson": self.names.code_json_branch,
        });
        let kind = if asked.len() == 1 { client::Kind::Read } else { client::Kind::ReadOnce };
        let reader = &self.reader;
        let envelope = reader.client.graphql(&reader.who, &REPOSITORIES, &variables, kind).await?;
        let (page, failed): (Page, _) =
            envelope.elements(&REPOSITORIES, "repositories", &["home", "known"])?;
        if page.repositories.len() != asked.len() || page.known.len() != known.len() {
            return Err(Error::Partial("GraphQL nodes".to_owned()));
        }
        Ok((page, failed))
    }

    /// What to do about a call that brought nothing.
    fn spoiled(
        &mut self,
        mut asked: Vec<Ask>,
        tries: u32,
        read_at: Timestamp,
        error: Error,
    ) -> Result<Vec<Found>> {
        if asked.len() > 1 {
            asked.into_iter().rev().for_each(|ask| self.asks.push_front(ask));
            return Ok(Vec::new());
        }
        let Some(ask) = asked.pop() else { return Ok(Vec::new()) };
        if matches!(error, Error::Partial(_)) && tries + 1 < TRIES {
            self.alone.push_back((ask, tries + 1));
            return Ok(Vec::new());
        }
        self.count_alone(&error)?;
        // Of the organization this call said nothing either.
        let unread = || error.to_string();
        let home = Home { inherited: Inherited::Unread(unread()), policy: PolicySource::Unread(unread()) };
        Ok(vec![Found { id: ask.id, read_at, home: Arc::new(home), outcome: Err(error) }])
    }

    fn count_alone(&mut self, error: &Error) -> Result<()> {
        self.failed_alone += 1;
        if self.failed_alone >= MOST_ALONE { Err(error.clone()) } else { Ok(()) }
    }

    /// One repository of an answer, and the texts that did not come along.
    fn glance(&self, ask: &Ask, repository: Value, known: Vec<Value>) -> Result<(Glance, Missing)> {
        match repository["__typename"].as_str() {
            Some("Repository") => {}
            Some(_) => return Err(Error::NotFound("GraphQL nodes".to_owned())),
            None => return Err(Error::Partial("GraphQL nodes".to_owned())),
        }
        let traces = [
            (Kind::Tracking, "labelledCount"),
            (Kind::Files, "filesCount"),
            (Kind::License, "licenseCount"),
            (Kind::CodeJson, "codeJsonCount"),
        ];
        let count = |field: &str| repository[field]["totalCount"].as_u64().unwrap_or_default();
        let traces = traces.map(|(kind, field)| (kind, count(field)));
        let answer = answer::Whole::of_one(repository, known);
        let (facts, mut files, observed) = answer.repository(&ask.name, &self.names, &ask.known)?;
        if facts.id != ask.id || !facts.name.owner().same_as(&self.owner) {
            return Err(Error::StaleData("the repository has moved to another account".to_owned()));
        }
        let missing = self.reader.texts_at_hand(&answer.repository, &mut files, self.wanted);
        Ok((Glance { repository: facts, files, observed, traces }, missing))
    }

    /// One call for texts, each object once whoever has it; what is whole then.
    async fn read_texts(&mut self) -> Result<Vec<Found>> {
        let wishes = self.next_texts();
        if let Some(last) = wishes.last() {
            let mut variables = Map::new();
            for slot in 0..SLOTS {
                // Fewer than there are slots: the last one is asked for again.
                let (node_id, wish) = wishes.get(slot).unwrap_or(last);
                variables.insert(format!("r{slot}"), node_id.as_str().into());
                variables.insert(format!("o{slot}"), wish.oid.as_str().into());
            }
            let answer = self.ask_texts(&Value::Object(variables)).await?;
            for held in &mut self.held {
                for wish in std::mem::take(&mut held.missing.texts) {
                    match wishes.iter().position(|(_, asked)| asked.oid == wish.oid) {
                        Some(slot) => {
                            let object = &answer[format!("t{slot}")]["object"];
                            let files = &mut held.glance.files;
                            self.reader.take_text(&wish, object, files, &mut held.missing.bytes);
                        }
                        None => held.missing.texts.push(wish),
                    }
                }
            }
        }
        self.whole().await
    }

    /// The texts of the next call, each with a repository that has it.
    fn next_texts(&self) -> Vec<(String, Wish)> {
        let mut wishes: Vec<(String, Wish)> = Vec::new();
        let mut bytes = 0;
        for held in &self.held {
            for wish in &held.missing.texts {
                if wishes.iter().any(|(_, asked)| asked.oid == wish.oid) {
                    continue;
                }
                bytes += wish.size;
                if wishes.len() == SLOTS || (bytes > MOST_TEXT && !wishes.is_empty()) {
                    return wishes;
                }
                wishes.push((held.glance.repository.node_id.clone(), wish.clone()));
            }
        }
        wishes
    }

    /// Those that lack no text any more, with the bytes of what is no text to
    /// GitHub.
    async fn whole(&mut self) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for mut held in std::mem::take(&mut self.held) {
            if !held.missing.texts.is_empty() {
                self.held.push_back(held);
                continue;
            }
            let name = held.glance.repository.name.clone();
            for (path, oid) in held.missing.bytes {
                let text = self.reader.read_bytes(&name, &oid).await?;
                held.glance.files.texts.insert(path, text);
            }
            let (read_at, home, glance) = (held.read_at, held.home, held.glance);
            found.push(Found { id: glance.repository.id, read_at, home, outcome: Ok(glance) });
        }
        Ok(found)
    }

    /// The answer, or nothing where GitHub does not answer: the texts are then
    /// unread, which opens and closes nothing.
    async fn ask_texts(&self, variables: &Value) -> Result<Value> {
        let slots: Vec<String> = (0..SLOTS).map(|slot| format!("t{slot}")).collect();
        let optional: Vec<&str> = slots.iter().map(String::as_str).collect();
        let reader = &self.reader;
        let envelope =
            reader.client.graphql(&reader.who, &TEXTS_OF_MANY, variables, client::Kind::Read).await;
        match envelope.and_then(|envelope| envelope.data(&TEXTS_OF_MANY, &optional)) {
            Err(error) if error.is_transient() => Ok(Value::Null),
            other => other,
        }
    }
}
