//! How long the identification of a license takes: `cargo bench --bench license`.
//!
//! Known texts must stay under 0.2 ms, any text of 256 KiB under 30 ms
//! (medians). The reference beside each figure is the time one pass over the
//! same bytes takes that lower-cases them and counts the words.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use muster::domain::license::{TEXT_LIMIT, identify};

/// Rounds whose median is told.
const ROUNDS: usize = 21;

fn main() {
    let apache = common("Apache-2.0");
    let first = Instant::now();
    identify(&apache);
    println!("{:<44} {:>9.3} ms", "first known text of the process", milliseconds(first.elapsed()));
    let first = Instant::now();
    identify("Permission is hereby granted to whom it may concern.");
    println!("{:<44} {:>9.3} ms", "first text not known (builds the tables)", milliseconds(first.elapsed()));
    println!("{:<44} {:>12} {:>12} {:>7}", "text", "median", "reference", "limit");
    let mut late = 0;
    for (name, text, limit) in known().into_iter().chain(hostile()) {
        let median = median(|| drop(black_box(identify(black_box(&text)))));
        let reference = self::median(|| {
            let lower = black_box(&text).to_lowercase();
            black_box(lower.split(|c: char| !c.is_alphanumeric()).count());
        });
        let verdict = if median <= limit { "" } else { "  over" };
        late += usize::from(median > limit);
        println!(
            "{name:<44} {:>9.3} ms {:>9.3} ms {:>4} ms{verdict}",
            milliseconds(median),
            milliseconds(reference),
            milliseconds(limit)
        );
    }
    assert!(late == 0, "{late} texts took longer than allowed");
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
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

fn common(name: &str) -> String {
    let path = format!("/usr/share/common-licenses/{name}");
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{path}: {error}; Debian's base-files has it"))
}

fn known() -> Vec<(String, String, Duration)> {
    ["Apache-2.0", "CC0-1.0", "MPL-2.0", "LGPL-3", "GPL-3"]
        .map(|name| (format!("known: {name}"), common(name), Duration::from_micros(200)))
        .into()
}

fn hostile() -> Vec<(String, String, Duration)> {
    let fill = |part: &str| part.repeat(TEXT_LIMIT / part.len());
    let all = ["Apache-2.0", "GPL-2", "GPL-3", "LGPL-2.1", "MPL-1.1", "BSD", "Artistic"].map(common).concat();
    let bsd = common("BSD");
    let clause =
        "Permission is hereby granted, free of charge, to any person obtaining a copy of this software. ";
    let (gpl, agpl) = (common("GPL-3"), common("GPL-2"));
    let shuffled: String =
        gpl.split(". ").zip(agpl.split(". ")).flat_map(|(a, b)| [b, " ", a, ". "]).collect();
    let spoiled = |text: &str, every: usize| -> String {
        text.split(' ')
            .enumerate()
            .map(|(at, word)| if at % every == every - 1 { "zzz " } else { word }.to_owned() + " ")
            .collect()
    };
    [
        ("licenses of 256 KiB one after another", fill(&all)),
        ("BSD, over and over", fill(&bsd)),
        ("GPL-3, over and over", fill(&gpl)),
        ("BSD, every 9th word changed, over and over", fill(&spoiled(&bsd, 9))),
        ("GPL-3, every 9th word changed, over and over", fill(&spoiled(&gpl, 9))),
        ("GPL-3, every 17th word changed, over and over", fill(&spoiled(&gpl, 17))),
        ("GPL-2 and GPL-3, sentences in turn", fill(&shuffled)),
        ("a clause of MIT, over and over", fill(clause)),
        ("one long line", fill(&all.replace('\n', " "))),
        ("100,000 lines", fill("a\n")),
        ("100,000 lines of copyright", fill("copyright 2020\n")),
        ("one word", "a".repeat(TEXT_LIMIT)),
        ("dots", ".".repeat(TEXT_LIMIT)),
        ("the government, over and over", fill("work of the United States Government retains ")),
        ("sentences of the government", fill("It is a work of the United States Government. ")),
        ("file names", fill("LICENSE-MIT LICENSE.txt COPYING ")),
        ("tags", fill("SPDX-License-Identifier: MIT OR Apache-2.0\n")),
        ("letters outside ASCII", fill("Ünïcödé ﬁ © ")),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), cut(text), Duration::from_millis(30)))
    .collect()
}

fn cut(mut text: String) -> String {
    let end = (0..=TEXT_LIMIT.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(end);
    text
}
