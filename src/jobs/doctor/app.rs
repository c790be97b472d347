//! The App itself: whether GitHub answers, takes its key, and delivers to it.

use super::{
    super::intake::Way,
    Depth, Doctor,
    rows::{Check, Row},
};
use crate::github::{
    Error, Granted,
    examine::{Delivered, Hook, Registration},
    needs::{EVENTS, Need},
    skew::{self, Standing},
};

/// What cannot be looked at while GitHub does not know us.
const BEHIND_THE_KEY: [Check; 4] = [Check::App, Check::Hook, Check::LastDelivery, Check::Installation];

impl Doctor<'_> {
    /// All that GitHub tells.
    pub(super) async fn app(&self) -> Vec<Row> {
        let registration = self.github.registration().await;
        let mut rows = connection(&registration, &self.github.product(), self.github.proxy(), self.web);
        rows.push(clock(self.github.clock_ahead()));
        let registration = match registration {
            Ok(registration) => registration,
            Err(error) => {
                rows.push(key(&error));
                rows.extend(BEHIND_THE_KEY.map(|check| Row::unasked(check, &error)));
                return rows;
            }
        };
        let (number, keys) = self.github.key();
        rows.push(Row::ok(
            Check::Key,
            match keys {
                1 => "GitHub takes the App's key.".to_owned(),
                _ => format!("GitHub takes key {number} of {keys}."),
            },
        ));
        rows.extend(asked(&registration));
        rows.push(match self.github.hook().await {
            Ok(config) => match self.way {
                Way::Webhook => hook(&config, self.public_url),
                Way::Poll => record(&config),
            },
            Err(error) => Row::unasked(Check::Hook, &error),
        });
        rows.push(match self.github.last_delivery().await {
            Ok(last) => last_delivery(last.as_ref(), self.way),
            Err(error) => Row::unasked(Check::LastDelivery, &error),
        });
        rows.extend(self.installations(&registration).await);
        rows
    }

    pub(super) fn is_whole(&self) -> bool {
        match self.depth {
            Depth::Whole => true,
            Depth::Brief => false,
        }
    }
}

/// The rows of a GitHub that cannot even be called.
pub(super) fn unreachable(error: &Error) -> Vec<Row> {
    let mut rows = connection(&Err(error.clone()), "GitHub", None, "");
    rows.extend([Check::Clock, Check::Key].map(|check| Row::unasked(check, error)));
    rows.extend(BEHIND_THE_KEY.map(|check| Row::unasked(check, error)));
    rows
}

fn connection(
    registration: &Result<Registration, Error>,
    product: &str,
    proxy: Option<&str>,
    web: &str,
) -> Vec<Row> {
    let through = proxy.map_or_else(String::new, |proxy| format!(" through the proxy {proxy}"));
    let mut rows = Vec::new();
    match registration {
        Err(error @ (Error::Transient(_) | Error::Permanent(_))) => rows.push(Row::fails(
            Check::Connection,
            format!("{product} does not answer{through}: {error}."),
            "Check the way out: MUSTER_GITHUB_API_URL, HTTPS_PROXY, SSL_CERT_FILE, the firewall.",
        )),
        Err(Error::NotFound(_)) => rows.push(Row::fails(
            Check::Connection,
            format!("What answers{through} is not the API of a GitHub."),
            "Check MUSTER_GITHUB_API_URL; an Enterprise Server has its API at https://HOST/api/v3.",
        )),
        Ok(_) | Err(_) => rows.push(Row::ok(Check::Connection, format!("{product} answers{through}."))),
    }
    let own = registration.as_ref().ok().and_then(|registration| origin(&registration.html_url));
    if let Some(own) = own.filter(|own| !own.eq_ignore_ascii_case(web)) {
        rows.push(Row::warning(
            Check::Connection,
            format!("GitHub calls its pages {own}, the settings {web}: links may lead nowhere."),
            format!("Set MUSTER_GITHUB_URL to {own}, and MUSTER_GITHUB_API_URL to its API."),
        ));
    }
    rows
}

/// `https://HOST` of a page.
fn origin(page: &str) -> Option<&str> {
    let end = page.find("://")? + 3;
    Some(page[end..].find('/').map_or(page, |slash| &page[..end + slash]))
}

fn clock(ahead: Option<jiff::SignedDuration>) -> Row {
    let Some(ahead) = ahead else {
        return Row::unchecked(Check::Clock, "GitHub has not told its time.");
    };
    let means = || format!("This machine's clock is {} GitHub's.", skew::shown(ahead));
    match skew::standing(ahead) {
        Standing::Right => Row::ok(Check::Clock, "The clock agrees with GitHub's."),
        Standing::Corrected => Row::warning(
            Check::Clock,
            means(),
            "Set it by a time server: at 5 minutes Muster asks for no more tokens.",
        ),
        Standing::Off => Row::fails(
            Check::Clock,
            means(),
            "Set it by a time server: until then Muster asks for no tokens.",
        ),
    }
}

fn key(error: &Error) -> Row {
    match error {
        Error::Unauthorized(_) => Row::fails(
            Check::Key,
            "GitHub does not take the App's signature.",
            "Compare the client ID (or the App's number) and the private key with the App's page.",
        ),
        Error::ClockOff { .. } => Row::fails(
            Check::Key,
            "With this clock no signature of the App is valid.",
            "Set the clock by a time server.",
        ),
        Error::RateLimited { .. }
        | Error::Paced { .. }
        | Error::Transient(_)
        | Error::Ambiguous(_)
        | Error::NotFound(_)
        | Error::Gone(_)
        | Error::Forbidden { .. }
        | Error::Suspended
        | Error::StaleData(_)
        | Error::Conflict(_)
        | Error::Refused { .. }
        | Error::Partial(_)
        | Error::Permanent(_) => Row::unasked(Check::Key, error),
    }
}

/// What the App asks for beside, or short of, what Muster uses.
fn asked(registration: &Registration) -> Vec<Row> {
    let mut rows: Vec<Row> = registration
        .permissions
        .others()
        .map(|name| {
            Row::warning(
                Check::App,
                format!("The App asks for {name}, which Muster never uses."),
                "Remove that permission on the App's page.",
            )
        })
        .collect();
    let missing = unsubscribed(registration);
    if !missing.is_empty() {
        rows.push(Row::warning(
            Check::App,
            format!(
                "The App does not subscribe to {}: such changes wait for the daily sweep.",
                missing.join(", ")
            ),
            "Tick these events on the App's page, section \"Permissions & events\".",
        ));
    }
    if rows.is_empty() {
        rows.push(Row::ok(Check::App, "The App asks for no more than Muster uses."));
    }
    rows.into_iter().map(|row| row.at(&registration.html_url)).collect()
}

/// The events that the App could have and does not subscribe to. Those that
/// come to every App need nothing.
fn unsubscribed(registration: &Registration) -> Vec<&'static str> {
    let holds = |granted: &Granted, needs: &[Need]| needs.iter().all(|need| granted.holds(*need));
    EVENTS
        .iter()
        .filter(|(_, needs)| !needs.is_empty() && holds(&registration.permissions, needs))
        .map(|(event, _)| *event)
        .filter(|event| !registration.events.iter().any(|subscribed| subscribed == event))
        .collect()
}

fn hook(hook: &Hook, public_url: Option<&str>) -> Row {
    let wanted = public_url.map(|url| format!("{url}/webhook"));
    let remedy = |what: &str| format!("{what} on the App's page, section \"Webhook\".");
    if hook.url.is_empty() {
        let means = "The App has no webhook: changes wait for the daily sweep.";
        let url = wanted.as_deref().unwrap_or("https://HOST/webhook of this instance");
        return Row::warning(Check::Hook, means, remedy(&format!("Set its URL to {url}")));
    }
    if !hook.signed {
        let means = "The webhook has no secret, and Muster takes no unsigned delivery.";
        return Row::fails(Check::Hook, means, remedy("Set the secret of MUSTER_WEBHOOK_SECRET"));
    }
    if !hook.json {
        let means = "The webhook sends forms, and Muster takes JSON only.";
        return Row::fails(Check::Hook, means, remedy("Choose the content type application/json"));
    }
    if !hook.verified {
        let means = "GitHub does not verify who receives the deliveries.";
        return Row::fails(Check::Hook, means, remedy("Switch on SSL verification"));
    }
    match wanted.filter(|wanted| *wanted != hook.url) {
        Some(wanted) => Row::warning(
            Check::Hook,
            format!("The webhook goes to {}, and this instance takes deliveries at {wanted}.", hook.url),
            remedy(&format!("Set its URL to {wanted}")),
        ),
        None => Row::ok(Check::Hook, format!("GitHub sends signed JSON to {}.", hook.url)),
    }
}

/// The webhook of an instance that reads GitHub's record of what it sends.
fn record(hook: &Hook) -> Row {
    if hook.url.is_empty() {
        return Row::fails(
            Check::Hook,
            "The App has no webhook, so that GitHub records no deliveries to be fetched.",
            "Make the webhook active on the App's page, with any public address.",
        );
    }
    Row::ok(Check::Hook, "GitHub records deliveries, and Muster fetches them.")
}

fn last_delivery(last: Option<&Delivered>, way: Way) -> Row {
    let Some(last) = last else {
        return Row::warning(
            Check::LastDelivery,
            "GitHub remembers no delivery of the last days.",
            "Push to a repository and look again; then check the URL of the webhook.",
        );
    };
    let at = last.delivered_at.strftime("%Y-%m-%d %H:%M:%SZ");
    let (event, code) = (shown(&last.event), last.status_code);
    match way {
        // Whether anybody answered counts for nothing here.
        Way::Poll => return Row::ok(Check::LastDelivery, format!("{event} at {at} is recorded.")),
        Way::Webhook => {}
    }
    match code {
        200..300 => Row::ok(Check::LastDelivery, format!("{event} at {at} was taken.")),
        0 => Row::fails(
            Check::LastDelivery,
            format!("{event} at {at} got no answer."),
            "Check that GitHub reaches the URL of the webhook: name, firewall, certificate, proxy.",
        ),
        401 => Row::fails(
            Check::LastDelivery,
            format!("{event} at {at} was refused: its signature fits no secret."),
            "Compare the secret on the App's page with MUSTER_WEBHOOK_SECRET.",
        ),
        _ => Row::fails(
            Check::LastDelivery,
            format!("{event} at {at} was answered with {code}."),
            "Read the log of that moment; 502 and 504 come from the proxy in front.",
        ),
    }
}

/// The name of an event, which is GitHub's word and short.
fn shown(event: &str) -> String {
    event.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::{super::rows::State, *};

    fn registration(permissions: &[(&str, &str)], events: &[&str]) -> Registration {
        let named = permissions.iter().map(|(name, level)| ((*name).to_owned(), (*level).to_owned()));
        Registration {
            slug: "muster".to_owned(),
            html_url: "https://git.agency.example/apps/muster".to_owned(),
            permissions: Granted::from(named.collect::<std::collections::BTreeMap<_, _>>()),
            events: events.iter().map(|event| (*event).to_owned()).collect(),
        }
    }

    #[test]
    fn a_github_that_does_not_answer_leaves_the_rest_unchecked() {
        let rows = unreachable(&Error::Transient("GET /app: GitHub cannot be reached".to_owned()));
        assert_eq!(rows[0].state, State::Fails);
        assert!(rows[0].means.contains("GitHub cannot be reached"), "{}", rows[0].means);
        assert!(rows[1..].iter().all(|row| row.state == State::CouldNotCheck && row.remedy.is_some()));
    }

    #[test]
    fn a_github_that_goes_by_another_name_is_seen() {
        let found = Ok(registration(&[], &[]));
        assert_eq!(connection(&found, "GitHub", None, "https://git.agency.example").len(), 1);
        let rows = connection(&found, "GitHub", Some("proxy:3128"), "https://alias.agency.example");
        assert_eq!(rows[0].means, "GitHub answers through the proxy proxy:3128.");
        assert_eq!(rows[1].state, State::Warning);
        assert!(rows[1].remedy.as_deref().unwrap().contains("https://git.agency.example,"));
        let wrong = connection(&Err(Error::NotFound("GET /app".to_owned())), "GitHub", None, "");
        assert!(wrong[0].remedy.as_deref().unwrap().contains("/api/v3"));
    }

    #[test]
    fn the_clock_warns_at_30_seconds_and_fails_at_5_minutes() {
        let state = |seconds| clock(Some(SignedDuration::from_secs(seconds))).state;
        assert_eq!([0, 29, -30, 299, -300, 90_000].map(state), {
            use State::{Fails, Ok, Warning};
            [Ok, Ok, Warning, Warning, Fails, Fails]
        });
        assert_eq!(clock(None).state, State::CouldNotCheck);
    }

    #[test]
    fn what_the_app_asks_for_too_much_and_does_not_hear_is_named() {
        let all = [
            "check_run",
            "check_suite",
            "issue_comment",
            "issues",
            "public",
            "pull_request",
            "push",
            "repository",
        ];
        let reads = [
            ("checks", "read"),
            ("contents", "read"),
            ("issues", "read"),
            ("metadata", "read"),
            ("pull_requests", "read"),
        ];
        assert_eq!(
            asked(&registration(&reads, &all)).iter().map(|row| row.state).collect::<Vec<_>>(),
            [State::Ok]
        );
        let rows = asked(&registration(&[("administration", "write"), ("contents", "read")], &[]));
        assert!(rows[0].means.contains("administration: write"), "{rows:?}");
        // Only what it may hear of: it has no issues.
        assert!(rows[1].means.contains("subscribe to push:"), "{}", rows[1].means);
    }

    #[test]
    fn a_webhook_is_signed_json_to_here_over_verified_tls() {
        let url = "https://muster.agency.example";
        let good = || Hook { url: format!("{url}/webhook"), json: true, verified: true, signed: true };
        let table = [
            (good(), State::Ok, ""),
            (Hook { url: String::new(), ..good() }, State::Warning, "no webhook"),
            (Hook { signed: false, ..good() }, State::Fails, "no secret"),
            (Hook { json: false, ..good() }, State::Fails, "forms"),
            (Hook { verified: false, ..good() }, State::Fails, "verify"),
            (Hook { url: "https://old.example/webhook".to_owned(), ..good() }, State::Warning, "old.example"),
        ];
        for (config, state, said) in table {
            let row = hook(&config, Some(url));
            assert_eq!((row.state, row.means.contains(said)), (state, true), "{row:?}");
            assert_eq!(row.remedy.is_some(), state != State::Ok);
        }
        assert_eq!(hook(&good(), None).state, State::Ok);
        // Who fetches needs only that GitHub sends at all.
        let unread = Hook { json: false, verified: false, signed: false, ..good() };
        assert_eq!([&unread, &Hook::default()].map(|config| record(config).state), [State::Ok, State::Fails]);
    }

    #[test]
    fn the_last_delivery_says_what_to_look_at() {
        let row = |status_code| {
            let delivered_at = "2026-11-17T15:00:00Z".parse().unwrap();
            let last = Delivered { delivered_at, status_code, event: "push".to_owned() };
            assert_eq!(last_delivery(Some(&last), Way::Poll).state, State::Ok);
            last_delivery(Some(&last), Way::Webhook)
        };
        assert_eq!(row(202).means, "push at 2026-11-17 15:00:00Z was taken.");
        for (code, remedy) in [(0, "firewall"), (401, "secret"), (502, "proxy")] {
            assert_eq!(row(code).state, State::Fails);
            assert!(row(code).remedy.unwrap().contains(remedy), "{code}");
        }
        assert_eq!(last_delivery(None, Way::Webhook).state, State::Warning);
    }
}
