use insta::assert_snapshot;

use super::*;
use crate::domain::repository::{RepositoryName, Visibility};

/// The example of the contract, and what else an entry can be.
const FULL: &str = r#"
annex: 3
exemptions:
  - id: 482913377                        # a name beside it is for people
    usage: exemptByAgencySystem
    basis: "5 USC 552(b)(7)(E)"
    origin: employee
    reason: One or two unclassified sentences that may be published.
    requested_by: 1234567
    approved_by: 7654321
    role: delegate
    consulted: { body: federal-privacy-council, on: 2026-02-20 }
    applied_from: 2026-03-02
    applied_to: 2027-03-02
  - {id: 2, usage: exemptByEAR, reason: Export control., requested_by: 5}
  - {id: 3, usage: exemptByCIO, reason: No., requested_by: 5, denied_by: 6, denied_on: 2026-04-01, role: cio}
"#;

fn parsed(text: &str) -> Result<Register, Vec<Problem>> {
    Register::parse(text, &Place::private())
}

fn problems(text: &str) -> String {
    lines(parsed(text).unwrap_err())
}

fn lines(problems: Vec<Problem>) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_key_is_read_into_its_place() {
    let register = parsed(FULL).unwrap();
    assert_eq!(register.annex, 3);
    assert_snapshot!(serde_json::to_string_pretty(&register.exemptions).unwrap(), @r#"
    [
      {
        "id": 482913377,
        "usage": "exemptByAgencySystem",
        "basis": "5 USC 552(b)(7)(E)",
        "origin": "employee",
        "reason": "One or two unclassified sentences that may be published.",
        "requested_by": 1234567,
        "decision": {
          "is": "granted",
          "by": 7654321,
          "office": "delegate",
          "from": "2026-03-02",
          "to": "2027-03-02"
        },
        "consulted": {
          "body": "federal-privacy-council",
          "on": "2026-02-20"
        }
      },
      {
        "id": 2,
        "usage": "exemptByEAR",
        "reason": "Export control.",
        "requested_by": 5,
        "decision": {
          "is": "requested"
        }
      },
      {
        "id": 3,
        "usage": "exemptByCIO",
        "reason": "No.",
        "requested_by": 5,
        "decision": {
          "is": "denied",
          "by": 6,
          "office": "cio",
          "on": "2026-04-01"
        }
      }
    ]
    "#);
    assert_snapshot!(lines(register.questions), @r#"
    15:5 exemptions[1]: has no basis; which law does it rest on? Write the citation, as "5 USC 552(b)(7)(E)"
    15:5 exemptions[1]: has no origin; who made the code? Write employee, contract or mixed
    16:5 exemptions[2]: has no basis; which law does it rest on? Write the citation, as "5 USC 552(b)(7)(E)"
    16:5 exemptions[2]: has no origin; who made the code? Write employee, contract or mixed
    "#);
    let back: Vec<Exemption> =
        serde_json::from_str(&serde_json::to_string(&register.exemptions).unwrap()).unwrap();
    assert_eq!(back, register.exemptions);
    assert_eq!(parsed("").unwrap(), Register::default());
    assert_eq!(parsed("exemptions: []").unwrap(), Register::default());
    assert_eq!(parsed("exemptions:\n# - {id: 7}\n").unwrap(), Register::default());
}

#[test]
fn every_problem_is_told_at_once_with_its_place_and_remedy() {
    assert_snapshot!(problems(r#"
annex: many
exemptions:
  - id: 7
    usage: exemptByAgencySistem
    reason: ""
    requested_by: alice
  - id: 7
    usage: openSource
    reason: Fine.
    requested_by: 5
    approved_by: 5
    role: boss
    applied_from: 2026-03-02
    applied_to: 2026-03-01
  - id: 8
    usage: everybody
    reason: Fine.
    requested_by: 5
    approved_by: 6
  - id: 9
    usage: exemptByFOIA
    reason: Fine.
    requested_by: 5
    approved_by: 6
    denied_by: 7
  - id: 10
    usage: exemptByFOIA
    reason: Fine.
    requested_by: 5
    denied_by: 6
  - id: 11
    usage: exemptByFOIA
    reason: Fine.
    requested_by: 5
    role: cio
    denied_on: 2026-01-01
    consulted: {on: soon}
  - usage: exemptByFOIA
    approved_by: 0
    aproved_by: 7
  - -3
exemption: []
"#), @r#"
    2:8 annex: is a text, not a number; write a whole number from 0 to 1000000
    5:12 exemptions[0].usage: "exemptByAgencySistem" is no exemption; did you mean "exemptByAgencySystem"?
    6:13 exemptions[0].reason: is empty; write a text or delete the key
    7:19 exemptions[0].requested_by: is a text, not a number; write GitHub's number, without quotes
    8:9 exemptions[1].id: 7 is there twice, first in line 4; keep one of them: a repository has one exemption
    9:12 exemptions[1].usage: "openSource" exempts from nothing; code that is shared needs no entry: delete it
    12:18 exemptions[1].approved_by: is who asked for it; somebody else decides: write who did, or leave the request open
    13:11 exemptions[1].role: is "boss"; write one of cio, delegate
    15:17 exemptions[1].applied_to: is before applied_from, 2026-03-02; write the later day here
    17:12 exemptions[2].usage: "everybody" is no exemption; write the exemption's name, as exemptByAgencySystem
    20:18 exemptions[2].approved_by: has no role beside it; write `role: cio` or `role: delegate`
    20:18 exemptions[2].approved_by: has no applied_from beside it; write the first day on which the exemption applies
    26:16 exemptions[3].denied_by: stands beside approved_by; keep the one that holds; what was granted and ended has applied_to
    31:16 exemptions[4].denied_by: has no denied_on beside it; write the day of the decision
    36:11 exemptions[5].role: says how, but nobody decided; write approved_by or denied_by, or delete it
    37:16 exemptions[5].denied_on: says when, but nobody denied it; write denied_by, or delete it
    38:16 exemptions[5].consulted: has no body; write `body:` under it
    38:21 exemptions[5].consulted.on: is "soon"; write a day as 2026-03-01
    39:5 exemptions[6]: has no id; write `id:` under it
    39:5 exemptions[6]: has no reason; write `reason:` under it
    39:5 exemptions[6]: has no requested_by; write `requested_by:` under it
    40:18 exemptions[6].approved_by: is 0; write GitHub's number, without quotes
    40:18 exemptions[6].approved_by: has no role beside it; write `role: cio` or `role: delegate`
    40:18 exemptions[6].approved_by: has no applied_from beside it; write the first day on which the exemption applies
    41:5 exemptions[6].aproved_by: unknown key; did you mean "approved_by"?
    42:5 exemptions[7]: is a number, not a section; write `key: value` lines under it
    43:1 exemption: unknown key; did you mean "exemptions"?
    "#);
}

#[test]
fn what_is_missing_and_not_wrong_is_asked_for() {
    let register = parsed(
        "exemptions:\n  - {id: 1, usage: exemptByITAR, reason: Arms., requested_by: 5, approved_by: 6, role: cio, \
         applied_from: 2026-01-01}\n  - {id: 2, usage: exemptByCIO, basis: none, origin: mixed, reason: Yes., \
         requested_by: 5, approved_by: 6, role: cio, applied_from: 2026-01-01}\n",
    );
    assert_snapshot!(lines(register.unwrap().questions), @r#"
    2:5 exemptions[0]: has no basis; which law does it rest on? Write the citation, as "5 USC 552(b)(7)(E)"
    2:5 exemptions[0]: has no origin; who made the code? Write employee, contract or mixed
    2:5 exemptions[0]: has no consultation; was the Federal Privacy Council consulted? Write `consulted: {body: …, on: …}`
    "#);
}

#[test]
fn a_file_that_more_people_see_names_no_hidden_repository_and_neither_does_the_problem() {
    let name = |name: &str| name.parse::<RepositoryName>().unwrap();
    let (hidden, word, open) = (name("agency/badge-reader"), name("agency/api"), name("agency/web-site"));
    let also = name("other/web-site");
    let all = [
        (&hidden, Visibility::Private),
        (&word, Visibility::Private),
        (&open, Visibility::Public),
        (&also, Visibility::Private),
    ];
    let public = Place::among(Visibility::Public, all);
    let told = |text: &str, place: &Place| match Register::parse(text, place) {
        Ok(_) => "fine".to_owned(),
        Err(problems) => lines(problems),
    };
    let entry =
        |rest: &str| format!("exemptions:\n  - {{id: 7, usage: exemptByFOIA, requested_by: 5, {rest}}}\n");
    let said = |rest: &str| told(&entry(&format!("reason: {rest}")), &public);
    for named in [
        "The Badge-Reader.",
        "See https://github.com/agency/badge-reader.git here",
        "agency/API",
        "other/web-site",
        "fine} # badge-reader",
    ] {
        let told = said(named);
        assert!(told.starts_with("2:1 file: names a repository"), "{named}: {told}");
        assert!(!told.to_lowercase().contains("badge"), "{told}");
    }
    for fine in ["The api is hidden.", "agency/web-site is open", "badge reader"] {
        assert_eq!(said(fine), "fine", "{fine}");
    }
    assert_snapshot!(told(&entry("reason: Fine, name: lock"), &public), @"2:71 exemptions[0].name: stands in a file that more people can read than the repository; delete it: the id is enough");
    assert_eq!(told(&entry("reason: Fine, name: badge-reader"), &Place::private()), "fine");
    let internal =
        Place::among(Visibility::Internal, [(&hidden, Visibility::Private), (&word, Visibility::Internal)]);
    assert!(told(&entry("reason: agency/badge-reader"), &internal).contains("2:1"));
    assert_eq!(told(&entry("reason: agency/api"), &internal), "fine");
}

#[test]
fn a_register_is_bounded() {
    let entry = |n: usize| {
        format!(
            "- {{id: {n}, usage: exemptByFOIA, reason: Yes, requested_by: 5, approved_by: 6, role: cio, applied_from: 2026-01-01}}\n"
        )
    };
    let of = |count: usize| (1..=count).fold("exemptions:\n".to_owned(), |text, n| text + &entry(n));
    assert_eq!(parsed(&of(MAX_EXEMPTIONS)).unwrap().exemptions.len(), MAX_EXEMPTIONS);
    assert_snapshot!(problems(&of(MAX_EXEMPTIONS + 1)), @"2:3 exemptions: has 2001 entries; write at most 2000");
    let large = "#".repeat(crate::domain::yaml::MAX_BYTES + 1);
    assert_snapshot!(problems(&large), @"1:1 file: has 262145 bytes; write at most 262144 bytes");
    assert!(Register::parse_bytes(b"annex: \xff", &Place::private()).is_err());
}

#[test]
fn an_entry_keeps_its_digest_until_it_says_something_else() {
    let of = |text: &str| parsed(text).unwrap().exemptions[0].digest();
    let first = "exemptions:\n- {id: 7, usage: exemptByFOIA, reason: Yes, requested_by: 5}\n";
    let moved = "annex: 2\nexemptions:\n# Spelled otherwise.\n- requested_by: 5\n  usage: exemptByFOIA\n  id: 7\n  reason: 'Yes'\n";
    assert_eq!(of(first), of(moved));
    for other in ["id: 8", "usage: exemptByEAR", "reason: No", "requested_by: 6", "basis: law"] {
        let key = other.split(':').next().unwrap();
        let changed = match key {
            "basis" => first.replace("reason", "basis: law, reason"),
            _ => {
                let old = first.split(['{', ',', '}']).find(|part| part.trim().starts_with(key)).unwrap();
                first.replace(old.trim(), other)
            }
        };
        assert_ne!(of(first), of(&changed), "{other}");
    }
}

#[test]
fn every_usage_that_exempts_has_a_class_and_a_provision() {
    for name in Usage::NAMES {
        let usage = Usage::named(name).unwrap();
        assert_eq!(Class::of(usage).is_some(), usage.is_exempt(), "{name}");
        assert_eq!(law::provision(usage).is_empty(), !usage.is_exempt(), "{name}");
    }
    let of = |class| {
        Usage::NAMES.iter().filter(|name| Class::of(Usage::named(name).unwrap()) == Some(class)).count()
    };
    assert_eq!(Class::ALL.map(of), [3, 5, 6]);
}

mod standing {
    use super::*;
    use crate::domain::{
        exemptions::verify::{Proof, Way},
        repository::AccountId,
    };
    use jiff::civil::date;

    fn entry(text: &str, trust: Option<Trust>) -> Entry {
        let text =
            format!("exemptions:\n- {{id: 7, usage: exemptByFOIA, reason: Yes, requested_by: 5{text}}}\n");
        Entry { exemption: parsed(&text).unwrap().exemptions.remove(0), trust }
    }

    fn verified() -> Option<Trust> {
        let commit = "a".repeat(40).parse().unwrap();
        Some(Trust::Verified(Proof { pull_request: 1, commit, by: AccountId(6), way: Way::CodeOwner }))
    }

    const GRANTED: &str = ", approved_by: 6, role: cio, applied_from: 2026-03-02, applied_to: 2026-05-01";

    #[test]
    fn a_day_decides() {
        let endless = ", approved_by: 6, role: cio, applied_from: 2026-03-02";
        for (text, trust, on, expected) in [
            ("", None, date(2026, 4, 1), Standing::Requested),
            (", denied_by: 6, denied_on: 2026-01-01", None, date(2026, 4, 1), Standing::Denied),
            (GRANTED, verified(), date(2026, 3, 1), Standing::NotYet),
            (GRANTED, verified(), date(2026, 3, 2), Standing::Granted),
            (GRANTED, verified(), date(2026, 5, 1), Standing::Granted),
            (GRANTED, verified(), date(2026, 5, 2), Standing::Expired),
            (endless, verified(), date(2099, 1, 1), Standing::Granted),
            (GRANTED, None, date(2026, 4, 1), Standing::Unverified),
            (GRANTED, Some(Trust::Unverified("why".to_owned())), date(2026, 4, 1), Standing::Unverified),
            (GRANTED, Some(Trust::Void("why".to_owned())), date(2026, 4, 1), Standing::Void),
        ] {
            assert_eq!(entry(text, trust).standing(on), expected, "{text} {on}");
        }
    }

    #[test]
    fn what_was_granted_stays_with_the_id_in_accounts_of_ours() {
        let at = |name: &str, account, gone| Whereabouts {
            name: name.parse().unwrap(),
            account: AccountId(account),
            gone,
        };
        let named = format!("{GRANTED}, name: badge-reader");
        for (text, found, expected) in [
            (GRANTED, Some(at("agency/badge-reader", 1, false)), Standing::Granted),
            (GRANTED, Some(at("agency/renamed", 1, false)), Standing::Granted),
            (&*named, Some(at("agency/Badge-Reader", 1, false)), Standing::Granted),
            (&*named, Some(at("agency/renamed", 1, false)), Standing::Void),
            (GRANTED, Some(at("agency/badge-reader", 1, true)), Standing::Void),
            (GRANTED, Some(at("elsewhere/badge-reader", 3, false)), Standing::Void),
            (GRANTED, None, Standing::Void),
        ] {
            let bound = entry(text, verified()).bound(found.as_ref(), &[AccountId(1), AccountId(2)]);
            assert_eq!(bound.standing(date(2026, 4, 1)), expected, "{text} {found:?}");
            assert_eq!(bound.doubt().is_some(), expected == Standing::Void);
        }
        assert_eq!(entry("", None).bound(None, &[]).standing(date(2026, 4, 1)), Standing::Requested);
    }
}
