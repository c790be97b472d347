//! The edge cases, one row each: what stands in a repository, and what the
//! judge says.

use super::*;
use crate::domain::repository::{
    EntryKind, FileText,
    testing::{README, Sample, license_text, mit},
};

const POLICY: &str = "rules: {license: {}, readme: {}, contributing: {}}";

fn report(policy: &str, sample: Sample) -> Report {
    let policy = Policy::parse(policy).unwrap_or_else(|problems| panic!("{policy}: {problems:?}"));
    evaluate(&policy, &sample.snapshot(), "2026-11-22T00:00:00Z".parse().unwrap())
}

/// One word and, for a failure, its gap: `pass`, `fail missing`, `unknown`.
fn word(report: &Report, rule: RuleId) -> String {
    match report.outcome(rule) {
        None => "not judged".to_owned(),
        Some(Outcome::Pass(Evidence { advice: None, .. })) => "pass".to_owned(),
        Some(Outcome::Pass(Evidence { advice: Some(_), .. })) => "advice".to_owned(),
        Some(Outcome::Fail(finding)) => format!("fail {}", finding.gap.as_str()),
        Some(Outcome::Waived { .. }) => "waived".to_owned(),
        Some(Outcome::Unknown { .. }) => "unknown".to_owned(),
    }
}

/// Everything a person reads of a rule's outcome.
fn said(report: &Report, rule: RuleId) -> String {
    match report.outcome(rule) {
        Some(Outcome::Pass(evidence)) => {
            format!("{} | {}", evidence.summary, evidence.advice.as_deref().unwrap_or(""))
        }
        Some(Outcome::Fail(finding)) => format!("{} | {}", finding.summary, finding.remedy),
        Some(Outcome::Waived { reason } | Outcome::Unknown { reason }) => reason.clone(),
        None => String::new(),
    }
}

fn base() -> Sample {
    Sample::complete("agency/site")
}

/// A complete repository whose LICENSE is `text` instead.
fn licensed(text: FileText) -> Sample {
    base().without("LICENSE").content("LICENSE", text)
}

fn text(text: &str) -> FileText {
    FileText::of(text)
}

fn readme_only() -> Sample {
    Sample::public("agency/site").file("README.md", README)
}

#[test]
fn repositories_skipped_by_rule_are_named_and_not_judged() {
    for (name, policy, sample, expected) in [
        ("empty", POLICY, Sample::public("a/b").with(|r| r.head = None), Some(Skip::Empty)),
        ("fork", POLICY, base().with(|r| r.fork = true), Some(Skip::Fork)),
        ("fork wanted", "repositories: {forks: include}", base().with(|r| r.fork = true), None),
        ("archived", POLICY, base().with(|r| r.archived = true), Some(Skip::Archived)),
        ("archived wanted", "repositories: {archived: include}", base().with(|r| r.archived = true), None),
        ("mirror", POLICY, base().with(|r| r.mirror = true), Some(Skip::Mirror)),
        ("template", POLICY, base().with(|r| r.template = true), Some(Skip::Template)),
        ("made from a template", POLICY, base(), None),
        ("disabled", POLICY, base().with(|r| r.disabled = true), Some(Skip::Disabled)),
        (
            "excluded",
            "repositories: {exclude: ['x', '*-sandbox']}",
            Sample::complete("agency/my-sandbox"),
            Some(Skip::Excluded("*-sandbox".to_owned())),
        ),
        ("issues disabled (410)", POLICY, base().with(|r| r.issues_enabled = false), None),
        (
            "default branch is not main and has a slash",
            POLICY,
            base().with(|r| r.head.as_mut().unwrap().branch = "release/2.x".to_owned()),
            None,
        ),
        (
            "renamed while it was read",
            POLICY,
            base().with(|r| r.name = "agency/new-name".parse().unwrap()),
            None,
        ),
    ] {
        let report = report(policy, sample);
        assert_eq!(report.skipped, expected, "{name}");
        assert_eq!(report.judgements.is_empty(), expected.is_some(), "{name}");
    }
}

#[test]
fn licenses() {
    let (mit, cc0) = (mit(), license_text("CC0-1.0"));
    let only = "rules: {license: {allow: [CC0-1.0]}}";
    let no_license = || base().without("LICENSE");
    for (name, policy, sample, outcome, saying) in [
        ("as published", POLICY, base(), "pass", "LICENSE, MIT"),
        ("only a README", POLICY, readme_only(), "fail missing", "There is no license file."),
        ("CRLF", POLICY, licensed(text(&mit.replace('\n', "\r\n"))), "pass", "MIT"),
        ("byte order mark", POLICY, licensed(text(&format!("\u{feff}{mit}"))), "pass", "MIT"),
        (
            "UTF-16 and Latin-1, decoded",
            POLICY,
            licensed(text(&mit.replace("Agency", "Behörde"))),
            "pass",
            "MIT",
        ),
        ("0 bytes", POLICY, licensed(text("")), "fail empty", "empty"),
        ("white space", POLICY, licensed(text(" \n\t\u{feff}\r\n")), "fail empty", "empty"),
        ("binary", POLICY, licensed(FileText::Binary), "advice", "not identified"),
        ("too large", POLICY, licensed(FileText::TooLarge(9_000_000)), "advice", "9000000 bytes"),
        ("pointer of LFS", POLICY, licensed(FileText::LfsPointer), "unknown", "Git LFS"),
        ("unread text", POLICY, licensed(FileText::Unread("502".into())), "unknown", "502"),
        ("text never fetched", POLICY, no_license().entry("LICENSE", EntryKind::File), "unknown", "fetched"),
        ("link", POLICY, no_license().entry("LICENSE", EntryKind::Link), "unknown", "link"),
        ("submodule", POLICY, no_license().entry("LICENSE", EntryKind::Submodule), "unknown", "submodule"),
        (
            "folder",
            POLICY,
            no_license().entry("LICENSE", EntryKind::Folder),
            "fail missing",
            "no license file",
        ),
        ("other words", POLICY, licensed(text("Ask Bob before you use this.")), "advice", "not identified"),
        ("case collision", POLICY, base().file("license", &cc0), "unknown", "differ only in case"),
        ("truncated tree, root read", POLICY, base().unread("docs", "truncated"), "pass", "MIT"),
        ("truncated tree, root unread", POLICY, no_license().unread("", "truncated"), "unknown", "root"),
        ("unread docs", POLICY, no_license().unread("docs", "502"), "unknown", "docs"),
        ("LICENSE.md", POLICY, no_license().file("LICENSE.md", &mit), "pass", "LICENSE.md, MIT"),
        ("COPYING", POLICY, no_license().file("COPYING", &mit), "pass", "COPYING"),
        (
            "two files",
            POLICY,
            no_license().file("LICENSE-MIT", &mit).file("LICENSE-APACHE", &license_text("Apache-2.0")),
            "pass",
            "LICENSE-MIT and LICENSE-APACHE, MIT and Apache-2.0",
        ),
        (
            "REUSE",
            POLICY,
            no_license()
                .entry("LICENSES/CC0-1.0.txt", EntryKind::File)
                .entry("LICENSES/x.txt", EntryKind::File),
            "advice",
            "LICENSES/CC0-1.0.txt, CC0-1.0",
        ),
        ("in .github", POLICY, no_license().file(".github/LICENSE", &mit), "advice", "will not show it"),
        ("with NOTICE", POLICY, base().file("NOTICE", "Made by many."), "pass", "LICENSE, MIT"),
        (
            "NOTICE alone",
            POLICY,
            no_license().file("NOTICE", "Made by many."),
            "fail missing",
            "no license file",
        ),
        ("TERMS alone", POLICY, no_license().file("TERMS.md", &cc0), "pass", "TERMS.md, CC0-1.0"),
        (
            "package.json only",
            POLICY,
            no_license().file("package.json", r#"{"license": "MIT"}"#),
            "fail only-named",
            "only package.json names one (MIT).",
        ),
        (
            "Cargo.toml only",
            POLICY,
            no_license().file("Cargo.toml", "[package]\nlicense = \"MIT\""),
            "fail only-named",
            "Cargo.toml names one (MIT). | Add the text of MIT",
        ),
        (
            "pyproject.toml only",
            POLICY,
            no_license().file("pyproject.toml", "[project]\nlicense = {text = \"MIT\"}"),
            "fail only-named",
            "pyproject.toml",
        ),
        (
            "npm's word for no license",
            POLICY,
            no_license().file("package.json", r#"{"license": "UNLICENSED"}"#),
            "fail missing",
            "There is no license file. |",
        ),
        (
            "README section only",
            POLICY,
            no_license().file("README.md", &format!("{README}\n## Public domain\n\nYes.\n")),
            "fail only-named",
            "only README.md speaks of a license",
        ),
        (
            "SPDX line only",
            POLICY,
            no_license().file("README.md", &format!("<!-- SPDX-License-Identifier: CC0-1.0 -->\n{README}")),
            "fail only-named",
            "only README.md names one (CC0-1.0)",
        ),
        (
            "GitHub alone",
            POLICY,
            no_license().with(|r| r.github_license = Some("MIT".into())),
            "fail only-named",
            "GitHub shows MIT",
        ),
        (
            "licenses of packages only (monorepo)",
            POLICY,
            no_license().entry("packages", EntryKind::Folder),
            "fail missing",
            "no license file",
        ),
        (
            "monorepo with a license of the whole",
            POLICY,
            base().entry("packages", EntryKind::Folder),
            "pass",
            "MIT",
        ),
        ("not allowed", only, base(), "fail not-allowed", "does not allow MIT"),
        ("allowed", only, licensed(text(&cc0)), "pass", "CC0-1.0"),
        (
            "one of two allowed",
            only,
            no_license().file("LICENSE-MIT", &mit).file("LICENSE-CC0", &cc0),
            "advice",
            "does not list MIT",
        ),
        ("unidentified is never refused", only, licensed(text("Ask Bob.")), "advice", "not identified"),
        (
            "named by the policy",
            "rules: {license: {paths: [legal.txt]}}",
            no_license().file("legal.txt", &mit),
            "pass",
            "legal.txt, MIT",
        ),
        (
            "named by the policy, in a folder nobody read",
            "rules: {license: {paths: [legal/terms.txt]}}",
            no_license(),
            "unknown",
            "legal",
        ),
    ] {
        let report = report(policy, sample);
        let (found, said) = (word(&report, RuleId::License), said(&report, RuleId::License));
        assert_eq!(found, outcome, "{name}: {said}");
        assert!(said.contains(saying), "{name}: {said}");
    }
}

#[test]
fn readmes() {
    let strict = "rules: {readme: {sections: [Contributing]}}";
    let no_readme = || base().without("README.md");
    let with = |path: &str, text: &str| no_readme().file(path, text);
    let content = |text: FileText| no_readme().content("README.md", text);
    for (name, policy, sample, outcome, saying) in [
        ("plain", POLICY, base(), "pass", "README.md, 4"),
        ("none", POLICY, no_readme(), "fail missing", "There is no README."),
        ("readme.org", POLICY, with("readme.org", README), "pass", "readme.org"),
        ("README without extension", POLICY, with("README", README), "pass", "README, "),
        ("README.fr.md only", POLICY, with("README.fr.md", README), "advice", "may not show README.fr.md"),
        ("README.fr.md beside README.md", POLICY, base().file("README.fr.md", "x"), "pass", "README.md"),
        ("in docs", POLICY, with("docs/README.rst", README), "pass", "docs/README.rst"),
        (
            ".github before the root",
            POLICY,
            base().file(".github/README.md", README),
            "pass",
            ".github/README.md",
        ),
        ("0 bytes", POLICY, content(text("")), "fail empty", "README.md is empty."),
        ("white space", POLICY, content(text("\u{feff} \n")), "fail empty", "is empty"),
        ("a few words", POLICY, content(text("# Site\n\nTo do.")), "pass", "3 words"),
        (
            "too few words for the policy",
            "rules: {readme: {min_words: 30}}",
            content(text("# Site\n\nTo do.")),
            "fail too-short",
            "3 words",
        ),
        (
            "few words for me",
            "rules: {readme: {min_words: 3}}",
            content(text("# Site\n\nTo do.")),
            "pass",
            "3",
        ),
        ("over 1 MiB", POLICY, content(FileText::TooLarge(2_000_000)), "advice", "2000000 bytes"),
        ("over 1 MiB, sections asked", strict, content(FileText::TooLarge(2_000_000)), "unknown", "2000000"),
        ("pointer of LFS", POLICY, content(FileText::LfsPointer), "unknown", "Git LFS"),
        ("binary", POLICY, content(FileText::Binary), "advice", "not a text"),
        ("link", POLICY, no_readme().entry("README.md", EntryKind::Link), "unknown", "link"),
        ("unread root", POLICY, no_readme().unread("", "502"), "unknown", "502"),
        ("case collision", POLICY, base().file("readme.md", README), "unknown", "differ only in case"),
        ("section missing", strict, base(), "fail section", "no heading for Contributing"),
        (
            "section there",
            strict,
            content(text(&format!("{README}\n## How to contribute\n\nSay hello.\n"))),
            "pass",
            "README.md",
        ),
        (
            "the organization's README does not count",
            POLICY,
            no_readme().inherits(Visibility::Public, Sample::complete("agency/.github")),
            "fail missing",
            "no README",
        ),
        (
            "hostile name",
            "rules: {readme: {min_words: 30}}",
            with("README-\u{202e}<img>\n@all.md", "x"),
            "fail too-short",
            r#""README-\u{202e}<img>\u{a}@all.md" has 1 word"#,
        ),
    ] {
        let report = report(policy, sample);
        let (found, said) = (word(&report, RuleId::Readme), said(&report, RuleId::Readme));
        assert_eq!(found, outcome, "{name}: {said}");
        assert!(said.contains(saying), "{name}: {said}");
    }
}

#[test]
fn contribution_files() {
    let local = "rules: {contributing: {require_local: true}}";
    let own = || base().without("CONTRIBUTING.md");
    let home = || Sample::public("agency/.github").file("CONTRIBUTING.md", "Hello.");
    for (name, policy, sample, outcome, saying) in [
        ("own", POLICY, base(), "pass", "CONTRIBUTING.md"),
        ("own in docs, other case", POLICY, own().file("docs/contributing.rst", "Hello."), "pass", "docs/"),
        ("none", POLICY, own(), "fail missing", "no contribution file"),
        ("empty", POLICY, own().file("CONTRIBUTING.md", " "), "fail empty", "is empty"),
        ("inherited", POLICY, own().inherits(Visibility::Public, home()), "pass", "of agency/.github"),
        (
            "inherited from an internal repository",
            POLICY,
            own().inherits(Visibility::Internal, home()),
            "advice",
            "outside your enterprise",
        ),
        (
            "a private one lends none",
            POLICY,
            own().inherits(Visibility::Private, home()),
            "fail missing",
            "private",
        ),
        (
            "empty default",
            POLICY,
            own().inherits(Visibility::Public, Sample::public("agency/.github").file("CONTRIBUTING.md", "")),
            "fail missing",
            "no contribution file",
        ),
        (
            "default does not count",
            local,
            own().inherits(Visibility::Public, home()),
            "fail only-inherited",
            "Only",
        ),
        ("unread default", POLICY, own().inherits_unread("502"), "unknown", ".github repository could not"),
        ("unread default that would not count", local, own().inherits_unread("502"), "fail missing", ""),
        ("own, default unread", POLICY, base().inherits_unread("502"), "pass", "CONTRIBUTING.md"),
        (
            "unread folder of the default",
            POLICY,
            own().inherits(Visibility::Public, Sample::public("a/.github").unread("docs", "502")),
            "unknown",
            "502",
        ),
        (
            "the organization's own .github does not inherit from itself",
            POLICY,
            Sample::public("agency/.github").inherits(Visibility::Public, home()),
            "fail missing",
            "",
        ),
        ("unread folder", POLICY, own().unread(".github", "502"), "unknown", ".github"),
        ("case collision", POLICY, base().file("Contributing.md", "x"), "unknown", "differ only in case"),
        ("link", POLICY, own().entry("CONTRIBUTING.md", EntryKind::Link), "unknown", "link"),
        (
            "section",
            "rules: {contributing: {sections: [Getting Started]}}",
            base(),
            "fail section",
            "Getting Started",
        ),
    ] {
        let report = report(policy, sample);
        let (found, said) = (word(&report, RuleId::Contributing), said(&report, RuleId::Contributing));
        assert_eq!(found, outcome, "{name}: {said}");
        assert!(said.contains(saying), "{name}: {said}");
    }
}

#[test]
fn inventory_files() {
    const RECORD: &str =
        r#"{"name":"a","description":"b","permissions":{"licenses":[]},"contact":{"email":"c@d.gov"}}"#;
    // What gov 2.0.0 asks for, but for what is given.
    let whole = |other: &[(&str, &str)]| {
        let fields = [
            ("name", "\"Site\""),
            ("description", "\"Counts birds.\""),
            ("status", "\"Beta\""),
            (
                "permissions",
                r#"{"licenses": [{"name": "MIT", "URL": "https://spdx.org/licenses/MIT.html"}], "usageType": ["openSource"]}"#,
            ),
            ("organization", "\"Office\""),
            ("repositoryURL", "\"https://github.example.gov/agency/site\""),
            ("repositoryVisibility", "\"public\""),
            ("vcs", "\"git\""),
            ("laborHours", "0"),
            ("reuseFrequency", r#"{"forks": 0}"#),
            ("languages", "[]"),
            ("maintenance", "\"internal\""),
            ("contractNumber", "[]"),
            ("SBOM", "\"None\""),
            ("date", "{}"),
            ("tags", "[]"),
            ("contact", r#"{"email": "c@example.gov"}"#),
            ("feedbackMechanism", "\"https://github.example.gov/agency/site/issues\""),
            ("AIUseCaseID", "\"0\""),
        ];
        let value = |(key, value): &(&str, &str)| {
            let value = other.iter().find(|(of, _)| of == key).map_or(*value, |(_, value)| *value);
            format!("\"{key}\": {value}")
        };
        format!("{{{}}}", fields.iter().map(value).collect::<Vec<_>>().join(", "))
    };
    let required = "rules: {code-json: {file: required}}";
    let optional = "rules: {code-json: {file: optional}}";
    let with = |text: &str| base().file("code.json", text);
    for (name, policy, sample, outcome, saying) in [
        ("required and whole", required, with(&whole(&[])), "pass", "code.json"),
        ("required, and by another schema", required, with(RECORD), "fail fields", "status"),
        ("optional and there", optional, with(RECORD), "pass", "code.json"),
        (
            "kept where the inventory is",
            "rules: {code-json: {file: required}}\ninventory: {repository: agency/site}",
            base(),
            "not judged",
            "",
        ),
        (
            "under a former address",
            required,
            with(&whole(&[("repositoryURL", "\"https://github.example.gov/agency/old\"")]))
                .with(|r| r.former_urls = vec!["https://github.example.gov/agency/old/".to_owned()]),
            "fail drift",
            "about repositoryURL",
        ),
        (
            "not private, and optional",
            optional,
            with(&whole(&[("repositoryVisibility", "\"private\"")])),
            "advice",
            "about repositoryVisibility",
        ),
        (
            "not private",
            required,
            with(&whole(&[("repositoryVisibility", "\"private\"")])),
            "fail drift",
            "about repositoryVisibility",
        ),
        (
            "another license",
            required,
            with(&whole(&[(
                "permissions",
                r#"{"licenses": [{"name": "Apache-2.0", "URL": "https://spdx.org/licenses/Apache-2.0.html"}], "usageType": ["openSource"]}"#,
            )])),
            "fail drift",
            "about permissions/licenses",
        ),
        (
            "no contact",
            required,
            with(&whole(&[("contact", r#"{"email": "call us"}"#)])),
            "fail fields",
            "contact/email",
        ),
        ("no AI use case", required, with(&whole(&[("AIUseCaseID", "null")])), "fail fields", "AIUseCaseID"),
        ("required and missing", required, base(), "fail missing", "no code.json"),
        ("optional and missing", optional, base(), "not judged", ""),
        ("optional and broken", optional, with("{"), "fail malformed", "ends before"),
        ("off", "rules: {code-json: {file: off}}", with("{"), "not judged", ""),
        ("rule off", "rules: {code-json: off}", with("{"), "not judged", ""),
        ("in other case", required, base().file("Code.json", RECORD), "fail missing", "Code.json"),
        ("collision", required, with(RECORD).file("CODE.JSON", RECORD), "unknown", "differ only in case"),
        ("byte order mark", optional, with(&format!("\u{feff}{RECORD}")), "advice", "byte order mark"),
        ("comment", required, with("{\n// no\n}"), "fail malformed", "comment"),
        ("trailing comma", required, with("{\"name\": \"x\",}"), "fail malformed", "comma"),
        ("missing comma", required, with("{\"name\": 1\n\"x\": 2}"), "fail malformed", "comma is missing"),
        ("single quotes", required, with("{'name': 1}"), "fail malformed", "single quote"),
        ("bare key", required, with("{name: 1}"), "fail malformed", "not JSON: this key has no quotes"),
        ("deep", required, with(&"[".repeat(100_000)), "fail malformed", "nested too deep"),
        ("a text at the root", required, with("\"x\""), "fail malformed", "a single value"),
        ("list at the root", required, with(&format!("[{RECORD}]")), "fail malformed", "a list of 1"),
        (
            "duplicate keys",
            required,
            with(r#"{"name": 1, "name": 2}"#),
            "fail malformed",
            "name is there twice",
        ),
        (
            "version 1.0.1, projects",
            required,
            with(&format!(r#"{{"version": "1.0.1", "projects": [{RECORD}]}}"#)),
            "advice",
            "an inventory of 1 projects",
        ),
        (
            "version 2.0, releases",
            required,
            with(&format!(r#"{{"version": "2.0.0", "releases": [{RECORD},{RECORD}]}}"#)),
            "pass",
            "an inventory of 2 releases",
        ),
        (
            "a release without fields",
            required,
            with(r#"{"releases": [{}]}"#),
            "fail fields",
            "Entry 1 of code.json does not have name, description, permissions and contact.",
        ),
        ("a release that is none", required, with(r#"{"releases": [7]}"#), "fail malformed", "no object"),
        (
            "no releases",
            required,
            with(r#"{"version": "2.0.0", "measurementType": {}}"#),
            "fail fields",
            "does not have releases",
        ),
        (
            "blank name",
            required,
            with(&RECORD.replace("\"a\"", "\" \"")),
            "fail fields",
            "does not have name",
        ),
        (
            "contact as a text",
            required,
            with(&RECORD.replace(r#"{"email":"c@d.gov"}"#, "\"c@d.gov\"")),
            "fail fields",
            "The field contact must be an object.",
        ),
        (
            "the first schema's license",
            optional,
            with(r#"{"name":"a","description":"b","license":null,"contact":{"email":"c@d.gov"}}"#),
            "pass",
            "code.json",
        ),
        ("fields missing", required, with(r#"{"name": "x"}"#), "fail fields", "Fill in description"),
        ("empty", required, with(""), "fail empty", "is empty"),
        ("binary", required, base().content("code.json", FileText::Binary), "fail malformed", "not a text"),
        ("link", required, base().entry("code.json", EntryKind::Link), "unknown", "link"),
        ("unread root", required, base().unread("", "502"), "unknown", "502"),
    ] {
        let report = report(policy, sample);
        let (found, said) = (word(&report, RuleId::CodeJson), said(&report, RuleId::CodeJson));
        assert_eq!(found, outcome, "{name}: {said}");
        assert!(said.contains(saying), "{name}: {said}");
    }
    let report = report(required, with("{\n  \"name\": \"x\",\n}"));
    let Some(Outcome::Fail(finding)) = report.outcome(RuleId::CodeJson) else { panic!("{report:?}") };
    let place = finding.place.as_ref().unwrap();
    assert_eq!((place.path.as_str(), place.line, place.column), ("code.json", Some(2), Some(14)));
}

#[test]
fn what_is_not_public_or_not_yet_in_force_is_only_recommended() {
    let severity = |policy, visibility| {
        let sample = base().with(|r| r.visibility = visibility);
        report(policy, sample).judgements.iter().map(|j| j.severity).collect::<Vec<_>>()
    };
    use Severity::{Recommended, Required};
    assert_eq!(severity(POLICY, Visibility::Public), [Required; 3]);
    assert_eq!(severity(POLICY, Visibility::Internal), [Recommended; 3]);
    assert_eq!(severity(POLICY, Visibility::Private), [Recommended; 3]);
    let later = "rules: {license: {since: 2026-11-23}, readme: {since: 2026-11-22}}";
    assert_eq!(severity(later, Visibility::Public), [Recommended, Required, Required]);
}

#[test]
fn the_texts_asked_for_are_the_texts_judged() {
    let files = base()
        .file("LICENSE-APACHE", "x")
        .file("docs/README.md", "x")
        .file("README.txt", "x")
        .file("code.json", "{}")
        .file(".github/muster.yml", "")
        .file("package.json", "{}")
        .file("src.rs", "x")
        .entry("LICENSES/MIT.txt", EntryKind::File)
        .snapshot()
        .files;
    assert_eq!(
        wanted(&files),
        ["LICENSE", "LICENSE-APACHE", "README.md", "CONTRIBUTING.md", "code.json", ".github/muster.yml"]
    );
    let files = readme_only().file("package.json", "{}").file("NOTICE", "x").snapshot().files;
    assert_eq!(wanted(&files), ["NOTICE", "package.json", "README.md"]);
    let mut many = Sample::public("a/b");
    for n in 0..100 {
        many = many.file(&format!("LICENSE-{n}"), "x");
    }
    assert_eq!(wanted(&many.snapshot().files).len(), 16);
}

#[test]
fn the_table_of_rules_is_in_order() {
    assert_eq!(RULES.map(|rule| rule.id), RuleId::ALL);
    for id in RuleId::ALL {
        let rule = rule(id);
        assert_eq!(rule.id, id);
        assert!(rule.source.starts_with("https://") && rule.why.ends_with('.'), "{rule:?}");
    }
}
