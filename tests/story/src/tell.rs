//! Printing: one short line for each thing that happens, in columns, plain
//! ASCII, so that it reads the same in a terminal, a log and a pipe.

use std::io::Write as _;

use jiff::{Timestamp, tz::TimeZone};
use muster::clock::Clock;

/// What a line is about: a sign for the eye and a word beside it.
#[derive(Debug, Clone, Copy)]
pub enum Sign<'a> {
    /// A repository lacks nothing.
    Ok,
    /// Something is missing.
    Missing,
    /// Skipped by rule.
    Skipped,
    /// Could not be told.
    Unknown,
    /// Muster did something on GitHub: the verb.
    Did(&'a str),
    /// Muster does not act, or not yet.
    Waits,
    /// A person, or GitHub itself, did something.
    Person(&'a str),
    /// What is noticed besides.
    Note,
}

impl Sign<'_> {
    fn column(self) -> String {
        match self {
            Sign::Ok => "+ ok".to_owned(),
            Sign::Missing => "x missing".to_owned(),
            Sign::Skipped => "- skipped".to_owned(),
            Sign::Unknown => "? unknown".to_owned(),
            Sign::Did(verb) => format!("> {verb}"),
            Sign::Waits => "~ waits".to_owned(),
            Sign::Person(name) => format!("* {name}"),
            Sign::Note => "= so".to_owned(),
        }
    }
}

/// Where the story is told: standard output.
#[derive(Debug, Clone)]
pub struct Teller {
    clock: Clock,
    zone: TimeZone,
}

impl Teller {
    /// Tells the time of `clock` as it is in `zone`.
    pub fn new(clock: Clock, zone: TimeZone) -> Teller {
        Teller { clock, zone }
    }

    /// A new chapter, which leads up to this moment.
    pub fn chapter(&self, to: Timestamp, title: &str) {
        let when = to.to_zoned(self.zone.clone()).strftime("%A, %B %-d, %H:%M").to_string();
        self.plain(&format!("\n== {when} == {title}"));
    }

    /// One thing that happened; `repository` without its owner.
    pub fn line(&self, sign: Sign<'_>, repository: &str, text: &str) {
        let (now, sign) = (self.clock.now(), sign.column());
        let when = self.moment(now, now);
        self.plain(&format!("{when}  {sign:<9}  {repository:<15}  {text}"));
    }

    /// One thing that is so in many repositories, which are named below.
    pub fn lines(&self, sign: Sign<'_>, repositories: &[String], text: &str) {
        self.line(sign, &format!("{} of them", repositories.len()), text);
        let mut row = String::new();
        for name in repositories {
            if row.len() + name.len() > 60 {
                self.below(&std::mem::take(&mut row));
            }
            row.push_str(if row.is_empty() { "" } else { ", " });
            row.push_str(name);
        }
        self.below(&row);
    }

    /// A line that belongs to the one above.
    pub fn below(&self, text: &str) {
        self.plain(&format!("{:39}{text}", ""));
    }

    /// A line as it is. Who reads may go away: the story goes on.
    pub fn plain(&self, text: &str) {
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    /// When Muster looks again, short.
    pub fn until(&self, at: Timestamp) -> String {
        self.moment(at, self.clock.now())
    }

    /// A moment: `Wed 09:00`, with the date if that is further off.
    fn moment(&self, at: Timestamp, now: Timestamp) -> String {
        let format = match at.duration_since(now).as_hours() / 24 {
            ..6 => "%a %H:%M",
            6..90 => "%a %b %-d, %H:%M",
            90.. => "%b %-d, %Y",
        };
        at.to_zoned(self.zone.clone()).strftime(format).to_string()
    }
}
