//! `muster check` as a person runs it: order, exit codes and the three formats.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

const README: &str = "# Bird counter\n\nThis program counts the birds of a river and draws them on a map, so that \
    people who care for the river see how many of each kind live there and where they rest.\n";

/// What a run of `muster check` wrote and how it ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

fn check(folder: &Path, arguments: &[&str]) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .arg("check")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Four checkouts, one without a contribution file, one without a license, one
/// with a slip in its code.json, and the organization's defaults.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for name in ["whole", "inherits", "no-license", "slip"] {
        write(&format!("{name}/README.md"), README);
        write(&format!("{name}/LICENSE"), spdx::license_id("Apache-2.0").unwrap().text());
        write(&format!("{name}/CONTRIBUTING.md"), "Send us a pull request.\n");
    }
    fs::remove_file(folder.path().join("inherits/CONTRIBUTING.md")).unwrap();
    fs::remove_file(folder.path().join("no-license/LICENSE")).unwrap();
    write("slip/code.json", "{\n  \"name\": \"x\",\n}\n");
    write("home/.github/CONTRIBUTING.md", "Hello.\n");
    write("policy.yml", "rules: {code-json: {file: optional, severity: required}}\n");
    write("broken.yml", "rules: {licence: off}\n");
    folder
}

#[test]
fn exit_codes_say_how_it_went() {
    let folder = folder();
    for (arguments, code, noted) in [
        (&["whole"] as &[&str], 0, ""),
        (&["whole", "no-license"], 1, ""),
        (&["inherits"], 0, "1 of 1 could not be checked in full."),
        (&["--strict", "inherits"], 1, "could not be checked in full"),
        (&["--strict", "--defaults", "home", "inherits"], 0, ""),
        (&["whole", "nothing"], 0, "nothing: could not be checked: No such file"),
        (&["--strict", "whole", "nothing"], 1, "nothing: could not be checked"),
        (&["nothing", "policy.yml"], 2, "policy.yml: could not be checked: Not a directory"),
        (&["--policy", "policy.yml", "slip"], 1, ""),
        (&["--policy", "broken.yml", "whole"], 2, "broken.yml:1:9 rules.licence"),
        (&["--policy", "nothing.yml", "whole"], 2, "nothing.yml could not be read"),
        (&["--defaults", "nothing", "whole"], 2, "the defaults nothing could not be read"),
        (&[], 2, "PATH"),
    ] {
        let ended = check(folder.path(), arguments);
        assert_eq!(ended.code, code, "{arguments:?}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains(noted), "{arguments:?}: {}", ended.err);
        assert!(!noted.is_empty() || ended.err.is_empty(), "{arguments:?}: {}", ended.err);
    }
}

#[test]
fn the_table_shows_what_needs_work_and_the_sums() {
    let folder = folder();
    let ended = check(folder.path(), &["--defaults", "home", "whole", "inherits", "no-license"]);
    assert_eq!(ended.code, 1);
    insta::assert_snapshot!(ended.out, @r"
    PATH        LICENSE    README   CONTRIBUTION FILE  CODE.JSON  RESULT
    no-license  x missing  + meets  + meets                       needs work

    no-license
      License: There is no license file. Add the text of your license to a file named LICENSE in the root.

    2 of 3 checked meet the policy (66 %). 1 need work, 0 waived, 0 skipped by rule, 0 could not be checked.
    ");
    let all = check(folder.path(), &["--all", "--defaults", "home", "whole", "inherits"]).out;
    assert!(all.contains("whole     + Apache-2.0") && all.contains("+ inherited"), "{all}");
}

#[test]
fn json_keeps_the_order_of_the_arguments() {
    let folder = folder();
    let names = ["whole", "no-license", "slip", "inherits"];
    let many: Vec<&str> = (0..400).map(|n| names[n % names.len()]).collect();
    let mut arguments = vec!["--format", "json", "--policy", "policy.yml"];
    arguments.extend(&many);
    let ended = check(folder.path(), &arguments);
    assert_eq!(ended.code, 1, "{}", ended.err);
    let document: Value = serde_json::from_str(&ended.out).unwrap();
    let paths: Vec<&str> = document["repositories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, many);
    assert_eq!(document["schema"], "check-1");
    assert_eq!(document["policy"]["source"], "policy.yml");
    assert_eq!(
        document["totals"],
        serde_json::json!({"total": 400, "meets": 100, "needs_work": 200, "waived": 0, "skipped": 0,
            "unknown": 100, "could_not_run": 0})
    );
    let slip = &document["repositories"][2]["checks"][3];
    assert_eq!(
        (&slip["rule"], &slip["outcome"], &slip["gap"], &slip["place"]["line"]),
        (&"code-json".into(), &"fail".into(), &"malformed".into(), &2.into()),
    );
}

#[test]
fn workflow_commands_have_file_line_and_title() {
    let folder = folder();
    let policy = ["--format", "github", "--policy", "policy.yml"];
    let ended = check(folder.path(), &[&policy[..], &["slip", "whole"]].concat());
    assert_eq!(
        ended.out,
        "::error file=slip/code.json,line=2,col=14,title=slip%3A code.json::There is a comma after the last \
         entry, which JSON does not allow. Remove this comma.\n"
    );
}
