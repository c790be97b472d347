//! What a conversion came to, for people.

use std::fmt::Write;

use serde_json::Value;

use super::{Ask, Converted, Row};
use crate::migrate::Reading;

/// Places of a kind that are shown; the others are counted.
const SHOWN: usize = 20;

/// The longest value that is shown, in characters.
const LONGEST: usize = 60;

/// What was changed while reading, what the target cannot say, and what only a
/// person can say; of each kind a few places and how many there are. Nothing
/// that the file holds acts on a terminal.
#[must_use]
pub fn explain(reading: &Reading, converted: &Converted) -> String {
    let mut text = String::new();
    let changes = reading.notes.iter().map(|note| {
        let (record, pointer) = within(&note.pointer);
        (note.change, found(record, pointer, None))
    });
    section(&mut text, "Changed while reading:", changes, |change| format!("It {}:", change.words()));
    let losses = converted.losses.iter();
    let losses = losses.map(|loss| (loss.row, found(loss.record, &loss.pointer, Some(&loss.was))));
    section(&mut text, "Said otherwise, or left out:", losses, |row: Row| {
        format!("{} ({}):", row.about().what, row.about().why)
    });
    let questions = converted.questions.iter();
    let questions = questions.map(|q| (q.ask, found(q.record, &q.pointer, q.was.as_ref())));
    section(&mut text, "Only a person can say:", questions, |ask: Ask| ask.words().to_owned());
    let count = |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    let _ = writeln!(
        text,
        "{} read; {}, {}, {}",
        count(reading.records().count(), "record"),
        count(reading.notes.len(), "change"),
        match converted.losses.len() {
            1 => "1 loss".to_owned(),
            many => format!("{many} losses"),
        },
        count(converted.questions.len(), "question"),
    );
    text
}

/// A pointer into an inventory, as the record's number and the pointer in it.
fn within(pointer: &str) -> (Option<usize>, &str) {
    let list = ["/releases/", "/projects/", "/"].iter().find_map(|list| pointer.strip_prefix(list));
    let (number, rest) = list.map_or(("", ""), |rest| rest.split_at(rest.find('/').unwrap_or(rest.len())));
    match number.parse() {
        Ok(number) => (Some(number), if rest.is_empty() { "the whole entry" } else { rest }),
        Err(_) => (None, pointer),
    }
}

/// One place.
struct Found {
    record: Option<usize>,
    pointer: String,
    was: Option<String>,
    /// How many records have the same there.
    count: usize,
}

fn found(record: Option<usize>, pointer: &str, was: Option<&Value>) -> Found {
    Found { record, pointer: shown(pointer), was: was.map(|was| shown(&was.to_string())), count: 1 }
}

/// The places of each kind, kinds in the order of their first; one line for
/// each pointer.
fn section<K: PartialEq + Copy>(
    text: &mut String,
    title: &str,
    found: impl Iterator<Item = (K, Found)>,
    words: impl Fn(K) -> String,
) {
    let mut groups: Vec<(K, Vec<Found>)> = Vec::new();
    for (kind, found) in found {
        let at = groups.iter().position(|(known, _)| *known == kind).unwrap_or_else(|| {
            groups.push((kind, Vec::new()));
            groups.len() - 1
        });
        match groups[at].1.iter_mut().find(|known| known.pointer == found.pointer) {
            Some(known) => known.count += 1,
            None => groups[at].1.push(found),
        }
    }
    if groups.is_empty() {
        return;
    }
    let _ = writeln!(text, "{title}");
    for (kind, places) in groups {
        let _ = writeln!(text, "  {}", words(kind));
        for place in places.iter().take(SHOWN) {
            let _ = writeln!(text, "    {}", place.line());
        }
        if places.len() > SHOWN {
            let _ = writeln!(text, "    … and {} more places", places.len() - SHOWN);
        }
    }
    text.push('\n');
}

impl Found {
    fn line(&self) -> String {
        let was = self.was.as_ref().map(|was| format!(": {was}")).unwrap_or_default();
        let record = match (self.record, self.count) {
            (Some(record), 1) => format!(" (record {})", record + 1),
            (Some(record), count) => format!(" (record {} and {} more)", record + 1, count - 1),
            (None, _) => String::new(),
        };
        format!("{}{was}{record}", self.pointer)
    }
}

/// A text of the file, cut, with what would act on a terminal made visible.
fn shown(text: &str) -> String {
    let acts = |c: char| c.is_control() || crate::validate::hides(c);
    let mut cut: String = text.chars().take(LONGEST).map(|c| if acts(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        cut.push('…');
    }
    cut
}
