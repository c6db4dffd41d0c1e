//! Before TLS: nothing that could carry a secret or a letter (SS-3).

use gatepost_wire::smtp::Command;

use super::State;
use crate::ChooseAccount;
use crate::command;
use crate::reply;
use crate::session::{Ending, Session};

/// Whatever is said here is forgotten when TLS begins (RFC 3207 §4.2), so there is nothing to remember.
pub(crate) struct Cleartext;

impl Cleartext {
    pub(crate) async fn take<C: ChooseAccount>(
        self,
        session: &mut Session<'_, C>,
        command: Command,
    ) -> Result<State, Ending> {
        match command {
            Command::Ehlo(name) => return self.cmd_ehlo(session, &name),
            Command::Helo(name) => return self.cmd_helo(session, &name),
            Command::StartTls => return self.cmd_starttls(session).await,
            Command::Noop | Command::Rset => session.reply(&reply::ok()),
            Command::Quit => return Err(Ending::Quit),
            Command::Auth { .. } => {
                session.needs_tls();
                session.refuse_unasked_bytes()?;
                session.answer(reply::auth_before_tls()).await?;
            }
            Command::Data => {
                session.refuse_unasked_bytes()?;
                session.answer(reply::before_tls()).await?;
            }
            Command::Bdat { .. } => return command::bdat_out_of_place(),
            // RFC 3207 §4.
            Command::Mail(_) => {
                session.needs_tls();
                session.answer(reply::before_tls()).await?;
            }
            Command::Rcpt(_) | Command::Vrfy(_) | Command::Expn(_) | Command::Help(_) => {
                session.answer(reply::before_tls()).await?;
            }
        }
        Ok(self.into())
    }
}
