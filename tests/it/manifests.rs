//! The manifests ask for what Muster's calls and events need, and for nothing
//! else; the README gives the reason for each.

use std::{collections::BTreeMap, fs, path::Path};

use muster::github::needs::{EVENTS, Level, MEASURING, Need, OPERATIONS, Permission, READING, ROUTES};
use serde_json::Value;

/// Sent to every App; a manifest cannot list them.
const ALWAYS_SENT: [&str; 3] = ["installation", "installation_repositories", "installation_target"];

/// From the smallest to the largest.
const ALL: [&str; 3] = ["observer.json", "fixer.json", "traffic.json"];

struct Manifest {
    json: Value,
    held: BTreeMap<Permission, Level>,
    events: Vec<String>,
}

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("app-manifest").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn manifest(name: &str) -> Manifest {
    let json: Value = serde_json::from_str(&text(name)).unwrap();
    let held = json["default_permissions"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, level)| {
            let permission = Permission::ALL.into_iter().find(|permission| permission.as_str() == key);
            let level = [Level::Read, Level::Write].into_iter().find(|known| known.as_str() == level);
            (
                permission.unwrap_or_else(|| panic!("{name} asks for {key}, which nothing needs")),
                level.unwrap_or_else(|| panic!("{name} asks for {key} at no known level")),
            )
        })
        .collect();
    let events = json["default_events"].as_array().unwrap();
    let events = events.iter().map(|event| event.as_str().unwrap().to_owned()).collect();
    Manifest { json, held, events }
}

impl Manifest {
    fn covers(&self, needs: &[Need]) -> bool {
        needs.iter().all(|(permission, level)| self.held.get(permission).is_some_and(|held| held >= level))
    }
}

/// Everything Muster calls or is sent, with what it needs.
fn uses() -> Vec<(String, &'static [Need])> {
    let routes = ROUTES.iter().map(|route| (route.to_string(), route.needs));
    let operations = OPERATIONS.iter().map(|(name, needs)| ((*name).to_owned(), *needs));
    let events = EVENTS.iter().map(|(name, needs)| ((*name).to_owned(), *needs));
    routes.chain(operations).chain(events).collect()
}

/// Whether it is about clones and views.
fn measures(needs: &[Need]) -> bool {
    needs.iter().any(|(permission, _)| *permission == Permission::Administration)
}

#[test]
fn the_largest_can_do_everything() {
    let traffic = manifest("traffic.json");
    for (what, needs) in uses() {
        assert!(traffic.covers(needs), "{what} needs more than traffic.json asks for");
    }
    assert!(traffic.covers(MEASURING));
}

#[test]
fn the_fixer_can_do_everything_but_measure() {
    let fixer = manifest("fixer.json");
    for (what, needs) in uses() {
        assert_eq!(fixer.covers(needs), !measures(needs), "{what}");
    }
}

#[test]
fn the_observer_can_do_all_but_change_files_and_measure() {
    let observer = manifest("observer.json");
    assert!(observer.covers(READING));
    for (what, needs) in uses() {
        let changes_files = needs
            .iter()
            .any(|need| matches!(need, (Permission::Contents | Permission::PullRequests, Level::Write)));
        assert_eq!(observer.covers(needs), !changes_files && !measures(needs), "{what}");
    }
}

#[test]
fn nothing_is_asked_for_that_nothing_needs() {
    for name in ALL {
        for (&permission, &level) in &manifest(name).held {
            let used = uses().iter().any(|(_, needs)| needs.contains(&(permission, level)));
            assert!(used, "{name}: {permission:?} {level:?}");
        }
    }
}

#[test]
fn the_events_are_those_that_are_routed() {
    let mut routed: Vec<&str> =
        EVENTS.iter().map(|(name, _)| *name).filter(|name| !ALWAYS_SENT.contains(name)).collect();
    routed.sort_unstable();
    for name in ALL {
        let mut events = manifest(name).events;
        events.sort_unstable();
        assert_eq!(events, routed, "{name}");
    }
}

#[test]
fn the_manifests_are_narrow_and_differ_in_few_permissions() {
    let [observer, fixer, traffic] = ALL.map(manifest);
    for manifest in [&observer, &fixer, &traffic] {
        assert_eq!(manifest.json["public"], false);
        assert_eq!(manifest.json["request_oauth_on_install"], false);
        // GitHub refuses a manifest with a secret in it.
        assert!(manifest.json["hook_attributes"]["secret"].is_null());
    }
    let differ = |one: &Manifest, other: &Manifest| -> Vec<&str> {
        let differs = |permission: &&Permission| one.held.get(permission) != other.held.get(permission);
        Permission::ALL.iter().filter(differs).map(|permission| permission.as_str()).collect()
    };
    assert_eq!(differ(&observer, &fixer), ["contents", "pull_requests"]);
    assert_eq!(differ(&fixer, &traffic), ["administration"]);
    assert_eq!(traffic.held[&Permission::Administration], Level::Read, "never to write");
}

#[test]
fn the_readme_gives_a_reason_for_each() {
    let readme = text("README.md");
    let all = ALL.map(manifest);
    let [_, fixer, traffic] = &all;
    for permission in traffic.held.keys() {
        let levels = all.each_ref().map(|one| one.held.get(permission).map_or("no", |level| level.as_str()));
        let row = format!("| `{}` | {} |", permission.as_str(), levels.join(" | "));
        assert!(readme.contains(&row), "README.md has no row {row}");
    }
    for event in &fixer.events {
        let needs = EVENTS.iter().find(|(name, _)| name == event).unwrap().1;
        let row = format!("| `{event}` | {} |", muster::github::needs::shown(needs));
        assert!(readme.contains(&row), "README.md has no row {row}");
    }
}
