//! Whether the pages that an agency attests are there (threats O1, O2, O9: as
//! everything that is fetched for others).

use crate::{
    clock::Clock,
    domain::inventory::report::omb::{Attestation, Link},
    github::fetch::Fetcher,
};

/// Asks for the page of each attestation that has one.
pub(super) async fn check(fetcher: &Fetcher, attestations: &mut [Attestation], clock: &Clock) {
    for one in attestations {
        let Some(url) = &one.url else { continue };
        let (found, says) = match fetcher.page(url).await {
            Ok(status) => (true, status.as_u16().to_string()),
            Err(why) => (false, why.to_string()),
        };
        one.link_checked = true;
        one.link = Some(Link { checked_at: clock.now(), found, says });
    }
}
