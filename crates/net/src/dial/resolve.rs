//! Looking names up.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;

use super::DialError;

/// Where a Unix system keeps the addresses of its name servers.
const SYSTEM_FILE: &str = "/etc/resolv.conf";

/// A host that takes the mail of a domain (RFC 5321 §5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailExchanger {
    /// The lowest is tried first.
    pub preference: u16,
    /// Its name, lower-cased, without a dot at its end.
    pub host: String,
}

/// Looks names up at the system's name servers, or at one that is configured; the system's hosts file goes first.
pub struct Resolver {
    source: Source,
}

enum Source {
    /// Made anew when the system's file changes: a service often starts before its network is up.
    System(Mutex<Option<(Option<SystemTime>, TokioResolver)>>),
    Configured(TokioResolver),
}

impl Resolver {
    /// The system's name servers.
    #[must_use]
    pub fn system() -> Self {
        Self { source: Source::System(Mutex::new(None)) }
    }

    /// One name server, such as `127.0.0.1:53`.
    pub fn configured(server: SocketAddr) -> Result<Self, DialError> {
        Ok(Self { source: Source::Configured(build(one_server(server), ResolverOpts::default())?) })
    }

    /// All addresses of `name`, IPv4 first, each once.
    pub(super) async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, DialError> {
        let resolver = self.resolver()?;
        // A dot at the end keeps the search domains of the office out: "smtp.example.org" must never become
        // "smtp.example.org.office.test". Names of one label are meant for them.
        let query = if name.contains('.') { format!("{name}.") } else { name.to_owned() };
        let found = resolver.lookup_ip(query).await.map_err(|error| failure(name, &error))?;
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in found.iter() {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.is_empty() { Err(DialError::NotFound { host: name.to_owned() }) } else { Ok(addresses) }
    }

    /// Who takes the mail of `domain`, as its name servers say; without the one that says that nobody does (RFC 7505).
    pub(super) async fn mail_exchangers(&self, domain: &str) -> Result<Vec<MailExchanger>, DialError> {
        let found = self.resolver()?.mx_lookup(format!("{domain}.")).await;
        let found = found.map_err(|error| failure(domain, &error))?;
        let exchangers = found.answers().iter().filter_map(|record| match &record.data {
            RData::MX(mx) => {
                let host = mx.exchange.to_ascii().trim_end_matches('.').to_ascii_lowercase();
                Some(MailExchanger { preference: mx.preference, host })
            }
            _ => None,
        });
        Ok(exchangers.filter(|it| !it.host.is_empty()).collect())
    }

    fn resolver(&self) -> Result<TokioResolver, DialError> {
        match &self.source {
            Source::Configured(resolver) => Ok(resolver.clone()),
            Source::System(kept) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                system_resolver(&mut kept)
            }
        }
    }
}

fn system_resolver(
    kept: &mut Option<(Option<SystemTime>, TokioResolver)>,
) -> Result<TokioResolver, DialError> {
    let written_at = fs::metadata(SYSTEM_FILE).and_then(|file| file.modified()).ok();
    if let Some((then, resolver)) = kept
        && *then == written_at
    {
        return Ok(resolver.clone());
    }
    let (config, options) = hickory_resolver::system_conf::read_system_conf()
        // resolv.conf(5): without a name server in the file, the one on this machine is asked.
        .unwrap_or_else(|_| (one_server((Ipv4Addr::LOCALHOST, 53).into()), ResolverOpts::default()));
    let resolver = build(config, options)?;
    *kept = Some((written_at, resolver.clone()));
    Ok(resolver)
}

fn one_server(server: SocketAddr) -> ResolverConfig {
    let mut entry = NameServerConfig::udp_and_tcp(server.ip());
    for connection in &mut entry.connections {
        connection.port = server.port();
    }
    ResolverConfig::from_parts(None, vec![], vec![entry])
}

fn build(config: ResolverConfig, mut options: ResolverOpts) -> Result<TokioResolver, DialError> {
    // Both kinds, because all answers must pass the guard. IPv4 first: many an office has IPv6 that leads nowhere.
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .build()
        .map_err(|error| failure("the name servers", &error))
}

fn failure(name: &str, error: &NetError) -> DialError {
    let host = name.to_owned();
    if error.is_nx_domain() || error.is_no_records_found() {
        DialError::NotFound { host }
    } else {
        DialError::Lookup { host, reason: error.to_string() }
    }
}
