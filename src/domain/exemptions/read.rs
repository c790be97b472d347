//! From the tree of a register's file to a [`Register`]: the keys of the
//! contract, and what their values may be.

use std::{cell::RefCell, collections::BTreeMap};

use code_json::record::Usage;
use jiff::civil::Date;

use super::{Class, Consultation, Decision, Exemption, MAX_EXEMPTIONS, Office, Origin, Place, Register};
use crate::domain::{
    repository::{AccountId, RepositoryId},
    yaml::{
        document::Node,
        problem::{At, Problem, nearest, quoted},
        section::{Cursor, Problems, Section},
    },
};

/// The longest narrative, in bytes: one or two sentences.
const REASON: usize = 1_000;
/// The longest citation or name, in bytes.
const TEXT: usize = 200;

/// The names that exempt from something, the strictest first.
fn usages() -> impl Iterator<Item = (&'static str, Usage)> {
    let named = Usage::NAMES.iter().filter_map(|name| Some((*name, Usage::named(name)?)));
    named.filter(|(_, usage)| Class::of(*usage).is_some())
}

pub(super) fn register(root: &Node, place: &Place) -> Result<Register, Vec<Problem>> {
    let problems = Problems::default();
    let questions = RefCell::new(Vec::new());
    let mut register = Register::default();
    if let Some(mut file) = Cursor::root(root, &problems).section() {
        file.read("annex", &mut register.annex, |cursor| cursor.number(0..=1_000_000));
        let mut entries: Vec<(At, Exemption)> = Vec::new();
        file.read("exemptions", &mut entries, |cursor| {
            if cursor.is_empty() {
                return Some(Vec::new());
            }
            let ids = RefCell::new(BTreeMap::new());
            cursor.list(MAX_EXEMPTIONS, |item| {
                entry(item, place, &ids, &questions).map(|exemption| (item.at(), exemption))
            })
        });
        register.exemptions = entries.into_iter().map(|(_, exemption)| exemption).collect();
        file.finish();
    }
    register.questions = questions.into_inner();
    problems.settle(register)
}

fn entry(
    item: &Cursor,
    place: &Place,
    ids: &RefCell<BTreeMap<u64, u32>>,
    questions: &RefCell<Vec<Problem>>,
) -> Option<Exemption> {
    let mut section = item.section()?;
    let id = section.require("id", |cursor| {
        let id = cursor.id()?;
        match ids.borrow_mut().insert(id, cursor.at().line) {
            None => Some(id),
            Some(first) => cursor.problem(
                format!("{id} is there twice, first in line {first}"),
                "keep one of them: a repository has one exemption",
            ),
        }
    });
    let usage = section.require("usage", usage);
    let (mut basis, mut origin, mut consulted) = (None, None, None);
    section.read_some("basis", &mut basis, text);
    section.read_some("origin", &mut origin, |cursor| cursor.choice(&Origin::ALL, Origin::as_str));
    let reason = section.require("reason", |cursor| cursor.text(REASON).map(str::to_owned));
    let requested_by = section.require("requested_by", |cursor| cursor.id().map(AccountId));
    section.read_some("consulted", &mut consulted, consultation);
    let decision = decision(&mut section, requested_by);
    let name = section.get("name").and_then(|cursor| match place.may_name() {
        true => text(&cursor),
        false => cursor.problem(
            "stands in a file that more people can read than the repository",
            "delete it: the id is enough",
        ),
    });
    section.finish();
    let exemption = Exemption {
        id: RepositoryId(id?),
        usage: usage?,
        basis,
        origin,
        reason: reason?,
        requested_by: requested_by?,
        decision: decision?,
        consulted,
        name,
    };
    questions.borrow_mut().extend(asked(item, &exemption));
    Some(exemption)
}

fn usage(cursor: &Cursor) -> Option<Usage> {
    const REMEDY: &str = "write the exemption's name, as exemptByAgencySystem";
    let text = cursor.text(TEXT)?;
    if let Some((_, usage)) = usages().find(|(name, _)| *name == text) {
        return Some(usage);
    }
    if Usage::named(text).is_some_and(|usage| Class::of(usage).is_none()) {
        return cursor.problem(
            format!("{} exempts from nothing", quoted(text)),
            "code that is shared needs no entry: delete it",
        );
    }
    let remedy = match nearest(text, usages().map(|(name, _)| name)) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => REMEDY.to_owned(),
    };
    cursor.problem(format!("{} is no exemption", quoted(text)), remedy)
}

fn text(cursor: &Cursor) -> Option<String> {
    cursor.text(TEXT).map(str::to_owned)
}

fn consultation(cursor: &Cursor) -> Option<Consultation> {
    let mut section = cursor.section()?;
    let body = section.require("body", text);
    let on = section.require("on", Cursor::date);
    section.finish();
    Some(Consultation { body: body?, on: on? })
}

/// The keys of a decision, which stand together or not at all.
fn decision(section: &mut Section, requested_by: Option<AccountId>) -> Option<Decision> {
    let approved_by = section.get("approved_by");
    let denied_by = section.get("denied_by");
    let role = section.get("role");
    let office = role.as_ref().and_then(|cursor| cursor.choice(&Office::ALL, Office::as_str));
    let from = section.get("applied_from");
    let to = section.get("applied_to");
    let denied_on = section.get("denied_on");
    let (first, last) = dates(from.as_ref(), to.as_ref());
    let on = denied_on.as_ref().and_then(Cursor::date);
    let decider = |cursor: &Cursor| {
        let by = cursor.id().map(AccountId)?;
        if Some(by) == requested_by {
            return cursor.problem(
                "is who asked for it",
                "somebody else decides: write who did, or leave the request open",
            );
        }
        Some(by)
    };
    match (&approved_by, &denied_by) {
        (Some(_), Some(denied)) => denied.problem(
            "stands beside approved_by",
            "keep the one that holds; what was granted and ended has applied_to",
        ),
        (Some(approved), None) => {
            let by = decider(approved);
            if let Some(denied_on) = &denied_on {
                denied_on.problem::<()>("stands beside approved_by", "delete it, or write denied_by");
            }
            let office = match &role {
                Some(_) => office,
                None => approved.problem("has no role beside it", "write `role: cio` or `role: delegate`"),
            };
            let first = match &from {
                Some(_) => first,
                None => approved.problem(
                    "has no applied_from beside it",
                    "write the first day on which the exemption applies",
                ),
            };
            Some(Decision::Granted { by: by?, office: office?, from: first?, to: last })
        }
        (None, Some(denied)) => {
            let by = decider(denied);
            let on = match &denied_on {
                Some(_) => on,
                None => denied.problem("has no denied_on beside it", "write the day of the decision"),
            };
            Some(Decision::Denied { by: by?, office, on: on? })
        }
        (None, None) => {
            if let Some(role) = &role {
                role.problem::<()>(
                    "says how, but nobody decided",
                    "write approved_by or denied_by, or delete it",
                );
            }
            if let Some(denied_on) = &denied_on {
                denied_on.problem::<()>("says when, but nobody denied it", "write denied_by, or delete it");
            }
            Some(Decision::Requested)
        }
    }
}

/// The days on which it applies; what is reversed is told at the later key.
fn dates(from: Option<&Cursor>, to: Option<&Cursor>) -> (Option<Date>, Option<Date>) {
    let (first, last) = (from.and_then(Cursor::date), to.and_then(Cursor::date));
    if let (Some(first), Some(last), Some(to)) = (first, last, to)
        && last < first
    {
        to.problem::<()>(format!("is before applied_from, {first}"), "write the later day here");
    }
    (first, last)
}

/// What a valid entry leaves open. The law asks for it; that it is missing does
/// not make the exemption wrong.
fn asked(item: &Cursor, exemption: &Exemption) -> Vec<Problem> {
    let mut asked = Vec::new();
    if exemption.basis.is_none() {
        asked.push(item.question(
            "has no basis",
            "which law does it rest on? Write the citation, as \"5 USC 552(b)(7)(E)\"",
        ));
    }
    if exemption.origin.is_none() {
        asked.push(item.question("has no origin", "who made the code? Write employee, contract or mixed"));
    }
    let granted = exemption.applies().is_some();
    if granted && exemption.class() == Class::Discretionary && exemption.consulted.is_none() {
        asked.push(item.question(
            "has no consultation",
            "was the Federal Privacy Council consulted? Write `consulted: {body: …, on: …}`",
        ));
    }
    asked
}
