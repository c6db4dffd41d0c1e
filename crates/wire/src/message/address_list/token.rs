//! The lexical tokens of RFC 5322 §3.2.

use super::AddressListError;

/// One token. Blanks and comments between tokens are not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Letters that belong together.
    Atom(&'a str),
    /// A quoted string with its quotes and escapes.
    Quoted(&'a str),
    /// A domain literal with its brackets.
    Literal(&'a str),
    /// One of `< > , ; : @ .`.
    Special(char),
}

impl Token<'_> {
    /// Appends the token as it stands in the text.
    pub(super) fn push_to(&self, text: &mut String) {
        match self {
            Self::Atom(it) | Self::Quoted(it) | Self::Literal(it) => text.push_str(it),
            Self::Special(c) => text.push(*c),
        }
    }
}

/// Appends a quoted string without its quotes and escapes.
pub(super) fn push_unquoted(text: &mut String, quoted: &str) {
    let inner = quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(quoted);
    let mut is_escaped = false;
    for c in inner.chars() {
        if c == '\\' && !is_escaped {
            is_escaped = true;
        } else {
            is_escaped = false;
            text.push(c);
        }
    }
}

/// Cuts a text into tokens, each octet looked at once.
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Skips blanks and comments. RFC 5322 §3.2.2: comments nest; their depth is a number here, not a stack.
    fn skip_blanks(&mut self) -> Result<(), AddressListError> {
        let mut depth = 0_usize;
        let mut is_escaped = false;
        for (at, c) in self.rest().char_indices() {
            match c {
                _ if is_escaped => is_escaped = false,
                '\\' if depth > 0 => is_escaped = true,
                '(' => depth += 1,
                ')' if depth > 0 => depth -= 1,
                ' ' | '\t' => {}
                c if depth > 0 && !c.is_ascii_control() => {}
                _ if depth > 0 => return Err(AddressListError::Malformed),
                _ => {
                    self.at += at;
                    return Ok(());
                }
            }
        }
        self.at = self.text.len();
        if depth > 0 || is_escaped { Err(AddressListError::Malformed) } else { Ok(()) }
    }

    /// The length of what begins with `open` and ends at `close`, both counted; `\` escapes one character.
    fn enclosed(&self, open: char, close: char) -> Result<usize, AddressListError> {
        let mut is_escaped = false;
        for (at, c) in self.rest().char_indices().skip(1) {
            match c {
                c if c.is_ascii_control() && c != '\t' => break,
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                c if c == close => return Ok(at + 1),
                c if c == open => break,
                _ => {}
            }
        }
        Err(AddressListError::Malformed)
    }

    fn token(&mut self, first: char) -> Result<Token<'a>, AddressListError> {
        let rest = self.rest();
        let length = match first {
            '"' => self.enclosed('"', '"')?,
            '[' => self.enclosed('[', ']')?,
            '<' | '>' | ',' | ';' | ':' | '@' | '.' => {
                self.at += 1;
                return Ok(Token::Special(first));
            }
            _ => rest.find(is_no_atom).unwrap_or(rest.len()),
        };
        let text = rest.get(..length).filter(|it| !it.is_empty()).ok_or(AddressListError::Malformed)?;
        self.at += length;
        Ok(match first {
            '"' => Token::Quoted(text),
            '[' => Token::Literal(text),
            _ => Token::Atom(text),
        })
    }
}

/// Whether a character ends an atom. Wider than `atext`: what an address may hold is decided by
/// [`gatepost_core::EmailAddress`], and names hold anything.
fn is_no_atom(c: char) -> bool {
    c.is_ascii_control() || " ()<>[]:;@\\,.\"".contains(c)
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Result<Token<'a>, AddressListError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(err) = self.skip_blanks() {
            return Some(Err(err));
        }
        let first = self.rest().chars().next()?;
        Some(self.token(first))
    }
}
