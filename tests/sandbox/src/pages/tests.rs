use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;
use crate::world::{README, World};

struct Browser {
    pages: Router,
    state: Arc<Mutex<State>>,
    site: u64,
    cookie: String,
}

impl Browser {
    fn new(as_whom: &str) -> Self {
        let world = World::new();
        let state = Arc::new(Mutex::new(world.state));
        let cookie = format!("other=1; {COOKIE}{as_whom}");
        Self { pages: router(Arc::clone(&state)), state, site: world.site, cookie }
    }

    async fn send(&self, method: Method, path: &str, form: &str) -> (StatusCode, HeaderMap, String) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::REFERER, "http://127.0.0.1:1/agency/site/issues/1")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .expect("a request");
        let answer = self.pages.clone().oneshot(request).await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, headers, String::from_utf8(body.to_vec()).expect("a text"))
    }

    async fn see(&self, path: &str) -> String {
        let (status, headers, body) = self.send(Method::GET, path, "").await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        assert!(headers.contains_key(header::CONTENT_SECURITY_POLICY), "{path}");
        body
    }

    async fn act(&self, number: u64, action: &str, form: &str) -> StatusCode {
        let path = format!("/agency/site/act/{number}/{action}");
        let (status, headers, _) = self.send(Method::POST, &path, form).await;
        if status == StatusCode::SEE_OTHER {
            assert_eq!(headers[header::LOCATION], "/agency/site/issues/1");
        }
        status
    }
}

#[tokio::test]
async fn every_page_shows_what_it_is_about() {
    let browser = Browser::new("alice");
    let oid = {
        let state = browser.state.lock().unwrap();
        state.repository(browser.site).unwrap().head().unwrap().to_string()
    };
    for (path, shown) in [
        ("/", "agency/secret"),
        ("/agency", "agency/site"),
        ("/mallory", "No repositories"),
        ("/agency/site", "<h1>Site</h1>"),
        ("/Agency/Site/tree/main/docs", "notes.txt"),
        ("/agency/site/blob/topic/notes/docs/notes.txt", "one\n2\n"),
        ("/agency/site/blob/main/logo.png", "Not a text"),
        ("/agency/empty", "No files"),
        ("/agency/site/commits/main", "Start"),
        ("/agency/site/commits/topic/notes", "Count"),
        (&format!("/agency/site/commit/{oid}"), "With files"),
        ("/agency/site/issues", "Broken"),
        ("/agency/site/pulls", "Count in digits"),
        ("/agency/site/issues/1", "It <em>is</em>."),
        ("/agency/site/pull/2", "<span class=\"added\">+2</span>"),
        ("/deliveries", "Nothing was sent yet"),
    ] {
        let page = browser.see(path).await;
        assert!(page.contains(shown), "{path} does not show {shown}:\n{page}");
    }
    for path in ["/nobody", "/agency/none", "/agency/site/issues/9", "/agency/site/blob/main/none"] {
        let (status, ..) = browser.send(Method::GET, path, "").await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_person_comments_reacts_labels_closes_and_merges() {
    let browser = Browser::new("alice");
    let see_other = StatusCode::SEE_OTHER;
    assert_eq!(browser.act(1, "comment", "body=I+agree").await, see_other);
    assert_eq!(browser.act(1, "react", "subject=issue&content=heart").await, see_other);
    assert_eq!(browser.act(1, "label", "label=urgent").await, see_other);
    assert_eq!(browser.act(1, "unlabel", "label=bug").await, see_other);
    assert_eq!(browser.act(1, "close", "").await, see_other);
    let page = browser.see("/agency/site/issues/1").await;
    for shown in ["I agree", "❤️ alice", "urgent", "Remove urgent", "by alice at", "Reopen"] {
        assert!(page.contains(shown), "{shown}:\n{page}");
    }
    assert!(!page.contains("Remove bug"));
    assert_eq!(browser.act(1, "reopen", "").await, see_other);
    assert_eq!(browser.act(2, "merge", "").await, see_other);
    assert!(browser.see("/agency/site/pull/2").await.contains("badge merged"));
    assert!(browser.see("/agency/site/blob/main/docs/notes.txt").await.contains("one\n2\n"));
    assert_eq!(browser.act(2, "merge", "").await, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(browser.act(1, "dance", "").await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_edited_body_comes_back_with_crlf_and_a_box_ticks() {
    let browser = Browser::new("alice");
    let body = |browser: &Browser| {
        let state = browser.state.lock().unwrap();
        state.issue(browser.site, 1).unwrap().body.clone().unwrap()
    };
    assert_eq!(browser.act(1, "tick", "subject=issue&box=0").await, StatusCode::SEE_OTHER);
    assert_eq!(body(&browser), README.replace("[ ]", "[x]").replace('\n', "\r\n"));
    assert_eq!(browser.act(1, "edit", "subject=issue&body=a%0Ab%0D%0Ac").await, StatusCode::SEE_OTHER);
    assert_eq!(body(&browser), "a\r\nb\r\nc");
    assert_eq!(browser.act(1, "tick", "subject=issue&box=0").await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_pushed_file_is_committed_on_its_branch() {
    let browser = Browser::new("alice");
    let form = "branch=main&path=docs%2Fnew.md&content=a%0D%0Ab&message=";
    let (status, headers, body) = browser.send(Method::POST, "/agency/site/push", form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{body}");
    assert_eq!(headers[header::LOCATION], "/agency/site/blob/main/docs/new.md");
    assert!(browser.see("/agency/site/blob/main/docs/new.md").await.contains("a\nb"));
    assert!(browser.see("/agency/site/commits/main").await.contains("Update docs/new.md"));
}

#[tokio::test]
async fn nobody_and_strangers_cannot_act() {
    let browser = Browser::new("");
    assert_eq!(browser.act(1, "close", "").await, StatusCode::FORBIDDEN);
    assert!(!browser.see("/agency/site/issues/1").await.contains("Reopen"));
    let browser = Browser::new("mallory");
    assert_eq!(browser.act(1, "close", "").await, StatusCode::FORBIDDEN);
    assert_eq!(browser.act(1, "comment", "body=hello").await, StatusCode::SEE_OTHER);
    let (status, ..) =
        browser.send(Method::POST, "/agency/secret/push", "branch=main&path=a&content=&message=").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_choice_of_a_person_is_kept_in_a_cookie() {
    let browser = Browser::new("");
    let (status, headers, _) = browser.send(Method::POST, "/session", "login=alice").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(headers[header::SET_COOKIE], "sandbox-user=alice; Path=/; HttpOnly; SameSite=Lax");
    let (status, headers, _) = browser.send(Method::POST, "/session", "login=a%0D%0Ab").await;
    assert_eq!((status, headers.contains_key(header::SET_COOKIE)), (StatusCode::BAD_REQUEST, false));
    assert!(Browser::new("alice").see("/").await.contains("<option selected>alice</option>"));
}

#[tokio::test]
async fn a_delivery_is_shown_and_sent_again() {
    let browser = Browser::new("alice");
    let id = {
        let mut state = browser.state.lock().unwrap();
        state.silent = false;
        state.app_mut().hook_url = Some("http://127.0.0.1:1/".to_owned());
        state.ping();
        state.pending().next().expect("a delivery").id
    };
    assert!(browser.see("/deliveries").await.contains("pending"));
    assert!(browser.see(&format!("/deliveries/{id}")).await.contains("hook_id"));
    let path = format!("/deliveries/{id}/redeliver");
    let (status, ..) = browser.send(Method::POST, &path, "").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "what is pending cannot be sent again");
    {
        let mut state = browser.state.lock().unwrap();
        let attempt = crate::state::Attempt {
            at: state.now(),
            duration: 0.1,
            status_code: 500,
            status: "Server Error".to_owned(),
            request_headers: serde_json::Map::new(),
            response_body: Some("full".to_owned()),
        };
        state.settle(id, attempt);
    }
    assert!(browser.see(&format!("/deliveries/{id}")).await.contains("500 Server Error"));
    let (status, ..) = browser.send(Method::POST, &path, "").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(browser.see("/deliveries").await.contains("ping (again)"));
    let (status, ..) = Browser::new("").send(Method::POST, &path, "").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}
