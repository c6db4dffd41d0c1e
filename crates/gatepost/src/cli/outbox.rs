//! `gatepost outbox …`

use clap::{Args, Subcommand, ValueEnum};
use gatepost_core::SubmissionId;

use super::LoginArgs;

/// `gatepost outbox …`
#[derive(Debug, Subcommand)]
pub enum OutboxCommand {
    /// Letters, newest first
    List(OutboxList),
    /// One letter: its recipients, and what the provider said to each attempt
    #[command(before_help = "Examples:\n  gatepost outbox show 01938f6e-0000-7000-8000-000000000000")]
    Show(OneLetter),
    /// By which mail account a letter would leave, why, and whether it would be held. Sends nothing
    #[command(before_help = "Examples:
  gatepost outbox explain --person olga@example.org
  gatepost outbox explain --location \"North branch\" --json")]
    Explain(LoginArgs),
    /// Try at once what is deferred, held or failed
    #[command(before_help = "Examples:\n  gatepost outbox retry 01938f6e-0000-7000-8000-000000000000")]
    Retry(OneLetter),
    /// Keep a letter back until it is released
    #[command(before_help = "Examples:\n  gatepost outbox hold 01938f6e-0000-7000-8000-000000000000")]
    Hold(OneLetter),
    /// Let a letter go that was held by hand
    #[command(before_help = "Examples:\n  gatepost outbox release 01938f6e-0000-7000-8000-000000000000")]
    Release(OneLetter),
    /// Never send what has not been sent yet
    #[command(before_help = "Examples:\n  gatepost outbox cancel 01938f6e-0000-7000-8000-000000000000")]
    Cancel(OneLetter),
}

/// Names one letter.
#[derive(Debug, Args)]
pub struct OneLetter {
    /// Its id, as `list` and the 250 reply show it
    #[arg(value_parser = known_id)]
    pub id: SubmissionId,
}

/// `gatepost outbox list`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  gatepost outbox list
  gatepost outbox list --state held,failed --limit 20
  gatepost outbox list --json")]
pub struct OutboxList {
    /// Only those in this state
    #[arg(long = "state", value_enum, value_delimiter = ',')]
    pub states: Vec<LetterState>,
    /// At most so many, the newest
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
}

/// Where a letter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LetterState {
    /// To be sent now
    Waiting,
    /// To be tried again later
    Deferred,
    /// Kept back until someone acts
    Held,
    /// Taken by the provider
    Sent,
    /// Given up
    Failed,
    /// Stopped by hand
    Cancelled,
}

impl LetterState {
    /// The word of the command line, of JSON and of rows.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Deferred => "deferred",
            Self::Held => "held",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// An id as the list shows it.
fn known_id(text: &str) -> Result<SubmissionId, &'static str> {
    text.parse().map_err(|_| "this is no id: gatepost outbox list shows them")
}
