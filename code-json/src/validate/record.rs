//! What can be said of one record beyond the schema.

use super::{Judging, keys::question, shown};
use crate::{
    checks::permissions,
    document::{Kind, Value},
};

/// Exemptions of M-16-21 that have no basis of their own in the SHARE IT Act.
const WITHOUT_BASIS: [&str; 5] = [
    "exemptByIPRestriction",
    "exemptByAgencySystem",
    "exemptByAgencyMission",
    "exemptByCIO",
    "exemptByPolicyDate",
];

/// Signs that a text cites a law or a rule.
const CITATIONS: [&str; 14] = [
    "u.s.c",
    "usc ",
    "c.f.r",
    "cfr",
    "552",
    "foia",
    "pub. l",
    "public law",
    "itar",
    "ear ",
    "far ",
    "dfars",
    "§",
    "executive order",
];

impl<'d> Judging<'d> {
    pub(super) fn record(&mut self, record: Value<'d>) {
        if record.kind() != Kind::Object {
            return;
        }
        self.texts(record);
        self.lists(record);
        self.urls(record);
        self.dates(record);
        self.permissions(record);
    }

    fn permissions(&mut self, record: Value<'d>) {
        let Some(permissions) = record.get("permissions").filter(|value| value.kind() == Kind::Object) else {
            return;
        };
        if let Some(licenses) = permissions.get("licenses") {
            self.licenses(licenses);
        }
        let Some(usage) = permissions.get("usageType") else { return };
        let types: Vec<_> = match usage.kind() {
            Kind::Array => usage.items().filter_map(Value::as_str).collect(),
            _ => usage.as_str().into_iter().collect(),
        };
        let exemption = types.iter().find(|one| one.starts_with("exemptBy"));
        let open = types.iter().any(|one| one == "openSource");
        let text = permissions.get("exemptionText");
        if let Some(exemption) = exemption {
            let written = text.and_then(Value::as_str).unwrap_or_default();
            let lower = written.to_lowercase();
            let nothing = super::urls::is_word_for_nothing(&written);
            if nothing {
                let at = text.unwrap_or(usage);
                let found = text.map_or_else(|| format!("{exemption} and no \"exemptionText\""), shown);
                let write = "Why is it exempt? One or two sentences, with the law or rule.";
                self.tell(&permissions::EXEMPTION_TEXT, at, found, write, None);
            } else if WITHOUT_BASIS.contains(&&**exemption)
                && !CITATIONS.iter().any(|sign| lower.contains(sign))
            {
                let at = text.unwrap_or(usage);
                let write = "Which law or rule does it rest on?";
                self.tell(&permissions::EXEMPTION_CITATION, at, shown(at), write, None);
            }
            if open {
                let write = "Which one applies?";
                self.tell(&permissions::USAGE_TYPE_MIXED, usage, shown(usage), write, None);
            }
        }
        if !open {
            return;
        }
        let licenses = permissions.get("licenses");
        if licenses.is_none_or(|list| list.is_empty()) {
            let at = licenses.unwrap_or(usage);
            self.tell(&permissions::OPEN_UNLICENSED, at, shown(at), question("licenses"), None);
        }
        if let Some(visibility) = record.get("repositoryVisibility")
            && visibility.as_str().is_some_and(|text| text.eq_ignore_ascii_case("private"))
        {
            let write = "Is the repository public, or the code not open source?";
            self.tell(&permissions::OPEN_PRIVATE, visibility, shown(visibility), write, None);
        }
    }
}
