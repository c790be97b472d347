//! The lives of the repositories in an installation.

use std::time::Duration;

use github_sandbox::{Visibility, installation, org};
use muster::domain::repository::{InstallationId, RepositoryId};

use super::{DAY, all_calls, lacking, row, turns, with};
use crate::{
    harness::{Muster, README, Setup, clock, complete, installed, old, sandbox},
    recovery::FREELY,
};

#[tokio::test(flavor = "multi_thread")]
async fn repositories_come_and_go_with_the_selection() {
    let clock = clock();
    let github = sandbox(&clock)
        .organization(with([lacking("one"), lacking("two"), lacking("three")]))
        .installation(installation("agency").selected([".github", "one"]))
        .start()
        .await
        .unwrap();
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    let proposed = |names: [&str; 3]| names.map(|name| github.pull_requests(&format!("agency/{name}")).len());
    assert_eq!(proposed(["one", "two", "three"]), [1, 0, 0]);
    let olivia = github.user("olivia");
    olivia.add_repositories("agency", &["two"]);
    muster.settle().await;
    assert_eq!(proposed(["one", "two", "three"]), [1, 1, 0]);
    // Out of the selection, though public and still readable.
    muster.advance(Duration::from_secs(1)).await;
    olivia.remove_repositories("agency", &["two"]);
    muster.settle().await;
    let two = github.repository_id("agency/two");
    assert!(row(&muster, two).await.removed_at.is_some());
    github.user("alice").close_pull_request("agency/two", 1);
    muster.settle().await;
    muster.advance(2 * DAY).await;
    assert!(row(&muster, two).await.removed_at.is_some());
    assert_eq!(muster.ctx.store.decisions(RepositoryId(two)).await.unwrap(), []);
    olivia.select_all("agency");
    muster.settle().await;
    assert_eq!(proposed(["one", "two", "three"]), [1, 1, 1]);
    assert!(row(&muster, two).await.removed_at.is_none());
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leaves_the_selection_in_the_middle_of_the_work_is_let_go() {
    let clock = clock();
    let github = sandbox(&clock)
        .organization(with([complete("one"), complete("two")]))
        .installation(installation("agency").selected([".github", "one", "two"]))
        .start()
        .await
        .unwrap();
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    github.user("alice").delete_files("agency/two", "main", &["CONTRIBUTING.md"], "Tidy up");
    github.user("olivia").remove_repositories("agency", &["two"]);
    // Only the push is heard of: the write is refused, and that tells the rest.
    github.change_pending(|pending| pending.retain(|delivery| delivery.event == "push"));
    muster.settle().await;
    assert!(row(&muster, github.repository_id("agency/two")).await.removed_at.is_some());
    assert_eq!(github.branches("agency/two"), ["main"]);
    assert_eq!(turns(&muster).await, ["installation_added"], "no permission is missing");
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_a_repository_is_known_at_once() {
    let clock = clock();
    let github = installed(&clock, with([complete("site")])).await;
    let muster = Muster::start(&github, &clock).await;
    muster.begin().await;
    let (olivia, site) = (github.user("olivia"), github.repository_id("agency/site"));
    let seen = async || {
        muster.settle().await;
        let row = row(&muster, site).await;
        (row.seen.name.to_string(), row.seen.visibility, row.seen.archived, row.removed_at.is_some())
    };
    use muster::domain::repository::Visibility as Seen;
    olivia.rename("agency/site", "place");
    assert_eq!(seen().await, ("agency/place".to_owned(), Seen::Public, false, false));
    olivia.set_visibility("agency/place", Visibility::Private);
    assert_eq!(seen().await, ("agency/place".to_owned(), Seen::Private, false, false));
    olivia.set_visibility("agency/place", Visibility::Public);
    assert_eq!(seen().await, ("agency/place".to_owned(), Seen::Public, false, false));
    olivia.set_archived("agency/place", true);
    assert_eq!(seen().await, ("agency/place".to_owned(), Seen::Public, true, false));
    olivia.set_archived("agency/place", false);
    assert_eq!(seen().await, ("agency/place".to_owned(), Seen::Public, false, false));
    olivia.delete_repository("agency/place");
    assert_eq!(seen().await, ("agency/place".to_owned(), Seen::Public, false, true));
    muster.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_a_repository_that_moves_to_another_of_ours_takes_its_record_and_decisions_along() {
    for (visible, told) in [(true, true), (true, false), (false, true), (false, false)] {
        let clock = clock();
        let moves = if visible { lacking("site") } else { lacking("site").private() };
        let bureau = org("bureau")
            .owner("olivia")
            .repository(old(".github").file("README.md", README).file(".github/muster.yml", FREELY));
        let github = sandbox(&clock)
            .organization(with([moves]))
            .organization(bureau)
            .installation(installation("agency"))
            .installation(installation("bureau"))
            .start()
            .await
            .unwrap();
        let setup = Setup::serving(&["agency", "bureau"]);
        let muster = Muster::start_as(&github, &clock, setup).await;
        muster.begin().await;
        let (olivia, site) = (github.user("olivia"), github.repository_id("agency/site"));
        let opened = github.pull_requests("agency/site").len();
        // What a private repository lacks is only reported.
        assert_eq!(opened, usize::from(visible));
        if visible {
            olivia.close_pull_request("agency/site", 1);
            muster.settle().await;
        }
        let before = row(&muster, site).await;
        let decisions = muster.ctx.store.decisions(RepositoryId(site)).await.unwrap();
        assert_eq!(decisions.len(), opened);
        olivia.transfer("agency/site", "bureau");
        github.change_pending(|pending| pending.retain(|_| told));
        muster.settle().await;
        if !told {
            muster.advance(DAY).await;
        }
        let after = row(&muster, site).await;
        assert_eq!(after.seen.installation, InstallationId(github.installation_id("bureau")));
        assert_eq!(after.seen.name.to_string(), "bureau/site");
        assert!(after.removed_at.is_none() && after.arrived_at.is_some());
        assert_eq!(after.first_seen_at, before.first_seen_at);
        assert_eq!(muster.ctx.store.decisions(RepositoryId(site)).await.unwrap(), decisions);
        // No is still no.
        muster.advance(8 * DAY).await;
        github.user("olivia").push("bureau/site", "main", &[("src/x", "y\n")], "Code");
        muster.settle().await;
        assert_eq!(github.pull_requests("bureau/site").len(), opened, "visible: {visible}, told: {told}");
        muster.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_a_repository_that_leaves_for_an_account_that_is_not_served_is_out_at_once() {
    for (installed_there, visible) in [(false, true), (true, true), (false, false)] {
        let clock = clock();
        let moves = if visible { complete("site") } else { complete("site").private() };
        let mut builder = sandbox(&clock)
            .organization(with([moves]))
            .organization(org("elsewhere").owner("olivia"))
            .installation(installation("agency"));
        if installed_there {
            builder = builder.installation(installation("elsewhere"));
        }
        let github = builder.start().await.unwrap();
        let muster = Muster::start(&github, &clock).await;
        muster.begin().await;
        let (olivia, site) = (github.user("olivia"), github.repository_id("agency/site"));
        github.user("alice").delete_files("agency/site", "main", &["CONTRIBUTING.md"], "Tidy up");
        olivia.transfer("agency/site", "elsewhere");
        all_calls(&github);
        muster.settle().await;
        assert!(row(&muster, site).await.removed_at.is_some(), "visible: {visible}");
        muster.advance(2 * DAY).await;
        olivia.push("elsewhere/site", "main", &[("LICENSE", "Ours now.\n")], "Ours");
        muster.settle().await;
        assert!(row(&muster, site).await.removed_at.is_some(), "visible: {visible}");
        assert_eq!(github.pull_requests("elsewhere/site").len() + github.issues("elsewhere/site").len(), 0);
        if installed_there {
            let path = format!("/app/installations/{}/access_tokens", github.installation_id("elsewhere"));
            assert!(github.calls().iter().all(|call| call.path != path), "no token for a stranger");
        }
        muster.finish().await;
    }
}
