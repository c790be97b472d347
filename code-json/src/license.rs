//! Names of licenses as people write them, and their SPDX identifiers.
//!
//! Promises: (1) a name is only ever given the identifier it certainly means:
//! `NASA Open Source` or `BSD` without more have none; (2) texts of licenses are
//! not read here.

/// The licenses gov 2.0.0 has names for, beside `Other` and `None`.
pub const GOV: [&str; 12] = [
    "CC0-1.0",
    "Apache-2.0",
    "MIT",
    "MPL-2.0",
    "GPL-2.0-only",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "LGPL-2.1-only",
    "LGPL-3.0-only",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "EPL-2.0",
];

/// Further identifiers that federal inventories use or may.
const MORE: [&str; 50] = [
    "0BSD",
    "AFL-3.0",
    "AGPL-3.0-only",
    "AGPL-3.0-or-later",
    "Apache-1.1",
    "Artistic-1.0",
    "Artistic-2.0",
    "BSD-3-Clause-Clear",
    "BSD-3-Clause-LBNL",
    "BSD-4-Clause",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
    "CC-PDDC",
    "CDDL-1.0",
    "CDDL-1.1",
    "CECILL-2.1",
    "ECL-2.0",
    "EPL-1.0",
    "EUPL-1.2",
    "FSFAP",
    "GPL-1.0-only",
    "GPL-2.0-or-later",
    "ISC",
    "LGPL-2.0-only",
    "LGPL-2.0-or-later",
    "LGPL-2.1-or-later",
    "LGPL-3.0-or-later",
    "MIT-0",
    "MPL-1.1",
    "MS-PL",
    "MS-RL",
    "MulanPSL-2.0",
    "NASA-1.3",
    "NCSA",
    "NIST-PD",
    "NIST-PD-fallback",
    "NIST-Software",
    "OFL-1.1",
    "OSL-3.0",
    "PostgreSQL",
    "Python-2.0",
    "UPL-1.0",
    "Unlicense",
    "Zlib",
];

/// Folded names (see [`fold`]) that are no identifiers. What SPDX has
/// deprecated without `-only` means that version alone (SPDX License List 3.0).
const ALIASES: &[(&str, &str)] = &[
    ("agpl 3.0", "AGPL-3.0-only"),
    ("agpl 3.0+", "AGPL-3.0-or-later"),
    ("agplv3", "AGPL-3.0-only"),
    ("affero general public 3.0", "AGPL-3.0-only"),
    ("apache", "Apache-2.0"),
    ("apache 2", "Apache-2.0"),
    ("asl 2.0", "Apache-2.0"),
    ("boost 1.0", "BSL-1.0"),
    ("bsd 2", "BSD-2-Clause"),
    ("bsd 2 clause simplified", "BSD-2-Clause"),
    ("simplified bsd", "BSD-2-Clause"),
    ("bsd 3", "BSD-3-Clause"),
    ("bsd 3 clause new or revised", "BSD-3-Clause"),
    ("new bsd", "BSD-3-Clause"),
    ("modified bsd", "BSD-3-Clause"),
    ("cc0", "CC0-1.0"),
    ("cc0 1", "CC0-1.0"),
    ("cc0 1.0 universal", "CC0-1.0"),
    ("creative commons zero", "CC0-1.0"),
    ("creative commons zero 1.0 universal", "CC0-1.0"),
    ("creative commons zero cc0", "CC0-1.0"),
    ("creative commons zero cc0 1.0", "CC0-1.0"),
    ("public domain cc0 1.0", "CC0-1.0"),
    ("creative commons attribution 4.0", "CC-BY-4.0"),
    ("creative commons attribution 4.0 international", "CC-BY-4.0"),
    ("expat", "MIT"),
    ("eclipse public 1.0", "EPL-1.0"),
    ("eclipse public 2.0", "EPL-2.0"),
    ("gpl 2.0", "GPL-2.0-only"),
    ("gpl 2", "GPL-2.0-only"),
    ("gplv2", "GPL-2.0-only"),
    ("gpl2", "GPL-2.0-only"),
    ("general public 2.0", "GPL-2.0-only"),
    ("general public 2", "GPL-2.0-only"),
    ("gpl 2.0+", "GPL-2.0-or-later"),
    ("gplv2+", "GPL-2.0-or-later"),
    ("gpl 3.0", "GPL-3.0-only"),
    ("gpl 3", "GPL-3.0-only"),
    ("gpl. 3", "GPL-3.0-only"),
    ("gplv3", "GPL-3.0-only"),
    ("gpl.v3", "GPL-3.0-only"),
    ("gpl3", "GPL-3.0-only"),
    ("general public 3.0", "GPL-3.0-only"),
    ("general public 3", "GPL-3.0-only"),
    ("gpl 3.0+", "GPL-3.0-or-later"),
    ("gplv3+", "GPL-3.0-or-later"),
    ("lgpl 2.1", "LGPL-2.1-only"),
    ("lgplv2.1", "LGPL-2.1-only"),
    ("lesser general public 2.1", "LGPL-2.1-only"),
    ("lgpl 2.1+", "LGPL-2.1-or-later"),
    ("lgpl 3.0", "LGPL-3.0-only"),
    ("lgpl 3", "LGPL-3.0-only"),
    ("lgplv3", "LGPL-3.0-only"),
    ("lgpl3", "LGPL-3.0-only"),
    ("lesser general public 3.0", "LGPL-3.0-only"),
    ("lgpl 3.0+", "LGPL-3.0-or-later"),
    ("microsoft public", "MS-PL"),
    ("mozilla public 2.0", "MPL-2.0"),
    ("mpl 2", "MPL-2.0"),
    ("nasa open source agreement 1.3", "NASA-1.3"),
    ("nosa 1.3", "NASA-1.3"),
    ("sil open font 1.1", "OFL-1.1"),
];

/// The SPDX identifier a name means.
#[must_use]
pub fn identify(name: &str) -> Option<&'static str> {
    let name = name.trim();
    if let Some(id) = ids().find(|id| id.eq_ignore_ascii_case(name)) {
        return Some(id);
    }
    let folded = fold(name);
    if let Some(id) = ids().find(|id| fold(id) == folded) {
        return Some(id);
    }
    ALIASES.iter().find(|(alias, _)| *alias == folded).map(|(_, id)| *id)
}

/// The SPDX identifier of the license whose text stands at a well-known address.
/// None for a file in somebody's repository.
#[must_use]
pub fn identify_url(url: &str) -> Option<&'static str> {
    let (_, rest) = url.trim().split_once("://")?;
    let rest = rest.strip_prefix("www.").unwrap_or(rest).trim_end_matches('/').to_ascii_lowercase();
    let (host, path) = rest.split_once('/').unwrap_or((&rest, ""));
    let name = match host {
        "spdx.org" | "opensource.org" | "choosealicense.com" | "api.github.com" => {
            path.strip_prefix("licenses/").or_else(|| path.strip_prefix("license/"))?
        }
        "gnu.org" => path.strip_prefix("licenses/")?,
        "apache.org" if path.starts_with("licenses/license-2.0") => "Apache-2.0",
        "creativecommons.org" if path.starts_with("publicdomain/zero/1.0") => "CC0-1.0",
        "creativecommons.org" if path == "licenses/by/4.0" => "CC-BY-4.0",
        "unlicense.org" => "Unlicense",
        "mozilla.org" if path.ends_with("mpl/2.0") => "MPL-2.0",
        _ => return None,
    };
    let name = [".html", ".txt", ".php", ".en", "-license"]
        .iter()
        .fold(name, |n, end| n.strip_suffix(end).unwrap_or(n));
    identify(name)
}

/// The page of an identifier.
#[must_use]
pub fn page(id: &str) -> String {
    format!("https://spdx.org/licenses/{id}.html")
}

/// What gov 2.0.0 calls a license; None if the name says nothing certain.
#[must_use]
pub fn gov_name(name: &str) -> Option<&'static str> {
    let name = name.trim();
    for word in ["Other", "None"] {
        if word.eq_ignore_ascii_case(name) {
            return Some(word);
        }
    }
    let id = identify(name)?;
    Some(GOV.iter().find(|known| **known == id).copied().unwrap_or("Other"))
}

fn ids() -> impl Iterator<Item = &'static str> {
    GOV.iter().chain(&MORE).copied()
}

/// Small letters and digits, without the words that names differ by.
fn fold(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric() && c != '.' && c != '+');
    let words = words.filter(|word| {
        !matches!(
            *word,
            "" | "the" | "license" | "licence" | "licenses" | "version" | "gnu" | "v" | "software"
        )
    });
    let bare = |word: &str| -> String {
        let number = word.strip_prefix('v').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        number.unwrap_or(word).to_owned()
    };
    words.map(bare).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_what_they_certainly_mean() {
        for (name, id) in [
            ("mit", Some("MIT")),
            ("MIT License", Some("MIT")),
            ("The Unlicense", Some("Unlicense")),
            ("Apache License, Version 2.0", Some("Apache-2.0")),
            ("Apache v2", Some("Apache-2.0")),
            ("BSD 3-Clause \"New\" or \"Revised\" License", Some("BSD-3-Clause")),
            ("GNU General Public License v3.0", Some("GPL-3.0-only")),
            ("GPL-2.0", Some("GPL-2.0-only")),
            ("GPLv2", Some("GPL-2.0-only")),
            ("Creative Commons Zero (CC0)", Some("CC0-1.0")),
            ("Public Domain, CC0-1.0", Some("CC0-1.0")),
            ("cc0-1.0", Some("CC0-1.0")),
            ("Creative Commons Zero v1.0 Universal", Some("CC0-1.0")),
            ("Apache License 2.0", Some("Apache-2.0")),
            ("GPL-2.0+", Some("GPL-2.0-or-later")),
            ("BSD 2-Clause \"Simplified\" License", Some("BSD-2-Clause")),
            ("agpl-3.0", Some("AGPL-3.0-only")),
            ("NASA v3", None),
            ("NASA Open Source", None),
            ("Pending Release", None),
            ("BSD", None),
            ("GPLv6", None),
            ("", None),
        ] {
            assert_eq!(identify(name), id, "{name}");
        }
        assert_eq!(gov_name("NASA-1.3"), Some("Other"));
        assert_eq!(gov_name("none"), Some("None"));
        assert_eq!(gov_name("Pending Release"), None);
    }

    #[test]
    fn well_known_addresses_are_known() {
        for (url, id) in [
            ("https://api.github.com/licenses/cc0-1.0", Some("CC0-1.0")),
            ("http://choosealicense.com/licenses/mit/", Some("MIT")),
            ("https://opensource.org/licenses/MIT", Some("MIT")),
            ("https://www.apache.org/licenses/LICENSE-2.0.html", Some("Apache-2.0")),
            ("http://creativecommons.org/publicdomain/zero/1.0/", Some("CC0-1.0")),
            ("https://www.gnu.org/licenses/gpl-3.0.en.html", Some("GPL-3.0-only")),
            ("https://github.com/a/b/blob/main/LICENSE", None),
            ("www.apache.org/licenses/LICENSE-2.0", None),
        ] {
            assert_eq!(identify_url(url), id, "{url}");
        }
        assert!(GOV.iter().all(|id| identify_url(&page(id)) == Some(id)));
    }
}
