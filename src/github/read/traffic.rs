//! How often a repository was cloned and looked at (GitHub documentation, "REST
//! API endpoints for repository traffic").

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;

use super::{Kind, Reader, RepositoryName, Result, needs};
use crate::domain::inventory::traffic::Day;

#[derive(Deserialize)]
struct Clones {
    clones: Vec<Counted>,
}

#[derive(Deserialize)]
struct Views {
    views: Vec<Counted>,
}

/// A day, which begins at midnight UTC.
#[derive(Deserialize)]
struct Counted {
    timestamp: Timestamp,
    count: u64,
    uniques: u64,
}

impl Counted {
    fn day(&self) -> Date {
        self.timestamp.to_zoned(TimeZone::UTC).date()
    }
}

impl Reader {
    /// The days of the last 14 of which GitHub says something, oldest first;
    /// of the others it counted nothing. The day that is not over yet is among
    /// them. Two calls.
    ///
    /// # Errors
    /// [`Error`](crate::github::Error); `Forbidden` where `administration: read`
    /// is not granted.
    pub async fn traffic(&self, name: &RepositoryName) -> Result<Vec<Day>> {
        let values = [name.owner().as_str(), name.name()];
        let (client, who) = (&self.client, &self.who);
        // By day, as GitHub counts unless told otherwise.
        let Clones { clones } = client.rest_json(who, &needs::CLONES, &values, None, Kind::Read).await?;
        let Views { views } = client.rest_json(who, &needs::VIEWS, &values, None, Kind::Read).await?;
        let mut days: BTreeMap<Date, Day> = BTreeMap::new();
        for counted in &clones {
            let day = days.entry(counted.day()).or_insert_with(|| Day::nothing_on(counted.day()));
            (day.clones, day.cloners) = (counted.count, counted.uniques);
        }
        for counted in &views {
            let day = days.entry(counted.day()).or_insert_with(|| Day::nothing_on(counted.day()));
            (day.views, day.visitors) = (counted.count, counted.uniques);
        }
        Ok(days.into_values().collect())
    }
}
