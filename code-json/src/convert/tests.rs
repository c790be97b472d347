use serde_json::json;

use super::*;
use crate::{
    document::{Document, Limits},
    migrate,
    record::Provenance,
    schema::{Published, Schema},
};

mod laws;

fn read(root: &Value) -> Reading {
    migrate::read(root, "code.json").unwrap()
}

/// What the target's own schema says of a document: `pointer keyword`.
fn verdict(document: &Value, target: Target) -> Vec<String> {
    let schema = Schema::published(match target {
        Target::Gov2 => Published::Gov2,
        Target::AgencyIndex2 => Published::AgencyIndex2,
        Target::Gsa2 => Published::Gsa2,
    });
    let text = serde_json::to_vec(document).unwrap();
    let document = Document::read(&text, &Limits::default()).unwrap();
    let line = |violation: crate::schema::Violation| {
        let detail = match &violation.rule {
            crate::schema::Rule::Required(key) => format!("/{key}"),
            rule => format!(" {rule:?}"),
        };
        format!("{}{detail}", document.value(violation.at).pointer())
    };
    schema.judge(&document).into_iter().map(line).collect()
}

/// Everything a gov 2.0.0 file may say.
fn gov() -> Value {
    json!({
        "name": "site", "version": "1.2", "description": "What it does, in a sentence.", "status": "Beta",
        "permissions": {
            "licenses": [{"name": "Apache-2.0", "URL": "https://example.gov/LICENSE"}],
            "usageType": ["openSource", "exemptByEAR"], "exemptionText": "A part is controlled."
        },
        "organization": "Office", "repositoryURL": "https://example.gov/site", "repositoryVisibility": "public",
        "homepageURL": "https://example.gov", "vcs": "git", "laborHours": 12.5,
        "reuseFrequency": {"forks": 1, "clones": 2, "views": 3}, "languages": ["Rust"], "maintenance": "internal",
        "contractNumber": [], "SBOM": "None", "relatedCode": [{"name": "other", "URL": "https://example.gov/o", "isGovernmentRepo": true}],
        "date": {"created": "2026-01-02T03:04:05Z"}, "tags": ["a"],
        "contact": {"email": "a@example.gov", "name": "A"}, "feedbackMechanism": "https://example.gov/issues",
        "AIUseCaseID": "0", "fismaLevel": "low"
    })
}

fn gsa() -> Value {
    json!({
        "version": "2.0.0", "agency": "ABC", "measurementType": {"method": "other", "ifOther": "by hand"},
        "releases": [{
            "name": "site", "description": "What it does", "organization": "Office", "status": "Beta",
            "permissions": {"licenses": null, "usageType": "exemptByLaw", "exemptionText": "ITAR"},
            "repositoryURL": "https://example.gov/site", "vcs": "tfs", "laborHours": 4,
            "date": {"created": "2026-01-02", "lastModified": "2026-01-02"}, "tags": [],
            "contact": {"email": "a@example.gov", "name": "A", "URL": "https://example.gov/a", "phone": "1"}
        }]
    })
}

fn report(converted: &Converted) -> String {
    let losses =
        converted.losses.iter().map(|loss| format!("lost {} {:?} {}\n", loss.pointer, loss.row, loss.was));
    let questions = converted.questions.iter().map(|q| format!("ask {} {:?}\n", q.pointer, q.ask));
    losses.chain(questions).collect()
}

#[test]
fn a_whole_record_becomes_each_version() {
    let reading = read(&gov());
    assert_eq!(convert(&reading, Target::Gov2, &Frame::default()).unwrap().document, gov());
    let frame = Frame { agency: Some("ABC".into()), method: Some("projects".into()) };
    for target in Target::ALL {
        let converted = convert(&reading, target, &frame).unwrap();
        assert_eq!(verdict(&converted.document, target), Vec::<String>::new(), "{target:?}");
        assert_eq!(converted.questions, vec![], "{target:?}");
    }
    let converted = convert(&reading, Target::Gsa2, &frame).unwrap();
    insta::assert_snapshot!(report(&converted), @r#"
    lost /permissions/usageType UsageOne "openSource"
    lost /permissions/usageType UsageName "exemptByEAR"
    lost /date/created MomentToDay "2026-01-02T03:04:05Z"
    "#);
    let release = &converted.document["releases"][0];
    assert_eq!(release["permissions"]["usageType"], "exemptByLaw");
    assert_eq!(release["date"]["created"], "2026-01-02");
    // What GSA 2.0.0 does not know goes along.
    for key in ["repositoryVisibility", "reuseFrequency", "contractNumber", "AIUseCaseID", "fismaLevel"] {
        assert_eq!(release[key], gov()[key], "{key}");
    }
}

#[test]
fn the_way_up_asks_what_only_a_person_knows() {
    let converted = convert(&read(&gsa()), Target::Gov2, &Frame::default()).unwrap();
    insta::assert_snapshot!(report(&converted), @r#"
    lost /agency Envelope "ABC"
    lost /version Envelope "2.0.0"
    lost /measurementType Envelope {"method":"other","ifOther":"by hand"}
    lost /permissions/licenses LicensesNull null
    lost /permissions/usageType UsageLaw "exemptByLaw"
    lost /vcs Choice "tfs"
    lost /date/created DayToMoment "2026-01-02"
    lost /date/lastModified DayToMoment "2026-01-02"
    lost /contact/URL ContactWay "https://example.gov/a"
    lost /contact/phone ContactWay "1"
    ask /permissions/usageType WhichLaw
    ask /vcs WhichChoice
    ask /repositoryVisibility Missing
    ask /languages Missing
    ask /maintenance Missing
    ask /contractNumber Missing
    ask /SBOM Missing
    ask /feedbackMechanism Missing
    ask /AIUseCaseID Missing
    "#);
    insta::assert_snapshot!(converted.document, @r#"{"name":"site","description":"What it does","status":"Beta","permissions":{"licenses":[],"usageType":[],"exemptionText":"ITAR"},"organization":"Office","repositoryURL":"https://example.gov/site","laborHours":4,"date":{"created":"2026-01-02T00:00:00Z","lastModified":"2026-01-02T00:00:00Z"},"tags":[],"contact":{"email":"a@example.gov","name":"A"},"reuseFrequency":{}}"#);
}

#[test]
fn every_row_of_the_table_happens_where_it_says() {
    let one = |key: &str, value: Value| {
        let mut release = gov();
        release[key] = value;
        release
    };
    let permissions = |licenses: Value, usage: Value| json!({"licenses": licenses, "usageType": usage});
    let inventory = |key: &str, value: Value| {
        let mut inventory = json!({"version": "2.0.0", "agency": "ABC", "measurementType": {"method": "projects"}, "releases": [gov()]});
        inventory[key] = value;
        inventory
    };
    let mit = || json!([{"name": "MIT", "URL": "https://example.gov/MIT"}]);
    let cases = [
        (Row::ContactWay, one("contact", json!({"email": "a@b.gov", "twitter": "@a"}))),
        (
            Row::LicenseName,
            one(
                "permissions",
                permissions(json!([{"name": "NASA v3", "URL": "https://a.gov"}]), json!(["openSource"])),
            ),
        ),
        (
            Row::LicenseAddress,
            one("permissions", permissions(json!([{"name": "MIT"}]), json!(["openSource"]))),
        ),
        (Row::LicensesNull, one("permissions", permissions(json!(null), json!(["openSource"])))),
        (Row::DayToMoment, one("date", json!({"created": "2026-01-02"}))),
        (Row::MomentToDay, one("date", json!({"created": "2026-01-02T00:00:00Z"}))),
        (Row::DateUnread, one("date", json!({"created": "2026-26-02"}))),
        (Row::UsageLaw, one("permissions", permissions(mit(), json!(["exemptByLaw"])))),
        (Row::UsageUnknown, one("permissions", permissions(mit(), json!(["open", "openSource"])))),
        (Row::UsageOne, one("permissions", permissions(mit(), json!(["openSource", "exemptByCIO"])))),
        (Row::UsageName, one("permissions", permissions(mit(), json!(["exemptByEAR"])))),
        (Row::Choice, one("status", json!("Retired"))),
        (Row::ClosedObject, one("contact", json!({"email": "a@b.gov", "fax": "1"}))),
        (Row::NotAnAddress, one("homepageURL", json!("www.example.gov"))),
        (Row::NotAMailbox, one("contact", json!({"email": "a at b.gov"}))),
        (Row::WrongForm, one("laborHours", json!("many"))),
        (Row::Occupied, one("contact", json!(7))),
        (Row::Envelope, inventory("agency", json!("ABC"))),
        (Row::EnvelopeKey, inventory("more", json!(1))),
        (Row::EnvelopeVersion, inventory("version", json!("1.0.1"))),
        (Row::Measurement, inventory("measurementType", json!({"method": "spirit"}))),
        (
            Row::Joined,
            json!({"ABC": inventory("agency", json!("ABC")), "DEF": inventory("agency", json!("DEF"))}),
        ),
    ];
    assert_eq!(cases.len(), LOSSES.len());
    for (row, source) in cases {
        for target in Target::ALL {
            let Ok(converted) = convert(&read(&source), target, &Frame::default()) else { continue };
            let happens = converted.losses.iter().any(|loss| loss.row == row);
            // An inventory's own words say less only where it has some.
            let is_listed = row.about().targets.contains(&target);
            assert_eq!(happens, is_listed, "{row:?} to {target:?}: {:?}", converted.losses);
        }
    }
}

#[test]
fn a_record_that_does_not_fit_says_so() {
    let two = json!([gov(), gov()]);
    let error = convert(&read(&two), Target::Gov2, &Frame::default()).unwrap_err();
    assert_eq!(error, TooMany { records: 2 });
    let index = convert(&read(&two), Target::AgencyIndex2, &Frame::default()).unwrap();
    let asked: Vec<_> = index.questions.iter().map(|q| (q.pointer.as_str(), q.record)).collect();
    assert_eq!(asked, [("/agency", None), ("/measurementType/method", None)]);
    assert_eq!(index.document["measurementType"], json!({}));
}

#[test]
fn the_agency_of_the_first_version_is_found() {
    let old = json!({"name": "a", "description": "b", "license": null, "agency": {"name": "Agency", "acronym": "ABC"}});
    let index = convert(&read(&old), Target::Gsa2, &Frame::default()).unwrap();
    assert_eq!(index.document["agency"], "ABC");
}

#[test]
fn the_page_shows_the_table() {
    let page = include_str!("../../../docs/code-json-convert.md");
    assert!(page.contains(&markdown()), "docs/code-json-convert.md needs this table:\n{}", markdown());
    for change in migrate::Change::ALL {
        assert!(
            page.contains(change.words()),
            "docs/code-json-convert.md says nothing of: {}",
            change.words()
        );
    }
}

#[test]
fn people_are_told_what_became_of_their_file() {
    let mut source = gsa();
    let second =
        json!({"name": " \u{1b}[31mtwo ", "description": "d", "repository": "", "contact": {"phone": "2"}});
    source["releases"].as_array_mut().unwrap().push(second);
    let reading = read(&source);
    let converted = convert(&reading, Target::AgencyIndex2, &Frame::default()).unwrap();
    let text = explain(&reading, &converted);
    assert!(!text.contains('\u{1b}'));
    insta::assert_snapshot!(text, @r#"
    Changed while reading:
      It lost the spaces around it:
        /name (record 2)
      It was empty or held something empty, which is left out:
        /repository (record 2)
    
    Said otherwise, or left out:
      null becomes an empty list (only GSA 2.0.0 allows null):
        /permissions/licenses: null (record 1)
      exemptByLaw is left out and asked for (gov 2.0.0 wants to know which law: EAR, ITAR, TSA, FOIA, classified information, rights of others):
        /permissions/usageType: "exemptByLaw" (record 1)
      A value that is not in the target's list is left out and asked for (closed lists; GSA 2.0.0 has one for status only):
        /vcs: "tfs" (record 1)
      A day becomes its midnight in UTC, as does a time without a zone (gov 2.0.0 wants a date-time):
        /date/created: "2026-01-02" (record 1)
        /date/lastModified: "2026-01-02" (record 1)
      URL and phone are left out (GSA keeps them), twitter always (gov 2.0.0 allows email and name only; twitter ended with GSA 1.0.1):
        /contact/URL: "https://example.gov/a" (record 1)
        /contact/phone: "1" (record 1 and 1 more)
    
    Only a person can say:
      Which law exempts the code? Write the value that names it, such as exemptByEAR.
        /permissions/usageType: "exemptByLaw" (record 1)
      Which value of the schema's list is meant?
        /vcs: "tfs" (record 1)
      What is it? The schema requires it.
        /repositoryVisibility (record 1 and 1 more)
        /languages (record 1 and 1 more)
        /maintenance (record 1 and 1 more)
        /contractNumber (record 1 and 1 more)
        /SBOM (record 1 and 1 more)
        /feedbackMechanism (record 1 and 1 more)
        /AIUseCaseID (record 1 and 1 more)
        /status (record 2)
        /permissions/licenses (record 2)
        /permissions/usageType (record 2)
        /organization (record 2)
        /repositoryURL (record 2)
        /vcs (record 2)
        /laborHours (record 2)
        /tags (record 2)
    
    2 records read; 2 changes, 8 losses, 24 questions
    "#);
}
