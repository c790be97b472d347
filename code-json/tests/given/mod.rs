//! Folders that may be given through the environment.

// Each test program uses its part of this.
#![allow(dead_code)]

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

/// The folder a variable names; without it, a line that says so.
pub fn folder(variable: &str) -> Option<PathBuf> {
    match std::env::var_os(variable) {
        Some(path) => Some(path.into()),
        None => {
            println!("{variable}: not given");
            None
        }
    }
}

/// One collected file.
pub struct Collected {
    pub name: String,
    pub bytes: Vec<u8>,
    /// The columns of the list by their headings.
    pub listed: HashMap<String, String>,
}

impl Collected {
    /// The number after `label=` in the column of counts.
    pub fn counted(&self, label: &str) -> Option<usize> {
        let counts = self.listed.get("schema_check")?;
        let (_, after) = counts.split_once(&format!("{label}="))?;
        after.split_whitespace().next()?.parse().ok()
    }
}

/// All collected files, by name.
pub fn corpus(folder: &Path) -> Vec<Collected> {
    let list = fs::read_to_string(folder.join("index.tsv")).unwrap();
    let mut rows = list.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    let headings = rows.next().unwrap();
    let mut files: Vec<_> = rows
        .map(|row| {
            let listed: HashMap<_, _> = headings.iter().cloned().zip(row).collect();
            let name = listed["file"].clone();
            let bytes = fs::read(folder.join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            Collected { name, bytes, listed }
        })
        .collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(files.len() > 100, "only {} files", files.len());
    files
}
