//! Every key of the configuration, once: its section, its name, and what it expects in words.

/// One key.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// Empty for the keys at the top of the file.
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    /// Ends the sentence "… expected".
    pub(super) expects: &'static str,
    /// Whether the value may hold a password and is never shown.
    pub(super) is_secret: bool,
}

impl Key {
    /// As the documentation writes it: `submission.starttls`.
    pub(super) fn full_name(&self) -> String {
        if self.section.is_empty() { self.name.to_owned() } else { format!("{}.{}", self.section, self.name) }
    }

    /// The environment variable that overrules the file: `GATEPOST_SUBMISSION_STARTTLS`.
    pub(super) fn variable(&self) -> String {
        let section = if self.section.is_empty() { String::new() } else { format!("{}_", self.section) };
        format!("{PREFIX}{section}{}", self.name).to_ascii_uppercase()
    }
}

/// Begins the name of every variable that Gatepost reads.
pub(super) const PREFIX: &str = "GATEPOST_";

macro_rules! keys {
    ($($constant:ident: $section:literal, $name:literal, $expects:literal $(, $secret:ident)?;)+) => {
        $(pub(super) const $constant: Key = Key {
            section: $section,
            name: $name,
            expects: $expects,
            is_secret: keys!(@is_secret $($secret)?),
        };)+
        /// All of them, in the order of the documentation.
        pub(super) static ALL: &[Key] = &[$($constant),+];
    };
    (@is_secret secret) => { true };
    (@is_secret) => { false };
}

keys! {
    DATA_DIR: "", "data_dir", r#"the path of a folder, such as "/var/lib/gatepost""#;
    DATABASE_URL: "", "database_url", r#"an address such as "postgres://gatepost@localhost/gatepost" or "sqlite:gatepost.db""#, secret;
    BODIES_URL: "", "bodies_url", r#"the path of a folder, such as "/var/lib/gatepost/bodies""#;
    PUBLIC_URL: "", "public_url", r#"an address such as "https://gatepost.example.org""#;
    MASTER_KEY_FILE: "", "master_key_file", r#"the path of a file, such as "/etc/gatepost/gatepost.key", or "/dev/fd/3" for an inherited pipe"#;
    MASTER_KEY_COMMAND: "", "master_key_command", r#"a list of a program and its arguments, such as ["/usr/bin/pass", "gatepost"]"#;

    PORTAL_LISTEN: "portal", "listen", r#"an address with a port, such as "127.0.0.1:8025", or a list of them"#;
    PORTAL_ADMINISTRATION_NETWORKS: "portal", "administration_networks", r#"a list of networks, such as ["192.168.1.0/24"]"#;
    PORTAL_TRUSTED_PROXIES: "portal", "trusted_proxies", r#"a list of networks, such as ["10.0.0.5"]"#;

    SUBMISSION_STARTTLS: "submission", "starttls", r#"an address with a port, such as "0.0.0.0:587", or a list of them"#;
    SUBMISSION_TLS: "submission", "tls", r#"an address with a port, such as "0.0.0.0:465", or a list of them"#;
    SUBMISSION_HOSTNAME: "submission", "hostname", r#"a host name, such as "mail.example.org""#;
    SUBMISSION_MAX_MESSAGE_BYTES: "submission", "max_message_bytes", "a number of bytes from 65536 to 1073741824";
    SUBMISSION_MAX_RECIPIENTS: "submission", "max_recipients", "a number from 100 to 10000";
    SUBMISSION_CONNECTIONS_TOTAL: "submission", "connections_total", "a number from 10 to 100000";
    SUBMISSION_CONNECTIONS_PER_SOURCE: "submission", "connections_per_source", "a number from 1 to 100000";
    SUBMISSION_NEW_PER_MINUTE: "submission", "new_connections_per_minute", "a number from 1 to 1000000";
    SUBMISSION_EXEMPT: "submission", "exempt_networks", r#"a list of networks, such as ["192.168.1.0/24"]"#;
    SUBMISSION_TRUSTED_PROXIES: "submission", "trusted_proxies", r#"a list of networks, such as ["10.0.0.5"]"#;

    IMAP_STARTTLS: "imap", "starttls", r#"an address with a port, such as "0.0.0.0:143", or a list of them"#;
    IMAP_TLS: "imap", "tls", r#"an address with a port, such as "0.0.0.0:993", or a list of them"#;
    IMAP_CONNECTIONS_TOTAL: "imap", "connections_total", "a number from 10 to 100000";
    IMAP_CONNECTIONS_PER_SOURCE: "imap", "connections_per_source", "a number from 1 to 100000";
    IMAP_CONNECTIONS_PER_APP_PASSWORD: "imap", "connections_per_app_password", "a number from 1 to 100000";
    IMAP_NEW_PER_MINUTE: "imap", "new_connections_per_minute", "a number from 1 to 1000000";
    IMAP_EXEMPT: "imap", "exempt_networks", r#"a list of networks, such as ["192.168.1.0/24"]"#;
    IMAP_TRUSTED_PROXIES: "imap", "trusted_proxies", r#"a list of networks, such as ["10.0.0.5"]"#;

    POP3_STARTTLS: "pop3", "starttls", r#"an address with a port, such as "0.0.0.0:110", or a list of them"#;
    POP3_TLS: "pop3", "tls", r#"an address with a port, such as "0.0.0.0:995", or a list of them"#;
    POP3_CONNECTIONS_TOTAL: "pop3", "connections_total", "a number from 10 to 100000";
    POP3_CONNECTIONS_PER_SOURCE: "pop3", "connections_per_source", "a number from 1 to 100000";
    POP3_CONNECTIONS_PER_APP_PASSWORD: "pop3", "connections_per_app_password", "a number from 1 to 100000";
    POP3_NEW_PER_MINUTE: "pop3", "new_connections_per_minute", "a number from 1 to 1000000";
    POP3_EXEMPT: "pop3", "exempt_networks", r#"a list of networks, such as ["192.168.1.0/24"]"#;
    POP3_TRUSTED_PROXIES: "pop3", "trusted_proxies", r#"a list of networks, such as ["10.0.0.5"]"#;

    TLS_CERTIFICATE: "tls", "certificate", r#"the path of a PEM file, such as "/etc/gatepost/certificate.pem""#;
    TLS_KEY: "tls", "key", r#"the path of a PEM file, such as "/etc/gatepost/certificate.key""#;

    UPSTREAM_HOSTNAME: "upstream", "hostname", r#"a host name, such as "mail.example.org""#;
    UPSTREAM_EXTRA_AUTHORITIES: "upstream", "extra_authorities", r#"a list of PEM files, such as ["/etc/gatepost/company-ca.pem"]"#;
    UPSTREAM_ALLOW_PRIVATE: "upstream", "allow_private_addresses", r#"a list of networks, each with or without a port, such as ["192.168.1.20:587", "10.0.0.0/8"]"#;
    UPSTREAM_RESOLVER: "upstream", "resolver", r#"the address of a name server, such as "192.168.1.1" or "127.0.0.1:5353""#;

    OUTBOX_KEEP_BODIES_FOR: "outbox", "keep_bodies_for", r#"a span such as "24h", "30m" or "7d""#;

    LOG_LEVEL: "log", "level", r#"one of "error", "warn", "info", "debug", "trace""#;
    LOG_FORMAT: "log", "format", r#""human" or "json""#;
}

/// The names of all sections, without the top.
pub(super) fn sections() -> Vec<&'static str> {
    let mut sections: Vec<_> = ALL.iter().map(|key| key.section).filter(|it| !it.is_empty()).collect();
    sections.dedup();
    sections.extend(super::providers::SECTIONS);
    sections
}

/// The names of a section's keys.
pub(super) fn names_in(section: &str) -> Vec<&'static str> {
    ALL.iter().filter(|key| key.section == section).map(|key| key.name).collect()
}
