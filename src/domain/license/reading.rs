//! A text that is not one known text as a whole: what each of its words
//! belongs to, and the verdict.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::ops::Range;

use super::align::{self, Found, Passage};
use super::known::{self, Number, catalog};
use super::words::{Word, WordHasher, has_weight};
use super::{Form, Identification, LicenseId, Lines, Match, Nearest, Unmatched, statement};

/// Words without weight that a file may hold beside its license: a project's
/// name, an author. Or one in [`ASIDE_SHARE`] of the words.
const ASIDE: usize = 12;
/// See [`ASIDE`].
const ASIDE_SHARE: usize = 50;
/// Longest text that merely points to other files, in words.
const POINTER: usize = 160;
/// Share in common from which a reader is told what a text resembles.
const NEAR: f32 = 0.5;

/// Words of the titles of the licenses found.
type TitleWords<'a> = HashSet<&'a str, BuildHasherDefault<WordHasher>>;

/// Every word of a text, and which of them are explained.
pub(super) struct Reading<'a> {
    text: &'a str,
    words: Vec<Word<'a>>,
    /// Whether nobody has explained the word yet.
    free: Vec<bool>,
    found: Vec<(Range<usize>, Match)>,
    /// Known texts that were found, for their titles.
    titles: Vec<usize>,
    /// Not faithful to any known text, the nearest first.
    spoiled: Vec<Passage>,
    resembles: Option<(usize, f32)>,
    /// A statement with limits was found.
    limited: Vec<Range<usize>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(text: &'a str, words: Vec<Word<'a>>, numbers: &[Number]) -> Reading<'a> {
        let Found { passages, resembles } = align::find(&words, numbers);
        let mut reading = Reading {
            text,
            free: vec![true; words.len()],
            words,
            found: Vec::new(),
            titles: Vec::new(),
            spoiled: Vec::new(),
            resembles,
            limited: Vec::new(),
        };
        reading.take_passages(passages);
        reading.take_tags();
        reading.take_statements();
        reading.found.sort_by_key(|(words, _)| words.start);
        reading.join_exceptions();
        reading
    }

    fn lines(&self, words: &Range<usize>) -> Lines {
        let line = |at: usize| self.words[at.min(self.words.len() - 1)].line as usize;
        Lines { first: line(words.start), last: line(words.end.saturating_sub(1).max(words.start)) }
    }

    fn take(&mut self, words: Range<usize>, id: LicenseId, score: f32, form: Form) {
        self.free[words.clone()].fill(false);
        let lines = self.lines(&words);
        self.found.push((words, Match { id, lines, score, form }));
    }

    /// Faithful passages, the longest first. A notice inside a license whose
    /// text was changed says nothing: it belongs to that license's guide.
    fn take_passages(&mut self, passages: Vec<Passage>) {
        let (faithful, mut spoiled): (Vec<_>, Vec<_>) =
            passages.into_iter().partition(|passage| passage.faithful);
        spoiled.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.known.cmp(&b.known)));
        for passage in faithful {
            let known = &catalog().known[passage.known];
            let inside = |other: &Passage| {
                other.score >= NEAR
                    && catalog().known[other.known].form == Form::Text
                    && other.words.start <= passage.words.start
                    && passage.words.end <= other.words.end
            };
            let is_part = known.form != Form::Text && spoiled.iter().any(inside);
            if !is_part && self.free[passage.words.clone()].iter().all(|free| *free) {
                self.titles.push(passage.known);
                self.take(passage.words, known.id.clone(), passage.score, known.form);
            }
        }
        spoiled.retain(|passage| self.free[passage.words.clone()].iter().any(|free| *free));
        self.spoiled = spoiled;
    }

    fn take_tags(&mut self) {
        for (line, id) in statement::tags(self.text) {
            let start = self.words.partition_point(|word| (word.line as usize) < line);
            let end = self.words.partition_point(|word| (word.line as usize) <= line);
            if start == end {
                continue;
            }
            // Inside a license it is part of an example.
            if self.free[start..end].iter().all(|free| *free) {
                self.take(start..end, id, 1.0, Form::Tag);
            }
        }
    }

    fn take_statements(&mut self) {
        for statement in statement::statements(&self.words, &self.free) {
            if !statement.firm {
                self.limited.push(statement.words.clone());
            }
            match statement.id {
                None => self.free[statement.words].fill(false),
                Some(id) => self.take(statement.words, id, 1.0, Form::Statement),
            }
        }
    }

    /// "Apache-2.0" followed by the text of its exception is one license, and
    /// sentences that state the same one after another are one statement.
    fn join_exceptions(&mut self) {
        let mut joined: Vec<(Range<usize>, Match)> = Vec::with_capacity(self.found.len());
        for (words, next) in std::mem::take(&mut self.found) {
            if let Some((before, last)) = joined.last_mut() {
                let base = next.id.as_str().split_once(" WITH ").map(|(base, _)| base);
                let continues =
                    last.id == next.id && next.form == Form::Statement && before.end == words.start;
                if continues || base == Some(last.id.as_str()) {
                    before.end = words.end;
                    last.lines.last = next.lines.last;
                    last.id = next.id;
                    continue;
                }
            }
            joined.push((words, next));
        }
        self.found = joined;
    }

    /// Lines with words that nothing explains; empty if what is left has no
    /// weight: titles of the licenses found, names, rules.
    fn other(&self) -> Vec<Lines> {
        let mut known: Vec<usize> = self.titles.clone();
        known.sort_unstable();
        known.dedup();
        let titles: TitleWords<'_> = known.iter().flat_map(|known| catalog().known[*known].title()).collect();
        let titled = |word: &str| titles.contains(word) || known::is_common(word);
        let mut other = Vec::new();
        let mut aside = Vec::new();
        let mut light = 0;
        let all: Vec<usize> = (0..self.words.len()).filter(|at| self.free[*at]).collect();
        for line in all.chunk_by(|a, b| self.words[*a].line == self.words[*b].line) {
            let left = || line.iter().map(|at| self.words[*at].text);
            if left().all(titled) {
                continue;
            }
            let number = self.words[line[0]].line as usize;
            let at = Lines { first: number, last: number };
            if left().any(has_weight) {
                other.push(at);
            } else {
                light += line.len();
                aside.push(at);
            }
        }
        let allowed = ASIDE.max(self.words.len() / ASIDE_SHARE);
        if light > allowed || !other.is_empty() {
            other.extend(aside);
        }
        other.extend(self.limited.iter().map(|words| self.lines(words)));
        joined(other)
    }

    pub(super) fn judge(self) -> Identification {
        let other = self.other();
        // A short text without a license's own words may name licenses and
        // the files they are in.
        let quotes = self.found.iter().any(|(_, found)| found.form == Form::Text);
        if self.words.len() <= POINTER && !quotes && !other.is_empty() {
            let called = statement::called(&self.words).into_iter().map(|(words, id)| Match {
                id,
                lines: self.lines(&words),
                score: 1.0,
                form: Form::Notice,
            });
            let found = self.found.iter().map(|(_, found)| found.clone());
            let licenses: Vec<Match> = found
                .chain(called.filter(|called| !self.found.iter().any(|(_, found)| found.id == called.id)))
                .collect();
            let files = statement::files(self.text);
            if !files.is_empty() {
                return Identification::PointsTo { files, licenses };
            }
            if !licenses.is_empty() && self.spoiled.is_empty() {
                return Identification::WithOtherText { licenses, other };
            }
        }
        if self.found.is_empty() {
            return Identification::Unidentified { why: self.nearest() };
        }
        let licenses = self.found.into_iter().map(|(_, found)| found).collect();
        if other.is_empty() {
            Identification::Identified { licenses }
        } else {
            Identification::WithOtherText { licenses, other }
        }
    }

    fn nearest(&self) -> Unmatched {
        let known = |index: usize| catalog().known[index].id.clone();
        match (self.spoiled.first(), self.resembles) {
            (Some(passage), _) if passage.score >= NEAR => Unmatched::Like(Nearest {
                id: known(passage.known),
                score: passage.score,
                differs: joined(passage.differs.iter().map(|words| self.lines(words)).collect()),
            }),
            (_, Some((index, share))) if share >= NEAR => {
                Unmatched::Like(Nearest { id: known(index), score: share, differs: Vec::new() })
            }
            _ => Unmatched::Unknown,
        }
    }
}

/// Ranges in order, neighbours made one.
fn joined(mut lines: Vec<Lines>) -> Vec<Lines> {
    lines.sort_unstable();
    let mut joined: Vec<Lines> = Vec::new();
    for next in lines {
        match joined.last_mut() {
            Some(last) if next.first <= last.last + 2 => last.last = last.last.max(next.last),
            _ => joined.push(next),
        }
    }
    joined
}
