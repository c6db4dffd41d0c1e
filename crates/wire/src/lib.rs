//! Grammar without I/O: bytes in, values out. One parser per protocol, used by everyone.
//!
//! Two parsers of one protocol that disagree about a single byte are how mail is smuggled, so the submission server, the
//! sender, the sandbox and the load generator all read and write through this room. What comes from a peer is parsed once
//! into a value whose type is the proof that it was checked; what goes to a peer is written from such a value. For each
//! format the law "what we print parses back to the same value" is a test, and each parser has a fuzz target.
//!
//! *Trust note.* This room talks to nobody: no sockets, files, clock, randomness or async code. Every byte it reads may be
//! hostile. It must never panic on one, never hold more of it than the stated limits, never recurse, and never take time
//! that grows faster than the input. It sees passwords and tokens in `sasl` and in the AUTH command, holds them only in
//! secret types, and never prints them.

pub mod smtp;

pub mod pop3;

pub mod imap;

pub mod sasl;

pub mod message;

pub mod dsn;

pub mod passage;

mod fold;
