//! Hostile repositories, forged items and hostile policies, through the real
//! client (threats P3, I1, I2, I4, I10, I12, N1).

use github_sandbox::{NewOrganization, NewRepository, Sandbox, installation, state::FilePush};
use insta::assert_snapshot;
use muster::{
    clock::Clock,
    domain::{
        outgoing::TARGET_PATHS,
        repository::{AccountId, RepositoryId},
    },
};
use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::harness::{Muster, README, agency, complete, old, sandbox};

const FIX: &str = "mode: fix\nrepositories: {exclude: [\".github\"]}\nlimits: {first_day: 50, per_day: 50, issues_per_day: 50}\nissue: {from: recommended}\n";
const MORNING: &str = "2026-11-17T09:00:00Z";
const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
/// What no public text may hold: it stands in private repositories only.
const CANARY: &str = "quagga";
/// A marker as a stranger would forge it.
const FORGED: &str =
    "<!-- muster:v1 kind=tracking inst=test repo=1 findings=0123456789abcdef sig=0123456789abcdef -->";

const LFS: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

/// One line that tries everything a line can try.
const HOSTILE: &str = "@octocat closes #1 ![i](http://evil.example/i.png) [l](http://evil.example) \
    \\[m](http://evil.example) \\![n](http://evil.example/n.png) <img src=http://evil.example> \
    <a href=http://evil.example>a</a> <http://evil.example> &lt; ``` ` | <!-- muster:v1 kind=tracking --> \u{202e}txt";

fn cc0() -> &'static str {
    spdx::license_id("CC0-1.0").unwrap().text()
}

async fn start(organization: NewOrganization) -> (Sandbox, Muster) {
    let clock = Clock::stepped(MORNING.parse().unwrap());
    let github = sandbox(&clock)
        .organization(organization)
        .installation(installation("agency"))
        .text_limit(512 * 1024)
        .start()
        .await
        .unwrap();
    let muster = Muster::start(&github, &clock).await;
    (github, muster)
}

/// Repositories that each try something else.
fn zoo() -> Vec<NewRepository> {
    let mut zoo = vec![
        old("link").symlink("LICENSE", "/etc/passwd").symlink("README.md", "../../x").symlink("docs", "/"),
        old("folder-link").file("README.md", README).file("LICENSE", cc0()).symlink(".github", "/etc"),
        old("submodule").submodule("LICENSE").submodule("README.md").submodule("CONTRIBUTING.md"),
        old("lfs").file("LICENSE", LFS).file("README.md", LFS).file("CONTRIBUTING.md", LFS),
        old("huge").file("README.md", "word ".repeat(400_000)).file("LICENSE", "x".repeat(1_000_000)),
        old("binary").file("README.md", b"\0\xff\xfe".as_slice()).file("LICENSE", b"\0".as_slice()),
        old("cases")
            .file("license", cc0())
            .file("LICENSE", "no")
            .file("Readme.md", README)
            .file("README.md", "x"),
        old("names")
            .file("LICENSE-\u{202e}<img src=x>`", "")
            .file("README.\u{200b}md\r\n<!-- x -->", README)
            .file("CONTRIBUTING-``` @octocat closes #1", "x"),
        old("lines")
            .file("LICENSE\n@octocat closes #1 [l](http://evil.example) ``` | <!-- x -->", "")
            .file("README.md", README)
            .file("CONTRIBUTING.md", "Write to us.\n"),
        old("described").description(HOSTILE).file("src/main.rs", "fn main() {}\n"),
        old("marked").description(FORGED).file("README.md", FORGED).file("LICENSE", FORGED),
        old("branch").default_branch("`x`<img>@octocat").file("README.md", README).file("LICENSE", cc0()),
        old(&format!("{CANARY}-one")).private().description(HOSTILE).file("LICENSE", "secret"),
        old(&format!("{CANARY}-two")).internal().file("README.md", format!("{CANARY} {HOSTILE}")),
    ];
    zoo.push(old("empty").empty());
    zoo
}

/// Every text of ours in public repositories.
fn public_texts(github: &Sandbox) -> Vec<String> {
    let bot = github.bot().1;
    github.state(|state| {
        let public =
            state.repositories().filter(|home| home.visibility == github_sandbox::Visibility::Public);
        let mut texts = Vec::new();
        for home in public {
            for issue in home.issues.values().filter(|issue| issue.author == bot) {
                texts.push(issue.title.clone());
                texts.push(issue.body.clone().unwrap_or_default());
            }
            texts.extend(home.comments.values().filter(|c| c.author == bot).map(|c| c.body.clone()));
            texts.extend(home.labels.values().map(|label| format!("{} {:?}", label.name, label.description)));
            for (name, oid) in &home.references {
                texts.push(name.clone());
                if let Some(commit) = home.objects.commit(*oid).filter(|commit| commit.account == Some(bot)) {
                    texts.push(commit.message.clone());
                    let files = home.objects.files(commit.tree);
                    let blobs = files.iter().filter(|(path, _)| TARGET_PATHS.contains(&path.as_str()));
                    texts.extend(blobs.filter_map(|(_, (_, blob))| {
                        home.objects.blob(*blob).map(|text| String::from_utf8_lossy(text).into_owned())
                    }));
                }
            }
        }
        texts
    })
}

/// Around what people add to a text of ours, and nothing else.
const PLACE_FOR_PEOPLE: [&str; 2] = ["<!-- muster:human -->", "<!-- /muster:human -->"];

/// Asserts that a body shows nothing that is not Muster's own: no image, no
/// HTML but the fold, no link but to the policy, no mention, no reference.
fn assert_harmless(text: &str, policy: &str) {
    let (mut comments, mut plain) = (0, String::new());
    for event in Parser::new_ext(text, Options::all()) {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => assert_eq!(&*dest_url, policy, "{text}"),
            Event::Start(Tag::Image { .. }) => panic!("an image: {text}"),
            Event::Html(html) | Event::InlineHtml(html) => {
                let html = html.trim();
                if html.lines().all(|line| PLACE_FOR_PEOPLE.contains(&line)) {
                    continue;
                }
                if html.starts_with("<!--") {
                    assert!(
                        html.starts_with("<!-- muster:v1 ") && html.matches("<!--").count() == 1,
                        "{text}"
                    );
                    comments += 1;
                } else {
                    let fold = ["<details>", "<summary>", "</summary>", "</details>", "Already fine"];
                    let left = fold.iter().fold(html.to_owned(), |html, own| html.replace(own, ""));
                    assert_eq!(left.trim(), "", "HTML: {text}");
                }
            }
            Event::Text(text) => plain.push_str(&text),
            _ => {}
        }
    }
    assert_eq!(comments, 1, "one marker: {text}");
    assert!(PLACE_FOR_PEOPLE.iter().all(|line| text.matches(line).count() == 1), "one place: {text}");
    for bad in ["@", "http:", "https:", "www.", "closes #", "#1"] {
        assert!(!plain.contains(bad), "{bad:?} outside of code: {text}");
    }
    assert!(
        !text.chars().any(|c| c != '\n' && (c.is_control() || ('\u{200b}'..='\u{202e}').contains(&c))),
        "{text:?}"
    );
}

/// All bodies of ours, with the repository each stands in.
fn bodies(github: &Sandbox) -> Vec<(String, String)> {
    let bot = github.bot().1;
    github.state(|state| {
        let mut bodies = Vec::new();
        for home in state.repositories() {
            let ours = home.issues.values().filter(|issue| issue.author == bot);
            bodies.extend(ours.map(|i| (state.full_name(home), i.body.clone().unwrap_or_default())));
        }
        bodies
    })
}

fn assert_clean(github: &Sandbox) {
    let policy = format!("{}/agency/.github/blob/HEAD/.github/muster.yml", github.web_url());
    for (_, body) in bodies(github) {
        assert_harmless(&body, &policy);
    }
    for text in public_texts(github) {
        assert!(!text.to_lowercase().contains(CANARY), "{text}");
    }
    let names: Vec<String> =
        github.state(|state| state.repositories().map(|home| state.full_name(home)).collect());
    for name in names {
        for pull in github.pull_requests(&name).iter().filter(|pull| pull.author.ends_with("[bot]")) {
            for path in &pull.files {
                assert!(TARGET_PATHS.contains(&path.as_str()), "{name}: {path}");
            }
            assert!(
                pull.title.chars().all(|c| c.is_ascii_alphanumeric() || " ._/,:()-".contains(c)),
                "{pull}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_repositories_are_judged_and_answered_without_harm() {
    let organization = zoo().into_iter().fold(agency(FIX), NewOrganization::repository);
    let (github, muster) = start(organization).await;
    muster.begin().await;
    for _ in 0..9 {
        muster.advance(DAY / 8).await;
    }
    let mut seen = String::new();
    let names: Vec<String> = github.state(|state| {
        let names = state.repositories().map(|home| state.full_name(home));
        names.filter(|name| !name.ends_with("/.github")).collect()
    });
    for name in names {
        seen += &format!("{name}: {} | {}\n", github.issues(&name), github.pull_requests(&name));
    }
    assert_snapshot!(seen, @r"
    agency/link:  | #1 Add missing open source files: CONTRIBUTING.md (open)
    agency/folder-link:  | #1 Add missing open source files: CONTRIBUTING.md (open)
    agency/submodule:  | 
    agency/lfs:  | 
    agency/huge:  | #1 Add missing open source files: CONTRIBUTING.md (open)
    agency/binary:  | #1 Add missing open source files: CONTRIBUTING.md (open)
    agency/cases:  | #1 Add missing open source files: CONTRIBUTING.md (open)
    agency/names: #2 Repository open source checklist (open) | #1 Add missing open source files: CONTRIBUTING.md (open)
    agency/lines: #1 Repository open source checklist (open) | 
    agency/described: #2 Repository open source checklist (open) | #1 Add missing open source files: README.md, CONTRIBUTING.md (open)
    agency/marked:  | #1 Add missing open source files: CONTRIBUTING.md (open)
    agency/branch:  | #1 Add missing open source files: CONTRIBUTING.md (open)
    agency/quagga-one:  | #1 Add missing open source files: README.md, CONTRIBUTING.md (open)
    agency/quagga-two: #2 Repository open source checklist (open) | #1 Add missing open source files: CONTRIBUTING.md (open)
    agency/empty:  | 
    ");
    assert_clean(&github);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_that_are_proposed_say_a_hostile_description_and_do_nothing() {
    let described = old("described").description(HOSTILE).file("src/main.rs", "fn main() {}\n");
    let (github, muster) = start(agency(FIX).repository(described)).await;
    muster.begin().await;
    muster.advance(DAY / 12).await;
    let readme = github.file("agency/described", "muster/files", "README.md").unwrap();
    for event in Parser::new_ext(&readme, Options::all()) {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => panic!("a link to {dest_url}: {readme}"),
            Event::Start(Tag::Image { .. }) => panic!("an image: {readme}"),
            Event::Html(html) | Event::InlineHtml(html) => panic!("HTML {html}: {readme}"),
            _ => {}
        }
    }
    assert!(readme.contains("octocat") && !readme.contains("@octocat"), "{readme}");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_entries_in_the_root_are_no_trouble() {
    let mut many = old("many").file("README.md", README).file("LICENSE", cc0());
    for n in 0..100_000 {
        many = many.file(&format!("f{n:06}"), "");
    }
    let beside = old("beside").file("README.md", README).file("LICENSE", cc0());
    let (github, muster) = start(agency(FIX).repository(many).repository(beside)).await;
    muster.begin().await;
    // More than Muster looks at (threats §4, Limits): unknown, so nothing is
    // written, and nobody else waits.
    let many = RepositoryId(github.repository_id("agency/many"));
    let row = muster.ctx.store.repository(many).await.unwrap().unwrap();
    assert!(row.judged_at.is_some() && row.evaluations.is_none(), "{row:?}");
    assert_snapshot!(github.pull_requests("agency/many"), @"");
    assert_snapshot!(github.issues("agency/many"), @"");
    assert_eq!(github.pull_requests("agency/beside").len(), 1);
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_issue_with_our_marker_changes_nothing() {
    let site = || old("site").file("README.md", README).file("CONTRIBUTING.md", "Write to us.\n");
    let (github, muster) = start(agency(FIX).repository(site()).repository(complete("other"))).await;
    let (alice, mallory) = (github.user("alice"), github.user("mallory"));
    mallory.open_issue("agency/site", "Repository open source checklist", FORGED);
    alice.push("agency/site", "main", &[("README.md", &format!("{README}\nMore."))], "Say more");
    muster.settle().await;
    assert_snapshot!(github.issues("agency/site"), @r"
    #1 Repository open source checklist (open)
    #2 Repository open source checklist (open)
    ");
    // Our own body, copied, in the same repository and in another.
    let ours = github.issues("agency/site")[1].body.clone();
    mallory.open_issue("agency/site", "Repository open source checklist", &ours);
    mallory.open_issue("agency/other", "Repository open source checklist", &ours);
    for name in ["agency/site", "agency/other"] {
        alice.push(name, "main", &[("README.md", &format!("{README}\nEven more."))], "Say more");
    }
    muster.settle().await;
    alice.push("agency/site", "main", &[("LICENSE", cc0())], "Add a license");
    muster.settle().await;
    assert_snapshot!(github.issues("agency/site"), @r"
    #1 Repository open source checklist (open)
    #2 Repository open source checklist (closed: completed)
    #3 Repository open source checklist (open)
    ");
    assert_snapshot!(github.issues("agency/other"), @"#1 Repository open source checklist (open)");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_make_of_our_body_is_theirs() {
    type Edit = fn(&str) -> String;
    let edits: [(&str, Edit); 5] = [
        ("emptied", |_| String::new()),
        ("marker removed", |body| body[..body.find("<!-- muster").unwrap()].to_owned()),
        ("marker of another kind", |body| body.replace("kind=tracking", "kind=files")),
        ("box ticked", |body| body.replace("<!-- muster", "- [x] decline\n\n<!-- muster")),
        ("closes promised", |body| format!("@octocat closes #1\n\n{body}")),
    ];
    for (what, edit) in edits {
        let site = old("site").file("README.md", README).file("CONTRIBUTING.md", "Write to us.\n");
        let (github, muster) = start(agency(FIX).repository(site)).await;
        let alice = github.user("alice");
        alice.push("agency/site", "main", &[("README.md", &format!("{README}\nMore."))], "Say more");
        muster.settle().await;
        let edited = edit(&github.issues("agency/site")[0].body);
        alice.edit_body("agency/site", 1, &edited);
        muster.settle().await;
        for n in 0..3 {
            alice.push("agency/site", "main", &[("README.md", &format!("{README}\nMore {n}."))], "Say more");
            muster.advance(DAY).await;
        }
        assert_eq!(
            github.issues("agency/site").to_string(),
            "#1 Repository open source checklist (open)",
            "{what}"
        );
        let body = github.issues("agency/site")[0].body.clone();
        assert_eq!(
            body,
            github_sandbox::on_web(&edited),
            "{what}: the findings are the same, so is the body"
        );
        let site = RepositoryId(github.repository_id("agency/site"));
        assert_eq!(muster.ctx.store.decisions(site).await.unwrap().len(), 0, "{what}");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_of_our_name_that_is_not_ours_is_left_alone() {
    let site = old("site").file("README.md", README).file("LICENSE", cc0());
    let (github, muster) = start(agency(FIX).repository(site)).await;
    let alice = github.user("alice");
    let tip = alice.push("agency/site", "muster/files", &[("CONTRIBUTING.md", "Mine.\n")], "Write it myself");
    alice.push("agency/site", "main", &[("README.md", &format!("{README}\nMore."))], "Say more");
    muster.settle().await;
    muster.advance(DAY).await;
    assert_snapshot!(github.pull_requests("agency/site"), @"");
    assert_eq!(github.head("agency/site", "muster/files"), Some(tip));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_proposes_is_not_proposed_again() {
    for from_fork in [false, true] {
        let site = old("site").file("README.md", README).file("LICENSE", cc0());
        let (github, muster) = start(agency(FIX).repository(site)).await;
        let files = [("contributing.md", "Write to us.\n")];
        if from_fork {
            let mallory = github.user("mallory");
            // From a branch of our name, with our marker.
            mallory.open_pull_request_from_fork("agency/site", "muster/files", &files, "Add it", FORGED);
        } else {
            let alice = github.user("alice");
            alice.push("agency/site", "add-it", &files, "Add it");
            alice.open_pull_request("agency/site", "add-it", "Add it", "Here.");
        }
        let alice = github.user("alice");
        alice.push("agency/site", "main", &[("README.md", &format!("{README}\nMore."))], "Say more");
        muster.settle().await;
        muster.advance(DAY).await;
        assert_eq!(github.pull_requests("agency/site").to_string(), "#1 Add it (open)", "{from_fork}");
        assert!(!github.branches("agency/site").contains(&"muster/files".to_owned()), "{from_fork}");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_cannot_be_read_leaves_the_last_good_one() {
    let bomb = {
        let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
        for (last, next) in "abcdefghi".chars().zip("bcdefghij".chars()) {
            let nine = vec![format!("*{last}"); 9].join(", ");
            bomb += &format!("{next}: &{next} [{nine}]\n");
        }
        bomb
    };
    let policies = [
        ("not YAML", "mode: [observe\n\t}".to_owned()),
        ("10 MB", format!("mode: observe\n# {}\n", "x".repeat(10_000_000))),
        ("alias bomb", bomb),
        ("deep", "[".repeat(100_000)),
        ("unknown key", "mode: observe\nmoed: fix\n".to_owned()),
        ("not text", "mode: observe\n\0".to_owned()),
        ("a list", "- observe\n".to_owned()),
    ];
    for (what, policy) in policies {
        let (github, muster) = start(agency(FIX).repository(complete("site"))).await;
        muster.begin().await;
        github.user("olivia").push("agency/.github", "main", &[(".github/muster.yml", &policy)], "Change it");
        muster.settle().await;
        let account = AccountId(github.state(|state| state.account_named("agency").unwrap().id));
        let known = muster.ctx.store.policy(account).await.unwrap();
        assert_eq!(known.taken.as_ref().map(|taken| taken.text.as_str()), Some(FIX), "{what}");
        let why = known.refused.unwrap_or_else(|| panic!("{what}: no reason is kept")).why;
        assert!(!why.is_empty() && why.len() < 4_000, "{what}: {why}");
        // The last good policy says fix, and so it is done.
        github.user("alice").delete_files("agency/site", "main", &["CONTRIBUTING.md"], "Tidy up");
        muster.settle().await;
        assert_eq!(github.pull_requests("agency/site").len(), 1, "{what}: {why}");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_a_link_or_a_submodule_is_no_policy() {
    let foreign = github_sandbox::git::Oid::of("commit", b"elsewhere");
    let changes = [
        FilePush::Write(github_sandbox::git::Mode::Symlink, "../README.md".into()),
        FilePush::Submodule(foreign),
    ];
    for change in changes {
        let (github, muster) = start(agency(FIX).repository(complete("site"))).await;
        muster.begin().await;
        let olivia = github.user("olivia");
        let what = format!("{change:?}");
        olivia.push_changes(
            "agency/.github",
            "main",
            vec![(".github/muster.yml".to_owned(), change)],
            "Link",
        );
        muster.settle().await;
        github.user("alice").delete_files("agency/site", "main", &["CONTRIBUTING.md"], "Tidy up");
        muster.settle().await;
        let account = AccountId(github.state(|state| state.account_named("agency").unwrap().id));
        let known = muster.ctx.store.policy(account).await.unwrap();
        assert_eq!(known.taken.as_ref().map(|taken| taken.text.as_str()), Some(FIX), "{what}");
        muster.finish().await;
    }
}
