//! Every product: where its API is, what its lists link to, what its limits
//! are.

use github_sandbox::{Flavor, Sandbox, org, repository};
use muster::{
    domain::{outgoing::Line, repository::InstallationId},
    github::{App, Endpoints, Error, GitHub, Pace, Target},
};
use secrecy::SecretString;

use super::stand_in::{clock, paced, text};

/// 250 repositories, most of them private, on a GitHub that may call itself
/// otherwise than it is reached.
async fn agency(flavor: Flavor, own_name: Option<&str>) -> (Sandbox, GitHub) {
    let mut agency = org("agency").owner("olivia");
    for n in 0..250 {
        let new = repository(&format!("r{n}"));
        let visible = if flavor == Flavor::DataResidency { new.internal() } else { new };
        agency = agency.repository(if n % 5 == 0 { visible } else { repository(&format!("r{n}")).private() });
    }
    let clock = clock();
    let builder = Sandbox::builder().flavor(flavor).organization(agency);
    let builder = match own_name {
        Some(host) => builder.own_name(host),
        None => builder,
    };
    let sandbox = builder
        .clock(std::sync::Arc::new({
            let clock = clock.clone();
            move || clock.now()
        }))
        .installation(github_sandbox::installation("agency"))
        .start()
        .await
        .unwrap();
    let pem = SecretString::from(sandbox.private_key());
    let app = App::new(&sandbox.client_id(), [&pem]).unwrap();
    let endpoints = Endpoints::new(sandbox.api_url(), None).unwrap();
    assert!(endpoints.web().is_some());
    let github = GitHub::with_app(endpoints, app, clock).unwrap();
    (sandbox, github)
}

/// Issue 3, to be shown 5.
#[tokio::test]
async fn behind_absolute_links_250_of_250_are_seen_and_every_call_is_authenticated() {
    for (flavor, own_name) in [
        (Flavor::DotCom, None),
        (Flavor::Server, None),
        (Flavor::Server, Some("git.agency.example")),
        (Flavor::DataResidency, None),
        (Flavor::DataResidency, Some("api.agency.ghe.com")),
    ] {
        let (sandbox, github) = agency(flavor, own_name).await;
        let reader = github.reader(InstallationId(sandbox.installation_id("agency")));
        let listed = reader.repositories().await.unwrap();
        assert_eq!(listed.len(), 250, "{flavor:?} {own_name:?}");
        let pages = sandbox.calls();
        let lists = pages.iter().filter(|call| call.route.as_deref() == Some("/installation/repositories"));
        assert_eq!(lists.count(), 3);
        assert!(pages.iter().all(|call| !call.anonymous && (200..300).contains(&call.status)), "{pages:?}");
        assert_eq!(sandbox.failures(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_renamed_repository_is_followed_on_a_server_behind_an_alias() {
    let (sandbox, github) = agency(Flavor::Server, Some("git.agency.example")).await;
    sandbox.user("olivia").rename("agency/r7", "seven");
    let reader = github.reader(InstallationId(sandbox.installation_id("agency")));
    let login = "nobody".parse().unwrap();
    // The old name answers with a redirect to the server's own name.
    let account = muster::domain::repository::AccountId(1);
    let role = reader.permission(&"agency/r7".parse().unwrap(), &login, account).await;
    assert_eq!(role, Ok(muster::github::Role::None));
    let followed = sandbox.calls().into_iter().filter(|call| call.path.contains("collaborators"));
    let statuses: Vec<u16> = followed.map(|call| call.status).collect();
    assert_eq!(statuses, [301, 404]);
    assert_eq!(sandbox.failures(), Vec::<String>::new());
}

/// No `x-ratelimit-*` headers: no primary limit, and our own pace all the same.
#[tokio::test]
async fn a_server_without_limits_is_written_to_at_our_own_pace() {
    let (sandbox, github) = agency(Flavor::Server, None).await;
    let installation = InstallationId(sandbox.installation_id("agency"));
    let reader = github.reader(installation);
    assert_eq!(reader.rate_limit().await, Ok(None));
    let home = reader.repositories().await.unwrap().remove(0);
    let target = Target { id: home.id, node_id: home.node_id, name: home.name, visibility: home.visibility };
    let name = target.name.to_string();
    let time = sandbox.clone();
    let github = paced(&github, move || time.state(|state| state.now()));
    let writer = github.writer(installation, target, Pace { per_minute: 5, per_hour: Some(100) }).unwrap();
    for _ in 0..5 {
        writer.create_issue(&Line::of("Checklist"), &text(), &[]).await.unwrap();
    }
    let sixth = writer.create_issue(&Line::of("Checklist"), &text(), &[]).await;
    assert!(matches!(sixth, Err(Error::Paced { .. })), "{sixth:?}");
    assert_eq!(sandbox.issues(&name).len(), 5);
    // Reading is not held back by it.
    for _ in 0..20 {
        reader.repository_by_id(home.id).await.unwrap();
    }
}

#[tokio::test]
async fn the_version_of_a_server_is_learned_from_its_answers() {
    let (_sandbox, github) = agency(Flavor::Server, None).await;
    assert_eq!(github.product(), "GitHub Enterprise Server");
    github.registration().await.unwrap();
    assert_eq!(github.product(), "GitHub Enterprise Server 3.19.2");
}
