//! Lists of addresses in header fields (RFC 5322 §3.4).

mod token;

use gatepost_core::{AddressError, EmailAddress};

use token::{Token, Tokens};

/// One person or place, with the name that is shown for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The name as it stands there; encoded words (RFC 2047) are not decoded, because nothing is decided by a name.
    pub display_name: Option<String>,
    /// The address.
    pub address: EmailAddress,
}

/// An element of an address list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailboxOrGroup {
    /// One mailbox.
    Mailbox(Mailbox),
    /// `name: a@x, b@y;`, perhaps without members.
    Group {
        /// The name of the group.
        name: String,
        /// Its members.
        members: Vec<Mailbox>,
    },
}

impl MailboxOrGroup {
    /// The mailbox, or all members of the group.
    #[must_use]
    pub fn mailboxes(&self) -> &[Mailbox] {
        match self {
            Self::Mailbox(one) => std::slice::from_ref(one),
            Self::Group { members, .. } => members,
        }
    }
}

/// Why a text is not an address list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressListError {
    /// Longer than 64 KiB.
    #[error("the address list is longer than {LONGEST} octets")]
    TooLong,
    /// A quoted string, comment, literal, angle bracket or group that does not end, or ends without a beginning; or a
    /// character that may not stand there.
    #[error("the address list is not well-formed")]
    Malformed,
    /// Words where an address should be.
    #[error("a name stands where an address should be")]
    NotAnAddress,
    /// Something that looks like an address and is none.
    #[error("an address is not valid")]
    BadAddress(#[from] AddressError),
}

/// API-5: the longest list, in octets.
pub(super) const LONGEST: usize = 64 * 1024;

/// Reads the value of From, To, Reply-To or any other field that holds addresses.
///
/// One pass without recursion or going back (API-5). Comments are skipped, groups are recognised; empty elements (`a@x,,
/// b@y`) are, because old programs write them. A name that is itself an address (`a@x <b@y>`) is taken only if both are the
/// same: elsewhere another reader might act on the other one.
pub fn parse_address_list(value: &[u8]) -> Result<Vec<MailboxOrGroup>, AddressListError> {
    if value.len() > LONGEST {
        return Err(AddressListError::TooLong);
    }
    let text = String::from_utf8_lossy(value);
    let mut list = List::default();
    for token in Tokens::new(&text) {
        list.take(token?)?;
    }
    list.finish()
}

/// What has been read so far.
#[derive(Default)]
struct List<'a> {
    done: Vec<MailboxOrGroup>,
    /// The group that is open: its name and members.
    group: Option<(String, Vec<Mailbox>)>,
    /// The tokens of the element that is being read, before any angle bracket.
    words: Vec<Token<'a>>,
    angle: Angle<'a>,
}

/// Where the reader stands with the angle brackets of the element.
#[derive(Default)]
enum Angle<'a> {
    #[default]
    None,
    Open(Vec<Token<'a>>),
    Closed(EmailAddress),
}

impl<'a> List<'a> {
    fn take(&mut self, token: Token<'a>) -> Result<(), AddressListError> {
        match (&mut self.angle, token) {
            (Angle::Open(inner), Token::Special('>')) => {
                self.angle = Angle::Closed(angle_address(inner)?);
                Ok(())
            }
            (Angle::Open(inner), token) => {
                inner.push(token);
                Ok(())
            }
            (Angle::None, Token::Special('<')) => {
                self.angle = Angle::Open(Vec::new());
                Ok(())
            }
            (_, Token::Special(',')) => self.end_element(),
            (_, Token::Special(';')) => self.end_group(),
            (Angle::None, Token::Special(':')) => self.open_group(),
            (
                Angle::None,
                Token::Special('@' | '.') | Token::Atom(_) | Token::Quoted(_) | Token::Literal(_),
            ) => {
                self.words.push(token);
                Ok(())
            }
            (Angle::None, Token::Special(_)) | (Angle::Closed(_), _) => Err(AddressListError::Malformed),
        }
    }

    fn end_element(&mut self) -> Result<(), AddressListError> {
        let words = std::mem::take(&mut self.words);
        let mailbox = match std::mem::take(&mut self.angle) {
            // RFC 5322 §4.4 has empty elements.
            Angle::None if words.is_empty() => return Ok(()),
            Angle::None => Mailbox { display_name: None, address: address(&words)? },
            Angle::Open(_) => return Err(AddressListError::Malformed),
            Angle::Closed(address) => Mailbox { display_name: display_name(&words, &address)?, address },
        };
        match &mut self.group {
            Some((_, members)) => members.push(mailbox),
            None => self.done.push(MailboxOrGroup::Mailbox(mailbox)),
        }
        Ok(())
    }

    fn open_group(&mut self) -> Result<(), AddressListError> {
        let words = std::mem::take(&mut self.words);
        let is_name = !words.is_empty() && !words.contains(&Token::Special('@'));
        if self.group.is_some() || !is_name {
            return Err(AddressListError::Malformed);
        }
        self.group = Some((phrase(&words), Vec::new()));
        Ok(())
    }

    fn end_group(&mut self) -> Result<(), AddressListError> {
        self.end_element()?;
        let (name, members) = self.group.take().ok_or(AddressListError::Malformed)?;
        self.done.push(MailboxOrGroup::Group { name, members });
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<MailboxOrGroup>, AddressListError> {
        self.end_element()?;
        if self.group.is_some() { Err(AddressListError::Malformed) } else { Ok(self.done) }
    }
}

/// `local@domain` from its tokens. Words that only a space separates are not one word: `ana smith@x` is no address, and
/// joining them would write to a stranger (CVE-2025-13033).
fn address(tokens: &[Token<'_>]) -> Result<EmailAddress, AddressListError> {
    if !tokens.contains(&Token::Special('@')) {
        return Err(AddressListError::NotAnAddress);
    }
    let mut text = String::new();
    let mut is_behind_word = false;
    for token in tokens {
        let is_word = !matches!(token, Token::Special(_));
        if is_word && is_behind_word {
            return Err(AddressListError::NotAnAddress);
        }
        is_behind_word = is_word;
        token.push_to(&mut text);
    }
    Ok(text.parse()?)
}

/// What is in angle brackets; a route (RFC 5322 §4.4 obs-route) before it is ignored.
fn angle_address(tokens: &[Token<'_>]) -> Result<EmailAddress, AddressListError> {
    if tokens.first() != Some(&Token::Special('@')) {
        return address(tokens);
    }
    let colon = tokens.iter().position(|it| *it == Token::Special(':'));
    address(tokens.get(colon.ok_or(AddressListError::Malformed)? + 1..).unwrap_or_default())
}

/// The words before an angle bracket. RFC 5322 §4.1 lets a dot stand among them (`John Q. Public`).
fn display_name(words: &[Token<'_>], behind: &EmailAddress) -> Result<Option<String>, AddressListError> {
    if words.is_empty() {
        return Ok(None);
    }
    if words.contains(&Token::Special('@')) {
        let named = address(words).map_err(|_| AddressListError::NotAnAddress)?;
        return if named.is_same_mailbox(behind) {
            Ok(Some(named.to_string()))
        } else {
            Err(AddressListError::NotAnAddress)
        };
    }
    if words.iter().any(|it| matches!(it, Token::Literal(_))) {
        return Err(AddressListError::Malformed);
    }
    Ok(Some(phrase(words)))
}

/// Words as a person reads them: quotes off, one space between, none before a dot.
fn phrase(words: &[Token<'_>]) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() && *word != Token::Special('.') {
            text.push(' ');
        }
        match word {
            Token::Quoted(quoted) => token::push_unquoted(&mut text, quoted),
            other => other.push_to(&mut text),
        }
    }
    text
}

#[cfg(test)]
mod tests;
