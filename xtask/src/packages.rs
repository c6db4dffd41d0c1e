//! What the tests need beyond Rust: real mail servers, databases, clients and a browser.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

/// Debian packages. Each stands for real software that a test drives.
const DEBIAN: &[&str] = &[
    "postfix",
    "libsasl2-modules",
    "sasl2-bin",
    "dovecot-core",
    "dovecot-imapd",
    "dovecot-lmtpd",
    "dovecot-pop3d",
    "postgresql",
    "libnet-ssleay-perl",
    "swaks",
    "msmtp",
    "curl",
    "isync",
    "fetchmail",
    "getmail6",
    "neomutt",
    "chromium",
    "chromium-driver",
    "faketime",
    "strace",
    "oathtool",
];

/// Installs what is missing: Debian packages as root or with sudo, npm packages inside the tree.
pub(crate) fn install(root: &Path) -> anyhow::Result<()> {
    let missing = missing_packages()?;
    if !missing.is_empty() {
        eprintln!("Installing {}", missing.join(" "));
        install_packages(&missing)?;
    }
    install_npm(&root.join("tests"))
}

fn missing_packages() -> anyhow::Result<Vec<&'static str>> {
    let out =
        Command::new("dpkg-query").args(["-W", "-f=${Package} ${db:Status-Status}\n"]).args(DEBIAN).output();
    let out = out.with_context(|| {
        format!(
            "these tests run on Debian and its relatives. Elsewhere, install by hand: {}",
            DEBIAN.join(" ")
        )
    })?;
    let installed = String::from_utf8_lossy(&out.stdout);
    Ok(missing_in(&installed))
}

/// Those of [`DEBIAN`] without a line `NAME installed`.
fn missing_in(installed: &str) -> Vec<&'static str> {
    DEBIAN
        .iter()
        .copied()
        .filter(|name| !installed.lines().any(|it| it == format!("{name} installed")))
        .collect()
}

fn install_packages(packages: &[&str]) -> anyhow::Result<()> {
    // A test machine shall not begin to take mail on port 25: the tests start Postfix with their own configuration.
    let answer = b"postfix postfix/main_mailer_type select No configuration\n";
    let mut preset = as_root("debconf-set-selections")?.stdin(Stdio::piped()).spawn()?;
    preset.stdin.take().context("the pipe was asked for")?.write_all(answer)?;
    preset.wait()?;

    let install = || -> anyhow::Result<bool> {
        let mut command = as_root("apt-get")?;
        command.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages);
        Ok(command.stdout(std::io::stderr()).status()?.success())
    };
    // The list of packages may be absent or older than what the mirrors still have.
    if !has_package_lists() || !install()? {
        let updated = as_root("apt-get")?.args(["update", "--quiet"]).stdout(std::io::stderr()).status()?;
        ensure!(updated.success(), "apt-get update failed; see above");
        ensure!(install()?, "apt-get install failed; see above");
    }
    Ok(())
}

fn has_package_lists() -> bool {
    let lists = std::fs::read_dir("/var/lib/apt/lists");
    lists.is_ok_and(|mut it| {
        it.any(|entry| entry.is_ok_and(|it| it.file_name().to_string_lossy().contains("_Packages")))
    })
}

/// A command run as root: directly, or through sudo.
fn as_root(program: &str) -> anyhow::Result<Command> {
    let id = Command::new("id").arg("-u").output().context("cannot ask who runs this")?;
    if id.stdout.trim_ascii() == b"0" {
        let mut command = Command::new(program);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        return Ok(command);
    }
    if Command::new("sudo").arg("--version").stdout(Stdio::null()).status().is_err() {
        bail!("installing packages needs root: run `cargo xtask install` once as root, or install sudo");
    }
    let mut command = Command::new("sudo");
    command.args(["DEBIAN_FRONTEND=noninteractive", program]);
    Ok(command)
}

/// Packages of the tests written for Node, exactly as their lock file says.
fn install_npm(folder: &Path) -> anyhow::Result<()> {
    let lock = folder.join("package-lock.json");
    if !lock.exists() {
        return Ok(());
    }
    let done = folder.join("node_modules/.package-lock.json");
    let age = |path: &Path| path.metadata().and_then(|it| it.modified());
    if let (Ok(wanted), Ok(installed)) = (age(&lock), age(&done))
        && installed >= wanted
    {
        return Ok(());
    }
    let status = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder).status();
    ensure!(
        status.context("npm is missing: apt-get install npm")?.success(),
        "npm ci failed in {}",
        folder.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_counts_only_when_it_is_installed() {
        let all: String = DEBIAN.iter().map(|it| format!("{it} installed\n")).collect();
        assert!(missing_in(&all).is_empty());
        assert_eq!(missing_in(&all.replace("swaks installed", "swaks config-files")), ["swaks"]);
        assert_eq!(missing_in(&all.replace("curl installed\n", "")), ["curl"]);
    }
}
