//! Finds known texts inside a text and walks the two side by side.
//!
//! Promises: (1) a passage is [`Passage::faithful`] only if every difference
//! from the known text is one that [`known`](super::known) allows, so one word
//! of weight more or less spoils it; (2) the work is bounded by [`FUEL`]: a
//! text that would need more is left partly unexplained, never misjudged.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use super::known::{Catalog, Known, Number, UNKNOWN, catalog};
use super::words::{Word, has_weight};

/// Words in a run that is looked up. Shorter runs are everywhere.
const RUN: usize = 5;
/// One run in so many is kept for known texts longer than [`SHORT`].
const SAMPLE: u64 = 4;
/// Known texts of fewer words keep all their runs.
const SHORT: usize = 100;
/// Bits of a hash that lead to its place.
const LEAD: u32 = 14;
/// Share of a known text's runs that must occur before it is walked.
const ENOUGH: f32 = 0.4;
/// Words that may be skipped, both texts together, before they agree again.
const REACH: usize = 120;
/// Words that must agree after a difference.
const AGAIN: usize = 3;
/// Differences a passage may have before the walk is given up.
const DIFFERENCES: usize = 120;
/// Comparisons a text may cost.
const FUEL: usize = 1_500_000;
/// Longest name that may stand for a holder, in words.
const NAME: usize = 24;
/// Spelling slips a passage may have.
const SLIPS: usize = 3;

/// A stretch of the text that runs along a known text.
#[derive(Debug)]
pub(super) struct Passage {
    /// Index in [`Catalog::known`].
    pub(super) known: usize,
    /// Words of the text.
    pub(super) words: Range<usize>,
    /// Words in common, as a share of the longer of the two.
    pub(super) score: f32,
    /// No difference that could change the meaning.
    pub(super) faithful: bool,
    /// Words of the text around each difference that could.
    pub(super) differs: Vec<Range<usize>>,
}

/// Words of the known text and of the text that stand for one another.
#[derive(Clone, Debug)]
struct Difference {
    known: Range<usize>,
    text: Range<usize>,
}

/// Passages, the faithful and the longer first, and what the text resembles
/// though no passage could be walked.
pub(super) struct Found {
    pub(super) passages: Vec<Passage>,
    pub(super) resembles: Option<(usize, f32)>,
}

/// Every run of the known texts: hash, then known text and place.
struct Runs {
    places: Vec<(u64, u32, u32)>,
    /// Where in `places` the hashes begin that start with these [`LEAD`] bits.
    starts: Vec<u32>,
    /// How many runs each known text has.
    total: Vec<u32>,
}

static RUNS: LazyLock<Runs> = LazyLock::new(|| {
    let mut places = Vec::new();
    let mut total = Vec::new();
    for (index, known) in catalog().known.iter().enumerate() {
        let before = places.len();
        for (at, run) in known.words.windows(RUN).enumerate() {
            let hash = hash(run);
            if hash.is_multiple_of(SAMPLE) || known.words.len() < SHORT {
                places.push((hash, index as u32, at as u32));
            }
        }
        total.push((places.len() - before) as u32);
    }
    places.sort_unstable();
    let starts = (0..1u64 << LEAD)
        .map(|lead| places.partition_point(|place| place.0 >> (64 - LEAD) < lead) as u32)
        .collect();
    Runs { places, starts, total }
});

fn hash(run: &[Number]) -> u64 {
    let mixed = run.iter().fold(0u64, |hash, word| {
        (hash.rotate_left(21) ^ u64::from(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    mixed ^ (mixed >> 32)
}

/// All passages of the text that run along a known text.
pub(super) fn find(words: &[Word<'_>], numbers: &[Number]) -> Found {
    let hits = hits(numbers);
    let catalog = catalog();
    let mut fuel = FUEL;
    let mut candidates: Vec<(f32, usize)> = hits
        .iter()
        .enumerate()
        .filter(|(_, hits)| !hits.is_empty())
        .map(|(index, hits)| (share(index, hits), index))
        .collect();
    let length = |index: usize| catalog.known[index].words.len();
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then(length(b.1).cmp(&length(a.1))).then(a.1.cmp(&b.1)));
    let resembles =
        candidates.first().map(|(share, index)| (*index, *share)).filter(|(_, share)| *share >= 0.3);
    candidates.retain(|(share, index)| *share >= ENOUGH * required(&catalog.known[*index]));
    let mut passages: Vec<Passage> = Vec::new();
    for (_, index) in candidates {
        place(index, &hits[index], words, numbers, &mut fuel, &mut passages);
    }
    passages.sort_by(|a, b| {
        b.faithful
            .cmp(&a.faithful)
            .then((b.words.len() as f32 * b.score).total_cmp(&(a.words.len() as f32 * a.score)))
            .then(a.known.cmp(&b.known))
    });
    Found { passages, resembles }
}

/// Share of a known text that must be there: the rest may be absent.
fn required(known: &Known) -> f32 {
    let optional = known
        .absent
        .iter()
        .map(|range| range.end)
        .max()
        .map_or(0, |end| end - known.absent.iter().map(|range| range.start).min().unwrap_or(end));
    let optional = optional.min(known.absent.iter().map(Range::len).sum());
    1.0 - optional as f32 / known.words.len().max(1) as f32
}

/// Where the text and each known text have a run in common: (text, known).
fn hits(numbers: &[Number]) -> Vec<Vec<(u32, u32)>> {
    let runs = &*RUNS;
    let mut hits = vec![Vec::new(); runs.total.len()];
    for (at, run) in numbers.windows(RUN).enumerate() {
        if run.contains(&UNKNOWN) {
            continue;
        }
        let hash = hash(run);
        let start = runs.starts[(hash >> (64 - LEAD)) as usize] as usize;
        let same = runs.places[start..].iter().skip_while(|place| place.0 < hash);
        for (_, index, place) in same.take_while(|place| place.0 == hash) {
            hits[*index as usize].push((at as u32, *place));
        }
    }
    hits
}

fn share(index: usize, hits: &[(u32, u32)]) -> f32 {
    let mut seen = vec![false; catalog().known[index].words.len()];
    hits.iter().for_each(|(_, place)| seen[*place as usize] = true);
    seen.iter().filter(|seen| **seen).count() as f32 / RUNS.total[index].max(1) as f32
}

/// Walks one known text from every place of the text where enough of its runs
/// stand at the same distance.
fn place(
    index: usize,
    hits: &[(u32, u32)],
    words: &[Word<'_>],
    numbers: &[Number],
    fuel: &mut usize,
    passages: &mut Vec<Passage>,
) {
    let known = &catalog().known[index];
    let enough = RUNS.total[index] as f32 * ENOUGH * 0.5 * required(known);
    // Texts and their copies drift apart by names and line numbers: runs are
    // gathered in buckets of like distance, each with its lower neighbour.
    let mut buckets: HashMap<i64, Vec<(u32, u32)>> = HashMap::new();
    for hit in hits {
        let distance = i64::from(hit.0) - i64::from(hit.1);
        buckets.entry(distance.div_euclid(64)).or_default().push(*hit);
    }
    let size = |bucket: i64| buckets.get(&bucket).map_or(0, Vec::len);
    let mut order: Vec<i64> = buckets.keys().copied().collect();
    order.sort_by_key(|bucket| (std::cmp::Reverse(size(*bucket)), *bucket));
    let first = passages.len();
    for bucket in order {
        if ((size(bucket) + size(bucket - 1) + size(bucket + 1)) as f32) < enough || *fuel == 0 {
            continue;
        }
        let Some(anchor) = anchor(&buckets[&bucket]) else {
            continue;
        };
        let (text, place) = (anchor.0 as usize, anchor.1 as usize);
        // Walked already, or part of a longer text that stands there.
        let known_here = |(at, passage): (usize, &Passage)| {
            let longer = catalog().known[passage.known].words.len() >= known.words.len();
            passage.words.contains(&text) && (at >= first || (passage.faithful && longer))
        };
        if passages.iter().enumerate().any(known_here) {
            continue;
        }
        if let Some(passage) = walk_both(index, place, text, words, numbers, fuel) {
            passages.push(passage);
        }
    }
}

/// The first run at the distance most runs of a bucket have: a phrase that
/// the known text has twice also matches at other distances.
fn anchor(hits: &[(u32, u32)]) -> Option<(u32, u32)> {
    let distance = |hit: &(u32, u32)| i64::from(hit.0) - i64::from(hit.1);
    let mut hits = hits.to_vec();
    hits.sort_unstable_by_key(|hit| (distance(hit), hit.1));
    hits.chunk_by(|a, b| distance(a) == distance(b)).rev().max_by_key(|run| run.len()).map(|run| run[0])
}

fn walk_both(
    index: usize,
    place: usize,
    text: usize,
    words: &[Word<'_>],
    numbers: &[Number],
    fuel: &mut usize,
) -> Option<Passage> {
    let catalog = catalog();
    let known = &catalog.known[index];
    let before: Vec<Number> = known.words[..place].iter().rev().copied().collect();
    let reach = text.saturating_sub(place * 2 + REACH);
    let earlier: Vec<Number> = numbers[reach..text].iter().rev().copied().collect();
    let backward = walk(&before, &earlier, fuel);
    let forward = walk(&known.words[place..], &numbers[text..], fuel);

    let mut differences: Vec<Difference> = backward
        .differences
        .iter()
        .rev()
        .map(|d| Difference {
            known: place - d.known.end..place - d.known.start,
            text: text - d.text.end..text - d.text.start,
        })
        .collect();
    differences.extend(forward.differences.iter().map(|d| Difference {
        known: place + d.known.start..place + d.known.end,
        text: text + d.text.start..text + d.text.end,
    }));
    let (mut known_range, mut range) =
        (place - backward.known..place + forward.known, text - backward.text..text + forward.text);

    // The guide after the terms is often cut or rewritten: end before it.
    let tail =
        known.absent.iter().filter(|absent| absent.end == known.words.len()).map(|absent| absent.start).min();
    let mut slips = 0;
    let mut spoiled = Vec::new();
    for (at, difference) in differences.iter().enumerate() {
        if is_harmless(catalog, known, difference, words, numbers, &mut slips) {
            continue;
        }
        if tail.is_some_and(|tail| difference.known.start >= tail) {
            known_range.end = difference.known.start;
            range.end = difference.text.start;
            differences.truncate(at);
            break;
        }
        spoiled.push(difference.text.clone());
    }
    let ends = [0..known_range.start, known_range.end..known.words.len()];
    let missing: usize = ends.iter().filter(|end| !is_absent(known, end)).map(Range::len).sum();
    let whole = missing == 0;
    if known_range.start > 0 && !is_absent(known, &ends[0]) {
        spoiled.insert(0, range.start..range.start + 1);
    }
    if known_range.end < known.words.len() && !is_absent(known, &ends[1]) {
        spoiled.push(range.end.saturating_sub(1)..range.end);
    }
    let strange: usize = differences.iter().map(|d| d.known.len().max(d.text.len())).sum();
    let common = known_range.len() - differences.iter().map(|d| d.known.len()).sum::<usize>();
    let score = common as f32 / (common + strange + missing).max(1) as f32;
    (score >= 0.4).then_some(Passage {
        known: index,
        words: range,
        score,
        faithful: whole && spoiled.is_empty(),
        differs: spoiled,
    })
}

/// How far two texts run along each other from their first words.
struct Walk {
    differences: Vec<Difference>,
    known: usize,
    text: usize,
}

fn walk(known: &[Number], text: &[Number], fuel: &mut usize) -> Walk {
    let mut walk = Walk { differences: Vec::new(), known: 0, text: 0 };
    while walk.known < known.len() && walk.text < text.len() {
        if known[walk.known] == text[walk.text] {
            walk.known += 1;
            walk.text += 1;
            continue;
        }
        if walk.differences.len() == DIFFERENCES {
            break;
        }
        let Some((skipped, added)) = meet(&known[walk.known..], &text[walk.text..], fuel) else {
            break;
        };
        walk.differences
            .push(Difference { known: walk.known..walk.known + skipped, text: walk.text..walk.text + added });
        walk.known += skipped;
        walk.text += added;
    }
    *fuel = fuel.saturating_sub(walk.known);
    walk
}

/// The least number of words to skip in each until [`AGAIN`] words agree, or
/// all that are left of the known text.
fn meet(known: &[Number], text: &[Number], fuel: &mut usize) -> Option<(usize, usize)> {
    for total in 1..REACH {
        for skipped in 0..=total {
            let added = total - skipped;
            if skipped >= known.len() || added >= text.len() {
                continue;
            }
            let needed = AGAIN.min(known.len() - skipped);
            // The first words nearly always differ, which is cheap to see.
            if known[skipped] == text[added]
                && text.len() - added >= needed
                && known[skipped..skipped + needed] == text[added..added + needed]
            {
                *fuel = fuel.saturating_sub(total * total / 2);
                return (*fuel > 0).then_some((skipped, added));
            }
        }
    }
    *fuel = fuel.saturating_sub(REACH * REACH / 2);
    None
}

fn is_absent(known: &Known, range: &Range<usize>) -> bool {
    range.is_empty()
        || known.absent.iter().any(|absent| absent.start <= range.start && range.end <= absent.end)
}

/// Whether a difference leaves the meaning as it is.
fn is_harmless(
    catalog: &Catalog,
    known: &Known,
    difference: &Difference,
    words: &[Word<'_>],
    numbers: &[Number],
    slips: &mut usize,
) -> bool {
    let (missing, added) = (&known.words[difference.known.clone()], &numbers[difference.text.clone()]);
    let spelled = &words[difference.text.clone()];
    let light = spelled.len() <= NAME && !spelled.iter().any(|word| has_weight(word.text));
    let named = known
        .names
        .iter()
        .any(|name| name.start <= difference.known.start && difference.known.end <= name.end);
    (named && light)
        || (is_absent(known, &difference.known) && !missing.is_empty() && light)
        || (catalog.is_address(missing) && catalog.is_address(added))
        || (missing.is_empty() && catalog.extras.iter().any(|extra| extra == added))
        || (added.is_empty() && catalog.extras.iter().any(|extra| extra == missing))
        || (missing.is_empty() && is_heading(known, difference, words))
        || catalog.same.iter().any(|(ours, theirs)| {
            (ours == missing && theirs == added) || (ours == added && theirs == missing)
        })
        || is_spelling(catalog, missing, spelled, slips)
}

/// Lines that repeat the title, alone or before "Terms and conditions".
fn is_heading(known: &Known, difference: &Difference, words: &[Word<'_>]) -> bool {
    let Range { start, end } = difference.text.clone();
    let begins = start == 0 || words[start - 1].line < words[start].line;
    let next: Vec<&str> = words[end..].iter().take(3).map(|word| word.text).collect();
    let ends =
        next.is_empty() || words[end - 1].line < words[end].line || next == ["terms", "and", "conditions"];
    begins && ends && words[start..end].iter().all(|word| known.titles(word.text))
}

/// The same letters with other breaks ("non exclusive"), or one letter off in
/// a long word that is no word of any license; at most [`SLIPS`] of those.
fn is_spelling(catalog: &Catalog, missing: &[Number], spelled: &[Word<'_>], slips: &mut usize) -> bool {
    if missing.is_empty() || spelled.is_empty() || missing.len() + spelled.len() > 6 {
        return false;
    }
    let ours: String = missing.iter().map(|number| catalog.word(*number)).collect();
    let theirs: String = spelled.iter().map(|word| word.text).collect();
    if ours == theirs {
        return true;
    }
    let slip = missing.len() == 1
        && spelled.len() == 1
        && ours.len() >= 5
        && !has_weight(&ours)
        && !has_weight(&theirs)
        && (catalog.number(&theirs) == UNKNOWN || ours.trim_end_matches('s') == theirs.trim_end_matches('s'))
        && is_one_letter_off(&ours, &theirs);
    *slips += usize::from(slip);
    slip && *slips <= SLIPS
}

fn is_one_letter_off(a: &str, b: &str) -> bool {
    let (short, long) =
        if a.len() <= b.len() { (a.as_bytes(), b.as_bytes()) } else { (b.as_bytes(), a.as_bytes()) };
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    match long.len() - short.len() {
        0 => short[(same + 1).min(short.len())..] == long[(same + 1).min(long.len())..],
        1 => short[same..] == long[same + 1..],
        _ => false,
    }
}
