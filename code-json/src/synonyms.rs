//! Words that people write for those of a schema's list.

/// Key, word in small letters, and the one of the list that it certainly means,
/// from the survey of real files.
const SYNONYMS: &[(&str, &str, &str)] = &[
    ("status", "archived", "Archival"),
    ("status", "archive", "Archival"),
    ("status", "in production", "Production"),
    ("status", "released", "Production"),
    ("status", "in development", "Development"),
    ("status", "rc", "Release Candidate"),
    ("method", "system", "systems"),
    ("method", "project", "projects"),
    ("method", "module", "modules"),
    ("method", "releases", "projects"),
    ("usageType", "open", "openSource"),
    ("vcs", "github", "git"),
    ("vcs", "vcs,git", "git"),
    ("vcs", "vcs, git", "git"),
    ("vcs", "subversion", "svn"),
    ("vcs", "mercurial", "hg"),
    ("platforms", "macos", "mac"),
    ("maintenance", "contractor", "contract"),
    ("repositoryVisibility", "internal", "private"),
    ("repositoryType", "library", "libraries"),
    ("repositoryType", "tool", "tools"),
    ("repositoryType", "api", "APIs"),
];

/// What a word under a key means in the schema's list, if that is certain.
pub(crate) fn meant(key: &str, word: &str) -> Option<&'static str> {
    let word = word.trim().to_lowercase();
    SYNONYMS.iter().find(|(of, known, _)| *of == key && *known == word).map(|(.., meant)| *meant)
}
