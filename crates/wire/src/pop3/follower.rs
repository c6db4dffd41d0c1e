//! What passes after sign-in (MP-5, MP-7): each answer is told from the command that it answers.
//!
//! A POP3 answer does not say how many lines it has. So only commands whose answers are known pass, in the one form that every server
//! reads alike; all others are answered by us, in their turn.

mod message;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use self::message::MessageEnd;
use super::{COMMAND_LINE, Command, ServerReply};
use crate::passage::{self, Leave, Lost, Passage};

/// Commands that wait for their answers; whoever sends more is not heard meanwhile.
const WAITING: usize = 1_000;

/// Commands that are not possible, before the session ends.
const MISTAKES: u32 = 10;

/// A status line, or a line of a listing.
const LINE: usize = 8 * 1024;

/// What a server may say that it can do. What begins a sign-in or TLS is none of it, and what we do not pass neither.
const CAPABILITIES: [&str; 8] =
    ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE", "LOGIN-DELAY", "IMPLEMENTATION"];

/// Follows a POP3 session from the sign-in to its end.
#[derive(Default)]
pub struct Follower {
    waiting: VecDeque<Answer>,
    state: State,
    n_mistakes: u32,
    /// The client's last command was QUIT.
    leaves: bool,
    /// The client has said this in other words: they are said instead.
    instead: Option<Vec<u8>>,
}

/// The answer to a command.
enum Answer {
    /// One line.
    Line,
    /// A line, and more if that is good.
    Lines,
    /// The same, and what is not possible here is left out.
    Capabilities,
    /// Ours.
    Ours(ServerReply),
}

#[derive(Default)]
enum State {
    /// An answer may begin.
    #[default]
    Start,
    /// In its first line, which is good or not.
    First { is_good: bool },
    /// In the lines behind it.
    Lines(MessageEnd),
    /// In the list of what the server can do.
    Capabilities,
}

impl passage::Follower for Follower {
    fn hear_client(&mut self, bytes: &[u8]) -> Result<Passage, Lost> {
        if let Some(words) = self.instead.take() {
            return Ok(Passage::Say(words));
        }
        let mut done = 0;
        loop {
            let rest = bytes.get(done..).unwrap_or_default();
            let so_far = |otherwise| if done > 0 { Passage::Pass(done) } else { otherwise };
            if self.waiting.len() >= WAITING {
                return Ok(so_far(Passage::Wait));
            }
            let line = match line(rest, COMMAND_LINE) {
                Ok(Some(line)) => line,
                Ok(None) => return Ok(so_far(Passage::More)),
                Err(()) if done > 0 => return Ok(Passage::Pass(done)),
                Err(()) => return Err(Lost::NotACommand),
            };
            let said = Command::parse(line.strip_suffix(b"\r\n").unwrap_or(line));
            self.leaves = matches!(said, Ok(Command::Quit));
            match said.ok().and_then(|it| Some((answer_to(&it)?, it))) {
                Some((answer, command)) => {
                    let mut canonical = Vec::new();
                    command.write_to(&mut canonical);
                    if canonical == line {
                        self.waiting.push_back(answer);
                        done += line.len();
                        continue;
                    }
                    if done > 0 {
                        return Ok(Passage::Pass(done));
                    }
                    self.waiting.push_back(answer);
                    self.instead = Some(canonical);
                }
                None if done > 0 => return Ok(Passage::Pass(done)),
                None => {
                    self.n_mistakes += 1;
                    if self.n_mistakes > MISTAKES {
                        return Err(Lost::TooManyMistakes);
                    }
                    self.waiting
                        .push_back(Answer::Ours(ServerReply::error("This command is not possible here")));
                }
            }
            return Ok(Passage::Drop(line.len()));
        }
    }

    fn hear_server(&mut self, bytes: &[u8]) -> Result<Passage, Lost> {
        let mut done = 0;
        loop {
            let rest = bytes.get(done..).unwrap_or_default();
            let so_far = |otherwise| if done > 0 { Passage::Pass(done) } else { otherwise };
            match &mut self.state {
                State::Start => {
                    if let Some(Answer::Ours(reply)) = self.waiting.front() {
                        if done > 0 {
                            return Ok(Passage::Pass(done));
                        }
                        let words = reply.to_bytes();
                        self.waiting.pop_front();
                        return Ok(Passage::Say(words));
                    }
                    // Enough to tell good from bad.
                    if rest.len() < 3 {
                        return Ok(so_far(Passage::More));
                    }
                    self.state = State::First { is_good: rest.starts_with(b"+OK") };
                }
                _ if rest.is_empty() => return Ok(so_far(Passage::More)),
                State::First { is_good } => {
                    let n = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
                    if rest.get(..n).is_some_and(|it| it.ends_with(b"\n")) {
                        // An answer to nothing, such as a farewell, is one line.
                        self.state = match (self.waiting.pop_front(), *is_good) {
                            (Some(Answer::Lines), true) => State::Lines(MessageEnd::default()),
                            (Some(Answer::Capabilities), true) => State::Capabilities,
                            _ => State::Start,
                        };
                    }
                    done += n;
                }
                State::Lines(end) => {
                    let (n, is_over) = end.look(rest);
                    if is_over {
                        self.state = State::Start;
                    }
                    done += n;
                }
                State::Capabilities => {
                    let start = rest.get(..LINE).unwrap_or(rest);
                    let Some(at) = memchr::memchr(b'\n', start) else {
                        return match so_far(Passage::More) {
                            Passage::More if rest.len() >= LINE => Err(Lost::NotAnAnswer),
                            passage => Ok(passage),
                        };
                    };
                    let line = rest.get(..=at).unwrap_or_default();
                    // To some a line goes on behind LF alone, so none of these passes.
                    let text = line.strip_suffix(b"\r\n");
                    if text == Some(b".") {
                        self.state = State::Start;
                    } else if !text.is_some_and(is_possible) {
                        return Ok(so_far(Passage::Drop(line.len())));
                    }
                    done += line.len();
                }
            }
        }
    }

    fn is_within(&self) -> bool {
        !matches!(self.state, State::Start)
    }

    fn is_at_boundary(&self) -> bool {
        // POP3 has no word for a server that leaves unasked: an error where an answer is due is all that a client understands.
        matches!(self.state, State::Start) && !self.waiting.is_empty()
    }

    fn leave(&self) -> Leave {
        let is_answered = self.waiting.is_empty() && matches!(self.state, State::Start);
        match (self.leaves, is_answered) {
            (false, _) => Leave::NotAsked,
            (true, false) => Leave::Asked,
            (true, true) => Leave::Answered,
        }
    }
}

/// The line at the beginning with its CRLF, once it is there; none that is too long, or has an end within that a server may see.
fn line(bytes: &[u8], limit: usize) -> Result<Option<&[u8]>, ()> {
    let Some(at) = memchr::memchr(b'\n', bytes) else {
        return if bytes.len() >= limit { Err(()) } else { Ok(None) };
    };
    let text = bytes.get(..at).and_then(|it| it.strip_suffix(b"\r")).ok_or(())?;
    if text.len() + 2 > limit || text.iter().any(|it| matches!(it, b'\r' | b'\0')) {
        return Err(());
    }
    Ok(bytes.get(..=at))
}

/// What is answered to a command that passes.
const fn answer_to(command: &Command) -> Option<Answer> {
    Some(match command {
        Command::Capa => Answer::Capabilities,
        Command::List(None) | Command::Uidl(None) | Command::Retr(_) | Command::Top { .. } => Answer::Lines,
        Command::List(Some(_))
        | Command::Uidl(Some(_))
        | Command::Stat
        | Command::Dele(_)
        | Command::Rset
        | Command::Noop
        | Command::Quit => Answer::Line,
        Command::User(_) | Command::Pass(_) | Command::Auth { .. } | Command::Stls => return None,
    })
}

fn is_possible(text: &[u8]) -> bool {
    let name = text.split(|it| *it == b' ').next().unwrap_or_default();
    CAPABILITIES.iter().any(|it| name.eq_ignore_ascii_case(it.as_bytes()))
}
