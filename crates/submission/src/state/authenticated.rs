//! Somebody has signed in, and no transaction is open.

use gatepost_identity::{LiveSession, SignedIn};
use gatepost_wire::smtp::{ClientName, Command};

use super::State;
use crate::ChooseAccount;
use crate::reply;
use crate::session::{Ending, Session};

/// Awaits MAIL.
pub(crate) struct Authenticated {
    /// What the client calls itself.
    pub(crate) client: ClientName,
    /// Who it is, and what it may do.
    pub(crate) who: SignedIn,
    /// Ends when the app password is removed.
    pub(crate) live: LiveSession,
}

impl Authenticated {
    pub(crate) async fn take<C: ChooseAccount>(
        self: Box<Self>,
        session: &mut Session<'_, C>,
        command: Command,
    ) -> Result<State, Ending> {
        match command {
            Command::Mail(mail) => return self.cmd_mail(session, mail).await,
            Command::Ehlo(name) => return Ok(self.cmd_ehlo(session, name)),
            Command::Helo(name) => return Ok(self.cmd_helo(session, name)),
            Command::Bdat { size, .. } => return Box::pin(self.cmd_bdat(session, size)).await,
            Command::Noop | Command::Rset => session.reply(&reply::ok()),
            Command::Quit => return Err(Ending::Quit),
            Command::Help(_) => session.reply(&reply::help()),
            Command::Vrfy(_) => session.reply(&reply::vrfy()),
            Command::Expn(_) => session.answer(reply::expn()).await?,
            Command::StartTls => session.answer(reply::out_of_order("TLS is on already")).await?,
            // SS-19; RFC 4954 §4.
            Command::Auth { .. } => session.answer(reply::out_of_order("Signed in already")).await?,
            Command::Rcpt(_) | Command::Data => {
                session.answer(reply::out_of_order("Say MAIL first")).await?;
            }
        }
        Ok(self.into())
    }
}
