//! The client against the sandbox: what is written is read back, and an
//! answer lost at any step leads to the same end.

use github_sandbox::{Fault, FaultKind, Flavor, Sandbox, org, repository};
use muster::{
    domain::{
        observed::{Actor, ItemState, RepositoryRead},
        outgoing::{Line, PublicText},
        outstanding::Start,
        repository::{FileText, Files, InstallationId, RepositoryName, Visibility},
    },
    github::{
        App, Created, Endpoints, Error, GitHub, IssueChange, IssueState, NewPullRequest, Pace, Reader,
        Target, Writer,
    },
};
use secrecy::SecretString;

use super::stand_in::{clock, names};

/// An agency on a GitHub, and the client on it.
struct Agency {
    sandbox: Sandbox,
    reader: Reader,
    github: GitHub,
    installation: InstallationId,
}

impl Agency {
    async fn start(flavor: Flavor) -> Agency {
        let site = repository("site").file("README.md", "Hello").file("docs/odd name.md", "x");
        let mut agency = org("agency").owner("olivia").repository(site);
        for n in 0..120 {
            agency = agency.repository(repository(&format!("r{n}")).private());
        }
        let clock = clock();
        let sandbox = Sandbox::builder()
            .flavor(flavor)
            .clock(std::sync::Arc::new({
                let clock = clock.clone();
                move || clock.now()
            }))
            .organization(agency)
            .installation(github_sandbox::installation("agency"))
            .start()
            .await
            .unwrap();
        let pem = SecretString::from(sandbox.private_key());
        let app = App::new(&sandbox.client_id(), [&pem]).unwrap();
        let endpoints = Endpoints::new(sandbox.api_url(), None).unwrap();
        let github = GitHub::with_app(endpoints, app, clock).unwrap();
        let installation = InstallationId(sandbox.installation_id("agency"));
        Agency { reader: github.reader(installation), sandbox, github, installation }
    }

    async fn read(&self) -> RepositoryRead {
        let wanted = |_: &Files| vec!["docs/odd name.md".to_owned()];
        self.reader.read_repository(&site(), None, &[], &names(), &wanted).await.unwrap()
    }

    fn writer(&self, read: &RepositoryRead) -> Writer {
        let facts = &read.snapshot.repository;
        let target = Target {
            id: facts.id,
            node_id: facts.node_id.clone(),
            name: facts.name.clone(),
            visibility: facts.visibility,
        };
        super::stand_in::with_leave(&self.github).writer(self.installation, target, Pace::default()).unwrap()
    }

    async fn propose(&self, read: &RepositoryRead, start: Start) -> Result<Created, Error> {
        let head = read.snapshot.repository.head.as_ref().unwrap();
        let title = Line::of("Add missing open source files: CONTRIBUTING.md");
        let files = [("CONTRIBUTING.md".to_owned(), b"How to take part\n".to_vec())];
        let new = NewPullRequest {
            base: &head.branch,
            base_oid: &head.oid,
            branch: "muster/files",
            headline: &title,
            message: &words(),
            files: &files,
            title: &title,
            body: &words(),
            draft: false,
            start,
        };
        self.writer(read).propose(&new).await.map(|proposed| proposed.created)
    }

    fn finish(&self) {
        assert_eq!(self.sandbox.failures(), Vec::<String>::new());
    }
}

fn site() -> RepositoryName {
    "agency/site".parse().unwrap()
}

fn words() -> PublicText {
    PublicText::about(Visibility::Public).say("Words.")
}

#[tokio::test]
async fn both_products_are_spoken_and_every_page_is_read() {
    for flavor in [Flavor::DotCom, Flavor::Server] {
        let agency = Agency::start(flavor).await;
        assert_eq!(agency.reader.repositories().await.unwrap().len(), 121);
        let login = "agency".parse().unwrap();
        assert_eq!(agency.github.installation_of(&login).await.unwrap().id, agency.installation);
        assert_eq!(agency.github.installations().await.unwrap().len(), 1);
        let (bot_login, bot_id) = agency.sandbox.bot();
        let bot: Actor = agency.reader.bot().await.unwrap();
        assert_eq!((bot.login, bot.id.unwrap().0), (bot_login, bot_id));
        let read = agency.read().await;
        assert_eq!(read.snapshot.files.texts["README.md"], FileText::of("Hello"));
        assert_eq!(read.snapshot.files.texts["docs/odd name.md"], FileText::of("x"));
        assert_eq!(agency.github.revoke_all().await, (1, 0));
        agency.finish();
    }
}

#[tokio::test]
async fn what_is_written_is_read_back() {
    let agency = Agency::start(Flavor::DotCom).await;
    let read = agency.read().await;
    let writer = agency.writer(&read);
    let label = Line::of("open-source-compliance");
    writer.create_label(&label, "ededed", &Line::of("Open source")).await.unwrap();
    let again = writer.create_label(&label, "ededed", &Line::of("Open source")).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    let issue = writer.create_issue(&Line::of("Checklist"), &words(), &[label]).await.unwrap();
    writer.comment(issue.number, &words()).await.unwrap();
    let pull = agency.propose(&read, Start::Nothing).await.unwrap();
    let twice = agency.propose(&read, Start::Nothing).await;
    assert!(matches!(twice, Err(Error::Conflict(_) | Error::StaleData(_))), "{twice:?}");

    let id = read.snapshot.repository.id;
    let known = [issue.node_id.clone(), pull.node_id.clone()];
    let ours = agency.reader.ours(&site(), id, &known, &names()).await.unwrap();
    assert!(ours.label_exists && ours.gone.is_empty());
    assert_eq!(ours.items.iter().map(|item| item.number).collect::<Vec<_>>(), [issue.number, pull.number]);
    let bot = agency.reader.bot().await.unwrap().id;
    assert!(ours.items.iter().all(|item| item.author.as_ref().unwrap().id == bot));
    assert_eq!(ours.branches.iter().map(|b| b.name.as_str()).collect::<Vec<_>>(), ["muster/files"]);
    let before = agency.reader.before_write(&site(), id, &known, &names()).await.unwrap();
    assert_eq!(before.proposals[0].paths, ["CONTRIBUTING.md"]);
    assert!(before.proposals_complete && before.proposals[0].complete);

    let change = IssueChange { state: Some(IssueState::Completed), ..IssueChange::default() };
    writer.update_issue(issue.number, change).await.unwrap();
    writer.close_pull_request(pull.number).await.unwrap();
    let tip = &ours.branches[0].tip;
    let elsewhere = &read.snapshot.repository.head.as_ref().unwrap().oid;
    let moved = writer.delete_branch("muster/files", elsewhere).await;
    assert!(matches!(moved, Err(Error::StaleData(_))), "{moved:?}");
    writer.delete_branch("muster/files", tip).await.unwrap();
    let gone = writer.delete_branch("muster/files", tip).await;
    assert!(matches!(gone, Err(Error::StaleData(_) | Error::NotFound(_))), "{gone:?}");
    let ours = agency.reader.ours(&site(), id, &known, &names()).await.unwrap();
    let closed_by_us =
        |state: &ItemState| matches!(state, ItemState::Closed { by: Some(by), .. } if by.id == bot);
    assert!(ours.items.iter().all(|item| closed_by_us(&item.state)), "{:?}", ours.items);
    assert!(ours.branches.is_empty());
    agency.finish();
}

#[tokio::test]
async fn a_lost_answer_is_told_and_the_pull_request_is_there_once() {
    let agency = Agency::start(Flavor::DotCom).await;
    let read = agency.read().await;
    agency.sandbox.fault(Fault::on("POST /graphql Propose").kind(FaultKind::BadGatewayAfter));
    let lost = agency.propose(&read, Start::Nothing).await;
    assert!(matches!(lost, Err(Error::Ambiguous(_))), "{lost:?}");
    let ours = agency.reader.ours(&site(), read.snapshot.repository.id, &[], &names()).await.unwrap();
    assert_eq!(ours.items.len(), 1);
    agency.finish();
}

#[tokio::test]
async fn a_suspended_installation_parks_and_a_lost_token_is_replaced() {
    let agency = Agency::start(Flavor::DotCom).await;
    agency.read().await;
    agency.sandbox.fault(Fault::on("POST /graphql Snapshot").kind(FaultKind::Unauthorized));
    agency.read().await;
    agency.github.revoke_all().await;
    agency.sandbox.user("olivia").set_suspended("agency", true);
    assert_eq!(agency.reader.repositories().await.map(|_| ()), Err(Error::Suspended));
    agency.finish();
}
