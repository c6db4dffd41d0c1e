//! The client's side: where commands begin, and what they are called.

use super::super::frame::LineTail;
use super::line::{LineEnd, Word, Words};
use super::{Asked, Between};
use crate::imap::{ServerResponse, StatusKind};
use crate::passage::{Lost, Passage};

/// Tag and name of a command stand within so many octets.
const HEAD: usize = 1_024;

/// Whoever has signed in signs in no more, and both ends of TLS stay where they are (MP-7, MP-8). UNAUTHENTICATE (RFC 8437) would
/// make the provider's session nobody's.
const KEPT_BACK: [&str; 5] = ["AUTHENTICATE", "LOGIN", "STARTTLS", "COMPRESS", "UNAUTHENTICATE"];

#[derive(Default)]
pub(super) struct Client {
    state: State,
    end: LineEnd,
    /// The tag of the command that passes, if it has one.
    tag: Vec<u8>,
    /// The command goes nowhere.
    is_kept_back: bool,
}

#[derive(Default, Clone, Copy)]
enum State {
    /// A command may begin.
    #[default]
    Start,
    /// Within one of its lines.
    Line,
    /// It has announced so many octets and waits to be asked for them.
    Asks(u64),
    /// So many octets of a literal are still to come.
    Literal(u64),
}

/// What stands at the beginning of a line.
enum Head<'a> {
    /// Nothing that can be told yet.
    Cut,
    /// A line without a name, such as DONE.
    Nameless,
    Command {
        tag: &'a [u8],
        name: &'a [u8],
    },
}

fn head(bytes: &[u8]) -> Head<'_> {
    let mut words = Words::of(bytes);
    let tag = match words.next() {
        Word::Whole(tag) => tag,
        Word::None => return Head::Nameless,
        Word::Cut => return Head::Cut,
    };
    match words.next() {
        Word::Whole(name) => Head::Command { tag, name },
        Word::None => Head::Nameless,
        Word::Cut => Head::Cut,
    }
}

impl Client {
    pub(super) fn hear(&mut self, bytes: &[u8], between: &mut Between) -> Result<Passage, Lost> {
        let mut done = 0;
        loop {
            let rest = bytes.get(done..).unwrap_or_default();
            let so_far = |otherwise| if done > 0 { Passage::Pass(done) } else { otherwise };
            match self.state {
                State::Start => {
                    let (tag, is_kept_back) = match head(rest) {
                        Head::Cut if rest.len() >= HEAD => return Err(Lost::NotACommand),
                        Head::Cut => return Ok(so_far(Passage::More)),
                        Head::Nameless => (&[][..], false),
                        Head::Command { tag, name } => {
                            (tag, KEPT_BACK.iter().any(|it| name.eq_ignore_ascii_case(it.as_bytes())))
                        }
                    };
                    if is_kept_back && done > 0 {
                        return Ok(Passage::Pass(done));
                    }
                    (self.tag, self.is_kept_back) = (tag.to_vec(), is_kept_back);
                    self.state = State::Line;
                }
                State::Asks(n_bytes) => match std::mem::take(&mut between.asked) {
                    Asked::Granted => self.state = literal(n_bytes),
                    Asked::Denied | Asked::Nothing => self.state = State::Start,
                    waiting @ Asked::By(_) => {
                        between.asked = waiting;
                        return Ok(so_far(Passage::Wait));
                    }
                },
                State::Line | State::Literal(_) if rest.is_empty() => return Ok(so_far(Passage::More)),
                State::Line => {
                    let n = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
                    let line = rest.get(..n).unwrap_or_default();
                    self.end.push(line);
                    if line.ends_with(b"\n") {
                        self.state = self.after_line(between)?;
                    }
                    if self.is_kept_back {
                        return Ok(Passage::Drop(n));
                    }
                    done += n;
                }
                State::Literal(left) => {
                    let n = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    self.state = literal(left - n as u64);
                    if self.is_kept_back {
                        return Ok(Passage::Drop(n));
                    }
                    done += n;
                }
            }
        }
    }

    fn after_line(&mut self, between: &mut Between) -> Result<State, Lost> {
        let announced = match self.end.finish() {
            LineTail::Absurd => return Err(Lost::AbsurdLiteral),
            LineTail::Plain => None,
            LineTail::Literal(it) => Some(it),
        };
        Ok(match announced {
            Some(it) if !it.is_synchronising => literal(it.n_bytes),
            // Nobody asks for it: the answer comes instead.
            Some(_) if !self.is_kept_back => {
                between.asked = Asked::By(self.tag.clone());
                State::Asks(announced.map_or(0, |it| it.n_bytes))
            }
            _ => {
                if self.is_kept_back {
                    between.answers.push_back(self.answer());
                }
                State::Start
            }
        })
    }

    fn answer(&self) -> Vec<u8> {
        // RFC 9051 §9, `tag`: any other would be words of the client's in an answer of ours.
        let is_tag = |it: &u8| it.is_ascii_graphic() && !b"(){%*\"\\+".contains(it);
        let tag = std::str::from_utf8(&self.tag).ok();
        let tag = tag.filter(|it| it.len() <= 64 && it.as_bytes().iter().all(|it| is_tag(it)));
        let text = "This command is not possible here: you are signed in already, and nothing is compressed";
        ServerResponse::status(tag, StatusKind::Bad, None, text).as_bytes().to_vec()
    }
}

/// A literal of nothing is over at once: the line goes on.
const fn literal(left: u64) -> State {
    if left == 0 { State::Line } else { State::Literal(left) }
}
