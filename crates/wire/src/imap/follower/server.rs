//! The server's side: where responses begin, and what they say of capabilities.

use super::super::capabilities::passes;
use super::super::frame::LineTail;
use super::line::{LineEnd, Word, Words};
use super::{Asked, Between, Idling};
use crate::passage::{Lost, Passage};

/// What has to be understood of a line stands within so many octets; a longer list of capabilities passes as it is.
const HEAD: usize = 8 * 1024;

#[derive(Default)]
pub(super) struct Server {
    state: State,
    end: LineEnd,
    /// It could not be followed any more.
    lost: Option<Lost>,
}

#[derive(Default)]
enum State {
    /// A response may begin.
    #[default]
    Start,
    /// Within a line, at whose end a literal may be announced; not in text for people.
    Line { announces: bool },
    /// So many octets of a literal are still to come.
    Literal(u64),
    /// A line was taken away, and this stands for it.
    Instead(Vec<u8>),
    /// It has said BYE: nobody says it again.
    Over,
}

/// What stands at the beginning of a line.
enum Head<'a> {
    /// Nothing that can be told yet.
    Cut,
    /// The server asks to go on.
    GoesOn,
    /// The server leaves.
    Bye,
    /// OK, NO, BAD, PREAUTH.
    Status {
        tag: &'a [u8],
        says_capabilities: bool,
    },
    /// A list of capabilities.
    Capabilities,
    Other,
}

fn head(bytes: &[u8]) -> Head<'_> {
    let mut words = Words::of(bytes);
    let tag = match words.next() {
        Word::Whole(b"+") => return Head::GoesOn,
        Word::Whole(tag) => tag,
        Word::None => return Head::Other,
        Word::Cut => return Head::Cut,
    };
    let name = match words.next() {
        Word::Whole(name) => name,
        Word::None => return Head::Other,
        Word::Cut => return Head::Cut,
    };
    let is = |it: &str| name.eq_ignore_ascii_case(it.as_bytes());
    if tag == b"*" && is("CAPABILITY") {
        return Head::Capabilities;
    }
    if tag == b"*" && is("BYE") {
        return Head::Bye;
    }
    if !["OK", "NO", "BAD", "BYE", "PREAUTH"].into_iter().any(is) {
        return Head::Other;
    }
    const CODE: &[u8] = b" [CAPABILITY ";
    let rest = words.rest();
    let start = rest.get(..CODE.len()).unwrap_or(rest);
    let agrees = CODE.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start));
    if agrees && start.len() < CODE.len() {
        return Head::Cut;
    }
    Head::Status { tag, says_capabilities: agrees }
}

impl Server {
    pub(super) const fn is_at_boundary(&self) -> bool {
        matches!(self.state, State::Start)
    }

    pub(super) const fn is_within(&self) -> bool {
        matches!(self.state, State::Line { .. } | State::Literal(_) | State::Instead(_))
    }

    /// It has said BYE.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
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
            match &mut self.state {
                State::Instead(_) if *done > 0 => return Ok(Passage::Pass(*done)),
                State::Instead(words) => {
                    let words = std::mem::take(words);
                    self.state = State::Start;
                    return Ok(Passage::Say(words));
                }
                State::Start if between.answer.is_some() && *done > 0 => return Ok(Passage::Pass(*done)),
                State::Start => {
                    if let Some(answer) = between.answer.take() {
                        return Ok(Passage::Say(answer));
                    }
                    if rest.is_empty() {
                        return Ok(so_far(Passage::More));
                    }
                    // No more than that is looked at, however much is there: else it would depend on how the bytes were cut.
                    let (start, is_long) = (rest.get(..HEAD).unwrap_or(rest), rest.len() >= HEAD);
                    let end = memchr::memchr(b'\n', start);
                    let head = head(start);
                    let mut announces = false;
                    match head {
                        Head::Cut if !is_long => return Ok(so_far(Passage::More)),
                        Head::Capabilities | Head::Status { says_capabilities: true, .. }
                            if !is_long || end.is_some() =>
                        {
                            if *done > 0 {
                                return Ok(Passage::Pass(*done));
                            }
                            let Some(end) = end else { return Ok(Passage::More) };
                            if let Head::Status { tag, .. } = head {
                                between.answered(tag);
                            }
                            self.state = State::Instead(without_what_cannot_pass(
                                rest.get(..=end).unwrap_or_default(),
                            ));
                            return Ok(Passage::Drop(end + 1));
                        }
                        Head::GoesOn => match between.goes_on() {
                            // The client did not wait, so it is not told.
                            GoesOn::Unheard if *done > 0 => return Ok(Passage::Pass(*done)),
                            GoesOn::Unheard => {
                                let Some(end) = end else {
                                    return if is_long { Err(Lost::NotAnAnswer) } else { Ok(Passage::More) };
                                };
                                between.asked = Asked::Granted;
                                return Ok(Passage::Drop(end + 1));
                            }
                            GoesOn::Heard => {}
                        },
                        Head::Bye => {
                            self.state = State::Over;
                            continue;
                        }
                        Head::Status { tag, .. } => between.answered(tag),
                        Head::Cut | Head::Capabilities | Head::Other => announces = true,
                    }
                    self.state = State::Line { announces };
                }
                State::Over if bytes.is_empty() => return Ok(Passage::More),
                State::Over => return Ok(Passage::Pass(bytes.len())),
                State::Line { .. } | State::Literal(_) if rest.is_empty() => {
                    return Ok(so_far(Passage::More));
                }
                State::Line { announces } => {
                    let n = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
                    let line = rest.get(..n).unwrap_or_default();
                    self.end.push(line);
                    // The whole line goes on, whatever it says: a part of it may have gone already.
                    *done += n;
                    if line.ends_with(b"\n") {
                        self.state = match self.end.finish() {
                            LineTail::Literal(it) if *announces => literal(it.n_bytes),
                            LineTail::Absurd if *announces => return Err(Lost::AbsurdLiteral),
                            _ => State::Start,
                        };
                    }
                }
                State::Literal(left) => {
                    let n = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    let left = *left - n as u64;
                    self.state = literal(left);
                    *done += n;
                }
            }
        }
    }
}

/// Whom a line with `+` is for.
enum GoesOn {
    /// The client, who waits for it or whose business it is.
    Heard,
    /// Us.
    Unheard,
}

impl Between {
    /// The server asks for the rest of a command.
    fn goes_on(&mut self) -> GoesOn {
        match &mut self.asked {
            Asked::By { client_waits: false, .. } => return GoesOn::Unheard,
            Asked::By { client_waits: true, .. } => self.asked = Asked::Granted,
            Asked::ToIdle { idling, .. } if *idling == Idling::NotYet => *idling = Idling::Now,
            Asked::ToIdle { .. } | Asked::Nothing | Asked::Granted | Asked::Denied => {}
        }
        GoesOn::Heard
    }

    /// The server has ended a command.
    fn answered(&mut self, tag: &[u8]) {
        self.unanswered.remove(tag);
        match &mut self.asked {
            Asked::ToIdle { tag: asking, idling } if asking == tag && *idling != Idling::NotYet => {
                *idling = Idling::NoMore;
            }
            Asked::By { tag: asking, .. } | Asked::ToIdle { tag: asking, .. } if asking == tag => {
                self.asked = Asked::Denied;
            }
            _ => {}
        }
    }
}

/// The line without the names of what is kept back. Words stay byte for byte as they were.
fn without_what_cannot_pass(line: &[u8]) -> Vec<u8> {
    let is_kept_back = |word: &[u8]| !passes(word.strip_suffix(b"]").unwrap_or(word));
    let mut out = Vec::with_capacity(line.len());
    let mut is_in_list = true;
    for word in line.split_inclusive(|it| *it == b' ') {
        let bare = word.strip_suffix(b" ").unwrap_or(word);
        let (text, end) = split_line_end(bare);
        let closes = text.ends_with(b"]");
        if is_in_list && is_kept_back(text) {
            if closes || !end.is_empty() {
                if out.last() == Some(&b' ') {
                    out.pop();
                }
                out.extend_from_slice(if closes { b"]" } else { b"" });
                out.extend_from_slice(end);
                out.extend_from_slice(word.get(bare.len()..).unwrap_or_default());
            }
        } else {
            out.extend_from_slice(word);
        }
        is_in_list &= !closes;
    }
    out
}

fn split_line_end(word: &[u8]) -> (&[u8], &[u8]) {
    let text = word.strip_suffix(b"\n").unwrap_or(word);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    word.split_at(text.len())
}

/// A literal of nothing is over at once: the line goes on.
const fn literal(left: u64) -> State {
    if left == 0 { State::Line { announces: true } } else { State::Literal(left) }
}
