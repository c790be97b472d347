//! The pages for people keep up with the program: links lead somewhere,
//! settings and policy keys are told, examples are valid.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use muster::{
    config::SETTINGS,
    domain::policy::{Policy, Wish},
};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// The Markdown files of the root and of every folder that people read.
fn pages() -> Vec<PathBuf> {
    let folders = ["", "app-manifest", "deploy", "docs"];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(root().join(folder)).expect("a folder"));
    let files = entries.map(|entry| entry.expect("an entry").path());
    let pages: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    assert!(pages.len() >= 9, "only {} pages were found", pages.len());
    pages
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                anchors.extend(heading.take().map(|heading| anchor(&heading)));
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&words);
                }
            }
            _ => {}
        }
    }
    anchors
}

fn links(text: &str) -> Vec<String> {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES);
    events
        .filter_map(|event| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                Some(dest_url.into_string())
            }
            _ => None,
        })
        .collect()
}

/// The code blocks of a page whose language is `yaml`: what else its fence
/// says, and the text.
fn examples(page: &str) -> Vec<(String, String)> {
    let text = read(page);
    let mut examples = Vec::new();
    let mut open: Option<(String, String)> = None;
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(fence))) => {
                open = fence.strip_prefix("yaml").map(|rest| (rest.trim().to_owned(), String::new()));
            }
            Event::End(TagEnd::CodeBlock) => examples.extend(open.take()),
            Event::Text(words) => {
                if let Some((_, code)) = &mut open {
                    code.push_str(&words);
                }
            }
            _ => {}
        }
    }
    examples
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading_that_exist() {
    let mut problems = Vec::new();
    let mut relative = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a text");
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            relative += 1;
            let (path, heading) = link.split_once('#').unwrap_or((&link, ""));
            let folder = page.parent().expect("a page is in a folder");
            let target = if path.is_empty() { page.clone() } else { folder.join(path) };
            let found = if heading.is_empty() {
                target.exists()
            } else {
                fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(heading))
            };
            if !found {
                problems.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(relative > 30, "only {relative} relative links were found");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_setting_has_its_row() {
    let page = read("docs/operate.md");
    let missing: Vec<&str> = SETTINGS
        .iter()
        .map(|setting| setting.name)
        .filter(|name| !page.contains(&format!("\n| `{name}` |")))
        .collect();
    assert_eq!(missing, Vec::<&str>::new(), "settings without a row in docs/operate.md");
}

#[test]
fn every_example_of_a_policy_is_valid_and_says_something() {
    let mut repositories = 0;
    let examples: Vec<_> =
        ["docs/policy.md", "docs/pull-request-from-this-bot.md"].into_iter().flat_map(examples).collect();
    assert!(examples.len() >= 10, "only {} examples were found", examples.len());
    for (fence, text) in examples {
        if text.starts_with("# repository\n") {
            repositories += 1;
            let wish = Wish::parse(&text).unwrap_or_else(|problems| panic!("{problems:?} in\n{text}"));
            assert_ne!(wish, Wish::default(), "{text}");
            let strict = Policy::parse("mode: fix").unwrap();
            strict.for_repository(&wish).unwrap_or_else(|problems| panic!("{problems:?} in\n{text}"));
        } else {
            let policy = Policy::parse(&text).unwrap_or_else(|problems| panic!("{problems:?} in\n{text}"));
            assert_eq!(policy == Policy::default(), fence == "defaults", "{text}");
        }
    }
    assert_eq!(repositories, 2);
}

#[test]
fn the_defaults_are_told_in_full() {
    let told = examples("docs/policy.md").into_iter().find(|(fence, _)| fence == "defaults");
    let (_, told) = told.expect("an example with all defaults");
    let defaults = serde_json::to_value(Policy::default()).unwrap();
    let mut missing = BTreeSet::new();
    // An agency has no defaults.
    keys(&defaults, &mut |key| {
        if key != "agency" && !["contact", "policy", "acquisition", "access"].contains(&key) {
            let line = format!("{key}:");
            if !told.lines().any(|told| told.trim_start().starts_with(&line)) {
                missing.insert(key.to_owned());
            }
        }
    });
    assert_eq!(missing, BTreeSet::new(), "keys of the default policy that docs/policy.md does not show");
}

#[test]
fn every_key_of_the_policy_is_explained() {
    let page = read("docs/policy.md");
    let mut missing = BTreeSet::new();
    let schema = serde_json::to_value(Policy::schema()).unwrap();
    properties(&schema, &mut |key| {
        // In backticks, alone or after its section; or in an example.
        let told = [format!("`{key}`"), format!(".{key}`"), format!("{key}:")];
        if !told.iter().any(|told| page.contains(told)) {
            missing.insert(key.to_owned());
        }
    });
    assert_eq!(missing, BTreeSet::new(), "keys that docs/policy.md does not explain");
}

fn keys(value: &serde_json::Value, found: &mut impl FnMut(&str)) {
    for (key, value) in value.as_object().into_iter().flatten() {
        found(key);
        keys(value, found);
    }
}

/// The names of properties anywhere in a JSON Schema.
fn properties(schema: &serde_json::Value, found: &mut impl FnMut(&str)) {
    match schema {
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                if let ("properties", Some(properties)) = (name.as_str(), value.as_object()) {
                    properties.keys().for_each(|key| found(key));
                }
                properties(value, found);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| properties(item, found)),
        _ => {}
    }
}
