//! Bytes that pass between a client and a server which have signed in with each other: followed, and not understood.
//!
//! After sign-in Gatepost carries bytes. It still has to know where a line may begin, so that it can say something of its own there,
//! and it keeps back what must not pass: another sign-in, and compression (MP-7, MP-8). A [`Follower`] says what to do with the bytes
//! at hand; whoever moves them does that, and asks again.

#[cfg(test)]
pub(crate) mod mover;

/// What to do with the bytes at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passage {
    /// So many go on.
    Pass(usize),
    /// So many go nowhere.
    Drop(usize),
    /// This is said to whom the bytes are for, ahead of them.
    Say(Vec<u8>),
    /// More are needed before anything can be done.
    More,
    /// They stay until the other side has said something.
    Wait,
}

/// One of the two has said what cannot be followed: nobody knows any more where a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// A line that is too long, or not ended by CRLF alone.
    #[error("the client sent what is no command")]
    NotACommand,
    /// A literal of more than 2^64 octets.
    #[error("a literal of an impossible size was announced")]
    AbsurdLiteral,
    /// It goes on asking for what is refused.
    #[error("the client sent too many commands that are not possible")]
    TooManyMistakes,
    /// A server's answer that cannot be told from another one.
    #[error("the server sent what is no answer")]
    NotAnAnswer,
}

/// Whether the client leaves as the protocol has it: by LOGOUT, by QUIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// It has not said so, or something else since.
    NotAsked,
    /// It has said so.
    Asked,
    /// And the server has answered: either may close now.
    Answered,
}

/// Follows one client and one server.
pub trait Follower: Send {
    /// The client has said this, behind all that was passed or dropped before.
    fn hear_client(&mut self, bytes: &[u8]) -> Result<Passage, Lost>;

    /// The server has said this. Also asked without bytes: something of ours may wait for its turn.
    fn hear_server(&mut self, bytes: &[u8]) -> Result<Passage, Lost>;

    /// Whether somebody has said only a part of something: the rest is due.
    fn is_within(&self) -> bool;

    /// Whether something said to the client now begins a line.
    fn is_at_boundary(&self) -> bool;

    /// Whether the client has signed out.
    fn leave(&self) -> Leave;
}
