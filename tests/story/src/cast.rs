//! The organization of the story: its people, its repositories, each with a
//! defect of its own, and its policy.

use anyhow::{Context as _, Result};
use github_sandbox::{Builder, NewRepository, Role, installation, org, repository};
use jiff::Timestamp;

/// The organization.
pub const AGENCY: &str = "agency";

/// The policy that is merged in the story. Its limits are small, so that a
/// dozen repositories show them.
pub const POLICY: &str = "\
agency: {name: Agency of Rivers and Mountains}
mode: fix
extends: [federal]
repositories: {exclude: [\".github\"]}
limits: {first_day: 3, per_day: 10}
quiet: {timezone: America/New_York, days: [mon, tue, wed, thu], hours: \"09:00-16:00\"}
";

const CONTRIBUTING: &str = "# Contributing\n\nSend a pull request; we answer within a week.\n";

/// A page of an agency that dedicates its work: GitHub's own detection calls
/// such a page \"other\".
const DEDICATION: &str = "\
# License

As a work of the United States Government, this project is in the public
domain within the United States.

Additionally, we waive copyright and related rights in the work worldwide
through the CC0 1.0 Universal public domain dedication.
";

/// What an agency puts before the license of what its contractor wrote.
const PREAMBLE: &str = "\
Portions of this software were written by employees of the United States
Government and are not subject to copyright protection in the United States
(17 U.S.C. 105). All other portions are licensed as follows.

";

/// What git stores where Git LFS keeps the file.
const LFS_POINTER: &str = "\
version https://git-lfs.github.com/spec/v1
oid sha256:9c0e9a2f6a4a3a52f0cb1e8f5d0a7c1f4f6e8b0d3c5a7e9f1b2d4c6e8a0f2c4e
size 11357
";

/// The words of a README: enough for the rule.
pub fn readme(name: &str) -> String {
    format!(
        "# {name}\n\nThis program reads what the stations in the field have measured, keeps what is \
         plausible, and shows it on a map, so that people who plan their day outdoors, and those who \
         look after them, know what to expect in the next few hours.\n"
    )
}

/// The text of a license.
///
/// # Errors
/// If there is no license of that SPDX id.
pub fn license(id: &str) -> Result<&'static str> {
    Ok(spdx::license_id(id).with_context(|| format!("{id} is no SPDX license id"))?.text())
}

/// A repository that is years old and has a README.
fn old(name: &str) -> NewRepository {
    bare(name).file("README.md", readme(name))
}

fn bare(name: &str) -> NewRepository {
    let years_ago: Timestamp = "2019-04-02T15:00:00Z".parse().expect("a timestamp in ISO 8601");
    repository(name).created_at(years_ago).description("What the stations in the field measure")
}

/// Every repository of the organization: what is particular about it, for the
/// reader, and the repository.
///
/// # Errors
/// If a license text is missing.
pub fn repositories() -> Result<Vec<(&'static str, NewRepository)>> {
    let (cc0, mit, apache) = (license("CC0-1.0")?, license("MIT")?, license("Apache-2.0")?);
    let complete = |name| old(name).file("LICENSE", cc0).file("CONTRIBUTING.md", CONTRIBUTING);
    let manifest = "{\"name\": \"web-forms\", \"version\": \"1.0.0\", \"license\": \"MIT\"}\n";
    Ok(vec![
        ("holds the policy; excluded by it", old(".github").file("LICENSE", cc0)),
        ("has no license", old("river-gauges").file("CONTRIBUTING.md", CONTRIBUTING)),
        ("has no README", bare("soil-maps").file("LICENSE", mit).file("docs/CONTRIBUTING.md", CONTRIBUTING)),
        ("has no CONTRIBUTING", old("bird-counts").file("LICENSE", cc0)),
        ("has no CONTRIBUTING either", old("dam-safety").file("LICENSE", mit)),
        (
            "has neither README, license nor CONTRIBUTING",
            bare("lidar-tools").file("src/main.c", "int main;\n"),
        ),
        (
            "names its license in package.json only",
            old("web-forms").file("package.json", manifest).file("CONTRIBUTING.md", CONTRIBUTING),
        ),
        (
            "is dedicated with CC0 by a page GitHub calls \"other\"",
            old("air-quality")
                .file("LICENSE.md", DEDICATION)
                .file("CONTRIBUTING.md", CONTRIBUTING)
                .license("NOASSERTION"),
        ),
        (
            "has Apache-2.0 after a federal preamble",
            old("fire-weather")
                .file("LICENSE", format!("{PREAMBLE}{apache}"))
                .file("CONTRIBUTING.md", CONTRIBUTING)
                .license("NOASSERTION"),
        ),
        (
            "has an empty README",
            bare("tide-tables")
                .file("README.md", "")
                .file("LICENSE", mit)
                .file("CONTRIBUTING.md", CONTRIBUTING),
        ),
        (
            "has a README in French only",
            bare("parc-national")
                .file("README.fr.md", FRENCH)
                .file("LICENSE", cc0)
                .file("CONTRIBUTING.md", CONTRIBUTING),
        ),
        (
            "has a LICENSE that is a symbolic link",
            old("satellite-tiles")
                .symlink("LICENSE", "legal/LICENSE.txt")
                .file("legal/LICENSE.txt", mit)
                .file("CONTRIBUTING.md", CONTRIBUTING),
        ),
        (
            "has a LICENSE kept in Git LFS",
            old("seismic-waves").file("LICENSE", LFS_POINTER).file("CONTRIBUTING.md", CONTRIBUTING),
        ),
        (
            "has its code on a branch with a slash, no CONTRIBUTING",
            old("trail-finder").file("LICENSE", cc0).default_branch("release/2026"),
        ),
        (
            "has no license, and issues are disabled",
            old("fish-survey").file("CONTRIBUTING.md", CONTRIBUTING).without_issues(),
        ),
        ("has no CONTRIBUTING, but somebody is about to add it", old("water-permits").file("LICENSE", cc0)),
        ("is private, without a license", old("incident-notes").private()),
        ("is archived", bare("old-portal").archived()),
        ("is a fork", repository("map-library").fork_of("open-maps/map-library")),
        ("is empty", bare("next-idea").empty()),
        ("lacks nothing", complete("park-alerts")),
    ])
}

const FRENCH: &str = "\
# Parc national

Ce programme lit les mesures des stations du parc, garde celles qui sont
plausibles et les montre sur une carte, pour que les visiteurs et les gardes
sachent chaque matin quel temps les attend sur les sentiers et quels passages
sont ouverts ou fermes.
";

/// The repository that is made while the story runs: it has no CONTRIBUTING.
///
/// # Errors
/// If a license text is missing.
pub fn newcomer() -> Result<NewRepository> {
    let description = "How dry the soil is";
    let new = repository("drought-index").description(description);
    Ok(new.file("README.md", readme("drought-index")).file("LICENSE", license("CC0-1.0")?))
}

/// Adds everybody and everything to the GitHub of the story, with the App
/// installed on the whole organization.
///
/// # Errors
/// If a license text is missing.
pub fn assemble(builder: Builder) -> Result<Builder> {
    // Somebody else's organization, from which one repository is forked.
    let upstream = org("open-maps").owner("omar").repository(
        repository("map-library").file("README.md", readme("map-library")).file("LICENSE", license("MIT")?),
    );
    let mut agency = org(AGENCY)
        .owner("olivia")
        .member("alice")
        .member("bob")
        .member("carol")
        .base_role(Some(Role::Write));
    for (_, repository) in repositories()? {
        agency = agency.repository(repository);
    }
    Ok(builder.organization(upstream).organization(agency).user("dana").installation(installation(AGENCY)))
}
