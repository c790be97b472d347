//! `muster validate`, `repair` and `schema` as a person or a script runs them,
//! without any settings.

use std::{
    fs,
    io::Write,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

fn muster(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(args)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A record by gov-2.0.0 with two slips that have one answer each.
const SLIPS: &str = r#"{
  "name": "badge-reader",
  "description": "Reads the badges at the doors of agency buildings.",
  "status": "production",
  "permissions": {
    "licenses": [{"name": "CC0-1.0", "URL": "https://spdx.org/licenses/CC0-1.0.html"}],
    "usageType": "openSource"
  },
  "organization": "Office of Doors",
  "repositoryURL": "https://github.com/example-agency/badge-reader",
  "repositoryVisibility": "public",
  "vcs": "git",
  "laborHours": 1.20e3,
  "reuseFrequency": {"forks": 2},
  "languages": ["Rust"],
  "maintenance": "internal",
  "contractNumber": [],
  "SBOM": "None",
  "date": {},
  "tags": ["badge"],
  "contact": {"email": "code@agency.example", "name": "Code office"},
  "feedbackMechanism": "https://github.com/example-agency/badge-reader/issues",
  "AIUseCaseID": "0"
}
"#;

#[test]
fn a_file_is_judged_shown_repaired_and_good() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("code.json");
    fs::write(&file, SLIPS).unwrap();
    let judged = muster(folder.path(), &["validate", "code.json"]);
    assert_eq!((code(&judged), err(&judged).as_str()), (1, ""));
    for expected in [
        "error[usage-type-list]: usageType is a list in this schema",
        "code.json:7:18",
        "Write [\"openSource\"]. (repair does it)",
        "code.json (gov-2.0.0, 1 record): 2 errors; repair mends 2",
    ] {
        assert!(out(&judged).contains(expected), "{expected}: {}", out(&judged));
    }
    let shown = muster(folder.path(), &["repair", "code.json"]);
    assert_eq!(code(&shown), 1);
    assert!(
        out(&shown).contains("-    \"usageType\": \"openSource\"\n+    \"usageType\": [\"openSource\"]\n"),
        "{}",
        out(&shown)
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), SLIPS, "nothing is written without --write");
    let written = muster(folder.path(), &["repair", "code.json", "--write"]);
    assert_eq!(code(&written), 0, "{}", err(&written));
    let expected = SLIPS.replace("\"openSource\"", "[\"openSource\"]").replace("production", "Production");
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    assert_eq!(code(&muster(folder.path(), &["validate", "code.json", "--strict"])), 0);
    assert_eq!(code(&muster(folder.path(), &["repair", "code.json"])), 0);
}

#[test]
fn every_format_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("code.json"), SLIPS).unwrap();
    let json = muster(folder.path(), &["validate", "code.json", "--format", "json"]);
    let document: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(
        (code(&json), document["schema"].as_str(), document["valid"].as_bool()),
        (1, Some("validate-1"), Some(false))
    );
    let problem = &document["files"][0]["problems"][1];
    assert_eq!(
        (problem["check"].as_str(), problem["pointer"].as_str()),
        (Some("usage-type-list"), Some("/permissions/usageType"))
    );
    assert_eq!((problem["line"].as_u64(), problem["column"].as_u64()), (Some(7), Some(18)));
    let github = muster(folder.path(), &["validate", "code.json", "--format", "github"]);
    assert!(
        out(&github).contains("::error file=code.json,line=7,col=18,title=usage-type-list::"),
        "{}",
        out(&github)
    );
    let sarif = muster(folder.path(), &["validate", "code.json", "--format", "sarif"]);
    let document: Value = serde_json::from_slice(&sarif.stdout).unwrap();
    assert_eq!(document["version"], "2.1.0");
    assert_eq!(document["runs"][0]["results"].as_array().unwrap().len(), 2);
}

#[test]
fn a_folder_is_walked_without_leaving_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("tree");
    let outside = folder.path().join("outside.json");
    fs::create_dir_all(root.join("a/b")).unwrap();
    fs::create_dir_all(root.join(".git")).unwrap();
    fs::write(&outside, "{\"secret\": \"canary\"}").unwrap();
    fs::write(root.join(".git/code.json"), "{").unwrap();
    fs::write(root.join("a/b/code.json"), SLIPS).unwrap();
    fs::write(root.join("package.json"), "{}").unwrap();
    symlink(&outside, root.join("a/code.json")).unwrap();
    symlink(folder.path(), root.join("up")).unwrap();
    assert!(Command::new("mkfifo").arg(root.join("code.json")).status().unwrap().success());
    let judged = muster(&root, &["validate", ".", "--format", "json"]);
    let document: Value = serde_json::from_slice(&judged.stdout).unwrap();
    assert_eq!(code(&judged), 1);
    let files: Vec<_> =
        document["files"].as_array().unwrap().iter().map(|file| file["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["a/b/code.json"]);
    let unread = document["unread"].as_array().unwrap();
    assert_eq!(unread.len(), 2, "{unread:?}");
    assert!(!out(&judged).contains("canary") && !err(&judged).contains("canary"));
}

#[test]
fn ten_thousand_files_are_judged() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..10_000 {
        fs::write(folder.path().join(format!("{number}.json")), "{\"name\": 1}").unwrap();
    }
    let judged = muster(folder.path(), &["validate", ".", "--all", "--format", "json"]);
    let document: Value = serde_json::from_slice(&judged.stdout).unwrap();
    assert_eq!((code(&judged), document["files"].as_array().unwrap().len()), (1, 10_000));
}

#[test]
fn exit_code_2_is_for_nothing_said() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cut.json"), "{\"name\": ").unwrap();
    fs::write(folder.path().join("deep.json"), "[".repeat(200_000)).unwrap();
    fs::write(folder.path().join("large.json"), vec![b' '; 50 * 1024 * 1024]).unwrap();
    fs::write(folder.path().join("profile.json"), r##"{"$ref": "#"}"##).unwrap();
    for (args, expected, said) in [
        (&["validate", "cut.json"][..], 1, "the file ends too early"),
        (&["validate", "deep.json"], 1, "brackets are nested more than 64 deep"),
        (&["validate", "large.json"], 1, "larger than 32 MiB"),
        (&["validate", "none.json"], 2, "not read"),
        (&["validate", "none.json", "cut.json"], 1, "the file ends too early"),
        (&["validate", "cut.json", "--schema", "gov-3"], 2, "is none of auto"),
        (&["validate", "cut.json", "--schema", "profile.json"], 2, "leads back"),
        (&["repair", "cut.json"], 1, "never closed"),
        (&["repair", "none.json"], 2, "not read"),
        (&["validate"], 2, "required"),
    ] {
        let output = muster(folder.path(), args);
        let all = out(&output) + &err(&output);
        assert_eq!(code(&output), expected, "{args:?}: {all}");
        assert!(all.contains(said), "{args:?}: {all}");
    }
}

#[test]
fn a_command_that_waits_for_input_can_be_interrupted() {
    for args in [&["validate", "-"][..], &["repair", "-"], &["convert", "-", "--to", "gov-2.0.0"]] {
        let mut waiting = Command::new(env!("CARGO_BIN_EXE_muster"))
            .args(args)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // More than a pipe holds: once all is written, it has begun to read.
        waiting.stdin.as_mut().unwrap().write_all(&[b' '; 256 * 1024]).unwrap();
        let id = rustix::process::Pid::from_child(&waiting);
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
        assert!(!waiting.wait().unwrap().success(), "{args:?}");
    }
}

#[test]
fn schemas_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    let names = out(&muster(folder.path(), &["schema"]));
    for name in names.lines() {
        let printed = muster(folder.path(), &["schema", name]);
        let schema: Value = serde_json::from_slice(&printed.stdout).unwrap();
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
    }
    assert_eq!(names.lines().count(), 13);
}
