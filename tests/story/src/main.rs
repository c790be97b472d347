//! `cargo demo`: an agency's organization is inspected and put right, on real
//! HTTP, real signatures, real git objects and a real database, within one
//! process.

mod acts;
mod cast;
mod check;
mod end;
mod stage;
mod tell;

use std::{net::SocketAddr, process::ExitCode};

use anyhow::Result;
use clap::Parser;

/// Shows Muster at work on the repositories of an agency, against a GitHub of its own.
///
/// Nothing leaves this machine: the GitHub is a sandbox in the same process, and
/// its clock is moved instead of waiting.
#[derive(Debug, Parser)]
#[command(
    name = "cargo demo",
    override_usage = "cargo demo -- [OPTIONS]",
    after_help = "Examples:\n  cargo demo                   tells the story, then stays up to be played with\n  \
                  cargo demo -- --once         tells the story, checks its end, exits 0 or 1\n  \
                  cargo demo -- --port 8080    Muster on port 8080, the sandbox's pages on 8081"
)]
struct Options {
    /// Tell the story, check its end and exit: 0 if everything is as expected, else 1.
    #[arg(long)]
    once: bool,
    /// The port of Muster; the sandbox's pages get the next one. Free ports if not given.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..65535))]
    port: Option<u16>,
}

impl Options {
    fn listen(&self) -> stage::Listen {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        match self.port {
            Some(port) => stage::Listen { muster: local(port), pages: local(port + 1) },
            None => stage::Listen { muster: local(0), pages: local(0) },
        }
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let (stage, checks) = acts::play(options.listen(), !options.once).await?;
    stage.teller.plain("");
    for failure in &checks.failed {
        stage.teller.plain(&format!("x failed: {failure}"));
    }
    stage.teller.plain(&match checks.failed.len() {
        0 => format!("{} checks passed", checks.passed),
        failed => format!("{} checks passed, {failed} failed", checks.passed),
    });
    if options.once {
        stage.strike().await?;
    } else {
        let (pages, muster) = (stage.github.web_url().to_owned(), stage.address);
        stage.teller.plain(&format!("\nThe sandbox's pages: {pages}/{}", cast::AGENCY));
        stage.teller.plain(&format!("Muster:              http://{muster}/readyz"));
        stage.teller.plain("Merge, close, push on the pages and see what Muster does. Ctrl-C ends it.");
        stage
            .stay(async {
                // Without a signal to wait for there is nothing to stay up for.
                let _ = tokio::signal::ctrl_c().await;
            })
            .await?;
    }
    Ok(if checks.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
