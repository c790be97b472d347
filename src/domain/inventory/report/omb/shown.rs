//! The numbers as lines: a part, what is counted, and the count or the words.

use super::{Attestation, BTreeMap, Omb, Said, plain, say};

const NOT_MEASURED: &str = "not measured";

/// One line.
struct Line {
    part: &'static str,
    what: String,
    value: String,
}

impl Omb {
    fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut line =
            |part, what: &str, value: String| lines.push(Line { part, what: what.to_owned(), value });
        let code = &self.code;
        const COUNTED: &str = "Code that is counted";
        line(COUNTED, "Public repositories", code.public.to_string());
        line(COUNTED, "Private and internal repositories", code.not_public.to_string());
        line(COUNTED, "Not counted: left out by a rule of the policy", code.excluded.to_string());
        line(COUNTED, "Not counted: no code", code.out_of_scope.to_string());
        line(COUNTED, "Not counted: national security systems", code.beyond.to_string());
        line(COUNTED, "Not counted: could never be read", code.unknown.to_string());
        line(COUNTED, "Of all these, entries of the import", code.imported.to_string());
        const REUSE: &str = "Reuse, SHARE IT Act §3(d)(2)(A)(i)";
        line(REUSE, "Forks", self.reuse.forks.to_string());
        line(REUSE, "Repositories that were forked", self.reuse.forked.to_string());
        let counted = |count: Option<u64>| count.map_or_else(|| NOT_MEASURED.to_owned(), |n| n.to_string());
        line(REUSE, "Clones in the fiscal year", counted(self.reuse.clones));
        line(REUSE, "Views of pages in the fiscal year", counted(self.reuse.views));
        line(REUSE, "Repositories whose clones and views were measured", self.measured());
        const MAINTAINED: &str = "Maintained, §3(d)(2)(A)(ii)";
        for (word, count) in &self.maintenance {
            line(MAINTAINED, &format!("Repositories: {word}"), said(*count));
        }
        const FEEDBACK: &str = "Feedback mechanism, §3(d)(2)(A)(iii)";
        line(FEEDBACK, "Repositories with one", self.feedback.stated.to_string());
        line(FEEDBACK, "Repositories without one", self.feedback.none.to_string());
        const EXEMPT: &str = "Exemptions in the fiscal year, §3(d)(2)(A)(iv) and §4(b)";
        let exempt = &self.exemptions;
        line(EXEMPT, "Granted under §4(a)(2)", clauses(&exempt.discretionary));
        line(EXEMPT, "Automatic, §4(a)(1)", clauses(&exempt.automatic));
        line(EXEMPT, "Of M-16-21 alone", exempt.policy.to_string());
        line(EXEMPT, "In classified annexes, kept elsewhere", exempt.annex.to_string());
        line(EXEMPT, "Requested and not decided, today", exempt.requested.to_string());
        line(EXEMPT, "Denied, today", exempt.denied.to_string());
        line(EXEMPT, "Granted without a confirmed approval, not counted", exempt.not_counted.to_string());
        const CONTRACTS: &str = "Contract numbers, §2(5)";
        line(CONTRACTS, "Repositories that state one", said(self.contracts.stated));
        line(CONTRACTS, "Repositories that state there is none", said(self.contracts.none));
        line(CONTRACTS, "Repositories that do not say", self.contracts.not_said.to_string());
        const DUTIES: &str = "Policies of the agency, as its policy file declares them";
        for one in &self.attestations {
            line(DUTIES, one.what, attested(one));
        }
        const RELEASED: &str = "Released as open source, M-16-21 §5.1 (historical)";
        let share = self.released.per_mille.map_or_else(
            || "nothing to count".to_owned(),
            |share| {
                let (open, of) = (self.released.open_source, self.released.of);
                format!("{}.{} % ({open} of {of} repositories)", share / 10, share % 10)
            },
        );
        line(RELEASED, "Share by projects", share);
        line(RELEASED, "The pilot of 20 % a year", "expired on 2019-08-08".to_owned());
        const ADDRESSES: &str = "Addresses for Data.gov";
        match &self.addresses {
            Some(addresses) => {
                for (what, address) in ["code.json", "agency-index.json"].iter().zip(addresses) {
                    line(ADDRESSES, what, format!("{address} (not checked)"));
                }
            }
            None => {
                line(ADDRESSES, "code.json and agency-index.json", "not set: MUSTER_PUBLIC_URL".to_owned())
            }
        }
        lines
    }

    /// What clones and views rest on.
    fn measured(&self) -> String {
        let of = self.code.public + self.code.not_public;
        let Some(measured) = self.reuse.measured else { return format!("0 of {of}") };
        let gaps = match measured.with_gaps {
            0 => String::new(),
            some => format!("; days are missing for {some}"),
        };
        format!("{} of {of}, from {} on{gaps}", measured.repositories, measured.from)
    }

    /// A row of headings, then one for each number.
    #[must_use]
    pub fn rows(&self) -> Vec<Vec<String>> {
        let headings = ["agency", "fiscal_year", "as_of", "part", "what", "value"].map(str::to_owned);
        let row = |line: Line| {
            let year = self.fiscal_year.to_string();
            let (part, as_of) = (line.part.to_owned(), self.as_of_day.to_string());
            vec![self.agency.clone(), year, as_of, part, line.what, line.value]
        };
        std::iter::once(headings.to_vec()).chain(self.lines().into_iter().map(row)).collect()
    }

    /// For people.
    #[must_use]
    pub fn markdown(&self) -> String {
        let (agency, year) = (plain(&self.agency), self.fiscal_year);
        let mut out = format!("# Source code of {agency}: numbers for OMB, fiscal year {year}\n\n");
        say(
            &mut out,
            format_args!(
                "As of {}. Exemptions, clones and views are those of {} to {}; every other number is of the day above.\n",
                self.as_of_day,
                year.first(),
                year.last()
            ),
        );
        if self.as_of_day <= year.last() {
            out.push_str("The fiscal year is not over: exemptions, clones and views are still to come.\n");
        }
        out.push_str("This report names no repository. `muster report exemptions` has the narratives.\n");
        let mut part = "";
        for line in self.lines() {
            if line.part != part {
                part = line.part;
                say(&mut out, format_args!("\n## {part}\n\n"));
            }
            say(&mut out, format_args!("- {}: {}\n", line.what, plain(&line.value)));
        }
        out
    }
}

fn said(count: Said) -> String {
    match count.by_default {
        0 => count.repositories.to_string(),
        some => format!("{}, of these {some} by the agency's default", count.repositories),
    }
}

fn clauses(counts: &BTreeMap<&'static str, usize>) -> String {
    let all: usize = counts.values().sum();
    let each: Vec<String> = counts.iter().map(|(clause, count)| format!("{clause} {count}")).collect();
    if each.is_empty() { all.to_string() } else { format!("{all} ({})", each.join(", ")) }
}

fn attested(one: &Attestation) -> String {
    const NOT_STATED: &str = "not stated";
    let Some(url) = &one.url else { return NOT_STATED.to_owned() };
    let adopted = one.adopted.map_or_else(|| NOT_STATED.to_owned(), |day| day.to_string());
    let checked = match &one.link {
        Some(link) => {
            let found = if link.found { "found" } else { "not found" };
            format!("{found} ({}, {})", link.says, link.checked_at)
        }
        None => "not checked".to_owned(),
    };
    if one.dated {
        format!("{url}, adopted {adopted}, link {checked}")
    } else {
        format!("{url}, link {checked}")
    }
}
