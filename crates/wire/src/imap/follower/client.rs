//! The client's side: where commands begin, and what they are called.

use super::super::frame::{Announcement, LineTail, tail};
use super::{Asked, Between, Idling};
use crate::imap::{ServerResponse, StatusKind};
use crate::passage::{Lost, Passage};

/// A line, in octets with its CRLF.
const LINE: usize = 64 * 1024;

/// Commands that are kept back before the session ends.
const MISTAKES: u32 = 10;

/// Whoever has signed in signs in no more, and both ends of TLS stay where they are (MP-7, MP-8). UNAUTHENTICATE (RFC 8437) would
/// make the provider's session nobody's, and PROXYAUTH, which a few servers have, somebody else's.
const KEPT_BACK: [&str; 6] = ["AUTHENTICATE", "LOGIN", "STARTTLS", "COMPRESS", "UNAUTHENTICATE", "PROXYAUTH"];

#[derive(Default)]
pub(super) struct Client {
    state: State,
    /// The tag of the command at hand.
    tag: Vec<u8>,
    /// What becomes of it.
    fate: Fate,
    n_mistakes: u32,
    /// The last command was LOGOUT.
    leaves: bool,
    /// It could not be followed any more.
    lost: Option<Lost>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Fate {
    #[default]
    Passes,
    /// It goes nowhere, and we answer.
    IsKeptBack,
    /// The server has answered it before its end.
    IsAnswered,
}

#[derive(Default, Clone, Copy)]
enum State {
    /// A command may begin.
    #[default]
    Start,
    /// Within it, at the beginning of a line or behind a literal.
    Line,
    /// The line has gone out but for its end, which says that a literal does not wait: another one goes out instead.
    Instead { n_bytes: u64 },
    /// The end that was replaced is still to be taken away.
    Taken { n_bytes: u64 },
    /// It has announced so many octets, and goes on when the server asks for them.
    Asks { n_bytes: u64, client_waits: bool },
    /// IDLE goes on, with one line, when the server asks.
    Idles,
    /// DONE; or another command, where the server has ended IDLE by itself.
    Done,
    /// So many octets of a literal are still to come.
    Literal(u64),
}

/// How a line ends that announces a literal without waiting, behind its figure, and what a server hears instead.
const UNASKED: &[u8] = b"+}\r\n";
const ASKING: &[u8] = b"}\r\n";

/// Tag and name, if the line has both with one space between them: a server that is less strict finds no others. DONE is no tag: a
/// server that has ended IDLE by itself may answer one that comes late as if it were.
fn head(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_tag = |it: &u8| it.is_ascii_graphic() && !b"(){%*\"\\+".contains(it);
    let at = memchr::memchr(b' ', line)?;
    let (tag, rest) = line.split_at_checked(at)?;
    let rest = rest.get(1..)?;
    let n_name = rest.iter().take_while(|it| it.is_ascii_alphanumeric() || b"-_.".contains(it)).count();
    let (name, behind) = rest.split_at_checked(n_name)?;
    let ends = behind.is_empty() || behind.first() == Some(&b' ');
    let is_tag =
        (1..=1_000).contains(&tag.len()) && tag.iter().all(is_tag) && !tag.eq_ignore_ascii_case(b"DONE");
    (is_tag && !name.is_empty() && ends).then_some((tag, name))
}

/// The line at the beginning with its CRLF, once it is there. Bare line feeds, carriage returns and NUL end the session: a server may
/// see the end of a line there, and behind it a command that nobody has looked at.
fn line(bytes: &[u8]) -> Result<Option<&[u8]>, Lost> {
    let Some(at) = memchr::memchr(b'\n', bytes) else {
        return if bytes.len() >= LINE { Err(Lost::NotACommand) } else { Ok(None) };
    };
    let text = bytes.get(..at).and_then(|it| it.strip_suffix(b"\r")).ok_or(Lost::NotACommand)?;
    if text.len() + 2 > LINE || text.iter().any(|it| matches!(it, b'\r' | b'\0')) {
        return Err(Lost::NotACommand);
    }
    Ok(bytes.get(..=at))
}

impl Client {
    /// Not while it waits for the server, or for the end of IDLE.
    pub(super) const fn is_within(&self) -> bool {
        matches!(self.state, State::Line | State::Literal(_))
    }

    /// It has said LOGOUT, and nothing behind that.
    pub(super) const fn leaves(&self) -> bool {
        self.leaves
    }

    pub(super) fn hear(&mut self, bytes: &[u8], between: &mut Between) -> Result<Passage, Lost> {
        if let Some(lost) = self.lost {
            return Err(lost);
        }
        let mut done = 0;
        let heard = self.advance(bytes, &mut done, between);
        // What was good goes on first.
        heard.or_else(|lost| {
            self.lost = Some(lost);
            if done > 0 { Ok(Passage::Pass(done)) } else { Err(lost) }
        })
    }

    fn advance(&mut self, bytes: &[u8], done: &mut usize, between: &mut Between) -> Result<Passage, Lost> {
        loop {
            let rest = bytes.get(*done..).unwrap_or_default();
            let so_far = |otherwise| if *done > 0 { Passage::Pass(*done) } else { otherwise };
            match self.state {
                State::Start => {
                    let Some(line) = line(rest)? else { return Ok(so_far(Passage::More)) };
                    let text = line.strip_suffix(b"\r\n").unwrap_or(line);
                    let (tag, name) = match head(text) {
                        Some((tag, name)) => (tag, Some(name)),
                        None => (&b"*"[..], None),
                    };
                    let is_named =
                        |it: &str| name.is_some_and(|name| name.eq_ignore_ascii_case(it.as_bytes()));
                    let (is_idle, announces) = (is_named("IDLE"), announces(text));
                    // The `+` behind an IDLE with a literal would be for either.
                    let is_kept_back =
                        name.is_none() || KEPT_BACK.into_iter().any(is_named) || is_idle && announces;
                    if is_kept_back && *done > 0 {
                        return Ok(Passage::Pass(*done));
                    }
                    if !is_kept_back {
                        let (unanswered, asks) = (&mut between.unanswered, is_idle || announces);
                        if unanswered.is_full() || asks && !unanswered.is_empty() {
                            return Ok(so_far(Passage::Wait));
                        }
                        unanswered.add(tag);
                    }
                    self.leaves = is_named("LOGOUT") && text.len() == tag.len() + " LOGOUT".len();
                    self.begin(tag, is_kept_back)?;
                    self.state = State::Line;
                    if is_idle && !is_kept_back {
                        between.asked = Asked::ToIdle { tag: self.tag.clone(), idling: Idling::NotYet };
                        self.state = State::Idles;
                        return Ok(Passage::Pass(*done + line.len()));
                    }
                }
                State::Line => {
                    let Some(line) = line(rest)? else { return Ok(so_far(Passage::More)) };
                    let n_line = line.len();
                    // It went on when all others were answered, so this one is as well. Nobody knows whether the server would ask for
                    // another literal, and all know that a command ends here.
                    let is_over = self.fate == Fate::Passes && between.unanswered.is_empty();
                    if is_over && announces(line.strip_suffix(b"\r\n").unwrap_or(line)) {
                        if *done > 0 {
                            return Ok(Passage::Pass(*done));
                        }
                        self.fate = Fate::IsAnswered;
                        return Ok(Passage::Say(b"\r\n".to_vec()));
                    }
                    self.state = self.after(line, between)?;
                    if let State::Instead { .. } = self.state {
                        return Ok(Passage::Pass(*done + n_line - UNASKED.len()));
                    }
                    if self.fate != Fate::Passes {
                        return Ok(Passage::Drop(n_line));
                    }
                    *done += n_line;
                }
                State::Instead { n_bytes } => {
                    self.state = State::Taken { n_bytes };
                    return Ok(Passage::Say(ASKING.to_vec()));
                }
                State::Taken { n_bytes } => {
                    self.state = State::Asks { n_bytes, client_waits: false };
                    return Ok(Passage::Drop(UNASKED.len()));
                }
                State::Asks { n_bytes, client_waits } => match std::mem::take(&mut between.asked) {
                    Asked::Granted => self.state = literal(n_bytes),
                    Asked::Denied | Asked::Nothing if client_waits => self.state = State::Start,
                    Asked::Denied | Asked::Nothing => {
                        self.fate = Fate::IsAnswered;
                        self.state = literal(n_bytes);
                    }
                    waiting @ (Asked::By { .. } | Asked::ToIdle { .. }) => {
                        between.asked = waiting;
                        return Ok(so_far(Passage::Wait));
                    }
                },
                State::Idles => match &between.asked {
                    Asked::ToIdle { idling: Idling::NotYet, .. } => return Ok(so_far(Passage::Wait)),
                    Asked::ToIdle { .. } => self.state = State::Done,
                    Asked::Nothing | Asked::By { .. } | Asked::Granted | Asked::Denied => {
                        between.asked = Asked::Nothing;
                        self.state = State::Start;
                    }
                },
                State::Done => {
                    let Some(line) = line(rest)? else { return Ok(so_far(Passage::More)) };
                    let is_over = matches!(between.asked, Asked::ToIdle { idling: Idling::NoMore, .. });
                    // It may have been on its way when the server ended it.
                    if line.eq_ignore_ascii_case(b"DONE\r\n") {
                        *done += line.len();
                    } else if !is_over {
                        // The server takes it for the end, or for a command: nobody knows which.
                        return Err(Lost::NotACommand);
                    }
                    between.asked = Asked::Nothing;
                    self.state = State::Start;
                }
                State::Literal(_) if rest.is_empty() => return Ok(so_far(Passage::More)),
                State::Literal(left) => {
                    let n = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    self.state = literal(left - n as u64);
                    if self.fate != Fate::Passes {
                        return Ok(Passage::Drop(n));
                    }
                    *done += n;
                }
            }
        }
    }

    fn begin(&mut self, tag: &[u8], is_kept_back: bool) -> Result<(), Lost> {
        self.tag = tag.to_vec();
        self.fate = if is_kept_back { Fate::IsKeptBack } else { Fate::Passes };
        self.n_mistakes += u32::from(is_kept_back);
        if self.n_mistakes > MISTAKES { Err(Lost::TooManyMistakes) } else { Ok(()) }
    }

    /// What follows a line of the command.
    fn after(&mut self, line: &[u8], between: &mut Between) -> Result<State, Lost> {
        let announced = match tail(line.strip_suffix(b"\r\n").unwrap_or(line)) {
            LineTail::Absurd => return Err(Lost::AbsurdLiteral),
            LineTail::Plain => None,
            LineTail::Literal(it) => Some(it),
        };
        Ok(match (announced, self.fate) {
            (None, Fate::Passes | Fate::IsAnswered) => State::Start,
            (Some(Announcement { n_bytes, is_synchronising: client_waits, .. }), Fate::Passes) => {
                // From now on: the server may answer before all of the client's line is out of the way.
                between.asked = Asked::By { tag: self.tag.clone(), client_waits };
                if client_waits { State::Asks { n_bytes, client_waits } } else { State::Instead { n_bytes } }
            }
            (Some(it), Fate::IsKeptBack | Fate::IsAnswered) if !it.is_synchronising => literal(it.n_bytes),
            // It waits for something that never comes, and has its answer already.
            (Some(_), Fate::IsAnswered) => State::Start,
            // Nobody asks for it: the answer comes instead.
            (_, Fate::IsKeptBack) => {
                between.answer = Some(self.answer());
                State::Start
            }
        })
    }

    fn answer(&self) -> Vec<u8> {
        let tag = std::str::from_utf8(&self.tag).ok().filter(|it| *it != "*");
        let text = "This command is not possible here: you are signed in already, and nothing is compressed";
        ServerResponse::status(tag, StatusKind::Bad, None, text).as_bytes().to_vec()
    }
}

fn announces(text: &[u8]) -> bool {
    matches!(tail(text), LineTail::Literal(_))
}

/// A literal of nothing is over at once: the line goes on.
const fn literal(left: u64) -> State {
    if left == 0 { State::Line } else { State::Literal(left) }
}
