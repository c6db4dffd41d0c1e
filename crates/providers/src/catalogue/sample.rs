//! Samples: what a server says, as the data and the configuration write it, taken apart as a client takes it apart.

use super::file::{OAuthSample, Sample};
use super::overrule::Protocol;
use crate::{Evidence, Phase};

impl Sample {
    /// The rule that `judge` finds for it, said by this kind of provider at this point; none if it is no answer of the protocol.
    pub(super) fn judged<T>(
        &self,
        protocol: Protocol,
        provider_kind: Option<&str>,
        phase: Phase,
        judge: impl Fn(&Evidence<'_>) -> T,
    ) -> Option<T> {
        Some(match (self, protocol) {
            (Self::Line(line), Protocol::Smtp) => {
                let (code, enhanced, text) = reply(line)?;
                let text = text.as_bytes();
                judge(&Evidence::Smtp { provider_kind, phase, code, enhanced, text })
            }
            (Self::Line(line), Protocol::Imap) => {
                let (status, code, text) = apart(line);
                let is_one = ["NO", "BAD", "BYE"].iter().any(|it| it.eq_ignore_ascii_case(status));
                let text = text.as_bytes();
                judge(&Evidence::Imap { provider_kind, phase, status: is_one.then_some(status)?, code, text })
            }
            (Self::Line(line), Protocol::Pop3) => {
                let (status, code, text) = apart(line);
                let is_one = status.eq_ignore_ascii_case("-ERR");
                let text = text.as_bytes();
                is_one.then(|| judge(&Evidence::Pop3 { provider_kind, phase, code, text }))?
            }
            (Self::Line(line), Protocol::Http) => {
                let (status, text) = line.split_once(' ')?;
                let (status, text) = (status.parse().ok()?, text.as_bytes());
                judge(&Evidence::Http { provider_kind, status, text })
            }
            (Self::OAuth(it), Protocol::OAuth) => {
                judge(&Evidence::OAuth { provider_kind, error: &it.error, text: &it.words() })
            }
            (Self::Line(_), Protocol::OAuth) | (Self::OAuth(_), _) => return None,
        })
    }

    /// As a mistake about it shows it.
    pub(super) fn shown(&self) -> &str {
        match self {
            Self::Line(line) => line,
            Self::OAuth(it) => &it.text,
        }
    }
}

impl OAuthSample {
    /// Suberror, numbers and description as [`crate::OAuthRefusal`] puts them together.
    pub(super) fn words(&self) -> String {
        let numbers = self.codes.iter().map(ToString::to_string);
        let words = self.suberror.iter().cloned().chain(numbers).chain([self.text.clone()]);
        words.collect::<Vec<_>>().join(" ")
    }
}

type Enhanced = Option<(u16, u16, u16)>;

/// `535 5.7.8 text`, with or without the enhanced code (RFC 3463).
pub(super) fn reply(line: &str) -> Option<(u16, Enhanced, &str)> {
    let (code, rest) = line.split_at_checked(3)?;
    let rest = rest.get(1..).unwrap_or_default();
    let first = rest.split_whitespace().next().unwrap_or_default();
    let numbers: Vec<u16> = first.split('.').map_while(|it| it.parse().ok()).collect();
    let (enhanced, text) = match numbers[..] {
        [class, subject, detail] if first.split('.').count() == 3 => {
            (Some((class, subject, detail)), rest.get(first.len()..).unwrap_or_default())
        }
        _ => (None, rest),
    };
    Some((code.parse().ok()?, enhanced, text))
}

/// `NO [CODE] text` or `-ERR [CODE] text`.
pub(super) fn apart(line: &str) -> (&str, Option<&str>, &str) {
    let (status, rest) = line.split_once([' ', '\r', '\n']).unwrap_or((line, ""));
    let rest = rest.trim_start();
    match rest.strip_prefix('[').and_then(|it| it.split_once(']')) {
        Some((code, text)) => (status, Some(code), text),
        None => (status, None, rest),
    }
}
