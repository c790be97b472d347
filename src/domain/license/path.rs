//! Which paths of a repository may hold a license.

/// What a path promises to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LicensePath {
    /// `LICENSE`, `LICENCE.md`, `COPYING`, `UNLICENSE`, `LICENSE-MIT`, ….
    License,
    /// `LICENSES/MIT.txt`: REUSE names the license by the file (REUSE 3.3,
    /// "License files").
    Reuse {
        /// The identifier as the file name spells it.
        id: String,
    },
    /// `NOTICE`, `INTENT`, `TERMS`, `DISCLAIMER`, `PATENTS`, `COPYRIGHT`: says
    /// more about a license and is not looked at alone.
    Companion,
}

/// File names, without what follows the first `.`, `-` or `_`.
const LICENSE: &[&str] = &["license", "licence", "licenses", "licences", "copying", "unlicense", "unlicence"];
const COMPANION: &[&str] = &["notice", "notices", "intent", "terms", "disclaimer", "patents", "copyright"];
/// A text; anything else with such a name is a program or data.
const TEXT: &[&str] = &["md", "markdown", "txt", "text", "rst", "adoc", "asciidoc", "org", "html", "htm"];

/// What the file at `path` (relative to the root, with `/`) may say about the
/// license of the repository, or `None`. Looks in the root, `.github`, `docs`
/// and `LICENSES`, whatever the case of the letters.
pub fn is_license_path(path: &str) -> Option<LicensePath> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = folder.to_ascii_lowercase();
    if matches!(folder.as_str(), "licenses" | "licences") {
        let (id, extension) = name.rsplit_once('.')?;
        let named = !id.is_empty() && TEXT.contains(&extension.to_ascii_lowercase().as_str());
        return named.then(|| LicensePath::Reuse { id: id.to_owned() });
    }
    if !matches!(folder.as_str(), "" | ".github" | "docs") {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let (stem, rest) = match name.find(['.', '-', '_', ' ']) {
        Some(at) => name.split_at(at),
        None => (name.as_str(), ""),
    };
    if !holds_text(rest) {
        None
    } else if LICENSE.contains(&stem) {
        Some(LicensePath::License)
    } else if COMPANION.contains(&stem) {
        Some(LicensePath::Companion)
    } else if matches!(name.as_str(), "mit-license" | "mit-license.md" | "mit-license.txt") {
        Some(LicensePath::License)
    } else {
        None
    }
}

/// Whether the rest of a name leaves it a text: `.md`, `-MIT`, `.Apache-2.0`,
/// `-APACHE.txt`, but not `.rs` or `_check.py`.
fn holds_text(rest: &str) -> bool {
    match rest.rsplit_once('.') {
        None => true,
        Some((_, extension)) => {
            TEXT.contains(&extension)
                || ["apache", "mit", "bsd", "gpl", "lgpl", "mpl", "isc", "boost", "lesser", "docs", "code"]
                    .iter()
                    .any(|family| extension.starts_with(family))
                || extension.bytes().all(|byte| byte.is_ascii_digit())
                || spdx::license_id(extension).is_some()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let license = [
            "LICENSE",
            "license.md",
            "Licence.txt",
            "COPYING",
            "COPYING.LESSER",
            "UNLICENSE",
            "LICENSE-MIT",
            "LICENSE-APACHE.txt",
            "LICENSE_1_0.txt",
            "LICENSE.MIT",
            "LICENSE.Apache2",
            ".github/LICENSE",
            "docs/LICENSE.rst",
            "LICENSE-Apache-2.0",
            "LICENSE.rst",
            "MIT-LICENSE",
        ];
        for path in license {
            assert_eq!(is_license_path(path), Some(LicensePath::License), "{path}");
        }
        for path in ["NOTICE", "INTENT.md", "TERMS.md", "docs/DISCLAIMER.md"] {
            assert_eq!(is_license_path(path), Some(LicensePath::Companion), "{path}");
        }
        for path in ["LICENSES/MIT.txt", "licenses/MIT.txt"] {
            assert_eq!(is_license_path(path), Some(LicensePath::Reuse { id: "MIT".into() }), "{path}");
        }
        for path in
            ["license.rs", "license_check.py", "src/LICENSE", "README.md", "LICENSES/a.json", "licensed", ""]
        {
            assert_eq!(is_license_path(path), None, "{path}");
        }
    }
}
