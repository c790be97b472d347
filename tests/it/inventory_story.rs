//! A year's worth of an agency in one story: two organizations, 300
//! repositories, an inventory from outside, and everything that happens to them.

use std::time::Duration;

use github_sandbox::{Role, Sandbox, Visibility, installation, org};
use muster::clock::Clock;
use serde_json::{Value, json};

use crate::{
    evidence::{self, Desk},
    harness::{Muster, README, clock, complete, old, sandbox},
    import::{inventory, release},
    inventory::{POLICY, entries, for_agencies, get, publication, setup},
    server::Database,
};

const CONTROL: &str = "agency/.github-private";

/// 200 and 100 repositories, of which 40 are private and ten have a broken
/// file; among those outside are one that is here too, one that is private and
/// one that says too little.
async fn github(clock: &Clock) -> Sandbox {
    let policy = POLICY.replace(
        "  defaults:\n",
        "  repository: agency/code-inventory\n  import: inventory/outside.json\n  defaults:\n",
    );
    let mut lead = org("agency")
        .owner("olivia")
        .member("alice")
        .member("carol")
        .member("dave")
        .base_role(Some(Role::Write))
        .repository(old(".github").file("README.md", README).file(".github/muster.yml", &policy))
        .repository(
            old(".github-private")
                .file("README.md", README)
                .file(".github/CODEOWNERS", "* @carol\n")
                .role("martin", Role::Maintain)
                .private(),
        )
        .repository(
            complete("code-inventory")
                .description("The inventory.")
                .file(".github/muster.yml", "inventory: {agency: XA}\n"),
        );
    for n in 0..172 {
        let site = complete(&format!("site-{n:03}")).description(&format!("Counts the birds of river {n}."));
        lead = lead.repository(if n < 10 { site.file("code.json", "{ \"name\": ") } else { site });
    }
    for n in 0..25 {
        let name = format!("hidden-{n:02}");
        // Of the last five nobody has said how they are used.
        let hidden = complete(&name).description("Not for everybody.").private();
        lead = lead.repository(if n < 20 { hidden.file("code.json", for_agencies(&name)) } else { hidden });
    }
    let mut bureau = org("bureau").owner("olivia").base_role(Some(Role::Write));
    for n in 0..86 {
        bureau =
            bureau.repository(complete(&format!("map-{n:02}")).description(&format!("Draws river {n}.")));
    }
    for n in 0..14 {
        let name = format!("closed-{n:02}");
        bureau = bureau.repository(complete(&name).file("code.json", for_agencies(&name)).private());
    }
    let github = sandbox(clock)
        .organization(lead)
        .organization(bureau)
        .installation(installation("agency"))
        .installation(installation("bureau"))
        .start()
        .await
        .unwrap();
    let mut outside: Vec<Value> = (0..47)
        .map(|n| {
            release(&format!("tool-{n:02}"), &format!("https://git.agency.example.gov/tools/tool-{n:02}"))
        })
        .collect();
    outside.push(release("site-100", &format!("{}/agency/site-100", github.web_url())));
    let mut hidden = release("owl", "https://git.agency.example.gov/air/owl-radar");
    hidden["repositoryVisibility"] = "private".into();
    outside.push(hidden);
    let mut lacking = release("hail", "https://git.agency.example.gov/tools/hail");
    lacking.as_object_mut().unwrap().remove("description");
    outside.push(lacking);
    let outside = inventory(&outside);
    github.user("olivia").push(CONTROL, "main", &[("inventory/outside.json", &outside)], "Say what else");

    let id = |login: &str| github.user(login).id();
    let exempt = (20..25).map(|n| {
        let repository = github.repository_id(&format!("agency/hidden-{n:02}"));
        format!(
            "- {{id: {repository}, usage: exemptByFOIA, basis: 5 USC 552(b)(7)(E), origin: employee, reason: It \
             would help who breaks in., requested_by: {}, approved_by: {}, role: cio, applied_from: 2026-11-01}}\n",
            id("alice"),
            id("olivia"),
        )
    });
    let register = format!("exemptions:\n{}", exempt.collect::<String>());
    let dave = github.user("dave");
    dave.create_branch(CONTROL, "ask");
    dave.push(CONTROL, "ask", &[("muster-exemptions.yml", &register)], "Ask for five exemptions");
    let number = dave.open_pull_request(CONTROL, "ask", "Five exemptions", "");
    github.user("carol").approve(CONTROL, number);
    github.user("martin").merge(CONTROL, number);
    while github.deliver_next().await.is_some() {}
    github
}

async fn totals(muster: &Muster) -> Value {
    let published = publication(muster, "code.json").await;
    assert_eq!(published.refused, None);
    let account: Value = serde_json::from_str(published.account.as_deref().unwrap()).unwrap();
    let totals = &account["totals"];
    let count = |key: &str| totals[key].as_u64().unwrap();
    let states = ["listed", "incomplete", "exempt", "excluded", "out_of_scope", "unknown"];
    assert_eq!(states.map(count).iter().sum::<u64>(), count("seen"), "it balances");
    assert_eq!(account["lines"].as_array().unwrap().len() as u64, count("seen"), "everything has its line");
    totals.clone()
}

#[rstest::rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test]
async fn an_agency_of_300_repositories_is_in_sync_by_itself(#[case] database: Database) {
    let clock = clock();
    let github = github(&clock).await;
    let muster = Muster::start_as(&github, &clock, setup(database)).await;
    muster.begin().await;
    muster.advance(Duration::from_secs(3600)).await;

    insta::assert_snapshot!(totals(&muster).await, @r#"{"seen":350,"imported":50,"listed":340,"incomplete":1,"exempt":5,"excluded":2,"out_of_scope":2,"unknown":0,"never_read":0,"entries":345}"#);
    let pulls = || github.pull_requests("agency/code-inventory");
    insta::assert_snapshot!(pulls(), @"#1 Update the source code inventory (open)");
    let id = github.repository_id("agency/code-inventory");
    let body = github.state(|state| state.repository(id).unwrap().issues[&1].body.clone()).unwrap();
    let code = body.split("`code.json`").nth(1).unwrap().split("\n<!-- ").next().unwrap();
    insta::assert_snapshot!(code, @r"
| State | Repositories |
|---|---|
| Listed | 306 |
| Incomplete | 1 |
| Exempt | 0 |
| Excluded by rule | 1 |
| Out of scope | 1 |
| Could not be read | 0 |
| All | 309 |

Besides, 41 repositories are not public.

The history of this repository keeps every version that you merge.

Close this pull request to decline it. It comes back when something else changes.
");

    // A second look changes nothing, and writes nothing.
    let before = publication(&muster, "code.json").await.sha256;
    github.clear_calls();
    muster.advance(Duration::from_secs(24 * 3600)).await;
    assert_eq!(publication(&muster, "code.json").await.sha256, before);
    let writes = github.calls().into_iter().filter(|call| call.writes).count();
    assert_eq!(writes, 0);

    let olivia = github.user("olivia");
    let names = async || {
        muster.settle().await;
        entries(&muster, "code.json").await
    };
    let restricted = |names: &[String]| names.iter().filter(|name| name.starts_with("Restricted")).count();
    let first = names().await;
    let has = |names: &[String], name: &str| names.iter().any(|one| one == name);

    olivia.rename("agency/site-050", "site-renamed");
    let after = names().await;
    assert!(has(&after, "site-renamed") && !has(&after, "site-050"));
    assert_eq!(after.len(), first.len());

    olivia.set_visibility("agency/site-051", Visibility::Private);
    let after = names().await;
    assert!(!has(&after, "site-051"));
    assert_eq!(restricted(&after), restricted(&first), "it joins with the month, if it says how it is used");

    olivia.set_visibility("agency/hidden-03", Visibility::Public);
    let after = names().await;
    assert!(has(&after, "hidden-03"));
    assert_eq!(restricted(&after), restricted(&first) - 1);

    // From one organization of the agency to the other it stays, out of it it goes.
    olivia.transfer("agency/site-052", "bureau");
    olivia.transfer("bureau/map-10", "olivia");
    let after = names().await;
    assert!(has(&after, "site-052") && !has(&after, "map-10"));

    let file = json!({"name": "The first site", "description": "Counts the birds of river 0."}).to_string();
    olivia.push("agency/site-000", "main", &[("code.json", &file)], "Mend it");
    let after = names().await;
    assert!(has(&after, "The first site"));

    insta::assert_snapshot!(totals(&muster).await, @r#"{"seen":349,"imported":50,"listed":338,"incomplete":2,"exempt":5,"excluded":2,"out_of_scope":2,"unknown":0,"never_read":0,"entries":343}"#);
    insta::assert_snapshot!(pulls(), @"#1 Update the source code inventory (open)");
    an_auditor_reads_of_the_exemptions(&muster);
    // The night notes the last push to each, the inventory's own among them; the
    // hour after that publishes what it noted.
    muster.advance(Duration::from_secs(24 * 3600)).await;
    muster.advance(Duration::from_secs(3600)).await;
    let before = get(&muster, "/code.json", "").await.body;
    muster.advance(Duration::from_secs(24 * 3600)).await;
    let after = get(&muster, "/code.json", "").await.body;
    assert!(before == after, "nothing is left to say");
    muster.finish().await;
}

fn an_auditor_reads_of_the_exemptions(muster: &Muster) {
    let desk = Desk::of(muster);
    for internal in [false, true] {
        let more: &[&str] = if internal { &["--internal"] } else { &[] };
        let made = desk.make(&[], &[&["--fiscal-year", "2027"], more].concat());
        assert_eq!(desk.verify(&made, &[]).0, 0);
        let report = evidence::json(&made, "reports/exemptions-2027.json");
        assert_eq!((&report["totals"]["all"], &report["totals"]["automatic"]), (&5.into(), &5.into()));
        let register = evidence::json(&made, "reports/register.json");
        let granted = |line: &&Value| line["standing"] == "granted";
        assert_eq!(register["lines"].as_array().unwrap().iter().filter(granted).count(), 5);
        assert_eq!(String::from_utf8_lossy(&made).contains("agency/hidden-20"), internal);
    }
}
