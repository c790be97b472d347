//! `muster scan`, `plan` and `sweep` as an operator runs them: the real
//! program against a sandbox.

use std::{
    process::{Command, Output},
    time::Duration,
};

use github_sandbox::{NewOrganization, Sandbox};
use muster::domain::repository::InstallationId;
use muster::store::{Durability, JobFilter, JobKind, JobState, NewJob, Priority, Settlement, Store};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{README, agency, complete, know, old};

/// The hours are always open: the program goes by the real clock.
const POLICY: &str = "mode: fix
repositories: {exclude: [\".github\"]}
quiet: {days: [mon, tue, wed, thu, fri, sat, sun], hours: \"00:00-24:00\", federal_holidays: false}
";

struct Operator {
    github: Sandbox,
    folder: TempDir,
}

impl Operator {
    async fn new() -> Operator {
        let site = old("site").file("README.md", README);
        let organization =
            agency(POLICY).repository(site).repository(complete("fine")).repository(old("empty").empty());
        Operator::of(organization).await
    }

    async fn of(organization: NewOrganization) -> Operator {
        let github = Sandbox::builder()
            .app(github_sandbox::app("muster"))
            .organization(organization)
            .installation(github_sandbox::installation("agency"))
            .start()
            .await
            .unwrap();
        Operator { github, folder: tempfile::tempdir().unwrap() }
    }

    fn muster(&self, arguments: &[&str]) -> Output {
        self.with(arguments, &[])
    }

    fn with(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
        let database = format!("sqlite://{}/muster.db", self.folder.path().display());
        Command::new(env!("CARGO_BIN_EXE_muster"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("MUSTER_GITHUB_API_URL", self.github.api_url())
            .env("MUSTER_GITHUB_GRAPHQL_URL", self.github.graphql_url())
            .env("MUSTER_CLIENT_ID", self.github.client_id())
            .env("MUSTER_PRIVATE_KEY", self.github.private_key())
            .env("MUSTER_INSTANCE_KEY", "the-key-of-this-instance")
            .env("MUSTER_ORGANIZATIONS", "agency")
            .env("MUSTER_DATABASE_URL", database)
            .env("MUSTER_LOG", "warn")
            .envs(settings.iter().copied())
            .output()
            .unwrap()
    }

    /// No call so far could have changed anything.
    fn only_read(&self) {
        assert!(self.github.calls().iter().all(|call| !call.writes), "{:#?}", self.github.calls());
        assert_eq!(self.github.failures(), Vec::<String>::new());
    }
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn told(output: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "stdout:\n{}\nstderr:\n{said}", text(output));
    text(output)
}

/// As [`told`], without the moments, which go by the real clock.
fn undated(output: &Output, code: i32) -> String {
    let told = told(output, code);
    told.lines().map(|line| line.split(", until ").next().unwrap_or(line).to_owned() + "\n").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn scan_reports_every_repository_and_writes_nothing() {
    let operator = Operator::new().await;
    let report = operator.muster(&["scan", "agency", "--format", "json"]);
    let report: Value = serde_json::from_str(&told(&report, 1)).unwrap();
    let verdicts: Vec<(String, String)> = report["repositories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (entry["repository"].as_str().unwrap().into(), entry["verdict"].as_str().unwrap().into())
        })
        .collect();
    let expected = [
        ("agency/.github", "skipped"),
        ("agency/empty", "skipped"),
        ("agency/fine", "meets"),
        ("agency/site", "needs-work"),
    ];
    assert_eq!(verdicts, expected.map(|(name, verdict)| (name.to_owned(), verdict.to_owned())));
    assert_eq!(report["policy"]["source"], "agency/.github:.github/muster.yml");
    operator.only_read();
    let table = told(&operator.muster(&["scan", "agency", "--all"]), 1);
    insta::assert_snapshot!("scan", table);
    let by_token = [("GITHUB_TOKEN", &*operator.github.user_token("alice")), ("MUSTER_CLIENT_ID", "")];
    let refused = operator.with(&["scan", "agency"], &by_token);
    assert_eq!(refused.status.code(), Some(2), "a setting that is set and empty is a problem");
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_prints_what_sweep_applies() {
    let operator = Operator::new().await;
    insta::assert_snapshot!(undated(&operator.muster(&["plan", "agency/site"]), 1), @r#"
    agency/site (needs work)
      open pull request "Add missing open source files: CONTRIBUTING.md" from muster/files: +CONTRIBUTING.md
      open issue "Repository open source checklist": license:missing contributing:missing
    1 repository: 1 judged, 0 skipped by rule, 0 unknown.
    Would make 2 changes; nothing has been written.
    "#);
    insta::assert_snapshot!(undated(&operator.muster(&["sweep", "agency"]), 1), @r#"
    agency/site (needs work)
      open pull request "Add missing open source files: CONTRIBUTING.md" from muster/files: +CONTRIBUTING.md
      would not open an issue: a sweep must see it twice, an hour apart
    4 repositories: 2 judged, 2 skipped by rule (empty 1, excluded by ".github" 1), 0 unknown.
    Would make 1 change; nothing has been written.
    "#);
    operator.only_read();
    let applied = operator.muster(&["sweep", "agency", "--apply"]);
    insta::assert_snapshot!(undated(&applied, 0), @r#"
    agency/site (needs work)
      opened pull request #1 "Add missing open source files: CONTRIBUTING.md"
      would not open an issue: a sweep must see it twice, an hour apart
    4 repositories: 2 judged, 2 skipped by rule (empty 1, excluded by ".github" 1), 0 unknown.
    Made 1 change.
    "#);
    insta::assert_snapshot!(operator.github.pull_requests("agency/site"), @r#"
    #1 Add missing open source files: CONTRIBUTING.md (open)
    "#);
    // The same again: nothing is left to do.
    operator.github.clear_calls();
    insta::assert_snapshot!(undated(&operator.muster(&["sweep", "agency", "--apply"]), 0), @r#"
    agency/site (needs work)
      would not open an issue: a sweep must see it twice, an hour apart
    4 repositories: 2 judged, 2 skipped by rule (empty 1, excluded by ".github" 1), 0 unknown.
    Made 0 changes.
    "#);
    operator.only_read();
}

/// The states are those of the account, and who can fill in what is missing is
/// told beside it.
#[tokio::test(flavor = "multi_thread")]
async fn plan_says_what_becomes_of_the_entry_in_the_inventory() {
    let policy = format!(
        "{POLICY}inventory: {{defaults: {{status: Beta, maintenance: internal, labor_hours: 0, contract_number: []}}}}\n"
    );
    let organization = agency(&policy)
        .repository(complete("river").description("Counts birds."))
        .repository(complete("pond"))
        .repository(complete("falcon").description("Flies.").private());
    let operator = Operator::of(organization).await;
    let one = "[[agency]]\nacronym = \"XA\"\nlead = \"agency\"\n";
    std::fs::write(operator.folder.path().join("muster.toml"), one).unwrap();
    insta::assert_snapshot!(undated(&operator.muster(&["plan", "agency"]), 0), @r#"
agency/pond (meets)
  entry: agency-index.json incomplete, /AIUseCaseID (the maintainer), /description (the maintainer), /organization (the maintainer or the agency); code.json incomplete, /contact/email (the maintainer or the agency), /description (the maintainer)
agency/river (meets)
  entry: agency-index.json incomplete, /AIUseCaseID (the maintainer), /organization (the maintainer or the agency); code.json incomplete, /contact/email (the maintainer or the agency)
4 repositories: 3 judged, 1 skipped by rule (excluded by ".github" 1), 0 unknown.
agency-index.json: 0 listed, 2 incomplete, 0 exempt, 1 excluded by rule, 1 out of scope, 0 unknown.
code.json: 0 listed, 2 incomplete, 0 exempt, 1 excluded by rule, 1 out of scope, 0 unknown.
Would make 0 changes; nothing has been written.
"#);
    insta::assert_snapshot!(undated(&operator.muster(&["plan", "agency/pond"]), 0), @r"
agency/pond (meets)
  entry: agency-index.json incomplete, /AIUseCaseID (the maintainer), /description (the maintainer), /organization (the maintainer or the agency); code.json incomplete, /contact/email (the maintainer or the agency), /description (the maintainer)
1 repository: 1 judged, 0 skipped by rule, 0 unknown.
agency-index.json: 0 listed, 1 incomplete, 0 exempt, 0 excluded by rule, 0 out of scope, 0 unknown.
code.json: 0 listed, 1 incomplete, 0 exempt, 0 excluded by rule, 0 out of scope, 0 unknown.
Would make 0 changes; nothing has been written.
");
    let plan: Value =
        serde_json::from_str(&told(&operator.muster(&["plan", "agency", "--format", "json"]), 0)).unwrap();
    let pond = plan["repositories"].as_array().unwrap().iter().find(|one| one["repository"] == "agency/pond");
    insta::assert_snapshot!(serde_json::to_string_pretty(&pond.unwrap()["entry"]).unwrap(), @r#"
[
  {
    "file": "agency-index.json",
    "state": "incomplete",
    "missing": [
      {
        "field": "/AIUseCaseID",
        "who": [
          "maintainer"
        ]
      },
      {
        "field": "/description",
        "who": [
          "maintainer"
        ]
      },
      {
        "field": "/organization",
        "who": [
          "maintainer",
          "agency"
        ]
      }
    ]
  },
  {
    "file": "code.json",
    "state": "incomplete",
    "missing": [
      {
        "field": "/contact/email",
        "who": [
          "maintainer",
          "agency"
        ]
      },
      {
        "field": "/description",
        "who": [
          "maintainer"
        ]
      }
    ]
  }
]
"#);
    operator.only_read();
    // The same as the account says.
    for file in ["gsa-2.0.0", "agency-index-2.0.0"] {
        let account = told(
            &operator.muster(&["inventory", "agency", "--account", "--schema", file, "--format", "json"]),
            1,
        );
        let account: Value = serde_json::from_str(&account).unwrap();
        let at = usize::from(file == "gsa-2.0.0");
        for line in account["account"]["lines"].as_array().unwrap() {
            let mut found = plan["repositories"].as_array().unwrap().iter();
            let found = found.find(|one| one["repository"] == line["name"]).unwrap();
            let state = found["entry"][at]["state"].as_str().unwrap().replace(' ', "-");
            let word = line["state"].as_str().unwrap();
            assert!(state.starts_with(word), "{line} {found}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database_waits_for_the_operators_word() {
    let operator = Operator::new().await;
    told(&operator.muster(&["sweep", "agency", "--apply"]), 0);
    let alice = operator.github.user("alice");
    alice.close_pull_request("agency/site", 1);
    for file in ["muster.db", "muster.db-wal", "muster.db-shm"] {
        // The side files are gone already where the last process closed them.
        let _ = std::fs::remove_file(operator.folder.path().join(file));
    }
    let unmet = operator.muster(&["adopt", "agency"]);
    assert!(String::from_utf8_lossy(&unmet.stderr).contains("has not met agency"), "{unmet:?}");
    told(&unmet, 2);
    alice.delete_files("agency/fine", "main", &["CONTRIBUTING.md"], "Tidy up");
    operator.github.clear_calls();
    insta::assert_snapshot!(undated(&operator.muster(&["sweep", "agency", "--apply"]), 1), @r#"
    agency/fine (needs work)
      waits: open pull request "Add missing open source files: CONTRIBUTING.md" from muster/files: +CONTRIBUTING.md
      would not open an issue: the pull request answers the same finding
      would not write anything yet: the ledger was empty, and people may look first: muster adopt agency --confirm
    agency/site (needs work)
      would not open an issue: a sweep must see it twice, an hour apart
    4 repositories: 2 judged, 2 skipped by rule (empty 1, excluded by ".github" 1), 0 unknown.
    Made 0 changes. 1 more must wait.
    "#);
    operator.only_read();
    let found: Value =
        serde_json::from_str(&told(&operator.muster(&["adopt", "agency", "--format", "json"]), 1)).unwrap();
    assert_eq!((&found["schema"], &found["stage"]), (&"adoption-1".into(), &"waiting".into()));
    let declined = &found["found"][0];
    assert_eq!((&declined["repository"], &declined["number"]), (&"agency/site".into(), &1.into()));
    assert_eq!((&declined["state"], &declined["declined_by"]), (&"declined".into(), &"alice".into()));
    let table = told(&operator.muster(&["adopt", "agency"]), 1);
    assert!(table.contains("add --confirm"), "{table}");
    told(&operator.muster(&["adopt", "agency", "--confirm"]), 0);
    insta::assert_snapshot!(undated(&operator.muster(&["sweep", "agency", "--apply"]), 0), @r#"
    agency/fine (needs work)
      opened pull request #1 "Add missing open source files: CONTRIBUTING.md"
      would not open an issue: the pull request answers the same finding
    agency/site (needs work)
      would not open an issue: a sweep must see it twice, an hour apart
    4 repositories: 2 judged, 2 skipped by rule (empty 1, excluded by ".github" 1), 0 unknown.
    Made 1 change.
    "#);
    assert_eq!(operator.github.pull_requests("agency/site").len(), 1, "what was declined stays so");
    told(&operator.muster(&["audit", "verify"]), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_leaves_a_repository_to_the_server_that_holds_it() {
    let operator = Operator::new().await;
    let url = format!("sqlite://{}/muster.db", operator.folder.path().display());
    let store = Store::open_with(&url, Durability::Test).await.unwrap();
    let now = jiff::Timestamp::now();
    know(&store, &operator.github, "agency", now).await;
    let site = operator.github.repository_id("agency/site");
    let here = InstallationId(operator.github.installation_id("agency"));
    let held = NewJob::new(JobKind::InspectRepository, site, here, Priority::Push, now, "push");
    let lease = store.claim(&held, "server", Duration::from_secs(60), now).await.unwrap().unwrap();
    let applied = operator.muster(&["sweep", "agency", "--apply"]);
    assert_eq!(applied.status.code(), Some(1));
    let said = String::from_utf8(applied.stderr).unwrap();
    assert!(said.contains("agency/site: could not be inspected: a server is working on it now"), "{said}");
    assert_eq!(operator.github.pull_requests("agency/site").len(), 0);

    assert_eq!(store.finish(&lease, now).await.unwrap(), Settlement::Done);
    assert_eq!(operator.muster(&["sweep", "agency", "--apply"]).status.code(), Some(0));
    assert_eq!(operator.github.pull_requests("agency/site").len(), 1);
    // What it held it has given back.
    let jobs = store.jobs(JobFilter::default(), 100, jiff::Timestamp::now()).await.unwrap();
    assert!(jobs.iter().all(|job| job.state == JobState::Waiting), "{jobs:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_holds_no_token_that_can_write() {
    let operator = Operator::new().await;
    let dry = operator.with(&["sweep", "agency", "--apply"], &[("MUSTER_DRY_RUN", "1")]);
    assert_eq!(dry.status.code(), Some(1), "changes are left");
    operator.only_read();
    assert!(operator.github.pull_requests("agency/site").0.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_said_with_the_remedy() {
    let operator = Operator::new().await;
    for (arguments, said) in [
        (["plan", "elsewhere"], "MUSTER_ORGANIZATIONS"),
        (["plan", "agency/nothing"], "check the name"),
        (["scan", "nobody"], "not found"),
    ] {
        let output = operator.muster(&arguments);
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_25_at_once_need_the_number_that_was_shown() {
    let like = complete("like");
    let mut organization = agency(POLICY).repository(like);
    for n in 0..30 {
        let lacking = old(&format!("site-{n:02}")).file("README.md", README).file("LICENSE", cc0());
        organization = organization.repository(lacking);
    }
    let operator = Operator::of(organization).await;
    let rollout = || {
        let plan = operator.muster(&["plan", "agency", "--format", "json"]);
        let plan: Value = serde_json::from_str(&told(&plan, 1)).unwrap();
        let totals = &plan["totals"];
        assert_eq!((&totals["total"], &totals["judged"]), (&32.into(), &31.into()), "{totals}");
        assert_eq!(totals["skipped_by"], serde_json::json!({"excluded by \".github\"": 1}));
        (plan["rollout"]["left"].as_u64().unwrap(), plan["rollout"]["needs_approval"].as_bool().unwrap())
    };
    assert_eq!(rollout(), (30, true));
    let table = told(&operator.muster(&["plan", "agency"]), 1);
    let line = table.lines().last().unwrap();
    insta::assert_snapshot!(line, @"In all, 30 issues and pull requests are left to open, and 0 were opened. After 25 a person must approve: muster plan ORG --approve 30");
    let wrong = operator.muster(&["plan", "agency", "--approve", "31"]);
    assert_eq!(wrong.status.code(), Some(2));
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(said.contains("30 are left, not 31"), "{said}");
    assert_eq!(rollout(), (30, true));
    let right = operator.muster(&["plan", "agency", "--approve", "30"]);
    assert!(String::from_utf8_lossy(&right.stderr).contains("Approved."), "{right:?}");
    assert_eq!(rollout(), (30, false));
    operator.only_read();
}

fn cc0() -> &'static str {
    spdx::license_id("CC0-1.0").unwrap().text()
}

const INVENTORY: &str =
    "agency: {acronym: XA, name: Example Agency, contact: {name: Office, email: o@agency.example.gov}}
inventory: {defaults: {status: Production, maintenance: internal, labor_hours: 0, contract_number: []}}
";

#[tokio::test(flavor = "multi_thread")]
async fn inventory_writes_the_file_and_its_account_without_a_server() {
    let organization = agency(INVENTORY)
        .repository(complete("birds").description("Counts birds."))
        .repository(complete("no-words"))
        .repository(complete("falcon-tracker").private());
    let operator = Operator::of(organization).await;
    insta::assert_snapshot!(told(&operator.muster(&["inventory", "agency", "--account"]), 0), @r"
    The App sees all repositories of agency.
    REPOSITORY             STATE             WHY
    agency/.github         out of scope      the organization's settings, no code of its own
    agency/birds           listed
    agency/falcon-tracker  excluded by rule  inventory.private: omit
    agency/no-words        incomplete        has no /description
    code.json: 1 entry. 1 listed + 1 incomplete + 0 exempt + 1 excluded by rule + 1 out of scope + 0 unknown = 4.
    ");
    let file = told(&operator.muster(&["inventory", "agency"]), 0);
    let document: Value = serde_json::from_str(&file).unwrap();
    assert_eq!(
        (document["agency"].as_str(), document["releases"][0]["name"].as_str()),
        (Some("XA"), Some("birds"))
    );
    assert!(!file.contains("falcon"));
    assert_eq!(file, told(&operator.muster(&["inventory", "agency"]), 0), "the same bytes every time");
    let public = operator.folder.path().join("public");
    std::fs::create_dir(&public).unwrap();
    told(&operator.muster(&["inventory", "agency", "--output", "public"]), 0);
    assert_eq!(std::fs::read_to_string(public.join("code.json")).unwrap(), file);
    assert!(public.join("agency-index.json").exists());

    // From checkouts the same engine says what nobody knows.
    let checkout = operator.folder.path().join("src/birds");
    std::fs::create_dir_all(&checkout).unwrap();
    std::fs::write(checkout.join("README.md"), README).unwrap();
    std::fs::write(operator.folder.path().join("muster.yml"), INVENTORY).unwrap();
    let from = ["inventory", "--from", "src", "--policy", "muster.yml", "--account"];
    insta::assert_snapshot!(told(&operator.muster(&from), 0), @r"
    1 checkout in src, each taken for a public repository.
    REPOSITORY   STATE       WHY
    local/birds  incomplete  has no /description, /permissions/licenses, /permissions/usageType, /repositoryURL
    code.json: 0 entries. 0 listed + 1 incomplete + 0 exempt + 0 excluded by rule + 0 out of scope + 0 unknown = 1.
    ");

    // With code that is elsewhere, and not without it where the policy names it.
    let projects = serde_json::json!([
        {"name": "Rain", "path_with_namespace": "office/rain", "web_url": "https://git.example.gov/office/rain",
            "description": "Counts drops.", "visibility": "public", "license": {"key": "mit"}, "topics": ["rain"],
            "created_at": "2020-01-01T00:00:00.000Z", "last_activity_at": "2026-01-01T00:00:00.000Z"},
        {"name": "Owl", "path_with_namespace": "air/owl", "web_url": "https://git.example.gov/air/owl"},
    ]);
    std::fs::write(operator.folder.path().join("projects.json"), projects.to_string()).unwrap();
    let with_import = [&from[..], &["--import", "projects.json"]].concat();
    insta::assert_snapshot!(told(&operator.muster(&with_import), 0), @r"
1 checkout in src, each taken for a public repository.
REPOSITORY                                   STATE             WHY
local/birds                                  incomplete        has no /description, /permissions/licenses, /permissions/usageType, /repositoryURL
import: https://git.example.gov/office/rain  listed
import: https://git.example.gov/air/owl      excluded by rule  inventory.import: not public
code.json: 1 entry. 1 listed + 1 incomplete + 0 exempt + 1 excluded by rule + 0 out of scope + 0 unknown = 3.
");
    let named = INVENTORY.replacen("inventory: {", "inventory: {import: inventory/outside.json, ", 1);
    assert_ne!(named, INVENTORY);
    std::fs::write(operator.folder.path().join("muster.yml"), named).unwrap();
    let refused = operator.muster(&["inventory", "agency", "--policy", "muster.yml"]);
    assert_eq!(told(&refused, 1), "");
    insta::assert_snapshot!(String::from_utf8_lossy(&refused.stderr), @r"
Reading agency: 4 repositories.
The App sees all repositories of agency.
code.json is refused: the import is not usable: give a copy of it with --import, or run this beside the server's database.
");

    // A policy that does not say whose inventory it is: refused, and no file.
    std::fs::write(operator.folder.path().join("muster.yml"), "mode: observe\n").unwrap();
    let refused = operator.muster(&["inventory", "agency", "--policy", "muster.yml"]);
    assert_eq!(told(&refused, 1), "");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        said.contains("code.json is refused: the lead organization's policy lacks agency.acronym"),
        "{said}"
    );
    operator.only_read();
}
