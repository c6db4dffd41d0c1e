//! The certificate of the doors: from files that are watched, or made by the local authority of this installation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use gatepost_core::{SecretBytes, World};
use gatepost_net::{Authority, Host, ServerTls};

use crate::app::{App, machine_name, own_name, public_host};
use crate::config::Settings;
use crate::control::Refusal;

/// The authority's place among the sealed secrets of the installation.
const PURPOSE: &str = "local_authority";

/// Its certificate, for people to give to their applications.
const AUTHORITY_FILE: &str = "authority.pem";

/// A certificate of the local authority is made anew so many days before it ends.
const RENEW_DAYS: i64 = 30;

/// What the doors prove themselves with.
pub(crate) struct Certificate {
    pub(crate) tls: ServerTls,
    /// Where the local authority's certificate lies; none where the doors' comes from files.
    pub(crate) authority_file: Option<PathBuf>,
    /// What stands in it.
    pub(crate) authority_text: Option<String>,
    authority: Option<Authority>,
    names: Vec<Host>,
}

/// Opens the one or the other.
pub(crate) async fn open(app: &App) -> Result<Certificate, Refusal> {
    let names = names(&app.settings);
    if let Some(files) = &app.settings.tls {
        let opened = ServerTls::from_files(&files.certificate, &files.key, &app.world);
        let tls = opened.map_err(|error| {
            Refusal::new(format!(
                "the certificate {} with its key {}: {error}. Correct [tls] in the configuration",
                files.certificate.display(),
                files.key.display()
            ))
        })?;
        return Ok(Certificate { tls, authority_file: None, authority_text: None, authority: None, names });
    }
    let failed = |error: &dyn std::fmt::Display| {
        Refusal::new(format!(
            "{error}. Name a certificate with [tls] in the configuration, or restore a backup"
        ))
    };
    let authority = open_authority(app).await?;
    let authority_file = app.data_dir().join(AUTHORITY_FILE);
    // Programs read it in the line of JSON, wherever they run.
    let authority_file = std::path::absolute(&authority_file).unwrap_or(authority_file);
    publish(&authority_file, &authority.certificate_pem()).map_err(|error| {
        Refusal::new(format!(
            "cannot write {}: {error}. Free some space, or choose another data_dir",
            authority_file.display()
        ))
    })?;
    let issued = authority.issue(&names, &app.world).map_err(|error| failed(&error))?;
    let tls = ServerTls::from_issued(&issued, &app.world).map_err(|error| failed(&error))?;
    Ok(Certificate {
        tls,
        authority_file: Some(authority_file),
        authority_text: Some(authority.certificate_pem()),
        authority: Some(authority),
        names,
    })
}

/// The authority of this installation, whichever node made it.
async fn open_authority(app: &App) -> Result<Authority, Refusal> {
    let world = app.world.clone();
    let make = move || {
        let (authority, key) =
            Authority::generate(&world).expect("the system's randomness gives a P-256 key");
        (key, authority.certificate().to_vec())
    };
    let stored = app.keyring.secret(PURPOSE, make).await;
    let (key, certificate): (SecretBytes, Vec<u8>) = stored.map_err(|error| app.refuse(error))?;
    Authority::from_stored(&certificate, &key).map_err(|error| {
        Refusal::new(format!(
            "{error}. Restore a backup, or name a certificate with [tls] in the configuration"
        ))
    })
}

/// All of it or nothing: an application may read it at any moment.
fn publish(path: &Path, text: &str) -> std::io::Result<()> {
    if std::fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    let unfinished = path.with_extension("pem.new");
    std::fs::write(&unfinished, text)?;
    std::fs::rename(&unfinished, path)
}

/// Every name by which applications may reach this machine, as far as we know them.
fn names(settings: &Settings) -> Vec<Host> {
    let mut names = vec![
        Host::Name("localhost".to_owned()),
        Host::Address(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        Host::Address(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ];
    let (own, machine) = (own_name(settings), machine_name());
    let public = settings.public_url.as_deref().and_then(public_host);
    for text in [Some(own.as_str()), Some(machine.as_str()), public].into_iter().flatten() {
        if let Ok(host) = text.parse()
            && !names.contains(&host)
        {
            names.push(host);
        }
    }
    // Applications in an office often know an address alone.
    let submission = &settings.submission;
    let (imap, pop3) = (&settings.imap, &settings.pop3);
    let reading = [&imap.starttls, &imap.tls, &pop3.starttls, &pop3.tls].into_iter().flatten();
    let sending = submission.starttls.iter().chain(&submission.tls);
    for listener in sending.chain(reading).chain(&settings.portal.listen) {
        let host = Host::Address(listener.ip());
        if !listener.ip().is_unspecified() && !names.contains(&host) {
            names.push(host);
        }
    }
    names
}

impl Certificate {
    /// A new certificate of the local authority before the present one ends.
    pub(super) fn renew(&self, world: &World) {
        let Some(authority) = &self.authority else { return };
        if self.tls.info().days_left(world.now()) > RENEW_DAYS {
            return;
        }
        match authority.issue(&self.names, world) {
            Ok(issued) => match self.tls.install(&issued) {
                Ok(()) => tracing::info!(not_after = %self.tls.info().not_after, "new certificate in use"),
                Err(error) => tracing::error!(%error, "the new certificate cannot be used"),
            },
            Err(error) => tracing::error!(%error, "the local authority cannot make a new certificate"),
        }
    }

    /// Says once what is wrong with it (OP-9).
    pub(super) fn warn(&self) {
        for warning in self.tls.warnings() {
            tracing::warn!("{warning}");
        }
    }
}
