//! `gatepost demo` and `gatepost sandbox`: everything on loopback.

use std::path::PathBuf;

use clap::Args;

/// `gatepost demo`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  gatepost demo
  gatepost demo --data ~/gatepost-demo --free-ports --json")]
pub struct Demo {
    /// Folder for everything the demo keeps; starting again continues there
    #[arg(long, value_name = "DIR", default_value = "demo-data")]
    pub data: PathBuf,
    /// Port of the portal
    #[arg(long, value_name = "PORT", default_value_t = 8025)]
    pub portal_port: u16,
    /// Port for sending with STARTTLS
    #[arg(long, value_name = "PORT", default_value_t = 1587)]
    pub submission_starttls_port: u16,
    /// Port for sending with TLS from the first byte
    #[arg(long, value_name = "PORT", default_value_t = 1465)]
    pub submission_tls_port: u16,
    /// Port for reading by IMAP with STARTTLS
    #[arg(long, value_name = "PORT", default_value_t = 1143)]
    pub imap_starttls_port: u16,
    /// Port for reading by IMAP with TLS from the first byte
    #[arg(long, value_name = "PORT", default_value_t = 1993)]
    pub imap_tls_port: u16,
    /// Port for reading by POP3 with STLS
    #[arg(long, value_name = "PORT", default_value_t = 1110)]
    pub pop3_starttls_port: u16,
    /// Port for reading by POP3 with TLS from the first byte
    #[arg(long, value_name = "PORT", default_value_t = 1995)]
    pub pop3_tls_port: u16,
    /// Where the sandbox provider listens.
    #[command(flatten)]
    pub sandbox: SandboxPorts,
    /// Let the system choose all ports
    #[arg(long)]
    pub free_ports: bool,
}

/// Ports of the sandbox provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub struct SandboxPorts {
    /// Port of the sandbox provider's pages
    #[arg(long, value_name = "PORT", default_value_t = 8026)]
    pub sandbox_pages_port: u16,
    /// Port of the sandbox provider's SMTP
    #[arg(long, value_name = "PORT", default_value_t = 2587)]
    pub sandbox_smtp_port: u16,
    /// Port of the sandbox provider's IMAP
    #[arg(long, value_name = "PORT", default_value_t = 2143)]
    pub sandbox_imap_port: u16,
    /// Port of the sandbox provider's POP3
    #[arg(long, value_name = "PORT", default_value_t = 2110)]
    pub sandbox_pop3_port: u16,
}

impl SandboxPorts {
    /// Each port with the option that moves it.
    #[must_use]
    pub const fn options(&self) -> [(u16, &'static str); 4] {
        [
            (self.sandbox_pages_port, "--sandbox-pages-port"),
            (self.sandbox_smtp_port, "--sandbox-smtp-port"),
            (self.sandbox_imap_port, "--sandbox-imap-port"),
            (self.sandbox_pop3_port, "--sandbox-pop3-port"),
        ]
    }
}

/// `gatepost sandbox`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  gatepost sandbox --data DIR
  gatepost sandbox --data DIR --free-ports --json")]
pub struct Sandbox {
    /// Its mailboxes are kept in DIR/sandbox
    #[arg(long, value_name = "DIR", default_value = "demo-data")]
    pub data: PathBuf,
    /// Where it listens.
    #[command(flatten)]
    pub ports: SandboxPorts,
    /// Let the system choose all ports
    #[arg(long)]
    pub free_ports: bool,
    /// End when no demo has used it for a minute
    #[arg(long, hide = true)]
    pub with_demo: bool,
}
