//! The letter that a mailbox sends to itself.

use gatepost_core::{Domain, EmailAddress, SubmissionId, World};
use gatepost_wire::message::{Letter, MessageId, Sought, WrittenMessage};

use crate::sending::SendingAccount;

/// The characters of the word in its subject: such as no provider folds or encodes, and no two that look alike.
const WORD: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// How many there are of them: with 80 bits no other letter has it.
const WORD_LENGTH: usize = 16;

/// A letter ready to be sent, and how it is known again.
pub(super) struct TestLetter {
    pub(super) from: EmailAddress,
    pub(super) to: EmailAddress,
    pub(super) message: WrittenMessage,
    /// By its id, or by the word: some providers write an id of their own.
    pub(super) sought: Sought,
    /// Whether it is removed once it was found. Not from a mailbox that is somebody else's.
    pub(super) is_removed: bool,
}

impl TestLetter {
    /// From the address that letters come from to the mailbox that is read.
    pub(super) fn new(account: &SendingAccount, asked_by: &str, own_name: &Domain, world: &World) -> Self {
        let (from, to) = (&account.address, account.opens.as_ref().unwrap_or(&account.address));
        let word = word(world);
        let id = message_id(from, own_name, world);
        let paragraphs = [
            format!(
                "{} asked Gatepost at {own_name} whether letters leave this mailbox and arrive in it. Gatepost signed in to the mailbox, sent this letter from it, and looks for it here.",
                asked_by.trim()
            ),
            "You need do nothing. Gatepost removes this letter by itself where the provider lets it; where it still lies here, you can delete it.".to_owned(),
            "If you know nothing of this, somebody else can sign in to this mailbox: change its password, or take back the access you have given to applications.".to_owned(),
        ];
        let message = Letter {
            author: "Gatepost",
            from,
            to,
            subject: &format!("Gatepost checks this mailbox: {word}"),
            at: world.now(),
            message_id: &format!("<{}>", id.as_str()),
            paragraphs: &paragraphs,
        }
        .write();
        let sought = Sought::by_id_or_word(id.clone(), &word).unwrap_or_else(|| Sought::by_id(id));
        Self { from: from.clone(), to: to.clone(), message, sought, is_removed: account.opens.is_none() }
    }

    /// RFC 6531 §3.4: whether the envelope or the header is more than ASCII.
    pub(super) fn needs_smtputf8(&self) -> bool {
        self.message.is_smtputf8 || !self.from.is_ascii() || !self.to.is_ascii()
    }
}

fn word(world: &World) -> String {
    world
        .random::<WORD_LENGTH>()
        .iter()
        .map(|byte| char::from(WORD[usize::from(*byte) % WORD.len()]))
        .collect()
}

/// Of the domain that the letter comes from, as every letter that Gatepost writes; of our own name where that one is not ASCII.
fn message_id(from: &EmailAddress, own_name: &Domain, world: &World) -> MessageId {
    let unique = SubmissionId::new(world);
    let of = |domain: &str| MessageId::new(&format!("{unique}@{domain}"));
    let id = of(from.domain()).or_else(|| of(own_name.as_str())).or_else(|| of("localhost"));
    id.expect("an id of ASCII")
}
