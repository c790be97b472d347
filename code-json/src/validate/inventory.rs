//! What can be said of a whole inventory, and what Data.gov would do with it.

use std::{collections::HashMap, sync::LazyLock};

use serde_json::Value as Json;

use super::{Judging, shown};
use crate::{
    checks::{data_gov, inventory},
    detect::{Container, Family, Shape},
    document::{Kind, Value},
    edit::Fix,
};

/// What Data.gov would do with the entries of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DataGov {
    /// It would take them.
    pub taken: usize,
    /// It would refuse them, since a field of its floor is empty.
    pub incomplete: usize,
    /// It would drop them, since an earlier one has the same identifier. One
    /// that it knows under that identifier is overwritten.
    pub duplicates: usize,
}

/// The floor, as data: `data_gov.json`.
struct Floor {
    fields: Vec<(String, String)>,
    identifier: String,
}

static FLOOR: LazyLock<Floor> = LazyLock::new(|| {
    let json: Json =
        serde_json::from_str(include_str!("../checks/data_gov.json")).expect("our own data is JSON");
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let fields = json["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
    Floor {
        fields: fields.iter().map(|field| (text(&field["key"]), text(&field["becomes"]))).collect(),
        identifier: text(&json["identifier"]),
    }
});

fn filled(record: Value<'_>, pointer: &str) -> Option<String> {
    let value = pointer.split('/').skip(1).try_fold(record, |value, key| value.get(key))?;
    let text = value.as_str()?;
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

impl<'d> Judging<'d> {
    pub(super) fn inventory(&mut self, shape: Shape, records: &[Value<'d>]) -> DataGov {
        match shape.container {
            Container::Releases | Container::Projects => self.frame(shape),
            Container::Single | Container::List | Container::Other => {}
        }
        if shape.container != Container::Single {
            self.duplicates(records);
        }
        self.floor(shape, records)
    }

    fn frame(&mut self, shape: Shape) {
        let root = self.document.root();
        let text = |key: &str| root.get(key).and_then(|value| Some((value, value.as_str()?)));
        if let Some((value, version)) = text("version")
            && shape.family != Family::Gsa1
            && version != "2.0.0"
        {
            let meant =
                ["2.0", "2", "v2.0.0", "V2.0.0"].contains(&version.trim()) || version.trim() == "2.0.0";
            let fix = meant.then(|| Fix::text(value, "2.0.0"));
            self.tell(
                &inventory::VERSION,
                value,
                shown(value),
                "Write \"2.0.0\", if that is the schema.",
                fix,
            );
        }
        if let Some((value, agency)) = text("agency")
            && super::urls::is_word_for_nothing(&agency)
        {
            self.tell(&inventory::NO_AGENCY, value, shown(value), "What is the agency's acronym?", None);
        }
        if let Some(measure) = root.get("measurementType")
            && measure.get("method").and_then(Value::as_str).is_some_and(|method| method == "other")
            && measure
                .get("ifOther")
                .and_then(Value::as_str)
                .is_none_or(|text| super::urls::is_word_for_nothing(&text))
        {
            let write = "How does the agency measure its code? Write it to ifOther.";
            self.tell(&inventory::MEASURE, measure, shown(measure), write, None);
        }
    }

    fn duplicates(&mut self, records: &[Value<'d>]) {
        let mut urls: HashMap<String, Value<'d>> = HashMap::new();
        let mut names: HashMap<(String, String), Value<'d>> = HashMap::new();
        for (number, record) in records.iter().enumerate() {
            self.entry = Some(number);
            let text = |key: &str| {
                record.get(key).and_then(|value| Some((value, value.as_str()?.trim().to_owned())))
            };
            if let Some((value, url)) =
                text("repositoryURL").filter(|(_, url)| !super::urls::is_word_for_nothing(url))
            {
                // Hosts and GitHub's names do not tell case apart.
                let key = url.trim_end_matches('/').trim_end_matches(".git").to_lowercase();
                if let Some(first) = urls.get(&key).copied() {
                    let write = format!(
                        "Which part of the repository is it? Add #PART, or join it with the entry of line {}.",
                        first.place().line
                    );
                    self.tell(&inventory::SAME_URL, value, shown(value), write, None);
                } else {
                    urls.insert(key, value);
                }
            }
            if let Some((value, name)) = text("name").filter(|(_, name)| !name.is_empty()) {
                let organization =
                    text("organization").map(|(_, organization)| organization).unwrap_or_default();
                let key = (organization.to_lowercase(), name.to_lowercase());
                if let Some(first) = names.get(&key).copied() {
                    let write = format!("How does it differ from the entry of line {}?", first.place().line);
                    self.tell(&inventory::SAME_NAME, value, shown(value), write, None);
                } else {
                    names.insert(key, value);
                }
            }
        }
        self.entry = None;
    }

    fn floor(&mut self, shape: Shape, records: &[Value<'d>]) -> DataGov {
        let mut counts = DataGov::default();
        let mut seen = HashMap::new();
        for (number, record) in records.iter().enumerate().filter(|(_, record)| record.kind() == Kind::Object)
        {
            let lacking: Vec<String> = FLOOR
                .fields
                .iter()
                .filter(|(key, _)| filled(*record, key).is_none())
                .map(|(key, _)| key[1..].replace('/', "."))
                .collect();
            let identifier = filled(*record, &FLOOR.identifier).unwrap_or_default();
            // All that have none count as one.
            let duplicate = seen.insert(identifier, number).is_some();
            if !lacking.is_empty() {
                counts.incomplete += 1;
            } else if duplicate {
                counts.duplicates += 1;
            } else {
                counts.taken += 1;
            }
            // Only inventories are harvested; of a single file, the rest says it.
            if !lacking.is_empty() && shape.container == Container::Releases {
                self.entry = Some(number);
                let found = format!("no {}", lacking.join(", no "));
                let write = format!("Write {}.", lacking.join(", "));
                self.tell_object(&data_gov::DROPPED, *record, found, write, None);
            }
        }
        self.entry = None;
        counts
    }
}
