//! The files of the project, read once.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::source::Source;

/// Every text file of the tree by its path from the root, with `/` between folders.
#[derive(Default)]
pub(super) struct House {
    files: BTreeMap<String, String>,
    /// Every package that is built on this machine, one a line, as `cargo tree` names it.
    pub(super) built: String,
}

/// Folders that are made, not written.
const MADE: &[&str] = &["target", "node_modules", "demo-data", "corpus", "artifacts", ".git"];

impl House {
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut house = Self::default();
        house.walk(root, "").with_context(|| format!("cannot read {}", root.display()))?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let tree = ["tree", "--workspace", "--locked", "--prefix=none", "--edges=all", "--format={p}"];
        let out =
            Command::new(cargo).args(tree).current_dir(root).output().context("cargo does not start")?;
        ensure!(out.status.success(), "cargo tree: {}", String::from_utf8_lossy(&out.stderr).trim());
        house.built = String::from_utf8(out.stdout)?;
        Ok(house)
    }

    fn walk(&mut self, folder: &Path, prefix: &str) -> std::io::Result<()> {
        for entry in folder.read_dir()? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() && !MADE.contains(&name.as_str()) {
                self.walk(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file() {
                // What is not text has no lines to check, but links may point at it.
                let text = String::from_utf8(std::fs::read(entry.path())?).unwrap_or_default();
                self.files.insert(path, text);
            }
        }
        Ok(())
    }

    /// A house of these files, for tests.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { files, built: String::new() }
    }

    pub(super) fn find(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether there is such a file or folder.
    pub(super) fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty()
            || self.files.contains_key(path)
            || self.files.keys().any(|it| it.starts_with(&folder))
    }

    /// Path and text of all files whose path ends so.
    pub(super) fn ending<'a>(&'a self, end: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .iter()
            .filter(move |(path, _)| path.ends_with(end))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// All Rust files, cut into code, comments and strings.
    pub(super) fn sources(&self) -> impl Iterator<Item = Source<'_>> {
        self.ending(".rs").map(|(path, text)| Source::new(path, text))
    }
}

/// The room that a file lies in: `crates/store/src/lib.rs` lies in `store`.
pub(super) fn room_of(path: &str) -> Option<&str> {
    path.strip_prefix("crates/")?.split('/').next()
}
