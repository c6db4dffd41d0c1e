//! One method per command, but for those that sign in, read or search.

use std::time::Duration;

use gatepost_core::EmailAddress;
use gatepost_net::{LineEnd, ReadError};
use gatepost_wire::imap::{
    Command, FlagChange, FlagChangeKind, Folder, NumberSet, ServerResponse, StatusItem,
};
use gatepost_wire::sasl::{Credentials, Secret};
use tokio::time::Instant;

use super::folder::{View, count, flags_of};
use super::reply;
use super::session::{Session, State};
use crate::fault::Phase;
use crate::mailbox::{MessageId, Numbered};
use crate::session::{Conversation as _, Ending, Step};

/// Names for ALPN: none but mail programs shall come (ALPACA).
const ALPN: &[&str] = &["imap"];

/// RFC 2177 §3: clients say IDLE anew after 29 minutes.
const IDLE_WITHIN: Duration = Duration::from_secs(1_800);

/// How often a client that idles is told of news.
const NEWS_EVERY: Duration = Duration::from_millis(250);

/// The one folder.
const INBOX: &str = "INBOX";

/// Flags that every program knows.
const FLAGS: &[&str] = &["\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft"];

impl Session<'_> {
    pub(super) async fn obey(&mut self, tag: &str, command: Command) -> Step {
        match command {
            Command::Capability => {
                self.say(&ServerResponse::capability(&reply::capabilities(self.connection.is_encrypted())));
                self.say(&reply::ok(tag, "done"));
                Ok(())
            }
            Command::Id(_) => {
                self.say(&ServerResponse::id("Gatepost sandbox", env!("CARGO_PKG_VERSION")));
                self.say(&reply::ok(tag, "done"));
                Ok(())
            }
            Command::Noop if self.owner().is_none() => {
                self.say(&reply::ok(tag, "done"));
                Ok(())
            }
            Command::Logout => {
                self.say(&reply::bye("Goodbye"));
                self.say(&reply::ok(tag, "done"));
                Err(Ending::Said)
            }
            Command::StartTls => self.cmd_starttls(tag).await,
            Command::Login { user_name, password } => {
                let secret = Secret::Password(password);
                self.cmd_login(tag, Credentials { authorization_id: None, user_name, secret }).await
            }
            Command::Authenticate { mechanism, initial } => {
                self.cmd_authenticate(tag, &mechanism, initial).await
            }
            other => match self.owner().cloned() {
                Some(owner) => self.obey_owner(tag, &owner, other).await,
                None => self.complain(&reply::bad(tag, "Sign in first")),
            },
        }
    }

    /// Commands of somebody who has signed in.
    async fn obey_owner(&mut self, tag: &str, owner: &EmailAddress, command: Command) -> Step {
        match command {
            Command::Namespace => {
                self.say(&ServerResponse::namespace('/'));
                self.say(&reply::ok(tag, "done"));
                Ok(())
            }
            Command::List { reference, pattern } => self.cmd_list(tag, &reference, &pattern, false),
            Command::Lsub { reference, pattern } => self.cmd_list(tag, &reference, &pattern, true),
            Command::Select(folder) => self.cmd_select(tag, owner, &folder, false).await,
            Command::Examine(folder) => self.cmd_select(tag, owner, &folder, true).await,
            Command::Status { folder, items } => self.cmd_status(tag, owner, &folder, &items).await,
            Command::Append { folder, flags, message, .. } => {
                self.cmd_append(tag, owner, &folder, flags, &message).await
            }
            Command::Subscribe(folder) if folder == INBOX => {
                self.say(&reply::ok(tag, "done"));
                Ok(())
            }
            Command::Create(_)
            | Command::Delete(_)
            | Command::Rename(..)
            | Command::Subscribe(_)
            | Command::Unsubscribe(_) => {
                self.complain(&reply::no(tag, "CANNOT", "Each mailbox has INBOX alone"))
            }
            Command::Noop | Command::Check => self.done(tag, owner, "done").await,
            other if self.view().is_some() => self.obey_selected(tag, owner, other).await,
            _ => self.complain(&reply::bad(tag, "Select a folder first, or say something else")),
        }
    }

    /// Commands that need an open folder.
    async fn obey_selected(&mut self, tag: &str, owner: &EmailAddress, command: Command) -> Step {
        match command {
            Command::Close => {
                if self.view().is_some_and(|it| !it.is_read_only) {
                    self.expunge(tag, owner, None).await?;
                }
                self.select(None);
                self.say(&reply::ok(tag, "done"));
                Ok(())
            }
            Command::Unselect => {
                self.select(None);
                self.say(&reply::ok(tag, "done"));
                Ok(())
            }
            Command::Expunge(set) => {
                if self.is_read_only(tag)? {
                    return Ok(());
                }
                self.expunge(tag, owner, set.as_ref()).await?;
                self.done(tag, owner, "done").await
            }
            Command::Search { is_uid, key } => self.cmd_search(tag, owner, is_uid, &key).await,
            Command::Fetch { is_uid, set, items } => self.cmd_fetch(tag, owner, is_uid, &set, items).await,
            Command::Store { is_uid, set, change } => {
                self.cmd_store(tag, owner, (is_uid, &set), &change).await
            }
            Command::Idle => self.cmd_idle(tag, owner).await,
            Command::Copy { .. } => self.complain(&reply::no_such_folder(tag)),
            _ => self.complain(&reply::bad(tag, "This is not offered here")),
        }
    }

    async fn cmd_starttls(&mut self, tag: &str) -> Step {
        if self.connection.is_encrypted() {
            return self.complain(&reply::bad(tag, "TLS is on already"));
        }
        // RFC 9051 §6.2.1: bytes behind the command came before encryption, from whomever.
        if self.connection.has_input_waiting() {
            return Err(Ending::Cut);
        }
        if let Some(other) = self.meet(Phase::StartTls).await? {
            self.connection.queue(&other.to_imap(tag, Some("UNAVAILABLE")));
            return Ok(());
        }
        self.say(&reply::ok(tag, "Begin TLS negotiation"));
        self.begin_tls(ALPN).await?;
        self.state = State::NotAuthenticated;
        Ok(())
    }

    fn cmd_list(&mut self, tag: &str, reference: &str, pattern: &str, is_lsub: bool) -> Step {
        let folder = |name: &str, is_selectable| Folder {
            name: name.to_owned(),
            separator: Some('/'),
            is_selectable,
            special_use: None,
        };
        // RFC 9051 §6.3.9: an empty pattern asks for the separator alone.
        if pattern.is_empty() && !is_lsub {
            self.say(&ServerResponse::folder(&folder("", false), false));
        } else if fits(&format!("{reference}{pattern}")) {
            self.say(&ServerResponse::folder(&folder(INBOX, true), is_lsub));
        }
        self.say(&reply::ok(tag, "done"));
        Ok(())
    }

    async fn cmd_select(
        &mut self,
        tag: &str,
        owner: &EmailAddress,
        folder: &str,
        is_read_only: bool,
    ) -> Step {
        // RFC 9051 §6.3.2: a folder that cannot be opened leaves none open.
        self.select(None);
        if folder != INBOX {
            return self.complain(&reply::no_such_folder(tag));
        }
        let other = self.meet(Phase::Read).await?;
        if let Some(other) = other.as_ref().filter(|it| !it.is_imap_ok()) {
            self.connection.queue(&other.to_imap(tag, None));
            return Ok(());
        }
        let Some(now) = self.numbered(tag, owner).await? else { return Ok(()) };
        let unseen = now.letters.iter().position(|it| !it.flags.iter().any(|it| it == "\\Seen"));
        self.say(&ServerResponse::flags(FLAGS));
        self.say(&reply::told(&format!("PERMANENTFLAGS ({} \\*)", FLAGS.join(" ")), "These are kept"));
        self.say(&ServerResponse::exists(count(now.letters.len())));
        self.say(&ServerResponse::recent(0));
        if let Some(at) = unseen {
            self.say(&reply::told(&format!("UNSEEN {}", at + 1), "The first that is not seen"));
        }
        self.say(&reply::told(&format!("UIDVALIDITY {}", now.uid_validity), "UIDs are good"));
        self.say(&reply::told(&format!("UIDNEXT {}", now.uid_next), "The next UID"));
        self.select(Some(View { letters: now.letters, is_read_only }));
        match other {
            Some(other) => self.connection.queue(&other.to_imap(tag, None)),
            None => {
                let code = if is_read_only { "READ-ONLY" } else { "READ-WRITE" };
                self.say(&reply::ok_with(tag, code, "INBOX is open"));
            }
        }
        Ok(())
    }

    async fn cmd_status(
        &mut self,
        tag: &str,
        owner: &EmailAddress,
        folder: &str,
        items: &[StatusItem],
    ) -> Step {
        if folder != INBOX {
            return self.complain(&reply::no_such_folder(tag));
        }
        let Some(now) = self.numbered(tag, owner).await? else { return Ok(()) };
        let unseen = now.letters.iter().filter(|it| !it.flags.iter().any(|it| it == "\\Seen")).count();
        let figure = |item: &StatusItem| match item {
            StatusItem::Messages => count(now.letters.len()),
            StatusItem::Recent => 0,
            StatusItem::UidNext => now.uid_next,
            StatusItem::UidValidity => now.uid_validity,
            StatusItem::Unseen => count(unseen),
        };
        let figures: Vec<_> = items.iter().map(|it| (*it, figure(it))).collect();
        self.say(&ServerResponse::folder_status(INBOX, &figures));
        self.say(&reply::ok(tag, "done"));
        Ok(())
    }

    async fn cmd_append(
        &mut self,
        tag: &str,
        owner: &EmailAddress,
        folder: &str,
        flags: Vec<String>,
        message: &[u8],
    ) -> Step {
        if folder != INBOX {
            return self.complain(&reply::no_such_folder(tag));
        }
        let kept = async {
            let mut incoming = self.provider.mailboxes.receive().await?;
            incoming.write(message).await?;
            self.provider.mailboxes.deliver(incoming, vec![owner.clone()]).await
        };
        let id = match kept.await {
            Ok(id) => id,
            Err(error) => return self.complain(&reply::storage_failed(tag, &error)),
        };
        // The unique id comes first: flags belong to it.
        let Some(now) = self.numbered(tag, owner).await? else { return Ok(()) };
        if !self.set_flags(tag, owner, vec![(id, flags)]).await? {
            return Ok(());
        }
        let uid = now.letters.iter().find(|it| it.summary.id == id).map_or(0, |it| it.uid);
        // RFC 4315 §3.
        let code = format!("APPENDUID {} {uid}", now.uid_validity);
        self.catch_up(tag, owner).await?;
        self.say(&reply::ok_with(tag, &code, "done"));
        Ok(())
    }

    async fn cmd_store(
        &mut self,
        tag: &str,
        owner: &EmailAddress,
        (is_uid, set): (bool, &NumberSet),
        change: &FlagChange,
    ) -> Step {
        if self.is_read_only(tag)? {
            return Ok(());
        }
        let found = self.view().map(|it| it.find(set, is_uid)).unwrap_or_default();
        let mut changed = Vec::new();
        for (number, mut letter) in found {
            let is_given = |it: &String| change.flags.iter().any(|other| other.eq_ignore_ascii_case(it));
            match change.kind {
                FlagChangeKind::Replace => letter.flags.clone_from(&change.flags),
                FlagChangeKind::Remove => letter.flags.retain(|it| !is_given(it)),
                FlagChangeKind::Add => {
                    letter.flags.retain(|it| !is_given(it));
                    letter.flags.extend(change.flags.iter().cloned());
                }
            }
            changed.push((number, letter));
        }
        let changes = changed.iter().map(|(_, it)| (it.summary.id, it.flags.clone())).collect();
        if !self.set_flags(tag, owner, changes).await? {
            return Ok(());
        }
        for (number, letter) in changed {
            if !change.is_silent {
                self.connection.queue(&flags_of(number, &letter));
            }
            self.note_flags(&letter.uid, &letter.flags);
        }
        self.done(tag, owner, "done").await
    }

    /// The client knows these flags.
    pub(super) fn note_flags(&mut self, uid: &u32, flags: &[String]) {
        if let Some(known) = self.view().and_then(|it| it.letters.iter_mut().find(|it| it.uid == *uid)) {
            known.flags = flags.to_vec();
        }
    }

    /// Removes what is marked, or of that what is in the set.
    async fn expunge(&mut self, tag: &str, owner: &EmailAddress, set: Option<&NumberSet>) -> Step {
        let largest = self.view().and_then(|it| it.letters.last().map(|it| it.uid)).unwrap_or(0);
        let letters = self.view().map(|it| it.letters.clone()).unwrap_or_default();
        let is_meant = |uid: u32| set.is_none_or(|it| it.contains(uid, largest));
        let marked = letters.iter().filter(|it| it.flags.iter().any(|it| it == "\\Deleted"));
        let ids: Vec<_> = marked.filter(|it| is_meant(it.uid)).map(|it| it.summary.id).collect();
        if !ids.is_empty()
            && let Err(error) = self.provider.delete(owner, ids).await
        {
            return self.complain(&reply::storage_failed(tag, &error));
        }
        Ok(())
    }

    /// Tells of news until the client has enough (RFC 2177).
    async fn cmd_idle(&mut self, tag: &str, owner: &EmailAddress) -> Step {
        self.say(&ServerResponse::go_on("idling"));
        let until = Instant::now() + IDLE_WITHIN;
        while Instant::now() < until {
            self.catch_up(tag, owner).await?;
            self.flush().await?;
            match self.connection.read_line(64, LineEnd::Crlf, Instant::now() + NEWS_EVERY).await {
                Ok(line) if line.eq_ignore_ascii_case(b"DONE") => return self.done(tag, owner, "done").await,
                Ok(_) => return self.complain(&reply::bad(tag, "Say DONE to end IDLE")),
                Err(ReadError::TimedOut) => {}
                Err(_) => return Err(Ending::Said),
            }
        }
        self.say(&reply::bye("Idle for too long"));
        Err(Ending::Said)
    }

    /// Ends a command, with the news before it.
    pub(super) async fn done(&mut self, tag: &str, owner: &EmailAddress, text: &str) -> Step {
        self.catch_up(tag, owner).await?;
        self.say(&reply::ok(tag, text));
        Ok(())
    }

    async fn catch_up(&mut self, tag: &str, owner: &EmailAddress) -> Step {
        if self.view().is_none() {
            return Ok(());
        }
        let Some(now) = self.numbered(tag, owner).await? else { return Ok(()) };
        let told = self.view().map(|it| it.catch_up(&now)).unwrap_or_default();
        told.iter().for_each(|it| self.connection.queue(it));
        Ok(())
    }

    /// The mailbox as it is now; the client has been told if it cannot be read.
    async fn numbered(&mut self, tag: &str, owner: &EmailAddress) -> Step<Option<Numbered>> {
        match self.provider.numbered(owner).await {
            Ok(now) => Ok(Some(now)),
            Err(error) => self.complain(&reply::storage_failed(tag, &error)).map(|()| None),
        }
    }

    /// Keeps flags; false if the client was told that it cannot be done.
    pub(super) async fn set_flags(
        &mut self,
        tag: &str,
        owner: &EmailAddress,
        changes: Vec<(MessageId, Vec<String>)>,
    ) -> Step<bool> {
        match self.provider.set_flags(owner, changes).await {
            Ok(()) => Ok(true),
            Err(error) => self.complain(&reply::storage_failed(tag, &error)).map(|()| false),
        }
    }

    fn is_read_only(&mut self, tag: &str) -> Step<bool> {
        let is_read_only = self.view().is_some_and(|it| it.is_read_only);
        if is_read_only {
            self.complain(&reply::no(tag, "CANNOT", "The folder is open for reading alone"))?;
        }
        Ok(is_read_only)
    }
}

/// Whether a pattern means INBOX, which is the same in any case (RFC 9051 §5.1).
fn fits(pattern: &str) -> bool {
    fn matches(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*' | b'%', rest)) => {
                (0..=name.len()).any(|at| matches(rest, name.get(at..).unwrap_or_default()))
            }
            Some((first, rest)) => {
                name.split_first().is_some_and(|(it, others)| it == first && matches(rest, others))
            }
        }
    }
    // Two wildcards in a row mean no more than one, and many of them would take long.
    let n_wildcards = pattern.bytes().filter(|it| matches!(it, b'*' | b'%')).count();
    n_wildcards <= 4 && matches(pattern.to_ascii_uppercase().as_bytes(), INBOX.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_pattern_means_the_inbox_or_not() {
        for (pattern, want) in [
            ("*", true),
            ("%", true),
            ("INBOX", true),
            ("in%", true),
            ("inbox*", true),
            ("Sent", false),
            ("", false),
        ] {
            assert_eq!(fits(pattern), want, "{pattern}");
        }
        assert!(!fits(&"*".repeat(1_000)), "at once");
    }
}
