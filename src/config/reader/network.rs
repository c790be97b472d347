//! The way to GitHub: the proxy and the authorities of `HTTPS_PROXY`,
//! `NO_PROXY`, `SSL_CERT_FILE` and `SSL_CERT_DIR`, as other programs read them.
//!
//! Promises: (1) authorities are added, never replaced (threats O9); (2) of a
//! proxy's address nothing is shown, since it may hold a password; (3) the name
//! in capitals goes first.

use rustls::pki_types::CertificateDer;

use super::Reader;
use crate::github::network::{Network, is_authority};

impl Reader<'_> {
    /// The way to GitHub, by the variables that other programs go by too.
    pub(in crate::config) fn network(&mut self) -> Option<Network> {
        let of = |names: [&'static str; 2]| names.into_iter().find(|name| self.sources.get(name).is_some());
        let (proxy, except) = (of(["HTTPS_PROXY", "https_proxy"]), of(["NO_PROXY", "no_proxy"]));
        let except = except.and_then(|name| self.sources.get(name)).map_or("", |found| &found.text);
        let through = match proxy {
            None => Some(Network::default()),
            // It may hold a password: nothing of it is shown.
            Some(name) => match Network::default().through(&self.sources.get(name)?.text, except) {
                Ok(network) => Some(network),
                Err(_) => self.problem(
                    name,
                    "is not the address of an HTTP proxy",
                    "write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT",
                ),
            },
        };
        let believed = self.authorities();
        Some(through?.believing(believed?))
    }

    /// The authorities that are believed beside those of the system.
    fn authorities(&mut self) -> Option<Vec<CertificateDer<'static>>> {
        const FILE: &str = "SSL_CERT_FILE";
        const FOLDERS: &str = "SSL_CERT_DIR";
        let mut all = Vec::new();
        if let Some(found) = self.sources.get(FILE) {
            let path = found.path();
            let read = rustls_native_certs::load_certs_from_paths(Some(&path), None);
            if let Some(error) = read.errors.first() {
                let told = format!("names {}, which cannot be used: {error}", path.display());
                return self.problem(FILE, told, "write the path of a file of certificates in PEM form");
            }
            if !read.certs.iter().any(is_authority) {
                let told = format!("names {}, in which no authority's certificate is", path.display());
                return self.problem(FILE, told, "write the path of a file of certificates in PEM form");
            }
            all.extend(read.certs);
        }
        if let Some(found) = self.sources.get(FOLDERS) {
            for folder in std::env::split_paths(&found.text).filter(|path| !path.as_os_str().is_empty()) {
                if let Err(error) = std::fs::read_dir(&folder) {
                    let told = format!("names {}, which cannot be read: {error}", folder.display());
                    return self.problem(FOLDERS, told, "write the paths of folders, separated by colons");
                }
                // Other programs look in it too: what is no certificate is passed over.
                all.extend(rustls_native_certs::load_certs_from_paths(None, Some(&folder)).certs);
            }
        }
        Some(all)
    }
}
