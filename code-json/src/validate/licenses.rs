//! Names and addresses of licenses.

use serde_json::Value as Json;

use super::{Judging, shown};
use crate::{
    checks::permissions,
    document::{Kind, Value},
    edit::{Fix, quote},
    license as names,
};

/// Whether a name is none: `null`, `N/A`, nothing.
fn says_nothing(text: &str) -> bool {
    super::urls::is_word_for_nothing(text) || text.eq_ignore_ascii_case("NOASSERTION")
}

fn text_of(license: Value<'_>, key: &str) -> String {
    license.get(key).and_then(Value::as_str).map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// A license name that the schema does not list.
pub(super) fn wrong_name<'d>(judging: &mut Judging<'d>, value: Value<'d>, text: &str, options: &[Json]) {
    let license = value.parent().unwrap_or(value);
    let listed = |name: &str| options.iter().any(|option| option == name);
    let url = text_of(license, "URL");
    if says_nothing(text) && !url.contains("://") {
        let fix = Fix::remove(license);
        return judging.tell(
            &permissions::LICENSE_NOTHING,
            license,
            shown(license),
            "Remove the entry.",
            fix,
        );
    }
    let (write, fix) = match names::identify(text) {
        Some(id) if listed(id) => (format!("Write {}.", quote(id)), Some(Fix::text(value, id))),
        Some(_) if listed("Other") => {
            ("Write \"Other\"; the address says which.".into(), Some(Fix::text(value, "Other")))
        }
        _ => ("Which SPDX name is it? Write \"Other\" if the schema does not list it.".into(), None),
    };
    judging.tell(&permissions::LICENSE_NAME, value, shown(value), write, fix);
}

/// An address of a license that is none. `required` says whether it must stay.
pub(super) fn wrong_url<'d>(judging: &mut Judging<'d>, value: Value<'d>, optional: bool) {
    let license = value.parent().unwrap_or(value);
    let name = text_of(license, "name");
    if let Some(id) = names::identify(&name) {
        let page = names::page(id);
        let write = format!("Write {}.", quote(&page));
        return judging.tell(
            &permissions::LICENSE_URL,
            value,
            shown(value),
            write,
            Some(Fix::text(value, &page)),
        );
    }
    let word = super::urls::is_word_for_nothing(&value.as_str().unwrap_or_default());
    if word && says_nothing(&name) {
        let fix = Fix::remove(license);
        return judging.tell(
            &permissions::LICENSE_NOTHING,
            license,
            shown(license),
            "Remove the entry.",
            fix,
        );
    }
    let (write, fix) = if word && optional {
        ("Leave it out.", Fix::remove(value))
    } else {
        ("Where is the text of the license?", None)
    };
    judging.tell(&permissions::LICENSE_URL, value, shown(value), write, fix);
}

impl<'d> Judging<'d> {
    /// What can be said of licenses beyond the schema.
    pub(super) fn licenses(&mut self, list: Value<'d>) {
        for license in list.items().filter(|license| license.kind() == Kind::Object) {
            if let Some(url) = license.get("URL") {
                let text = url.as_str().unwrap_or_default();
                if let Some(key) = text.split_once("://api.github.com/licenses/").map(|(_, key)| key) {
                    let page = names::identify(key).map(names::page);
                    let write = page
                        .as_ref()
                        .map_or("Which page shows it?".into(), |page| format!("Write {}.", quote(page)));
                    let fix = page.map(|page| Fix::text(url, &page));
                    self.tell(&permissions::LICENSE_URL_API, url, shown(url), write, fix);
                }
            }
            let Some(name) = license.get("name") else { continue };
            let text = name.as_str().unwrap_or_default();
            let text = text.trim();
            // Where the schema has a list, it spoke already.
            if self.strict.license_names {
                continue;
            }
            if let Some(id) = names::identify(text).filter(|id| *id != text) {
                let write = format!("Write {}.", quote(id));
                self.tell(&permissions::LICENSE_ALIAS, name, shown(name), write, Some(Fix::text(name, id)));
            }
        }
    }
}
