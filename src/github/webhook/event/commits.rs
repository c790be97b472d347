//! What the commits of a push touch, read in one go: there may be two thousand
//! of them, and of each only its paths matter.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// The commits that a push names: how many, and the paths they touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commits {
    count: usize,
    /// One after the other, each ended by [`END`].
    paths: String,
}

/// Ends a path: git allows every other character in one.
const END: char = '\0';

impl Commits {
    /// How many commits there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Every path they add, remove or modify, with repetitions.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.split_terminator(END)
    }
}

impl<'de> Deserialize<'de> for Commits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut commits = Commits::default();
        deserializer.deserialize_seq(List(&mut commits))?;
        Ok(commits)
    }
}

/// The list of commits.
struct List<'c>(&'c mut Commits);

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of commits")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Commit(&mut self.0.paths))?.is_some() {
            self.0.count += 1;
        }
        Ok(())
    }
}

/// One commit, whose paths are added to the text.
struct Commit<'p>(&'p mut String);

/// The fields of a commit that matter.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    Added,
    Removed,
    Modified,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for Commit<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Commit<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a commit")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut commit: A) -> Result<(), A::Error> {
        while let Some(field) = commit.next_key()? {
            match field {
                Field::Added | Field::Removed | Field::Modified => commit.next_value_seed(Paths(self.0))?,
                Field::Other => {
                    commit.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A list of paths.
struct Paths<'p>(&'p mut String);

impl<'de> DeserializeSeed<'de> for Paths<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Paths<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of paths")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Path(self.0))?.is_some() {}
        Ok(())
    }
}

/// One path.
struct Path<'p>(&'p mut String);

impl<'de> DeserializeSeed<'de> for Path<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Path<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path")
    }

    fn visit_str<E: Error>(self, path: &str) -> Result<(), E> {
        self.0.push_str(path);
        self.0.push(END);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_paths_are_kept() {
        let json = r#"[{"id": "1", "added": ["a b", "ü\u0022"], "author": {"added": ["no"]}}, {}, {"removed": ["c"]}]"#;
        let commits: Commits = serde_json::from_str(json).unwrap();
        assert_eq!(commits.count(), 3);
        assert_eq!(commits.paths().collect::<Vec<_>>(), ["a b", "ü\"", "c"]);
        assert_eq!(Commits::default().paths().count(), 0);
        for odd in ["3", "[3]", r#"[{"added": "a"}]"#, r#"[{"added": [1]}]"#, r#"[{"added": null}]"#] {
            assert!(serde_json::from_str::<Commits>(odd).is_err(), "{odd}");
        }
    }
}
