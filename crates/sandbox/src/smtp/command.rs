//! One method per command, but for AUTH and what follows DATA.

use gatepost_wire::smtp::{
    ClientName, Command, CommandError, EnvelopeSide, MailCommand, RcptCommand, ReversePath,
};

use super::session::Session;
use super::state::{Client, State};
use super::{LARGEST_BYTES, MOST_RECIPIENTS, reply};
use crate::fault::Phase;
use crate::session::{Conversation as _, Ending, Step};

/// Names for ALPN: none but mail programs shall come (ALPACA).
const ALPN: &[&str] = &["smtp"];

impl Session<'_> {
    pub(super) async fn obey(&mut self, command: Command) -> Step {
        match command {
            Command::Ehlo(name) => self.cmd_hello(&name, true),
            Command::Helo(name) => self.cmd_hello(&name, false),
            Command::StartTls => self.cmd_starttls().await,
            Command::Auth { mechanism, initial } => self.cmd_auth(&mechanism, initial).await,
            Command::Mail(mail) => self.cmd_mail(mail).await,
            Command::Rcpt(rcpt) => self.cmd_rcpt(rcpt).await,
            Command::Data => self.cmd_data().await,
            Command::Rset => {
                self.state.end_transaction();
                self.say(reply::ok());
                Ok(())
            }
            Command::Noop => {
                self.say(reply::ok());
                Ok(())
            }
            Command::Quit => {
                self.say(reply::goodbye());
                Err(Ending::Said)
            }
            Command::Vrfy(_) => {
                self.say(reply::cannot_verify());
                Ok(())
            }
            Command::Help(_) => {
                self.say(reply::help());
                Ok(())
            }
            Command::Bdat { .. } => {
                // Not offered, and its octets would be taken for commands.
                self.say(reply::not_offered());
                Err(Ending::Said)
            }
            Command::Expn(_) => self.complain(reply::not_offered()),
        }
    }

    fn cmd_hello(&mut self, name: &ClientName, is_extended: bool) -> Step {
        let client = Client { name: name.to_string(), is_extended };
        self.state.greet(client);
        let encrypted = self.connection.is_encrypted();
        self.say(if is_extended { reply::hello(encrypted) } else { reply::old_hello() });
        Ok(())
    }

    async fn cmd_starttls(&mut self) -> Step {
        if self.connection.is_encrypted() {
            return self.complain(reply::tls_is_on());
        }
        // RFC 3207 §4.2: bytes behind the command came before encryption, from whomever. They end the connection.
        if self.connection.has_input_waiting() {
            return Err(Ending::Cut);
        }
        if let Some(other) = self.meet(Phase::StartTls, None).await? {
            self.connection.queue(&other.bytes);
            return Ok(());
        }
        self.say(reply::go_ahead_with_tls());
        self.begin_tls(ALPN).await?;
        self.state = State::Greeted;
        Ok(())
    }

    async fn cmd_mail(&mut self, mail: MailCommand) -> Step {
        let account = match &self.state {
            _ if !self.connection.is_encrypted() => return self.complain(reply::tls_first()),
            State::Greeted => return self.complain(reply::hello_first()),
            State::Ready { .. } => return self.complain(reply::sign_in_first()),
            State::InTransaction { .. } => return self.complain(reply::mail_already()),
            State::SignedIn { owner, .. } => owner.address.clone(),
        };
        let other = self.meet(Phase::Mail, None).await?;
        if let Some(other) = other.as_ref().filter(|it| it.code != 250) {
            self.connection.queue(&other.bytes);
            return Ok(());
        }
        // A bounce has the null path and still comes from the account.
        let is_own = match &mail.reverse_path {
            ReversePath::Null => true,
            ReversePath::Address(address) => address.is_same_mailbox(&account),
        };
        if !is_own {
            return self.complain(reply::not_your_address(&account));
        }
        if mail.size_bytes.is_some_and(|size| size > LARGEST_BYTES) {
            return self.complain(reply::too_large());
        }
        self.state.begin(mail);
        self.say_or(other, reply::sender_ok());
        Ok(())
    }

    async fn cmd_rcpt(&mut self, rcpt: RcptCommand) -> Step {
        let State::InTransaction { envelope, .. } = &self.state else {
            return self.complain(reply::mail_first());
        };
        if rcpt.needs_smtputf8() && !envelope.mail.is_smtputf8 {
            return self.complain(CommandError::NeedsSmtpUtf8(EnvelopeSide::Recipient).reply());
        }
        let other = self.meet(Phase::Rcpt, Some(&rcpt.recipient)).await?;
        if let Some(other) = other.as_ref().filter(|it| it.code != 250) {
            self.connection.queue(&other.bytes);
            return Ok(());
        }
        if let State::InTransaction { envelope, .. } = &mut self.state {
            if envelope.recipients.len() >= MOST_RECIPIENTS {
                self.say(reply::too_many_recipients());
                return Ok(());
            }
            if !envelope.recipients.iter().any(|it| it.is_same_mailbox(&rcpt.recipient)) {
                envelope.recipients.push(rcpt.recipient);
            }
        }
        self.say_or(other, reply::recipient_ok());
        Ok(())
    }

    async fn cmd_data(&mut self) -> Step {
        match &self.state {
            State::InTransaction { envelope, .. } if envelope.recipients.is_empty() => {
                return self.complain(reply::no_recipients());
            }
            State::InTransaction { .. } => {}
            _ => return self.complain(reply::mail_first()),
        }
        let other = self.meet(Phase::Data, None).await?;
        if let Some(other) = other.as_ref().filter(|it| it.code != 354) {
            self.connection.queue(&other.bytes);
            return Ok(());
        }
        self.say_or(other, reply::go_ahead());
        self.receive_message().await
    }
}
