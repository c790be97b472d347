//! Writes: sent once, at their pace, with a token for nothing else.

use std::{sync::OnceLock, time::Duration};

use axum::response::Response;
use http::Method;
use muster::{
    domain::outstanding::Start,
    domain::{
        outgoing::{Line, PublicText},
        repository::{InstallationId, ObjectId, RepositoryId, Visibility},
    },
    github::{Error, GitHub, NewPullRequest, Pace, Refusal},
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
        "/repos/agency/site/issues" => reply(201, made()),
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
    assert_eq!(writer(&app).propose(&proposal(&files)).await.unwrap().number, 4);
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
        ]
    );
}

#[tokio::test]
async fn a_dry_run_and_a_plain_token_have_no_writer() {
    let github = StandIn::start(|_, _| nothing()).await;
    assert!(github.with_app().dry_run().writer(ONE, target(), Pace::default()).is_none());
    assert!(github.with_token().writer(ONE, target(), Pace::default()).is_none());
}

#[tokio::test]
async fn writes_keep_their_distance_and_their_budget() {
    let github = StandIn::start(|seen, _| match seen.path.as_str() {
        "/repos/agency/site/issues" => reply(201, made()),
        _ => nothing(),
    })
    .await;
    let clock = clock();
    let app = GitHub::with_app(github.endpoints(), app(1), clock.clone()).unwrap();
    let pace = Pace { per_minute: 3, per_hour: 100 };
    let start = clock.now();
    let writer = app.writer(ONE, target(), pace).unwrap();
    for _ in 0..3 {
        writer.create_issue(&Line::of("Title"), &text(), &[]).await.unwrap();
    }
    assert_eq!(clock.now(), start + Duration::from_secs(2));
    let spent = writer.create_issue(&Line::of("Title"), &text(), &[]).await;
    assert_eq!(spent.map(|_| ()), Err(Error::RateLimited { until: start + Duration::from_secs(60) }));
    assert_eq!(github.count(&Method::POST, "/repos/agency/site/issues"), 3);
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
        "/repos/agency/site/git/refs/heads/muster/files" => {
            reply(422, json!({"message": "Repository rule violations found\n\nCannot delete this branch"}))
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
    assert_eq!(reason(writer.delete_branch("muster/files").await), Some(Refusal::Rules));
    assert_eq!(reason(writer.comment(3, &text()).await.map(|_| ())), Some(Refusal::ReadOnly));
}

#[tokio::test]
async fn nothing_goes_out_to_a_place_or_a_path_it_must_not() {
    let github = StandIn::start(|_, _| nothing()).await;
    let writer = writer(&github.with_app());
    let internal = PublicText::about(Visibility::Internal).say("Words.");
    let refused = writer.create_issue(&Line::of("Title"), &internal, &[]).await;
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
