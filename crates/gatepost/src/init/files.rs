//! The files of a new installation.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::config::{DatabasePlace, KeyPlace, Settings};
use crate::control::Refusal;

/// What was not there before, and goes again if anything is refused.
#[derive(Default)]
pub(super) struct Fresh(Vec<PathBuf>);

impl Fresh {
    /// Notes what an installation consists of, as far as it is not there.
    pub(super) fn note_all(&mut self, config: &Path, settings: &Settings) {
        let data_dir = &settings.data_dir;
        let mut places =
            vec![config.to_owned(), data_dir.clone(), data_dir.join("lock"), settings.bodies.clone()];
        if let DatabasePlace::Sqlite(file) = &settings.database {
            for ending in ["", "-wal", "-shm"] {
                let mut name = file.clone().into_os_string();
                name.push(ending);
                places.push(name.into());
            }
        }
        if let Some(KeyPlace::File(path)) = &settings.master_key {
            places.push(path.clone());
        }
        self.0.extend(places.iter().filter_map(|path| outermost_missing(path)));
    }

    pub(super) fn remove(&self) {
        for path in &self.0 {
            // Some were never made, and some went with their folder.
            let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        }
    }
}

/// The path itself, or the folder above it that has to be made first; none if it is there.
fn outermost_missing(path: &Path) -> Option<PathBuf> {
    path.ancestors()
        .take_while(|it| !it.as_os_str().is_empty() && it.symlink_metadata().is_err())
        .last()
        .map(Path::to_owned)
}

/// The configuration that a new installation begins with.
pub(super) fn configuration_text(data: Option<&Path>) -> Result<String, Refusal> {
    let data = match data {
        None => "data".to_owned(),
        Some(data) => {
            let absolute = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
            let refuse = || {
                Refusal::new(format!(
                    "{}: the name of the data folder must be UTF-8 text. Choose another",
                    data.display()
                ))
            };
            absolute.to_str().ok_or_else(refuse)?.to_owned()
        }
    };
    let data = toml::Value::String(data);
    Ok(format!(
        r#"# Gatepost. Relative paths begin at the folder of this file. Every key can also come from the environment:
# GATEPOST_SUBMISSION_STARTTLS for the key starttls of [submission].

# Database, letters, control socket.
data_dir = {data}
# Opens all secrets in the database. Keep a copy of this file in another place.
master_key_file = "gatepost.key"
# The address under which applications and people reach this machine; links begin with it, and its host stands in the
# certificate. Needed once the portal listens where others reach it; else links begin with http://localhost:8025.
# public_url = "https://gatepost.example.org"

# The pages for people: on this machine alone, or with "0.0.0.0:8443" for everybody, by TLS with the certificate below.
[portal]
listen = "127.0.0.1:8025"

# Where applications send: with STARTTLS, and with TLS from the first byte.
[submission]
starttls = "0.0.0.0:587"
tls = "0.0.0.0:465"

# Where mail programs and other applications read mailboxes, by IMAP and by POP3: with STARTTLS, and with TLS from the first
# byte. Without these, nobody reads through this machine.
# [imap]
# starttls = "0.0.0.0:143"
# tls = "0.0.0.0:993"
# [pop3]
# starttls = "0.0.0.0:110"
# tls = "0.0.0.0:995"

# Without these, a small authority of this installation makes the certificate, and applications must trust
# authority.pem in the data folder.
# [tls]
# certificate = "/etc/gatepost/certificate.pem"
# key = "/etc/gatepost/certificate.key"
"#
    ))
}

/// Writes a file that is not there yet: all of it or nothing, readable by its owner alone (it may come to hold the
/// password of a database).
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), Refusal> {
    let mut unfinished = path.to_owned().into_os_string();
    unfinished.push(format!(".new-{}", std::process::id()));
    let unfinished = PathBuf::from(unfinished);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok::<_, io::Error>(renameat_with(CWD, &unfinished, CWD, path, RenameFlags::NOREPLACE)?)
    })();
    written.map_err(|error| {
        let _ = std::fs::remove_file(&unfinished);
        Refusal::new(format!(
            "cannot write {}: {error}. Choose a folder that this user may write in",
            path.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ReadingSettings;

    #[test]
    fn the_doors_for_reading_are_closed_at_first_and_open_once_the_signs_before_them_are_gone() {
        let Ok(text) = configuration_text(None) else { panic!("there is nothing to refuse") };
        let settings = |text: &str| {
            Settings::from_text(Path::new("/etc/gatepost/gatepost.toml"), text, [])
                .unwrap_or_else(|it| panic!("{it}"))
        };
        let first = settings(&text);
        let n_doors = |it: &ReadingSettings| (it.starttls.len(), it.tls.len());
        assert_eq!([n_doors(&first.imap), n_doors(&first.pop3)], [(0, 0); 2]);
        let is_setting = |line: &&str| line.starts_with('[') || line.contains(" = \"");
        let switched_on: Vec<&str> =
            text.lines().map(|line| line.strip_prefix("# ").filter(is_setting).unwrap_or(line)).collect();
        let open = settings(&switched_on.join("\n"));
        assert_eq!([n_doors(&open.imap), n_doors(&open.pop3)], [(1, 1); 2]);
    }
}
