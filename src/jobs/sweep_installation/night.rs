//! When an installation is swept: every night, each at a moment of its own.

use std::time::Duration;

use jiff::{Timestamp, civil::Time, tz::TimeZone};
use sha2::{Digest, Sha256};

use crate::domain::repository::InstallationId;

/// The night of Washington begins at this hour UTC, midnight there in winter.
const BEGINS: i8 = 5;
/// So long it is, in seconds.
const LASTS: u64 = 6 * 60 * 60;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The next moment after `now` at which this installation is swept: the same
/// second of every night, by its id, so that many do not begin at once and
/// replicas agree.
pub(super) fn next_night(installation: InstallationId, now: Timestamp) -> Timestamp {
    let digest = Sha256::digest(installation.0.to_be_bytes());
    let spread = digest[..8].iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte)) % LASTS;
    let today = now.to_zoned(TimeZone::UTC).date();
    let begins = today.to_datetime(Time::constant(BEGINS, 0, 0, 0));
    let tonight = begins.to_zoned(TimeZone::UTC).map_or(now, |begins| begins.timestamp());
    let moment = tonight + Duration::from_secs(spread);
    if moment > now { moment } else { moment + DAY }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_installation_has_its_second_of_the_night() {
        let now: Timestamp = "2026-11-17T15:00:00Z".parse().unwrap();
        let night: Timestamp = "2026-11-18T05:00:00Z".parse().unwrap();
        let mut moments: Vec<Timestamp> = (1..=600).map(|id| next_night(InstallationId(id), now)).collect();
        for (id, moment) in (1..).zip(&moments) {
            assert!((night..night + Duration::from_secs(LASTS)).contains(moment), "{moment}");
            let next = next_night(InstallationId(id), *moment);
            assert_eq!(next, *moment + DAY);
            let before = *moment - Duration::from_secs(1);
            assert_eq!(next_night(InstallationId(id), before), *moment);
        }
        // 600 in 360 minutes: nowhere more than ten in one.
        moments.sort_unstable();
        let minute = Duration::from_secs(60);
        let together =
            moments.iter().map(|from| moments.iter().filter(|m| (*from..*from + minute).contains(m)).count());
        assert!(together.max().unwrap() <= 10);
    }
}
