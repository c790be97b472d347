//! Snapshots for tests, in one line each:
//! `Sample::public("agency/site").file("README.md", "…").snapshot()`.

use super::*;

/// Long enough for any `min_words` of a default policy.
pub(crate) const README: &str = "# Site\n\nThis program counts the birds of a river and draws them on a map, \
    so that people who care for the river see how many of each kind live there, where they rest, and \
    whether there are more or fewer of them than in the years before.\n";

/// A repository in the making: public, active, with one commit and no files.
pub(crate) struct Sample(Snapshot);

impl Sample {
    pub(crate) fn public(name: &str) -> Sample {
        let absent = |folder: &&str| ((*folder).to_owned(), Listing::Absent);
        let mut folders: BTreeMap<String, Listing> =
            [".github", "docs", "LICENSES"].iter().map(absent).collect();
        folders.insert(String::new(), Listing::Entries(Vec::new()));
        Sample(Snapshot {
            repository: Repository {
                id: RepositoryId(1001),
                node_id: "R_1001".to_owned(),
                name: name.parse().unwrap(),
                url: format!("https://github.example.gov/{name}"),
                visibility: Visibility::Public,
                archived: false,
                fork: false,
                mirror: false,
                template: false,
                disabled: false,
                issues_enabled: true,
                description: None,
                homepage: None,
                former_urls: Vec::new(),
                topics: Vec::new(),
                languages: Vec::new(),
                forks: 0,
                github_license: None,
                created_at: "2020-01-01T00:00:00Z".parse().unwrap(),
                pushed_at: None,
                head: Some(Head {
                    branch: "main".to_owned(),
                    oid: "4f1c9e2".repeat(6)[..40].parse().unwrap(),
                    committed_at: None,
                }),
            },
            files: Files { folders, texts: BTreeMap::new() },
            inherited: Inherited::None,
        })
    }

    /// A repository that lacks nothing the default policy asks for.
    pub(crate) fn complete(name: &str) -> Sample {
        Sample::public(name)
            .file("README.md", README)
            .file("LICENSE", &mit())
            .file("CONTRIBUTING.md", "Send us a pull request.")
    }

    /// Adds a regular file with this text, and its folder.
    pub(crate) fn file(self, path: &str, text: &str) -> Sample {
        self.content(path, FileText::of(text))
    }

    /// Adds a regular file with this content.
    pub(crate) fn content(self, path: &str, text: FileText) -> Sample {
        let mut sample = self.entry(path, EntryKind::File);
        if let (FileText::Text(text), Some(Listing::Entries(entries))) =
            (&text, sample.0.files.folders.get_mut(path.rsplit_once('/').map_or("", |(folder, _)| folder)))
        {
            let oid = blob(text);
            entries
                .iter_mut()
                .filter(|entry| entry.path == path)
                .for_each(|entry| entry.oid = Some(oid.clone()));
        }
        sample.0.files.texts.insert(path.to_owned(), text);
        sample
    }

    /// Adds an entry without text.
    pub(crate) fn entry(mut self, path: &str, kind: EntryKind) -> Sample {
        let entry = Entry { path: path.to_owned(), kind, oid: None, size: None };
        let folder = entry.folder().to_owned();
        match self.0.files.folders.entry(folder).or_insert(Listing::Absent) {
            Listing::Entries(entries) => {
                entries.retain(|found| found.path != path);
                entries.push(entry);
            }
            listing => *listing = Listing::Entries(vec![entry]),
        }
        self
    }

    /// Takes a file away again.
    pub(crate) fn without(mut self, path: &str) -> Sample {
        for listing in self.0.files.folders.values_mut() {
            if let Listing::Entries(entries) = listing {
                entries.retain(|entry| entry.path != path);
            }
        }
        self.0.files.texts.remove(path);
        self
    }

    /// Makes a folder one that could not be read.
    pub(crate) fn unread(mut self, folder: &str, why: &str) -> Sample {
        self.0.files.folders.insert(folder.to_owned(), Listing::Unread(why.to_owned()));
        self
    }

    /// The organization's `.github` repository has the files of `home`.
    pub(crate) fn inherits(mut self, visibility: Visibility, home: Sample) -> Sample {
        self.0.inherited = Inherited::Files { visibility, files: home.0.files };
        self
    }

    /// The organization's `.github` repository could not be read.
    pub(crate) fn inherits_unread(mut self, why: &str) -> Sample {
        self.0.inherited = Inherited::Unread(why.to_owned());
        self
    }

    /// Changes what GitHub states of it.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Repository)) -> Sample {
        change(&mut self.0.repository);
        self
    }

    pub(crate) fn snapshot(self) -> Snapshot {
        self.0
    }
}

/// The object id of a file with this text.
pub(crate) fn blob(text: &str) -> ObjectId {
    use sha1::Digest as _;
    let header = format!("blob {}\0", text.len());
    let digest = sha1::Sha1::new_with_prefix(header).chain_update(text).finalize();
    hex::encode(digest).parse().unwrap()
}

/// The text of a license as SPDX publishes it.
pub(crate) fn license_text(id: &str) -> String {
    spdx::license_id(id).unwrap().text().to_owned()
}

/// The MIT license with its copyright line filled in.
pub(crate) fn mit() -> String {
    license_text("MIT").replace("<year>", "2024").replace("<copyright holders>", "Example Agency")
}

impl From<Snapshot> for Sample {
    fn from(snapshot: Snapshot) -> Sample {
        Sample(snapshot)
    }
}
