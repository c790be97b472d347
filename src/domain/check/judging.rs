//! Judging the files of one pull request, and putting in words what came of it.

use code_json::{
    check::{self, Severity},
    document::{Document, Limits},
    schema::Published,
    validate::{Choice, Options, validate},
};
use jiff::civil::Date;

use super::{Annotation, Becomes, Changed, Conclusion, Depth, Proposal, Verdict, Watched, is_policy};
use crate::domain::{
    outgoing::{Line, PublicText},
    policy::{self, Policy, Problem, Wish},
    repository::{EntryKind, FileText, Visibility},
    words::{self, check as say},
};

/// The most annotations of one check run: who has more wrong is told the number.
pub(super) const MOST: usize = 500;

/// What was found in one file.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    errors: u64,
    warnings: u64,
    hints: u64,
}

impl Counts {
    fn add(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Hint => self.hints += 1,
        }
    }
}

pub(super) struct Judging<'p> {
    proposal: &'p Proposal,
    depth: Depth,
    counts: Vec<(Watched, Counts)>,
    /// What belongs to no line, or could not be told.
    notes: Vec<String>,
    annotations: Vec<Annotation>,
    /// How many annotations there was no room for.
    more: u64,
}

impl<'p> Judging<'p> {
    pub(super) fn of(proposal: &'p Proposal, depth: Depth) -> Judging<'p> {
        let (counts, notes, annotations) = (Vec::new(), Vec::new(), Vec::new());
        Judging { proposal, depth, counts, notes, annotations, more: 0 }
    }

    fn visibility(&self) -> Visibility {
        self.proposal.repository.visibility
    }

    pub(super) fn file(&mut self, changed: &Changed, policy: &Policy, today: Date) {
        let file = changed.file;
        self.counts.push((file, Counts::default()));
        let path = file.path();
        let text = match &changed.becomes {
            Becomes::Nothing => return self.removed(file),
            Becomes::Other(EntryKind::Submodule) => return self.wrong(file, words::file::submodule(path)),
            Becomes::Other(EntryKind::Link) => return self.wrong(file, words::file::link(path)),
            Becomes::Other(EntryKind::File | EntryKind::Folder) => {
                return self.wrong(file, say::no_file(path));
            }
            Becomes::File(FileText::Binary) => return self.wrong(file, words::file::binary(path)),
            Becomes::File(FileText::LfsPointer) => return self.wrong(file, words::file::lfs_pointer(path)),
            Becomes::File(FileText::TooLarge(bytes)) => {
                return self.wrong(file, words::file::too_large(path, *bytes));
            }
            Becomes::File(FileText::Unread(why)) => return self.untold(words::file::unread(path, why)),
            Becomes::File(FileText::Text(text)) => text,
        };
        match file {
            Watched::Record if self.depth == Depth::Whole => self.record(text, policy, today),
            Watched::Record => self.form_of_record(text),
            Watched::Settings if is_policy(&self.proposal.repository) => {
                self.settings(Policy::parse(text).err().unwrap_or_default());
            }
            Watched::Settings => {
                let wish = Wish::parse(text);
                let problems = match self.depth {
                    Depth::Form => wish.err(),
                    Depth::Whole => wish.and_then(|wish| policy.for_repository(&wish)).err(),
                };
                self.settings(problems.unwrap_or_default());
            }
        }
    }

    /// The pull request takes the file away.
    fn removed(&mut self, file: Watched) {
        match (file, self.depth) {
            // That it is asked for is the policy's word.
            (Watched::Record, Depth::Form) => {}
            (Watched::Record, Depth::Whole) => self.wrong(file, say::RECORD_REMOVED.to_owned()),
            (Watched::Settings, _) => {
                self.count(file, Severity::Warning);
                self.notes.push(say::POLICY_REMOVED.to_owned());
            }
        }
    }

    /// Something is wrong with the whole file.
    fn wrong(&mut self, file: Watched, note: String) {
        self.count(file, Severity::Error);
        self.notes.push(note);
    }

    /// Something is not known, which holds nothing up.
    fn untold(&mut self, note: String) {
        self.notes.push(note);
    }

    fn record(&mut self, text: &str, policy: &Policy, today: Date) {
        let named = Published::named(policy.rules.code_json.schema.as_str());
        let schema = named.map_or(Choice::Auto, Choice::Published);
        let options = Options { schema, today: Some(today), limits: Limits::default() };
        for problem in validate(text.as_bytes(), &options).problems {
            let check::Problem { check, place, found, write, .. } = problem;
            let message = format!("{}: {found}. {write}", check.title);
            self.mark(Watched::Record, place.line, check.severity, "code.json", &message);
        }
    }

    fn form_of_record(&mut self, text: &str) {
        let mut mark = |line, (summary, remedy): (String, String)| {
            let message = format!("{summary} {remedy}");
            self.mark(Watched::Record, line, Severity::Error, "code.json", &message);
        };
        match Document::read(text.as_bytes(), &Limits::default()) {
            Err(fault) => mark(fault.place.line, words::code_json::fault(&fault.kind)),
            Ok(document) => {
                for slip in document.slips() {
                    if let Some(said) = words::code_json::slip(&slip.kind) {
                        mark(document.place(slip.span.start).line, said);
                    }
                }
            }
        }
    }

    fn settings(&mut self, problems: Vec<Problem>) {
        for Problem { line, key, message, remedy, .. } in problems {
            let key = if key.is_empty() { "file" } else { &key };
            let message = format!("{key}: {message}; {remedy}");
            self.mark(Watched::Settings, line, Severity::Error, "muster.yml", &message);
        }
    }

    fn mark(&mut self, file: Watched, line: u32, severity: Severity, title: &'static str, message: &str) {
        self.count(file, severity);
        if self.annotations.len() == MOST {
            self.more += 1;
            return;
        }
        let message = PublicText::about(self.visibility()).verbatim(message);
        self.annotations.push(Annotation { file, line: line.max(1), severity, title, message });
    }

    fn count(&mut self, file: Watched, severity: Severity) {
        if let Some((_, counts)) = self.counts.iter_mut().find(|(known, _)| *known == file) {
            counts.add(severity);
        }
    }

    pub(super) fn verdict(self, wanted: policy::Conclusion) -> Verdict {
        let mut all = Counts::default();
        for (_, counts) in &self.counts {
            all.errors += counts.errors;
            all.warnings += counts.warnings;
            all.hints += counts.hints;
        }
        let conclusion = match wanted {
            policy::Conclusion::Failure if all.errors > 0 => Conclusion::Failure,
            policy::Conclusion::Failure | policy::Conclusion::Neutral => {
                let nothing = all.errors + all.warnings + all.hints == 0 && self.notes.is_empty();
                if nothing { Conclusion::Success } else { Conclusion::Neutral }
            }
        };
        let title = Line::of(&say::title(all.errors, all.warnings, all.hints));
        let summary = self.summary();
        Verdict { conclusion, title, summary, annotations: self.annotations }
    }

    fn summary(&self) -> PublicText {
        let mut text = PublicText::about(self.visibility()).say(say::LOOKED).say("\n\n").say(say::TABLE);
        for (file, counts) in &self.counts {
            text = text.say("| ").code(file.path());
            for count in [counts.errors, counts.warnings, counts.hints] {
                text = text.say(" | ").number(count);
            }
            text = text.say(" |\n");
        }
        for note in &self.notes {
            text = text.say("\n- ").sentence(note);
        }
        if !self.notes.is_empty() {
            text = text.say("\n");
        }
        if !self.annotations.is_empty() {
            text = text.say("\n").say(say::MARKED).say("\n");
        }
        if self.more > 0 {
            text = text.say("\n").say(say::MORE).number(self.more).say(".\n");
        }
        if self.depth == Depth::Form {
            text = text.say("\n").say(say::FORM_ONLY).say("\n");
        }
        if !self.proposal.told_all {
            text = text.say("\n").say(say::MANY_FILES).say("\n");
        }
        text
    }
}
