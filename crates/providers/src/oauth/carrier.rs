//! Bringing one request to a service and its answer back (OC-5).

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use gatepost_net::{ClientTls, DialError, Dialer, Errand, Host, Permit, is_tls_error};
use oauth2::{HttpRequest, HttpResponse};
use reqwest::dns::{Name, Resolve, Resolving};
use tokio::time::timeout;
use url::Url;

use crate::OAuthTrouble;

/// How long a request may take in all, from looking the name up to the last byte.
const WITHIN: Duration = Duration::from_secs(10);

/// The longest answer. Real ones are under 8 KiB.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Makes a connection for each request, to an address that the guard has judged for this very request.
#[derive(Clone)]
pub(super) struct Carrier {
    dialer: Dialer,
    tls: ClientTls,
    pub(super) within: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct NoAnswer {
    pub(super) trouble: OAuthTrouble,
    /// For administrators. Names hosts and addresses, never what was sent.
    pub(super) words: String,
}

impl NoAnswer {
    fn new(trouble: OAuthTrouble, words: impl Into<String>) -> Self {
        Self { trouble, words: words.into() }
    }
}

/// Looks nothing up: the addresses are known before the connection is made, and there are no others.
struct NoLookUp;

impl Resolve for NoLookUp {
    fn resolve(&self, name: Name) -> Resolving {
        let text = format!("{} was not judged by the address guard", name.as_str());
        Box::pin(async move { Err(text.into()) })
    }
}

impl Carrier {
    pub(super) fn new(dialer: Dialer, tls: ClientTls) -> Self {
        Self { dialer, tls, within: WITHIN }
    }

    /// Sends the request and reads the answer, whatever its status. Redirects are answers.
    pub(super) async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        match timeout(self.within, self.carry_on(request)).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => {
                let text = format!("no whole answer within {} seconds", self.within.as_secs());
                Err(NoAnswer::new(OAuthTrouble::Unreachable, text))
            }
        }
    }

    async fn carry_on(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let (parts, body) = request.into_parts();
        let url: Url = parts.uri.to_string().parse().map_err(|_| {
            NoAnswer::new(OAuthTrouble::AddressNotAllowed, "the address of the service is none")
        })?;
        let addresses = self.vetted(&url).await?;
        let client = self.client(&url, &addresses)?;
        let sent = client.request(parts.method, url.clone()).headers(parts.headers).body(body).send().await;
        let mut answer = sent.map_err(|error| no_answer(&url, error))?;
        let too_long =
            || NoAnswer::new(OAuthTrouble::NotUnderstood, "an answer of more than 64 KiB".to_owned());
        if answer.content_length().is_some_and(|length| length > LONGEST_ANSWER as u64) {
            return Err(too_long());
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| no_answer(&url, error))? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        let mut whole = HttpResponse::new(body);
        *whole.status_mut() = answer.status();
        *whole.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(whole)
    }

    /// The addresses that this request may go to: looked up once, all judged, also where the host is an address itself.
    /// Without TLS only to those that the operator has named.
    async fn vetted(&self, url: &Url) -> Result<Vec<SocketAddr>, NoAnswer> {
        let refused = |text: String| NoAnswer::new(OAuthTrouble::AddressNotAllowed, text);
        let host = match url.host() {
            Some(url::Host::Ipv4(address)) => Host::Address(address.into()),
            Some(url::Host::Ipv6(address)) => Host::Address(address.into()),
            Some(url::Host::Domain(name)) => {
                name.parse().map_err(|error| refused(format!("the host of the service: {error}")))?
            }
            None => return Err(refused("the address of the service has no host".to_owned())),
        };
        let port = url.port_or_known_default().unwrap_or(443);
        let vetted = self.dialer.vet_for(Errand::Web, &host, port).await.map_err(|error| match error {
            DialError::Forbidden { .. } => refused(error.to_string()),
            _ => NoAnswer::new(OAuthTrouble::Unreachable, error.to_string()),
        })?;
        let is_plain = url.scheme() != "https";
        if is_plain && vetted.iter().any(|(_, permit)| *permit != Permit::Listed) {
            return Err(refused(format!(
                "{host} port {port} is only spoken to with TLS: begin its address with https://, or add it to allow_private_addresses"
            )));
        }
        Ok(vetted.into_iter().map(|(address, _)| address).collect())
    }

    /// A client that can reach these addresses and nothing else.
    fn client(&self, url: &Url, addresses: &[SocketAddr]) -> Result<reqwest::Client, NoAnswer> {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.for_http())
            // A proxy of the environment would be dialled instead of what was judged.
            .no_proxy()
            // A redirected request would carry the code or the token to wherever the answer says (OC-5).
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_max_idle_per_host(0)
            .http1_only()
            .dns_resolver(NoLookUp)
            .resolve_to_addrs(url.host_str().unwrap_or_default(), addresses);
        builder.build().map_err(|error| NoAnswer::new(OAuthTrouble::NotEncrypted, chain(&error)))
    }
}

fn no_answer(url: &Url, error: reqwest::Error) -> NoAnswer {
    // The address of the request may hold what is nobody's business; the host is enough.
    let error = error.without_url();
    let trouble = if is_tls_error(&error) {
        OAuthTrouble::NotEncrypted
    } else if is_garbled(&error) {
        OAuthTrouble::NotUnderstood
    } else {
        OAuthTrouble::Unreachable
    };
    NoAnswer::new(trouble, format!("{}: {}", url.host_str().unwrap_or_default(), chain(&error)))
}

/// Whether something came that is no HTTP, or no body as announced. What breaks off is not that.
fn is_garbled(error: &reqwest::Error) -> bool {
    if error.is_decode() {
        return !is_broken_off(error);
    }
    error.is_request() && !error.is_connect() && !is_broken_off(error)
}

fn is_broken_off(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(it) = next {
        if it.downcast_ref::<io::Error>().is_some() {
            return true;
        }
        let text = it.to_string();
        if text.contains("connection closed") || text.contains("before message completed") {
            return true;
        }
        next = it.source();
    }
    false
}

/// The error and its causes on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(it) = next {
        text.push_str(": ");
        text.push_str(&it.to_string());
        next = it.source();
    }
    text
}
