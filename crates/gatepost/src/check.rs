//! `gatepost check`: what is wrong with configuration, key, data folder, database, certificate, ports, disk, and the way to
//! providers. It changes nothing.

use std::path::Path;

use gatepost_core::World;
use gatepost_net::{Listener, ServerTls};

use crate::answer::{FindingShown, Level};
use crate::ask::Asking;
use crate::config::{CertificateFiles, Settings};
use crate::control::{Ended, Order, Refusal};
use crate::output::{Output, understand};
use crate::{app, data_dir, master_key};

/// A disk with less than this share free is as good as full: databases need room to clean up.
const LEAST_FREE_PERCENT: u64 = 5;

/// Looks at everything, and says what it finds as it goes.
pub(crate) async fn check(config: Option<&Path>, output: Output, world: &World) -> Result<(), Refusal> {
    let mut findings = Findings { output, n_wrong: 0 };
    let settings = match Settings::load(config) {
        Ok(settings) => settings,
        Err(error) => {
            for line in error.to_string().lines() {
                findings.wrong("configuration", line);
            }
            return findings.end();
        }
    };
    findings.good("configuration", format!("{} is understood", settings.config_file.display()));
    let has_folder = findings.outcome(
        "data folder",
        data_dir::inspect(&settings.data_dir)
            .map(|()| format!("{} is this user's own", settings.data_dir.display())),
    );
    let has_key = findings.outcome(
        "master key",
        master_key::read(settings.master_key.as_ref())
            .map(|found| format!("found, key id {}", found.key.id())),
    );
    if let Some(files) = &settings.tls {
        certificate(&mut findings, files, world);
    }
    let mut server_runs = false;
    if has_folder && has_key {
        disk(&mut findings, &settings);
        server_runs = database(&mut findings, (config, settings.text_hash), world).await;
    }
    portal(&mut findings, &settings);
    closed(&mut findings, &settings);
    ports(&mut findings, &settings, server_runs);
    findings.end()
}

struct Findings {
    output: Output,
    n_wrong: usize,
}

impl Findings {
    fn show(&mut self, it: &FindingShown) {
        self.output.json(it);
        self.output.text(it.text());
        if it.level == Level::Wrong {
            self.n_wrong += 1;
        }
    }

    fn good(&mut self, subject: &str, text: impl Into<String>) {
        self.show(&FindingShown::new(subject, Level::Good, text));
    }

    fn wrong(&mut self, subject: &str, text: impl Into<String>) {
        self.show(&FindingShown::new(subject, Level::Wrong, text));
    }

    /// Whether it is good.
    fn outcome<E: std::fmt::Display>(&mut self, subject: &str, outcome: Result<String, E>) -> bool {
        match outcome {
            Ok(text) => {
                self.good(subject, text);
                true
            }
            Err(error) => {
                self.wrong(subject, error.to_string());
                false
            }
        }
    }

    fn end(&self) -> Result<(), Refusal> {
        match self.n_wrong {
            0 => {
                self.output.text("\nAll is well.");
                Ok(())
            }
            1 => Err(Refusal::new("one thing is wrong: see above")),
            n => Err(Refusal::new(format!("{n} things are wrong: see above"))),
        }
    }
}

fn certificate(findings: &mut Findings, files: &CertificateFiles, world: &World) {
    match ServerTls::from_files(&files.certificate, &files.key, world) {
        Ok(tls) => {
            let info = tls.info();
            let days = info.days_left(world.now());
            let level = if days < 0 { Level::Wrong } else { Level::Good };
            let text = format!("for {}, {days} days left", info.names.join(", "));
            findings.show(&FindingShown::new("certificate", level, text));
            for warning in tls.warnings() {
                findings.show(&FindingShown::new("certificate", Level::Warning, warning));
            }
        }
        Err(error) => {
            let text = format!("{}, {}: {error}", files.certificate.display(), files.key.display());
            findings.wrong("certificate", text);
        }
    }
}

fn disk(findings: &mut Findings, settings: &Settings) {
    let Ok(disk) = rustix::fs::statvfs(&settings.data_dir) else { return };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let percent = disk.f_bavail.saturating_mul(100) / disk.f_blocks.max(1);
    let needed = settings.submission.max_message_bytes.saturating_mul(2);
    let text =
        format!("{} MiB free, {percent} percent of the disk of {}", free >> 20, settings.data_dir.display());
    if percent < LEAST_FREE_PERCENT || free < needed {
        findings.wrong("disk", format!("{text}: letters are refused until some space is freed"));
    } else {
        findings.good("disk", text);
    }
}

/// What only the database and the network can tell, through the running server if there is one. Whether there is.
async fn database(findings: &mut Findings, (config, text_hash): (Option<&Path>, u64), world: &World) -> bool {
    let asking = Asking { config, output: findings.output, world: world.clone() };
    let answered = asking
        .carried(Order::Check(text_hash).into(), |value| {
            findings.show(&understand::<FindingShown>(value)?);
            Ok(())
        })
        .await;
    match answered {
        Ok((_, ended)) => ended == Ended::AtTheServer,
        Err(refusal) => {
            findings.wrong("database", refusal.text);
            false
        }
    }
}

fn portal(findings: &mut Findings, settings: &Settings) {
    match settings.portal_url() {
        Some(url) => findings.good("portal", format!("links begin with {url}")),
        None => {
            let text = format!("nobody can sign in: {}", app::PORTAL_IS_OFF);
            findings.show(&FindingShown::new("portal", Level::Warning, text));
        }
    }
}

/// Sections for reading that open no door.
fn closed(findings: &mut Findings, settings: &Settings) {
    let all = [
        ("imap", &settings.imap, "0.0.0.0:143", "0.0.0.0:993"),
        ("pop3", &settings.pop3, "0.0.0.0:110", "0.0.0.0:995"),
    ];
    for (section, it, starttls, tls) in all {
        if it.is_mentioned && !it.is_open() {
            let text = format!(
                "[{section}] opens no door, so nothing can be read by it: add starttls = \"{starttls}\" or tls = \"{tls}\" below it"
            );
            findings.show(&FindingShown::new("port", Level::Warning, text));
        }
    }
}

/// Must be called inside the runtime.
fn ports(findings: &mut Findings, settings: &Settings, server_runs: bool) {
    let submission = &settings.submission;
    let (imap, pop3) = (&settings.imap, &settings.pop3);
    let reading = [&imap.starttls, &imap.tls, &pop3.starttls, &pop3.tls].into_iter().flatten();
    let sending = submission.starttls.iter().chain(&submission.tls);
    // Held until all are, or one would be free that another has taken.
    let mut held = Vec::new();
    for address in settings.portal.listen.iter().chain(sending).chain(reading) {
        if server_runs {
            findings.good("port", format!("{address} is the running server's"));
        } else {
            match Listener::bind(*address) {
                Ok(listener) => {
                    held.push(listener);
                    findings.good("port", format!("{address} is free"));
                }
                Err(error) => findings
                    .wrong("port", format!("{error}. Stop the program that uses it, or choose another")),
            }
        }
    }
}
