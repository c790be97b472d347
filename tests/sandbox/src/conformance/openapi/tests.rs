use serde_json::json;

use super::*;

fn exchange(value: Value) -> Exchange {
    serde_json::from_value(value).expect("an exchange")
}

fn label() -> Value {
    json!({
        "id": 1, "node_id": "LA_1", "url": "https://api.github.com/repos/agency/site/labels/a",
        "name": "a", "description": null, "color": "ffffff", "default": false
    })
}

fn create_label(request: Value, answer: Value) -> Vec<Departure> {
    Description::read().expect("the published description").departures(&exchange(json!({
        "method": "POST", "route": "/repos/{o}/{r}/labels", "path": "/repos/agency/site/labels",
        "query": "", "request_body": request, "status": 201,
        "response_content_type": "application/json; charset=utf-8", "response_body": answer
    })))
}

#[test]
fn what_github_describes_passes_and_null_is_allowed_where_it_says_so() {
    assert_eq!(create_label(json!({"name": "a", "color": "ffffff"}), label()), []);
}

#[test]
fn a_body_that_lacks_or_mistypes_a_field_is_found_with_its_pointer() {
    let mut answer = label();
    answer["id"] = json!("one");
    answer.as_object_mut().expect("an object").remove("color");
    let found = create_label(json!({"color": "ffffff"}), answer);
    let lines: Vec<String> =
        found.iter().map(|found| format!("{} {} {}", found.place, found.pointer, found.problem)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    POST /repos/{owner}/{repo}/labels request  "name" is a required property
    POST /repos/{owner}/{repo}/labels 201  "color" is a required property
    POST /repos/{owner}/{repo}/labels 201 /id value is not of type "integer"
    "#);
}

#[test]
fn unknown_routes_parameters_statuses_and_content_types_are_found() {
    let mut description = Description::read().expect("the published description");
    let mut problems = |value| {
        let found = description.departures(&exchange(value));
        found.into_iter().map(|found| found.problem).collect::<Vec<_>>().join("; ")
    };
    let list = |query: &str, status: u16, kind: &str, body: Value| {
        json!({"method": "GET", "route": "/repos/{owner}/{repo}/labels", "path": "/repos/a/b/labels",
            "query": query, "status": status, "response_content_type": kind, "response_body": body})
    };
    let json = "application/json";
    assert_eq!(problems(list("per_page=100&page=2", 200, json, json!([label()]))), "");
    assert_eq!(problems(list("sort=up", 200, json, json!([]))), "no parameter `sort` is published");
    assert_eq!(problems(list("page=two", 200, json, json!([]))), "`two` is not allowed");
    assert_eq!(problems(list("", 299, json, json!([]))), "this status is not published");
    assert_eq!(problems(list("", 200, "text/html", json!("x"))), "content type `text/html` is not published");
    assert_eq!(problems(list("sort=up", 502, "text/html", json!("x"))), "");
    assert_eq!(
        problems(
            json!({"method": "GET", "route": "/repos/{owner}/{repo}/secrets", "path": "/", "query": null,
            "status": 200, "response_content_type": null})
        ),
        "no such operation is published"
    );
}

#[test]
fn a_repository_under_its_id_is_the_repository_under_its_name() {
    assert_eq!(
        nameless("/repositories/{id}/issues/{number}"),
        nameless("/repos/{owner}/{repo}/issues/{issue_number}")
    );
}
