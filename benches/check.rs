//! `muster check` on 300 small checkouts, as one process from start to end,
//! beside a program that opens and reads the same bytes.
//!
//! The goal: under 10 times that program while every license is known word for
//! word; under 1.5 s and 60 MiB also when each license needs the matcher. Run
//! with `cargo bench --bench check`; an argument scales the number of checkouts.
//!
//! The reference is this same binary, called with `--read`: one process that
//! opens and reads every file of every checkout.

use std::{
    env, fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const README: &str = "# Bird counter\n\nThis program counts the birds of a river and draws them on a map, so that \
    people who care for the river see how many of each kind live there and where they rest.\n\n## License\n\nSee LICENSE.\n";
const RUNS: usize = 15;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == "--read") {
        let bytes: u64 = arguments[1..].iter().map(|path| read_all(Path::new(path))).sum();
        println!("{bytes}");
        return;
    }
    let count = arguments.first().and_then(|count| count.parse().ok()).unwrap_or(300);
    let texts = license_texts();
    println!("{count} checkouts, {} license texts, medians of {RUNS} alternating runs", texts.len());
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let known = generate(&folder.path().join("known"), count, &texts, |text, _| text.to_owned());
    // A sentence of its own in each: no two texts are the same, and none is known.
    let changed = generate(&folder.path().join("changed"), count, &texts, |text, n| {
        let (half, rest) = text.split_at(text.floor_char_boundary(text.len() / 2));
        format!("{half} Agency number {n} adds this clause of its own. {rest}")
    });
    let muster = Path::new(env!("CARGO_BIN_EXE_muster"));
    let own = env::current_exe().expect("this program knows where it stands");
    for (name, paths) in [("known word for word", &known), ("needs the matcher", &changed)] {
        let mut ours = Vec::new();
        let mut reference = Vec::new();
        let mut resident = 0;
        for _ in 0..RUNS {
            let mut check = Command::new(muster);
            check.args(["check", "--format", "json"]).args(paths);
            ours.push(timed(&mut check));
            let mut read = Command::new(&own);
            read.arg("--read").args(paths);
            reference.push(timed(&mut read));
            resident = resident.max(peak(muster, paths));
        }
        let (ours, reference) = (median(ours), median(reference));
        println!(
            "{name}: muster check {:.1} ms, reference {:.1} ms, ratio {:.1}, peak {:.1} MiB",
            ours.as_secs_f64() * 1e3,
            reference.as_secs_f64() * 1e3,
            ours.as_secs_f64() / reference.as_secs_f64(),
            resident as f64 / 1024.0,
        );
    }
}

/// The time of a whole process, start included.
fn timed(command: &mut Command) -> Duration {
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("the program starts");
    let took = start.elapsed();
    assert!(matches!(status.code(), Some(0 | 1)), "{command:?} ended with {status}");
    took
}

/// The peak of a run's resident memory in KiB: `VmHWM` read when it has written
/// its last line, which it must then still be about to write out.
fn peak(program: &Path, paths: &[PathBuf]) -> u64 {
    let mut child = Command::new(program)
        .args(["check", "--format", "json", "--all"])
        .args(paths)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut out = child.stdout.take().expect("its output is piped");
    let mut first = [0; 1];
    // The document is written once, whole; with the first byte of it all work
    // is done, and the pipe is too small for the rest.
    out.read_exact(&mut first).expect("it writes something");
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it still runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("Linux counts the peak");
    let peak = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("in KiB");
    std::io::copy(&mut out, &mut std::io::sink()).expect("the rest can be read");
    child.wait().expect("it ends");
    peak
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn generate(
    root: &Path,
    count: usize,
    texts: &[String],
    license: impl Fn(&str, usize) -> String,
) -> Vec<PathBuf> {
    let written =
        |path: PathBuf, text: &str| fs::write(path, text).expect("the temporary folder takes a file");
    (0..count)
        .map(|n| {
            let path = root.join(format!("repository-{n}"));
            fs::create_dir_all(path.join("src")).expect("the temporary folder takes a folder");
            written(path.join("LICENSE"), &license(&texts[n % texts.len()], n));
            written(path.join("README.md"), README);
            written(path.join("CONTRIBUTING.md"), "Send us a pull request.\n");
            written(path.join("src/main.c"), "int main(void) { return 0; }\n");
            path
        })
        .collect()
}

/// License texts as people have them: Debian's, and those of the crates this
/// project is built from, each once, the identified ones.
fn license_texts() -> Vec<String> {
    let mut candidates: Vec<PathBuf> = Vec::new();
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    let sources = cargo.or(home).map(|cargo| cargo.join("registry/src"));
    for registry in sources.iter().flat_map(|sources| folders(sources)) {
        for package in folders(&registry) {
            candidates.extend(["LICENSE", "LICENSE-MIT", "LICENSE-APACHE"].map(|name| package.join(name)));
        }
    }
    candidates.extend(folders(Path::new("/usr/share/common-licenses")));
    let mut texts: Vec<String> = candidates
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .filter(|text| {
            let found = muster::domain::license::identify(text);
            matches!(found, muster::domain::license::Identification::Identified { .. })
        })
        .collect();
    texts.sort();
    texts.dedup();
    assert!(texts.len() >= 20, "only {} license texts found: build the project first", texts.len());
    texts
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).map(|entries| entries.filter_map(Result::ok).collect::<Vec<_>>());
    let mut paths: Vec<PathBuf> = entries.unwrap_or_default().iter().map(fs::DirEntry::path).collect();
    paths.sort();
    paths
}

/// Opens and reads every file below `path`; how many bytes.
fn read_all(path: &Path) -> u64 {
    let mut bytes = 0;
    for entry in fs::read_dir(path).expect("a generated folder can be read").filter_map(Result::ok) {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            bytes += read_all(&path);
        } else {
            bytes += fs::read(&path).expect("a generated file can be read").len() as u64;
        }
    }
    bytes
}
