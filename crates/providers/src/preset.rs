//! Presets: what is filled in for a mail account of a known provider.

use std::sync::LazyLock;

use gatepost_core::{Domain, TlsMode};

use crate::DataError;
use crate::preset_file;

/// All presets, sorted by their words.
#[derive(Debug)]
pub struct Presets(Vec<Preset>);

/// One provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// What commands and rows call it, for example `google_workspace`.
    pub word: String,
    /// What people call it, for example "Google Workspace".
    pub name: String,
    /// Which catalogue rules speak of it; several providers may be of one kind (Gmail and Workspace are `google`).
    pub kind: String,
    /// The domains whose mailboxes live there.
    pub domains: Vec<Domain>,
    /// What its user names look like.
    pub user_name: UserNameRule,
    /// Where it takes letters, best first. Empty for custom hosts and the sandbox: their servers are given with the account.
    pub smtp: Vec<SmtpServer>,
    /// How fast and how much at once.
    pub limits: Limits,
}

/// What a provider wants as user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserNameRule {
    /// The mailbox's address.
    Address,
    /// The sign-in name of the organisation, which mostly equals the address (Microsoft 365).
    PrincipalName,
    /// Whatever the provider told its customer.
    Any,
}

/// One server that takes letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpServer {
    /// Its name. Zoho's contains `{dc}`, which stands for the region's ending.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How encryption begins there; never without.
    pub tls: TlsMode,
}

/// What one mailbox may do there. Empty: not limited by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at the same time.
    pub n_connections: u32,
    /// Messages in any minute.
    pub n_messages_per_minute: Option<u32>,
    /// Recipients of one transaction.
    pub n_recipients_per_transaction: u32,
    /// The largest message in bytes, as it goes on the wire.
    pub max_message_bytes: Option<u64>,
}

impl Limits {
    /// For hosts that nothing is known about: no rate, and 20 connections.
    ///
    /// RFC 5321 §4.5.3.1.8: a server takes at least 100 recipients.
    pub const UNKNOWN_HOST: Self = Self {
        n_connections: 20,
        n_messages_per_minute: None,
        n_recipients_per_transaction: 100,
        max_message_bytes: None,
    };
}

impl Presets {
    /// The presets that were compiled in.
    #[must_use]
    pub fn embedded() -> &'static Self {
        static PRESETS: LazyLock<Presets> = LazyLock::new(|| {
            Presets::from_toml(include_str!("../data/presets.toml"))
                .expect("the embedded data is loaded by a test")
        });
        &PRESETS
    }

    /// Reads presets, and refuses them if a key or a value is not as it should be.
    pub fn from_toml(text: &str) -> Result<Self, DataError> {
        preset_file::read(text).map(Self)
    }

    /// The preset of this word.
    #[must_use]
    pub fn find(&self, word: &str) -> Option<&Preset> {
        self.0.iter().find(|it| it.word == word)
    }

    /// The provider where all mailboxes of this domain live.
    #[must_use]
    pub fn find_by_domain(&self, domain: &str) -> Option<&Preset> {
        self.0.iter().find(|it| it.domains.iter().any(|have| have.as_str().eq_ignore_ascii_case(domain)))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Preset> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_presets_are_whole() {
        let presets = Presets::embedded();
        for word in [
            "gmail",
            "google_workspace",
            "google_workspace_relay",
            "microsoft365",
            "outlook_com",
            "yahoo",
            "aol",
            "icloud",
            "fastmail",
            "zoho",
            "mandrill",
            "sandbox",
            "custom",
        ] {
            let it = presets.find(word).unwrap_or_else(|| panic!("{word}"));
            assert!(!it.name.is_empty());
            let is_given_with_the_account = matches!(word, "custom" | "sandbox");
            assert_eq!(it.smtp.is_empty(), is_given_with_the_account, "{word}");
        }
        assert_eq!(presets.iter().count(), 13);
    }

    #[test]
    fn servers_and_figures_are_the_providers_own() {
        let gmail = Presets::embedded().find("gmail").unwrap();
        assert_eq!(
            gmail.smtp[0],
            SmtpServer { host: "smtp.gmail.com".into(), port: 465, tls: TlsMode::Implicit }
        );
        assert_eq!((gmail.kind.as_str(), gmail.user_name), ("google", UserNameRule::Address));
        let microsoft = Presets::embedded().find("microsoft365").unwrap();
        assert_eq!(microsoft.smtp[0].tls, TlsMode::StartTls);
        assert_eq!(microsoft.user_name, UserNameRule::PrincipalName);
        let limits = Limits {
            n_connections: 2,
            n_messages_per_minute: Some(25),
            n_recipients_per_transaction: 90,
            max_message_bytes: Some(157_286_400),
        };
        assert_eq!(microsoft.limits, limits);
        assert_eq!(Presets::embedded().find("icloud").unwrap().limits.max_message_bytes, Some(20_000_000));
        for word in ["custom", "sandbox"] {
            assert_eq!(Presets::embedded().find(word).unwrap().limits, Limits::UNKNOWN_HOST);
        }
    }

    #[test]
    fn what_is_inherited_stays_unless_it_is_said_anew() {
        let gmail = Presets::embedded().find("gmail").unwrap();
        let workspace = Presets::embedded().find("google_workspace").unwrap();
        assert_eq!(workspace.smtp, gmail.smtp);
        assert_eq!(workspace.name, "Google Workspace");
        assert!(workspace.domains.is_empty());
    }

    #[test]
    fn a_domain_leads_to_its_provider() {
        for (domain, word) in
            [("gmail.com", Some("gmail")), ("Me.com", Some("icloud")), ("example.org", None)]
        {
            assert_eq!(Presets::embedded().find_by_domain(domain).map(|it| it.word.as_str()), word);
        }
    }

    #[test]
    fn unknown_keys_and_words_are_refused() {
        let good = include_str!("../data/presets.toml");
        let fails = |from: &str, to: &str| {
            assert!(good.contains(from), "{from}");
            let err = Presets::from_toml(&good.replacen(from, to, 1)).unwrap_err();
            std::error::Error::source(&err).map_or_else(|| err.to_string(), ToString::to_string)
        };
        assert!(fails("send_api =", "sendapi =").contains("sendapi"));
        assert!(fails("[retirement]", "[retirements]").contains("retirements"));
        assert!(fails("tls = \"implicit\"", "tls = \"maybe\"").contains("maybe"));
        assert!(fails("username = \"upn\"", "username = \"uppn\"").contains("uppn"));
        assert!(fails("limits = \"icloud\"", "limits = \"iclod\"").contains("iclod"));
        assert!(fails("inherits = \"gmail\"", "inherits = \"gmial\"").contains("gmial"));
        assert!(
            fails("smtp_messages_per_minute = 30", "smtp_messages_a_minute = 30")
                .contains("smtp_messages_a_minute")
        );
    }
}
