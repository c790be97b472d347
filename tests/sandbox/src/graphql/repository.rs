//! Repositories and labels.

use super::account::word;
use super::conversation::state_word;
use super::resolve::{
    Context, Field, Found, Problem, READ_CONTENTS, READ_CONVERSATIONS, READ_ISSUES, READ_PULL_REQUESTS,
    Resolved, Thing, time,
};
use crate::git::Oid;
use crate::state::{Found as Where, Issue, Node, Refusal, Repository, RepositoryId, Visibility};

impl Context<'_> {
    pub(super) fn find_repository(&self, owner: &str, name: &str, field: &Field<'_>) -> Resolved {
        let follow = field.arguments.get("followRenames").and_then(|value| value.as_bool()).unwrap_or(true);
        match self.state.borrow().find(self.caller, owner, name) {
            Some(Where::Here(id)) => Ok(Found::One(Thing::Repository(id))),
            Some(Where::Moved(id)) if follow => Ok(Found::One(Thing::Repository(id))),
            Some(Where::Moved(_)) | None => Err(Problem::not_found(format!(
                "Could not resolve to a Repository with the name '{owner}/{name}'."
            ))),
        }
    }

    pub(super) fn repository(&self, id: RepositoryId, field: &Field<'_>) -> Resolved {
        let state = self.state.borrow();
        let home = state.repository(id)?;
        Ok(match field.name {
            "id" => Found::leaf(Node::Repository(id).encode()),
            "databaseId" => Found::leaf(id),
            "name" => Found::leaf(home.name.as_str()),
            "nameWithOwner" => Found::leaf(state.full_name(home)),
            "owner" => Found::One(Thing::Account(home.owner)),
            "url" => Found::leaf(format!("{}/{}", state.urls.web, state.full_name(home))),
            "description" => Found::leaf(home.description.clone()),
            "homepageUrl" => Found::leaf(home.homepage.clone()),
            "visibility" => Found::leaf(word(home.visibility)),
            "isPrivate" => Found::leaf(home.visibility != Visibility::Public),
            "isArchived" => Found::leaf(home.archived),
            "isDisabled" => Found::leaf(home.disabled),
            "isEmpty" => Found::leaf(home.is_empty()),
            "isFork" => Found::leaf(home.fork_of.is_some()),
            "isMirror" => Found::leaf(home.mirror_url.is_some()),
            "isTemplate" => Found::leaf(home.is_template),
            "hasIssuesEnabled" => Found::leaf(home.has_issues),
            "createdAt" => time(home.created_at),
            "updatedAt" => time(home.updated_at),
            "pushedAt" => time(home.pushed_at),
            "forkCount" => Found::leaf(state.forks_of(id)),
            "repositoryTopics" => {
                let topics = home.topics.iter().map(|topic| Thing::RepositoryTopic(id, topic.clone()));
                return self.page("RepositoryTopicConnection", topics.collect(), field);
            }
            "languages" => {
                let order = field.arguments.get("orderBy").and_then(|order| order.get("direction"));
                let mut languages: Vec<_> = home.languages.iter().collect();
                languages.sort_by_key(|(_, bytes)| **bytes);
                if order.and_then(|direction| direction.as_str()) == Some("DESC") {
                    languages.reverse();
                }
                let found = languages.into_iter().map(|(name, _)| Thing::Language(name.clone()));
                return self.page("LanguageConnection", found.collect(), field);
            }
            "licenseInfo" => Found::maybe(home.license.clone().map(Thing::License)),
            "parent" => {
                let parent = home.fork_of.and_then(|parent| state.repository(parent).ok());
                let parent = parent.filter(|parent| state.can_see(self.caller, parent));
                Found::maybe(parent.map(|parent| Thing::Repository(parent.id)))
            }
            "defaultBranchRef" => {
                self.allow(id, READ_CONTENTS)?;
                let name = format!("refs/heads/{}", home.default_branch);
                Found::maybe(home.references.contains_key(&name).then_some(Thing::Ref(id, name)))
            }
            "ref" => {
                self.allow(id, READ_CONTENTS)?;
                let wanted = field.text("qualifiedName").unwrap_or_default();
                let candidates =
                    [wanted.to_owned(), format!("refs/heads/{wanted}"), format!("refs/tags/{wanted}")];
                let found = candidates.into_iter().find(|name| home.references.contains_key(name));
                Found::maybe(found.map(|name| Thing::Ref(id, name)))
            }
            "refs" => {
                self.allow(id, READ_CONTENTS)?;
                let prefix = field.text("refPrefix").unwrap_or_default();
                let names = home.references.keys().filter(|name| name.starts_with(prefix));
                let found = names.map(|name| Thing::Ref(id, name.clone())).collect();
                return self.page("RefConnection", found, field);
            }
            "object" => {
                self.allow(id, READ_CONTENTS)?;
                let oid = match (field.text("oid"), field.text("expression")) {
                    (Some(oid), _) => oid.parse::<Oid>().ok(),
                    (None, Some(expression)) => revision(home, expression),
                    (None, None) => None,
                };
                let there = oid.filter(|oid| home.objects.get(*oid).is_some());
                Found::maybe(there.map(|oid| Thing::Object(id, oid)))
            }
            "label" => {
                self.allow(id, READ_CONVERSATIONS)?;
                let name = field.text("name").unwrap_or_default();
                Found::maybe(home.label_named(name).map(|label| Thing::Label(id, label.id)))
            }
            "labels" => {
                self.allow(id, READ_CONVERSATIONS)?;
                let found = home.labels.keys().map(|label| Thing::Label(id, *label)).collect();
                return self.page("LabelConnection", found, field);
            }
            "issue" | "pullRequest" | "issueOrPullRequest" => return self.by_number(home, field),
            "issues" | "pullRequests" => return self.conversations(home, field),
            _ => return Err(field.unknown()),
        })
    }

    fn by_number(&self, home: &Repository, field: &Field<'_>) -> Resolved {
        let number = field.number("number").unwrap_or_default();
        let issue = home.issues.get(&number);
        let wanted = issue.filter(|issue| match field.name {
            "issue" => issue.pull_request.is_none(),
            "pullRequest" => issue.pull_request.is_some() && home.has_pull_requests,
            _ => issue.pull_request.is_none() || home.has_pull_requests,
        });
        self.allow(
            home.id,
            match field.name {
                "issue" => READ_ISSUES,
                "pullRequest" => READ_PULL_REQUESTS,
                _ => READ_CONVERSATIONS,
            },
        )?;
        let kind = match field.name {
            "issue" => "an Issue",
            "pullRequest" => "a PullRequest",
            _ => "an issue or pull request",
        };
        match wanted {
            Some(issue) => Ok(Found::One(Thing::Conversation(home.id, issue.number))),
            None => {
                Err(Problem::not_found(format!("Could not resolve to {kind} with the number of {number}.")))
            }
        }
    }

    /// The connections `issues` and `pullRequests`, filtered and ordered.
    fn conversations(&self, home: &Repository, field: &Field<'_>) -> Resolved {
        let pulls = field.name == "pullRequests";
        self.allow(home.id, if pulls { READ_PULL_REQUESTS } else { READ_ISSUES })?;
        let state = self.state.borrow();
        let filter = field.arguments.get("filterBy").filter(|filter| !filter.is_null());
        let texts = |name: &str| {
            let listed = filter.and_then(|filter| filter.get(name)).and_then(|list| list.as_array())?;
            Some(listed.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect::<Vec<_>>())
        };
        let filtered = |name: &str| filter.and_then(|filter| filter.get(name)).and_then(|text| text.as_str());
        let states = field.texts("states").or_else(|| texts("states"));
        let labels = field.texts("labels").or_else(|| texts("labels"));
        let has_label = |issue: &Issue| {
            labels.as_ref().is_none_or(|wanted| {
                let names = issue.labels.iter().filter_map(|id| home.labels.get(id));
                names.clone().any(|label| wanted.iter().any(|name| name.eq_ignore_ascii_case(&label.name)))
            })
        };
        let branch = |argument: &str, of: fn(&Issue) -> Option<&str>| {
            let wanted = field.text(argument).map(str::to_owned);
            move |issue: &Issue| wanted.as_deref().is_none_or(|wanted| of(issue) == Some(wanted))
        };
        let head = branch("headRefName", |issue| issue.pull_request.as_ref().map(|p| p.head_branch.as_str()));
        let base = branch("baseRefName", |issue| issue.pull_request.as_ref().map(|p| p.base_branch.as_str()));
        let since = filtered("since").and_then(|since| since.parse::<jiff::Timestamp>().ok());
        let mut found: Vec<&Issue> = state
            .listed_issues(home.id)?
            .into_iter()
            .filter(|issue| issue.pull_request.is_some() == pulls && (!pulls || home.has_pull_requests))
            .filter(|issue| {
                states.as_ref().is_none_or(|states| states.iter().any(|state| state == state_word(issue)))
            })
            .filter(|issue| has_label(issue) && head(issue) && base(issue))
            .filter(|issue| since.is_none_or(|since| issue.updated_at >= since))
            .filter(|issue| {
                filtered("createdBy")
                    .is_none_or(|login| state.login(issue.author).eq_ignore_ascii_case(login))
            })
            .collect();
        let order = field.arguments.get("orderBy");
        let part = |name: &str| order.and_then(|order| order.get(name)).and_then(|part| part.as_str());
        match part("field") {
            Some("UPDATED_AT") => found.sort_by_key(|issue| (issue.updated_at, issue.number)),
            Some("COMMENTS") => found.sort_by_key(|issue| home.comments_of(issue.number).count()),
            Some(_) | None => found.sort_by_key(|issue| (issue.created_at, issue.number)),
        }
        if part("direction") == Some("DESC") {
            found.reverse();
        }
        let kind = if pulls { "PullRequestConnection" } else { "IssueConnection" };
        let found = found.into_iter().map(|issue| Thing::Conversation(home.id, issue.number)).collect();
        self.page(kind, found, field)
    }

    pub(super) fn license(&self, spdx: &str, field: &Field<'_>) -> Resolved {
        let unidentified = spdx == "NOASSERTION";
        let key = if unidentified { "other".to_owned() } else { spdx.to_lowercase() };
        Ok(match field.name {
            "id" => Found::leaf(format!("L_{key}")),
            "key" => Found::leaf(key),
            "name" => Found::leaf(if unidentified { "Other" } else { spdx }),
            "spdxId" => Found::leaf(spdx),
            _ => return Err(field.unknown()),
        })
    }

    pub(super) fn language(name: &str, field: &Field<'_>) -> Resolved {
        Ok(match field.name {
            "id" => Found::leaf(format!("LA_{name}")),
            "name" => Found::leaf(name),
            _ => return Err(field.unknown()),
        })
    }

    pub(super) fn repository_topic(id: RepositoryId, topic: &str, field: &Field<'_>) -> Resolved {
        Ok(match field.name {
            "id" => Found::leaf(format!("RT_{id}_{topic}")),
            "topic" => Found::One(Thing::Topic(topic.to_owned())),
            _ => return Err(field.unknown()),
        })
    }

    pub(super) fn topic(name: &str, field: &Field<'_>) -> Resolved {
        Ok(match field.name {
            "id" => Found::leaf(format!("T_{name}")),
            "name" => Found::leaf(name),
            _ => return Err(field.unknown()),
        })
    }

    pub(super) fn label(&self, id: RepositoryId, label: u64, field: &Field<'_>) -> Resolved {
        let state = self.state.borrow();
        let label = state.repository(id)?.labels.get(&label).ok_or(Refusal::NotFound)?;
        Ok(match field.name {
            "id" => Found::leaf(Node::Label(id, label.id).encode()),
            "name" => Found::leaf(label.name.as_str()),
            "color" => Found::leaf(label.color.as_str()),
            "description" => Found::leaf(label.description.clone()),
            "repository" => Found::One(Thing::Repository(id)),
            _ => return Err(field.unknown()),
        })
    }
}

/// The object a git revision names: `HEAD`, `branch`, `<oid>`, each alone or
/// with `:path`.
fn revision(home: &Repository, expression: &str) -> Option<Oid> {
    let Some((revision, path)) = expression.split_once(':') else {
        return home.resolve(expression);
    };
    let commit = home.objects.commit(home.resolve(revision)?)?;
    Some(home.objects.entry_at(commit.tree, path)?.oid)
}
