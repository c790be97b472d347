//! The GitHubs of the stories, before anything has happened on them.

use std::sync::Arc;

use github_sandbox::{
    BranchRule, Builder, Level, NewOrganization, NewRepository, Permission, app, installation, org,
};
use muster::clock::Clock;

use super::{MINUTE, MORNING};
use crate::harness::{README, agency, complete, old};

const FIX: &str = "mode: fix\nrepositories: {exclude: [\".github\"]}\n";

pub(super) fn cc0() -> &'static str {
    spdx::license_id("CC0-1.0").unwrap().text()
}

fn one(organization: NewOrganization, builder: Builder) -> Builder {
    builder.organization(organization).installation(installation("agency"))
}

pub(super) fn bare_site(builder: Builder, _: &Clock) -> Builder {
    one(agency(FIX).repository(old("site").file("src/main.rs", "fn main() {}\n")), builder)
}

pub(super) fn two_sites(builder: Builder, _: &Clock) -> Builder {
    let site = old("site").file("src/main.rs", "fn main() {}\n");
    one(agency(FIX).repository(site).repository(complete("fine")), builder)
}

pub(super) fn complete_site(builder: Builder, _: &Clock) -> Builder {
    one(agency(FIX).repository(complete("site")), builder)
}

pub(super) fn site_with_readme(builder: Builder, _: &Clock) -> Builder {
    one(agency(FIX).repository(old("site").file("README.md", README)), builder)
}

pub(super) fn licensed_site(builder: Builder, _: &Clock) -> Builder {
    one(agency(FIX).repository(old("site").file("README.md", README).file("LICENSE", cc0())), builder)
}

pub(super) fn site_without_license(builder: Builder, _: &Clock) -> Builder {
    let policy = format!("{FIX}rules:\n  license: {{propose: CC0-1.0, reviewers: ospo}}\n");
    let site = old("site").file("README.md", README).file("CONTRIBUTING.md", "Write to us.\n");
    one(agency(&policy).repository(site), builder)
}

pub(super) fn private_site(builder: Builder, _: &Clock) -> Builder {
    let policy = format!("{FIX}issue: {{from: recommended}}\n");
    one(agency(&policy).free().repository(old("site").private().file("LICENSE", cc0())), builder)
}

/// Texts that are asked for by name of their object, and one that only comes
/// as bytes.
pub(super) fn odd_names(builder: Builder, _: &Clock) -> Builder {
    let utf16: Vec<u8> =
        "\u{feff}".encode_utf16().chain(cc0().encode_utf16()).flat_map(u16::to_le_bytes).collect();
    one(agency(FIX).repository(old("site").file("README.adoc", README).file("COPYING", utf16)), builder)
}

/// What it lacks can be written without asking anybody.
fn describable() -> NewRepository {
    old("site").description("Counts birds.").file("LICENSE", cc0())
}

pub(super) fn described_site(builder: Builder, _: &Clock) -> Builder {
    one(agency(FIX).repository(describable()), builder)
}

/// Its README needs a person's words, so the pull request is a draft.
pub(super) fn licensed_bare_site(builder: Builder, _: &Clock) -> Builder {
    one(agency(FIX).repository(old("site").file("LICENSE", cc0())), builder)
}

pub(super) fn unforced_site(builder: Builder, _: &Clock) -> Builder {
    let site = describable().ruleset(["muster/**"], [BranchRule::NonFastForward]);
    one(agency(FIX).repository(site), builder)
}

pub(super) fn ruled_site(builder: Builder, _: &Clock) -> Builder {
    let site = old("site").file("README.md", README).file("LICENSE", cc0());
    one(agency(FIX).repository(site.ruleset(["muster/**"], [BranchRule::Creation])), builder)
}

/// Our clock is ten minutes slow until it is put right.
pub(super) fn ahead_of_us(builder: Builder, clock: &Clock) -> Builder {
    let right = MORNING.parse::<jiff::Timestamp>().unwrap() + 10 * MINUTE;
    let ours = clock.clone();
    licensed_site(builder.clock(Arc::new(move || ours.now().max(right))), clock)
}

pub(super) fn two_accounts(builder: Builder, _: &Clock) -> Builder {
    one(agency(FIX).repository(complete("fine")), builder)
        .organization(org("elsewhere").owner("olivia"))
        .user("carol")
        .user_repository("carol", old("notes"))
        .installation(installation("carol"))
}

/// Its code.json is missing, and all but one field of it is known.
pub(super) fn site_without_code_json(builder: Builder, _: &Clock) -> Builder {
    let policy = format!(
        "{FIX}agency: {{acronym: XA, name: Agency, contact: {{name: Office, email: office@agency.example.gov}}}}\n\
        rules: {{code-json: {{file: required}}}}\n\
        inventory: {{defaults: {{status: Beta, maintenance: internal, labor_hours: 0, contract_number: []}}}}\n"
    );
    one(agency(&policy).repository(complete("site").description("Counts birds.")), builder)
}

/// An agency with a repository for its inventory, and one for its decisions.
pub(super) fn with_inventory(builder: Builder, clock: &Clock) -> Builder {
    kept_by("pull-request", builder, clock)
}

/// The same, and the inventory comes there by commits.
pub(super) fn with_commits(builder: Builder, clock: &Clock) -> Builder {
    kept_by("commit", builder, clock)
}

fn kept_by(by: &str, builder: Builder, _: &Clock) -> Builder {
    let policy = "repositories: {exclude: [\".github\"]}\n\
        agency: {acronym: XA, name: Agency, contact: {name: Office, email: office@agency.example.gov}}\n\
        inventory:\n  repository: agency/inventory\n  by: BY\n  import: records/outside.json\n  defaults: {status: Beta, maintenance: internal, \
        labor_hours: 0, contract_number: []}\n";
    let wish = "inventory: {agency: XA}\n";
    let organization = agency(&policy.replace("BY", by))
        .repository(complete("site").description("Counts birds."))
        .repository(complete("inventory").file(".github/muster.yml", wish))
        .repository(
            old(".github-private")
                .private()
                .file("README.md", README)
                .file("records/outside.json", outside("Rain")),
        );
    one(organization, builder)
}

/// An inventory from elsewhere, of one entry.
pub(super) fn outside(name: &str) -> String {
    format!(
        r#"[{{"name": "{name}", "path_with_namespace": "office/rain", "web_url": "https://git.example.gov/office/rain",
            "description": "Counts drops.", "visibility": "public", "license": {{"key": "mit"}}, "topics": ["rain"]}}]"#
    )
}

/// An agency that has opted into clones and views.
pub(super) fn with_traffic(builder: Builder, clock: &Clock) -> Builder {
    let permissions = [
        (Permission::Metadata, Level::Read),
        (Permission::Contents, Level::Write),
        (Permission::Issues, Level::Write),
        (Permission::PullRequests, Level::Write),
        (Permission::Checks, Level::Write),
        (Permission::Administration, Level::Read),
    ];
    two_sites(builder.app(app("muster").permissions(permissions)), clock)
}

/// An agency that wants labor hours estimated.
pub(super) fn with_code(builder: Builder, _: &Clock) -> Builder {
    let policy = "repositories: {exclude: [\".github\"]}\ninventory: {labor_hours: cocomo-ii}\n";
    let site = complete("site").file("src/main.rs", "fn main() {}\nfn more() {}\n");
    one(agency(policy).repository(site), builder)
}
