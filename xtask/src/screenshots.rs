//! Pictures of every page.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context as _;

/// Builds what is there and lets a browser picture every page that `tests/harness/pages.rs` lists, as
/// `FOLDER/PAGE-wide-light.png` and so on. Pictures of pages that are gone stay.
pub(crate) fn run(root: &Path, folder: Option<&String>) -> anyhow::Result<ExitCode> {
    crate::packages::install(root)?;
    let folder = folder.map_or_else(|| root.join("target/screenshots"), Into::into);
    let folder = std::path::absolute(&folder).with_context(|| format!("cannot find {}", folder.display()))?;
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["test", "--package", "gatepost", "--test", "gallery", "--locked", "--quiet"])
        .current_dir(root)
        .env("SCREENSHOTS", &folder)
        .status()
        .context("cargo does not start")?;
    if !status.success() {
        return Ok(ExitCode::FAILURE);
    }
    println!("The pictures lie in {}", folder.display());
    Ok(ExitCode::SUCCESS)
}
