//! Names, descriptions, contacts, numbers.

use std::borrow::Cow;

use super::{Judging, clip, keys::question, shown, violations::Spot};
use crate::{
    check::Check,
    checks::{lists, texts},
    document::{Kind, Value, windows_1252},
    edit::{Fix, quote},
};

/// What an address becomes without what clings to it.
fn bare_email(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text).trim()
}

/// Whether a text can be an e-mail address: a deliberately simple test.
fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.rsplit_once('@') else { return false };
    let fine = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>,;:\"()[]".contains(&byte))
    };
    fine(name)
        && !name.contains('@')
        && fine(host)
        && host.contains('.')
        && !host.starts_with('.')
        && !host.ends_with('.')
}

/// An e-mail address that is none.
pub(super) fn wrong_email<'d>(judging: &mut Judging<'d>, spot: &Spot<'d, '_>, check: &'static Check) {
    let value = spot.value;
    let text = value.as_str().unwrap_or_default();
    if text.trim().is_empty() && spot.optional {
        let fix = Fix::remove(value);
        return judging.tell(check, value, shown(value), "Leave it out, or write an address.", fix);
    }
    email(judging, value, &text, check);
}

fn email<'d>(judging: &mut Judging<'d>, value: Value<'d>, text: &str, check: &'static Check) {
    let bare = bare_email(text);
    if is_email(bare) && bare != text {
        let write = format!("Write {}.", quote(bare));
        judging.tell(check, value, shown(value), write, Some(Fix::text(value, bare)));
    } else {
        judging.tell(check, value, shown(value), question("email"), None);
    }
}

/// The text that was garbled by reading UTF-8 as Windows-1252, once.
fn unmangled(text: &str) -> Option<String> {
    // Most texts have none of the letters that begin such a sequence.
    if !text.contains(['Ã', 'Â', 'â', 'Å', 'Ä']) {
        return None;
    }
    let byte = |c: char| match u32::from(c) {
        code @ 0..=0xff => u8::try_from(code).ok(),
        _ => (0x80..=0x9f).find(|byte| windows_1252(*byte) == c),
    };
    let mut result = String::with_capacity(text.len());
    let mut changed = false;
    let mut rest = text.chars().peekable();
    while let Some(first) = rest.next() {
        let length = match byte(first) {
            Some(0xc2..=0xdf) => 1,
            Some(0xe0..=0xef) => 2,
            Some(0xf0..=0xf4) => 3,
            _ => 0,
        };
        let following: Vec<u8> =
            rest.clone().take(length).filter_map(byte).filter(|byte| byte & 0xc0 == 0x80).collect();
        let mut bytes: Vec<u8> = byte(first).into_iter().collect();
        bytes.extend(&following);
        match String::from_utf8(bytes) {
            Ok(character) if length > 0 && following.len() == length => {
                result.push_str(&character);
                changed = true;
                (0..length).for_each(|_| {
                    rest.next();
                });
            }
            _ => result.push(first),
        }
    }
    changed.then_some(result)
}

impl<'d> Judging<'d> {
    /// Name, description, contact and numbers, beyond the schema.
    pub(super) fn texts(&mut self, record: Value<'d>) {
        let text = |key: &str| record.get(key).filter(|value| value.kind() == Kind::String);
        let name = text("name").and_then(Value::as_str).unwrap_or_default();
        for (key, value) in
            ["name", "description", "organization"].iter().filter_map(|key| Some((*key, text(key)?)))
        {
            let written = value.as_str().unwrap_or_default();
            if written.trim() != written && !written.trim().is_empty() {
                let right = written.trim();
                let fix = Some(Fix::text(value, right));
                self.tell(&texts::SPACE, value, shown(value), "Remove the white space around it.", fix);
            }
            if let Some(right) = unmangled(&written) {
                self.tell(
                    &texts::MOJIBAKE,
                    value,
                    shown(value),
                    format!("Is it {}?", clip(&quote(&right))),
                    None,
                );
            }
            if key == "name" && written.trim().is_empty() {
                self.tell(&texts::NO_NAME, value, shown(value), question("name"), None);
            }
        }
        if let Some(value) = text("description") {
            let written = value.as_str().unwrap_or_default();
            let words = written.split_whitespace().count();
            match words {
                0 => self.tell(&texts::NO_DESCRIPTION, value, shown(value), question("description"), None),
                _ if written.trim().eq_ignore_ascii_case(name.trim()) => {
                    self.tell(&texts::SAME_DESCRIPTION, value, shown(value), question("description"), None);
                }
                1..=3 => {
                    self.tell(&texts::SHORT_DESCRIPTION, value, shown(value), question("description"), None)
                }
                _ => {}
            }
        }
        self.contact(record);
        if let Some(hours) = record.get("laborHours").filter(|hours| hours.as_f64() == Some(0.0)) {
            let write = "Write an estimate, for example from the source lines.";
            self.tell(&texts::ZERO_HOURS, hours, "0", write, None);
        }
        self.vcs(record);
    }

    fn contact(&mut self, record: Value<'d>) {
        let Some(contact) = record.get("contact").filter(|contact| contact.kind() == Kind::Object) else {
            return;
        };
        match contact.get("email").map(|email| (email, email.as_str())) {
            Some((value, Some(text))) if text.trim().is_empty() => {
                self.tell(&texts::NO_EMAIL, value, shown(value), question("email"), None);
            }
            Some((value, Some(text))) if !is_email(&text) && !self.strict.emails => {
                email(self, value, &text, &texts::EMAIL);
            }
            Some((_, Some(_))) => {}
            Some((value, None)) => self.tell(&texts::NO_EMAIL, value, shown(value), question("email"), None),
            None => {
                if !self.strict.email_required {
                    let found = "no \"email\"".to_owned();
                    self.tell_object(&texts::NO_EMAIL, contact, found, question("email").to_owned(), None);
                }
            }
        }
    }

    fn vcs(&mut self, record: Value<'d>) {
        let Some(vcs) = record.get("vcs").filter(|vcs| vcs.kind() == Kind::String && !self.strict.vcs) else {
            return;
        };
        let text = vcs.as_str().unwrap_or_default();
        let lower = text.to_lowercase();
        let bare = lower.trim().trim_start_matches("vcs").trim_matches([',', ' ']);
        let right: Option<Cow<'_, str>> = match bare {
            "git" | "hg" | "svn" | "rcs" | "bzr" | "none" | "cvs" | "tfs" => Some(bare.into()),
            "github" => Some("git".into()),
            "subversion" => Some("svn".into()),
            "mercurial" => Some("hg".into()),
            _ => None,
        };
        if let Some(right) = right.filter(|right| *right != text) {
            let write = format!("Write {}.", quote(&right));
            self.tell(&texts::VCS, vcs, shown(vcs), write, Some(Fix::text(vcs, &right)));
        }
    }

    /// Tags and languages, beyond the schema.
    pub(super) fn lists(&mut self, record: Value<'d>) {
        for key in ["tags", "languages"] {
            let Some(list) = record.get(key).filter(|list| list.kind() == Kind::Array) else { continue };
            if list.is_empty() && key == "tags" {
                self.tell(&lists::NO_TAGS, list, "[]", question("tags"), None);
            }
            for item in list.items() {
                if item.as_str().is_some_and(|text| text.trim().is_empty()) {
                    self.tell(&lists::EMPTY_ITEM, item, shown(item), "Remove it.", Fix::remove(item));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbled_letters_are_recognized() {
        assert_eq!(unmangled("the Bureauâ€™s cafÃ©").as_deref(), Some("the Bureau’s café"));
        for text in ["café", "Ärger", "São Paulo", "Âme", "âge", "Île-de-France"] {
            assert_eq!(unmangled(text), None, "{text}");
        }
    }

    #[test]
    fn addresses() {
        for text in ["code@agency.example", "a.b+c@x.gov"] {
            assert!(is_email(text), "{text}");
        }
        for text in ["", "code", "@x.gov", "a@b", "a b@x.gov", "a@x.gov; b@x.gov", "a@@x.gov"] {
            assert!(!is_email(text), "{text}");
        }
        assert_eq!(bare_email(" mailto:a@x.gov"), "a@x.gov");
    }
}
