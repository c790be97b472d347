//! The file of a backup: one JSON object a line.
//!
//! The first line says what it is, the last how many lines came before and the
//! SHA-256 of their bytes. A row is `{"TABLE": {COLUMN: VALUE, …}}` in the
//! order of the alphabet; an entry of the ledger is
//! `{"link": {"entry": …, "hash": …, "kind": …, "previous": …, "seq": …}}`,
//! whose hash is that of the same object without `hash`.

use super::{BackedUp, BackupError};
use crate::store::ledger::chain::{Entry, Follower, Linked};
use crate::store::open;
use crate::store::rows::{
    AdoptionRow, CounterRow, ExemptionEventRow, ForksRow, InstallationRow, LinkRow, ListingRow, OpaqueRow,
    OutstandingRow, OwnAnswerRow, OwnFileRow, PauseRow, PolicyRow, RepositoryRow, RolloutRow,
    ServedAccountRow, TrafficPollRow, TrafficRow, TrafficSpanRow,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, Read, Write};

/// The version of the form. A reader knows all before its own.
const VERSION: u32 = 1;
/// The longest line, in bytes. The largest text in one is a policy of 256 KiB.
const LONGEST: u64 = 4 * 1024 * 1024;

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Line {
    /// The first.
    Backup {
        version: u32,
        schema: i64,
        made_at: i64,
    },
    Counter(CounterRow),
    ServedAccount(ServedAccountRow),
    Installation(InstallationRow),
    Repository(RepositoryRow),
    Adoption(AdoptionRow),
    Pause(PauseRow),
    Opaque(OpaqueRow),
    Listing(ListingRow),
    Traffic(TrafficRow),
    TrafficSpan(TrafficSpanRow),
    TrafficPoll(TrafficPollRow),
    Forks(ForksRow),
    OwnFile(OwnFileRow),
    OwnAnswer(OwnAnswerRow),
    Policy(PolicyRow),
    Rollout(RolloutRow),
    Outstanding(OutstandingRow),
    ExemptionEvent(ExemptionEventRow),
    Link(LinkedRow),
    /// The last.
    End {
        lines: u64,
        sha256: String,
    },
}

/// A link with its entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkedRow {
    entry: Option<Entry>,
    /// The entry's number, should the entry itself be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entry_id: Option<i64>,
    hash: String,
    kind: String,
    previous: String,
    seq: i64,
}

impl LinkedRow {
    pub(super) fn of(linked: Linked) -> LinkedRow {
        let Linked { link, entry } = linked;
        LinkedRow {
            entry_id: entry.is_none().then_some(link.entry),
            entry,
            hash: link.hash,
            kind: link.kind,
            previous: link.previous,
            seq: link.seq,
        }
    }

    pub(super) fn linked(self) -> Linked {
        let id = self.entry.as_ref().map(Entry::id).or(self.entry_id).unwrap_or_default();
        let link =
            LinkRow { entry: id, hash: self.hash, kind: self.kind, previous: self.previous, seq: self.seq };
        Linked { link, entry: self.entry }
    }
}

/// Writes the lines.
pub(super) struct Writer<'a> {
    out: &'a mut (dyn Write + Send),
    lines: u64,
    digest: Sha256,
}

impl<'a> Writer<'a> {
    pub(super) fn begin(
        out: &'a mut (dyn Write + Send),
        schema: i64,
        made_at: i64,
    ) -> io::Result<Writer<'a>> {
        let mut writer = Writer { out, lines: 0, digest: Sha256::new() };
        writer.line(&Line::Backup { version: VERSION, schema, made_at })?;
        Ok(writer)
    }

    pub(super) fn line(&mut self, line: &Line) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.digest.update(&bytes);
        self.lines += 1;
        self.out.write_all(&bytes)
    }

    pub(super) fn end(mut self) -> io::Result<()> {
        let sha256 = hexadecimal(&self.digest);
        self.line(&Line::End { lines: self.lines, sha256 })?;
        self.out.flush()
    }
}

/// The digest so far.
fn hexadecimal(digest: &Sha256) -> String {
    hex::encode(digest.clone().finalize())
}

/// Reads the lines, and follows the chain in them.
pub(super) struct Reader<'a> {
    input: &'a mut (dyn BufRead + Send),
    lines: u64,
    digest: Sha256,
    made_at: Timestamp,
    follower: Follower<'a>,
    /// How many entries were ever written, by the counter in the file.
    written: i64,
}

impl<'a> Reader<'a> {
    pub(super) fn begin(
        input: &'a mut (dyn BufRead + Send),
        anchor: Option<&'a str>,
    ) -> Result<Reader<'a>, BackupError> {
        let follower = Follower::new(anchor);
        let (digest, made_at) = (Sha256::new(), Timestamp::UNIX_EPOCH);
        let mut reader = Reader { input, lines: 0, digest, made_at, follower, written: 0 };
        let first = reader.read()?;
        let Line::Backup { version, schema, made_at } = first else {
            return Err(reader.wrong("does not begin a backup of Muster"));
        };
        if version > VERSION || schema > open::known_version() {
            return Err(BackupError::Newer { found: schema, known: open::known_version() });
        }
        reader.made_at =
            Timestamp::from_millisecond(made_at).map_err(|_| reader.wrong("names a time that cannot be"))?;
        Ok(reader)
    }

    fn wrong(&self, problem: impl Into<String>) -> BackupError {
        BackupError::Line { line: self.lines, problem: problem.into() }
    }

    /// The next line as it is.
    fn read(&mut self) -> Result<Line, BackupError> {
        let mut bytes = Vec::new();
        (&mut self.input).take(LONGEST + 1).read_until(b'\n', &mut bytes)?;
        self.lines += 1;
        if bytes.is_empty() {
            return Err(self.wrong("is missing: the file was cut short"));
        }
        if bytes.len() as u64 > LONGEST {
            return Err(self.wrong("is too long to be one of a backup"));
        }
        let line = serde_json::from_slice(&bytes)
            .map_err(|error| self.wrong(format!("is not one of a backup: {error}")))?;
        match &line {
            Line::End { lines, sha256 } => {
                if *lines != self.lines - 1 || *sha256 != hexadecimal(&self.digest) {
                    return Err(self.wrong("does not fit those before: the file was changed"));
                }
            }
            Line::Backup { .. }
            | Line::Counter(_)
            | Line::ServedAccount(_)
            | Line::Installation(_)
            | Line::Repository(_)
            | Line::Adoption(_)
            | Line::Pause(_)
            | Line::Opaque(_)
            | Line::Listing(_)
            | Line::Traffic(_)
            | Line::TrafficSpan(_)
            | Line::TrafficPoll(_)
            | Line::Forks(_)
            | Line::OwnFile(_)
            | Line::OwnAnswer(_)
            | Line::Policy(_)
            | Line::Rollout(_)
            | Line::Outstanding(_)
            | Line::ExemptionEvent(_)
            | Line::Link(_) => self.digest.update(&bytes),
        }
        Ok(line)
    }

    /// The next line with a row; `None` at the end of a file that is whole.
    pub(super) fn next(&mut self) -> Result<Option<Line>, BackupError> {
        let line = self.read()?;
        match &line {
            Line::Backup { .. } => return Err(self.wrong("begins a second backup")),
            Line::Counter(row) if row.name == "chain" => self.written = row.value,
            Line::Counter(_)
            | Line::ServedAccount(_)
            | Line::Installation(_)
            | Line::Repository(_)
            | Line::Adoption(_)
            | Line::Pause(_)
            | Line::Opaque(_)
            | Line::Listing(_)
            | Line::Traffic(_)
            | Line::TrafficSpan(_)
            | Line::TrafficPoll(_)
            | Line::Forks(_)
            | Line::OwnFile(_)
            | Line::OwnAnswer(_)
            | Line::Policy(_)
            | Line::Rollout(_)
            | Line::Outstanding(_)
            | Line::ExemptionEvent(_) => {}
            Line::Link(row) => self.follower.follow(&row.clone().linked()).map_err(BackupError::Broken)?,
            Line::End { .. } => {
                if !self.input.fill_buf()?.is_empty() {
                    self.lines += 1;
                    return Err(self.wrong("comes after the end of the backup"));
                }
                self.follower.whole(self.written).map_err(BackupError::Broken)?;
                return Ok(None);
            }
        }
        Ok(Some(line))
    }

    /// What was read, at the end.
    pub(super) fn backed_up(self) -> BackedUp {
        let (entries, head) = (self.follower.seq(), self.follower.head().to_owned());
        BackedUp { made_at: self.made_at, entries, head, broken: None }
    }
}
