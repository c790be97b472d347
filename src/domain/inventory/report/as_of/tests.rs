use jiff::civil::date;
use serde_json::json;

use super::*;

const AT: &str = "2026-11-20T10:00:00Z";

fn body(entries: &[(&str, &str)]) -> Vec<u8> {
    let release = |(name, description): &(&str, &str)| {
        json!({
            "name": name, "description": description, "organization": "Birds",
            "repositoryURL": format!("https://github.com/agency/{name}"),
            "permissions": {"usageType": "openSource"},
        })
    };
    json!({ "releases": entries.iter().map(release).collect::<Vec<_>>() }).to_string().into_bytes()
}

fn as_of(then: Option<&[u8]>, now: Option<&[u8]>, tells: Option<&dyn Fn(&Value) -> bool>) -> AsOf {
    let pair = Pair { file: "code.json", then: then.map(|body| (body, "5ha", AT.parse().unwrap())), now };
    let end = (date(2026, 11, 20), "2026-11-20T23:59:59.999Z".parse().unwrap());
    AsOf::of("XA", end, &[pair], &[], tells).unwrap()
}

#[test]
fn then_and_since_sum_up_to_now_and_what_is_hidden_today_is_counted() {
    let then = body(&[("river", "a"), ("lake", "a"), ("zebra", "a"), ("old", "a")]);
    let now = body(&[("lake", "b"), ("river", "a"), ("new", "a"), ("newer", "a")]);
    let tells = |release: &Value| release["name"] == "zebra";
    let report = as_of(Some(&then), Some(&now), Some(&tells));
    let file = &report.files[0];
    assert_eq!(file.since, Changes { added: 2, removed: 2, changed: 1, same: 1 });
    assert_eq!(file.entries + file.since.added - file.since.removed, file.entries_now);
    assert_eq!(file.listed.len() + file.not_named, file.entries);
    let text =
        report.markdown() + &report.rows().concat().join(" ") + &serde_json::to_string(&report).unwrap();
    assert!(!text.contains("zebra"), "{text}");
    insta::assert_snapshot!(report.markdown(), @r"
# Source code inventory of XA, as of 2026-11-20

As everything stood at the end of that day (UTC).

## code.json

Served since 2026-11-20T10:00:00Z, with 4 entries. SHA-256 `5ha`.

Since then 2 were added, 2 removed and 1 changed; 1 say the same. Now there are 4.

| entry | organization | usage | since |
|---|---|---|---|
| river | Birds | openSource | same |
| lake | Birds | openSource | changed |
| old | Birds | openSource | removed |

More that are not named here: 1.

## Exemptions in the registers

With a confirmed approval: 0. Since then 0 came and 0 left.
");
    let inside = as_of(Some(&then), Some(&now), None);
    assert!(inside.internal && inside.markdown().contains("| zebra | Birds | openSource | removed |"));
}

#[test]
fn before_the_first_publication_there_is_none() {
    let now = body(&[("river", "a")]);
    let report = as_of(None, Some(&now), None);
    assert_eq!((report.files[0].published_at, report.files[0].since.added), (None, 1));
    assert!(report.markdown().contains("It was not published yet. It has 1 entries now.\n"));
    assert_eq!(as_of(None, None, None).files[0].since, Changes::default());
}
