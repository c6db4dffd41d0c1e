//! Recognising the provider of an address.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use gatepost_core::{Domain, EmailAddress, TlsMode};
use gatepost_net::{DialError, Dialer, MailExchanger};

use crate::{Preset, Providers, Server};

/// How long looking for the mail exchanger may take in all.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(3);

/// Looks up who takes the mail of a domain.
pub trait MailExchangers: Send + Sync {
    /// The mail exchangers of a domain, in any order (RFC 5321 §5.1); none if it has none.
    fn mail_exchangers<'a>(
        &'a self,
        domain: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<MailExchanger>, DialError>> + Send + 'a>>;
}

impl MailExchangers for Dialer {
    fn mail_exchangers<'a>(
        &'a self,
        domain: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<MailExchanger>, DialError>> + Send + 'a>> {
        Box::pin(Self::mail_exchangers(self, domain))
    }
}

/// What is known about an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised<'a> {
    /// The provider; the one named `custom` where it is not known.
    pub preset: &'a Preset,
    /// How it was recognised, or why not.
    pub how: How,
    /// The servers to begin with: the provider's, or guesses.
    pub servers: SuggestedServers,
}

/// How a provider was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// All mailboxes of the domain live there.
    Domain,
    /// The domain's mail goes to this host. It was found by look-up: no typed password goes to a host that follows from it
    /// before its name was shown and confirmed (OC-12).
    MailExchanger(String),
    /// Somebody has named it, or one of its servers.
    Named,
    /// The domain's mail goes elsewhere.
    NotKnown,
    /// The name servers did not answer, or there is no network.
    NoAnswer,
}

/// Servers to fill in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuggestedServers {
    /// For sending.
    pub smtp: Option<Server>,
    /// For reading by IMAP.
    pub imap: Option<Server>,
    /// For reading by POP3.
    pub pop3: Option<Server>,
}

impl Providers {
    /// The provider of a mailbox: by its domain at once, else by the domain's mail exchanger within three seconds.
    pub async fn recognise(&self, address: &EmailAddress, names: &dyn MailExchangers) -> Recognised<'_> {
        let domain = address.domain().to_ascii_lowercase();
        if let Some(preset) = self.find_by_domain(&domain) {
            return known(preset, How::Domain, preset.zones.first().map(String::as_str));
        }
        match tokio::time::timeout(LOOK_UP_WITHIN, names.mail_exchangers(&domain)).await {
            Ok(Ok(found)) => self.by_exchangers(&domain, found),
            Ok(Err(DialError::NotFound { .. })) => self.custom(&domain, How::NotKnown),
            Ok(Err(_)) | Err(_) => self.custom(&domain, How::NoAnswer),
        }
    }

    /// The provider of the exchanger that is preferred; several at several providers: the best preference decides.
    fn by_exchangers(&self, domain: &str, mut found: Vec<MailExchanger>) -> Recognised<'_> {
        found.sort_by_key(|it| it.preference);
        for exchanger in &found {
            let host = exchanger.host.trim_end_matches('.').to_ascii_lowercase();
            let matches = self.iter().filter_map(|preset| Some((preset.match_of(&host)?, preset)));
            // The longest ending is the most particular one.
            if let Some(((_, zone), preset)) = matches.max_by_key(|((length, _), _)| *length) {
                return known(preset, How::MailExchanger(host), zone);
            }
        }
        self.custom(domain, How::NotKnown)
    }

    /// What is known of a provider that somebody has named. Nothing where its servers are given with the account.
    #[must_use]
    pub fn named(&self, word: &str) -> Option<Recognised<'_>> {
        let preset = self.find(word).filter(|it| !it.smtp.is_empty())?;
        Some(known(preset, How::Named, preset.zones.first().map(String::as_str)))
    }

    /// The provider to which a server of this name belongs, with that server where it sends. An address names a machine, which
    /// shows no provider.
    ///
    /// Of several providers with the same server it is the one that recommends it, and then the one that takes the mail of
    /// others' domains: mailboxes of its own domains are known by these.
    #[must_use]
    pub fn named_by_server(&self, host: &str) -> Option<Recognised<'_>> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        if host.contains('{') || host.parse::<IpAddr>().is_ok() {
            return None;
        }
        let found = self.iter().filter_map(|preset| {
            let (place, server, zone) = preset.server_named(&host)?;
            Some(((place, !preset.domains.is_empty()), preset, server, zone))
        });
        let (_, preset, server, zone) = found.min_by_key(|(rank, ..)| *rank)?;
        let zone = zone.or_else(|| preset.zones.first().map(String::as_str));
        let mut it = known(preset, How::Named, zone);
        if preset.smtp.contains(server) {
            it.servers.smtp = Some(zone.map_or_else(|| server.clone(), |zone| server.in_zone(zone)));
        }
        Some(it)
    }

    fn custom(&self, domain: &str, how: How) -> Recognised<'_> {
        let preset = self.find("custom").expect("the data has a preset for custom hosts");
        let host: Option<Domain> = format!("mail.{domain}").parse().ok();
        let server =
            |port| host.as_ref().map(|it| Server { host: it.to_string(), port, tls: TlsMode::Implicit });
        let servers = SuggestedServers { smtp: server(465), imap: server(993), pop3: server(995) };
        Recognised { preset, how, servers }
    }
}

impl Preset {
    /// Whether a server of this name is one of its own.
    #[must_use]
    pub fn has_server(&self, host: &str) -> bool {
        self.server_named(&host.trim_end_matches('.').to_ascii_lowercase()).is_some()
    }

    /// Its server of this name: at which place of its list, and in which zone.
    fn server_named(&self, host: &str) -> Option<(usize, &Server, Option<&str>)> {
        [&self.smtp, &self.imap, &self.pop3].into_iter().find_map(|servers| {
            servers.iter().enumerate().find_map(|(place, it)| {
                let in_zone = self.zones.iter().find(|zone| it.in_zone(zone).host == host);
                let zone = in_zone.map(String::as_str);
                (zone.is_some() || it.host == host).then_some((place, it, zone))
            })
        })
    }

    /// How long the ending is by which a mail exchanger's name shows this provider, and the zone it names.
    fn match_of(&self, host: &str) -> Option<(usize, Option<&str>)> {
        let endings = self.mx_suffixes.iter().flat_map(|suffix| {
            let zones = self.zones.iter().map(|zone| (suffix.replace("{zone}", zone), Some(zone.as_str())));
            let plain = (!suffix.contains("{zone}"))
                .then(|| (suffix.clone(), self.zones.first().map(String::as_str)));
            plain.into_iter().chain(zones.filter(|_| suffix.contains("{zone}")))
        });
        let matching = endings.filter(|(ending, _)| {
            host.strip_suffix(ending.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        });
        matching.map(|(ending, zone)| (ending.len(), zone)).max_by_key(|(length, _)| *length)
    }
}

fn known<'a>(preset: &'a Preset, how: How, zone: Option<&str>) -> Recognised<'a> {
    let best = |servers: &[Server]| {
        servers.first().map(|it| zone.map_or_else(|| it.clone(), |zone| it.in_zone(zone)))
    };
    let servers =
        SuggestedServers { smtp: best(&preset.smtp), imap: best(&preset.imap), pop3: best(&preset.pop3) };
    Recognised { preset, how, servers }
}

#[cfg(test)]
mod tests;
