//! What is remembered of a repository for its entry.

use code_json::{
    document::{Document, Limits},
    labor,
    merge::Facts,
    migrate::{self, Root},
    record::{Field, Provenance, Record, Usage},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::{
    finding::{Judgement, Outcome, Report, RuleId},
    repository::{
        AccountId, EntryKind, FileText, Repository, RepositoryId, RepositoryName, Snapshot, Visibility,
    },
    rules, words,
};

/// The name of a repository's own file.
pub const FILE: &str = "code.json";

/// What was read of a repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sources {
    /// Its page.
    pub url: String,
    /// The one-line description.
    pub description: Option<String>,
    /// Its page elsewhere.
    pub homepage: Option<String>,
    /// Its topics, sorted.
    pub topics: Vec<String>,
    /// Its languages, the most code first.
    pub languages: Vec<String>,
    /// How often it was forked.
    pub forks: u64,
    /// Whether people can open issues.
    pub issues_enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// The last push.
    pub pushed_at: Option<Timestamp>,
    /// SPDX ids of the license text in it, if one was identified.
    pub licenses: Vec<String>,
    /// What became of its own file at the last look.
    pub file: FileState,
    /// What its own file said when it could last be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
}

/// What became of a repository's own file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "state")]
pub enum FileState {
    /// There is none.
    Absent,
    /// It was read.
    Read,
    /// It is there, and says nothing that can be used; why.
    Broken {
        /// For people.
        why: String,
    },
    /// It could not be read; why.
    Unread {
        /// For people.
        why: String,
    },
}

impl FileState {
    /// Whether what the file said before still counts.
    #[must_use]
    pub fn keeps_the_last(&self) -> bool {
        match self {
            FileState::Absent | FileState::Read => false,
            FileState::Broken { .. } | FileState::Unread { .. } => true,
        }
    }
}

impl Sources {
    /// What a reading tells. Where the file can no longer be read there is no
    /// record, and whoever remembers one keeps it
    /// ([`FileState::keeps_the_last`]).
    #[must_use]
    pub fn of(snapshot: &Snapshot, report: &Report) -> Sources {
        let (file, record) = own_file(snapshot);
        let licenses = licenses(snapshot, &report.judgements);
        Sources { file, record, ..Sources::without_file(snapshot, licenses) }
    }

    /// What a repository tells beside its own file.
    pub(in crate::domain) fn without_file(snapshot: &Snapshot, licenses: Vec<String>) -> Sources {
        let repository = &snapshot.repository;
        let mut topics = repository.topics.clone();
        topics.sort_unstable();
        Sources {
            url: repository.url.clone(),
            description: repository.description.clone(),
            homepage: repository.homepage.clone(),
            topics,
            languages: repository.languages.clone(),
            forks: repository.forks,
            issues_enabled: repository.issues_enabled,
            created_at: repository.created_at,
            pushed_at: repository.pushed_at,
            licenses,
            file: FileState::Absent,
            record: None,
        }
    }

    /// Digest, in hex, of all that does not move by itself (etiquette 4.4).
    #[must_use]
    pub fn digest(
        &self,
        name: &RepositoryName,
        visibility: Visibility,
        archived: bool,
        skipped: Option<&str>,
    ) -> String {
        let mut settled = Sources { forks: 0, pushed_at: None, ..self.clone() };
        settled.languages.sort_unstable();
        let text = serde_json::json!([name, visibility, archived, skipped, settled]).to_string();
        hex::encode(Sha256::digest(text))
    }

    /// The facts that its host states, for the merge.
    pub(super) fn facts(&self, seen: &Seen<'_>) -> Facts {
        let mut facts = self.told(seen.name, seen.visibility, seen.archived, seen.former_urls);
        if let (Some(hours), Visibility::Public) = (seen.hours, seen.visibility) {
            facts.others.set(Field::LaborHours, hours, labor::provenance());
        }
        facts
    }

    /// The same, of a repository that was just read.
    pub(in crate::domain) fn facts_of(&self, repository: &Repository) -> Facts {
        let Repository { name, visibility, archived, former_urls, .. } = repository;
        self.told(name, *visibility, *archived, former_urls)
    }

    fn told(
        &self,
        name: &RepositoryName,
        visibility: Visibility,
        archived: bool,
        former_urls: &[String],
    ) -> Facts {
        let mut others = Record::new();
        let fact = || Provenance::Fact;
        others.set(Field::Name, name.name(), fact());
        if let Some(description) = &self.description {
            others.set(Field::Description, description.as_str(), fact());
        }
        if let Some(homepage) = self.homepage.as_ref().filter(|page| page.starts_with("http")) {
            others.set(Field::HomepageUrl, homepage.as_str(), fact());
        }
        others.set(Field::Vcs, "git", fact());
        others.set(Field::Forks, self.forks, fact());
        others.set(Field::Languages, self.languages.clone(), fact());
        others.set(Field::Tags, self.topics.clone(), fact());
        others.set(Field::Created, self.created_at.to_string(), fact());
        if let Some(pushed) = self.pushed_at {
            others.set(Field::LastModified, pushed.to_string(), fact());
        }
        if self.issues_enabled {
            others.set(Field::FeedbackMechanism, format!("{}/issues", self.url), fact());
        }
        others.set(Field::Sbom, format!("{}/network/dependencies", self.url), fact());
        // Public and under a license that was identified: that is what the
        // word says. Without a license it would be a statement about rights.
        if visibility == Visibility::Public && !self.licenses.is_empty() {
            let computed =
                Provenance::Computed { method: "public-and-licensed".to_owned(), version: "1".to_owned() };
            others.set(Field::Usage, vec![Usage::OpenSource.name()], computed);
        }
        Facts {
            public: Some(visibility == Visibility::Public),
            archived: Some(archived),
            url: Some(self.url.clone()),
            former_urls: former_urls.to_vec(),
            licenses: (!self.licenses.is_empty()).then(|| self.licenses.clone()),
            license_url: None,
            others,
        }
    }
}

/// A repository as the store remembers it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen<'a> {
    /// Its id.
    pub id: RepositoryId,
    /// Whose it is.
    pub account: AccountId,
    /// Its name now.
    pub name: &'a RepositoryName,
    /// Who may see it, by the newest reading.
    pub visibility: Visibility,
    /// Read-only for all.
    pub archived: bool,
    /// The rule that skips it, if one does.
    pub skipped: Option<&'a str>,
    /// Why it could not be read at the last try.
    pub unknown: Option<&'a str>,
    /// What was read; `None` if nothing ever was.
    pub sources: Option<&'a Sources>,
    /// How often it was cloned, as far as that was measured; `None` if it never
    /// was.
    pub clones: Option<u64>,
    /// The labor hours that were estimated of it, where the policy wants that.
    pub hours: Option<u64>,
    /// Why its lines could not be counted.
    pub uncounted: Option<&'a str>,
    /// When what was read last said something new.
    pub changed_at: Option<Timestamp>,
    /// Where it was before it was renamed or transferred.
    pub former_urls: &'a [String],
    /// What people said of it in the control repository.
    pub answers: Option<&'a Record>,
    /// The exemption that is in force for it.
    pub exempt: Option<&'a Exempt>,
    /// The id of its redacted entry.
    pub opaque: Option<&'a super::Opaque>,
}

/// An exemption in force: granted, and the grant verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exempt {
    /// By which clause.
    pub usage: Usage,
    /// The sentences that may be published.
    pub reason: String,
    /// The law.
    pub basis: Option<String>,
}

fn own_file(snapshot: &Snapshot) -> (FileState, Option<Record>) {
    let files = &snapshot.files;
    let unread = |why: &str| (FileState::Unread { why: why.to_owned() }, None);
    let broken = |why: &str| (FileState::Broken { why: why.to_owned() }, None);
    if snapshot.repository.head.is_none() {
        return (FileState::Absent, None);
    }
    if let Some(why) = files.unread("") {
        return unread(why);
    }
    match files.entry(FILE).map(|entry| entry.kind) {
        None => return (FileState::Absent, None),
        Some(EntryKind::File) => {}
        Some(EntryKind::Folder | EntryKind::Link | EntryKind::Submodule) => {
            return broken(words::inventory::NOT_A_FILE);
        }
    }
    match files.texts.get(FILE) {
        Some(FileText::Text(text)) => match read(text, &snapshot.repository.url) {
            Ok(Some(record)) => (FileState::Read, Some(record)),
            // An inventory of others, as in the repository that holds ours.
            Ok(None) => (FileState::Absent, None),
            Err(why) => broken(&why),
        },
        Some(FileText::Binary | FileText::LfsPointer) => broken(words::inventory::NOT_TEXT),
        Some(FileText::TooLarge(_)) => broken(words::inventory::TOO_LARGE),
        Some(FileText::Unread(why)) => unread(why),
        None => unread(words::inventory::NOT_READ),
    }
}

/// The one record of a file that is about the repository at `url`; `None` if it
/// is an inventory, and says nothing of this one.
fn read(text: &str, url: &str) -> Result<Option<Record>, String> {
    let document = Document::read(text.as_bytes(), &Limits::default())
        .map_err(|fault| format!("line {}: {}", fault.place.line, fault.kind.message()))?;
    let reading = migrate::read(&document.root().to_json(), FILE).map_err(|error| error.to_string())?;
    let here = |record: &&Record| {
        record.text(Field::RepositoryUrl).is_some_and(|said| code_json::address::same_place(said, url))
    };
    let mut all = reading.records();
    match reading.root {
        // A record alone is the repository's own, wherever it says that it is.
        Root::Release => Ok(all.next().cloned()),
        Root::Releases | Root::Projects | Root::List | Root::Agencies => {
            let records: Vec<&Record> = all.collect();
            let own: Vec<&Record> = records.iter().copied().filter(here).collect();
            match (&own[..], &records[..]) {
                ([own], _) => Ok(Some((*own).clone())),
                // The one of a list that does not say where it is.
                ([], [one]) if one.text(Field::RepositoryUrl).is_none() => Ok(Some((*one).clone())),
                ([], _) => Ok(None),
                (_, _) => Err(words::inventory::SEVERAL_RECORDS.to_owned()),
            }
        }
    }
}

/// The licenses whose text was identified, also where the rule is not judged.
pub(in crate::domain) fn licenses(snapshot: &Snapshot, judgements: &[Judgement]) -> Vec<String> {
    let judged = judgements.iter().find(|judgement| judgement.rule == RuleId::License);
    match judged.map(|judgement| &judgement.outcome) {
        Some(Outcome::Pass(evidence)) => evidence.licenses.clone(),
        Some(Outcome::Fail(_) | Outcome::Waived { .. } | Outcome::Unknown { .. }) | None => {
            rules::licenses(snapshot)
        }
    }
}
