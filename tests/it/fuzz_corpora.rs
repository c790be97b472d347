//! The corpora of the fuzzer, each entry through the very function that is
//! fuzzed (`fuzz/entries.rs`), on stable Rust.

#[path = "../../fuzz/entries.rs"]
mod entries;

use std::{fs, path::Path};

/// A corpus by name, and what is done with its entries.
type Target = (&'static str, fn(&[u8]));

/// The most that all corpora may take, in bytes.
const MOST: usize = 400 * 1024;

#[test]
fn every_entry_of_the_corpora_is_read_as_promised() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let targets: [Target; 4] = [
        ("payload", entries::payload),
        ("policy", entries::policy),
        ("marker", entries::marker),
        ("code_json", entries::code_json),
    ];
    let mut bytes = 0;
    for (target, run) in targets {
        let mut files: Vec<_> =
            fs::read_dir(folder.join(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 20, "{target} has only {} entries", files.len());
        for file in files {
            let data = fs::read(&file).unwrap();
            bytes += data.len();
            let run = std::panic::catch_unwind(|| run(&data));
            assert!(run.is_ok(), "{}", file.display());
        }
    }
    assert!(bytes < MOST, "the corpora take {bytes} bytes: make them smaller");
}

/// Every target of the fuzzer is one of those that are replayed.
#[test]
fn no_target_is_left_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("targets"), ["code_json", "marker", "payload", "policy"]);
    assert_eq!(names("corpus"), names("targets"));
}
