use insta::assert_snapshot;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::domain::finding::{RuleId, Severity};

/// Every key of the contract that this version takes.
const FULL: &str = r#"
agency:
  acronym: EXA
  name: Example Agency
  contact: {name: Open Source Program Office, email: opensource@example.gov}
  policy: {url: "https://www.example.gov/open-source", adopted: 2026-01-15}
  acquisition: {url: "https://www.example.gov/buying", adopted: 2026-02-01}
  access: {procedure_url: "https://intranet.example.gov/code", contact: Code desk}
mode: fix
extends: [federal]
rules:
  license: {severity: required, allow: [CC0-1.0, MIT], propose: CC0-1.0, reviewers: ospo, paths: [legal/LICENSE], since: 2026-03-01}
  readme: {severity: recommended, paths: [doc/README.md], sections: [Installation], min_words: 50, since: 2026-03-01}
  contributing: {severity: recommended, paths: [doc/CONTRIBUTING.md], require_local: true, sections: [How to help], since: 2026-03-01}
  code-json: {severity: required, file: required, schema: gov-2.0.0, since: 2026-03-01}
repositories: {exclude: ["*-sandbox"], archived: include, forks: include, new_for: 14d}
limits: {first_day: 1, per_day: 2, per_repository_per_week: 3, open: 4, issues_per_day: 5, writes_per_minute: 6, writes_per_hour: 7}
quiet:
  timezone: America/New_York
  days: [fri, mon]
  hours: "08:30-17:00"
  federal_holidays: false
  freezes: [{from: 2026-12-14, to: 2027-01-02}]
issue: {from: recommended, label: "open source"}
pull_request: {branch_prefix: bot/muster-}
check: {conclusion: failure}
inventory:
  repository: example/code-inventory
  by: commit
  publish: [gsa-2.0.0]
  measurement: {method: modules}
  private: redact
  access_url: https://www.example.gov/code-access
  internal_hosts: [git.example.internal]
  labor_hours: cocomo-ii
  defaults: {maintenance: contract, vcs: git, status: Beta, organization: Labs, labor_hours: 7, contract_number: [A-1]}
  import: records/outside.json
control: example-agency/decisions
"#;

fn problems(text: &str) -> String {
    lines(Policy::parse(text).unwrap_err())
}

fn lines(problems: Vec<Problem>) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_key_is_read_into_its_place() {
    let policy = Policy::parse(FULL).unwrap();
    assert_snapshot!(serde_json::to_string_pretty(&policy).unwrap(), @r#"
{
  "agency": {
    "acronym": "EXA",
    "name": "Example Agency",
    "contact": {
      "name": "Open Source Program Office",
      "email": "opensource@example.gov"
    },
    "policy": {
      "url": "https://www.example.gov/open-source",
      "adopted": "2026-01-15"
    },
    "acquisition": {
      "url": "https://www.example.gov/buying",
      "adopted": "2026-02-01"
    },
    "access": {
      "procedure_url": "https://intranet.example.gov/code",
      "contact": "Code desk"
    }
  },
  "mode": "fix",
  "extends": [
    "federal"
  ],
  "rules": {
    "license": {
      "severity": "required",
      "allow": [
        "CC0-1.0",
        "MIT"
      ],
      "propose": "CC0-1.0",
      "reviewers": "ospo",
      "paths": [
        "legal/LICENSE"
      ],
      "since": "2026-03-01"
    },
    "readme": {
      "severity": "recommended",
      "paths": [
        "doc/README.md"
      ],
      "sections": [
        "Installation"
      ],
      "min_words": 50,
      "since": "2026-03-01"
    },
    "contributing": {
      "severity": "recommended",
      "paths": [
        "doc/CONTRIBUTING.md"
      ],
      "require_local": true,
      "sections": [
        "How to help"
      ],
      "since": "2026-03-01"
    },
    "code-json": {
      "severity": "required",
      "file": "required",
      "schema": "gov-2.0.0",
      "since": "2026-03-01"
    }
  },
  "repositories": {
    "exclude": [
      "*-sandbox"
    ],
    "archived": "include",
    "forks": "include",
    "new_for": "14d"
  },
  "limits": {
    "first_day": 1,
    "per_day": 2,
    "per_repository_per_week": 3,
    "open": 4,
    "issues_per_day": 5,
    "writes_per_minute": 6,
    "writes_per_hour": 7
  },
  "quiet": {
    "timezone": "America/New_York",
    "days": [
      "mon",
      "fri"
    ],
    "hours": "08:30-17:00",
    "federal_holidays": false,
    "freezes": [
      {
        "from": "2026-12-14",
        "to": "2027-01-02"
      }
    ]
  },
  "issue": {
    "from": "recommended",
    "label": "open source"
  },
  "pull_request": {
    "branch_prefix": "bot/muster-"
  },
  "check": {
    "conclusion": "failure"
  },
  "inventory": {
    "repository": "example/code-inventory",
    "by": "commit",
    "publish": [
      "gsa-2.0.0"
    ],
    "measurement": {
      "method": "modules"
    },
    "private": "redact",
    "access_url": "https://www.example.gov/code-access",
    "internal_hosts": [
      "git.example.internal"
    ],
    "labor_hours": "cocomo-ii",
    "defaults": {
      "maintenance": "contract",
      "vcs": "git",
      "status": "Beta",
      "organization": "Labs",
      "labor_hours": 7,
      "contract_number": [
        "A-1"
      ]
    },
    "import": "records/outside.json"
  },
  "control": "example-agency/decisions"
}
"#);
    assert!(policy.repositories.exclude.matching("My-Sandbox").is_some());
    assert_eq!(policy.repositories.exclude.matching("sandbox"), None);
}

#[rstest]
#[case("")]
#[case("# nothing yet\n")]
#[case("{}")]
#[case("---\n")]
#[case("\u{feff}mode: observe\n")]
#[case("rules:\n  # license: off\nquiet:\nlimits: {}\nagency: {contact: }\n")]
#[case("extends: [federal]")]
fn what_says_nothing_is_the_default(#[case] text: &str) {
    assert_eq!(Policy::parse(text), Ok(Policy::default()));
}

#[test]
fn the_default_observes_by_the_federal_pack() {
    let policy = Policy::default();
    assert_eq!(policy.mode, Mode::Observe);
    let severities = RuleId::ALL.map(|rule| policy.rules.severity(rule));
    assert_eq!(
        severities,
        [Severity::Required, Severity::Required, Severity::Required, Severity::Recommended]
    );
    let none = Policy::parse("extends: []").unwrap();
    assert_eq!(RuleId::ALL.map(|rule| none.rules.severity(rule)), [Severity::Off; 4]);
}

#[rstest]
#[case("off")]
#[case("false")]
#[case("False")]
#[case("\"off\"")]
#[case("{severity: off}")]
#[case("{severity: false}")]
fn three_spellings_of_off(#[case] off: &str) {
    let policy = Policy::parse(&format!("rules: {{readme: {off}}}")).unwrap();
    assert_eq!(policy.rules.severity(RuleId::Readme), Severity::Off);
}

#[test]
fn modes_and_severities_are_ordered() {
    assert!(Mode::ALL.is_sorted());
    assert!(Severity::Off < Severity::Recommended && Severity::Recommended < Severity::Required);
}

#[test]
fn all_problems_are_told_at_once() {
    assert_snapshot!(problems(
        "mode: fixx\nrules:\n  licence: {}\n  license:\n    allow: [MIT, mit, GPL-2.0, MIT, Apache]\n    propose: CC0-1.0\nquite: {}\n"
    ), @r#"
1:7 mode: is "fixx"; did you mean "fix"? write one of observe, check, issue, fix
3:3 rules.licence: unknown key; did you mean "license"?
5:18 rules.license.allow[1]: "mit" is not an SPDX license id; did you mean "MIT"?
5:23 rules.license.allow[2]: "GPL-2.0" is a deprecated SPDX id; write the id that took its place, as GPL-2.0-only for GPL-2.0
5:32 rules.license.allow[3]: is there twice; keep one of them
5:37 rules.license.allow[4]: "Apache" is not an SPDX license id; did you mean "Apache-2.0"?
6:14 rules.license.propose: "CC0-1.0" is not among the allowed licenses; add it to allow, or propose one of those
7:1 quite: unknown key; did you mean "quiet"?
"#);
}

#[test]
fn keys_of_later_versions_are_told_from_unknown_ones() {
    assert_snapshot!(problems(
        "overrides: []\nlock: [mode]\ntemplates: x\nissue: {notify: team}\npull_request: {sign_off: {}}\nfreezes: []\nextends: [share-it, feder, x]\n"
    ), @r#"
1:1 overrides: is not supported yet by this version; delete it for now
2:1 lock: is not supported yet by this version; delete it for now
3:1 templates: is not supported yet by this version; delete it for now
4:9 issue.notify: is not supported yet by this version; delete it for now
5:16 pull_request.sign_off: is not supported yet by this version; delete it for now
6:1 freezes: unknown key; known here: agency, mode, extends, rules, repositories, limits, quiet, issue, pull_request, check, inventory, control
7:11 extends[0]: "share-it" is not supported yet by this version; write federal
7:21 extends[1]: is "feder"; did you mean "federal"? write one of federal
7:28 extends[2]: is "x"; write one of federal
"#);
}

/// One bad value a line: what is written, what is said.
#[test]
fn wrong_values() {
    let cases = [
        "mode: off",
        "mode: 3",
        "mode: [fix]",
        "mode:",
        "rules: []",
        "rules: {license: no}",
        "rules: {license: true}",
        "rules: {license: required}",
        "rules: {license: {allow: MIT}}",
        "rules: {license: {allow: [\"MIT OR Apache-2.0\"]}}",
        "rules: {license: {allow: [MIT License]}}",
        "rules: {license: {allow: [MIT], propose: CC0-1.0}}",
        "rules: {license: {reviewers: \"@org/ospo\"}}",
        "rules: {license: {paths: [../LICENSE]}}",
        "rules: {license: {paths: [\"docs/*\"]}}",
        "rules: {readme: {min_words: 1.5}}",
        "rules: {readme: {min_words: -1}}",
        "rules: {readme: {min_words: 1_000}}",
        "rules: {readme: {sections: [\"a\\nb\"]}}",
        "rules: {contributing: {require_local: yes}}",
        "rules: {contributing: {since: 2026-3-1}}",
        "rules: {contributing: {since: 2026-02-30}}",
        "rules: {code-json: {severity: off, file: required}}",
        "rules: {code-json: {schema: gov-2.0.1}}",
        "repositories: {exclude: [\"[a\"]}",
        "repositories: {exclude: [org/name]}",
        "repositories: {archived: skipp}",
        "repositories: {new_for: 7}",
        "repositories: {new_for: 366d}",
        "limits: {per_day: 200}",
        "limits: {first_day: 11}",
        "limits: {writes_per_minute: 81}",
        "limits: {writes_per_hour: 10}",
        "quiet: {timezone: EDT}",
        "quiet: {days: []}",
        "quiet: {days: [monday, mon, mon]}",
        "quiet: {hours: 16:00-09:00}",
        "quiet: {hours: 9-16}",
        "quiet: {freezes: [{from: 2026-02-02}, {from: 2026-02-02, to: 2026-02-01}, 5]}",
        "agency: {acronym: 007x!}",
        "agency: {contact: {email: me}}",
        "agency: {policy: {url: \"http://example.gov\"}}",
        "issue: {from: off}",
        "issue: {label: \"a\\tb\"}",
        "pull_request: {branch_prefix: \"-x/\"}",
        "pull_request: {branch_prefix: a..b/}",
        "check: {conclusion: success}",
        "1: 2",
        "mode: fix\nmode: fix",
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|text| format!("{}\n  {}", text.replace('\n', "⏎"), problems(text).replace('\n', "\n  ")))
        .collect();
    assert_snapshot!(told.join("\n"), @r#"
mode: off
  1:7 mode: is "off"; write one of observe, check, issue, fix
mode: 3
  1:7 mode: is a number, not a name; write one of observe, check, issue, fix
mode: [fix]
  1:7 mode: is a list, not a name; write one of observe, check, issue, fix
mode:
  1:5 mode: has no value; write one or delete the key
rules: []
  1:8 rules: is a list, not a section; write `key: value` lines under it
rules: {license: no}
  1:18 rules.license: is neither a section nor off; write off, or `severity: required` under it
rules: {license: true}
  1:18 rules.license: is neither a section nor off; write off, or `severity: required` under it
rules: {license: required}
  1:18 rules.license: is neither a section nor off; write off, or `severity: required` under it
rules: {license: {allow: MIT}}
  1:26 rules.license.allow: is a text, not a list; write it in brackets, as [one, two]
rules: {license: {allow: ["MIT OR Apache-2.0"]}}
  1:27 rules.license.allow[0]: "MIT OR Apache-2.0" is not an SPDX license id; write ids of https://spdx.org/licenses/, one an entry
rules: {license: {allow: [MIT License]}}
  1:27 rules.license.allow[0]: "MIT License" is not an SPDX license id; write ids of https://spdx.org/licenses/, one an entry
rules: {license: {allow: [MIT], propose: CC0-1.0}}
  1:42 rules.license.propose: "CC0-1.0" is not among the allowed licenses; add it to allow, or propose one of those
rules: {license: {reviewers: "@org/ospo"}}
  1:30 rules.license.reviewers: is "@org/ospo"; write the slug of one team of the organization, without @ and organization
rules: {license: {paths: [../LICENSE]}}
  1:27 rules.license.paths[0]: is "../LICENSE"; write the path of one file from the root, as docs/LICENSE.md, without patterns
rules: {license: {paths: ["docs/*"]}}
  1:27 rules.license.paths[0]: is "docs/*"; write the path of one file from the root, as docs/LICENSE.md, without patterns
rules: {readme: {min_words: 1.5}}
  1:29 rules.readme.min_words: is 1.5; write a whole number from 0 to 10000
rules: {readme: {min_words: -1}}
  1:29 rules.readme.min_words: is -1; write a whole number from 0 to 10000
rules: {readme: {min_words: 1_000}}
  1:29 rules.readme.min_words: is a text, not a number; write a whole number from 0 to 10000
rules: {readme: {sections: ["a\nb"]}}
  1:29 rules.readme.sections[0]: is "a\u{a}b", with white space around it or invisible characters; write it on one line without them
rules: {contributing: {require_local: yes}}
  1:39 rules.contributing.require_local: is a text, not true or false; write true or false
rules: {contributing: {since: 2026-3-1}}
  1:31 rules.contributing.since: is "2026-3-1"; write a day as 2026-03-01
rules: {contributing: {since: 2026-02-30}}
  1:31 rules.contributing.since: is "2026-02-30"; write a day as 2026-03-01
rules: {code-json: {severity: off, file: required}}
  1:42 rules.code-json.file: is required by a rule that is off; write `severity: required` beside it
rules: {code-json: {schema: gov-2.0.1}}
  1:29 rules.code-json.schema: is "gov-2.0.1"; did you mean "gov-2.0.0"? write one of gov-2.0.0
repositories: {exclude: ["[a"]}
  1:26 repositories.exclude[0]: "[a" is no pattern: unclosed character class; missing ']'; write a pattern of names, as "*-sandbox"
repositories: {exclude: [org/name]}
  1:26 repositories.exclude[0]: is "org/name"; write a pattern of names without the owner, as "*-sandbox"
repositories: {archived: skipp}
  1:26 repositories.archived: is "skipp"; did you mean "skip"? write one of skip, include
repositories: {new_for: 7}
  1:25 repositories.new_for: is a number, not a text; write days as 7d, at most 365d
repositories: {new_for: 366d}
  1:25 repositories.new_for: is "366d"; write days as 7d, at most 365d
limits: {per_day: 200}
  1:9 limits: per_day is 200, more than the 100 that may be open; write at most open
limits: {first_day: 11}
  1:9 limits: first_day is 11, more than the 10 of per_day; the first day is the careful one: write at most per_day
limits: {writes_per_minute: 81}
  1:29 limits.writes_per_minute: is 81; write a whole number from 1 to 80
limits: {writes_per_hour: 10}
  1:9 limits: writes_per_minute is more than writes_per_hour; write at most writes_per_hour
quiet: {timezone: EDT}
  1:19 quiet.timezone: "EDT" is no time zone; write an IANA name, as America/New_York
quiet: {days: []}
  1:15 quiet.days: has no day; write at least one; to create nothing, write mode: observe
quiet: {days: [monday, mon, mon]}
  1:16 quiet.days[0]: is "monday"; write one of mon, tue, wed, thu, fri, sat, sun
  1:29 quiet.days[2]: is there twice; keep one of them
quiet: {hours: 16:00-09:00}
  1:16 quiet.hours: "16:00-09:00" is an empty window: it ends before or when it starts; write the earlier time first; a window that crosses midnight wants another timezone
quiet: {hours: 9-16}
  1:16 quiet.hours: "9-16" is not a pair of times; write "09:00-16:00", with two digits each; the whole day is "00:00-24:00"
quiet: {freezes: [{from: 2026-02-02}, {from: 2026-02-02, to: 2026-02-01}, 5]}
  1:19 quiet.freezes[0]: has no to; write `to:` under it
  1:39 quiet.freezes[1]: ends before it starts; write the earlier day as from
  1:75 quiet.freezes[2]: is a number, not a section; write `key: value` lines under it
agency: {acronym: 007x!}
  1:19 agency.acronym: is "007x!"; write the acronym in letters, as GSA
agency: {contact: {email: me}}
  1:27 agency.contact.email: is "me"; write an address as opensource@example.gov
agency: {policy: {url: "http://example.gov"}}
  1:24 agency.policy.url: is "http://example.gov"; write a page as https://www.example.gov/page
issue: {from: off}
  1:15 issue.from: is "off"; write one of recommended, required
issue: {label: "a\tb"}
  1:16 issue.label: is "a\u{9}b", with white space around it or invisible characters; write it on one line without them
pull_request: {branch_prefix: "-x/"}
  1:31 pull_request.branch_prefix: is "-x/"; write a beginning of branch names that git accepts, as muster/
pull_request: {branch_prefix: a..b/}
  1:31 pull_request.branch_prefix: is "a..b/"; write a beginning of branch names that git accepts, as muster/
check: {conclusion: success}
  1:21 check.conclusion: is "success"; write one of neutral, failure
1: 2
  1:1 file: has a key that is a number, not a name; write a name, in quotes if need be
mode: fix⏎mode: fix
  2:1 mode: is there twice, first in line 1; keep one of them
"#);
}

/// What the parser refuses as a whole.
#[test]
fn not_a_policy_at_all() {
    let laughs = {
        let mut text = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
        for (name, before) in ('b'..='i').zip('a'..='h') {
            let aliases = vec![format!("*{before}"); 10].join(", ");
            text.push_str(&format!("{name}: &{name} [{aliases}]\n"));
        }
        text
    };
    let cases = [
        ("not YAML", "mode: [fix".to_owned()),
        ("a tab", "rules:\n\tlicense: off".to_owned()),
        ("two documents", "mode: fix\n---\nmode: fix".to_owned()),
        ("a list", "- mode".to_owned()),
        ("a text", "mode".to_owned()),
        ("a tag", "mode: !run fix".to_owned()),
        ("a merge", "a: &a {mode: fix}\n<<: *a".to_owned()),
        ("deep", "[".repeat(5_000)),
        ("deep block", (0..100).map(|i| format!("{}a:\n", " ".repeat(i))).collect()),
        ("laughs", laughs),
        ("recursion", "a: &a [*a]".to_owned()),
        ("no anchor", "mode: *nowhere".to_owned()),
        ("large", "#".repeat(MAX_BYTES + 1)),
        ("not a number", "limits: {open: .nan}".to_owned()),
        (
            "too many patterns",
            format!(
                "repositories: {{exclude: [{}]}}",
                (0..101).map(|i| format!("a{i}")).collect::<Vec<_>>().join(", ")
            ),
        ),
        ("long pattern", format!("repositories: {{exclude: [{}]}}", "*".repeat(201))),
        ("quoted stars", format!("repositories: {{exclude: [\"{}\"]}}", "*".repeat(201))),
        ("bidi", "mode: \"\u{202e}xif\"\n\"\u{202e}edom\": fix".to_owned()),
    ];
    let told: Vec<String> = cases.iter().map(|(name, text)| format!("{name}: {}", problems(text))).collect();
    assert_snapshot!(told.join("\n"), @r#"
not YAML: 1:7 file: unclosed bracket '['; correct the YAML here; nothing after this place was read
a tab: 2:2 file: tabs disallowed within this context (block indentation); correct the YAML here; nothing after this place was read
two documents: 2:1 file: YAML document too large or too complex: limits breached: Documents { documents: 2 }; correct the YAML here; nothing after this place was read
a list: 1:1 file: is a list, not a section; write `key: value` lines under it
a text: 1:1 file: is a text, not a section; write `key: value` lines under it
a tag: 1:12 file: unsupported tag `!run`; correct the YAML here; nothing after this place was read
a merge: 2:1 file: merge key not allowed here; correct the YAML here; nothing after this place was read
deep: 1:17 file: recursion limit exceeded; correct the YAML here; nothing after this place was read
deep block: 17:17 file: YAML document too large or too complex: limits breached: Depth { depth: 17 }; correct the YAML here; nothing after this place was read
laughs: 4:36 file: YAML document too large or too complex: total_replayed_events=10001 > 10000; correct the YAML here; nothing after this place was read
recursion: 1:8 file: Recursive reference not allowed here; correct the YAML here; nothing after this place was read
no anchor: 1:7 file: reference to unknown value; correct the YAML here; nothing after this place was read
large: 1:1 file: has 262145 bytes; write at most 262144 bytes
not a number: 1:16 file: value `.nan` is not a finite number; correct the YAML here; nothing after this place was read
too many patterns: 1:25 repositories.exclude: has 101 entries; write at most 100
long pattern: 1:26 file: reference to unknown value; correct the YAML here; nothing after this place was read
quoted stars: 1:26 repositories.exclude[0]: has 201 bytes; write at most 200
bidi: 1:7 mode: is "\u{202e}xif"; write one of observe, check, issue, fix
2:1 "\u{202e}edom": unknown key; known here: agency, mode, extends, rules, repositories, limits, quiet, issue, pull_request, check, inventory, control
"#);
    assert_snapshot!(lines(Policy::parse_bytes(b"mode: fix\n# caf\xe9").unwrap_err()), @"2:6 file: is not UTF-8; save the file as UTF-8");
}

#[test]
fn a_file_of_nothing_but_problems_tells_a_hundred() {
    let text: String = (0..10_000).map(|key| format!("k{key}: x\n")).collect();
    let problems = Policy::parse(&text).unwrap_err();
    assert_eq!(problems.len(), 101);
    assert_eq!(
        problems[100].to_string(),
        "101:1 file: has 9900 more problems from here on; correct those above and look again"
    );
}

#[test]
fn a_thousand_stars_match_in_linear_time() {
    let pattern = "*a".repeat(100);
    let policy = Policy::parse(&format!("repositories: {{exclude: [\"{pattern}\"]}}")).unwrap();
    assert_eq!(policy.repositories.exclude.matching(&"a".repeat(99)), None);
    assert!(policy.repositories.exclude.matching(&"a".repeat(100)).is_some());
}

#[test]
fn an_alias_is_read_where_it_is_used() {
    assert_snapshot!(problems("quiet:\n  timezone: &x nowhere\nissue:\n  label: &y ok\nmode: *x\n"), @r#"
2:16 quiet.timezone: "nowhere" is no time zone; write an IANA name, as America/New_York
5:7 mode: is "nowhere"; write one of observe, check, issue, fix
"#);
}

#[test]
fn slower_days_slow_the_first_day_down() {
    let policy = Policy::parse("limits: {per_day: 2}").unwrap();
    assert_eq!(policy.limits.first_day, 2);
}

#[test]
fn the_policy_prints_as_a_file_that_reads_the_same() {
    for policy in [Policy::default(), Policy::parse(FULL).unwrap(), Policy::parse("extends: []").unwrap()] {
        let printed = serde_json::to_string(&policy).unwrap();
        assert_eq!(Policy::parse(&printed), Ok(policy.clone()));
    }
}

#[test]
fn equal_policies_have_equal_digests() {
    let digest = |text: &str| Policy::parse(text).unwrap().digest();
    assert_eq!(digest("mode: fix # now\n"), digest("{\"mode\": 'fix', rules: {}}"));
    assert_ne!(digest("mode: fix"), digest("mode: issue"));
    assert_eq!(digest("").len(), 64);
}

/// The schema and the parser are one contract: the same files pass, and every
/// key of the schema is a key of the parser.
#[test]
fn the_schema_says_what_the_parser_takes() {
    let schema = serde_json::to_value(Policy::schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let valid = |policy: &Policy| {
        let instance = serde_json::to_value(policy).unwrap();
        let errors: Vec<String> = validator.iter_errors(&instance).map(|e| e.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    };
    valid(&Policy::default());
    valid(&Policy::parse(FULL).unwrap());
    for text in [r#"{"rules": {"license": "off", "readme": false}}"#, r#"{"mode": "check"}"#] {
        assert!(validator.is_valid(&serde_json::from_str(text).unwrap()), "{text}");
        assert!(Policy::parse(text).is_ok(), "{text}");
    }
    for text in [
        r#"{"mod": "fix"}"#,
        r#"{"mode": "off"}"#,
        r#"{"rules": {"license": true}}"#,
        r#"{"rules": {"license": {"decline": {"reason": "x"}}}}"#,
        r#"{"rules": {"licence": "off"}}"#,
        r#"{"quiet": {"hours": "9-5"}}"#,
        r#"{"limits": {"writes_per_hour": 501}}"#,
        r#"{"repositories": {"new_for": 7}}"#,
        r#"{"overrides": []}"#,
    ] {
        assert!(!validator.is_valid(&serde_json::from_str(text).unwrap()), "{text}");
        assert!(Policy::parse(text).is_err(), "{text}");
    }
    // FULL has every key: none of the schema's properties is missing in it.
    let full = serde_json::to_value(Policy::parse(FULL).unwrap()).unwrap();
    let mut seen = 0;
    covered(&schema, &schema, &full, "", &mut seen);
    assert!(seen > 50, "walked {seen} keys");
}

fn covered(
    root: &serde_json::Value,
    schema: &serde_json::Value,
    full: &serde_json::Value,
    at: &str,
    seen: &mut u32,
) {
    // Through references, and through the section of "a section or off".
    if let Some(reference) = schema["$ref"].as_str() {
        return covered(root, root.pointer(reference.trim_start_matches('#')).unwrap(), full, at, seen);
    }
    if let Some(section) = schema["anyOf"].get(0) {
        return covered(root, section, full, at, seen);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        *seen += 1;
        assert!(full.get(name).is_some(), "{at}.{name} is in the schema, not in FULL");
        covered(root, property, &full[name], &format!("{at}.{name}"), seen);
    }
}

#[rstest]
#[case("", "")]
#[case("mode: check\nreason: Our code is generated.", "mode Check")]
#[case(
    "rules: {license: {decline: {reason: It is data., until: 2027-01-01}}}",
    "license declined: It is data. until 2027-01-01"
)]
#[case("rules: {code-json: {severity: required}}", "code-json Required")]
#[case("rules: {readme: {paths: [doc/README.md]}}", "readme paths doc/README.md")]
fn a_wish_that_is_granted(#[case] text: &str, #[case] expected: &str) {
    let policy = Policy { mode: Mode::Issue, ..Policy::default() };
    let wish = Wish::parse(text).unwrap();
    let granted = policy.for_repository(&wish).unwrap();
    let mut told = Vec::new();
    if granted.mode != policy.mode {
        told.push(format!("mode {:?}", granted.mode));
    }
    for rule in RuleId::ALL {
        if granted.rules.severity(rule) != policy.rules.severity(rule) {
            told.push(format!("{rule} {:?}", granted.rules.severity(rule)));
        }
        if let Some(Decline { reason, until }) = granted.rules.decline(rule) {
            told.push(format!("{rule} declined: {reason} until {}", until.unwrap()));
        }
        if granted.rules.paths(rule) != policy.rules.paths(rule) {
            told.push(format!("{rule} paths {}", granted.rules.paths(rule).join(" ")));
        }
    }
    assert_eq!(told.join("\n"), expected);
}

#[test]
fn a_wish_that_is_refused() {
    let cases = [
        "mode: fix\nreason: We like it.",
        "mode: check",
        "mode: check\nreason: ''",
        "reason: none",
        "rules: {license: {severity: off}}",
        "rules: {license: off}",
        "rules: {license: {decline: {}}}",
        "rules: {license: {decline: {reason: 5, until: soon}}}",
        "rules: {license: {allow: [MIT]}}",
        "rules: {code-json: {paths: [x]}}",
        "quiet: {}",
        "extends: []",
    ];
    let policy = Policy { mode: Mode::Issue, ..Policy::default() };
    let told: Vec<String> = cases
        .iter()
        .map(|text| match Wish::parse(text).and_then(|wish| policy.for_repository(&wish)) {
            Ok(_) => format!("{text}\n  granted"),
            Err(problems) => {
                format!("{}\n  {}", text.replace('\n', "⏎"), lines(problems).replace('\n', "\n  "))
            }
        })
        .collect();
    assert_snapshot!(told.join("\n"), @r#"
mode: fix⏎reason: We like it.
  1:7 mode: is fix, above the policy's issue; a repository may only lower its mode: delete it
mode: check
  1:7 mode: is lowered without a reason; write `reason: …` beside it
mode: check⏎reason: ''
  2:9 reason: is empty; write a text or delete the key
reason: none
  granted
rules: {license: {severity: off}}
  1:29 rules.license.severity: is off, below the policy's required; a repository may only raise it: delete it, or decline the rule with a reason
rules: {license: off}
  1:18 rules.license: is a text, not a section; write `key: value` lines under it
rules: {license: {decline: {}}}
  1:28 rules.license.decline: has no reason; write `reason:` under it
rules: {license: {decline: {reason: 5, until: soon}}}
  1:37 rules.license.decline.reason: is a number, not a text; put it in quotes
  1:47 rules.license.decline.until: is "soon"; write a day as 2026-03-01
rules: {license: {allow: [MIT]}}
  1:19 rules.license.allow: unknown key; known here: severity, decline, paths
rules: {code-json: {paths: [x]}}
  1:21 rules.code-json.paths: unknown key; known here: severity, decline
quiet: {}
  1:1 quiet: unknown key; known here: mode, reason, inventory, rules
extends: []
  1:1 extends: unknown key; known here: mode, reason, inventory, rules
"#);
}

/// Text that looks enough like a policy to get somewhere.
fn policyish() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("mode"),
        Just("rules"),
        Just("license"),
        Just("quiet"),
        Just("hours"),
        Just("fix"),
        Just("off"),
        Just("&a"),
        Just("*a"),
        Just("<<"),
        Just("!!str"),
        Just("- "),
        Just("? "),
        Just("|"),
        Just(">"),
        Just("\""),
        Just("'"),
        Just("[]"),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just(": "),
        Just(":"),
        Just("\n"),
        Just("\n  "),
        Just("\n    "),
        Just("\t"),
        Just("#"),
        Just("---\n"),
        Just("%YAML 1.1\n"),
        Just("1e999"),
        Just("0x1F"),
        Just("\u{0}"),
        Just("é"),
        Just("\u{202e}"),
        Just("freezes"),
        Just("agency"),
    ];
    proptest::collection::vec(word, 0..200).prop_map(|words| words.concat())
}

proptest! {
    /// No text makes the reader panic, and what it accepts reads the same when
    /// printed. (Its time is bounded by the budgets of `document`.)
    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![any::<String>(), policyish()]) {
        if let Ok(policy) = Policy::parse(&text) {
            prop_assert_eq!(Policy::parse(&serde_json::to_string(&policy).unwrap()), Ok(policy));
        }
        let _ = Wish::parse(&text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        if let Err(problems) = Policy::parse_bytes(&bytes) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(problem.line >= 1 && problem.column >= 1);
                prop_assert!(!problem.message.is_empty() && !problem.remedy.is_empty());
            }
        }
    }
}
