//! Telling a demo's folder from that of an installation that people rely on (OP-14).

use std::path::Path;

use crate::control::Refusal;

/// Stands in a folder that a demo has made.
const MARK: &str = "demo.txt";

/// What an installation has in its folder; its database may be elsewhere.
const REAL: [&str; 3] = ["gatepost.toml", "gatepost.key", "gatepost.db"];

/// Refuses a folder with an installation in it that no demo has made.
pub(crate) fn refuse_production(folder: &Path) -> Result<(), Refusal> {
    if REAL.iter().any(|name| folder.join(name).exists()) && !folder.join(MARK).exists() {
        return Err(Refusal::new(format!(
            "{} holds the data of a real installation, and demo and sandbox keep away from it. Choose another folder with --data",
            folder.display()
        )));
    }
    Ok(())
}

/// Marks a folder as a demo's.
pub(crate) fn mark(folder: &Path) -> std::io::Result<()> {
    let text = "This folder was made by `gatepost demo`. Nothing in it is needed once the demo is over.\n";
    std::fs::write(folder.join(MARK), text)
}
