use apollo_compiler::schema::ExtendedType;
use serde_json::{Value, json};

use super::*;
use crate::state::{Node, Permission};
use crate::world::World;

fn ask(world: &mut World, query: &str, variables: Value) -> Value {
    let request = Request::parse(&json!({ "query": query, "variables": variables }))
        .unwrap_or_else(|invalid| panic!("{}", invalid.message));
    let caller = world.app.clone();
    request.execute(&mut world.state, &caller).body
}

fn errors(body: &Value) -> Vec<String> {
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    let line = |error: &Value| {
        let path: Vec<String> =
            error["path"].as_array().into_iter().flatten().map(ToString::to_string).collect();
        format!(
            "{} {} {}",
            path.join("/"),
            error["type"].as_str().unwrap_or("-"),
            error["message"].as_str().unwrap_or("-")
        )
    };
    errors.iter().map(line).collect()
}

/// A selection of everything below a type, to a depth.
fn everything(name: &str, depth: usize) -> String {
    let definition = &SCHEMA.types[name];
    let fields: Vec<_> = match definition {
        ExtendedType::Object(object) => object.fields.values().collect(),
        ExtendedType::Interface(interface) => interface.fields.values().collect(),
        _ => Vec::new(),
    };
    let mut out = String::from("__typename ");
    for field in fields {
        // One alias a type, since types give one name different types.
        let alias = format!("{}_{}", name, field.name);
        let required: Vec<String> = field
            .arguments
            .iter()
            .filter_map(|argument| {
                let value = match (field.name.as_str(), argument.name.as_str()) {
                    (_, "first") => "2",
                    ("object", "expression") => "\"HEAD:README.md\"",
                    (_, "refPrefix") => "\"refs/heads/\"",
                    ("file", "path") => "\"docs/notes.txt\"",
                    ("ref", _) => "\"main\"",
                    ("label", _) => "\"bug\"",
                    ("issue" | "issueOrPullRequest", "number") => "1",
                    ("pullRequest", "number") => "2",
                    ("repository", "name") => "\"site\"",
                    ("repository", "owner") | ("organization", "login") => "\"agency\"",
                    _ if argument.is_required() => {
                        panic!("no value for {name}.{}({})", field.name, argument.name)
                    }
                    _ => return None,
                };
                Some(format!("{}: {value}", argument.name))
            })
            .collect();
        let arguments =
            if required.is_empty() { String::new() } else { format!("({})", required.join(", ")) };
        let inner = field.ty.inner_named_type();
        let leaf = matches!(SCHEMA.types[inner], ExtendedType::Scalar(_) | ExtendedType::Enum(_));
        if leaf {
            out += &format!("{alias}: {}{arguments} ", field.name);
        } else if depth > 0 {
            out += &format!("{alias}: {}{arguments} {{ {} }} ", field.name, everything(inner, depth - 1));
        }
    }
    let members: Vec<_> = match definition {
        ExtendedType::Union(union) => union.members.iter().map(|member| member.name.to_string()).collect(),
        ExtendedType::Interface(_) => SCHEMA
            .implementers_map()
            .get(name)
            .into_iter()
            .flat_map(|implementers| implementers.objects.iter().map(ToString::to_string))
            .collect(),
        _ => Vec::new(),
    };
    for member in members {
        out += &format!("... on {member} {{ {} }} ", everything(&member, depth.saturating_sub(1)));
    }
    out
}

#[test]
fn every_field_of_every_type_has_a_resolver() {
    let mut world = World::new();
    world
        .state
        .update_issue(
            &world.alice.clone(),
            world.site,
            1,
            crate::state::IssueChange { closed: Some(true), ..Default::default() },
        )
        .unwrap();
    world.state.react(&world.alice.clone(), world.site, crate::state::Subject::Issue(1), "heart").unwrap();
    world.state.set_lock(&world.alice.clone(), world.site, 2, Some(None)).unwrap();
    world.state.set_auto_merge(&world.alice.clone(), world.site, 2, true).unwrap();
    world.state.review(&world.alice.clone(), world.site, 2, crate::state::ReviewVerdict::Commented).unwrap();
    let site = world.state.repository_mut(world.site).unwrap();
    site.topics.push("birds".to_owned());
    site.languages.insert("Rust".to_owned(), 100);
    let topic = world.state.repository(world.site).unwrap().branch("topic/notes").unwrap();
    let signed = crate::state::CommitOnBranch {
        branch: "topic/notes".into(),
        expected_head: topic,
        message: "Signed".into(),
        additions: vec![("signed".into(), "x".into())],
        deletions: Vec::new(),
    };
    let signed = world.state.commit_on_branch(&world.app.clone(), world.site, signed).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    let main = world.state.repository(world.site).unwrap().head().unwrap();
    let tree = world.state.repository(world.site).unwrap().objects.commit(main).unwrap().tree;
    let comment = world.state.repository(world.site).unwrap().comments_of(1).next().unwrap().id;
    let ids = [
        Node::Object(world.site, main).encode(),
        Node::Object(world.site, tree).encode(),
        Node::Object(world.site, signed).encode(),
        world.node(1),
        world.node(2),
        Node::IssueComment(world.site, comment).encode(),
        Node::Bot(world.state.app().bot).encode(),
        Node::Repository(world.site).encode(),
    ];
    let nodes = format!("query($ids: [ID!]!) {{ nodes(ids: $ids) {{ {} }} }}", everything("Node", 3));
    let roots = format!(
        "{{ viewer {{ {} }} rateLimit {{ {} }} organization(login: \"agency\") {{ {} }} \
         repository(owner: \"agency\", name: \"site\") {{ {} }} }}",
        everything("User", 1),
        everything("RateLimit", 0),
        everything("Organization", 2),
        everything("Repository", 2),
    );
    // Deeper than the others go.
    let topics = "{ repository(owner: \"agency\", name: \"site\") { repositoryTopics(first: 1) \
        { nodes { topic { __typename id name } } } } }";
    let all = [(nodes, json!({ "ids": ids })), (roots, json!({})), (topics.to_owned(), json!({}))];
    for (query, variables) in all {
        let body = ask(&mut world, &query, variables);
        let bad: Vec<String> = errors(&body).into_iter().filter(|line| !line.contains("NOT_FOUND")).collect();
        assert!(bad.is_empty(), "{}", bad.join("\n"));
        collect(&body, &mut seen);
    }
    let objects = SCHEMA.types.iter().filter(|(name, kind)| kind.is_object() && !name.starts_with("__"));
    let missing: Vec<&str> = objects
        .map(|(name, _)| name.as_str())
        .filter(|name| !seen.contains(*name) && !name.ends_with("Payload") && !name.ends_with("Edge"))
        .filter(|name| !["Query", "Mutation", "ReopenedEvent"].contains(name))
        .collect();
    assert_eq!(missing, [""; 0], "types no answer held");
}

fn collect(value: &Value, into: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(name) = map.get("__typename").and_then(Value::as_str) {
                into.insert(name.to_owned());
            }
            map.values().for_each(|value| collect(value, into));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, into)),
        _ => {}
    }
}

#[test]
fn what_is_not_in_the_schema_is_refused_before_anything_runs() {
    for (body, expected) in [
        (json!({ "query": "{ viewer { shoeSize } }" }), "shoeSize"),
        (json!({ "query": "{ node(id: 1, deep: true) { id } }" }), "deep"),
        (json!({ "query": "{ viewer {" }), "expected"),
        (json!({ "query": "query($a: ID!) { node(id: $a) { id } }" }), "a"),
        (json!({ "query": "{ viewer { login } }", "variables": { "b": 1 } }), "$b"),
        (json!({ "query": "{ viewer { login } }", "deep": 1 }), "deep"),
        (json!({ "variables": {} }), "query"),
    ] {
        let invalid = Request::parse(&body).err().unwrap_or_else(|| panic!("{body} passed"));
        assert!(invalid.message.contains(expected), "{body}: {}", invalid.message);
        assert!(invalid.body["errors"][0]["message"].is_string() && invalid.body.get("data").is_none());
    }
}

#[test]
fn what_is_not_seen_is_not_found_and_nodes_answers_null_beside_errors() {
    let mut world = World::new();
    let body = ask(&mut world, "{ repository(owner: \"agency\", name: \"secret\") { id } }", json!({}));
    assert_eq!(body["data"], json!({ "repository": null }));
    assert_eq!(
        errors(&body),
        ["\"repository\" NOT_FOUND Could not resolve to a Repository with the name 'agency/secret'."]
    );
    let ids = json!([Node::Repository(world.secret).encode(), world.node(1), "nonsense"]);
    let body = ask(
        &mut world,
        "query($ids: [ID!]!) { known: nodes(ids: $ids) { __typename } }",
        json!({ "ids": ids }),
    );
    assert_eq!(body["data"], json!({ "known": [null, { "__typename": "Issue" }, null] }));
    assert_eq!(errors(&body).len(), 2);
    assert_eq!(body["errors"][1]["path"], json!(["known", 2]));
    assert_eq!(body["errors"][1]["type"], "NOT_FOUND");
}

#[test]
fn lists_want_a_size_of_at_most_a_hundred_and_page_by_cursor() {
    let mut world = World::new();
    for number in 0..4 {
        let issue = crate::state::NewIssue { title: format!("i{number}"), ..Default::default() };
        world.state.create_issue(&world.alice.clone(), world.site, issue).unwrap();
    }
    let query = |arguments: &str| {
        format!(
            "{{ repository(owner: \"agency\", name: \"site\") {{ issues({arguments}) {{ totalCount nodes {{ title }} pageInfo {{ hasNextPage endCursor }} }} }} }}"
        )
    };
    for (arguments, kind) in
        [("states: [OPEN]", "MISSING_PAGINATION_BOUNDARIES"), ("first: 101", "EXCESSIVE_PAGINATION")]
    {
        let body = ask(&mut world, &query(arguments), json!({}));
        assert_eq!(body["data"], json!({ "repository": null }), "{arguments}");
        assert_eq!(body["errors"][0]["type"], kind);
    }
    let mut titles = Vec::new();
    let mut after = String::new();
    loop {
        let body = ask(&mut world, &query(&format!("first: 2{after}")), json!({}));
        let page = &body["data"]["repository"]["issues"];
        assert_eq!(page["totalCount"], 5);
        titles.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["title"].clone()));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = format!(", after: {}", page["pageInfo"]["endCursor"]);
    }
    assert_eq!(titles, ["Broken", "i0", "i1", "i2", "i3"]);
    let body = ask(&mut world, &query("last: 1, orderBy: {field: CREATED_AT, direction: DESC}"), json!({}));
    assert_eq!(body["data"]["repository"]["issues"]["nodes"], json!([{ "title": "Broken" }]));
}

#[test]
fn a_query_is_measured_and_its_points_are_charged() {
    let mut world = World::new();
    let query = "query Deep($n: Int!) { organization(login: \"agency\") { repositories(first: $n) { nodes { issues(first: 50) { nodes { labels(last: 10) { totalCount } } } } } } rateLimit { cost nodeCount used } }";
    let request = Request::parse(&json!({ "query": query, "variables": { "n": 100 } })).expect("valid");
    let measure = Measure {
        operation: Some("Deep".into()),
        mutation: false,
        fields: 2,
        nodes: 100 + 5_000 + 50_000,
        ids: Vec::new(),
        cost: 51,
    };
    assert_eq!(*request.measure(), measure);
    let caller = world.app.clone();
    let body = request.execute(&mut world.state, &caller).body;
    assert_eq!(body["data"]["rateLimit"], json!({ "cost": 51, "nodeCount": 55_100, "used": 51 }));
    let body = ask(
        &mut world,
        &query.replace("last: 10", "last: 100").replace("first: 50", "first: 100"),
        json!({ "n": 100 }),
    );
    assert_eq!(
        errors(&body),
        [
            " MAX_NODE_LIMIT_EXCEEDED This query requests up to 1010100 possible nodes which exceeds the maximum limit of 500000."
        ]
    );
}

#[test]
fn a_proposal_in_one_call_runs_field_after_field() {
    let mut world = World::new();
    let head = world.state.repository(world.site).unwrap().head().unwrap().to_string();
    let home = Node::Repository(world.site).encode();
    let query = "mutation($ref: CreateRefInput!, $commit: CreateCommitOnBranchInput!, $pull: CreatePullRequestInput!) {
        createRef(input: $ref) { ref { name prefix } }
        createCommitOnBranch(input: $commit) { commit { oid author { user { login } } } }
        createPullRequest(input: $pull) { pullRequest { number state author { __typename login } files(first: 5) { nodes { path changeType additions } } } } }";
    let variables = json!({
        "ref": { "repositoryId": home, "name": "refs/heads/bot/files", "oid": head },
        "commit": { "branch": { "repositoryNameWithOwner": "agency/site", "branchName": "bot/files" },
            "expectedHeadOid": head, "message": { "headline": "Add", "body": "why" },
            "fileChanges": { "additions": [{ "path": "CONTRIBUTING.md", "contents": "aGkK" }] } },
        "pull": { "repositoryId": home, "headRefName": "bot/files", "baseRefName": "main", "title": "Add", "body": "b" },
    });
    let body = ask(&mut world, query, variables.clone());
    assert_eq!(errors(&body), [""; 0]);
    assert_eq!(body["data"]["createRef"]["ref"], json!({ "name": "bot/files", "prefix": "refs/heads/" }));
    assert_eq!(body["data"]["createCommitOnBranch"]["commit"]["author"]["user"]["login"], "tester[bot]");
    assert_eq!(
        body["data"]["createPullRequest"]["pullRequest"],
        json!({
            "number": 3, "state": "OPEN", "author": { "__typename": "Bot", "login": "tester" },
            "files": { "nodes": [{ "path": "CONTRIBUTING.md", "changeType": "ADDED", "additions": 1 }] },
        })
    );
    let again = ask(&mut world, query, variables);
    assert_eq!(
        again["data"],
        json!({ "createRef": null, "createCommitOnBranch": null, "createPullRequest": null })
    );
    let kinds: Vec<&Value> = again["errors"].as_array().unwrap().iter().map(|error| &error["type"]).collect();
    assert_eq!(kinds, ["UNPROCESSABLE", "STALE_DATA", "UNPROCESSABLE"]);
    assert_eq!(
        again["errors"][0]["message"],
        "A ref named \"refs/heads/bot/files\" already exists in the repository."
    );
    assert_eq!(again["errors"][2]["path"], json!(["createPullRequest"]));
    assert!(
        again["errors"][2]["message"]
            .as_str()
            .unwrap()
            .contains("A pull request already exists for agency:bot/files.")
    );
}

#[test]
fn a_token_without_the_permission_is_told_so() {
    let mut world = World::new();
    let Caller::Installation(grant) = &mut world.app else { panic!("an installation") };
    grant.permissions.insert(Permission::Issues, crate::state::Level::Read);
    let id = world.node(1);
    let query = "mutation($id: ID!) { closeIssue(input: { issueId: $id }) { issue { id } } }";
    let body = ask(&mut world, query, json!({ "id": id }));
    assert_eq!(errors(&body), ["\"closeIssue\" FORBIDDEN Resource not accessible by integration"]);
    assert!(world.state.issue(world.site, 1).unwrap().is_open());
}

#[test]
fn texts_are_cut_at_the_limit_and_binary_files_have_none() {
    let mut world = World::new();
    world.state.text_limit = 4;
    let query = "{ repository(owner: \"agency\", name: \"site\") {
        readme: object(expression: \"HEAD:README.md\") { ... on Blob { text isTruncated isBinary byteSize } }
        logo: object(expression: \"main:logo.png\") { ... on Blob { text isTruncated isBinary } }
        none: object(expression: \"HEAD:LICENSE\") { oid }
        docs: object(expression: \"HEAD:docs\") { ... on Tree { entries { name mode type size path } } } }
        empty: repository(owner: \"agency\", name: \"empty\") { isEmpty defaultBranchRef { name } object(expression: \"HEAD:\") { oid } } }";
    let body = ask(&mut world, query, json!({}));
    assert_eq!(
        body["data"],
        json!({
            "repository": {
                "readme": { "text": "# Si", "isTruncated": true, "isBinary": false, "byteSize": 28 },
                "logo": { "text": null, "isTruncated": false, "isBinary": true },
                "none": null,
                "docs": { "entries": [{ "name": "notes.txt", "mode": 33188, "type": "blob", "size": 8, "path": "docs/notes.txt" }] },
            },
            "empty": { "isEmpty": true, "defaultBranchRef": null, "object": null },
        })
    );
}

#[test]
fn the_other_mutations_do_what_their_rest_siblings_do() {
    let mut world = World::new();
    let (issue, pull, home) = (world.node(1), world.node(2), Node::Repository(world.site).encode());
    let label = world.state.repository(world.site).unwrap().label_named("bug").unwrap().id;
    let label = Node::Label(world.site, label).encode();
    let branch = Node::Ref(world.site, "refs/heads/topic/notes".into()).encode();
    let head = world.state.repository(world.site).unwrap().head().unwrap();
    let query = "mutation($issue: ID!, $pull: ID!, $label: ID!, $home: ID!, $branch: ID!, $head: GitObjectID!) {
        addComment(input: { subjectId: $issue, body: \"c\", clientMutationId: \"k\" }) { clientMutationId commentEdge { cursor node { body } } subject { id } }
        addReaction(input: { subjectId: $issue, content: HEART }) { reaction { content user { login } } subject { id } }
        removeLabelsFromLabelable(input: { labelableId: $issue, labelIds: [$label] }) { labelable { labels(first: 1) { totalCount } } }
        addLabelsToLabelable(input: { labelableId: $pull, labelIds: [$label] }) { labelable { labels(first: 1) { totalCount } } }
        updateIssue(input: { id: $issue, title: \"T\", body: \"B\" }) { issue { title body } }
        closeIssue(input: { issueId: $issue, stateReason: NOT_PLANNED }) { issue { state stateReason timelineItems(last: 1) { nodes { ... on ClosedEvent { actor { login } stateReason } } } } }
        reopenIssue(input: { issueId: $issue }) { issue { state stateReason } }
        updatePullRequest(input: { pullRequestId: $pull, body: \"P\" }) { pullRequest { body } }
        closePullRequest(input: { pullRequestId: $pull }) { pullRequest { closed } }
        reopenPullRequest(input: { pullRequestId: $pull }) { pullRequest { closed } }
        createIssue(input: { repositoryId: $home, title: \"N\", labelIds: [$label] }) { issue { number labels(first: 1) { nodes { name } } } }
        updateRefs(input: { repositoryId: $home, refUpdates: [{ name: \"refs/heads/new\", afterOid: $head, beforeOid: \"0000000000000000000000000000000000000000\" }] }) { clientMutationId }
        updateRef(input: { refId: $branch, oid: $head, force: true }) { ref { target { oid } } }
        deleteRef(input: { refId: $branch }) { clientMutationId }
        closed: closePullRequest(input: { pullRequestId: $issue }) { clientMutationId } }";
    let variables = json!({ "issue": issue, "pull": pull, "label": label, "home": home, "branch": branch, "head": head.to_string() });
    let body = ask(&mut world, query, variables);
    assert_eq!(
        errors(&body),
        [format!(
            "\"closed\" NOT_FOUND Could not resolve to pullRequest node with the global id of '{issue}'."
        )]
    );
    let data = &body["data"];
    assert_eq!(data["addComment"]["commentEdge"]["node"]["body"], "c");
    assert_eq!(data["addComment"]["clientMutationId"], "k");
    assert_eq!(
        data["addReaction"]["reaction"],
        json!({ "content": "HEART", "user": { "login": "tester[bot]" } })
    );
    assert_eq!(data["removeLabelsFromLabelable"]["labelable"]["labels"]["totalCount"], 0);
    assert_eq!(data["addLabelsToLabelable"]["labelable"]["labels"]["totalCount"], 1);
    assert_eq!(data["updateIssue"]["issue"], json!({ "title": "T", "body": "B" }));
    let closed = json!({ "nodes": [{ "actor": { "login": "tester" }, "stateReason": "NOT_PLANNED" }] });
    assert_eq!(
        data["closeIssue"]["issue"],
        json!({ "state": "CLOSED", "stateReason": "NOT_PLANNED", "timelineItems": closed })
    );
    assert_eq!(data["reopenIssue"]["issue"], json!({ "state": "OPEN", "stateReason": "REOPENED" }));
    assert_eq!(data["closePullRequest"]["pullRequest"]["closed"], true);
    assert_eq!(data["reopenPullRequest"]["pullRequest"]["closed"], false);
    assert_eq!(data["createIssue"]["issue"]["labels"]["nodes"], json!([{ "name": "bug" }]));
    assert_eq!(data["updateRef"]["ref"]["target"]["oid"], head.to_string());
    let home = world.state.repository(world.site).unwrap();
    assert_eq!(home.branch("new"), Some(head));
    assert_eq!(home.branch("topic/notes"), None);
    assert!(!world.state.issue(world.site, 2).unwrap().is_open(), "its head reached its base");
}

#[test]
fn branches_are_moved_together_by_compare_and_swap_or_not_at_all() {
    let mut world = World::new();
    let home = Node::Repository(world.site).encode();
    let head = world.state.repository(world.site).unwrap().head().unwrap().to_string();
    let before = world.state.repository(world.site).unwrap().branch("topic/notes").unwrap().to_string();
    let zero = "0".repeat(40);
    let swap = |expected: &str| {
        json!({ "refs": { "repositoryId": home, "refUpdates": [
            { "name": "refs/heads/topic/notes", "beforeOid": expected, "afterOid": head, "force": true },
            { "name": "refs/heads/staging", "afterOid": zero },
        ] } })
    };
    let query = "mutation($refs: UpdateRefsInput!) { updateRefs(input: $refs) { clientMutationId } }";
    let create = json!({ "refs": { "repositoryId": home, "refUpdates": [
        { "name": "refs/heads/staging", "beforeOid": zero, "afterOid": head },
    ] } });
    assert_eq!(errors(&ask(&mut world, query, create)), [""; 0]);
    // Somebody was faster: neither branch moves.
    let stale = ask(&mut world, query, swap(&head));
    assert_eq!(stale["errors"][0]["type"], "STALE_DATA");
    let there = world.state.repository(world.site).unwrap();
    assert_eq!(there.branch("topic/notes").unwrap().to_string(), before);
    assert!(there.branch("staging").is_some());
    assert_eq!(errors(&ask(&mut world, query, swap(&before))), [""; 0]);
    let there = world.state.repository(world.site).unwrap();
    assert_eq!(there.branch("topic/notes").unwrap().to_string(), head);
    assert_eq!(there.branch("staging"), None);
}

#[test]
fn who_labeled_and_who_signed_is_told_and_a_wish_to_merge_can_be_taken_back() {
    let mut world = World::new();
    let (alice, pull) = (world.alice.clone(), world.node(2));
    world.state.add_labels(&alice, world.site, 2, &["hold".to_owned()]).unwrap();
    world.state.set_auto_merge(&alice, world.site, 2, true).unwrap();
    let query = "query($pull: ID!) { node(id: $pull) { ... on PullRequest {
        autoMergeRequest { enabledBy { login } }
        timelineItems(last: 5, itemTypes: [LABELED_EVENT]) { nodes { ... on LabeledEvent { actor { login } label { name } } } }
        commits(last: 5) { totalCount nodes { commit { author { user { login } } signature { wasSignedByGitHub } } } } } } }";
    let seen = ask(&mut world, query, json!({ "pull": pull }))["data"]["node"].clone();
    assert_eq!(seen["autoMergeRequest"]["enabledBy"]["login"], "alice");
    let labeled = json!([{ "actor": { "login": "alice" }, "label": { "name": "hold" } }]);
    assert_eq!(seen["timelineItems"]["nodes"], labeled);
    assert_eq!(seen["commits"]["nodes"][0]["commit"]["signature"], Value::Null);
    let disable = "mutation($pull: ID!) { disablePullRequestAutoMerge(input: { pullRequestId: $pull }) { pullRequest { autoMergeRequest { enabledAt } } } }";
    assert_eq!(errors(&ask(&mut world, disable, json!({ "pull": pull }))), [""; 0]);
    let twice = ask(&mut world, disable, json!({ "pull": pull }));
    assert_eq!(twice["errors"][0]["type"], "UNPROCESSABLE");
}

#[test]
fn an_issue_that_was_deleted_moved_or_converted_is_found_no_more() {
    for way in ["delete", "transfer", "convert"] {
        let mut world = World::new();
        let (alice, issue) = (world.alice.clone(), world.node(1));
        let admin = Caller::Person(world.state.app().owner);
        let agency = world.state.repository(world.site).unwrap().owner;
        let done = match way {
            "delete" => {
                let person = world.state.actor(&admin).unwrap();
                world
                    .state
                    .repository_mut(world.site)
                    .unwrap()
                    .collaborators
                    .insert(person, crate::state::Role::Admin);
                world.state.delete_issue(&admin, world.site, 1)
            }
            "transfer" => {
                let new = crate::build::repository("other");
                let other = world.state.plant(agency, new).unwrap();
                world.state.transfer_issue(&alice, world.site, 1, other).map(|number| assert_eq!(number, 1))
            }
            _ => world.state.convert_to_discussion(&alice, world.site, 1),
        };
        assert_eq!(done, Ok(()), "{way}");
        let body = ask(&mut world, "query($id: ID!) { node(id: $id) { id } }", json!({ "id": issue }));
        assert_eq!(body["errors"][0]["type"], "NOT_FOUND", "{way}");
        assert!(world.state.delete_issue(&admin, world.site, 2).is_err(), "a pull request stays");
    }
}
