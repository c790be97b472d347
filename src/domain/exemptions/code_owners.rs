//! Who owns a file by CODEOWNERS (GitHub documentation, "About code owners").
//!
//! Promises: (1) the last pattern that matches a path decides, also if it names
//! nobody; (2) a line that GitHub passes over is passed over here; (3) any text
//! is read in time linear in its length, a path of some length given.

/// Where GitHub looks for the file; the first that is there counts.
pub const PATHS: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// The largest file that GitHub reads, in bytes.
pub const MAX_BYTES: usize = 3 * 1024 * 1024;

/// One owner of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// A person, by login.
    Person(String),
    /// A team: `organization/slug`. Who is in it takes a permission to read
    /// that Muster does not ask for.
    Team(String),
    /// Whoever has this address on GitHub, which GitHub does not tell.
    Address(String),
}

/// The owners of a path; none if no pattern matches it, or the last that does
/// names nobody.
#[must_use]
pub fn owners(text: &str, path: &str) -> Vec<Owner> {
    let last = text.lines().rev().filter_map(rule).find(|(pattern, _)| matches(pattern, path));
    last.map(|(_, owners)| owners).unwrap_or_default()
}

/// A pattern and its owners; `None` of a line that says nothing.
fn rule(line: &str) -> Option<(String, Vec<Owner>)> {
    let mut words = words(line).into_iter();
    let pattern = words.next()?;
    // GitHub reads neither negation nor character ranges here.
    if pattern.starts_with('!') || pattern.contains(['[', ']']) {
        return None;
    }
    let owners = words.map(|word| owner(&word)).collect::<Option<_>>()?;
    Some((pattern, owners))
}

/// The words of a line: `\ ` is a space in one, `#` begins a comment, and `\#`
/// does not.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => word.extend(characters.next()),
            '#' if word.is_empty() => break,
            space if space.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            other => word.push(other),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn owner(word: &str) -> Option<Owner> {
    match word.strip_prefix('@') {
        Some("") => None,
        Some(name) if name.contains('/') => Some(Owner::Team(name.to_owned())),
        Some(name) => Some(Owner::Person(name.to_owned())),
        None if word.contains('@') => Some(Owner::Address(word.to_owned())),
        None => None,
    }
}

/// Whether a pattern is about the file at `path`, from the root.
fn matches(pattern: &str, path: &str) -> bool {
    let body = pattern.strip_prefix('/');
    let anchored = body.is_some();
    let body = body.unwrap_or(pattern);
    let (body, folder) = match body.strip_suffix('/') {
        Some(folder) => (folder, true),
        None => (body, false),
    };
    let mut steps: Vec<&str> = body.split('/').collect();
    // A pattern with a slash inside is of the root, one without of any folder.
    if !anchored && steps.len() == 1 {
        steps.insert(0, "**");
    }
    let path: Vec<&str> = path.split('/').collect();
    // `docs/*` is about the files of one folder, `docs` and `docs/` about all
    // beneath it.
    let ends = |rest: usize| match (folder, steps.last()) {
        (true, _) => rest > 0,
        (false, Some(&"*")) if steps.len() > 1 && steps.first() != Some(&"**") => rest == 0,
        (false, _) => true,
    };
    beneath(&steps, &path, &ends)
}

/// Whether the steps of a pattern lead along a path, to a place with as many
/// steps left as `ends` allows.
fn beneath(steps: &[&str], path: &[&str], ends: &dyn Fn(usize) -> bool) -> bool {
    match steps.split_first() {
        None => ends(path.len()),
        Some((&"**", [])) => !path.is_empty(),
        Some((&"**", rest)) => (0..path.len()).any(|skipped| beneath(rest, &path[skipped..], ends)),
        Some((step, rest)) => {
            let Some((name, below)) = path.split_first() else { return false };
            glob(step.as_bytes(), name.as_bytes()) && beneath(rest, below, ends)
        }
    }
}

/// Whether a name is of the form of a step: `*` is any text, `?` any byte. It
/// goes back to the last star only, so it ends soon.
fn glob(step: &[u8], name: &[u8]) -> bool {
    let (mut s, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if step.get(s) == Some(&b'*') {
            star = Some((s, n));
            s += 1;
        } else if step.get(s).is_some_and(|byte| *byte == b'?' || *byte == name[n]) {
            (s, n) = (s + 1, n + 1);
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            (s, n) = (at + 1, from + 1);
        } else {
            return false;
        }
    }
    step[s..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_about_a_file() {
        let file = "muster-exemptions.yml";
        for (pattern, path, expected) in [
            ("*", file, true),
            ("**", file, true),
            ("/**", file, true),
            ("/*", file, true),
            ("*.yml", file, true),
            ("*.yaml", file, false),
            ("/muster-exemptions.yml", file, true),
            ("muster-exemptions.yml", file, true),
            ("**/muster-exemptions.yml", file, true),
            ("**/*.yml", file, true),
            ("muster-*", file, true),
            ("muster-exemptions.y?l", file, true),
            ("Muster-exemptions.yml", file, false),
            ("muster-exemptions.yml/", file, false),
            ("docs/", file, false),
            ("/docs/*", file, false),
            ("records/", "records/7.json", true),
            ("/records", "records/7.json", true),
            ("records/*", "records/7.json", true),
            ("records/*", "records/old/7.json", false),
            ("records/**", "records/old/7.json", true),
            ("old/", "records/old/7.json", true),
            ("old/*", "records/old/7.json", false),
            ("*.json", "records/old/7.json", true),
            ("/*.json", "records/7.json", false),
            ("a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn the_last_line_that_matches_decides() {
        let of = |text: &str| owners(text, "muster-exemptions.yml");
        let person = |login: &str| Owner::Person(login.to_owned());
        assert_eq!(of("* @olivia"), [person("olivia")]);
        assert_eq!(
            of("* @olivia\n*.yml @carol @example/ospo # who decides\n# *.yml @mallory\n"),
            [person("carol"), Owner::Team("example/ospo".to_owned())]
        );
        assert_eq!(of("* @olivia\n/muster-exemptions.yml\n"), [], "named, and left to nobody");
        assert_eq!(of("* @olivia\n*.yml carol\n"), [person("olivia")], "GitHub passes over the second");
        assert_eq!(of("* @olivia\n!*.yml @mallory\n[m]* @mallory\n"), [person("olivia")]);
        assert_eq!(of("* ospo@example.gov"), [Owner::Address("ospo@example.gov".to_owned())]);
        assert_eq!(of("muster\\-exemptions.yml @carol"), [person("carol")]);
        assert_eq!(of(""), []);
    }
}
