use insta::assert_snapshot;

use super::{judging::MOST, *};
use crate::domain::{
    repository::{AccountId, testing::Sample},
    untrusted::is_treacherous,
};

const TODAY: Date = Date::constant(2026, 11, 17);

fn proposal(name: &str, changed: Vec<Changed>) -> Proposal {
    Proposal {
        repository: Sample::complete(name).snapshot().repository,
        number: 7,
        current: true,
        head: "1".repeat(40).parse().unwrap(),
        from_fork: false,
        author: Some(Actor { id: Some(AccountId(5)), login: "alice".to_owned(), bot: false }),
        told_all: true,
        changed,
        own: None,
    }
}

fn becomes(file: Watched, text: &str) -> Changed {
    Changed { file, becomes: Becomes::File(FileText::of(text)) }
}

fn record(text: &str) -> Proposal {
    proposal("agency/site", vec![becomes(Watched::Record, text)])
}

fn settings(name: &str, text: &str) -> Proposal {
    proposal(name, vec![becomes(Watched::Settings, text)])
}

fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap()
}

fn verdict(proposal: &Proposal, policy: &Policy, depth: Depth) -> Verdict {
    let files = to_check(proposal, policy, TODAY);
    judge(proposal, &files, policy, depth, TODAY)
}

/// Which files are checked.
fn checked(proposal: &Proposal, text: &str) -> Vec<&'static str> {
    to_check(proposal, &policy(text), TODAY).into_iter().map(|changed| changed.file.path()).collect()
}

/// A verdict as text: how it ends, its headline, and each remark.
fn told(verdict: &Verdict) -> String {
    let mut lines = vec![format!("{}: {}", verdict.conclusion.as_str(), verdict.title)];
    lines.extend(verdict.annotations.iter().map(|remark| {
        let Annotation { file, line, severity, message, .. } = remark;
        format!("{}:{line} {severity} {}", file.path(), message.for_operator())
    }));
    lines.join("\n")
}

#[test]
fn what_is_checked_depends_on_the_mode_and_on_whose_file_it_is() {
    let (code, wish) = (record("{}"), settings("agency/site", "mode: observe"));
    let of_all = settings("agency/.github", "mode: fix");
    for (mode, both) in [("observe", false), ("check", true), ("issue", true), ("fix", true)] {
        let text = format!("mode: {mode}\n");
        assert_eq!(checked(&code, &text), if both { vec!["code.json"] } else { vec![] }, "{mode}");
        assert_eq!(checked(&wish, &text), if both { vec![".github/muster.yml"] } else { vec![] }, "{mode}");
        assert_eq!(checked(&of_all, &text), [".github/muster.yml"], "{mode}");
    }
    // The policy's own file is checked also where its repository is left out.
    assert_eq!(checked(&of_all, "mode: fix\nrepositories: {exclude: [\".github\"]}"), [".github/muster.yml"]);
    assert!(checked(&code, "mode: fix\nrepositories: {exclude: [\"s*\"]}").is_empty());
    for off in ["{file: off}", "off"] {
        assert!(checked(&code, &format!("mode: check\nrules: {{code-json: {off}}}")).is_empty(), "{off}");
    }
    let lowered = Proposal { own: Some(FileText::of("mode: observe\nreason: Ours.")), ..code.clone() };
    assert!(checked(&lowered, "mode: fix").is_empty(), "a repository may lower its own mode");
    let declines = |until: &str| {
        let own = format!("rules: {{code-json: {{decline: {{reason: No., until: {until}}}}}}}");
        Proposal { own: Some(FileText::of(&own)), ..code.clone() }
    };
    assert!(checked(&declines("2026-11-17"), "mode: fix").is_empty());
    assert_eq!(checked(&declines("2026-11-16"), "mode: fix"), ["code.json"]);
    let archived = {
        let mut code = code.clone();
        code.repository.archived = true;
        code
    };
    assert!(checked(&archived, "mode: fix\nrepositories: {archived: include}").is_empty());
    assert!(checked(&Proposal { current: false, ..code }, "mode: fix").is_empty());
}

#[test]
fn a_file_that_goes_is_missed_only_where_it_is_asked_for() {
    let gone = |name, file| proposal(name, vec![Changed { file, becomes: Becomes::Nothing }]);
    let code = gone("agency/site", Watched::Record);
    assert!(checked(&code, "mode: check").is_empty());
    let required = policy("mode: check\nrules: {code-json: {file: required}}\ncheck: {conclusion: failure}");
    let seen = verdict(&code, &required, Depth::Whole);
    assert_eq!(told(&seen), "failure: 1 error");
    assert!(seen.summary.for_operator().contains("You remove code.json"), "{seen:?}");
    let seen = verdict(&code, &required, Depth::Form);
    assert_eq!(told(&seen), "success: Nothing to correct", "what the policy asks for is not told");
    assert!(checked(&gone("agency/site", Watched::Settings), "mode: check").is_empty());
    let seen = verdict(&gone("agency/.github", Watched::Settings), &required, Depth::Form);
    assert_eq!(told(&seen), "neutral: 1 warning");
}

#[test]
fn a_record_is_judged_by_the_schema_or_by_its_form() {
    let policy = policy("mode: check\ncheck: {conclusion: failure}");
    let broken = record("{\n  \"name\": \"site\",\n  \"status\": \"Done\",\n}\n");
    assert_snapshot!(told(&verdict(&broken, &policy, Depth::Form)), @r"
    failure: 1 error
    code.json:3 error There is a comma after the last entry, which JSON does not allow. Remove this comma.
    ");
    let whole = told(&verdict(&broken, &policy, Depth::Whole));
    assert!(whole.lines().count() > 3 && whole.contains("code.json:3 error"), "{whole}");
    let cut = record("{\n  \"name\": \"site");
    for depth in [Depth::Form, Depth::Whole] {
        let seen = verdict(&cut, &policy, depth);
        assert_eq!((seen.conclusion, seen.annotations.len()), (Conclusion::Failure, 1), "{depth:?}");
    }
}

#[test]
fn the_policy_is_judged_alike_for_everybody() {
    let two = settings("agency/.github", "mode: fixx\nrules:\n  licence: off\n");
    let depths = [Depth::Form, Depth::Whole].map(|depth| told(&verdict(&two, &Policy::default(), depth)));
    assert_eq!(depths[0], depths[1]);
    assert_snapshot!(depths[0], @r#"
    neutral: 2 errors
    .github/muster.yml:1 error mode: is "fixx"; did you mean "fix"? write one of observe, check, issue, fix
    .github/muster.yml:3 error rules.licence: unknown key; did you mean "license"?
    "#);
}

#[test]
fn what_the_policy_says_of_a_wish_is_told_to_writers_only() {
    let more = settings("agency/site", "mode: fix\nreason: We want it.\n");
    let policy = policy("mode: check");
    assert_snapshot!(told(&verdict(&more, &policy, Depth::Whole)), @r"
    neutral: 1 error
    .github/muster.yml:1 error mode: is fix, above the policy's check; a repository may only lower its mode: delete it
    ");
    assert_eq!(told(&verdict(&more, &policy, Depth::Form)), "success: Nothing to correct");
    let wrong = settings("agency/site", "limits: {per_day: 3}\n");
    assert_eq!(verdict(&wrong, &policy, Depth::Form).annotations.len(), 1);
}

#[test]
fn a_fork_learns_nothing_from_the_policy_in_force() {
    let policies = ["mode: check", "mode: fix\nrules: {code-json: {file: required}}"].map(policy);
    for changed in [
        record("{\"name\": \"x\",}"),
        settings("agency/site", "mode: fix\nreason: r"),
        settings("agency/.github", "repositories: {exclude: [\"secret-*\"]}"),
    ] {
        let depth = Depth::of(&Proposal { from_fork: true, ..changed.clone() }, true);
        assert_eq!(depth, Depth::Form);
        let [one, other] = policies.each_ref().map(|policy| verdict(&changed, policy, depth));
        assert_eq!(one, other);
    }
}

#[test]
fn what_is_no_text_is_said_and_what_is_not_known_holds_nothing_up() {
    let policy = policy("mode: check\ncheck: {conclusion: failure}");
    let of = |becomes| proposal("agency/site", vec![Changed { file: Watched::Record, becomes }]);
    for (becomes, expected) in [
        (Becomes::Other(EntryKind::Link), Conclusion::Failure),
        (Becomes::Other(EntryKind::Folder), Conclusion::Failure),
        (Becomes::File(FileText::Binary), Conclusion::Failure),
        (Becomes::File(FileText::TooLarge(5_000_000)), Conclusion::Failure),
        (Becomes::File(FileText::Unread("GitHub did not send it".to_owned())), Conclusion::Neutral),
    ] {
        let seen = verdict(&of(becomes.clone()), &policy, Depth::Whole);
        assert_eq!(seen.conclusion, expected, "{becomes:?}");
        assert!(seen.summary.for_operator().contains("\n- "), "{seen:?}");
    }
    let fault = could_not(&record("{}"));
    assert_eq!((fault.conclusion, fault.title.as_str()), (Conclusion::Neutral, "Could not evaluate"));
}

#[test]
fn a_file_with_thousands_of_faults_is_told_in_bounds() {
    let releases = "{\"name\": \"\", \"x\u{202e}\": 3},".repeat(4_000);
    let text = format!("{{\"releases\": [{}]}}", releases.trim_end_matches(','));
    let seen = verdict(&record(&text), &policy("mode: check"), Depth::Whole);
    assert_eq!(seen.annotations.len(), MOST);
    assert!(!seen.summary.is_too_long());
    assert!(seen.summary.for_operator().contains("Left out: "), "{:?}", seen.summary);
    for remark in &seen.annotations {
        let message = remark.message.for_operator();
        assert!(message.chars().count() <= 1_001 && !message.chars().any(is_treacherous), "{message}");
    }
}
