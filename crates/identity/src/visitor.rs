//! Whoever sits in front of a browser, as far as it shows.

use std::net::IpAddr;

/// From where and with what someone comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// The address the request came from, behind trusted proxies the one they name.
    pub source: IpAddr,
    /// The browser and system in words, such as `Firefox on Windows`: made by the portal from what the browser says, at most 100
    /// printable characters.
    pub device: String,
}
