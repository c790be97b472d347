//! From a field of the schema to a value: what all object types share.

use std::cell::{Cell, RefCell};

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonMap;
use serde_json::{Value, json};

use super::connection::Page;
use super::measure::Measure;
use crate::git::{FileChange, Object, Oid, Signature, TreeEntry};
use crate::state::{
    AccountId, AccountKind, Caller, Level, Need, Node, Permission, Reaction, Refusal, RepositoryId, Review,
    State,
};

/// One request while it is being resolved.
pub(super) struct Context<'s> {
    pub(super) state: RefCell<&'s mut State>,
    pub(super) caller: &'s Caller,
    pub(super) measure: &'s Measure,
    /// How many fields of a mutation are still done, if it is to break off.
    left: Cell<Option<usize>>,
    /// Errors of list entries that are null: the executor would drop the list.
    partial: RefCell<Vec<Value>>,
}

/// An object of the schema, by its key in the state.
#[derive(Debug, Clone)]
pub(super) enum Thing {
    Query,
    Mutation,
    RateLimit,
    Account(AccountId),
    /// An account as author of a commit: a bot too is called a user there.
    CommitUser(AccountId),
    Repository(RepositoryId),
    /// By SPDX id.
    License(String),
    /// By name.
    Language(String),
    /// A topic as a repository has it.
    RepositoryTopic(RepositoryId, String),
    Topic(String),
    /// By full name.
    Ref(RepositoryId, String),
    Object(RepositoryId, Oid),
    /// With the path of its directory, empty or ending in a slash.
    TreeEntry(RepositoryId, String, TreeEntry),
    GitActor(Signature, Option<AccountId>),
    /// An issue or a pull request.
    Conversation(RepositoryId, u64),
    ChangedFile(FileChange),
    Comment(RepositoryId, u64),
    CommentEdge(RepositoryId, u64),
    Label(RepositoryId, u64),
    Reaction(Reaction),
    /// A commit of a pull request.
    Proposed(RepositoryId, Oid),
    /// A commit's signature: whether GitHub made it.
    Signature(bool),
    /// A wish to merge: since when, and whose.
    AutoMerge(jiff::Timestamp, AccountId),
    /// A review of a pull request of this repository.
    Review(RepositoryId, Review),
    Closed(RepositoryId, u64),
    /// By its place among the labels that were put on.
    Labeled(RepositoryId, u64, usize),
    Locked(RepositoryId, u64),
    Reopened(RepositoryId, u64),
    Connection(&'static str, Page),
    PageInfo(Page),
    Payload(&'static str, Vec<(&'static str, Found)>),
}

/// What a field resolved to.
#[derive(Debug, Clone)]
pub(super) enum Found {
    Leaf(Value),
    One(Thing),
    Many(Vec<Found>),
}

impl Found {
    pub(super) const NULL: Found = Found::Leaf(Value::Null);

    pub(super) fn leaf(value: impl Into<Value>) -> Self {
        Found::Leaf(value.into())
    }

    pub(super) fn maybe(thing: Option<Thing>) -> Self {
        thing.map_or(Found::NULL, Found::One)
    }

    pub(super) fn many(things: impl IntoIterator<Item = Thing>) -> Self {
        Found::Many(things.into_iter().map(Found::One).collect())
    }
}

/// An entry of `errors`.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    kind: Option<String>,
    message: String,
}

impl Problem {
    pub(super) fn new(kind: &str, message: impl Into<String>) -> Self {
        Self { kind: Some(kind.to_owned()), message: message.into() }
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new("NOT_FOUND", message)
    }

    /// GitHub could not finish; its words name no reason.
    pub(super) fn broke_off() -> Self {
        Self { kind: None, message: "Something went wrong while executing your query.".to_owned() }
    }

    pub(super) fn json(&self) -> Value {
        match &self.kind {
            Some(kind) => json!({ "type": kind, "message": self.message }),
            None => json!({ "message": self.message }),
        }
    }

    pub(super) fn from_message(message: &str) -> Self {
        match message.split_once('\u{1f}') {
            Some((kind, message)) => Self::new(kind, message),
            None => Self { kind: None, message: message.to_owned() },
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.graphql_type(), refusal.graphql_message())
    }
}

impl From<Problem> for FieldError {
    fn from(problem: Problem) -> Self {
        let Problem { kind, message } = problem;
        FieldError { message: kind.map_or(message.clone(), |kind| format!("{kind}\u{1f}{message}")) }
    }
}

pub(super) type Resolved = Result<Found, Problem>;

/// An object with the request it belongs to.
pub(super) struct Resolver<'c, 's> {
    pub(super) context: &'c Context<'s>,
    pub(super) thing: Thing,
    /// The type, fixed when the object was found.
    name: &'static str,
}

/// One field to resolve: its names, its arguments.
pub(super) struct Field<'a> {
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
    pub(super) response_key: &'a str,
    pub(super) arguments: &'a JsonMap,
}

impl Field<'_> {
    pub(super) fn text(&self, argument: &str) -> Option<&str> {
        self.arguments.get(argument).and_then(|value| value.as_str())
    }

    pub(super) fn number(&self, argument: &str) -> Option<u64> {
        self.arguments.get(argument).and_then(|value| value.as_u64())
    }

    pub(super) fn texts(&self, argument: &str) -> Option<Vec<String>> {
        let values = self.arguments.get(argument)?.as_array()?;
        Some(values.iter().filter_map(|value| value.as_str()).map(str::to_owned).collect())
    }

    /// The error of a field the schema has and no resolver knows.
    pub(super) fn unknown(&self) -> Problem {
        Problem {
            kind: None,
            message: format!("the sandbox has no resolver for {}.{}", self.kind, self.name),
        }
    }
}

pub(super) const READ_CONTENTS: &[Need] = &[Need(Permission::Contents, Level::Read)];
pub(super) const READ_ISSUES: &[Need] = &[Need(Permission::Issues, Level::Read)];
pub(super) const READ_PULL_REQUESTS: &[Need] = &[Need(Permission::PullRequests, Level::Read)];
pub(super) const READ_CONVERSATIONS: &[Need] =
    &[Need(Permission::Issues, Level::Read), Need(Permission::PullRequests, Level::Read)];

impl<'s> Context<'s> {
    pub(super) fn new(
        state: &'s mut State,
        caller: &'s Caller,
        measure: &'s Measure,
        cut: Option<usize>,
    ) -> Self {
        let (state, left) = (RefCell::new(state), Cell::new(cut));
        Self { state, caller, measure, left, partial: RefCell::default() }
    }

    /// Counts a field of a mutation that is about to be done.
    pub(super) fn proceed(&self) -> Result<(), Problem> {
        match self.left.get() {
            Some(0) => Err(Problem::broke_off()),
            Some(left) => {
                self.left.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub(super) fn root(&self, mutation: bool) -> Resolver<'_, 's> {
        self.resolver(if mutation { Thing::Mutation } else { Thing::Query })
    }

    pub(super) fn partial_errors(&self) -> Vec<Value> {
        self.partial.take()
    }

    /// Checks what a field needs beyond seeing the repository.
    pub(super) fn allow(&self, repository: RepositoryId, any_of: &[Need]) -> Result<(), Problem> {
        Ok(self.state.borrow().allow(self.caller, repository, any_of)?)
    }

    fn resolver(&self, thing: Thing) -> Resolver<'_, 's> {
        let name = self.type_name(&thing);
        Resolver { context: self, thing, name }
    }

    fn type_name(&self, thing: &Thing) -> &'static str {
        let state = self.state.borrow();
        match thing {
            Thing::Query => "Query",
            Thing::Mutation => "Mutation",
            Thing::RateLimit => "RateLimit",
            Thing::Account(id) => match state.account(*id).map(|account| &account.kind) {
                Some(AccountKind::Bot) => "Bot",
                Some(AccountKind::Organization(_)) => "Organization",
                Some(AccountKind::User | AccountKind::Enterprise) | None => "User",
            },
            Thing::CommitUser(_) => "User",
            Thing::Repository(_) => "Repository",
            Thing::License(_) => "License",
            Thing::Language(_) => "Language",
            Thing::RepositoryTopic(..) => "RepositoryTopic",
            Thing::Topic(_) => "Topic",
            Thing::Ref(..) => "Ref",
            Thing::Object(home, oid) => {
                let object = state.repository(*home).ok().and_then(|home| home.objects.get(*oid));
                match object {
                    Some(Object::Blob(_)) | None => "Blob",
                    Some(Object::Tree(_)) => "Tree",
                    Some(Object::Commit(_)) => "Commit",
                }
            }
            Thing::TreeEntry(..) => "TreeEntry",
            Thing::GitActor(..) => "GitActor",
            Thing::Conversation(home, number) => match state.issue(*home, *number) {
                Ok(issue) if issue.pull_request.is_some() => "PullRequest",
                Ok(_) | Err(_) => "Issue",
            },
            Thing::ChangedFile(_) => "PullRequestChangedFile",
            Thing::Comment(..) => "IssueComment",
            Thing::CommentEdge(..) => "IssueCommentEdge",
            Thing::Label(..) => "Label",
            Thing::Reaction(_) => "Reaction",
            Thing::Proposed(..) => "PullRequestCommit",
            Thing::Signature(_) => "GpgSignature",
            Thing::AutoMerge(..) => "AutoMergeRequest",
            Thing::Review(..) => "PullRequestReview",
            Thing::Closed(..) => "ClosedEvent",
            Thing::Labeled(..) => "LabeledEvent",
            Thing::Locked(..) => "LockedEvent",
            Thing::Reopened(..) => "ReopenedEvent",
            Thing::Connection(name, _) | Thing::Payload(name, _) => name,
            Thing::PageInfo(_) => "PageInfo",
        }
    }

    fn resolve(&self, thing: &Thing, field: &Field<'_>) -> Resolved {
        match thing {
            Thing::Query => self.query(field),
            Thing::Mutation => self.mutation(field),
            Thing::RateLimit => self.rate_limit(field),
            Thing::Account(id) | Thing::CommitUser(id) => self.account(*id, field),
            Thing::Repository(id) => self.repository(*id, field),
            Thing::License(spdx) => self.license(spdx, field),
            Thing::Language(name) => Self::language(name, field),
            Thing::RepositoryTopic(home, topic) => Self::repository_topic(*home, topic, field),
            Thing::Topic(name) => Self::topic(name, field),
            Thing::Ref(home, name) => self.reference(*home, name, field),
            Thing::Object(home, oid) => self.object(*home, *oid, field),
            Thing::TreeEntry(home, directory, entry) => self.tree_entry(*home, directory, entry, field),
            Thing::GitActor(signature, account) => self.git_actor(signature, *account, field),
            Thing::Conversation(home, number) => self.conversation(*home, *number, field),
            Thing::ChangedFile(change) => self.changed_file(change, field),
            Thing::Comment(home, id) => self.comment(*home, *id, field),
            Thing::CommentEdge(home, id) => match field.name {
                "cursor" => Ok(Found::leaf(Node::IssueComment(*home, *id).encode())),
                "node" => Ok(Found::One(Thing::Comment(*home, *id))),
                _ => Err(field.unknown()),
            },
            Thing::Label(home, id) => self.label(*home, *id, field),
            Thing::Reaction(reaction) => self.reaction(reaction, field),
            Thing::Proposed(home, oid) => match field.name {
                "id" => Ok(Found::leaf(format!("PURC_{home}_{oid}"))),
                "commit" => Ok(Found::One(Thing::Object(*home, *oid))),
                _ => Err(field.unknown()),
            },
            Thing::Signature(by_github) => match field.name {
                "isValid" | "wasSignedByGitHub" => Ok(Found::leaf(*by_github)),
                _ => Err(field.unknown()),
            },
            Thing::AutoMerge(at, by) => match field.name {
                "enabledAt" => Ok(time(*at)),
                "enabledBy" => Ok(self.actor(*by)),
                _ => Err(field.unknown()),
            },
            Thing::Review(home, review) => self.review(*home, review, field),
            Thing::Closed(home, number) => self.closed(*home, *number, field),
            Thing::Labeled(home, number, at) => self.labeled(*home, *number, *at, field),
            Thing::Locked(home, number) => self.locked(*home, *number, field),
            Thing::Reopened(home, number) => match field.name {
                "id" => Ok(Found::leaf(format!("RE_{home}_{number}"))),
                _ => Err(field.unknown()),
            },
            Thing::Connection(_, page) => page.connection(field),
            Thing::PageInfo(page) => page.info(field),
            Thing::Payload(_, fields) => fields
                .iter()
                .find(|(name, _)| *name == field.name)
                .map(|(_, found)| found.clone())
                .ok_or_else(|| field.unknown()),
        }
    }

    fn query(&self, field: &Field<'_>) -> Resolved {
        match field.name {
            "viewer" => Ok(Found::One(Thing::CommitUser(self.state.borrow().actor(self.caller)?))),
            "rateLimit" => {
                let budget = self.state.borrow().budget(self.caller, crate::state::Resource::Graphql);
                Ok(Found::maybe(budget.map(|_| Thing::RateLimit)))
            }
            "repository" => {
                let (owner, name) =
                    (field.text("owner").unwrap_or_default(), field.text("name").unwrap_or_default());
                self.find_repository(owner, name, field)
            }
            "organization" => {
                let login = field.text("login").unwrap_or_default();
                let state = self.state.borrow();
                let found = state.account_named(login).filter(|account| account.organization().is_some());
                found.map(|account| Found::One(Thing::Account(account.id))).ok_or_else(|| {
                    Problem::not_found(format!(
                        "Could not resolve to an Organization with the login of '{login}'."
                    ))
                })
            }
            "node" => self.node(field.text("id").unwrap_or_default()).map(Found::One),
            "nodes" => self.nodes(field),
            _ => Err(field.unknown()),
        }
    }

    fn nodes(&self, field: &Field<'_>) -> Resolved {
        let ids = field.texts("ids").unwrap_or_default();
        if ids.len() > 100 {
            let message = format!("You may not provide more than 100 node ids; you provided {}.", ids.len());
            return Err(Problem::new("ARGUMENT_LIMIT", message));
        }
        let found = ids.iter().enumerate().map(|(index, id)| {
            self.node(id).map(Found::One).unwrap_or_else(|problem| {
                let mut error = problem.json();
                error["path"] = json!([field.response_key, index]);
                self.partial.borrow_mut().push(error);
                Found::NULL
            })
        });
        Ok(Found::Many(found.collect()))
    }

    /// The object a global id names, if the caller may see it.
    pub(super) fn node(&self, id: &str) -> Result<Thing, Problem> {
        let gone = || Problem::not_found(format!("Could not resolve to a node with the global id of '{id}'"));
        let state = self.state.borrow();
        let in_repository = |home: RepositoryId, needs: &[Need], there: bool, thing: Thing| match state.allow(
            self.caller,
            home,
            needs,
        ) {
            Ok(()) if there => Ok(thing),
            Ok(()) | Err(Refusal::NotFound) => Err(gone()),
            Err(refusal) => Err(refusal.into()),
        };
        let home = |id: RepositoryId| state.repository(id).ok();
        match Node::decode(id).ok_or_else(gone)? {
            Node::User(id) | Node::Bot(id) | Node::Organization(id) => {
                state.account(id).map(|account| Thing::Account(account.id)).ok_or_else(gone)
            }
            Node::Repository(id) => in_repository(id, &[], true, Thing::Repository(id)),
            Node::Issue(id, number) | Node::PullRequest(id, number) => {
                let issue = state.issue(id, number).ok().filter(|issue| {
                    issue.pull_request.is_none() || home(id).is_some_and(|home| home.has_pull_requests)
                });
                let pull = issue.is_some_and(|issue| issue.pull_request.is_some());
                let needs = if pull { READ_PULL_REQUESTS } else { READ_ISSUES };
                in_repository(id, needs, issue.is_some(), Thing::Conversation(id, number))
            }
            Node::IssueComment(id, comment) => {
                let there = state.comment(id, comment).is_ok();
                in_repository(id, READ_CONVERSATIONS, there, Thing::Comment(id, comment))
            }
            Node::Label(id, label) => {
                let there = home(id).is_some_and(|home| home.labels.contains_key(&label));
                in_repository(id, READ_CONVERSATIONS, there, Thing::Label(id, label))
            }
            Node::Ref(id, name) => {
                let there = home(id).is_some_and(|home| home.references.contains_key(&name));
                in_repository(id, READ_CONTENTS, there, Thing::Ref(id, name))
            }
            Node::Object(id, oid) => {
                let there = home(id).is_some_and(|home| home.objects.get(oid).is_some());
                in_repository(id, READ_CONTENTS, there, Thing::Object(id, oid))
            }
            Node::App(_)
            | Node::Enterprise(_)
            | Node::Installation(_)
            | Node::Reaction(_)
            | Node::CheckSuite(..)
            | Node::CheckRun(..) => Err(gone()),
        }
    }

    fn rate_limit(&self, field: &Field<'_>) -> Resolved {
        let budget = self.state.borrow().budget(self.caller, crate::state::Resource::Graphql);
        let budget = budget.ok_or_else(|| field.unknown())?;
        Ok(match field.name {
            "cost" => Found::leaf(self.measure.cost),
            "nodeCount" => Found::leaf(self.measure.nodes),
            "limit" => Found::leaf(budget.limit),
            "used" => Found::leaf(budget.used),
            "remaining" => Found::leaf(budget.remaining()),
            "resetAt" => time(budget.reset),
            _ => return Err(field.unknown()),
        })
    }

    fn hand_out(&self, found: Found) -> ResolvedValue<'_> {
        match found {
            Found::Leaf(value) => ResolvedValue::leaf(value),
            Found::One(thing) => ResolvedValue::object(self.resolver(thing)),
            Found::Many(many) => ResolvedValue::list(many.into_iter().map(|one| self.hand_out(one))),
        }
    }
}

impl ObjectValue for Resolver<'_, '_> {
    fn type_name(&self) -> &str {
        self.name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let field = Field {
            kind: self.name,
            name: info.field_name(),
            response_key: info.field_selections()[0].response_key(),
            arguments: info.arguments(),
        };
        let found = self.context.resolve(&self.thing, &field)?;
        Ok(self.context.hand_out(found))
    }
}

/// A point in time, to the second.
pub(super) fn time(at: jiff::Timestamp) -> Found {
    Found::leaf(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
