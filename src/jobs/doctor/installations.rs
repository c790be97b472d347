//! The App on each account: what it was granted, what it sees, who else has it.

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{
    super::accounts,
    Doctor,
    rows::{Check, Row},
};
use crate::{
    domain::{
        inventory::traffic::day_of,
        policy::{Mode, Policy},
        repository::{AccountId, Login, Visibility},
    },
    github::{
        Examined, Granted, Installation, ListedRepository, RateLimit, Reader,
        examine::{Registration, Selection},
        needs::{self, Level, Need, Permission},
    },
    store::AccountPolicy,
};

/// Each permission that Muster uses, the mode from which on, and what does not
/// work without it. Reading asks for all of its permissions at once.
const USES: [(Need, Mode, &str); 9] = [
    ((Permission::Metadata, Level::Read), Mode::Observe, NOTHING_READ),
    ((Permission::Contents, Level::Read), Mode::Observe, NOTHING_READ),
    ((Permission::Issues, Level::Read), Mode::Observe, NOTHING_READ),
    ((Permission::PullRequests, Level::Read), Mode::Observe, NOTHING_READ),
    ((Permission::Checks, Level::Read), Mode::Observe, NOTHING_READ),
    ((Permission::Checks, Level::Write), Mode::Check, "no check run reports a result"),
    ((Permission::Issues, Level::Write), Mode::Issue, "no checklist issue is opened"),
    ((Permission::Contents, Level::Write), Mode::Fix, "no pull request is opened"),
    ((Permission::PullRequests, Level::Write), Mode::Fix, "no pull request is opened"),
];
/// How long it is told that what was measured is so no more.
const MISSED: SignedDuration = SignedDuration::from_hours(30 * 24);
const NOTHING_READ: &str = "no repository is read, and so none is judged";

/// Whether a listed name means this installation's account: by what it is bound
/// to, or else by the name (threats T6).
fn is_meant(listed: &Login, bound: Option<AccountId>, found: &Installation) -> bool {
    match bound {
        Some(account) => found.account == account,
        None => found.login.as_ref().is_some_and(|login| login.same_as(listed)),
    }
}

impl Doctor<'_> {
    pub(super) async fn installations(&self, app: &Registration) -> Vec<Row> {
        let installations = match self.github.examine_installations().await {
            Ok(installations) => installations,
            Err(error) => return vec![Row::unasked(Check::Installation, &error)],
        };
        let (mut rows, mut served) = (Vec::new(), Vec::new());
        for login in self.organizations {
            let bound = self.bound(login).await;
            match installations.iter().find(|found| is_meant(login, bound, &found.installation)) {
                Some(found) => {
                    served.push(found.installation.id);
                    rows.extend(self.installation(app, found).await);
                }
                None => rows.push(
                    Row::fails(
                        Check::Installation,
                        "The App is not installed on this account, which is to be served.",
                        "Let an owner install it, or take the account out of MUSTER_ORGANIZATIONS.",
                    )
                    .about(login.to_string())
                    .at(&app.html_url),
                ),
            }
        }
        let strangers = installations.iter().filter(|found| !served.contains(&found.installation.id));
        rows.extend(strangers.map(|found| self.stranger(found).of(found).at(&found.html_url)));
        rows
    }

    /// The account that a listed name is bound to, if it is bound and known.
    async fn bound(&self, login: &Login) -> Option<AccountId> {
        self.store?.bound_account(&accounts::key(login)).await.ok().flatten()
    }

    fn stranger(&self, found: &Examined) -> Row {
        let login = found.installation.login.as_ref();
        if login.is_some_and(|login| self.organizations.iter().any(|listed| listed.same_as(login))) {
            return Row::warning(
                Check::Strangers,
                "This account has taken a listed name, which means another account; Muster asks for no token there.",
                "If this one is meant: take the name off MUSTER_ORGANIZATIONS, start once, and put it back.",
            );
        }
        Row::warning(
            Check::Strangers,
            "An account that is not served has installed the App; Muster asks for no token there.",
            format!(
                "Remove it: DELETE /app/installations/{} as the App; or add the account to MUSTER_ORGANIZATIONS.",
                found.installation.id
            ),
        )
    }

    async fn installation(&self, app: &Registration, found: &Examined) -> Vec<Row> {
        if found.installation.suspended {
            let means = "The account has suspended the App: its jobs wait.";
            let remedy = "Let an owner unsuspend it; the work goes on by itself.";
            return vec![Row::warning(Check::Installation, means, remedy).of(found).at(&found.html_url)];
        }
        let mut rows = Vec::new();
        let remembered = match self.store {
            Some(store) => store.policy(found.installation.account).await.ok(),
            None => None,
        };
        rows.extend(permissions(
            &app.permissions,
            &found.installation.granted,
            self.mode(remembered.as_ref()),
        ));
        if self.is_whole() {
            if let Some(store) = self.store {
                let last = store.traffic_measured_on(found.installation.id).await;
                rows.push(match last {
                    Ok(last) => traffic(&found.installation.granted, last, self.now),
                    Err(error) => Row::unchecked(Check::Traffic, format!("{error}.")),
                });
            }
            rows.extend(policy(self.policy, remembered.as_ref()));
            rows.extend(self.sees(&self.github.reader(found.installation.id), found).await);
        }
        rows.into_iter().map(|row| row.of(found)).collect()
    }

    /// The mode of the policy in force, if it is known.
    fn mode(&self, remembered: Option<&AccountPolicy>) -> Option<Mode> {
        if let Some(policy) = self.policy {
            return Some(policy.mode);
        }
        let taken = remembered?.taken.as_ref();
        Some(taken.and_then(|taken| Policy::parse(&taken.text).ok()).unwrap_or_default().mode)
    }

    async fn sees(&self, reader: &Reader, found: &Examined) -> Vec<Row> {
        let mut rows = Vec::new();
        match reader.repositories().await {
            Ok(listed) => {
                rows.push(repositories(&listed, found.selection).at(&found.html_url));
                rows.push(home(&listed));
            }
            Err(error) => {
                rows.extend([Check::Repositories, Check::OrganizationHome].map(|c| Row::unasked(c, &error)));
            }
        }
        rows.push(match reader.rate_limit().await {
            Ok(limit) => rate_limit(limit),
            Err(error) => Row::unasked(Check::RateLimit, &error),
        });
        rows
    }
}

/// What is missing: whether the App does not ask for it, or the account has
/// not accepted it.
fn permissions(app: &Granted, granted: &Granted, mode: Option<Mode>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (need, from, without) in USES.iter().filter(|(need, _, _)| !granted.holds(*need)) {
        let shown = needs::shown(&[*need]);
        let remedy = if app.holds(*need) {
            format!("Let an owner of the account accept {shown}.")
        } else {
            format!("Add {shown} on the App's page, then let an owner of the account accept it.")
        };
        let means = format!("Without {shown}, {without}.");
        rows.push(match from {
            Mode::Observe => Row::fails(Check::Permissions, means, remedy),
            // Check runs are for later versions.
            Mode::Check => Row::ok(Check::Permissions, means),
            Mode::Issue | Mode::Fix if mode.is_some_and(|mode| rank(mode) >= rank(*from)) => {
                Row::warning(Check::Permissions, means, remedy)
            }
            Mode::Issue | Mode::Fix => Row::ok(Check::Permissions, means),
        });
    }
    if rows.is_empty() {
        rows.push(Row::ok(Check::Permissions, "The account has granted everything that Muster uses."));
    }
    rows
}

/// Whether clones and views are measured. That nobody granted it is no finding:
/// it is an account's own choice (platform 1.5).
fn traffic(granted: &Granted, last: Option<Date>, now: Timestamp) -> Row {
    let holds = granted.lacks(needs::MEASURING).is_empty();
    match (holds, last) {
        (true, Some(last)) => {
            Row::ok(Check::Traffic, format!("Clones and views are measured, last on {last}."))
        }
        (true, None) => Row::ok(
            Check::Traffic,
            "Clones and views can be measured: an organization of an agency is, from the next sweep on.",
        ),
        (false, None) => {
            Row::ok(Check::Traffic, "Clones and views are not measured: that takes administration: read.")
        }
        (false, Some(last)) if day_of(now) <= last.saturating_add(MISSED) => Row::warning(
            Check::Traffic,
            format!(
                "Clones and views are measured no more since {last}: administration: read was taken away."
            ),
            "If that was no one's wish, let an owner of the account grant it again: GitHub forgets after 14 days.",
        ),
        (false, Some(last)) => {
            Row::ok(Check::Traffic, format!("Clones and views were measured until {last}."))
        }
    }
}

fn rank(mode: Mode) -> usize {
    Mode::ALL.iter().position(|known| *known == mode).unwrap_or_default()
}

fn repositories(listed: &[ListedRepository], selection: Selection) -> Row {
    let count = |visibility| listed.iter().filter(|found| found.visibility == visibility).count();
    let archived = listed.iter().filter(|found| found.archived).count();
    let which = match selection {
        Selection::All => "all of the account",
        Selection::Selected => "those selected by an owner",
    };
    if listed.is_empty() {
        let remedy = "Let an owner choose repositories on the installation's page.";
        return Row::warning(Check::Repositories, format!("The App sees no repository ({which})."), remedy);
    }
    let means = format!(
        "It sees {} ({which}): {} public, {} internal, {} private; {archived} archived.",
        listed.len(),
        count(Visibility::Public),
        count(Visibility::Internal),
        count(Visibility::Private)
    );
    Row::ok(Check::Repositories, means)
}

/// Whether there is a `.github` repository, and whom it reaches (platform
/// §1.7).
fn home(listed: &[ListedRepository]) -> Row {
    let Some(home) = listed.iter().find(|found| found.name.is_organization_home()) else {
        let means = "No .github is among them: no policy file and no defaults for other repositories.";
        return Row::ok(Check::OrganizationHome, means);
    };
    match home.visibility {
        Visibility::Public => Row::ok(
            Check::OrganizationHome,
            ".github is public: everybody can follow its policy and defaults.",
        ),
        Visibility::Internal => Row::ok(
            Check::OrganizationHome,
            ".github is internal: its defaults reach the enterprise, and no reader outside.",
        ),
        Visibility::Private => Row::warning(
            Check::OrganizationHome,
            ".github is private: GitHub hands no defaults down from it.",
            "Make it public or internal, if its defaults are to count.",
        ),
    }
}

fn policy(operators: Option<&Policy>, remembered: Option<&AccountPolicy>) -> Vec<Row> {
    if let Some(policy) = operators {
        let means = format!("The operator's policy is in force, mode {}.", policy.mode.as_str());
        return vec![Row::ok(Check::Policy, means)];
    }
    let Some(remembered) = remembered else {
        return vec![Row::unchecked(Check::Policy, "The database does not tell which policy is in force.")];
    };
    let mut rows = vec![Row::ok(
        Check::Policy,
        match &remembered.taken {
            None => "No policy is in force: Muster only observes.".to_owned(),
            Some(taken) => {
                let mode = Policy::parse(&taken.text).unwrap_or_default().mode;
                let since = taken.taken_at.strftime("%Y-%m-%d %H:%M:%SZ");
                format!("A policy is in force since {since}, mode {}.", mode.as_str())
            }
        },
    )];
    if let Some(refused) = &remembered.refused {
        let why = refused.why.lines().next().unwrap_or_default();
        rows.push(Row::warning(
            Check::Policy,
            format!("A newer one was not taken: {why}."),
            "Correct .github/muster.yml, and merge it by a pull request.",
        ));
    }
    rows
}

fn rate_limit(limit: Option<RateLimit>) -> Row {
    let Some(RateLimit { core, graphql }) = limit else {
        return Row::ok(Check::RateLimit, "This GitHub sets no limit; Muster keeps its own pace.");
    };
    let means = format!(
        "{} of {} REST and {} of {} GraphQL points are left of this hour.",
        core.remaining, core.limit, graphql.remaining, graphql.limit
    );
    let scarce = [core, graphql].iter().any(|left| left.remaining * 10 < left.limit);
    match scarce {
        true => Row::warning(
            Check::RateLimit,
            means,
            "Muster waits by itself; look for what else uses the App if this stays so.",
        ),
        false => Row::ok(Check::RateLimit, means),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{super::rows::State, *};
    use crate::{
        domain::repository::RepositoryId,
        github::examine::Left,
        store::{PolicyRefusal, TakenPolicy},
    };

    fn granted(write: &[&str], without: &[&str]) -> Granted {
        let all = ["checks", "contents", "issues", "metadata", "pull_requests"];
        let level = |name: &str| if write.contains(&name) { "write" } else { "read" };
        let held = all.iter().filter(|name| !without.contains(name));
        Granted::from(
            held.map(|name| ((*name).to_owned(), level(name).to_owned())).collect::<BTreeMap<_, _>>(),
        )
    }

    const FIXER: [&str; 4] = ["checks", "contents", "issues", "pull_requests"];

    fn states(rows: &[Row]) -> Vec<State> {
        rows.iter().map(|row| row.state).collect()
    }

    #[test]
    fn each_missing_permission_says_what_fails_and_who_has_to_act() {
        use State::{Fails, Ok, Warning};
        let fixer = granted(&FIXER, &[]);
        assert_eq!(states(&permissions(&fixer, &fixer, Some(Mode::Fix))), [Ok]);
        // The Observer: nothing is wrong unless the policy wants more.
        let observer = granted(&["checks", "issues"], &[]);
        assert_eq!(states(&permissions(&observer, &observer, Some(Mode::Issue))), [Ok, Ok]);
        assert_eq!(states(&permissions(&observer, &observer, None)), [Ok, Ok]);
        let rows = permissions(&observer, &observer, Some(Mode::Fix));
        assert_eq!(states(&rows), [Warning, Warning]);
        assert_eq!(rows[0].means, "Without contents: write, no pull request is opened.");
        assert!(rows[0].remedy.as_deref().unwrap().starts_with("Add contents: write on the App's page"));
        // The App asks for more than the account has accepted.
        let rows = permissions(&fixer, &granted(&["checks"], &["issues"]), Some(Mode::Issue));
        assert_eq!(rows[0].means, format!("Without issues: read, {NOTHING_READ}."));
        assert_eq!(rows[0].remedy.as_deref(), Some("Let an owner of the account accept issues: read."));
        assert_eq!(states(&rows), [Fails, Warning, Ok, Ok]);
        assert_eq!(states(&permissions(&fixer, &granted(&FIXER[1..], &[]), Some(Mode::Fix))), [Ok]);
    }

    #[test]
    fn that_nobody_granted_clones_is_no_finding_and_that_it_was_taken_away_is_for_a_month() {
        let now = |text: &str| text.parse().unwrap();
        let all = granted(&FIXER, &[]);
        let more = Granted::from(BTreeMap::from([("administration".to_owned(), "read".to_owned())]));
        let last = Some(jiff::civil::date(2026, 11, 17));
        for (granted, last, day, expected) in [
            (&all, None, "2026-11-17T15:00:00Z", "ok: Clones and views are not measured"),
            (&more, None, "2026-11-17T15:00:00Z", "ok: Clones and views can be measured"),
            (&more, last, "2026-11-17T15:00:00Z", "ok: Clones and views are measured, last on 2026-11-17."),
            (&all, last, "2026-12-17T15:00:00Z", "warning: Clones and views are measured no more since"),
            (&all, last, "2026-12-18T15:00:00Z", "ok: Clones and views were measured until 2026-11-17."),
        ] {
            let row = traffic(granted, last, now(day));
            let told = format!("{}: {}", row.state.as_str(), row.means);
            assert!(told.starts_with(expected), "{told}");
        }
        assert_eq!(states(&permissions(&all, &all, Some(Mode::Fix))), [State::Ok]);
    }

    #[test]
    fn every_permission_that_a_call_needs_is_among_the_uses() {
        let routes = needs::ROUTES.iter().map(|route| route.needs);
        let operations = needs::OPERATIONS.iter().map(|(_, needs)| *needs);
        let measured = |need: &&Need| needs::MEASURING.contains(need);
        for need in routes.chain(operations).chain([needs::READING]).flatten().filter(|need| !measured(need))
        {
            assert!(USES.iter().any(|(known, _, _)| known == need), "{need:?}");
        }
    }

    fn listed(name: &str, visibility: Visibility, archived: bool) -> ListedRepository {
        ListedRepository {
            id: RepositoryId(1),
            node_id: "R_1".to_owned(),
            name: format!("agency/{name}").parse().unwrap(),
            visibility,
            archived,
            disabled: false,
            fork: false,
            mirror: false,
            template: false,
            issues_enabled: true,
            description: None,
            homepage: None,
            topics: Vec::new(),
            license: None,
            created_at: None,
            pushed_at: None,
            default_branch: "main".to_owned(),
            forks: 0,
        }
    }

    #[test]
    fn what_it_sees_is_counted_by_visibility() {
        let all = [
            listed(".github", Visibility::Internal, false),
            listed("site", Visibility::Public, true),
            listed("secret", Visibility::Private, false),
        ];
        assert_eq!(
            repositories(&all, Selection::Selected).means,
            "It sees 3 (those selected by an owner): 1 public, 1 internal, 1 private; 1 archived."
        );
        assert_eq!(repositories(&[], Selection::All).state, State::Warning);
        assert!(home(&all).means.contains("internal"));
        assert_eq!(home(&all[1..]).state, State::Ok);
        assert_eq!(home(&[listed(".github", Visibility::Private, false)]).state, State::Warning);
    }

    #[test]
    fn a_policy_that_was_not_taken_is_told_with_its_reason() {
        let at = "2026-11-17T15:00:00Z".parse().unwrap();
        let taken = TakenPolicy {
            oid: String::new(),
            digest: String::new(),
            text: "mode: fix\n".to_owned(),
            taken_at: at,
        };
        let refused =
            PolicyRefusal { oid: String::new(), why: "1:1 mode: no\nmore".to_owned(), refused_at: at };
        let both = AccountPolicy { taken: Some(taken), refused: Some(refused) };
        let rows = policy(None, Some(&both));
        assert_eq!(rows[0].means, "A policy is in force since 2026-11-17 15:00:00Z, mode fix.");
        assert_eq!(rows[1].means, "A newer one was not taken: 1:1 mode: no.");
        assert_eq!(policy(None, None)[0].state, State::CouldNotCheck);
        assert_eq!(policy(None, Some(&AccountPolicy::default()))[0].state, State::Ok);
        assert!(policy(Some(&Policy::default()), None)[0].means.contains("operator"));
    }

    #[test]
    fn a_tenth_of_the_limit_is_little() {
        let limit = |remaining| {
            let full = Left { limit: 5000, remaining: 5000 };
            rate_limit(Some(RateLimit { core: full, graphql: Left { limit: 5000, remaining } })).state
        };
        assert_eq!((limit(500), limit(499)), (State::Ok, State::Warning));
        assert_eq!(rate_limit(None).state, State::Ok);
    }
}
