//! A small GitHub for the tests of this crate's faces.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use crate::git::{Mode, Objects};
use crate::state::{
    AccountKind, Caller, FilePush, Flavor, Grant, Level, NewIssue, NewPullRequest, Node, Organization,
    Permission, Permissions, Repository, Role, State, Visibility,
};

/// The organization `agency` with the App installed on `site` and `empty`, not
/// on the private `secret`; alice may write, mallory is a stranger.
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) alice: Caller,
    pub(crate) app: Caller,
    pub(crate) site: u64,
    pub(crate) secret: u64,
}

pub(crate) const README: &str = "# Site\n\n- [ ] one\n- [x] two\n";

impl World {
    pub(crate) fn new() -> Self {
        let at = "2026-03-02T15:00:00Z".parse().expect("a time");
        let mut state = State::new(Arc::new(move || at), Flavor::DotCom, "tester");
        let alice = state.add_account("alice", AccountKind::User);
        state.add_account("mallory", AccountKind::User);
        let members = BTreeMap::from([(alice, false)]);
        let organization = Organization { members, base_role: Some(Role::Write), free: false };
        let agency = state.add_account("agency", AccountKind::Organization(organization));
        let site = add(&mut state, agency, "site", Visibility::Public);
        let empty = add(&mut state, agency, "empty", Visibility::Public);
        let secret = add(&mut state, agency, "secret", Visibility::Private);
        let permissions = [Permission::Contents, Permission::Issues, Permission::PullRequests];
        let permissions: Permissions = permissions.map(|permission| (permission, Level::Write)).into();
        let selected = BTreeSet::from([site, empty]);
        let installation = state.install(alice, agency, Some(selected), Some(permissions.clone()));
        let alice = Caller::Person(alice);
        let write = |text: &'static [u8]| FilePush::Write(Mode::File, Bytes::from_static(text));
        let files = vec![
            ("README.md".to_owned(), write(README.as_bytes())),
            ("docs/notes.txt".to_owned(), write(b"one\ntwo\n")),
            ("logo.png".to_owned(), write(b"\x89PNG\0\0")),
        ];
        state.push(&alice, site, "main", files, "Start\n\nWith files").expect("a first push");
        state.push(&alice, secret, "main", vec![("a".to_owned(), write(b"a"))], "Start").expect("a push");
        let change = vec![("docs/notes.txt".to_owned(), write(b"one\n2\n"))];
        state.push(&alice, site, "topic/notes", change, "Count").expect("a branch");
        let label = vec!["bug".to_owned()];
        let issue = NewIssue {
            title: "Broken".into(),
            body: Some(README.into()),
            labels: label,
            ..NewIssue::default()
        };
        state.create_issue(&alice, site, issue).expect("an issue");
        let pull = NewPullRequest {
            title: "Count in digits".into(),
            body: None,
            head: "topic/notes".into(),
            base: "main".into(),
            draft: false,
            maintainer_can_modify: true,
        };
        state.create_pull_request(&alice, site, pull).expect("a pull request");
        state.create_comment(&alice, site, 1, "It *is*.").expect("a comment");
        let app = Caller::Installation(Grant { installation, permissions, repositories: None });
        Self { state, alice, app, site, secret }
    }

    /// The node id of issue or pull request `number` of the site.
    pub(crate) fn node(&self, number: u64) -> String {
        let issue = self.state.issue(self.site, number).expect("there");
        match issue.pull_request {
            Some(_) => Node::PullRequest(self.site, number).encode(),
            None => Node::Issue(self.site, number).encode(),
        }
    }
}

fn add(state: &mut State, owner: u64, name: &str, visibility: Visibility) -> u64 {
    let (id, now) = (state.next_id(), state.now());
    let repository = Repository {
        id,
        owner,
        name: name.to_owned(),
        description: Some(format!("The {name}")),
        homepage: None,
        topics: Vec::new(),
        custom_properties: BTreeMap::new(),
        visibility,
        archived: false,
        disabled: false,
        fork_of: None,
        mirror_url: None,
        is_template: false,
        template: None,
        default_branch: "main".to_owned(),
        has_issues: true,
        has_pull_requests: true,
        languages: BTreeMap::new(),
        license: Some("CC0-1.0".to_owned()),
        created_at: now,
        updated_at: now,
        pushed_at: now,
        objects: Objects::default(),
        references: BTreeMap::new(),
        issues: BTreeMap::new(),
        comments: BTreeMap::new(),
        labels: BTreeMap::new(),
        check_suites: BTreeMap::new(),
        check_runs: BTreeMap::new(),
        rulesets: Vec::new(),
        collaborators: BTreeMap::new(),
        former_names: Vec::new(),
        traffic: BTreeMap::new(),
    };
    state.repositories.insert(id, repository);
    id
}
