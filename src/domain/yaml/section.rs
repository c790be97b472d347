//! Reading a tree key by key, so that one pass finds every problem.
//!
//! A [`Cursor`] is a value with its key; each of its readers gives the value
//! in the type asked for, or notes a [`Problem`] and gives `None`. A
//! [`Section`] hands out the cursors of its keys and, when finished, names the
//! keys that nobody asked for.

use std::{cell::RefCell, collections::BTreeMap, ops::RangeInclusive};

use jiff::civil::Date;

use super::{
    document::{Node, Value},
    problem::{At, Problem, nearest, quoted},
};
use crate::domain::untrusted::is_treacherous;

/// How many problems of a file are told; who has more is no help with more.
pub(in crate::domain) const MAX_PROBLEMS: usize = 100;

/// The problems found so far.
#[derive(Debug, Default)]
pub(in crate::domain) struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    /// The value, if no problem was found; else all of them by place.
    pub(in crate::domain) fn settle<T>(self, value: T) -> Result<T, Vec<Problem>> {
        let mut problems = self.0.into_inner();
        if problems.is_empty() {
            return Ok(value);
        }
        problems.sort_by(|a, b| (a.line, a.column, &a.key).cmp(&(b.line, b.column, &b.key)));
        if let Some(first) = problems.get(MAX_PROBLEMS) {
            let place = At { line: first.line, column: first.column };
            let more = format!("has {} more problems from here on", problems.len() - MAX_PROBLEMS);
            let more = place.problem("", more, "correct those above and look again");
            problems.truncate(MAX_PROBLEMS);
            problems.push(more);
        }
        Err(problems)
    }
}

/// A value, its place and its key.
#[derive(Debug, Clone)]
pub(in crate::domain) struct Cursor<'a> {
    node: &'a Node,
    pub(in crate::domain) key: String,
    problems: &'a Problems,
}

impl<'a> Cursor<'a> {
    pub(in crate::domain) fn root(node: &'a Node, problems: &'a Problems) -> Self {
        Self { node, key: String::new(), problems }
    }

    pub(in crate::domain) fn at(&self) -> At {
        self.node.at
    }

    /// Whether the value is one of the three spellings of `off`.
    pub(in crate::domain) fn is_off(&self) -> bool {
        match &self.node.value {
            Value::Boolean(value) => !value,
            Value::Text(text) => text == "off",
            Value::Null | Value::Integer(_) | Value::Float(_) | Value::List(_) | Value::Map(_) => false,
        }
    }

    /// Whether the value is a single one that is not a section in any reading.
    pub(in crate::domain) fn is_scalar(&self) -> bool {
        match &self.node.value {
            Value::Boolean(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => true,
            Value::Null | Value::List(_) | Value::Map(_) => false,
        }
    }

    /// Whether nothing is written there, as happens when all lines beneath a key
    /// are commented out.
    pub(in crate::domain) fn is_empty(&self) -> bool {
        matches!(self.node.value, Value::Null)
    }

    /// Notes a problem with this value.
    pub(in crate::domain) fn problem<T>(
        &self,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Option<T> {
        self.problems.0.borrow_mut().push(self.at().problem(&self.key, message, remedy));
        None
    }

    /// What is asked about this value, without refusing the file for it.
    pub(in crate::domain) fn question(&self, message: &str, remedy: &str) -> Problem {
        self.at().problem(&self.key, message, remedy)
    }

    fn mismatch<T>(&self, wanted: &str, remedy: impl Into<String>) -> Option<T> {
        match &self.node.value {
            Value::Null => self.problem("has no value", "write one or delete the key"),
            Value::Boolean(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Map(_) => self.problem(format!("is {}, not {wanted}", self.node.value.kind()), remedy),
        }
    }

    /// A section. One with nothing under it is empty, as happens when all of
    /// its lines are commented out.
    pub(in crate::domain) fn section(&self) -> Option<Section<'a>> {
        let entries: &[(Node, Node)] = match &self.node.value {
            Value::Map(entries) => entries,
            Value::Null => &[],
            Value::Boolean(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) | Value::List(_) => {
                return self.mismatch("a section", "write `key: value` lines under it");
            }
        };
        let mut section = Section { cursor: self.clone(), entries: BTreeMap::new(), known: Vec::new() };
        for (key, value) in entries {
            let Value::Text(name) = &key.value else {
                let problem = key.at.problem(
                    &self.key,
                    format!("has a key that is {}, not a name", key.value.kind()),
                    "write a name, in quotes if need be",
                );
                self.problems.0.borrow_mut().push(problem);
                continue;
            };
            if let Some((first, _)) = section.entries.get(name.as_str()) {
                let problem = key.at.problem(
                    &self.join(name),
                    format!("is there twice, first in line {}", first.line),
                    "keep one of them",
                );
                self.problems.0.borrow_mut().push(problem);
                continue;
            }
            section.entries.insert(name, (key.at, value));
        }
        Some(section)
    }

    fn join(&self, name: &str) -> String {
        // A key of the file in a message is as untrusted as a value.
        let plain = !name.is_empty()
            && name.len() <= 40
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
        let name = if plain { name.to_owned() } else { quoted(name) };
        if self.key.is_empty() { name } else { format!("{}.{name}", self.key) }
    }

    /// One line of text: not blank, at most `max` bytes, without control
    /// characters.
    pub(in crate::domain) fn text(&self, max: usize) -> Option<&'a str> {
        self.text_or(max, "put it in quotes")
    }

    fn text_or(&self, max: usize, remedy: &str) -> Option<&'a str> {
        let Value::Text(text) = &self.node.value else {
            return self.mismatch("a text", remedy);
        };
        if text.trim().is_empty() {
            self.problem("is empty", "write a text or delete the key")
        } else if text.len() > max {
            self.problem(format!("has {} bytes", text.len()), format!("write at most {max}"))
        } else if text.trim() != text || text.chars().any(is_treacherous) {
            self.problem(
                format!("is {}, with white space around it or invisible characters", quoted(text)),
                "write it on one line without them",
            )
        } else {
            Some(text)
        }
    }

    /// A text that `accept` finds good; `remedy` says what that is.
    pub(in crate::domain) fn text_if(
        &self,
        max: usize,
        accept: impl Fn(&str) -> bool,
        remedy: &str,
    ) -> Option<String> {
        let text = self.text_or(max, remedy)?;
        if accept(text) {
            Some(text.to_owned())
        } else {
            self.problem(format!("is {}", quoted(text)), remedy)
        }
    }

    /// A whole number in a range.
    pub(in crate::domain) fn number(&self, range: RangeInclusive<u32>) -> Option<u32> {
        let remedy = format!("write a whole number from {} to {}", range.start(), range.end());
        match self.node.value {
            Value::Integer(number) => match u32::try_from(number) {
                Ok(number) if range.contains(&number) => Some(number),
                Ok(_) | Err(_) => self.problem(format!("is {number}"), remedy),
            },
            Value::Float(number) => self.problem(format!("is {number}"), remedy),
            Value::Null | Value::Boolean(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
                self.mismatch("a number", remedy)
            }
        }
    }

    /// A number of GitHub's, by which it knows a repository or an account.
    pub(in crate::domain) fn id(&self) -> Option<u64> {
        const REMEDY: &str = "write GitHub's number, without quotes";
        match self.node.value {
            Value::Integer(number) => match u64::try_from(number) {
                Ok(number) if (1..=i64::MAX.unsigned_abs()).contains(&number) => Some(number),
                Ok(_) | Err(_) => self.problem(format!("is {number}"), REMEDY),
            },
            Value::Float(number) => self.problem(format!("is {number}"), REMEDY),
            Value::Null | Value::Boolean(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
                self.mismatch("a number", REMEDY)
            }
        }
    }

    /// `true` or `false`; YAML 1.1's other spellings are refused, since half
    /// of the world's parsers read them as texts.
    pub(in crate::domain) fn boolean(&self) -> Option<bool> {
        match self.node.value {
            Value::Boolean(value) => Some(value),
            Value::Null
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Map(_) => self.mismatch("true or false", "write true or false"),
        }
    }

    /// One of a set of names; `false` stands for a name that is `off`.
    pub(in crate::domain) fn choice<T: Copy>(&self, all: &[T], name: fn(T) -> &'static str) -> Option<T> {
        let names = || all.iter().map(|&choice| name(choice));
        let listed = format!("write one of {}", names().collect::<Vec<_>>().join(", "));
        let text = match &self.node.value {
            Value::Boolean(false) if names().any(|name| name == "off") => "off",
            Value::Text(text) => text,
            Value::Null
            | Value::Boolean(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::List(_)
            | Value::Map(_) => return self.mismatch("a name", listed),
        };
        let found = all.iter().copied().find(|&choice| name(choice) == text);
        found.or_else(|| match nearest(text, names()) {
            Some(near) => {
                self.problem(format!("is {}", quoted(text)), format!("did you mean \"{near}\"? {listed}"))
            }
            None => self.problem(format!("is {}", quoted(text)), listed),
        })
    }

    /// A calendar day.
    pub(in crate::domain) fn date(&self) -> Option<Date> {
        let remedy = "write a day as 2026-03-01";
        let Value::Text(text) = &self.node.value else { return self.mismatch("a day", remedy) };
        // `Date` reads more spellings than the contract has.
        let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        match text.parse() {
            Ok(date) if plain => Some(date),
            Ok(_) | Err(_) => self.problem(format!("is {}", quoted(text)), remedy),
        }
    }

    /// A list of at most `max` values, each read by `item`, none twice. Items
    /// with problems are left out; the file is refused anyway.
    pub(in crate::domain) fn list<T: PartialEq>(
        &self,
        max: usize,
        item: impl Fn(&Cursor<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Value::List(nodes) = &self.node.value else {
            return self.mismatch("a list", "write it in brackets, as [one, two]");
        };
        if nodes.len() > max {
            return self.problem(format!("has {} entries", nodes.len()), format!("write at most {max}"));
        }
        let mut list = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            let cursor = Cursor { node, key: format!("{}[{index}]", self.key), problems: self.problems };
            match item(&cursor) {
                Some(value) if list.contains(&value) => {
                    cursor.problem::<()>("is there twice", "keep one of them");
                }
                Some(value) => list.push(value),
                None => {}
            }
        }
        Some(list)
    }
}

/// The keys of a section.
#[derive(Debug)]
pub(in crate::domain) struct Section<'a> {
    cursor: Cursor<'a>,
    entries: BTreeMap<&'a str, (At, &'a Node)>,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The value of a key, if it is there; the key is known from now on.
    pub(in crate::domain) fn get(&mut self, name: &'static str) -> Option<Cursor<'a>> {
        self.known.push(name);
        let (_, node) = self.entries.remove(name)?;
        Some(Cursor { node, key: self.cursor.join(name), problems: self.cursor.problems })
    }

    /// Reads a key into its place; what is absent or wrong leaves the default.
    pub(in crate::domain) fn read<T>(
        &mut self,
        name: &'static str,
        target: &mut T,
        read: impl FnOnce(&Cursor<'a>) -> Option<T>,
    ) {
        if let Some(value) = self.get(name).and_then(|cursor| read(&cursor)) {
            *target = value;
        }
    }

    /// As [`Section::read`], for a key without a default.
    pub(in crate::domain) fn read_some<T>(
        &mut self,
        name: &'static str,
        target: &mut Option<T>,
        read: impl FnOnce(&Cursor<'a>) -> Option<T>,
    ) {
        self.read(name, target, |cursor| read(cursor).map(Some));
    }

    /// Reads a key that has to be there.
    pub(in crate::domain) fn require<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Cursor<'a>) -> Option<T>,
    ) -> Option<T> {
        match self.get(name) {
            Some(cursor) => read(&cursor),
            None => self.cursor.problem(format!("has no {name}"), format!("write `{name}:` under it")),
        }
    }

    /// Reads a key that is a section of its own.
    pub(in crate::domain) fn within(&mut self, name: &'static str, read: impl FnOnce(&mut Section<'a>)) {
        if let Some(mut section) = self.get(name).and_then(|cursor| cursor.section()) {
            read(&mut section);
            section.finish();
        }
    }

    /// Refuses keys that are part of the contract, but not of this version.
    pub(in crate::domain) fn not_yet(&mut self, names: &[&'static str]) {
        for name in names {
            if let Some((at, _)) = self.entries.remove(name) {
                let key = self.cursor.join(name);
                let problem = at.problem(&key, "is not supported yet by this version", "delete it for now");
                self.cursor.problems.0.borrow_mut().push(problem);
            }
        }
    }

    /// Notes a problem with the section as a whole.
    pub(in crate::domain) fn problem(&self, message: impl Into<String>, remedy: impl Into<String>) {
        self.cursor.problem::<()>(message, remedy);
    }

    /// Refuses every key that was not asked for.
    pub(in crate::domain) fn finish(self) {
        for (name, (at, _)) in &self.entries {
            let remedy = match nearest(name, self.known.iter().copied()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("known here: {}", self.known.join(", ")),
            };
            let problem = at.problem(&self.cursor.join(name), "unknown key", remedy);
            self.cursor.problems.0.borrow_mut().push(problem);
        }
    }
}
