//! One method per command, but for those that sign in or send a message.

use gatepost_wire::pop3::{Command, LISTING_END, ServerReply, push_line};

use super::reply;
use super::session::{Letter, Maildrop, Session, State, is_good};
use crate::fault::Phase;
use crate::session::{Conversation as _, Ending, Step};

/// Names for ALPN: none but mail programs shall come (ALPACA).
const ALPN: &[&str] = &["pop3"];

impl Session<'_> {
    pub(super) async fn obey(&mut self, command: Command) -> Step {
        match command {
            Command::Capa => {
                let lines = reply::capabilities(self.connection.is_encrypted()).to_lines();
                self.list(&ServerReply::ok("Capability list follows"), lines);
                Ok(())
            }
            Command::Stls => self.cmd_stls().await,
            Command::User(name) => self.cmd_user(name.as_str()),
            Command::Pass(password) => self.cmd_pass(password).await,
            Command::Auth { mechanism, initial } => self.cmd_auth(&mechanism, initial).await,
            Command::Quit => self.cmd_quit().await,
            Command::Stat => self.cmd_stat().await,
            Command::List(which) => self.cmd_list(which, |it| it.summary.size_bytes.to_string()),
            Command::Uidl(which) => self.cmd_list(which, |it| it.summary.id.to_string()),
            Command::Retr(number) => self.cmd_retr(number, None).await,
            Command::Top { message, lines } => self.cmd_retr(message, Some(lines)).await,
            Command::Dele(number) => self.cmd_dele(number),
            Command::Rset => {
                let Some(maildrop) = self.maildrop() else { return self.complain(&reply::sign_in_first()) };
                maildrop.letters.iter_mut().for_each(|it| it.is_deleted = false);
                self.say(&ServerReply::ok(""));
                Ok(())
            }
            Command::Noop if self.maildrop().is_none() => self.complain(&reply::sign_in_first()),
            Command::Noop => {
                self.say(&ServerReply::ok(""));
                Ok(())
            }
        }
    }

    pub(super) fn maildrop(&mut self) -> Option<&mut Maildrop> {
        match &mut self.state {
            State::Transaction(maildrop) => Some(maildrop),
            State::Authorization { .. } => None,
        }
    }

    fn list(&mut self, first: &ServerReply, lines: Vec<String>) {
        let mut out = first.to_bytes();
        lines.iter().for_each(|it| push_line(&mut out, it));
        out.extend_from_slice(LISTING_END);
        self.connection.queue(&out);
    }

    async fn cmd_stls(&mut self) -> Step {
        if self.connection.is_encrypted() {
            return self.complain(&reply::tls_is_on());
        }
        // As for STARTTLS in RFC 3207 §4.2: bytes behind the command came before encryption, from whomever.
        if self.connection.has_input_waiting() {
            return Err(Ending::Cut);
        }
        if let Some(other) = self.meet(Phase::StartTls).await? {
            self.connection.queue(&other.to_pop3(Some("SYS/TEMP")));
            return Ok(());
        }
        self.say(&ServerReply::ok("Begin TLS negotiation"));
        self.begin_tls(ALPN).await?;
        self.state = State::Authorization { user: None };
        Ok(())
    }

    async fn cmd_stat(&mut self) -> Step {
        if self.maildrop().is_none() {
            return self.complain(&reply::sign_in_first());
        }
        let other = self.meet(Phase::Read).await?.map(|it| it.to_pop3(None));
        if let Some(other) = other.as_ref().filter(|it| !is_good(it)) {
            self.connection.queue(other);
            return Ok(());
        }
        let Some(maildrop) = self.maildrop() else { return Ok(()) };
        let left: Vec<_> = maildrop.letters.iter().filter(|it| !it.is_deleted).collect();
        let size_bytes: u64 = left.iter().map(|it| it.summary.size_bytes).sum();
        let usual = ServerReply::ok(format!("{} {size_bytes}", left.len())).to_bytes();
        self.connection.queue(&other.unwrap_or(usual));
        Ok(())
    }

    /// LIST and UIDL: one line, or all of them.
    fn cmd_list(&mut self, which: Option<u64>, show: impl Fn(&Letter) -> String) -> Step {
        let Some(maildrop) = self.maildrop() else { return self.complain(&reply::sign_in_first()) };
        let Some(number) = which else {
            let left = maildrop.letters.iter().zip(1..).filter(|(it, _)| !it.is_deleted);
            let lines = left.map(|(it, n)| format!("{n} {}", show(it))).collect();
            self.list(&ServerReply::ok("List follows"), lines);
            return Ok(());
        };
        match maildrop.find(number).map(|it| format!("{number} {}", show(it))) {
            Some(line) => {
                self.say(&ServerReply::ok(line));
                Ok(())
            }
            None => self.complain(&reply::no_such_message()),
        }
    }

    fn cmd_dele(&mut self, number: u64) -> Step {
        let Some(maildrop) = self.maildrop() else { return self.complain(&reply::sign_in_first()) };
        match maildrop.find(number) {
            Some(letter) => {
                letter.is_deleted = true;
                self.say(&ServerReply::ok("Marked; it goes with QUIT"));
                Ok(())
            }
            None => self.complain(&reply::no_such_message()),
        }
    }

    /// RFC 1939 §6: what is marked goes now, and only now.
    async fn cmd_quit(&mut self) -> Step {
        let deleting = self.maildrop().map(|it| {
            let marked = it.letters.iter().filter(|it| it.is_deleted).map(|it| it.summary.id);
            (it.owner.clone(), marked.collect::<Vec<_>>())
        });
        match deleting {
            Some((owner, ids)) if !ids.is_empty() => match self.provider.delete(&owner, ids).await {
                Ok(()) => self.say(&reply::goodbye()),
                Err(error) => self.say(&reply::storage_failed(&error)),
            },
            _ => self.say(&reply::goodbye()),
        }
        Err(Ending::Said)
    }
}

impl Maildrop {
    /// The message with this number, counted from 1, unless it is marked.
    pub(super) fn find(&mut self, number: u64) -> Option<&mut Letter> {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        self.letters.get_mut(at).filter(|it| !it.is_deleted)
    }
}
