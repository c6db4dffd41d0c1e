//! The client has said EHLO under TLS, and nobody has signed in yet.

use gatepost_wire::smtp::{ClientName, Command};

use super::State;
use crate::ChooseAccount;
use crate::command;
use crate::reply;
use crate::session::{Ending, Session};

/// Awaits AUTH.
pub(crate) struct Ready {
    /// What the client calls itself.
    pub(crate) client: ClientName,
}

impl Ready {
    pub(crate) async fn take<C: ChooseAccount>(
        self,
        session: &mut Session<'_, C>,
        command: Command,
    ) -> Result<State, Ending> {
        match command {
            Command::Ehlo(name) => return self.cmd_ehlo(session, name),
            Command::Helo(name) => return self.cmd_helo(session, name),
            Command::Auth { mechanism, initial } => {
                // Boxed, so that an idle session does not keep room for it.
                return Box::pin(self.cmd_auth(session, mechanism, initial)).await;
            }
            Command::Noop | Command::Rset => session.reply(&reply::ok()),
            Command::Quit => return Err(Ending::Quit),
            Command::Help(_) => session.reply(&reply::help()),
            Command::StartTls => session.answer(reply::out_of_order("TLS is on already")).await?,
            Command::Data => {
                session.refuse_unasked_bytes()?;
                session.answer(reply::before_sign_in()).await?;
            }
            Command::Bdat { .. } => return command::bdat_out_of_place(),
            Command::Mail(_) | Command::Rcpt(_) | Command::Vrfy(_) | Command::Expn(_) => {
                session.answer(reply::before_sign_in()).await?;
            }
        }
        Ok(self.into())
    }
}
