//! Many repositories a call: what an answer says of which, and what of one
//! installation never reaches another (threats T4).

use muster::{
    domain::repository::{FileText, Files, RepositoryId},
    github::{Ask, Error, Found, Reader},
};
use serde_json::{Value, json};

use super::{
    reads::{FILE, Given, file, graphql, repository},
    stand_in::*,
};

fn ask(id: u64) -> Ask {
    Ask {
        id: RepositoryId(id),
        node_id: format!("R_{id}"),
        name: format!("agency/r{id}").parse().unwrap(),
        known: Vec::new(),
    }
}

/// The repository of that id among many.
fn one(id: u64, files: &[Given]) -> Value {
    let mut one = repository(files);
    one["__typename"] = "Repository".into();
    one["id"] = format!("R_{id}").into();
    one["databaseId"] = id.into();
    one["nameWithOwner"] = format!("agency/r{id}").into();
    for trace in ["labelledCount", "filesCount", "licenseCount"] {
        one[trace] = json!({"totalCount": 0});
    }
    one
}

fn page(repositories: Vec<Value>, errors: &[Value]) -> axum::response::Response {
    let mut errors = errors.to_vec();
    errors.push(json!({"type": "NOT_FOUND", "path": ["home"], "message": "no such repository"}));
    let data = json!({"repositories": repositories, "home": null, "known": []});
    reply(200, json!({"data": data, "errors": errors}))
}

/// The ids that a call asks for.
fn asked(seen: &Seen) -> Vec<u64> {
    let ids = seen.body["variables"]["ids"].as_array().into_iter().flatten();
    ids.map(|id| id.as_str().unwrap()[2..].parse().unwrap()).collect()
}

fn wanted(files: &Files) -> Vec<String> {
    files.in_folder("").map(|entry| entry.path.clone()).collect()
}

async fn read(reader: &Reader, ids: impl IntoIterator<Item = u64>) -> Result<Vec<Found>, Error> {
    let owner = "agency".parse().unwrap();
    let mut many = reader.many(owner, ids.into_iter().map(ask), names(), &wanted);
    let mut all = Vec::new();
    while let Some(found) = many.next().await? {
        all.extend(found);
    }
    all.sort_by_key(|found| found.id);
    Ok(all)
}

#[tokio::test]
async fn t4_a_text_of_one_installation_is_never_given_to_another() {
    let copying = || file("COPYING", "A license");
    let github = StandIn::start(move |seen, _| {
        if seen.path != "/graphql" {
            return nothing();
        }
        if graphql(seen, "Repositories") {
            return page(asked(seen).into_iter().map(|id| one(id, &[copying()])).collect(), &[]);
        }
        // The second installation may see the listing and not the text.
        let first = seen.token().is_some_and(|token| token.starts_with("ghs_1_"));
        let mut data = json!({});
        for slot in 0..32 {
            assert_eq!(seen.body["variables"][format!("o{slot}")], copying().oid());
            let object = if first { copying().blob() } else { Value::Null };
            data[format!("t{slot}")] = json!({ "object": object });
        }
        reply(200, json!({ "data": data }))
    })
    .await;
    let app = github.with_app();
    for (installation, expected) in [
        (ONE, FileText::of("A license")),
        (TWO, FileText::Unread("GitHub did not send it".to_owned())),
        (ONE, FileText::of("A license")),
    ] {
        let found = read(&app.reader(installation), 1..=3).await.unwrap();
        assert_eq!(found.len(), 3);
        for found in found {
            assert_eq!(found.outcome.unwrap().files.texts["COPYING"], expected, "{installation}");
        }
    }
    // Once for the first, once for the second, and then from memory.
    let texts = github.seen().iter().filter(|seen| graphql(seen, "TextsOfMany")).count();
    assert_eq!(texts, 2);
}

#[tokio::test]
async fn t4_a_text_that_was_cut_is_never_kept() {
    let long = || Given("COPYING", FILE, "word ".repeat(90).into_bytes());
    let github = StandIn::start(move |seen, before| {
        if seen.path != "/graphql" {
            return nothing();
        }
        if graphql(seen, "Repositories") {
            return page(asked(seen).into_iter().map(|id| one(id, &[long()])).collect(), &[]);
        }
        let mut blob = long().blob();
        if before < 2 {
            blob["text"] = "word word".into();
            blob["isTruncated"] = true.into();
        }
        let slots = (0..32).map(|slot| (format!("t{slot}"), json!({ "object": blob })));
        reply(200, json!({ "data": slots.collect::<serde_json::Map<_, _>>() }))
    })
    .await;
    let reader = github.with_app().reader(ONE);
    for cut in [true, false] {
        let found = read(&reader, [1]).await.unwrap().remove(0).outcome.unwrap();
        assert_eq!(found.files.texts["COPYING"].text().is_none(), cut, "{:?}", found.files.texts);
    }
}

#[tokio::test]
async fn each_of_an_answer_is_what_was_asked_for_or_nothing() {
    let github = StandIn::start(|seen, before| {
        if seen.path != "/graphql" {
            return nothing();
        }
        let mut all: Vec<Value> = asked(seen).into_iter().map(|id| one(id, &[])).collect();
        if all.len() == 1 {
            // Alone, the broken one is broken all the same.
            let error = json!({"path": ["repositories", 0, "root"], "message": "timed out"});
            return page(vec![one(asked(seen)[0], &[])], &[error]);
        }
        assert_eq!(before, 0);
        all[1] = Value::Null;
        all[2]["nameWithOwner"] = "elsewhere/r3".into();
        all[3]["databaseId"] = 99.into();
        all[4] = json!({"__typename": "Issue"});
        all[6] = Value::Null;
        let errors = [
            json!({"type": "NOT_FOUND", "path": ["repositories", 1], "message": "Could not resolve"}),
            json!({"path": ["repositories", 5, "root"], "message": "timed out"}),
        ];
        page(all, &errors)
    })
    .await;
    let found = read(&github.with_app().reader(ONE), 1..=7).await.unwrap();
    let outcomes: Vec<_> = found
        .iter()
        .map(|found| match &found.outcome {
            Ok(_) => "read",
            Err(Error::NotFound(_)) => "gone",
            Err(Error::StaleData(_)) => "moved",
            Err(Error::Partial(_)) => "partial",
            Err(_) => "failed",
        })
        .collect();
    assert_eq!(outcomes, ["read", "gone", "moved", "moved", "gone", "partial", "partial"]);
    // All at once, and the one of which an error spoke twice more alone.
    assert_eq!(github.seen().iter().filter(|seen| graphql(seen, "Repositories")).count(), 3);
}

#[tokio::test]
async fn three_in_a_row_that_fail_alone_are_an_outage() {
    for (broken, expected) in [(vec![3, 6], Some(2)), (vec![3, 4], Some(2)), (vec![3, 4, 5], None)] {
        let github = StandIn::start(move |seen, _| match asked(seen) {
            _ if seen.path != "/graphql" => nothing(),
            ids if ids.iter().any(|id| broken.contains(id)) => reply(502, json!({})),
            ids => page(ids.into_iter().map(|id| one(id, &[])).collect(), &[]),
        })
        .await;
        let found = read(&github.with_app().reader(ONE), 1..=8).await;
        let failed = found.map(|found| found.iter().filter(|found| found.outcome.is_err()).count());
        assert_eq!(failed.ok(), expected);
    }
}
