//! TLS is on, and the client has not said EHLO yet.

use gatepost_wire::smtp::Command;

use super::State;
use crate::ChooseAccount;
use crate::command;
use crate::reply;
use crate::session::{Ending, Session};

/// Awaits EHLO.
pub(crate) struct Greeted;

impl Greeted {
    pub(crate) async fn take<C: ChooseAccount>(
        self,
        session: &mut Session<'_, C>,
        command: Command,
    ) -> Result<State, Ending> {
        match command {
            Command::Ehlo(name) => return self.cmd_ehlo(session, name),
            Command::Helo(name) => return self.cmd_helo(session, name),
            Command::Noop | Command::Rset => session.reply(&reply::ok()),
            Command::Quit => return Err(Ending::Quit),
            Command::Help(_) => session.reply(&reply::help()),
            Command::StartTls => session.answer(reply::out_of_order("TLS is on already")).await?,
            Command::Auth { .. } | Command::Data => {
                session.refuse_unasked_bytes()?;
                session.answer(reply::out_of_order("Say EHLO first")).await?;
            }
            Command::Bdat { .. } => return command::bdat_out_of_place(),
            Command::Mail(_) | Command::Rcpt(_) | Command::Vrfy(_) | Command::Expn(_) => {
                session.answer(reply::out_of_order("Say EHLO first")).await?;
            }
        }
        Ok(self.into())
    }
}
