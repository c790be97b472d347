use serde_json::{Value, json};

use super::*;

const BOT: u64 = 900;
const BEFORE: &str = "1111111111111111111111111111111111111111";
const AFTER: &str = "2222222222222222222222222222222222222222";

/// The jobs as words: `inspect 7`, `sweep 3 policy`.
fn jobs(event: &str, changes: Value) -> String {
    let mut payload = json!({
        "installation": {"id": 3},
        "repository": {"id": 7, "full_name": "agency/site", "default_branch": "main"},
        "sender": {"id": 5, "login": "alice", "type": "User"},
    });
    for (key, value) in changes.as_object().unwrap() {
        payload[key] = value.clone();
    }
    let judged = BEFORE.parse().unwrap();
    let known = Known { judged: Some(&judged), bot: Some(AccountId(BOT)), branch_prefix: "muster/" };
    routed(event, &payload, known)
}

fn routed(event: &str, payload: &Value, known: Known<'_>) -> String {
    let event = Event::parse(event, payload.to_string().as_bytes()).unwrap();
    let shown = route(&event, known, Timestamp::UNIX_EPOCH).into_iter().map(|job| {
        // What is read of an installation is no job of that one.
        let of = if job.kind == JobKind::ReadInstallations { 0 } else { 3 };
        assert_eq!((job.installation, job.run_at), (of, Timestamp::UNIX_EPOCH));
        match job.kind {
            JobKind::InspectRepository => {
                assert_eq!(job.priority, Priority::Push);
                format!("inspect {}", job.subject)
            }
            JobKind::CheckPullRequests => format!("check {} {:?}", job.subject, job.priority),
            JobKind::SweepInstallation => format!("sweep {} {:?}", job.subject, job.priority),
            JobKind::ReadInstallations => {
                assert_eq!(job.priority, Priority::Push);
                format!("read {}", job.subject)
            }
            JobKind::ReadExemptions => {
                assert_eq!((job.subject, job.priority), (3, Priority::Policy));
                "exemptions".to_owned()
            }
            other => panic!("{other} is not for events"),
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[test]
fn one_row_for_each_event_and_action() {
    let ours = json!({"number": 1, "user": {"id": BOT, "type": "Bot"}});
    let alices = json!({"number": 2, "user": {"id": 5, "type": "User"}});
    let nobodys = json!({"number": 3, "user": null});
    let inspect = "inspect 7";
    let sweep = "sweep 3 Sweep";
    let read = "read 3";

    for action in
        ["created", "renamed", "transferred", "privatized", "publicized", "archived", "unarchived", "deleted"]
    {
        assert_eq!(jobs("repository", json!({"action": action})), inspect, "repository.{action}");
    }
    assert_eq!(jobs("public", json!({})), inspect);
    let moved = json!({"action": "edited", "changes": {"default_branch": {"from": "master"}}});
    assert_eq!(jobs("repository", moved), inspect);
    let described = json!({"action": "edited", "changes": {"description": {"from": "old"}}});
    assert_eq!(jobs("repository", described), "");

    for action in [
        "closed",
        "reopened",
        "deleted",
        "transferred",
        "edited",
        "labeled",
        "unlabeled",
        "locked",
        "unlocked",
    ] {
        let row = |item: &Value| jobs("issues", json!({"action": action, "issue": item}));
        assert_eq!(row(&ours), inspect, "issues.{action}");
        assert_eq!(row(&alices), "", "issues.{action}");
        assert_eq!(row(&nobodys), inspect, "issues.{action}");
    }
    for action in ["opened", "assigned", "pinned", "milestoned", "typed", "an_action_to_come"] {
        assert_eq!(jobs("issues", json!({"action": action, "issue": ours})), "", "issues.{action}");
    }

    for action in
        ["closed", "reopened", "edited", "labeled", "unlabeled", "locked", "unlocked", "synchronize"]
    {
        let row = |item: &Value| jobs("pull_request", json!({"action": action, "pull_request": item}));
        assert_eq!(row(&ours), inspect, "pull_request.{action}");
        assert_eq!(row(&alices), "", "pull_request.{action}");
        let mut on_our_branch = alices.clone();
        on_our_branch["head"] = json!({"ref": "muster/files"});
        assert_eq!(row(&on_our_branch), inspect, "pull_request.{action}");
    }
    for action in ["opened", "assigned", "review_requested", "an_action_to_come"] {
        assert_eq!(jobs("pull_request", json!({"action": action, "pull_request": ours})), "", "{action}");
    }

    for action in ["created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"] {
        assert_eq!(jobs("installation", json!({"action": action})), read, "installation.{action}");
    }
    for action in ["added", "removed"] {
        assert_eq!(jobs("installation_repositories", json!({"action": action})), sweep, "{action}");
    }
    assert_eq!(jobs("installation_target", json!({"action": "renamed"})), read);

    for event in ["ping", "meta", "github_app_authorization", "star", "an_event_to_come"] {
        for action in ["created", "deleted", "rerequested", "requested"] {
            assert_eq!(jobs(event, json!({"action": action})), "", "{event}.{action}");
        }
    }
    let comment = json!({"action": "created", "issue": ours, "comment": {"id": 1}});
    assert_eq!(jobs("issue_comment", comment), "");
}

#[test]
fn a_pull_request_to_the_default_branch_is_checked_at_each_head() {
    let event = |action: &str, base: &str, sender: u64| {
        json!({
            "action": action,
            "installation": {"id": 3},
            "repository": {"id": 7, "full_name": "agency/site", "default_branch": "main"},
            "sender": {"id": sender, "login": "alice", "type": "User"},
            "pull_request": {
                "number": 2, "node_id": "PR_2", "user": {"id": 5, "type": "User"},
                "head": {"ref": "topic", "sha": AFTER}, "base": {"ref": base, "sha": BEFORE},
            },
        })
    };
    let known = Known { judged: None, bot: Some(AccountId(BOT)), branch_prefix: "muster/" };
    let wish = |name: &str, payload: &Value| {
        let event = Event::parse(name, payload.to_string().as_bytes()).unwrap();
        let wish = check_wish(&event, known);
        let jobs = route(&event, known, Timestamp::UNIX_EPOCH);
        let checks = jobs.iter().filter(|job| job.kind == JobKind::CheckPullRequests).count();
        assert_eq!(checks, usize::from(wish.is_some()), "a wish has its job");
        wish.map(|wish| (wish.repository.0, wish.installation.0, wish.asked))
    };
    let head: ObjectId = AFTER.parse().unwrap();
    let asked = Asked::Head { pull_request: "PR_2".to_owned(), head: head.clone() };
    for action in ["opened", "reopened", "synchronize"] {
        let payload = event(action, "main", 5);
        assert_eq!(wish("pull_request", &payload), Some((7, 3, asked.clone())), "{action}");
        assert_eq!(routed("pull_request", &payload, known), "check 7 Push", "{action}");
        assert_eq!(wish("pull_request", &event(action, "release", 5)), None, "{action}");
        assert_eq!(wish("pull_request", &event(action, "main", BOT)), None, "{action}");
        assert!(listens("pull_request", Some(action)));
    }
    for action in ["edited", "closed", "labeled", "converted_to_draft"] {
        assert_eq!(wish("pull_request", &event(action, "main", 5)), None, "{action}");
    }
    let again = |what: &str, name: &str, action: &str| {
        let mut payload = event(action, "main", 5);
        payload[what] = json!({"head_sha": AFTER, "name": name});
        (wish(what, &payload), listens(what, Some(action)))
    };
    let asked = Some((7, 3, Asked::Again { head }));
    assert_eq!(again("check_run", check::NAME, "rerequested"), (asked.clone(), true));
    assert_eq!(again("check_suite", "", "rerequested"), (asked, true));
    assert_eq!(again("check_run", "lint", "rerequested").0, None, "another's");
    for action in ["created", "completed", "requested", "requested_action"] {
        assert_eq!(again("check_run", check::NAME, action), (None, false), "{action}");
        assert_eq!(again("check_suite", "", action), (None, false), "{action}");
    }
}

#[test]
fn a_push_costs_a_job_unless_it_tells_that_nothing_of_ours_changed() {
    let commit = |path: &str| json!({"added": [], "removed": [], "modified": [path]});
    let push = |changes: Value| {
        let mut payload = json!({
            "ref": "refs/heads/main", "before": BEFORE, "after": AFTER,
            "created": false, "deleted": false, "forced": false, "commits": [commit("src/lib.rs")],
        });
        for (key, value) in changes.as_object().unwrap() {
            payload[key] = value.clone();
        }
        jobs("push", payload)
    };
    assert_eq!(push(json!({})), "");
    assert_eq!(push(json!({"commits": [commit("src/lib.rs"), commit("LICENSE")]})), "inspect 7");
    for how in ["created", "deleted", "forced"] {
        assert_eq!(push(json!({how: true})), "inspect 7", "{how}");
    }
    assert_eq!(push(json!({"before": AFTER})), "inspect 7");
    assert_eq!(push(json!({"commits": vec![commit("src/lib.rs"); 2047]})), "");
    assert_eq!(push(json!({"commits": vec![commit("src/lib.rs"); 2048]})), "inspect 7");

    assert_eq!(push(json!({"commits": [{"modified": "of another shape"}]})), "inspect 7");

    let elsewhere = json!({"ref": "refs/heads/topic", "commits": [commit("LICENSE")]});
    assert_eq!(push(elsewhere), "");
    assert_eq!(push(json!({"ref": "refs/heads/muster/files"})), "inspect 7");
    assert_eq!(push(json!({"ref": "refs/tags/main", "commits": [commit("LICENSE")]})), "");

    let home = json!({"id": 8, "full_name": "agency/.github", "default_branch": "main"});
    let at_home = |path: &str| push(json!({"repository": home, "commits": [commit(path)]}));
    assert_eq!(at_home("scripts/build.sh"), "");
    for path in [".github/muster.yml", "CONTRIBUTING.md", "docs/CONTRIBUTING.md"] {
        assert_eq!(at_home(path), "inspect 8, sweep 3 Policy", "{path}");
    }
    let all = "inspect 8, sweep 3 Policy, exemptions";
    assert_eq!(at_home("muster-exemptions.yml"), all);
    assert_eq!(push(json!({"repository": home, "forced": true})), all);
    assert_eq!(push(json!({"commits": [commit("muster-exemptions.yml")]})), "inspect 7, exemptions");
    assert_eq!(push(json!({"commits": [commit("old/muster-exemptions.yml")]})), "");
    let control = json!({"id": 9, "full_name": "agency/.github-private", "default_branch": "main"});
    assert_eq!(push(json!({"repository": control, "forced": true})), "inspect 9, exemptions");
    let became_private = json!({"action": "privatized", "repository": home});
    assert_eq!(jobs("repository", became_private), "inspect 8, sweep 3 Policy");
}

#[test]
fn a_repository_not_judged_yet_is_inspected() {
    let payload = json!({
        "installation": {"id": 3}, "repository": {"id": 7, "default_branch": "main"},
        "ref": "refs/heads/main", "before": BEFORE, "after": AFTER, "commits": [],
    });
    let known = Known { judged: None, bot: None, branch_prefix: "" };
    assert_eq!(routed("push", &payload, known), "inspect 7");
}

#[test]
fn what_we_did_ourselves_wakes_nobody() {
    let us = json!({"id": BOT, "login": "muster[bot]", "type": "Bot"});
    let ours = json!({"number": 1, "user": us, "head": {"ref": "muster/files"}});
    for (event, action, expected) in [
        ("issues", "edited", ""),
        ("issues", "closed", ""),
        ("pull_request", "edited", ""),
        ("pull_request", "closed", "inspect 7"),
        ("repository", "edited", ""),
    ] {
        let payload = json!({"action": action, "issue": ours, "pull_request": ours, "sender": us});
        assert_eq!(jobs(event, payload), expected, "{event}.{action}");
    }
    let push = json!({"ref": "refs/heads/muster/files", "created": true, "sender": us});
    assert_eq!(jobs("push", push), "");
}

#[test]
fn an_event_without_installation_asks_for_nothing() {
    assert_eq!(jobs("public", json!({"installation": null})), "");
}

#[test]
fn what_nothing_can_come_of_need_not_be_fetched() {
    for (name, action, expected) in [
        ("push", None, true),
        ("public", None, true),
        ("repository", Some("edited"), true),
        ("issues", Some("closed"), true),
        ("issues", Some("assigned"), false),
        ("installation", Some("suspend"), true),
        ("installation_repositories", Some("removed"), true),
        ("check_suite", Some("requested"), false),
        ("ping", None, false),
        ("an_event_to_come", Some("created"), false),
    ] {
        assert_eq!(listens(name, action), expected, "{name} {action:?}");
    }
}

#[test]
fn paths_a_rule_may_read() {
    for path in [
        "LICENSE",
        "licence.txt",
        "LICENSE-MIT",
        "MIT-LICENSE",
        "COPYING.LESSER",
        "UNLICENSE",
        "LICENSES/MIT.txt",
        "docs/LICENSE.md",
        "README",
        "readme.org",
        "README.fr.md",
        "docs/readme.md",
        "Contributing.md",
        "docs/CONTRIBUTING.rst",
        "code.json",
        ".github/muster.yml",
        ".github/workflows/ci.yml",
        ".GitHub/README.md",
    ] {
        assert!(touches_ours(path), "{path}");
    }
    for path in [
        "src/lib.rs",
        "docs/guide.md",
        "src/README.md",
        "vendor/x/LICENSE",
        "data/code.json",
        "xcode.json",
        ".githubx/a",
        "licensesx/a",
        "how-to-contribute.md",
        "",
    ] {
        assert!(!touches_ours(path), "{path}");
    }
}

#[test]
fn an_answer_is_what_a_person_changed_in_the_text_of_a_pull_request_of_ours() {
    let place = |answer: &str| {
        format!(
            "Words.\r\n<!-- muster:ask /AIUseCaseID -->\r\n\r\n- AI use case:{answer}\r\n<!-- /muster:ask -->\r\n"
        )
    };
    let heard = |change: &dyn Fn(&mut Value)| {
        let mut payload = json!({
            "action": "edited",
            "installation": {"id": 3},
            "repository": {"id": 7, "full_name": "agency/site", "default_branch": "main"},
            "sender": {"id": 5, "login": "alice", "type": "User"},
            "pull_request": {
                "number": 1, "node_id": "PR_1", "user": {"id": BOT, "type": "Bot"}, "body": place(" 0"),
            },
            "changes": {"body": {"from": place("")}},
        });
        change(&mut payload);
        let known = Known { judged: None, bot: Some(AccountId(BOT)), branch_prefix: "muster/" };
        let event = Event::parse("pull_request", payload.to_string().as_bytes()).unwrap();
        let said = answers(&event, known, Timestamp::UNIX_EPOCH);
        said.iter()
            .map(|(id, said)| format!("{id} {} {}", said.actor, said.field.pointer()))
            .collect::<Vec<_>>()
    };
    assert_eq!(heard(&|_| {}), ["7 5 /AIUseCaseID"]);
    assert!(heard(&|event| event["action"] = "opened".into()).is_empty());
    assert!(heard(&|event| event["sender"]["type"] = "Bot".into()).is_empty(), "bots are no people");
    assert!(heard(&|event| event["sender"]["id"] = BOT.into()).is_empty(), "nor are we");
    assert!(heard(&|event| event["pull_request"]["user"]["id"] = 5.into()).is_empty(), "not ours");
    assert!(heard(&|event| event["changes"]["body"]["from"] = place(" 0").into()).is_empty(), "nothing new");
    assert!(heard(&|event| event["changes"] = json!({"title": {"from": "x"}})).is_empty());
    assert!(heard(&|event| event["pull_request"]["body"] = Value::Null).is_empty());
}

#[test]
fn a_push_to_a_control_repository_may_change_the_import() {
    let push = |name: &str, path: &str| {
        let payload = json!({
            "ref": "refs/heads/main", "before": BEFORE, "after": AFTER,
            "repository": {"id": 7, "full_name": name, "default_branch": "main"},
            "commits": [{"id": AFTER, "added": [path], "removed": [], "modified": []}],
        });
        jobs("push", payload)
    };
    assert_eq!(push("agency/.github-private", "inventory/outside.json"), "inspect 7, exemptions");
    assert_eq!(push("agency/decisions", "records/outside.json"), "inspect 7, exemptions");
    assert_eq!(push("agency/site", "inventory/outside.json"), "");
    assert_eq!(push("agency/.github-private", "notes.md"), "");
}
