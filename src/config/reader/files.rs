//! The files of secrets: how old they are, and all that must not be told.

use jiff::Timestamp;

use secrecy::SecretString;

use super::Reader;
use crate::config::{Age, SETTINGS, secret_file};

impl Reader<'_> {
    /// Every secret that is set, in the environment, the settings file or a
    /// file of its own.
    pub(in crate::config) fn hidden(&self) -> Vec<SecretString> {
        let secrets = SETTINGS.iter().filter(|setting| setting.secret).filter_map(|setting| {
            self.sources.get(setting.name).map(|found| SecretString::from(found.text.as_str()))
        });
        let of_secret = |name: &str| SETTINGS.iter().any(|other| other.secret && other.name == name);
        let files = SETTINGS.iter().filter(|file| file.name.strip_suffix("_FILE").is_some_and(of_secret));
        let files = files.filter_map(|file| {
            let path = self.sources.get(file.name)?.path();
            secret_file::read(&path, self.sources.credentials_folder()).ok()
        });
        secrets.chain(files).collect()
    }

    /// Since when each secret is what it is, by the date of its file; none
    /// where it stands in the environment, and none where the service manager
    /// copied it at the start.
    pub(in crate::config) fn ages(&self) -> Vec<Age> {
        let rotated = ["MUSTER_PRIVATE_KEY", "MUSTER_WEBHOOK_SECRET"];
        let age = |setting: &'static str| {
            let file =
                SETTINGS.iter().map(|s| s.name).find(|name| name.strip_suffix("_FILE") == Some(setting));
            let path = self.sources.get(file?)?.path();
            let handed_out = self.sources.credentials_folder().is_some_and(|f| path.parent() == Some(f));
            let written = std::fs::metadata(&path).and_then(|file| file.modified()).ok();
            written.filter(|_| !handed_out).and_then(|time| Timestamp::try_from(time).ok())
        };
        rotated.into_iter().map(|setting| Age { setting, since: age(setting) }).collect()
    }
}
