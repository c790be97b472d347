//! Mutations: each checks the permission its REST sibling needs, calls the
//! same operation of the state, and answers its payload.

use apollo_compiler::response::{JsonMap, JsonValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::conversation::REACTIONS;
use super::resolve::{Context, Field, Found, Problem, Resolved, Thing};
use crate::git::Oid;
use crate::state::{
    CloseReason, CommitOnBranch, IssueChange, Level, Need, NewIssue, NewPullRequest, Node, Permission,
    RefUpdate, Refusal, RepositoryId, Subject,
};

const WRITE_CONTENTS: &[Need] = &[Need(Permission::Contents, Level::Write)];
const WRITE_ISSUES: &[Need] = &[Need(Permission::Issues, Level::Write)];
const WRITE_PULL_REQUESTS: &[Need] = &[Need(Permission::PullRequests, Level::Write)];
const WRITE_CONVERSATIONS: &[Need] =
    &[Need(Permission::Issues, Level::Write), Need(Permission::PullRequests, Level::Write)];

/// The input object of a mutation.
struct Input<'a>(&'a JsonMap);

impl<'a> Input<'a> {
    fn value(&self, name: &str) -> Option<&'a JsonValue> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.value(name).and_then(JsonValue::as_str)
    }

    /// A text the schema requires.
    fn required(&self, name: &str) -> &'a str {
        self.text(name).unwrap_or_default()
    }

    fn flag(&self, name: &str) -> bool {
        self.value(name).and_then(JsonValue::as_bool).unwrap_or_default()
    }

    fn object(&self, name: &str) -> Option<Input<'a>> {
        self.value(name).and_then(JsonValue::as_object).map(Input)
    }

    fn objects(&self, name: &str) -> Vec<Input<'a>> {
        let list = self.value(name).and_then(JsonValue::as_array);
        list.into_iter().flatten().filter_map(JsonValue::as_object).map(Input).collect()
    }

    fn oid(&self, name: &str) -> Result<Oid, Problem> {
        self.required(name).parse().map_err(|error| {
            Problem::new("UNPROCESSABLE", format!("Argument '{name}' has an invalid value: {error}"))
        })
    }
}

impl Context<'_> {
    pub(super) fn mutation(&self, field: &Field<'_>) -> Resolved {
        self.proceed()?;
        let empty = JsonMap::new();
        let input = field.arguments.get("input").and_then(JsonValue::as_object).unwrap_or(&empty);
        let input = Input(input);
        let (payload, mut fields) = match field.name {
            "createRef" => self.create_ref(&input)?,
            "updateRef" => self.update_ref(&input)?,
            "updateRefs" => self.update_refs(&input)?,
            "deleteRef" => {
                let (home, name) = self.reference_of(input.required("refId"))?;
                self.allow(home, WRITE_CONTENTS)?;
                self.state.borrow_mut().delete_ref(self.caller, home, &name)?;
                ("DeleteRefPayload", vec![])
            }
            "createCommitOnBranch" => self.create_commit_on_branch(&input)?,
            "createPullRequest" => self.create_pull_request(&input)?,
            "createIssue" => self.create_issue(&input)?,
            "updateIssue" => {
                let closed = input.text("state").map(|state| state == "CLOSED");
                self.change("UpdateIssuePayload", "issue", input.required("id"), &input, closed)?
            }
            "closeIssue" => {
                self.change("CloseIssuePayload", "issue", input.required("issueId"), &input, Some(true))?
            }
            "reopenIssue" => {
                self.change("ReopenIssuePayload", "issue", input.required("issueId"), &input, Some(false))?
            }
            "updatePullRequest" => {
                let closed = input.text("state").map(|state| state == "CLOSED");
                let id = input.required("pullRequestId");
                self.change("UpdatePullRequestPayload", "pullRequest", id, &input, closed)?
            }
            "closePullRequest" => {
                let id = input.required("pullRequestId");
                self.change("ClosePullRequestPayload", "pullRequest", id, &input, Some(true))?
            }
            "reopenPullRequest" => {
                let id = input.required("pullRequestId");
                self.change("ReopenPullRequestPayload", "pullRequest", id, &input, Some(false))?
            }
            "disablePullRequestAutoMerge" => {
                let (home, number) = self.writable_pull(&input)?;
                self.allow(home, WRITE_CONTENTS)?;
                self.state.borrow_mut().set_auto_merge(self.caller, home, number, false)?;
                let pull = Found::One(Thing::Conversation(home, number));
                ("DisablePullRequestAutoMergePayload", vec![("pullRequest", pull)])
            }
            "markPullRequestReadyForReview" => {
                let (home, number) = self.writable_pull(&input)?;
                self.state.borrow_mut().set_draft(self.caller, home, number, false)?;
                let pull = Found::One(Thing::Conversation(home, number));
                ("MarkPullRequestReadyForReviewPayload", vec![("pullRequest", pull)])
            }
            "addComment" => self.add_comment(&input)?,
            "addLabelsToLabelable" => self.label_labelable("AddLabelsToLabelablePayload", &input, true)?,
            "removeLabelsFromLabelable" => {
                self.label_labelable("RemoveLabelsFromLabelablePayload", &input, false)?
            }
            "addReaction" => self.add_reaction(&input)?,
            _ => return Err(field.unknown()),
        };
        fields.push(("clientMutationId", Found::leaf(input.text("clientMutationId"))));
        Ok(Found::One(Thing::Payload(payload, fields)))
    }

    fn home(&self, input: &Input<'_>) -> Result<RepositoryId, Problem> {
        let id = input.required("repositoryId");
        match self.node(id)? {
            Thing::Repository(home) => Ok(home),
            _ => Err(Problem::not_found(format!(
                "Could not resolve to Repository node with the global id of '{id}'."
            ))),
        }
    }

    fn create_ref(&self, input: &Input<'_>) -> Result<Payload, Problem> {
        let home = self.home(input)?;
        self.allow(home, WRITE_CONTENTS)?;
        let (name, oid) = (input.required("name"), input.oid("oid")?);
        if !name.starts_with("refs/") {
            let message = format!("{name} is not a valid ref name: it does not begin with 'refs/'.");
            return Err(Problem::new("UNPROCESSABLE", message));
        }
        if self.state.borrow().repository(home)?.references.contains_key(name) {
            let message = format!("A ref named \"{name}\" already exists in the repository.");
            return Err(Problem::new("UNPROCESSABLE", message));
        }
        self.state.borrow_mut().create_ref(self.caller, home, name, oid)?;
        Ok(("CreateRefPayload", vec![("ref", Found::One(Thing::Ref(home, name.to_owned())))]))
    }

    fn update_ref(&self, input: &Input<'_>) -> Result<Payload, Problem> {
        let (home, name) = self.reference_of(input.required("refId"))?;
        self.allow(home, WRITE_CONTENTS)?;
        let (oid, force) = (input.oid("oid")?, input.flag("force"));
        self.state.borrow_mut().update_ref(self.caller, home, &name, oid, force)?;
        Ok(("UpdateRefPayload", vec![("ref", Found::One(Thing::Ref(home, name)))]))
    }

    fn update_refs(&self, input: &Input<'_>) -> Result<Payload, Problem> {
        let home = self.home(input)?;
        self.allow(home, WRITE_CONTENTS)?;
        let updates = input.objects("refUpdates").into_iter().map(|update| {
            Ok(RefUpdate {
                name: update.required("name").to_owned(),
                before: update.text("beforeOid").map(|_| update.oid("beforeOid")).transpose()?,
                after: update.oid("afterOid")?,
                force: update.flag("force"),
            })
        });
        let updates = updates.collect::<Result<Vec<_>, Problem>>()?;
        self.state.borrow_mut().update_refs(self.caller, home, updates)?;
        Ok(("UpdateRefsPayload", vec![]))
    }

    fn create_commit_on_branch(&self, input: &Input<'_>) -> Result<Payload, Problem> {
        let nothing = JsonMap::new();
        let branch = input.object("branch").unwrap_or(Input(&nothing));
        let (home, name) = self.committable(&branch)?;
        self.allow(home, WRITE_CONTENTS)?;
        let short = name.strip_prefix("refs/heads/").unwrap_or(&name).to_owned();
        let changes = input.object("fileChanges").unwrap_or(Input(&nothing));
        let message = input.object("message").unwrap_or(Input(&nothing));
        let additions = changes.objects("additions").into_iter().map(|addition| {
            let path = addition.required("path").to_owned();
            let content = STANDARD.decode(addition.required("contents")).map_err(|_| {
                Problem::new("UNPROCESSABLE", format!("The contents of `{path}` are not valid Base64."))
            })?;
            Ok((path, Bytes::from(content)))
        });
        let deletions = changes.objects("deletions");
        let commit = CommitOnBranch {
            branch: short.clone(),
            expected_head: input.oid("expectedHeadOid")?,
            message: match message.text("body").filter(|body| !body.is_empty()) {
                Some(body) => format!("{}\n\n{body}", message.required("headline")),
                None => message.required("headline").to_owned(),
            },
            additions: additions.collect::<Result<_, Problem>>()?,
            deletions: deletions.iter().map(|deletion| deletion.required("path").to_owned()).collect(),
        };
        let made = self.state.borrow_mut().commit_on_branch(self.caller, home, commit)?;
        let fields = vec![
            ("commit", Found::One(Thing::Object(home, made))),
            ("ref", Found::One(Thing::Ref(home, format!("refs/heads/{short}")))),
        ];
        Ok(("CreateCommitOnBranchPayload", fields))
    }

    /// The repository and the full name of a branch to commit on.
    fn committable(&self, branch: &Input<'_>) -> Result<(RepositoryId, String), Problem> {
        if let Some(id) = branch.text("id") {
            return self.reference_of(id);
        }
        let (full_name, name) = (branch.required("repositoryNameWithOwner"), branch.required("branchName"));
        let (owner, repository) = full_name.split_once('/').unwrap_or((full_name, ""));
        let home = match self.state.borrow().find(self.caller, owner, repository) {
            Some(crate::state::Found::Here(home) | crate::state::Found::Moved(home)) => home,
            None => {
                return Err(Problem::not_found(format!(
                    "Could not resolve to a Repository with the name '{full_name}'."
                )));
            }
        };
        let qualified =
            if name.starts_with("refs/heads/") { name.to_owned() } else { format!("refs/heads/{name}") };
        if !self.state.borrow().repository(home)?.references.contains_key(&qualified) {
            let message = format!("No branch named '{name}' found on {full_name}.");
            return Err(Problem::not_found(message));
        }
        Ok((home, qualified))
    }

    fn create_pull_request(&self, input: &Input<'_>) -> Result<Payload, Problem> {
        let home = self.home(input)?;
        self.allow(home, WRITE_PULL_REQUESTS)?;
        let head = input.required("headRefName");
        let head = match input.text("headRepositoryId") {
            None => head.to_owned(),
            Some(id) => match self.node(id)? {
                Thing::Repository(fork) => {
                    let state = self.state.borrow();
                    format!("{}:{head}", state.login(state.repository(fork)?.owner))
                }
                _ => {
                    return Err(Problem::not_found(format!(
                        "Could not resolve to Repository node with the global id of '{id}'."
                    )));
                }
            },
        };
        let base = input.required("baseRefName");
        let new = NewPullRequest {
            title: input.required("title").to_owned(),
            body: input.text("body").map(str::to_owned),
            head: head.replace("refs/heads/", ""),
            base: base.strip_prefix("refs/heads/").unwrap_or(base).to_owned(),
            draft: input.flag("draft"),
            maintainer_can_modify: input.flag("maintainerCanModify"),
        };
        let number = self.state.borrow_mut().create_pull_request(self.caller, home, new)?;
        let pull = Found::One(Thing::Conversation(home, number));
        Ok(("CreatePullRequestPayload", vec![("pullRequest", pull)]))
    }

    fn create_issue(&self, input: &Input<'_>) -> Result<Payload, Problem> {
        let home = self.home(input)?;
        self.allow(home, WRITE_ISSUES)?;
        let new = NewIssue {
            title: input.required("title").to_owned(),
            body: input.text("body").map(str::to_owned),
            labels: self.label_names(home, input)?.unwrap_or_default(),
            assignees: Vec::new(),
        };
        let number = self.state.borrow_mut().create_issue(self.caller, home, new)?;
        Ok(("CreateIssuePayload", vec![("issue", Found::One(Thing::Conversation(home, number)))]))
    }

    /// The issue or pull request a node id names, with the permission to
    /// change it.
    fn writable(&self, id: &str) -> Result<(RepositoryId, u64, bool), Problem> {
        let Thing::Conversation(home, number) = self.node(id)? else {
            let message =
                format!("Could not resolve to Issue or PullRequest node with the global id of '{id}'.");
            return Err(Problem::not_found(message));
        };
        let pull = self.state.borrow().issue(home, number)?.pull_request.is_some();
        Ok((home, number, pull))
    }

    /// The pull request that `pullRequestId` names, with the permission to
    /// change it.
    fn writable_pull(&self, input: &Input<'_>) -> Result<(RepositoryId, u64), Problem> {
        let id = input.required("pullRequestId");
        let (home, number, pull) = self.writable(id)?;
        if !pull {
            let message = format!("Could not resolve to PullRequest node with the global id of '{id}'.");
            return Err(Problem::not_found(message));
        }
        self.allow(home, WRITE_PULL_REQUESTS)?;
        Ok((home, number))
    }

    fn change(
        &self,
        payload: &'static str,
        kind: &'static str,
        id: &str,
        input: &Input<'_>,
        closed: Option<bool>,
    ) -> Result<Payload, Problem> {
        let (home, number, pull) = self.writable(id)?;
        if pull != (kind == "pullRequest") {
            return Err(Problem::not_found(format!(
                "Could not resolve to {kind} node with the global id of '{id}'."
            )));
        }
        self.allow(home, if pull { WRITE_PULL_REQUESTS } else { WRITE_ISSUES })?;
        let reason = match input.text("stateReason") {
            Some("NOT_PLANNED") => Some(CloseReason::NotPlanned),
            Some("DUPLICATE") => Some(CloseReason::Duplicate),
            Some("COMPLETED") => Some(CloseReason::Completed),
            Some(_) | None => None,
        };
        let change = IssueChange {
            title: input.text("title").map(str::to_owned),
            body: input.text("body").map(|body| Some(body.to_owned())),
            closed,
            reason,
            labels: self.label_names(home, input)?,
            assignees: None,
        };
        self.state.borrow_mut().update_issue(self.caller, home, number, change)?;
        Ok((payload, vec![(kind, Found::One(Thing::Conversation(home, number)))]))
    }

    /// The names of the labels in `labelIds`; `None` when not given.
    fn label_names(&self, home: RepositoryId, input: &Input<'_>) -> Result<Option<Vec<String>>, Problem> {
        let Some(ids) = input.value("labelIds").and_then(JsonValue::as_array) else {
            return Ok(None);
        };
        let state = self.state.borrow();
        let labels = &state.repository(home)?.labels;
        let name = |id: &JsonValue| {
            let id = id.as_str().unwrap_or_default();
            let known = match Node::decode(id) {
                Some(Node::Label(of, label)) if of == home => labels.get(&label),
                Some(_) | None => None,
            };
            known.map(|label| label.name.clone()).ok_or_else(|| {
                Problem::not_found(format!("Could not resolve to Label node with the global id of '{id}'."))
            })
        };
        ids.iter().map(name).collect::<Result<_, _>>().map(Some)
    }

    fn add_comment(&self, input: &Input<'_>) -> Result<Payload, Problem> {
        let (home, number, _) = self.writable(input.required("subjectId"))?;
        self.allow(home, WRITE_CONVERSATIONS)?;
        let made =
            self.state.borrow_mut().create_comment(self.caller, home, number, input.required("body"))?;
        let fields = vec![
            ("commentEdge", Found::One(Thing::CommentEdge(home, made))),
            ("subject", Found::One(Thing::Conversation(home, number))),
        ];
        Ok(("AddCommentPayload", fields))
    }

    fn label_labelable(
        &self,
        payload: &'static str,
        input: &Input<'_>,
        add: bool,
    ) -> Result<Payload, Problem> {
        let (home, number, _) = self.writable(input.required("labelableId"))?;
        self.allow(home, WRITE_CONVERSATIONS)?;
        let names = self.label_names(home, input)?.unwrap_or_default();
        let mut state = self.state.borrow_mut();
        if add {
            state.add_labels(self.caller, home, number, &names)?;
        } else {
            for name in &names {
                match state.remove_label(self.caller, home, number, name) {
                    // Unlike its REST sibling, the mutation does not mind a label that is not there.
                    Ok(()) | Err(Refusal::NotFound) => {}
                    Err(refusal) => return Err(refusal.into()),
                }
            }
        }
        Ok((payload, vec![("labelable", Found::One(Thing::Conversation(home, number)))]))
    }

    fn add_reaction(&self, input: &Input<'_>) -> Result<Payload, Problem> {
        let id = input.required("subjectId");
        let thing = self.node(id)?;
        let (home, subject) = match &thing {
            Thing::Conversation(home, number) => (*home, Subject::Issue(*number)),
            Thing::Comment(home, comment) => (*home, Subject::Comment(*comment)),
            _ => {
                let message = format!("Could not resolve to Reactable node with the global id of '{id}'.");
                return Err(Problem::not_found(message));
            }
        };
        self.allow(home, WRITE_CONVERSATIONS)?;
        let content = input.required("content");
        let content = REACTIONS.iter().find(|(_, word)| *word == content).map_or("", |(rest, _)| rest);
        let (reaction, _) = self.state.borrow_mut().react(self.caller, home, subject, content)?;
        let fields =
            vec![("reaction", Found::One(Thing::Reaction(reaction))), ("subject", Found::One(thing))];
        Ok(("AddReactionPayload", fields))
    }
}

/// The type of a payload and its fields.
type Payload = (&'static str, Vec<(&'static str, Found)>);
