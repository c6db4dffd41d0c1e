//! Puts what a client sends together to commands, in bounded memory, in every state of the parser (MP-4).

use super::Command;
use crate::imap::CommandLimits;
use crate::imap::frame::{Announcement, Frame, LineTail, Taken, tail};

/// Cuts a stream of bytes into commands. It takes no byte behind a command, so that what follows STARTTLS, or the lines of
/// an AUTHENTICATE dialogue and of IDLE, are read by whoever reads lines.
pub struct CommandReader {
    limits: CommandLimits,
    frame: Frame,
    literal_bytes: u64,
    nesting: Nesting,
}

/// What [`CommandReader::push`] came to.
pub enum Heard {
    /// A whole command.
    Command {
        /// Its tag.
        tag: String,
        /// What it says.
        command: Command,
    },
    /// The client waits to be asked for a literal: send `+ `, and go on.
    Continue,
    /// Something that is no command. Its tag if it can be told, or `*`.
    Refused {
        /// For the answer.
        tag: Option<String>,
        /// Why. After a fatal one the connection must end: what follows cannot be told from commands.
        because: CommandError,
    },
}

/// Why something is not a command. All of them are the client's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Longer than the limits allow.
    #[error("the command is too long")]
    TooLong,
    /// A literal that is larger than the limits allow, and that the client sends without waiting.
    #[error("the literal is too large")]
    LiteralTooLarge,
    /// The same, and the client waits to be asked for it: it must not send it now (RFC 9051 §4.3).
    #[error("the literal is too large")]
    LiteralRefused,
    /// A line that ends with LF alone.
    #[error("the command ends with LF alone")]
    BareLineFeed,
    /// Parentheses within parentheses, deeper than the limits allow.
    #[error("the command is nested too deep")]
    NestedTooDeep,
    /// Nothing that is known here, or arguments that do not fit.
    #[error("the command is not known, or its arguments do not fit")]
    NotACommand,
}

impl CommandError {
    /// Whether the connection must end.
    #[must_use]
    pub const fn is_fatal(self) -> bool {
        match self {
            Self::TooLong | Self::LiteralTooLarge | Self::BareLineFeed => true,
            Self::LiteralRefused | Self::NestedTooDeep | Self::NotACommand => false,
        }
    }
}

impl CommandReader {
    /// A reader at the start of a command.
    #[must_use]
    pub fn new(limits: CommandLimits) -> Self {
        Self { limits, frame: Frame::default(), literal_bytes: 0, nesting: Nesting::default() }
    }

    /// Other limits from the next command on, such as after signing in.
    pub const fn set_limits(&mut self, limits: CommandLimits) {
        self.limits = limits;
    }

    /// Takes bytes as they arrive, up to the end of a command: gives how many it took, at least one of several, and what
    /// came of them.
    pub fn push(&mut self, input: &[u8]) -> (usize, Option<Heard>) {
        // One octet more than the limit is enough to know.
        let room = self.most_bytes().saturating_add(1).saturating_sub(self.frame.bytes().len());
        let (n_taken, taken) = self.frame.take(input.get(..room.min(input.len())).unwrap_or_default());
        let line_bytes = (self.frame.bytes().len() as u64).saturating_sub(self.literal_bytes);
        if self.frame.bytes().len() > self.most_bytes() {
            return (n_taken, Some(self.refuse(CommandError::TooLong)));
        }
        let heard = match taken {
            Taken::More => None,
            Taken::BareLineFeed => Some(self.refuse(CommandError::BareLineFeed)),
            Taken::Line(_) if line_bytes > self.line_limit() as u64 => {
                Some(self.refuse(CommandError::TooLong))
            }
            Taken::Line(_) => self.line(),
        };
        (n_taken, heard)
    }

    /// Octets of the present command in all. Literals in it count as announced, which was compared with its own limit.
    fn most_bytes(&self) -> usize {
        usize::try_from(self.literal_bytes).unwrap_or(usize::MAX).saturating_add(self.line_limit())
    }

    fn line_limit(&self) -> usize {
        if is_sasl(self.frame.bytes()) { self.limits.sasl_line } else { self.limits.line }
    }

    /// A line is complete.
    fn line(&mut self) -> Option<Heard> {
        self.nesting.add(self.frame.line());
        match tail(self.frame.line()) {
            LineTail::Literal(announced) => self.literal(announced),
            LineTail::Absurd => Some(self.refuse(CommandError::LiteralTooLarge)),
            LineTail::Plain if self.nesting.deepest > self.limits.depth => {
                Some(self.refuse(CommandError::NestedTooDeep))
            }
            LineTail::Plain => {
                let Some((tag, command)) = Command::parse(self.frame.bytes()) else {
                    return Some(self.refuse(CommandError::NotACommand));
                };
                self.reset();
                Some(Heard::Command { tag, command })
            }
        }
    }

    fn literal(&mut self, announced: Announcement) -> Option<Heard> {
        let all = self.literal_bytes.saturating_add(announced.n_bytes);
        if all > self.limits.literals {
            return Some(self.refuse(if announced.is_synchronising {
                CommandError::LiteralRefused
            } else {
                CommandError::LiteralTooLarge
            }));
        }
        self.literal_bytes = all;
        self.frame.expect_literal(announced.n_bytes);
        announced.is_synchronising.then_some(Heard::Continue)
    }

    fn refuse(&mut self, because: CommandError) -> Heard {
        let tag = tag_of(self.frame.bytes());
        self.reset();
        Heard::Refused { tag, because }
    }

    fn reset(&mut self) {
        self.frame.reset();
        self.literal_bytes = 0;
        self.nesting = Nesting::default();
    }
}

/// RFC 9051 §9: one or more ASTRING-CHAR without `+`.
fn tag_of(bytes: &[u8]) -> Option<String> {
    let tag = bytes.split(|b| matches!(b, b' ' | b'\r' | b'\n')).next().unwrap_or_default();
    let is_tag = (1..=64).contains(&tag.len())
        && tag.iter().all(|b| b.is_ascii_graphic() && !b"(){%*\"\\+".contains(b));
    is_tag.then(|| String::from_utf8_lossy(tag).into_owned())
}

/// Looks at the beginning alone, because it is asked with every piece that comes.
fn is_sasl(bytes: &[u8]) -> bool {
    let mut words = bytes.get(..bytes.len().min(80)).unwrap_or_default().splitn(3, |b| *b == b' ');
    words.nth(1).is_some_and(|it| it.eq_ignore_ascii_case(b"AUTHENTICATE"))
}

/// Parentheses of a command, counted over its lines and not over its literals.
#[derive(Clone, Copy, Default)]
struct Nesting {
    open: u32,
    deepest: u32,
}

impl Nesting {
    fn add(&mut self, line: &[u8]) {
        let (mut is_quoted, mut is_escaped) = (false, false);
        for byte in line {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if is_quoted => is_escaped = true,
                b'"' => is_quoted = !is_quoted,
                b'(' if !is_quoted => {
                    self.open = self.open.saturating_add(1);
                    self.deepest = self.deepest.max(self.open);
                }
                b')' if !is_quoted => self.open = self.open.saturating_sub(1),
                _ => {}
            }
        }
    }
}
