//! The page for whoever opens the evidence in a browser.
//!
//! Promises: (1) it holds no script, loads nothing, and everything that others
//! wrote is escaped (threats I6); (2) its numbers are those of the manifest.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{KEY, Listed, MANIFEST, Manifest, SIGNATURE};
use crate::domain::untrusted::shown;

/// The page about a manifest. `files` are all files but the page itself.
#[must_use]
pub fn page(manifest: &Manifest, as_of: Timestamp, files: &[Listed]) -> String {
    let mut out = String::from(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
    );
    let agency = text(&manifest.agency);
    let mut say = |words: std::fmt::Arguments<'_>| out.write_fmt(words).expect("a String takes everything");
    say(format_args!(
        "<title>Source code inventory of {agency}: evidence</title>\n</head>\n<body>\n<main>\n"
    ));
    say(format_args!("<h1>Source code inventory of {agency}: evidence</h1>\n"));
    match manifest.as_of_day {
        Some(day) => say(format_args!("<p>As it stood at the end of {day} (UTC).</p>\n")),
        None => say(format_args!("<p>As it stood at {as_of}, when Muster last learned something.</p>\n")),
    }
    if manifest.internal {
        say(format_args!("<p><strong>For internal use: this names code that is not public.</strong></p>\n"));
    } else {
        say(format_args!("<p>Code that is not public is counted, and not named.</p>\n"));
    }
    match &manifest.signature {
        Some(signed) => say(format_args!(
            "<p>{SIGNATURE} is the {} signature of {MANIFEST}. Compare the key with the one that the agency \
             gave you: <code>{}</code></p>\n",
            text(&signed.algorithm),
            text(&signed.key)
        )),
        None => say(format_args!(
            "<p>Nobody signed this. Its files agree with each other; who made them is not shown.</p>\n"
        )),
    }
    if !manifest.not_kept.is_empty() {
        let list = manifest.not_kept.join(", ");
        say(format_args!(
            "<p>Not in here, since Muster does not keep it of an earlier day: {list}. The number of the \
             classified annex is today's.</p>\n"
        ));
    }
    say(format_args!(
        "<h2>What was published</h2>\n<table>\n<thead><tr><th scope=\"col\">File</th>\
         <th scope=\"col\">Schema</th><th scope=\"col\">Published</th><th scope=\"col\">Entries</th>\
         <th scope=\"col\">Repositories in the account</th></tr></thead>\n<tbody>\n"
    ));
    for one in &manifest.publications {
        let account = one.account.map_or_else(|| "not kept".to_owned(), |sums| {
            format!(
                "{} listed + {} incomplete + {} exempt + {} excluded by rule + {} out of scope + {} unknown = {}",
                sums.listed, sums.incomplete, sums.exempt, sums.excluded, sums.out_of_scope, sums.unknown, sums.seen
            )
        });
        say(format_args!(
            "<tr><th scope=\"row\"><a href=\"published/{0}\">{0}</a></th><td>{1}</td><td>{2}</td><td>{3}</td>\
             <td>{account}</td></tr>\n",
            one.file, one.schema, one.published_at, one.entries
        ));
    }
    let exempted = &manifest.exemptions;
    say(format_args!(
        "</tbody>\n</table>\n<h2>Exemptions in fiscal year {}</h2>\n<ul>\n\
         <li>Automatic, SHARE IT Act §4(a)(1): {}</li>\n<li>Discretionary, §4(a)(2): {}</li>\n\
         <li>Of M-16-21 alone: {}</li>\n<li>In classified annexes, kept elsewhere: {}</li>\n\
         <li>Granted without a confirmed approval, not counted: {}</li>\n</ul>\n",
        manifest.fiscal_year,
        exempted.automatic,
        exempted.discretionary,
        exempted.policy,
        exempted.annex,
        exempted.not_counted
    ));
    say(format_args!("<h2>What it rests on</h2>\n<ul>\n"));
    let tool = &manifest.tool;
    say(format_args!("<li>Made by {} {}</li>\n", tool.name, text(tool.version)));
    if let Some(policy) = &manifest.policy {
        say(format_args!("<li>Policy ({}): digest <code>{}</code>", policy.source, text(&policy.digest)));
        if let Some(oid) = &policy.oid {
            say(format_args!(", git object <code>{}</code>", text(oid)));
        }
        say(format_args!("</li>\n"));
    }
    for register in &manifest.registers {
        say(format_args!(
            "<li>Register of exemptions of {}: commit <code>{}</code></li>\n",
            text(&register.organization),
            text(&register.commit)
        ));
    }
    let head = manifest.ledger.head.as_deref().unwrap_or("none");
    say(format_args!(
        "<li>Ledger: {} entries, head <code>{}</code></li>\n<li>Commits of {} repositories, in {MANIFEST}; {} more \
         are not named</li>\n</ul>\n",
        manifest.ledger.entries,
        text(head),
        manifest.inputs.repositories.len(),
        manifest.inputs.not_named
    ));
    say(format_args!(
        "<h2>Files</h2>\n<table>\n<thead><tr><th scope=\"col\">File</th><th scope=\"col\">Bytes</th>\
         <th scope=\"col\">SHA-256</th></tr></thead>\n<tbody>\n"
    ));
    for Listed { path, sha256, bytes } in files {
        let path = text(path);
        say(format_args!(
            "<tr><th scope=\"row\"><a href=\"{path}\">{path}</a></th><td>{bytes}</td><td><code>{sha256}</code></td>\
             </tr>\n"
        ));
    }
    say(format_args!(
        "</tbody>\n</table>\n<h2>How to check it</h2>\n\
         <p>Compare the SHA-256 of each file with {MANIFEST}, or let <code>muster evidence verify FILE</code> do \
         it.</p>\n"
    ));
    if manifest.signature.is_some() {
        say(format_args!(
            "<p>To know who made it, take the key that the agency gave you, not {KEY} in here: \
             <code>muster evidence verify FILE --key AGENCY.pub.pem</code>. Without Muster: \
             <code>openssl pkeyutl -verify -pubin -inkey AGENCY.pub.pem -rawin -in {MANIFEST} -sigfile \
             {SIGNATURE}</code>.</p>\n"
        ));
    }
    say(format_args!("</main>\n</body>\n</html>\n"));
    out
}

/// Text of others, in an element or an attribute in quotes.
fn text(untrusted: &str) -> String {
    let mut out = String::with_capacity(untrusted.len());
    for character in shown(untrusted).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}
