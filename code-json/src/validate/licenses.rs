//! Names and addresses of licenses.

use serde_json::Value as Json;

use super::{Judging, shown};
use crate::{
    checks::permissions,
    document::{Kind, Value},
    edit::{Fix, quote},
};

/// SPDX identifiers that records name, and what else they are called there:
/// lower case, letters and digits only, `license` left out.
const NAMES: [(&str, &[&str]); 28] = [
    (
        "CC0-1.0",
        &[
            "cc0",
            "creativecommonszero",
            "creativecommonszerocc0",
            "creativecommonszerov10universal",
            "creativecommonscc0",
            "publicdomaincc010",
            "cc010universal",
        ],
    ),
    ("Apache-2.0", &["apache", "apache2", "apachev2", "apache20", "apacheversion20"]),
    ("MIT", &["mit", "themit", "expat"]),
    ("MPL-2.0", &["mozillapublic20"]),
    ("GPL-2.0-only", &["gpl20", "gplv2", "gpl2", "gnugeneralpublicv20", "gnugplv2", "gnugpl20"]),
    ("GPL-3.0-only", &["gpl30", "gplv3", "gpl3", "gnugeneralpublicv30", "gnugplv3", "gnugpl30"]),
    ("GPL-2.0-or-later", &["gpl20+", "gplv2+"]),
    ("GPL-3.0-or-later", &["gpl30+", "gplv3+"]),
    ("LGPL-2.1-only", &["lgpl21", "lgplv21", "gnulessergeneralpublicv21"]),
    ("LGPL-2.1-or-later", &["lgpl21+"]),
    ("LGPL-3.0-only", &["lgpl30", "lgplv3", "lgpl3", "gnulessergeneralpublicv30"]),
    ("LGPL-3.0-or-later", &["lgpl30+"]),
    ("AGPL-3.0-only", &["agpl30", "agplv3", "gnuafferogeneralpublicv30"]),
    ("AGPL-3.0-or-later", &["agpl30+"]),
    ("BSD-2-Clause", &["bsd2", "bsd2clausesimplified", "simplifiedbsd"]),
    ("BSD-3-Clause", &["bsd3", "bsd3clauseneworrevised", "newbsd", "modifiedbsd"]),
    ("EPL-1.0", &["eclipsepublic10"]),
    ("EPL-2.0", &["eclipsepublic20"]),
    ("Unlicense", &["theunlicense"]),
    ("ISC", &[]),
    ("Zlib", &[]),
    ("Artistic-2.0", &[]),
    ("BSL-1.0", &["boostsoftware10"]),
    ("CC-BY-4.0", &["creativecommonsattribution40international"]),
    ("CC-BY-SA-4.0", &[]),
    ("MIT-0", &[]),
    ("NASA-1.3", &["nosa13", "nasaopensourceagreement13"]),
    ("BSD-3-Clause-LBNL", &[]),
];

/// The SPDX identifier that a name means, if it means exactly one.
pub(super) fn identifier(name: &str) -> Option<&'static str> {
    let bare: String =
        name.chars().filter(|c| c.is_alphanumeric() || *c == '+').flat_map(char::to_lowercase).collect();
    let short = bare.replace("license", "");
    let is =
        |id: &str| id.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).eq(bare.chars());
    let found = NAMES
        .iter()
        .find(|(id, others)| is(id) || others.contains(&bare.as_str()) || others.contains(&short.as_str()));
    found.map(|(id, _)| *id)
}

/// Whether a name is none: `null`, `N/A`, nothing.
fn says_nothing(text: &str) -> bool {
    super::urls::is_word_for_nothing(text) || text.eq_ignore_ascii_case("NOASSERTION")
}

fn page(identifier: &str) -> String {
    format!("https://spdx.org/licenses/{identifier}.html")
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
    let (write, fix) = match identifier(text) {
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
    if let Some(id) = identifier(&name) {
        let page = page(id);
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
                    let page = identifier(key).map(page);
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
            if let Some(id) = identifier(text).filter(|id| *id != text) {
                let write = format!("Write {}.", quote(id));
                self.tell(&permissions::LICENSE_ALIAS, name, shown(name), write, Some(Fix::text(name, id)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::identifier;

    #[test]
    fn names_of_the_field_are_known() {
        for (name, expected) in [
            ("cc0-1.0", Some("CC0-1.0")),
            ("Creative Commons Zero (CC0)", Some("CC0-1.0")),
            ("Creative Commons Zero v1.0 Universal", Some("CC0-1.0")),
            ("Apache License 2.0", Some("Apache-2.0")),
            ("MIT License", Some("MIT")),
            ("GPL-2.0", Some("GPL-2.0-only")),
            ("GPL-2.0+", Some("GPL-2.0-or-later")),
            ("GNU General Public License v3.0", Some("GPL-3.0-only")),
            ("BSD 2-Clause \"Simplified\" License", Some("BSD-2-Clause")),
            ("BSD 3-Clause \"New\" or \"Revised\" License", Some("BSD-3-Clause")),
            ("The Unlicense", Some("Unlicense")),
            ("agpl-3.0", Some("AGPL-3.0-only")),
            ("BSD", None),
            ("GPL", None),
            ("Pending Release", None),
            ("NASA v3", None),
            ("", None),
        ] {
            assert_eq!(identifier(name), expected, "{name}");
        }
    }
}
