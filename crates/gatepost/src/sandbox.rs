//! `gatepost sandbox`: the sandbox provider alone, in a process of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use gatepost_core::World;
use gatepost_net::BindError;
use gatepost_sandbox::{Lifetime, SandboxError, SandboxReady, SandboxSettings};
use serde::Serialize;

use crate::cli::{Sandbox, SandboxPorts};
use crate::control::Refusal;
use crate::demo_mark;
use crate::output::Output;
use crate::stop;

/// Where a sandbox is found, in the shape that is promised to programs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SandboxShown {
    pub(crate) sandbox_pages: String,
    pub(crate) sandbox_smtp: SocketAddr,
    pub(crate) sandbox_imap: SocketAddr,
    pub(crate) sandbox_pop3: SocketAddr,
    pub(crate) certificate: PathBuf,
    #[serde(skip)]
    pages: SocketAddr,
}

impl From<&SandboxReady> for SandboxShown {
    fn from(ready: &SandboxReady) -> Self {
        Self {
            sandbox_pages: format!("http://{}", ready.pages),
            sandbox_smtp: ready.smtp,
            sandbox_imap: ready.imap,
            sandbox_pop3: ready.pop3,
            certificate: ready.certificate.clone(),
            pages: ready.pages,
        }
    }
}

impl SandboxShown {
    /// Where its pages are, as a socket.
    pub(crate) fn sandbox_pages_address(&self) -> SocketAddr {
        self.pages
    }
}

/// Runs until it is stopped.
pub(crate) async fn sandbox(given: &Sandbox, output: Output, world: &World) -> Result<(), Refusal> {
    let stop = stop::when_asked()?;
    demo_mark::refuse_production(&given.data)?;
    let settings = SandboxSettings {
        data: given.data.clone(),
        pages: loopback(given.ports.sandbox_pages_port, given.free_ports),
        smtp: loopback(given.ports.sandbox_smtp_port, given.free_ports),
        imap: loopback(given.ports.sandbox_imap_port, given.free_ports),
        pop3: loopback(given.ports.sandbox_pop3_port, given.free_ports),
        lifetime: if given.with_demo { Lifetime::WithDemo } else { Lifetime::Unlimited },
    };
    let started = gatepost_sandbox::Sandbox::start(settings, world).await;
    let sandbox = started.map_err(|error| explain(error, &given.data, given.ports))?;
    let shown = SandboxShown::from(sandbox.ready());
    output.json(&shown);
    output.text(format_args!(
        "The sandbox provider is ready. Every address is a mailbox, with the password sandbox.\n\n  Pages        {}\n  SMTP         {} (STARTTLS)\n  IMAP         {} (STARTTLS)\n  POP3         {} (STLS)\n  Authority    {}\n\nctrl-c ends it.",
        shown.sandbox_pages,
        shown.sandbox_smtp,
        shown.sandbox_imap,
        shown.sandbox_pop3,
        shown.certificate.display()
    ));
    sandbox.run(stop).await.map_err(|error| explain(error, &given.data, given.ports))
}

/// An address on this machine alone (OP-14).
pub(crate) fn loopback(port: u16, is_free: bool) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, if is_free { 0 } else { port }).into()
}

fn explain(error: SandboxError, data: &Path, ports: SandboxPorts) -> Refusal {
    match error {
        SandboxError::Bind(error) => {
            let option = ports.options().into_iter().find(|(port, _)| *port == error.address.port());
            busy(&error, option.map_or("--sandbox-pages-port", |(_, option)| option))
        }
        SandboxError::Storage { source, .. } => Refusal::new(format!(
            "cannot write in {}: {source}. Choose another folder with --data",
            data.display()
        )),
        other => Refusal::new(other.to_string()),
    }
}

/// A port that another program has, with the option that moves it (docs/decisions/0006).
pub(crate) fn busy(error: &BindError, option: &str) -> Refusal {
    Refusal::new(format!(
        "{error}. Stop the program that uses it, or choose another with {option} (or --free-ports)"
    ))
}
