//! Where a service sends people back to.

use std::net::IpAddr;

use url::{Host, Url};

use crate::OAuthService;

/// A redirect address, and what happens there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectTo {
    /// The address, as it is registered and sent along.
    pub uri: String,
    /// Nothing answers there: the person pastes the address that the browser shows.
    pub is_pasted: bool,
}

impl OAuthService {
    /// Back to the portal, whose address is `PUBLIC_URL/oauth/callback/SERVICE` (OC-3: one of its own for each service). Absent
    /// where services allow no redirect: they want https, or this very machine (RFC 8252 §8.3).
    #[must_use]
    pub fn redirect_to_portal(&self, public_url: &str) -> Option<RedirectTo> {
        let url: Url = public_url.parse().ok()?;
        let is_allowed = url.scheme() == "https" || (url.scheme() == "http" && is_this_machine(&url));
        let base = public_url.trim_end_matches('/');
        let uri = format!("{base}/oauth/callback/{}", self.word);
        is_allowed.then_some(RedirectTo { uri, is_pasted: false })
    }

    /// To an address of the person's own computer, from which they paste what the browser shows.
    #[must_use]
    pub fn redirect_to_paste(&self) -> RedirectTo {
        RedirectTo { uri: self.loopback.clone(), is_pasted: true }
    }
}

/// Whether every service lets redirects lead to this address: some take no names of a local network and no addresses without a
/// name.
#[must_use]
pub fn takes_redirects(public_url: &str) -> bool {
    /// RFC 6761, RFC 6762 appendix G, RFC 8375, and what ICANN set aside.
    const LOCAL: [&str; 11] = [
        "local",
        "localdomain",
        "lan",
        "home",
        "internal",
        "intranet",
        "private",
        "corp",
        "arpa",
        "test",
        "invalid",
    ];
    let Ok(url) = public_url.parse::<Url>() else { return false };
    let is_public = match url.host() {
        Some(Host::Domain(name)) => {
            let mut labels = name.trim_end_matches('.').rsplit('.');
            let last = labels.next().unwrap_or_default();
            labels.next().is_some() && !LOCAL.contains(&last)
        }
        _ => false,
    };
    is_this_machine(&url) || (url.scheme() == "https" && is_public)
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(it)) => IpAddr::V4(it).is_loopback(),
        Some(Host::Ipv6(it)) => IpAddr::V6(it).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Providers;

    #[test]
    fn redirects_lead_to_https_or_to_this_machine_and_else_are_pasted() {
        let providers = Providers::embedded();
        let google = providers.service("google").unwrap();
        for (public_url, uri, is_taken_everywhere) in [
            (
                "https://gatepost.example.org",
                Some("https://gatepost.example.org/oauth/callback/google"),
                true,
            ),
            (
                "https://gatepost.example.org:8443/",
                Some("https://gatepost.example.org:8443/oauth/callback/google"),
                true,
            ),
            ("http://localhost:8025", Some("http://localhost:8025/oauth/callback/google"), true),
            ("http://127.0.0.1:8025", Some("http://127.0.0.1:8025/oauth/callback/google"), true),
            ("http://[::1]:8025", Some("http://[::1]:8025/oauth/callback/google"), true),
            ("https://server", Some("https://server/oauth/callback/google"), false),
            ("https://mail.practice.local", Some("https://mail.practice.local/oauth/callback/google"), false),
            ("https://192.168.1.5", Some("https://192.168.1.5/oauth/callback/google"), false),
            ("http://server", None, false),
            ("http://192.168.1.5:8025", None, false),
            ("http://gatepost.example.org", None, false),
            ("nonsense", None, false),
        ] {
            let found = google.redirect_to_portal(public_url);
            assert_eq!(found.as_ref().map(|it| it.uri.as_str()), uri, "{public_url}");
            assert!(!found.is_some_and(|it| it.is_pasted), "{public_url}");
            assert_eq!(takes_redirects(public_url), is_taken_everywhere, "{public_url}");
        }
        let pasted = RedirectTo { uri: "http://127.0.0.1".to_owned(), is_pasted: true };
        assert_eq!(google.redirect_to_paste(), pasted);
    }
}
