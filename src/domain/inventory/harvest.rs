//! What Data.gov's harvester makes of a published file (domain: what Data.gov
//! takes).
//!
//! Promises: (1) of entries with one identifier the first is taken, and one
//! without an address counts as one identifier; (2) what was taken before and
//! is not there now would be deleted from the catalogue.

use std::collections::BTreeSet;

use code_json::validate::{self, Choice};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::policy::Published;

/// What a harvester made of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Harvest {
    /// What it took, by its addresses.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub identifiers: BTreeSet<String>,
    /// Violations of the schema, for which it would refuse the file.
    pub violations: usize,
    /// Entries it would refuse, since it needs a title, a description and a
    /// contact with a name.
    pub incomplete: usize,
    /// Entries it would drop, since an earlier one has their address.
    pub duplicates: usize,
    /// What it would delete: taken before, and not there now.
    pub deleted: BTreeSet<String>,
}

impl Harvest {
    /// Takes a file in, after one from which these were taken.
    ///
    /// # Errors
    /// If it is no inventory; a sentence.
    pub fn of(
        bytes: &[u8],
        published: Published,
        before: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<Harvest, String> {
        let document: Value =
            serde_json::from_slice(bytes).map_err(|error| format!("line {}: it is no JSON", error.line()))?;
        let releases = document.get("releases").and_then(Value::as_array);
        let releases = releases.ok_or_else(|| "it has no list of releases".to_owned())?;
        let identifier = |release: &Value| {
            release.get("repositoryURL").and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let identifiers: BTreeSet<String> = releases.iter().map(identifier).collect();
        let options = validate::Options {
            schema: Choice::Published(published.schema()),
            today: Some(now.to_zoned(TimeZone::UTC).date()),
            ..validate::Options::default()
        };
        let report = validate::validate(bytes, &options);
        let data_gov = report.data_gov;
        Ok(Harvest {
            violations: report.violations.unwrap_or(1),
            incomplete: data_gov.as_ref().map_or(0, |floor| floor.incomplete),
            duplicates: releases.len() - identifiers.len(),
            deleted: before.difference(&identifiers).cloned().collect(),
            identifiers,
        })
    }

    /// The same but for what it took, which is kept beside it.
    #[must_use]
    pub fn without_identifiers(&self) -> Harvest {
        Harvest { identifiers: BTreeSet::new(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn release(url: &str) -> Value {
        json!({
            "name": "Rain", "description": "Counts drops.", "repositoryURL": url, "laborHours": 1, "tags": [],
            "permissions": {"licenses": null, "usageType": "openSource", "exemptionText": null},
            "contact": {"email": "rain@agency.example.gov", "name": "Office of Rain"},
        })
    }

    fn harvest(releases: &[Value], before: &[&str]) -> Result<Harvest, String> {
        let file = json!({"version": "2.0.0", "agency": "XA", "measurementType": {"method": "projects"}, "releases": releases});
        let before = before.iter().map(|&url| url.to_owned()).collect();
        let now = "2026-11-17T15:00:00Z".parse().unwrap();
        Harvest::of(file.to_string().as_bytes(), Published::Gsa2, &before, now)
    }

    #[test]
    fn the_first_of_an_address_is_taken_and_what_is_gone_is_deleted() {
        let (rain, snow) = ("https://git.example.gov/rain", "https://git.example.gov/snow");
        let found = harvest(&[release(rain), release(rain)], &[rain, snow]).unwrap();
        assert_eq!((found.violations, found.incomplete, found.duplicates), (0, 0, 1));
        assert_eq!((found.identifiers, found.deleted), ([rain.to_owned()].into(), [snow.to_owned()].into()));
        let mut nameless = release(snow);
        nameless["contact"] = json!({"email": "rain@agency.example.gov"});
        assert_eq!(harvest(&[release(rain), nameless], &[]).unwrap().incomplete, 1);
        let mut invalid = release(snow);
        invalid["laborHours"] = "many".into();
        assert!(harvest(&[invalid], &[]).unwrap().violations > 0);
        assert_eq!(
            Harvest::of(b"<html>", Published::Gsa2, &BTreeSet::new(), Timestamp::UNIX_EPOCH),
            Err("line 1: it is no JSON".to_owned())
        );
    }
}
