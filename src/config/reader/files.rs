//! How old the files of secrets are.

use jiff::Timestamp;

use super::Reader;
use crate::config::{Age, SETTINGS};

impl Reader<'_> {
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
