//! Takes what was given key by key, and writes down what does not fit.

use std::net::SocketAddr;

use super::key::Key;
use super::problem::{Origin, Problem};
use super::raw::{Given, Raw, Value};
use super::value::{self, Misfit};

/// Takes values out of the raw form, writing down what does not fit.
pub(super) struct Reader<'a> {
    pub(super) raw: Raw,
    /// Where something is to listen so far, and by which key.
    listening: Vec<(SocketAddr, String)>,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(raw: Raw, problems: &'a mut Vec<Problem>) -> Self {
        Self { raw, listening: Vec::new(), problems }
    }

    pub(super) fn take<T>(
        &mut self,
        key: &Key,
        understand: impl FnOnce(&Value) -> Result<T, Misfit>,
    ) -> Option<T> {
        let given = self.raw.take(key)?;
        match understand(&given.value) {
            Ok(value) => Some(value),
            Err(misfit) => {
                self.problems.push(bad_value(key, given, &misfit));
                None
            }
        }
    }

    /// Where something is to listen.
    pub(super) fn addresses(&mut self, key: &Key) -> Vec<SocketAddr> {
        let Some(given) = self.raw.take(key) else { return Vec::new() };
        match value::all_parsed(&given.value) {
            Ok(addresses) => {
                self.listens(key, &given.origin, &addresses);
                addresses
            }
            Err(misfit) => {
                self.problems.push(bad_value(key, given, &misfit));
                Vec::new()
            }
        }
    }

    /// Two cannot listen at one port: the second one would be told that another program uses it.
    pub(super) fn listens(&mut self, key: &Key, origin: &Origin, addresses: &[SocketAddr]) {
        for address in addresses {
            if let Some((before, other)) = self.listening.iter().find(|(it, _)| overlap(*it, *address)) {
                self.problems.push(Problem::SamePort {
                    origin: origin.clone(),
                    key: key.full_name(),
                    address: *address,
                    other: other.clone(),
                    before: *before,
                });
            }
            self.listening.push((*address, key.full_name()));
        }
    }

    pub(super) fn number(&mut self, key: &Key, (least, most): (u64, u64), default: u64) -> u64 {
        self.take(key, |it| value::number(it, least, most)).unwrap_or(default)
    }
}

/// Whether one of them has the other's port as well. The system chooses for port 0.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let is_any = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0
        && one.port() == other.port()
        && (one.ip() == other.ip() || (is_any && one.is_ipv4() == other.is_ipv4()))
}

pub(super) fn bad_value(key: &Key, given: Given, misfit: &str) -> Problem {
    let found = match given.value {
        _ if key.is_secret => "not shown here".to_owned(),
        Value::Text(text) | Value::Word(text) => format!("{text:?}"),
        Value::Integer(it) => it.to_string(),
        Value::Boolean(it) => it.to_string(),
        Value::List(items) => format!("{items:?}"),
        Value::Other(kind) => kind.to_owned(),
    };
    let detail = if misfit.is_empty() || key.is_secret { String::new() } else { format!(" ({misfit})") };
    Problem::BadValue { origin: given.origin, key: key.full_name(), found, expects: key.expects, detail }
}
