//! Hostile checkouts: the judge says what it could not read, touches nothing
//! outside, and ends (threats O4, I12, and the limits of §4).

use std::{
    fs,
    io::Write,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
    time::Duration,
};

use muster::{
    checkout,
    domain::{
        finding::{Gap, Outcome, Report, RuleId},
        policy::Policy,
        repository::{EntryKind, FileText, Inherited, Listing},
        rules,
    },
};

const CANARY: &str = "canary-4711";

fn judge_by(policy: &Policy, root: &Path) -> Report {
    let snapshot = checkout::snapshot(root, rules::policy_paths(policy), Inherited::None).unwrap();
    let texts = format!("{:?}", snapshot.files.texts);
    assert!(!texts.contains(CANARY), "something outside was read: {texts}");
    rules::evaluate(policy, &snapshot, "2026-11-22T00:00:00Z".parse().unwrap())
}

fn judge(root: &Path) -> Report {
    judge_by(&Policy::default(), root)
}

#[track_caller]
fn unknown(report: &Report, rule: RuleId, saying: &str) {
    match report.outcome(rule) {
        Some(Outcome::Unknown { reason }) if reason.contains(saying) => {}
        other => panic!("{rule} should be unknown and say {saying:?}: {other:?}"),
    }
}

fn fifo(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
}

#[test]
fn links_are_named_and_never_followed() {
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret");
    fs::write(&secret, CANARY).unwrap();
    fs::write(outside.path().join("CONTRIBUTING.md"), CANARY).unwrap();
    let root = tempfile::tempdir().unwrap();
    symlink(&secret, root.path().join("LICENSE")).unwrap();
    symlink("/dev/zero", root.path().join("README.md")).unwrap();
    symlink("/proc/self/environ", root.path().join("code.json")).unwrap();
    // A folder that is a link is none.
    symlink(outside.path(), root.path().join("docs")).unwrap();
    symlink(outside.path(), root.path().join(".github")).unwrap();
    let report = judge(root.path());
    unknown(&report, RuleId::License, "LICENSE is a link");
    unknown(&report, RuleId::Readme, "README.md is a link");
    unknown(&report, RuleId::CodeJson, "code.json is a link");
    let Some(Outcome::Fail(finding)) = report.outcome(RuleId::Contributing) else { panic!("{report:?}") };
    assert_eq!(finding.gap, Gap::Missing);
}

#[test]
fn paths_of_a_policy_lead_nowhere_outside() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("MIT.txt"), CANARY).unwrap();
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("legal/.git")).unwrap();
    fs::write(root.path().join("legal/.git/config"), CANARY).unwrap();
    symlink(outside.path(), root.path().join("legal/linked")).unwrap();
    fs::write(root.path().join("legal/terms.txt"), "Ask Bob.").unwrap();
    let policy = |path: &str| Policy::parse(&format!("rules: {{license: {{paths: ['{path}']}}}}")).unwrap();
    for path in ["legal/linked/MIT.txt", "legal/.git/config"] {
        let report = judge_by(&policy(path), root.path());
        assert!(matches!(report.outcome(RuleId::License), Some(Outcome::Fail(_))), "{path}: {report:?}");
    }
    let report = judge_by(&policy("legal/terms.txt"), root.path());
    let Some(Outcome::Pass(evidence)) = report.outcome(RuleId::License) else { panic!("{report:?}") };
    assert_eq!(evidence.path.as_deref(), Some("legal/terms.txt"));
}

#[test]
fn pipes_and_sockets_are_named_and_not_opened() {
    let root = tempfile::tempdir().unwrap();
    fifo(&root.path().join("README.md"));
    let _socket = std::os::unix::net::UnixListener::bind(root.path().join("LICENSE")).unwrap();
    let path = root.path().to_owned();
    let (done, answer) = std::sync::mpsc::channel();
    // A pipe that is opened waits for ever for its other end.
    std::thread::spawn(move || done.send(Box::new(judge(&path))));
    let report = answer.recv_timeout(Duration::from_secs(20)).expect("the judge waits for a pipe");
    unknown(&report, RuleId::Readme, "pipe");
    unknown(&report, RuleId::License, "socket");
}

#[test]
fn a_huge_file_is_not_read() {
    let root = tempfile::tempdir().unwrap();
    fs::File::create(root.path().join("README.md")).unwrap().set_len(100 << 20).unwrap();
    fs::File::create(root.path().join("LICENSE")).unwrap().set_len(1 << 40).unwrap();
    let snapshot = checkout::snapshot(root.path(), std::iter::empty(), Inherited::None).unwrap();
    assert_eq!(snapshot.files.texts["README.md"], FileText::TooLarge(100 << 20));
    assert_eq!(snapshot.files.texts["LICENSE"], FileText::TooLarge(1 << 40));
    let report = judge(root.path());
    for rule in [RuleId::Readme, RuleId::License] {
        let Some(Outcome::Pass(evidence)) = report.outcome(rule) else { panic!("{report:?}") };
        assert!(evidence.advice.as_ref().unwrap().contains("more than Muster reads"), "{evidence:?}");
    }
}

#[test]
fn a_folder_with_too_many_entries_is_unread_not_empty() {
    let root = tempfile::tempdir().unwrap();
    for n in 0..checkout::ENTRIES {
        fs::File::create(root.path().join(format!("{n}"))).unwrap();
    }
    let snapshot = checkout::snapshot(root.path(), std::iter::empty(), Inherited::None).unwrap();
    assert!(
        matches!(&snapshot.files.folders[""], Listing::Entries(entries) if entries.len() == checkout::ENTRIES)
    );
    fs::File::create(root.path().join("one-more")).unwrap();
    let report = judge(root.path());
    for rule in [RuleId::License, RuleId::Readme, RuleId::Contributing] {
        unknown(&report, rule, "more than 100000 entries");
    }
}

#[test]
fn names_that_act_or_collide_are_shown_and_not_obeyed() {
    let root = tempfile::tempdir().unwrap();
    for name in ["LICENSE-\u{202e}TIM\n::error::<img src=x>", "LICENSE-\u{1b}[2J"] {
        fs::write(root.path().join(name), "Ask Bob.").unwrap();
    }
    fs::write(root.path().join(std::ffi::OsStr::from_bytes(b"LICENSE-\xff\xfe")), "Ask Bob.").unwrap();
    fs::write(root.path().join("README.md"), "x").unwrap();
    fs::write(root.path().join("readme.md"), "x").unwrap();
    let report = judge(root.path());
    unknown(&report, RuleId::Readme, "README.md and readme.md differ only in case");
    let said = format!("{:?}", report.outcome(RuleId::License)).replace("\\\\", "\\");
    assert!(!said.contains(['\n', '\u{1b}', '\u{202e}']), "{said}");
    // The name that is no UTF-8 could not be opened again.
    unknown(&report, RuleId::License, "could not be read");
}

#[test]
fn git_is_neither_run_nor_read() {
    let root = tempfile::tempdir().unwrap();
    let hook = root.path().join("ran");
    fs::create_dir_all(root.path().join(".git/hooks")).unwrap();
    let command = format!("touch {}", hook.display());
    let config = format!("[core]\n\tfsmonitor = \"{command}\"\n\tpager = \"{command}\"\n");
    fs::write(root.path().join(".git/config"), config).unwrap();
    fs::write(root.path().join(".git/LICENSE"), CANARY).unwrap();
    let snapshot = checkout::snapshot(root.path(), std::iter::empty(), Inherited::None).unwrap();
    assert!(snapshot.files.all().all(|entry| !entry.path.starts_with(".git")), "{:?}", snapshot.files);
    // Nothing else is there: as good as an empty repository.
    assert!(judge(root.path()).skipped.is_some());
    assert!(!hook.exists());
}

#[test]
fn any_bytes_are_judged() {
    let root = tempfile::tempdir().unwrap();
    let mut file = fs::File::create(root.path().join("LICENSE")).unwrap();
    for _ in 0..4096 {
        file.write_all(&(0..=255).collect::<Vec<u8>>()).unwrap();
    }
    fs::write(root.path().join("README.md"), "<!--".repeat(200_000)).unwrap();
    fs::write(root.path().join("code.json"), "[".repeat(1 << 20)).unwrap();
    fs::write(root.path().join("package.json"), "[".repeat(1 << 20)).unwrap();
    let report = judge(root.path());
    assert!(matches!(report.outcome(RuleId::License), Some(Outcome::Pass(_))), "{report:?}");
    assert!(matches!(report.outcome(RuleId::CodeJson), Some(Outcome::Fail(_))), "{report:?}");
}

#[test]
fn a_path_that_is_no_folder_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("file"), "x").unwrap();
    for path in ["file", "nothing"] {
        let found = checkout::snapshot(&root.path().join(path), std::iter::empty(), Inherited::None);
        assert!(found.is_err(), "{path}: {found:?}");
    }
    fs::create_dir(root.path().join("docs")).unwrap();
    let snapshot = checkout::snapshot(root.path(), std::iter::empty(), Inherited::None).unwrap();
    assert_eq!(snapshot.files.entry("docs").unwrap().kind, EntryKind::Folder);
}
