//! How often repositories are cloned and looked at (GitHub documentation, "REST
//! API endpoints for repository traffic").

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::{Refusal, RepositoryId, State};

/// The days that are told of, the one that is not over among them.
const TOLD: i64 = 14;

/// What was counted on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Clones.
    pub clones: u64,
    /// By how many people.
    pub cloners: u64,
    /// Views of pages.
    pub views: u64,
    /// By how many people.
    pub visitors: u64,
}

/// Which of the two routes is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Clones,
    Views,
}

impl Sort {
    fn word(self) -> &'static str {
        match self {
            Sort::Clones => "clones",
            Sort::Views => "views",
        }
    }

    fn of(self, traffic: &Traffic) -> (u64, u64) {
        match self {
            Sort::Clones => (traffic.clones, traffic.cloners),
            Sort::Views => (traffic.views, traffic.visitors),
        }
    }
}

impl State {
    /// Counts what happens to a repository today.
    ///
    /// # Errors
    /// When there is none.
    pub fn visit(&mut self, id: RepositoryId, more: Traffic) -> Result<(), Refusal> {
        let today = self.today();
        let day = self.repository_mut(id)?.traffic.entry(today).or_default();
        day.clones += more.clones;
        day.cloners += more.cloners;
        day.views += more.views;
        day.visitors += more.visitors;
        Ok(())
    }

    fn today(&self) -> Date {
        self.now().to_zoned(TimeZone::UTC).date()
    }

    /// Schemas `clone-traffic` and `view-traffic`: the days of the last 14 on
    /// which somebody came, or the weeks. Who comes on several days is taken
    /// for the same people.
    pub(crate) fn traffic(&self, id: RepositoryId, sort: Sort, weekly: bool) -> Result<Value, Refusal> {
        let first = self.today().saturating_sub((TOLD - 1).days());
        let mut sums: std::collections::BTreeMap<Date, (u64, u64)> = std::collections::BTreeMap::new();
        for (day, traffic) in self.repository(id)?.traffic.range(first..) {
            let (count, uniques) = sort.of(traffic);
            if count == 0 {
                continue;
            }
            let since_monday = i64::from(day.weekday().to_monday_zero_offset());
            let begins = if weekly { day.saturating_sub(since_monday.days()) } else { *day };
            let sum = sums.entry(begins).or_default();
            *sum = (sum.0 + count, sum.1.max(uniques));
        }
        let all = sums.iter().map(|(day, (count, uniques))| {
            json!({ "timestamp": format!("{day}T00:00:00Z"), "count": count, "uniques": uniques })
        });
        let mut answer = Map::new();
        answer.insert("count".to_owned(), sums.values().map(|(count, _)| count).sum::<u64>().into());
        answer.insert(
            "uniques".to_owned(),
            sums.values().map(|(_, who)| *who).max().unwrap_or_default().into(),
        );
        answer.insert(sort.word().to_owned(), all.collect());
        Ok(Value::Object(answer))
    }
}
