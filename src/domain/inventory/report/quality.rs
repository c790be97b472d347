//! Which fields the listed entries lack that a harvester or a reader looks for.
//!
//! Promises: (1) it reads the very file that is published; (2) there is no
//! score, only what is missing; (3) an entry of code that is not public is
//! counted, judged only by what such an entry may say, and named only if the
//! caller passes its name.

use std::collections::{BTreeMap, HashMap, HashSet};

use code_json::record::Field;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::say;
use crate::domain::{outgoing::plain, policy::Published, words};

/// Who looks for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reader {
    /// A catalogue that takes the file in, such as Data.gov.
    Harvester,
    /// A person who looks for code.
    Person,
}

impl Reader {
    fn as_str(self) -> &'static str {
        match self {
            Reader::Harvester => "harvesters",
            Reader::Person => "people",
        }
    }
}

/// The fields, who looks for them, and whether an entry that names nothing has
/// them too. Those of the score that Code.gov gave, without the fields that most
/// code rightly lacks (related and reused code, partners, a download).
const FIELDS: &[(Field, Reader, bool)] = &[
    (Field::Description, Reader::Harvester, true),
    (Field::Organization, Reader::Harvester, true),
    (Field::RepositoryUrl, Reader::Harvester, true),
    (Field::ContactName, Reader::Harvester, true),
    (Field::ContactEmail, Reader::Harvester, true),
    (Field::Licenses, Reader::Harvester, false),
    (Field::ExemptionText, Reader::Person, true),
    (Field::Tags, Reader::Person, false),
    (Field::Languages, Reader::Person, false),
    (Field::Status, Reader::Person, true),
    (Field::Vcs, Reader::Person, true),
    (Field::LaborHours, Reader::Person, false),
    (Field::HomepageUrl, Reader::Person, false),
    (Field::DisclaimerText, Reader::Person, false),
    (Field::Created, Reader::Person, true),
    (Field::LastModified, Reader::Person, false),
    (Field::MetadataLastUpdated, Reader::Person, false),
];

/// A published file.
#[derive(Debug, Clone, Copy)]
pub struct Served<'a> {
    /// Which.
    pub published: Published,
    /// Its bytes.
    pub body: &'a [u8],
    /// When it was published.
    pub published_at: Timestamp,
}

/// `quality-1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Quality {
    /// The agency's acronym.
    pub agency: String,
    /// Whether code that is not public is named.
    pub internal: bool,
    /// One for each published file.
    pub files: Vec<FileQuality>,
}

/// What the entries of one file lack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct FileQuality {
    /// Its name.
    pub file: &'static str,
    /// The moment whose state this is.
    pub published_at: Timestamp,
    /// All entries; those of the groups sum up to them.
    pub entries: usize,
    /// Entries that lack nothing.
    pub whole: usize,
    /// The missing fields.
    pub fields: Vec<Missing>,
    /// By organization and owner.
    pub groups: Vec<Group>,
}

/// A field that entries lack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Missing {
    /// Its JSON pointer.
    pub field: &'static str,
    /// Who looks for it.
    pub reader: Reader,
    /// How many entries lack it.
    pub entries: usize,
}

/// The entries of one organization within the agency, at one owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Group {
    /// The organization, as the entries say.
    pub organization: String,
    /// The owner of the repositories; `not public` of those that are not named.
    pub owner: String,
    /// How many entries.
    pub entries: usize,
    /// How many lack each field.
    pub missing: BTreeMap<&'static str, usize>,
    /// The entries that lack something and may be named.
    pub named: Vec<Lacking>,
}

/// An entry that lacks something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Lacking {
    /// Its name.
    pub name: String,
    /// What it lacks.
    pub missing: Vec<&'static str>,
}

const NOT_PUBLIC: &str = "not public";

impl Quality {
    /// What the entries of published files lack. `names` has the repositories
    /// behind entries that name nothing, by random id, as far as they may be
    /// named; `hidden` has the addresses of what is public no more, though the
    /// file still says so.
    ///
    /// # Errors
    /// A file that is not JSON.
    pub fn of(
        agency: &str,
        served: &[Served<'_>],
        names: &HashMap<String, String>,
        hidden: &HashSet<String>,
        internal: bool,
    ) -> Result<Quality, serde_json::Error> {
        let files = served.iter().map(|one| file(one, names, hidden)).collect::<Result<_, _>>()?;
        Ok(Quality { agency: agency.to_owned(), internal, files })
    }

    /// A row of headings, then one for each field of each group and each entry.
    #[must_use]
    pub fn rows(&self) -> Vec<Vec<String>> {
        const HEADINGS: [&str; 8] =
            ["file", "published_at", "organization", "owner", "row", "name", "entries", "missing"];
        let mut rows = vec![HEADINGS.map(str::to_owned).to_vec()];
        for file in &self.files {
            for group in &file.groups {
                let mut row = |cells: [String; 4]| {
                    let at = file.published_at.to_string();
                    let head = [file.file.to_owned(), at, group.organization.clone(), group.owner.clone()];
                    rows.push(head.into_iter().chain(cells).collect());
                };
                row(["all".to_owned(), String::new(), group.entries.to_string(), String::new()]);
                for (field, count) in &group.missing {
                    row(["field".to_owned(), String::new(), count.to_string(), (*field).to_owned()]);
                }
                for one in &group.named {
                    row(["entry".to_owned(), one.name.clone(), String::new(), one.missing.join(" ")]);
                }
            }
        }
        rows
    }

    /// For people.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = format!("# What the entries of {} lack\n", plain(&self.agency));
        if self.internal {
            out.push_str("\nFor internal use: this report names code that is not public.\n");
        }
        for file in &self.files {
            say(&mut out, format_args!("\n## {}\n\nPublished {}.", file.file, file.published_at));
            say(&mut out, format_args!(" {} of {} entries lack nothing.\n", file.whole, file.entries));
            if !file.fields.is_empty() {
                out.push_str("\n| missing field | entries | looked for by |\n|---|---:|---|\n");
            }
            for one in &file.fields {
                let who = one.reader.as_str();
                say(&mut out, format_args!("| {} | {} | {who} |\n", one.field, one.entries));
            }
            for group in &file.groups {
                let (organization, owner) = (plain(&group.organization), plain(&group.owner));
                say(
                    &mut out,
                    format_args!("\n### {organization}, {owner}\n\nEntries: {}.\n\n", group.entries),
                );
                let missing = group.missing.iter().map(|(field, count)| format!("{field} {count}"));
                let missing: Vec<String> = missing.collect();
                let missing = if missing.is_empty() { "nothing".to_owned() } else { missing.join(", ") };
                say(&mut out, format_args!("- Missing: {missing}\n"));
                for one in &group.named {
                    say(&mut out, format_args!("- {}: {}\n", plain(&one.name), one.missing.join(", ")));
                }
            }
        }
        out
    }
}

fn file(
    served: &Served<'_>,
    names: &HashMap<String, String>,
    hidden: &HashSet<String>,
) -> Result<FileQuality, serde_json::Error> {
    let document: Value = serde_json::from_slice(served.body)?;
    let releases = document["releases"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    let mut fields: BTreeMap<&'static str, Missing> = BTreeMap::new();
    let mut whole = 0;
    for release in releases {
        let text = |pointer: &str| release.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let id = text("/name").strip_prefix(words::inventory::RESTRICTED_NAME).map(str::trim);
        let (name, owner) = match id {
            Some(id) => (names.get(id).cloned(), NOT_PUBLIC.to_owned()),
            None if hidden.contains(&text("/repositoryURL").to_lowercase()) => (None, NOT_PUBLIC.to_owned()),
            None => (Some(text("/name").to_owned()), owner(text("/repositoryURL"))),
        };
        let lacks = |(field, _, restricted): &&(Field, Reader, bool)| {
            (id.is_none() || *restricted) && !says(release, *field)
        };
        let missing: Vec<&(Field, Reader, bool)> = FIELDS.iter().filter(lacks).collect();
        whole += usize::from(missing.is_empty());
        let organization = text("/organization").to_owned();
        let group = groups.entry((organization.clone(), owner.clone())).or_insert_with(|| Group {
            organization,
            owner,
            entries: 0,
            missing: BTreeMap::new(),
            named: Vec::new(),
        });
        group.entries += 1;
        for &&(field, reader, _) in &missing {
            let field = field.pointer();
            *group.missing.entry(field).or_default() += 1;
            fields.entry(field).or_insert(Missing { field, reader, entries: 0 }).entries += 1;
        }
        let missing: Vec<&'static str> = missing.into_iter().map(|(field, ..)| field.pointer()).collect();
        if let Some(name) = name.filter(|_| !missing.is_empty()) {
            group.named.push(Lacking { name, missing });
        }
    }
    let mut fields: Vec<Missing> = fields.into_values().collect();
    fields.sort_by(|a, b| b.entries.cmp(&a.entries).then_with(|| a.field.cmp(b.field)));
    Ok(FileQuality {
        file: served.published.file(),
        published_at: served.published_at,
        entries: releases.len(),
        whole,
        fields,
        groups: groups.into_values().collect(),
    })
}

/// Whether an entry says something there. 0 hours say that nobody counted; a
/// description that is the name says nothing; only what is exempt needs a reason.
fn says(release: &Value, field: Field) -> bool {
    let value = release.pointer(field.pointer());
    let there = match value {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.trim().is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::Bool(_) | Value::Object(_)) => true,
    };
    if field == Field::Description {
        return there && value != release.get("name");
    }
    let exempt = || release["permissions"]["usageType"].to_string().contains("exempt");
    there || (field == Field::ExemptionText && !exempt())
}

/// The owner in a repository's address.
fn owner(url: &str) -> String {
    let path = url.split_once("://").map_or("", |(_, rest)| rest);
    path.split('/').nth(1).filter(|owner| !owner.is_empty()).unwrap_or("elsewhere").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"releases": [
        {"name": "river", "description": "river", "organization": "Birds", "repositoryURL": "https://github.com/agency/river",
         "permissions": {"licenses": [], "usageType": "openSource"}, "tags": ["birds"], "laborHours": 0,
         "contact": {"email": "b@agency.example.gov"}, "languages": ["Rust"], "status": "Beta", "vcs": "git",
         "date": {"created": "2024-01-01", "lastModified": "2024-01-01", "metadataLastUpdated": "2024-01-01"},
         "homepageURL": "https://agency.example.gov", "disclaimerText": "None."},
        {"name": "Restricted source code abcdefghijklmnopqrst", "description": "Not public.", "organization": "Birds",
         "repositoryURL": "https://agency.example.gov/access#abc", "tags": [], "languages": [], "laborHours": 0,
         "permissions": {"licenses": null, "usageType": "exemptByFOIA"}, "status": "Production", "vcs": "git",
         "contact": {"email": "b@agency.example.gov", "name": "Birds"}, "date": {"created": "2024-01-01"}}
    ]}"#;

    fn quality(names: &[(&str, &str)], hidden: &[&str], internal: bool) -> Quality {
        let served = Served {
            published: Published::Gsa2,
            body: FILE.as_bytes(),
            published_at: "2026-11-22T14:05:09Z".parse().unwrap(),
        };
        let names = names.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect();
        let hidden = hidden.iter().map(|&url| url.to_owned()).collect();
        Quality::of("XA", &[served], &names, &hidden, internal).unwrap()
    }

    #[test]
    fn what_is_withheld_by_design_is_no_gap_and_what_is_not_public_is_not_named() {
        let public = quality(&[], &[], false);
        let file = &public.files[0];
        assert_eq!((file.entries, file.whole), (2, 0));
        assert_eq!(file.groups.iter().map(|group| group.entries).sum::<usize>(), file.entries);
        insta::assert_snapshot!("quality", public.markdown());
        assert!(!public.rows().concat().join(" ").contains("abcdef"));
        let inside = quality(&[("abcdefghijklmnopqrst", "agency/zebra")], &[], true);
        assert!(inside.markdown().contains("- agency/zebra: /permissions/exemptionText\n"));
        let gone = quality(&[], &["https://github.com/agency/river"], false);
        assert!(!gone.markdown().contains("river") && gone.files[0].groups.len() == 1);
    }
}
