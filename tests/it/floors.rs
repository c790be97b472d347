//! The floors of the house hold: a room imports only from below its own floor,
//! only `github` names octocrab, only `store` names sqlx, and the domain knows
//! neither files nor network nor clock.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Every room of `src/`, from the ground up. Rooms of one floor do not import
/// each other, except those of the top floor and the clock, which everybody
/// above the domain may be handed.
const FLOORS: [&[&str]; 5] = [
    &["domain"],
    &["clock", "metrics", "traces"],
    &["checkout", "github", "store"],
    &["jobs"],
    &["app", "cli", "config", "logs", "web"],
];
const TOP: usize = FLOORS.len() - 1;

/// Words with which a room reaches the world; none belongs in the domain.
const WORLDLY: [&str; 9] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "tokio",
    "Timestamp::now",
    "SystemTime",
    "Instant::now",
];

#[test]
fn rooms_import_only_from_below() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    read_sources(&root, &mut files);
    assert!(files.len() > 5, "only {} source files found below {}", files.len(), root.display());
    let mut problems = Vec::new();
    for (path, text) in &files {
        let inside = path.strip_prefix(&root).unwrap();
        // The two that wire: the list of rooms and the program.
        if ["lib.rs", "main.rs"].iter().any(|name| inside == Path::new(name)) {
            continue;
        }
        problems.extend(breaches(inside, text));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The library below the ground floor: it knows neither the world nor us.
#[test]
fn the_library_knows_neither_the_world_nor_muster() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("code-json/src");
    let mut files = BTreeMap::new();
    read_sources(&root, &mut files);
    assert!(files.len() > 20, "only {} source files found below {}", files.len(), root.display());
    let mut problems = Vec::new();
    for (path, text) in &files {
        let code = without_comments_and_tests(text);
        let said = WORLDLY.iter().filter(|word| code.contains(**word));
        problems.extend(said.map(|word| format!("{} says {word}", path.display())));
        if words(&code).any(|word| word == "muster") {
            problems.push(format!("{} names muster", path.display()));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn breaches_are_seen() {
    for (path, text, expected) in [
        ("store/queue.rs", "use crate::jobs::route;", "imports jobs"),
        ("store.rs", "use crate::{\n    domain::policy,\n    github::Reader,\n};", "imports github"),
        ("github/read.rs", "fn f() { crate::store::open() }", "imports store"),
        ("domain/plan.rs", "use super::super::github::X;", "imports github"),
        ("domain.rs", "use super::clock::Clock;", "imports clock"),
        ("jobs/worker.rs", "use crate::web::Server;", "imports web"),
        ("jobs/worker.rs", "let row: sqlx::Row;", "names sqlx"),
        ("cli/scan.rs", "octocrab::instance()", "names octocrab"),
        ("domain/calendar.rs", "let now = jiff::Timestamp::now();", "says Timestamp::now"),
        ("domain/policy.rs", "std::fs::read(path)", "says std::fs"),
        ("attic.rs", "fn f() {}", "is on no floor"),
    ] {
        let found = breaches(Path::new(path), text);
        assert!(found.iter().any(|breach| breach.contains(expected)), "{path}: {text:?} gave {found:?}");
    }
    for (path, text) in [
        ("jobs/route.rs", "use crate::{domain::repository::{Head, Login}, github::webhook, store::NewJob};"),
        (
            "github/read.rs",
            "//! Unlike crate::store and octocrab\nuse super::store_of_nothing; use octocrab::Octocrab;",
        ),
        ("domain/rules/license.rs", "use crate::domain::finding;\n#[cfg(test)]\nmod tests { use std::fs; }"),
        ("web/health.rs", "use crate::{app::App, clock::Clock, jobs, store};"),
    ] {
        assert_eq!(breaches(Path::new(path), text), Vec::<String>::new(), "{path}");
    }
}

fn read_sources(folder: &Path, files: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            files.insert(path.clone(), fs::read_to_string(&path).unwrap());
        }
    }
}

/// What a source file does that its floor does not allow. `path` is from `src/`.
fn breaches(path: &Path, text: &str) -> Vec<String> {
    let parts: Vec<String> = path
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let (room, shown) = (parts[0].as_str(), path.display());
    let Some(own) = floor(room) else {
        return vec![format!("{shown} is on no floor: name {room} in FLOORS")];
    };
    let code = without_comments_and_tests(text);
    let mut found = Vec::new();
    for other in imported_rooms(&code, parts.len()) {
        let Some(theirs) = floor(&other) else { continue };
        if other != room && (theirs > own || (theirs == own && own != TOP)) {
            found.push(format!("{shown} imports {other}, which is not below {room}"));
        }
    }
    for (word, home) in [("octocrab", "github"), ("sqlx", "store")] {
        if room != home && words(&code).any(|found| found == word) {
            found.push(format!("{shown} names {word}, which is {home}'s alone"));
        }
    }
    if room == "domain" {
        for word in WORLDLY.iter().filter(|word| code.contains(**word)) {
            found.push(format!("{shown} says {word}: the domain is values and pure functions"));
        }
    }
    found
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// The code without `//` comments and without the test module, which by custom
/// ends a file.
fn without_comments_and_tests(text: &str) -> String {
    let code = match text.find("#[cfg(test)]\nmod ") {
        Some(start) => &text[..start],
        None => text,
    };
    code.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// The rooms that `crate::…` paths name, and `super::…` paths that climb out of
/// a module `depth` deep.
fn imported_rooms(code: &str, depth: usize) -> Vec<String> {
    let code: String = code.split_whitespace().collect::<Vec<_>>().join(" ").replace(":: ", "::");
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        rooms.extend(heads(&code[at + "crate::".len()..]));
    }
    for (at, _) in code.match_indices("super::") {
        if code[..at].ends_with("super::") {
            continue;
        }
        let mut rest = &code[at..];
        let mut climbs = 0;
        while let Some(further) = rest.strip_prefix("super::") {
            rest = further;
            climbs += 1;
        }
        if climbs >= depth {
            rooms.extend(heads(rest));
        }
    }
    rooms
}

/// The first name of each path at the start of `rest`: one, or a list in braces.
fn heads(rest: &str) -> Vec<String> {
    let name =
        |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let Some(list) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let mut found = Vec::new();
    let mut nested = 0;
    let mut start = 0;
    for (at, character) in list.char_indices() {
        match character {
            '{' => nested += 1,
            '}' if nested == 0 => {
                found.push(name(list[start..at].trim_start()));
                break;
            }
            '}' => nested -= 1,
            ',' if nested == 0 => {
                found.push(name(list[start..at].trim_start()));
                start = at + 1;
            }
            _ => {}
        }
    }
    found
}
