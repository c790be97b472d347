//! What stands of a published file on the default branch of the repository that
//! the policy names for it.
//!
//! Promises: (1) a file is called edited only if it is none that Muster ever
//! proposed there; (2) what moves by itself, such as a date, makes no
//! difference, since it is never proposed alone (etiquette 4.4).

use std::{fmt, str::FromStr};

use crate::domain::repository::ObjectId;

/// How a file there stands to the published one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// It says the same.
    Same,
    /// The pull request of this number waits for its merge.
    Waits(u64),
    /// It is an earlier one of Muster's, and nothing newer is proposed.
    Behind,
    /// There is none, and none is proposed.
    Absent,
    /// It is none of Muster's: somebody has edited it.
    Edited,
}

/// What that is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Traces<'a> {
    /// What is on the default branch.
    pub found: Option<&'a ObjectId>,
    /// Whether that is the published file, byte for byte.
    pub is_published: bool,
    /// What Muster proposed or committed last.
    pub said: Option<&'a ObjectId>,
    /// Whether the published file says nothing that this does not.
    pub all_said: bool,
    /// The last of Muster's that was seen there.
    pub stood: Option<&'a ObjectId>,
    /// The pull request that is open.
    pub open: Option<u64>,
}

impl Stands {
    /// Judges.
    #[must_use]
    pub fn of(traces: &Traces<'_>) -> Stands {
        let Traces { found, is_published, said, all_said, stood, open } = *traces;
        let Some(found) = found else { return open.map_or(Stands::Absent, Stands::Waits) };
        if is_published || (all_said && said == Some(found)) {
            return Stands::Same;
        }
        match open {
            Some(number) => Stands::Waits(number),
            None if [said, stood].contains(&Some(found)) => Stands::Behind,
            None => Stands::Edited,
        }
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Stands::Same => "same",
            Stands::Waits(_) => "waits",
            Stands::Behind => "behind",
            Stands::Absent => "absent",
            Stands::Edited => "edited",
        }
    }

    /// The number of the pull request that it waits for.
    #[must_use]
    pub fn waits_for(self) -> Option<u64> {
        match self {
            Stands::Waits(number) => Some(number),
            Stands::Same | Stands::Behind | Stands::Absent | Stands::Edited => None,
        }
    }
}

impl fmt::Display for Stands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        self.waits_for().map_or(Ok(()), |number| write!(f, " {number}"))
    }
}

impl FromStr for Stands {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once(' ') {
            Some(("waits", number)) => number.parse().map(Stands::Waits).map_err(|_| ()),
            Some(_) => Err(()),
            None => [Stands::Same, Stands::Behind, Stands::Absent, Stands::Edited]
                .into_iter()
                .find(|stands| stands.word() == text)
                .ok_or(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(letter: char) -> ObjectId {
        letter.to_string().repeat(40).parse().unwrap()
    }

    #[test]
    fn only_what_muster_never_proposed_is_called_edited() {
        let (old, new, other) = (oid('a'), oid('b'), oid('c'));
        let none = Traces {
            found: None,
            is_published: false,
            said: Some(&new),
            all_said: true,
            stood: Some(&old),
            open: None,
        };
        let of = |found, open| Stands::of(&Traces { found, open, ..none });
        assert_eq!(of(None, None), Stands::Absent);
        assert_eq!(of(None, Some(3)), Stands::Waits(3));
        assert_eq!(of(Some(&new), None), Stands::Same);
        assert_eq!(of(Some(&new), Some(3)), Stands::Same);
        assert_eq!(of(Some(&old), Some(3)), Stands::Waits(3));
        assert_eq!(of(Some(&old), None), Stands::Behind);
        assert_eq!(of(Some(&other), None), Stands::Edited);
        // More is to be said than what was proposed last.
        let behind = Traces { found: Some(&new), all_said: false, ..none };
        assert_eq!(Stands::of(&behind), Stands::Behind);
        let published = Traces { found: Some(&other), is_published: true, said: None, ..none };
        assert_eq!(Stands::of(&published), Stands::Same);
    }

    #[test]
    fn a_word_is_read_back() {
        for stands in [Stands::Same, Stands::Waits(7), Stands::Behind, Stands::Absent, Stands::Edited] {
            assert_eq!(stands.to_string().parse(), Ok(stands));
        }
        for text in ["", "waits", "waits x", "same 7"] {
            assert_eq!(text.parse::<Stands>(), Err(()), "{text}");
        }
    }
}
