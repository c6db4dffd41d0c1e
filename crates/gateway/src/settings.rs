//! Figures that an installation may set, each with a safe default.

use std::time::Duration;

use gatepost_core::Network;

/// How these doors behave.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Open sessions of one app password, by IMAP and by POP3 (MP-12).
    pub sessions_per_app_password: [u32; 2],
    /// Who is not counted, by each of them. This machine never is.
    pub exempt_networks: [Vec<Network>; 2],
    /// How long things may take.
    pub spans: Spans,
}

/// How long things may take (MP-11).
#[derive(Clone, Debug)]
pub struct Spans {
    /// The TLS handshake behind STARTTLS or STLS.
    pub handshake: Duration,
    /// From the greeting, or from the last answer to a sign-in, to the next one.
    pub sign_in: Duration,
    /// Without a byte by IMAP. RFC 9051 §5.4 wants 30 minutes, and clients renew IDLE just before that.
    pub imap_idle: Duration,
    /// The same by POP3. RFC 1939 §3: at least 10 minutes.
    pub pop3_idle: Duration,
    /// A side that takes nothing, or stops within a line.
    pub stuck: Duration,
    /// Waiting for a place at a provider that somebody is just leaving.
    pub place: Duration,
    /// What a wrong sign-in costs (AP-10), and each mistake beyond the tenth.
    pub penalty: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sessions_per_app_password: [20; 2],
            exempt_networks: [const { Vec::new() }; 2],
            spans: Spans::default(),
        }
    }
}

impl Default for Spans {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            sign_in: Duration::from_secs(60),
            imap_idle: Duration::from_mins(35),
            pop3_idle: Duration::from_mins(11),
            stuck: Duration::from_mins(5),
            place: Duration::from_secs(3),
            penalty: Duration::from_secs(1),
        }
    }
}
