//! What an agency answers with from its inventory, by the program as an
//! operator runs it.

use std::{fs, path::Path, process::Command, time::Duration};

use muster::domain::repository::{RepositoryId, Visibility};
use serde_json::Value;

use crate::{
    harness::{Muster, clock},
    inventory::{github, setup},
    server::Database,
};

const AGENCY: &str =
    "[[agency]]\nacronym = \"XA\"\nlead = \"agency\"\norganizations = [\"agency\", \"bureau\"]\n";

fn report(url: &str, more: &[(&str, &str)], arguments: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    program(folder.path(), url, more, &[&["report"], arguments].concat())
}

/// Runs the program in a folder, as the agency's operator: exit code, result,
/// and what is said beside it.
pub fn program(folder: &Path, url: &str, more: &[(&str, &str)], arguments: &[&str]) -> (i32, String, String) {
    fs::write(folder.join("muster.toml"), AGENCY).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("MUSTER_DATABASE_URL", url)
        .envs(more.iter().copied())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[rstest::rstest]
#[case::sqlite(Database::Sqlite)]
#[case::postgres(Database::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn an_agency_learns_what_is_missing_and_omb_its_numbers(#[case] database: Database) {
    let clock = clock();
    let github = github(&clock).await;
    let muster = Muster::start_as(&github, &clock, setup(database)).await;
    muster.begin().await;
    muster.advance(Duration::from_secs(600)).await;
    let run = |arguments: &[&str]| report(&muster.url, &[], arguments);
    let json = |arguments: &[&str]| {
        let (code, text, said) = run(arguments);
        assert_eq!((code, said.as_str()), (0, ""), "{text}");
        serde_json::from_str::<Value>(&text).unwrap()
    };

    // What is public is named with who can help, what is not is counted.
    let (code, text, said) = run(&["gaps"]);
    assert_eq!((code, said.as_str()), (0, ""), "{text}");
    assert!(text.contains("| agency/pond | incomplete | /description |"), "{text}");
    assert!(text.contains("| /description | 1 | 1 | the maintainer, in the description"), "{text}");
    assert!(text.contains("\nMore that are not named here: 1 incomplete.\n"), "{text}");
    for format in ["markdown", "csv", "json"] {
        let (_, text, _) = run(&["gaps", "--agency", "xa", "--format", format]);
        for private in ["falcon", "agency/api", "agency/data"] {
            assert!(!text.contains(private), "{private}: {text}");
        }
        let (_, inside, _) = run(&["gaps", "--internal", "--format", format]);
        assert!(inside.contains("agency/api"), "{inside}");
    }
    let gaps = json(&["gaps", "--format", "json"]);
    assert_eq!((&gaps["schema"], gaps["files"].as_array().unwrap().len()), (&"gaps-1".into(), 2));

    // What is published lacks something, too.
    let quality = json(&["quality", "--format", "json"]);
    assert_eq!((&quality["schema"], &quality["files"][1]["entries"]), (&"quality-1".into(), &6.into()));
    let (_, text, _) = run(&["quality"]);
    assert!(text.contains("- lake: ") && text.contains(", not public\n"), "{text}");
    assert!(!text.contains("falcon") && !text.contains("agency/data"), "{text}");
    assert!(run(&["quality", "--internal"]).1.contains("For internal use"));

    // Whoever became private after the account was made is named no more.
    let pond = RepositoryId(github.repository_id("agency/pond"));
    muster.ctx.store.see_visibility(&[(pond, Visibility::Private, false)], clock.now()).await.unwrap();
    assert!(!run(&["gaps"]).1.contains("agency/pond"));
    muster.ctx.store.see_visibility(&[(pond, Visibility::Public, false)], clock.now()).await.unwrap();

    let omb = json(&["omb", "--fiscal-year", "2026", "--format", "json"]);
    assert_eq!(omb["schema"], "omb-1");
    let expected = serde_json::json!({
        "public": 5, "not_public": 3, "excluded": 2, "out_of_scope": 1, "beyond": 0, "unknown": 0,
        "imported": 0
    });
    assert_eq!(omb["code"], expected);
    assert_eq!((&omb["reuse"]["clones"], &omb["addresses"]), (&Value::Null, &Value::Null));
    let served = [("MUSTER_PUBLIC_URL", "https://muster.example.gov")];
    for format in ["markdown", "csv", "json"] {
        let (code, text, _) = report(&muster.url, &served, &["omb", "--format", format]);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("https://muster.example.gov/agencies/xa/agency-index.json"), "{text}");
        for name in ["river", "pond", "falcon", "old-dam", "agency/"] {
            assert!(!text.contains(name), "{name}: {text}");
        }
    }

    // A page that nobody may ask for is not asked for; who did not ask says so.
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yml");
    fs::write(&policy, "agency: {policy: {url: 'https://10.0.0.1/policy', adopted: 2025-06-20}}\n").unwrap();
    let operator = [("MUSTER_POLICY_FILE", policy.to_str().unwrap())];
    let (_, text, _) = report(&muster.url, &operator, &["omb"]);
    assert!(text.contains("https://10.0.0.1/policy, adopted 2025-06-20, link not checked"), "{text}");
    match report(&muster.url, &operator, &["omb", "--check-links"]) {
        (0, text, _) => {
            assert!(
                text.contains(
                    "link not found (its server is at a private address, which is asked only where"
                ),
                "{text}"
            );
        }
        // A machine without authorities.
        (code, _, said) => assert!(code == 2 && said.contains("ca-certificates"), "{said}"),
    }

    let (code, _, said) = run(&["omb", "--agency", "XB"]);
    assert_eq!(code, 2);
    assert!(said.contains("there is no agency XB: muster.toml has XA"), "{said}");
    muster.finish().await;
}
