//! Writes: sent once, at their pace, with a token for nothing else.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use axum::response::Response;
use code_json::check::Severity;
use http::Method;
use muster::{
    domain::outstanding::Start,
    domain::{
        check::{self, Annotation, Conclusion, Verdict, Watched},
        outgoing::{Line, PublicText},
        repository::{InstallationId, ObjectId, RepositoryId, Visibility},
    },
    github::{CheckRun, Error, GitHub, NewPullRequest, Pace, Refusal, Turn},
};
use serde_json::{Value, json};

use super::stand_in::*;

#[tokio::test]
async fn trap_3_a_write_whose_answer_is_lost_is_not_sent_again() {
    for (what, lose) in [
        ("502", (|| reply(502, json!({}))) as fn() -> Response),
        ("503", || reply(503, json!({}))),
        ("breaks off", broken),
        ("not JSON", || reply(201, json!("made"))),
    ] {
        let github = StandIn::start(move |seen, _| match seen.path.as_str() {
            "/repos/agency/site/issues" | "/graphql" => lose(),
            _ => nothing(),
        })
        .await;
        let app = github.with_app();
        let issue = writer(&app).create_issue(&Line::of("Title"), &text(), &[]).await;
        assert!(matches!(issue, Err(Error::Ambiguous(_))), "{what}: {issue:?}");
        assert_eq!(github.count(&Method::POST, "/repos/agency/site/issues"), 1, "{what}");
        let pull = writer(&app).propose(&proposal(&[])).await;
        assert!(matches!(pull, Err(Error::Ambiguous(_))), "{what}: {pull:?}");
        assert_eq!(github.count(&Method::POST, "/graphql"), 1, "{what}");
    }
}

#[tokio::test]
async fn each_kind_of_work_holds_its_own_token() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/repositories/1" => reply(200, listed(1)),
        "/repos/agency/site/issues" | "/repos/agency/site/check-runs" => reply(201, made()),
        "/graphql" => reply(
            200,
            json!({"data": {"createPullRequest": {"pullRequest": {"id": "PR_1", "number": 4, "url": "u"}}}}),
        ),
        _ => nothing(),
    })
    .await;
    let app = github.with_app();
    app.reader(ONE).repository_by_id(RepositoryId(1)).await.unwrap();
    writer(&app).create_issue(&Line::of("Title"), &text(), &[]).await.unwrap();
    let files = [("CONTRIBUTING.md".to_owned(), b"Hello".to_vec())];
    assert_eq!(writer(&app).propose(&proposal(&files)).await.unwrap().created.number, 4);
    writer(&app).create_check_run(&head(), "key", &verdict(text())).await.unwrap();
    let asked: Vec<Value> = github
        .seen()
        .into_iter()
        .filter(|seen| seen.path.starts_with("/app/"))
        .map(|seen| seen.body)
        .collect();
    assert_eq!(
        asked,
        [
            json!({"permissions": {"checks": "read", "contents": "read", "issues": "read",
                "metadata": "read", "pull_requests": "read"}}),
            json!({"permissions": {"issues": "write", "metadata": "read"}, "repository_ids": [42]}),
            json!({"permissions": {"contents": "write", "metadata": "read", "pull_requests": "write"},
                "repository_ids": [42]}),
            json!({"permissions": {"checks": "write", "metadata": "read"}, "repository_ids": [42]}),
        ]
    );
}

fn head() -> ObjectId {
    "b".repeat(40).parse().unwrap()
}

/// A verdict with one remark, whose text is this.
fn verdict(message: PublicText) -> Verdict {
    let remark = Annotation {
        file: Watched::Record,
        line: 3,
        severity: Severity::Warning,
        title: "code.json",
        message: message.clone(),
    };
    Verdict {
        conclusion: Conclusion::Neutral,
        title: Line::of("1 warning"),
        summary: text(),
        annotations: vec![remark],
    }
}

/// Threats I13: another App may use our name, and even our key.
#[tokio::test]
async fn i13_another_apps_check_run_of_our_name_is_ignored() {
    let run = |id: u64, name: &str, app: Value| json!({"id": id, "name": name, "external_id": "key", "output": {"annotations_count": 2}, "app": app});
    let ours = || json!({"id": 77, "client_id": ISSUER});
    let github = StandIn::start(move |seen, _| match seen.path.as_str() {
        path if path.starts_with("/repos/agency/site/commits/") => reply(
            200,
            json!({"total_count": 4, "check_runs": [
                run(1, check::NAME, json!({"id": 99, "client_id": "Iv1.another"})),
                run(2, check::NAME, Value::Null),
                run(3, "lint", ours()),
                run(4, check::NAME, ours()),
            ]}),
        ),
        _ => nothing(),
    })
    .await;
    let found = github.with_app().reader(ONE).check_runs(&target().name, &head()).await.unwrap();
    assert_eq!(found, [CheckRun { id: 4, external_id: "key".to_owned(), annotations: 2 }]);
}

#[tokio::test]
async fn a_dry_run_a_plain_token_and_who_has_no_leave_have_no_writer() {
    let github = StandIn::start(|_, _| nothing()).await;
    let writes = |github: GitHub| github.writer(ONE, target(), Pace::default()).is_some();
    assert!(writes(with_leave(&github.with_app())));
    assert!(!writes(with_leave(&github.with_app()).dry_run()));
    assert!(!writes(with_leave(&github.with_token())));
    assert!(!writes(github.with_app()));
}

#[tokio::test]
async fn every_write_asks_for_leave_and_waits_for_it() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/repos/agency/site/issues" => reply(201, made()),
        "/graphql" => reply(502, json!({})),
        _ => nothing(),
    })
    .await;
    let clock = clock();
    let start = clock.now();
    let after = move |seconds| start + Duration::from_secs(seconds);
    let lost = Error::StaleData("another worker".to_owned());
    let answers = Mutex::new(VecDeque::from([
        Ok(Turn::Soon(after(2))),
        Ok(Turn::Now),
        Ok(Turn::Now),
        Ok(Turn::Not(after(62))),
        Err(lost.clone()),
    ]));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let app = GitHub::with_app(github.endpoints(), app(1), clock.clone()).unwrap();
    let app = {
        let asked = Arc::clone(&asked);
        app.with_leave(move |installation, pieces, pace| {
            asked.lock().unwrap().push((installation, pieces, pace));
            std::future::ready(answers.lock().unwrap().pop_front().unwrap())
        })
    };
    let pace = Pace { per_minute: 3, per_hour: Some(100) };
    let writer = app.writer(ONE, target(), pace).unwrap();
    let issue = async || writer.create_issue(&Line::of("Title"), &text(), &[]).await.map(|_| ());
    issue().await.unwrap();
    assert_eq!(clock.now(), after(2), "a moment is waited for");
    let pull = writer.propose(&proposal(&[])).await;
    assert!(matches!(pull, Err(Error::Ambiguous(_))), "{pull:?}");
    assert_eq!(issue().await, Err(Error::Paced { until: after(62) }), "a minute is not");
    assert_eq!(issue().await, Err(lost));
    assert_eq!(github.count(&Method::POST, "/repos/agency/site/issues"), 1);
    assert_eq!(*asked.lock().unwrap(), [1, 1, 3, 1, 1].map(|pieces| (ONE, pieces, pace)));
}

#[tokio::test]
async fn a_write_sent_anew_for_its_token_is_counted_once() {
    let github = StandIn::start(|seen, before| match (seen.path.as_str(), before) {
        ("/repos/agency/site/issues", 0) => reply(401, json!({"message": "Bad credentials"})),
        ("/repos/agency/site/issues", _) => reply(201, made()),
        _ => nothing(),
    })
    .await;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let app = {
        let asked = Arc::clone(&asked);
        github.with_app().with_leave(move |_, pieces, _| {
            asked.lock().unwrap().push(pieces);
            std::future::ready(Ok(Turn::Now))
        })
    };
    let writer = app.writer(ONE, target(), Pace::default()).unwrap();
    writer.create_issue(&Line::of("Title"), &text(), &[]).await.unwrap();
    // Asked again all the same: it may have been taken over meanwhile.
    assert_eq!(*asked.lock().unwrap(), [1, 0]);
}

fn installed(id: u64, permissions: serde_json::Value) -> serde_json::Value {
    json!({"id": id, "account": {"id": 9, "login": "agency"}, "suspended_at": null, "permissions": permissions})
}

#[tokio::test]
async fn what_github_says_no_to_is_sorted() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/app/installations/2/access_tokens" => {
            reply(403, json!({"message": "This installation has been suspended"}))
        }
        "/app/installations/3/access_tokens" => {
            reply(422, json!({"message": "The permissions requested are not granted to this installation."}))
        }
        "/app/installations/4/access_tokens" => {
            reply(422, json!({"message": "There is at least one repository that does not exist …"}))
        }
        "/app/installations/3" => reply(200, installed(3, json!({"contents": "write", "checks": "read"}))),
        "/app/installations/4" => {
            let all = ["contents", "issues", "pull_requests", "checks"].map(|name| (name, "write"));
            reply(200, installed(4, json!(std::collections::BTreeMap::from(all))))
        }
        "/repositories/1" => {
            let body = json!({"message": "Resource not accessible by integration"});
            with(reply(403, body), "x-accepted-github-permissions", "metadata=read")
        }
        "/repos/agency/site/issues" => reply(410, json!({"message": "Issues has been disabled"})),
        "/repos/agency/site/labels" => {
            reply(422, json!({"message": "Validation Failed", "errors": [{"code": "already_exists"}]}))
        }
        "/graphql" => {
            let message = "Repository rule violations found\n\nCannot delete this branch";
            let refused = json!({"type": "UNPROCESSABLE", "path": ["updateRefs"], "message": message});
            reply(200, json!({"data": {"updateRefs": null}, "errors": [refused]}))
        }
        "/repos/agency/site/issues/3/comments" => {
            reply(403, json!({"message": "Repository was archived so is read-only."}))
        }
        _ => nothing(),
    })
    .await;
    let app = github.with_app();
    let by_id =
        async |installation| app.reader(installation).repository_by_id(RepositoryId(1)).await.map(|_| ());
    assert_eq!(by_id(TWO).await, Err(Error::Suspended));
    // Which permissions are missing, and from then on without a call.
    for calls in [2, 2] {
        let Err(Error::Forbidden { needs, .. }) = by_id(InstallationId(3)).await else {
            panic!("not forbidden")
        };
        assert_eq!(needs, "issues: read, pull_requests: read");
        assert_eq!(github.seen().iter().filter(|seen| seen.path.contains("/3")).count(), calls);
    }
    // All are there: it was the repository.
    assert!(matches!(by_id(InstallationId(4)).await, Err(Error::NotFound(_))));
    let Err(Error::Forbidden { needs, .. }) = by_id(ONE).await else { panic!("not forbidden") };
    assert_eq!(needs, "metadata=read");
    let writer = writer(&app);
    let line = Line::of("label");
    assert!(matches!(writer.create_issue(&line, &text(), &[]).await, Err(Error::Gone(_))));
    assert!(matches!(writer.create_label(&line, "ededed", &line).await, Err(Error::Conflict(_))));
    assert!(matches!(writer.close_pull_request(3).await, Err(Error::NotFound(_))));
    let reason = |result: Result<(), Error>| match result {
        Err(Error::Refused { reason, .. }) => Some(reason),
        _ => None,
    };
    let tip = "a".repeat(40).parse().unwrap();
    assert_eq!(reason(writer.delete_branch("muster/files", &tip).await), Some(Refusal::Rules));
    assert_eq!(reason(writer.comment(3, &text()).await.map(|_| ())), Some(Refusal::ReadOnly));
}

#[tokio::test]
async fn nothing_goes_out_to_a_place_or_a_path_it_must_not() {
    let github = StandIn::start(|_, _| nothing()).await;
    let writer = writer(&github.with_app());
    let internal = PublicText::about(Visibility::Internal).say("Words.");
    let refused = writer.create_issue(&Line::of("Title"), &internal, &[]).await;
    assert!(matches!(refused, Err(Error::Refused { reason: Refusal::Ours, .. })));
    // Also where it is said at a line only.
    let refused = writer.create_check_run(&head(), "key", &verdict(internal)).await;
    assert!(matches!(refused, Err(Error::Refused { reason: Refusal::Ours, .. })));
    for path in [".github/workflows/x.yml", "../LICENSE", ".git/config", "license", "README.md\0"] {
        let files = [(path.to_owned(), Vec::new())];
        let refused = writer.propose(&proposal(&files)).await;
        assert!(matches!(refused, Err(Error::Refused { reason: Refusal::Ours, .. })), "{path}");
    }
    assert_eq!(github.seen().len(), 0);
}

fn proposal(files: &[(String, Vec<u8>)]) -> NewPullRequest<'_> {
    static PARTS: OnceLock<(Line, PublicText, ObjectId)> = OnceLock::new();
    let parts = || (Line::of("Add missing open source files"), text(), "a".repeat(40).parse().unwrap());
    let (line, body, base_oid) = PARTS.get_or_init(parts);
    NewPullRequest {
        base: "main",
        base_oid,
        branch: "muster/files",
        headline: line,
        message: body,
        files,
        title: line,
        body,
        draft: false,
        start: Start::Nothing,
    }
}
