//! What goes into the evidence, and in which order.

use anyhow::{Context as _, bail};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;

use super::{
    super::{
        Invocation,
        output::{self, Document, note},
        report::{as_of, exemptions, gaps, known, known::Known, omb, quality},
    },
    facts::{exempted, inputs, known_by, newest, policy, registers, secrets, then},
};
use crate::{
    domain::{
        evidence::{
            Exempted, INDEX, Inputs, KEY, Ledger, Listed, MANIFEST, Manifest, PUBLISHED, PolicyUsed,
            Published as PublishedThen, RegisterUsed, SCHEMA, SIGNATURE, Signed, Tool, page,
            signature::Signer, zip,
        },
        exemptions::report::{FiscalYear, Report, Source},
        inventory::{
            leak::{Mailboxes, Secrets},
            report::states::States,
        },
        policy::Published,
    },
    store::{LedgerEntry, LedgerFilter, Publication},
};

/// How often it is begun again because something changed meanwhile.
const ATTEMPTS: usize = 5;
const REPORTS: &str = "reports/";

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub(super) day: Option<Date>,
    pub(super) year: Option<FiscalYear>,
    pub(super) internal: bool,
}

/// The finished archive.
pub(super) struct Bundle {
    pub(super) slug: String,
    pub(super) as_of: Timestamp,
    pub(super) files: usize,
    pub(super) bytes: Vec<u8>,
}

/// What tells whether the database said something else meanwhile.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stamp {
    /// The newest entry of the ledger.
    pub(super) newest: Option<LedgerEntry>,
    pub(super) publications: Vec<(Published, Publication)>,
}

impl Stamp {
    async fn of(known: &Known) -> anyhow::Result<Stamp> {
        let newest = known.store.ledger(&LedgerFilter::default(), 1).await?.pop();
        Ok(Stamp { newest, publications: gaps::publications(known).await? })
    }
}

/// Gathers everything of one moment, and packs it.
///
/// # Errors
/// Settings, the database, or a text that would tell what is not public.
pub(super) async fn bundle(
    agency: Option<&str>,
    wish: Wish,
    signer: Option<&Signer>,
    invocation: &Invocation,
) -> anyhow::Result<Bundle> {
    for _ in 0..ATTEMPTS {
        let known = known::known(agency, invocation).await?;
        let stamp = Stamp::of(&known).await?;
        let material = Material::gather(&known, wish, &stamp).await?;
        if Stamp::of(&known).await? == stamp {
            return material.pack(&known, wish, signer);
        }
    }
    bail!("the inventory changes faster than it can be read: try again in a minute")
}

/// What was gathered.
struct Material {
    as_of: Timestamp,
    year: FiscalYear,
    exempted: Exempted,
    ledger: Ledger,
    policy: Option<PolicyUsed>,
    registers: Vec<RegisterUsed>,
    publications: Vec<PublishedThen>,
    inputs: Inputs,
    not_kept: Vec<&'static str>,
    secrets: Option<Secrets>,
    files: Vec<(String, Vec<u8>)>,
}

impl Material {
    async fn gather(known: &Known, wish: Wish, stamp: &Stamp) -> anyhow::Result<Material> {
        let (sources, registers) = (known.registers().await?.0, registers(known).await?);
        let as_of = match wish.day {
            Some(day) => known::end_of(day)?,
            None => newest(known, stamp, &registers),
        };
        let day = as_of.to_zoned(TimeZone::UTC).date();
        let year = wish.year.unwrap_or_else(|| FiscalYear::over_by(day));
        let published = known.published(wish.day.map(|_| as_of)).await?;
        let stored = gaps::stored(&stamp.publications);
        let accounts =
            States::of(&known.agency.acronym, &stored, &known.names(wish.internal), wish.internal)?;
        let totals = |file: &str| {
            let found = accounts.files.iter().find(|one| one.file == file);
            found.filter(|_| wish.day.is_none()).map(|one| one.totals)
        };
        let mut material = Material {
            as_of,
            year,
            exempted: Exempted::default(),
            ledger: Ledger {
                entries: stamp.newest.as_ref().map_or(0, |newest| newest.seq),
                head: stamp.newest.as_ref().map(|newest| newest.hash.clone()),
            },
            policy: policy(known, wish.day.map(|_| as_of)),
            registers: Vec::new(),
            publications: Vec::new(),
            inputs: Inputs::default(),
            not_kept: Vec::new(),
            secrets: None,
            files: Vec::new(),
        };
        for (which, file) in &published {
            material.publications.push(then(*which, file, totals(which.file()), stamp)?);
            material.files.push((format!("{PUBLISHED}{}", which.file()), file.body.clone()));
        }
        if !wish.internal {
            material.secrets = Some(secrets(known, &published).await?);
        }
        let register = match wish.day {
            Some(_) => Report::of(year, day, &known_by(as_of, &sources)),
            None => Report::of(year, day, &sources),
        };
        material.exempted = exempted(&register);
        material.exemptions(&register)?;
        let quality = quality::of(known, &published, wish.internal).await?;
        material.three(quality::SCHEMA, "quality", quality.markdown(), quality.rows(), &quality)?;
        if wish.day.is_some() {
            let report = as_of::of(known, day, wish.internal).await?;
            material.three(as_of::SCHEMA, "as-of", report.markdown(), report.rows(), &report)?;
            material.not_kept = vec![
                "account",
                "gaps",
                "numbers for OMB",
                "commits",
                "requests and denials in the registers",
            ];
            if material.policy.is_none() {
                material.not_kept.push("policy");
            }
        } else {
            material.add("account.csv", output::csv_text(accounts.rows()));
            material.json(super::ACCOUNT, "account", &accounts)?;
            let made_public = gaps::made_public(known).await?;
            let gaps = gaps::of(known, &stored, wish.internal.then_some(made_public))?;
            material.three(gaps::SCHEMA, "gaps", gaps.markdown(), gaps.rows(), &gaps)?;
            let omb = omb::of(known, &register).await?;
            material.three(omb::SCHEMA, "omb", omb.markdown(), omb.rows(), &omb)?;
            material.inputs = inputs(known, wish.internal).await?;
            material.registers = registers.into_iter().map(|(used, _)| used).collect();
            material.register(&sources, day, wish.internal)?;
        }
        Ok(material)
    }

    fn add(&mut self, name: &str, text: String) {
        self.files.push((format!("{REPORTS}{name}"), text.into_bytes()));
    }

    /// A document in JSON, of the moment of the facts.
    fn json<T: Serialize>(&mut self, schema: &'static str, name: &str, content: &T) -> anyhow::Result<()> {
        let text = output::pretty(&Document::new(schema, self.as_of, content))?;
        self.add(&format!("{name}.json"), text + "\n");
        Ok(())
    }

    fn three<T: Serialize>(
        &mut self,
        schema: &'static str,
        name: &str,
        markdown: String,
        rows: Vec<Vec<String>>,
        content: &T,
    ) -> anyhow::Result<()> {
        self.add(&format!("{name}.md"), markdown);
        self.add(&format!("{name}.csv"), output::csv_text(rows));
        self.json(schema, name, content)
    }

    fn exemptions(&mut self, register: &Report) -> anyhow::Result<()> {
        use exemptions::shown::{json, markdown, rows};
        let name = format!("exemptions-{}", register.year);
        self.three(exemptions::SCHEMA, &name, markdown(register, true), rows(register), &json(register, true))
    }

    /// The registers themselves: what was granted there with a confirmed
    /// approval; inside also what was asked for, denied or is in doubt.
    fn register(&mut self, sources: &[Source], day: Date, internal: bool) -> anyhow::Result<()> {
        let (lines, not_shown) = super::register::lines(sources, day, internal);
        self.add("register.csv", output::csv_text(super::register::rows(&lines)));
        self.json(super::REGISTER, "register", &super::register::Register { day, internal, lines, not_shown })
    }

    /// Everything in one archive, after a last look at what it tells.
    fn pack(mut self, known: &Known, wish: Wish, signer: Option<&Signer>) -> anyhow::Result<Bundle> {
        self.files.sort();
        let listed = |files: &[(String, Vec<u8>)]| -> Vec<Listed> {
            files.iter().map(|(path, bytes)| Listed::of(path, bytes)).collect()
        };
        let mut manifest = Manifest {
            agency: known.agency.acronym.clone(),
            organizations: known.installations.iter().map(|one| one.login.clone()).collect(),
            internal: wish.internal,
            as_of_day: wish.day,
            not_kept: self.not_kept,
            tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
            policy: self.policy,
            registers: self.registers,
            fiscal_year: self.year,
            exemptions: self.exempted,
            ledger: self.ledger,
            publications: self.publications,
            inputs: self.inputs,
            files: listed(&self.files),
            signature: signer.map(|signer| Signed::by(signer.public())),
        };
        let index = page(&manifest, self.as_of, &manifest.files);
        self.files.insert(0, (INDEX.to_owned(), index.into_bytes()));
        manifest.files = listed(&self.files);
        let text = output::pretty(&Document::new(SCHEMA, self.as_of, &manifest))? + "\n";
        let mut head = vec![(MANIFEST.to_owned(), text.into_bytes())];
        if let Some(secrets) = &self.secrets {
            head.iter().chain(&self.files).try_for_each(|(path, bytes)| look(secrets, path, bytes))?;
        }
        if let Some(signer) = signer {
            head.push((SIGNATURE.to_owned(), signer.sign(&head[0].1)));
            head.push((KEY.to_owned(), signer.public().to_pem().into_bytes()));
        }
        let all = head.iter().chain(&self.files);
        let bytes = zip::write(all.map(|(path, bytes)| (path.as_str(), bytes.as_slice())))
            .context("the evidence cannot be packed")?;
        let files = head.len() + self.files.len();
        Ok(Bundle { slug: known.agency.slug(), as_of: self.as_of, files, bytes })
    }
}

/// Refuses a file that would tell what is not public.
fn look(secrets: &Secrets, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let known = Mailboxes::default();
    let told = if path.ends_with(".json") {
        secrets.look_through_file(bytes, &known)
    } else {
        String::from_utf8_lossy(bytes).lines().try_for_each(|line| secrets.look_at(line, &known))
    };
    let Err(leak) = told else { return Ok(()) };
    note(
        "Look for the name in the policy, and in the reasons of the register. --internal keeps it, for inside.",
    );
    bail!("{path} would tell what is not public: {leak}")
}
