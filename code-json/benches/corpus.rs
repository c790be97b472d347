//! What judging and mending cost: `cargo bench -p code-json --bench corpus`.
//!
//! Needs `MUSTER_CORPUS`. All files together must be judged within 10 times
//! what serde_json takes to parse them, mending must take at most 5 times as
//! long as judging, and a 3 MB inventory may take 12 times its size in memory.

use std::{
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use code_json::{
    document::{Document, Limits},
    repair::repair,
    validate::{Options, validate},
};

const ROUNDS: usize = 15;

fn main() {
    let Some(corpus) = std::env::var_os("MUSTER_CORPUS") else {
        println!("MUSTER_CORPUS: not given");
        return;
    };
    let mut paths: Vec<_> = fs::read_dir(&corpus)
        .expect("a folder")
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    paths.sort();
    let files: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).expect("a file")).collect();
    let bytes: usize = files.iter().map(Vec::len).sum();
    let options = Options { today: Some(jiff::civil::date(2026, 11, 26)), ..Options::default() };

    let (size, extra) = memory(&files, &options);
    let mut failed = 0;
    let mut line = |name: &str, value: f64, limit: f64, unit: &str| {
        let verdict = if value <= limit { "" } else { "  over" };
        failed += usize::from(value > limit);
        println!("{name:<58} {value:>9.2} {unit} (limit {limit}){verdict}");
    };
    line("memory of judging an inventory of 3 MB, by its size", extra as f64 / size as f64, 12.0, "×");

    let parse = median(|| {
        for file in &files {
            let _ = black_box(serde_json::from_slice::<serde_json::Value>(black_box(file)));
        }
    });
    let read = median(|| {
        for file in &files {
            let _ = black_box(Document::read(black_box(file), &Limits::default()));
        }
    });
    let judge = median(|| {
        for file in &files {
            black_box(validate(black_box(file), &options));
        }
    });
    let mend = median(|| {
        for file in &files {
            let _ = black_box(repair(black_box(file), &options));
        }
    });
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("{} files, {bytes} bytes", files.len());
    println!("{:<58} {:>9.2} ms", "serde_json parses them", ms(parse));
    println!("{:<58} {:>9.2} ms", "read with places", ms(read));
    println!("{:<58} {:>9.2} ms", "judged", ms(judge));
    println!("{:<58} {:>9.2} ms", "mended", ms(mend));
    line("judged, by serde_json's parse", ms(judge) / ms(parse), 10.0, "×");
    line("mended, by judged", ms(mend) / ms(judge), 5.0, "×");
    assert!(failed == 0, "{failed} figures are over their limit");
}

/// The size of an inventory of at least 3 MB, and by how much judging it raised
/// the most memory the process ever had.
fn memory(files: &[Vec<u8>], options: &Options<'_>) -> (usize, usize) {
    // Compiled schemas are not the file's.
    black_box(validate(b"{\"name\": \"\", \"tags\": [], \"permissions\": {}}", options));
    let largest = files.iter().max_by_key(|file| file.len()).expect("files");
    let document = Document::read(largest, &Limits::default()).expect("JSON");
    let releases = document.pointer("/releases").expect("an inventory").raw();
    let items = releases.trim_matches(['[', ']']);
    let times = 3_000_000 / items.len() + 1;
    let text = format!(
        "{{\"version\": \"2.0.0\", \"agency\": \"X\", \"measurementType\": {{\"method\": \"projects\"}}, \"releases\": [{}]}}",
        vec![items; times].join(",")
    );
    drop(document);
    let before = peak();
    let report = black_box(validate(text.as_bytes(), options));
    println!("{} bytes, {} records, {} problems", text.len(), report.records, report.problems.len());
    (text.len(), peak().saturating_sub(before))
}

/// The most memory the process had so far, in bytes: Linux only.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap_or_default() * 1024
}

fn median(mut run: impl FnMut()) -> Duration {
    run();
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}
