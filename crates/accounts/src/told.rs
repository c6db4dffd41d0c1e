//! What the log says of accounts: who changed what, when a mailbox stops working and why, and when it works again.

use gatepost_core::{EmailAddress, MailAccountId, PersonId, printable};
use gatepost_journal::Actor;
use gatepost_providers::Catalogue;

use crate::account::MailAccount;
use crate::command::EndedConnection;
use crate::record::Record;
use crate::report::Change;
use crate::standing::Standing;
use crate::status::{Direction, StatusName};

/// How much of a provider's words is logged.
const REPLY_CHARS: usize = 300;

/// An account before and after a change that is on the disk.
pub(crate) struct Written {
    pub(crate) before: Box<Record>,
    pub(crate) after: Box<Record>,
    /// What somebody did, by the journal's name for it; `None` where the status moved by itself.
    action: Option<&'static str>,
}

impl Written {
    pub(crate) fn new(before: Record, after: Record, action: Option<&'static str>) -> Self {
        Self { before: Box::new(before), after: Box::new(after), action }
    }

    /// Nothing was to be written.
    pub(crate) fn nothing(record: Record) -> Self {
        Self::new(record.clone(), record, None)
    }

    pub(crate) fn change(&self) -> Change {
        Change::between(&self.before, &self.after)
    }

    /// Writes the lines of this change: call it once, after the commit. An attempt that fails like the one before changes no
    /// status, and writes none.
    pub(crate) fn tell(&self, catalogue: &Catalogue) {
        let (id, address, name) = self.named();
        if let Some(action) = self.action {
            tracing::info!(account.address = address, account.name = name, account.id = %id, action, "{}", in_words(action));
        }
        if !self.after.account.is_live() {
            return;
        }
        for direction in [Direction::Sending, Direction::Reading] {
            self.tell_direction(direction, catalogue);
        }
        match (self.before.is_held(), self.after.is_held()) {
            (false, true) => {
                tracing::info!(account.address = address, account.name = name, account.id = %id, "letters of this mail account are held from now on");
            }
            (true, false) => {
                tracing::info!(account.address = address, account.name = name, account.id = %id, "letters of this mail account are held no longer");
            }
            (true, true) | (false, false) => {}
        }
    }

    fn tell_direction(&self, direction: Direction, catalogue: &Catalogue) {
        let (id, address, name) = self.named();
        let (was, is) =
            (self.before.standing(direction).state.name(), self.after.standing(direction).state.name());
        if was == is {
            return;
        }
        match is {
            StatusName::NeedsSignIn | StatusName::Failing => self.warn(direction, is, catalogue),
            StatusName::Connected => tracing::info!(
                account.address = address,
                account.name = name,
                account.id = %id,
                direction = direction.word(),
                before = was.word(),
                "{}",
                match direction {
                    Direction::Sending => "a mail account can send",
                    Direction::Reading => "a mail account can be read",
                }
            ),
            StatusName::Unchecked | StatusName::Paused => {}
        }
    }

    /// What the account is recognised by. Addresses are masked in the log (OP-1).
    fn named(&self) -> (MailAccountId, String, &str) {
        let it = &self.after.account;
        (it.id, it.address.masked(), &it.short_name)
    }

    fn warn(&self, direction: Direction, status: StatusName, catalogue: &Catalogue) {
        let (id, address, name) = self.named();
        let Standing { rule, reply, .. } = self.after.standing(direction);
        let diagnosis = rule.as_deref().and_then(|rule| catalogue.find(rule));
        tracing::warn!(
            account.address = address,
            account.name = name,
            account.id = %id,
            direction = direction.word(),
            status = status.word(),
            rule,
            cause = diagnosis.map(|it| it.cause.as_str()),
            cure = diagnosis.map(|it| it.cure.as_str()),
            who = diagnosis.map(|it| tracing::field::display(it.who)),
            reply = reply.as_deref().map(shown),
            "{}",
            match direction {
                Direction::Sending => "a mail account cannot send",
                Direction::Reading => "a mail account cannot be read",
            }
        );
    }
}

/// A connection that read the mailbox was ended by somebody.
pub(crate) fn tell_of_end(account: &MailAccount, it: &EndedConnection, actor: Actor) {
    tracing::info!(
        account.address = account.address.masked(),
        account.name = account.short_name,
        account.id = %account.id,
        app_password.name = it.name,
        app_password.id = %it.app_password,
        protocol = it.protocol.name(),
        peer = %it.source,
        person.name = it.by,
        person.id = person_id(actor).map(tracing::field::display),
        "somebody ended a connection that read a mailbox"
    );
}

const fn person_id(actor: Actor) -> Option<PersonId> {
    if let Actor::Person(id) = actor { Some(id) } else { None }
}

/// A provider's words on one line, printable and not long. Addresses are masked, and links end where what they carry begins.
pub(crate) fn shown(words: &[u8]) -> String {
    let text = printable_line(words).split(' ').map(harmless).collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(REPLY_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn printable_line(words: &[u8]) -> String {
    let pieces = words.split(u8::is_ascii_whitespace).filter(|it| !it.is_empty());
    printable(&pieces.collect::<Vec<_>>().join(&b' ')).to_string()
}

fn harmless(word: &str) -> String {
    let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
    match (bare.parse::<EmailAddress>(), word.split_once('?')) {
        (Ok(address), _) => address.masked(),
        (Err(_), Some((link, _))) if link.contains("://") => format!("{link}?…"),
        (Err(_), _) if word.contains('@') => "…".to_owned(),
        (Err(_), _) => word.to_owned(),
    }
}

fn in_words(action: &str) -> &'static str {
    match action {
        "mail_account.added" => "a mail account was connected",
        "mail_account.reauthenticated" => "somebody signed in again to a mail account",
        "mail_account.paused" => "a mail account was paused",
        "mail_account.resumed" => "a mail account was resumed",
        "mail_account.removed" => "a mail account was removed",
        "mail_account.credential_replaced" => "the password of a mail account was replaced",
        "mail_account.servers_changed" => "the servers of a mail account were changed",
        "mail_account.made_default" => "a mail account was made a default",
        _ => "a mail account was changed",
    }
}
