//! From MAIL to the end of the message.

use gatepost_delivery::{Choice, Envelope};
use gatepost_wire::smtp::{BdatReader, Command};

use super::{Authenticated, State};
use crate::ChooseAccount;
use crate::letter::{Intake, SendAs};
use crate::reply;
use crate::session::{BodyClock, Ending, Session};

/// Awaits RCPT, DATA or BDAT.
pub(crate) struct InTransaction {
    /// Who sends.
    pub(crate) session: Box<Authenticated>,
    /// By which account.
    pub(crate) choice: Choice,
    /// As whom.
    pub(crate) send_as: SendAs,
    /// From whom and to whom.
    pub(crate) envelope: Envelope,
    /// What has come of the message.
    pub(crate) content: Content,
}

/// What has come of the message. DATA is read in one go, so only chunks can be seen here.
pub(crate) enum Content {
    /// Nothing.
    None,
    /// Chunks (RFC 3030), and not the last.
    Chunks(Box<Chunks>),
}

/// A message that comes in chunks.
pub(crate) struct Chunks {
    pub(crate) reader: BdatReader,
    pub(crate) intake: Intake,
    pub(crate) clock: BodyClock,
    /// Octets of all chunks so far.
    pub(crate) n_bytes: u64,
}

impl InTransaction {
    pub(crate) async fn take<C: ChooseAccount>(
        mut self: Box<Self>,
        session: &mut Session<'_, C>,
        command: Command,
    ) -> Result<State, Ending> {
        match command {
            Command::Rcpt(rcpt) => self.cmd_rcpt(session, rcpt).await?,
            Command::Data => return Box::pin(self.cmd_data(session)).await,
            Command::Bdat { size, last } => return Box::pin(self.cmd_bdat(session, size, last)).await,
            Command::Rset => {
                session.reply(&reply::ok());
                return Ok(self.session.into());
            }
            // RFC 5321 §4.1.4: EHLO is RSET too.
            Command::Ehlo(name) => return Ok(self.session.cmd_ehlo(session, name)),
            Command::Helo(name) => return Ok(self.session.cmd_helo(session, name)),
            Command::Noop => session.reply(&reply::ok()),
            Command::Quit => return Err(Ending::Quit),
            Command::Help(_) => session.reply(&reply::help()),
            Command::Vrfy(_) => session.reply(&reply::vrfy()),
            Command::Expn(_) => session.answer(reply::expn()).await?,
            Command::StartTls => session.answer(reply::out_of_order("TLS is on already")).await?,
            // SS-19; RFC 4954 §4.
            Command::Auth { .. } => session.answer(reply::out_of_order("Signed in already")).await?,
            Command::Mail(_) => {
                session.answer(reply::out_of_order("The transaction is open: say RSET first")).await?;
            }
        }
        Ok(self.into())
    }
}
