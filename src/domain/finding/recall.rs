//! Which findings a hash in a marker names, when no ledger tells any more.
//!
//! A hash cannot be read backwards, but the sets it may name are few: a rule
//! has at most one gap at a time.

use super::{FindingSet, FindingsHash, Gap, RuleId};

/// So many sets are tried at most.
const MOST: usize = 200_000;

impl FindingsHash {
    /// The set of findings of which this is the name, among those that
    /// `possible` allows; `None` if there is none, or if there are too many to
    /// try.
    #[must_use]
    pub fn recall(&self, possible: impl Fn(RuleId, Gap) -> bool) -> Option<FindingSet> {
        let mut sets = vec![FindingSet::default()];
        for rule in RuleId::ALL {
            let gaps: Vec<Gap> = Gap::ALL.into_iter().filter(|gap| possible(rule, *gap)).collect();
            if sets.len().saturating_mul(gaps.len() + 1) > MOST {
                return None;
            }
            let with = |set: &FindingSet, gap: Gap| set.iter().chain([(rule, gap)]).collect::<FindingSet>();
            let more: Vec<FindingSet> =
                sets.iter().flat_map(|set| gaps.iter().map(move |gap| with(set, *gap))).collect();
            if let Some(found) = more.iter().find(|set| self.names(set)) {
                return Some(found.clone());
            }
            sets.extend(more);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_found_by_its_name() {
        for text in
            ["readme:missing", "license:only-named readme:empty contributing:missing code-json:fields"]
        {
            let set: FindingSet = text.parse().unwrap();
            assert_eq!(set.hash().recall(|_, _| true), Some(set.clone()), "{text}");
            assert_eq!(set.hash_with("offered").recall(|_, _| true), Some(set.clone()), "{text}");
            assert_eq!(set.hash().recall(|rule, _| rule != RuleId::Readme), None);
        }
        assert_eq!(FindingsHash("0123456789abcdef".to_owned()).recall(|_, gap| gap == Gap::Missing), None);
    }
}
