use serde_json::json;

use super::*;
use crate::record::Key;

fn only(root: &Value) -> (Record, Vec<(String, Change)>) {
    let reading = read(root, "code.json").unwrap();
    let notes = reading.notes.into_iter().map(|note| (note.pointer, note.change)).collect();
    let mut records: Vec<Record> = reading.groups.into_iter().flat_map(|group| group.records).collect();
    assert_eq!(records.len(), 1);
    (records.remove(0), notes)
}

/// A record as `pointer value` lines.
fn lines(record: &Record) -> String {
    record.entries().map(|(key, sourced)| format!("{key} {}\n", sourced.value)).collect()
}

#[test]
fn the_first_version_is_read() {
    let (record, notes) = only(&json!({
        "version": "1.0.1", "agency": "ABC", "projects": [{
            "name": " gov ", "description": "What it does", "license": "https://example.gov/license",
            "openSourceProject": 1, "governmentWideReuseProject": 1, "closedproject": 0, "exemption": null,
            "exemptionText": null, "repository": "https://example.gov/gov.git", "homepage": "",
            "tags": ["a", "", "a"], "contact": {"email": "a@example.gov", "twitter": "@a", "fax": 1},
            "status": "production", "vcs": "GIT", "languages": "COBOL",
            "updated": {"lastCommit": "2016-04-30", "metadataLastUpdated": "2016-04-13", "lastModified": "2016-4-1"},
            "partners": [{"name": "X", "email": "x@example.gov"}], "custom": {"deep": [1]}
        }]
    }));
    insta::assert_snapshot!(lines(&record), @r#"
    /name "gov"
    /description "What it does"
    /status "Production"
    /permissions/licenses [{"URL":"https://example.gov/license"}]
    /permissions/usageType ["openSource"]
    /repositoryURL "https://example.gov/gov.git"
    /vcs "git"
    /languages ["COBOL"]
    /partners [{"name":"X","email":"x@example.gov"}]
    /date/lastModified "2016-04-30"
    /date/metadataLastUpdated "2016-04-13"
    /tags ["a"]
    /contact/email "a@example.gov"
    /contact/twitter "@a"
    /contact/fax 1
    /updated/lastModified "2016-4-1"
    /custom {"deep":[1]}
    "#);
    insta::assert_snapshot!(notes.iter().map(|(at, change)| format!("{at} {}\n", change.words())).collect::<String>(), @r#"
    /projects/0/name lost the spaces around it
    /projects/0/tags was empty or held something empty, which is left out
    /projects/0/tags stood there twice
    /projects/0/status is spelled as in the published list
    /projects/0/vcs is spelled as in the published list
    /projects/0/languages became a list
    /projects/0/openSourceProject became usageType
    /projects/0/governmentWideReuseProject became usageType
    /projects/0/closedProject became usageType
    /projects/0/license has another name today
    /projects/0/license became a list
    /projects/0/exemptionText was empty or held something empty, which is left out
    /projects/0/repository has another name today
    /projects/0/homepage was empty or held something empty, which is left out
    /projects/0/updated/lastCommit has another name today
    /projects/0/updated/metadataLastUpdated has another name today
    "#);
}

#[test]
fn exemptions_of_the_first_version_have_numbers() {
    for (flags, usage) in [
        (
            json!({"openSourceProject": 0, "closedProject": 1, "exemption": 2}),
            json!(["exemptByNationalSecurity"]),
        ),
        (json!({"openSourceProject": "0", "exemption": "1"}), json!(["exemptByLaw"])),
        (json!({"openSourceProject": true}), json!(["openSource"])),
        (json!({"governmentWideReuseProject": 1, "exemption": 9}), json!(["governmentWideReuse"])),
    ] {
        let mut release = json!({"name": "a", "description": "b"});
        release.as_object_mut().unwrap().extend(flags.as_object().unwrap().clone());
        let (record, _) = only(&release);
        assert_eq!(record.value(Field::Usage), Some(&usage), "{flags}");
    }
    // A flag that says nothing is kept as it is.
    let (record, _) = only(&json!({"name": "a", "description": "b", "openSourceProject": 0}));
    assert_eq!(record.value(Field::Usage), None);
    assert!(record.get(&Key::Other("/openSourceProject".into())).is_some());
}

#[test]
fn misspellings_of_the_field_are_understood() {
    for (release, field, value) in [
        (json!({"repositoryUrl": "u"}), Field::RepositoryUrl, json!("u")),
        (json!({"homepageURl": "u"}), Field::HomepageUrl, json!("u")),
        (
            json!({"permissions": {"license": [{"name": "MIT", "url": "u"}]}}),
            Field::Licenses,
            json!([{"name": "MIT", "URL": "u"}]),
        ),
        (json!({"usageType": "openSource"}), Field::Usage, json!(["openSource"])),
        (
            json!({"permissions": {"usageType": ["OPENSOURCE", "openSource"]}}),
            Field::Usage,
            json!(["openSource"]),
        ),
        (json!({"permissions": {"usageType": "open"}}), Field::Usage, json!(["open"])),
        (json!({"exemptiontext": "because"}), Field::ExemptionText, json!("because")),
        (json!({"feedbackMechanisms": ["u"]}), Field::FeedbackMechanism, json!("u")),
        (json!({"contractNumber": "47"}), Field::ContractNumber, json!(["47"])),
        (json!({"contractNumber": ["", "47"]}), Field::ContractNumber, json!(["47"])),
        (json!({"date": {"metaDataLastUpdated": "d"}}), Field::MetadataLastUpdated, json!("d")),
        (json!({"laborHours": "1,200"}), Field::LaborHours, json!(1200)),
        (json!({"laborHours": "many"}), Field::LaborHours, json!("many")),
        (json!({"tags": {"0": "a", "1": "b"}}), Field::Tags, json!(["a", "b"])),
        (json!({"repositoryVisibility": "internal"}), Field::Visibility, json!("private")),
        (json!({"status": "Archived"}), Field::Status, json!("Archival")),
        (json!({"status": "Alpha v0.11 (Prototype)"}), Field::Status, json!("Alpha v0.11 (Prototype)")),
        (json!({"vcs": "vcs,git"}), Field::Vcs, json!("git")),
        (json!({"version": 1.2}), Field::Version, json!("1.2")),
        (
            json!({"relatedCode": ["https://example.gov/x", "y"]}),
            Field::RelatedCode,
            json!([{"URL": "https://example.gov/x"}, {"name": "y"}]),
        ),
        (
            json!({"relatedCode": [{"codeName": "y", "codeURL": "u"}]}),
            Field::RelatedCode,
            json!([{"name": "y", "URL": "u"}]),
        ),
        (json!({"contact": "a@example.gov"}), Field::ContactEmail, json!("a@example.gov")),
        (json!({"permissions": {"licenses": null}}), Field::Licenses, json!(null)),
    ] {
        let mut release = release;
        release["name"] = json!("a");
        release["description"] = json!("b");
        let (record, _) = only(&release);
        assert_eq!(record.value(field), Some(&value), "{release}");
        assert_eq!(record.others().len(), 0, "{release}");
    }
}

#[test]
fn spellings_that_contradict_each_other_are_both_kept() {
    let (record, _) = only(&json!({
        "name": "a", "permissions": {"usageType": "openSource", "odd": 1}, "usageType": "governmentWideReuse",
        "repositoryURL": "https://example.gov/a", "repository": "https://example.gov/a", "contact": 7, "date": {},
    }));
    insta::assert_snapshot!(lines(&record), @r#"
    /name "a"
    /permissions/usageType ["openSource"]
    /repositoryURL "https://example.gov/a"
    /permissions/odd 1
    /usageType "governmentWideReuse"
    /contact 7
    "#);
}

#[test]
fn every_shape_is_read() {
    let release = json!({"name": "a", "description": "b", "projects": ["c"]});
    let inventory = json!({"version": "2.0.0", "agency": "ABC", "measurementType": {"method": "projects"}, "releases": [release, 7], "more": 1});
    for (root, shape, records) in [
        (release.clone(), Root::Release, 1),
        (inventory.clone(), Root::Releases, 1),
        (json!({"agency": "ABC", "projects": [release, release]}), Root::Projects, 2),
        (json!([release]), Root::List, 1),
        (json!({"ABC": inventory, "DEF": {"version": "1", "releases": []}, "x": 1}), Root::Agencies, 1),
    ] {
        let reading = read(&root, "code.json").unwrap();
        assert_eq!((reading.root, reading.records().count()), (shape, records), "{root}");
    }
    let reading = read(&inventory, "code.json").unwrap();
    let envelope = &reading.groups[0].envelope;
    assert_eq!(envelope.agency.as_deref(), Some("ABC"));
    assert_eq!(json!(envelope.others), json!({"more": 1}));
    assert_eq!(reading.notes, [Note { pointer: "/releases/1".into(), change: Change::NotCarried }]);
    for root in [json!({}), json!([]), json!(1), json!({"name": 1}), json!({"api": {"base": "u"}})] {
        assert_eq!(read(&root, "code.json"), Err(NotAnInventory), "{root}");
    }
}

#[test]
fn a_record_is_picked_by_number_name_or_address() {
    let list = json!([{"name": "a", "description": "1"}, {"name": "1", "description": "2", "repositoryURL": "https://example.gov"}]);
    let reading = read(&list, "code.json").unwrap();
    let picked = |which: &str| {
        let reading = reading.pick(which)?;
        Some(reading.records().next()?.text(Field::Description)?.to_owned())
    };
    let found: Vec<_> = ["a", "1", "2", "https://example.gov", "0", "3", "b"].map(picked).into();
    let found: Vec<_> = found.iter().map(Option::as_deref).collect();
    assert_eq!(found, [Some("1"), Some("2"), Some("2"), Some("2"), None, None, None]);
}
