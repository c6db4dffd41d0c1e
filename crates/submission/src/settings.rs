//! Figures that an installation may set, each with a safe default.

use std::path::PathBuf;
use std::time::Duration;

use gatepost_core::Domain;

use crate::SendingCaps;

/// How this door behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the server calls itself in the greeting and in Received.
    pub host_name: Domain,
    /// The largest message, in bytes as the client sends it, dots and ends not counted (SS-8).
    pub max_message_bytes: u64,
    /// Recipients of one message (SS-9). RFC 5321 §4.5.3.1.8 wants at least 100.
    pub max_recipients: usize,
    /// Messages that are read at the same moment, in all. Each takes up to 400 KiB of memory.
    pub max_letters_at_once: usize,
    /// How much one app password may send (SS-20).
    pub caps: SendingCaps,
    /// What is kept free on the disk (QS-5).
    pub keep_free: KeepFree,
    /// How long things may take.
    pub spans: Spans,
}

/// Space that letters must leave on the disk, for everything else that has to go on.
#[derive(Clone, Debug)]
pub struct KeepFree {
    /// Any folder on the disk that fills.
    pub folder: PathBuf,
    /// Percent of that disk; twice the largest message is kept free in any case.
    pub percent: u8,
}

/// How long things may take (SS-11).
#[derive(Clone, Debug)]
pub struct Spans {
    /// The TLS handshake behind STARTTLS.
    pub handshake: Duration,
    /// From the greeting to a successful sign-in.
    pub sign_in: Duration,
    /// Waiting for a command. RFC 5321 §4.5.3.2.7: at least 5 minutes.
    pub command: Duration,
    /// A message may come this much later than its pace demands.
    pub body_grace: Duration,
    /// The pace of a message, on average.
    pub body_bytes_per_second: u32,
    /// One message, however large.
    pub body_longest: Duration,
    /// A message that is being read when the program stops may still take this long (OP-10).
    pub stopping: Duration,
    /// What a wrong sign-in costs (AP-10), and each mistake beyond the tenth (SS-12).
    pub penalty: Duration,
}

impl Settings {
    /// The defaults, for a server of this name whose letters fill the disk of this folder.
    #[must_use]
    pub fn new(host_name: Domain, folder: PathBuf) -> Self {
        Self {
            host_name,
            max_message_bytes: 35 << 20,
            max_recipients: 500,
            max_letters_at_once: 1_000,
            caps: SendingCaps::default(),
            keep_free: KeepFree { folder, percent: 5 },
            spans: Spans::default(),
        }
    }
}

impl Default for Spans {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            sign_in: Duration::from_secs(60),
            command: Duration::from_secs(300),
            body_grace: Duration::from_secs(60),
            body_bytes_per_second: 500,
            body_longest: Duration::from_secs(2 * 60 * 60),
            stopping: Duration::from_secs(30),
            penalty: Duration::from_secs(1),
        }
    }
}
