//! How providers are reached, what we call ourselves there, and how people reach us.

use std::path::PathBuf;
use std::sync::Arc;

use gatepost_accounts::{Arrival, Reach};
use gatepost_core::{Domain, World};
use gatepost_identity::Token;
use gatepost_net::{CertificateError, ClientTls, DialError, Dialer, Guard, Resolver};

use super::App;
use crate::config::Settings;

/// Why providers cannot be reached as the configuration says.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// A file of authorities.
    #[error("extra_authorities: {}: {problem}. Correct the path, or put a PEM file with -----BEGIN CERTIFICATE----- there", .path.display())]
    Authority {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The name server.
    #[error("resolver: {0}. Correct its address")]
    Resolver(#[source] DialError),
    /// TLS could not be set up.
    #[error("TLS towards providers cannot be set up: {0}")]
    Tls(#[source] CertificateError),
}

/// What every connection to a provider needs, as the configuration says.
pub(super) fn open(settings: &Settings, world: &World) -> Result<Reach, ReachError> {
    let upstream = &settings.upstream;
    let resolver = match upstream.resolver {
        Some(server) => Resolver::configured(server).map_err(ReachError::Resolver)?,
        None => Resolver::system(),
    };
    let mut authorities = Vec::new();
    for path in &upstream.extra_authorities {
        let wrong = |problem: String| ReachError::Authority { path: path.clone(), problem };
        let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        // Each alone first, so that the message names the file.
        ClientTls::new(&[&text], world).map_err(|error| wrong(error.to_string()))?;
        authorities.push(text);
    }
    let texts: Vec<&[u8]> = authorities.iter().map(Vec::as_slice).collect();
    let guard = Guard::new(upstream.allow_private_addresses.clone());
    Ok(Reach {
        dialer: Dialer::new(resolver, Arc::new(guard)),
        tls: ClientTls::new(&texts, world).map_err(ReachError::Tls)?,
        own_name: upstream.hostname.clone().unwrap_or_else(|| own_name(settings)),
        arrival: Arrival::default(),
    })
}

/// What this server calls itself: as configured, else the host of `public_url`, else the machine's name.
pub(crate) fn own_name(settings: &Settings) -> Domain {
    let submission = settings.submission.hostname.clone();
    let public = settings.public_url.as_deref().and_then(public_host).and_then(|host| host.parse().ok());
    let machine = || machine_name().parse().ok();
    let name = submission.or(public).or_else(machine);
    name.unwrap_or_else(|| "localhost".parse().expect("localhost is a domain"))
}

/// The name this machine gives itself.
pub(crate) fn machine_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The host of `https://gatepost.example.org:8443`, of `http://[::1]`.
pub(crate) fn public_host(url: &str) -> Option<&str> {
    let authority = url.split_once("://").map(|(_, rest)| rest)?;
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(inside, _)| inside)?,
        None => authority.split(':').next()?,
    };
    Some(host).filter(|host| !host.is_empty())
}

/// Why there are no links, and the cure.
pub(crate) const PORTAL_IS_OFF: &str = "the portal listens nowhere. Add listen = \"127.0.0.1:8025\" under [portal] in the configuration, and start the server again";

impl App {
    /// The address that links to the portal begin with; none where it listens nowhere.
    pub(crate) fn portal_url(&self) -> Option<String> {
        self.portal_door.get().cloned().or_else(|| self.settings.portal_url())
    }

    /// A one-time link that can be opened.
    pub(crate) fn link(&self, token: &Token) -> Option<String> {
        Some(format!("{}/link?token={}", self.portal_url()?, token.reveal()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address_is_found() {
        for (url, host) in [
            ("https://gatepost.example.org", "gatepost.example.org"),
            ("http://192.168.1.5:8025", "192.168.1.5"),
            ("http://[::1]:8025", "::1"),
        ] {
            assert_eq!(public_host(url), Some(host), "{url}");
        }
        assert_eq!(public_host("https://:80"), None);
    }
}
