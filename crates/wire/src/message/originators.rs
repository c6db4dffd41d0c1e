//! Who a message says it is from, and what else submission must know about its header (SS-14).

use gatepost_core::{EmailAddress, printable};

use super::address_list::{AddressListError, Mailbox, MailboxOrGroup, parse_address_list};
use super::header::{Field, HeaderBlock};
use crate::smtp::ServerReply;

/// Fields that may come only once (RFC 5322 §3.6). Of two, one reader believes the first and another the last.
pub const SINGLETONS: [&str; 11] = [
    "Date",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Subject",
];

/// What a header says about its origin; each address still has to be on the send-as list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderSummary {
    /// The mailboxes of From, at least one; members of groups (RFC 6854) too.
    pub from: Vec<Mailbox>,
    /// Every address of From, Sender, Resent-From and Resent-Sender, each with the name of its field.
    pub originators: Vec<(&'static str, EmailAddress)>,
    /// Whether there is a Date; otherwise one is added (RFC 6409 §8.2).
    pub has_date: bool,
    /// Message-ID as it stands there, with its angle brackets; `None` if there is none, and then one is added (RFC 6409
    /// §8.3). Bytes that are not UTF-8 become U+FFFD.
    pub message_id: Option<String>,
}

/// Why a header is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// Not one From field but so many.
    #[error("the header has {0} From fields")]
    NotOneFrom(usize),
    /// From names nobody.
    #[error("the From field holds no address")]
    EmptyFrom,
    /// A field that may come once came twice.
    #[error("the header has two {0} fields")]
    Repeated(&'static str),
    /// A field that says who sends holds something that is not an address list.
    #[error("the {field} field cannot be read")]
    BadAddress {
        /// The field's name.
        field: &'static str,
        /// Its value, escaped, at most 80 characters.
        value: String,
        /// What is wrong with it.
        #[source]
        source: AddressListError,
    },
}

impl HeaderFault {
    /// What the client is told.
    #[must_use]
    pub fn reply(&self) -> ServerReply {
        let text = match self {
            Self::NotOneFrom(0) => "The message has no From field; it needs exactly one From".to_owned(),
            Self::NotOneFrom(n) => {
                format!("The message has {n} From fields; it needs exactly one From")
            }
            Self::EmptyFrom => "The From field holds no address".to_owned(),
            Self::Repeated(name) => format!("The message has more than one {name} field"),
            Self::BadAddress { field, value, .. } => {
                format!("The {field} field is not a valid address: {value}")
            }
        };
        let enhanced = match self {
            Self::NotOneFrom(_) | Self::EmptyFrom => (5, 7, 1),
            Self::Repeated(_) | Self::BadAddress { .. } => (5, 6, 0),
        };
        ServerReply::new(550, enhanced, text)
    }
}

impl HeaderSummary {
    /// Looks at a header as SS-14 wants it, and tells the first fault.
    pub fn of(header: &HeaderBlock) -> Result<Self, HeaderFault> {
        let n_from = header.named("From").count();
        if n_from != 1 {
            return Err(HeaderFault::NotOneFrom(n_from));
        }
        if let Some(name) = SINGLETONS.into_iter().find(|name| header.named(name).nth(1).is_some()) {
            return Err(HeaderFault::Repeated(name));
        }
        let mut summary = Self {
            from: Vec::new(),
            originators: Vec::new(),
            has_date: header.named("Date").next().is_some(),
            message_id: header
                .named("Message-ID")
                .next()
                .map(|it| String::from_utf8_lossy(&it.value()).into_owned()),
        };
        // RFC 5322 §3.6.6: Resent fields come in blocks, so those may repeat; every one of them is looked at.
        for name in ["From", "Sender", "Resent-From", "Resent-Sender"] {
            for field in header.named(name) {
                let mailboxes = mailboxes(name, &field)?;
                summary.originators.extend(mailboxes.iter().map(|it| (name, it.address.clone())));
                if name == "From" {
                    summary.from = mailboxes;
                }
            }
        }
        if summary.from.is_empty() { Err(HeaderFault::EmptyFrom) } else { Ok(summary) }
    }
}

fn mailboxes(name: &'static str, field: &Field<'_>) -> Result<Vec<Mailbox>, HeaderFault> {
    let value = field.value();
    let list = parse_address_list(&value).map_err(|source| HeaderFault::BadAddress {
        field: name,
        value: printable(&value).to_string().chars().take(80).collect(),
        source,
    })?;
    Ok(list.iter().flat_map(MailboxOrGroup::mailboxes).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(header: &str) -> Result<HeaderSummary, HeaderFault> {
        HeaderSummary::of(&HeaderBlock::parse(header.as_bytes()).unwrap())
    }

    #[track_caller]
    fn check(header: &str, want: &[(&str, &str)]) {
        let got = summary(header).unwrap();
        let got: Vec<_> = got.originators.iter().map(|(name, it)| (*name, it.as_str())).collect();
        assert_eq!(got, want, "{header:?}");
    }

    #[track_caller]
    fn check_fault(header: &str, want: &str) {
        assert_eq!(summary(header).unwrap_err().reply().text(), want, "{header:?}");
    }

    /// SS-14.
    #[test]
    fn every_address_that_says_who_sends_is_found() {
        check("From: a@b.test\r\n", &[("From", "a@b.test")]);
        check(
            "FROM: A <a@b.test>,\r\n c@d.test\r\nSender: e@f.test\r\n",
            &[("From", "a@b.test"), ("From", "c@d.test"), ("Sender", "e@f.test")],
        );
        check("From: Us: a@b.test, c@d.test;\r\n", &[("From", "a@b.test"), ("From", "c@d.test")]);
        check("From: \"a@evil x\"@ok.test\r\n", &[("From", "\"a@evil x\"@ok.test")]);
        check("From:\r\n =?utf-8?q?a=40evil?=\r\n <a@b.test>\r\n", &[("From", "a@b.test")]);
        check(
            "Resent-From: g@h.test\r\nFrom: a@b.test\r\nResent-From: i@j.test\r\nResent-Sender: k@l.test\r\n",
            &[
                ("From", "a@b.test"),
                ("Resent-From", "g@h.test"),
                ("Resent-From", "i@j.test"),
                ("Resent-Sender", "k@l.test"),
            ],
        );
    }

    /// SS-14.
    #[test]
    fn a_header_that_two_readers_see_differently_is_refused() {
        check_fault("Subject: x\r\n", "The message has no From field; it needs exactly one From");
        check_fault(
            "From: a@b.test\r\nfrom: c@d.test\r\n",
            "The message has 2 From fields; it needs exactly one From",
        );
        check_fault("From:\r\n", "The From field holds no address");
        check_fault("From: Us:;\r\n", "The From field holds no address");
        check_fault(
            "From: a@evil.test <b@ok.test>\r\n",
            "The From field is not a valid address: a@evil.test <b@ok.test>",
        );
        check_fault("From: a@b.test\r\nSender: ana\r\n", "The Sender field is not a valid address: ana");
        for name in SINGLETONS.into_iter().filter(|it| *it != "From") {
            let header =
                format!("From: a@b.test\r\n{name}: a@b.test\r\n{}: a@b.test\r\n", name.to_uppercase());
            check_fault(&header, &format!("The message has more than one {name} field"));
        }
    }

    #[test]
    fn date_and_message_id_are_seen() {
        let got = summary("From: a@b.test\r\nmessage-id:\r\n <1@b.test>\r\n").unwrap();
        assert_eq!((got.has_date, got.message_id.as_deref()), (false, Some("<1@b.test>")));
        let got = summary("Date: x\r\nFrom: Ana <a@b.test>\r\n").unwrap();
        assert_eq!((got.has_date, got.message_id), (true, None));
        assert_eq!(got.from[0].display_name.as_deref(), Some("Ana"));
    }
}
