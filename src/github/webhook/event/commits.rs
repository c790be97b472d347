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

/// Room for the paths of a push of usual size, in bytes.
const USUAL: usize = 1024;

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

    /// Reads them; `None` if anything about them is of another shape than
    /// foreseen, since their paths are then not told.
    pub(super) fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        let mut commits = Commits::default();
        let foreseen = Part::List(&mut commits).deserialize(deserializer)?;
        Ok(foreseen.then_some(commits))
    }
}

/// A part of the payload, to be read into what holds its paths. Its value says
/// whether it and all within had the shape foreseen.
enum Part<'c> {
    /// The list of commits.
    List(&'c mut Commits),
    /// One commit.
    Commit(&'c mut String),
    /// A list of paths.
    Paths(&'c mut String),
    /// One path.
    Path(&'c mut String),
}

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

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the commits of a push")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        let mut foreseen = true;
        match self {
            Part::List(commits) => {
                commits.paths.reserve(USUAL);
                while let Some(commit) = list.next_element_seed(Part::Commit(&mut commits.paths))? {
                    commits.count += 1;
                    foreseen &= commit;
                }
            }
            Part::Paths(paths) => {
                while let Some(path) = list.next_element_seed(Part::Path(paths))? {
                    foreseen &= path;
                }
            }
            Part::Commit(_) | Part::Path(_) => {
                foreseen = false;
                while list.next_element::<IgnoredAny>()?.is_some() {}
            }
        }
        Ok(foreseen)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let Part::Commit(paths) = self else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(false);
        };
        let mut foreseen = true;
        while let Some(field) = map.next_key()? {
            match field {
                Field::Added | Field::Removed | Field::Modified => {
                    foreseen &= map.next_value_seed(Part::Paths(paths))?;
                }
                Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(foreseen)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        let Part::Path(paths) = self else { return Ok(false) };
        paths.push_str(text);
        paths.push(END);
        Ok(true)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Commits> {
        Commits::lenient(&mut serde_json::Deserializer::from_str(json)).unwrap()
    }

    #[test]
    fn only_the_paths_are_kept() {
        let json = r#"[{"id": "1", "added": ["a b", "ü\u0022"], "author": {"added": ["no"]}}, {}, {"removed": ["c"]}]"#;
        let commits = read(json).unwrap();
        assert_eq!(commits.count(), 3);
        assert_eq!(commits.paths().collect::<Vec<_>>(), ["a b", "ü\"", "c"]);
        assert_eq!(Commits::default().paths().count(), 0);
    }

    #[test]
    fn what_is_not_foreseen_tells_no_paths_and_breaks_nothing() {
        for odd in [
            "3",
            "-1",
            "1.5",
            "true",
            "null",
            "\"a\"",
            "{\"added\": [\"a\"]}",
            "[3]",
            "[[{}]]",
            r#"[{"added": "a"}]"#,
            r#"[{"added": [1]}]"#,
            r#"[{"added": [["a"], {"b": 1}]}]"#,
            r#"[{"added": null}, {"added": ["a"]}]"#,
        ] {
            assert_eq!(read(odd), None, "{odd}");
            let within = format!(r#"{{"commits": {odd}, "ref": "refs/heads/main"}}"#);
            let event = super::super::Event::parse("push", within.as_bytes()).unwrap();
            assert!(event.commits.is_none() && event.branch() == Some("main"), "{odd}");
        }
    }
}
