//! MAIL (RFC 5321 §4.1.1.2): here the account is chosen, and what can be refused early is refused.

use gatepost_delivery::{Choice, Envelope};
use gatepost_wire::smtp::{BodyKind, MailCommand, ServerReply};

use crate::ChooseAccount;
use crate::letter::SendAs;
use crate::reply;
use crate::session::{Ending, Session};
use crate::state::{Authenticated, Content, InTransaction, State};

impl Authenticated {
    pub(crate) async fn cmd_mail<C: ChooseAccount>(
        self: Box<Self>,
        session: &mut Session<'_, C>,
        mail: MailCommand,
    ) -> Result<State, Ending> {
        match self.open(session, &mail).await {
            Ok((choice, send_as)) => {
                session.reply(&ServerReply::new(250, (2, 1, 0), "OK"));
                let envelope = Envelope {
                    reverse_path: mail.reverse_path,
                    recipients: Vec::new(),
                    is_smtputf8: mail.is_smtputf8,
                    body: mail.body.unwrap_or(BodyKind::SevenBit),
                    dsn_return: mail.ret,
                    envelope_id: mail.envelope_id,
                };
                let transaction =
                    InTransaction { session: self, choice, send_as, envelope, content: Content::None };
                Ok(Box::new(transaction).into())
            }
            Err(refusal) => {
                tracing::info!(
                    session.id = session.number,
                    login.id = %self.who.login,
                    reply.code = refusal.code(),
                    "MAIL refused"
                );
                session.answer(refusal).await?;
                Ok(self.into())
            }
        }
    }

    /// The account, and the addresses that may be sent as. From the cheapest question to the dearest.
    async fn open<C: ChooseAccount>(
        &self,
        session: &Session<'_, C>,
        mail: &MailCommand,
    ) -> Result<(Choice, SendAs), ServerReply> {
        let server = session.server;
        // Design §5, decision 11: who cannot see removals must not act on what it remembers.
        if !server.stands.watch.is_fresh() {
            return Err(reply::unavailable());
        }
        let size = mail.size_bytes.unwrap_or(0);
        if size > server.settings.max_message_bytes {
            return Err(reply::too_large(server.settings.max_message_bytes));
        }
        // SS-18: said here, so that nobody sends a body in vain.
        if server.free_space.is_low() {
            return Err(reply::storage_full());
        }
        if server.places.available_permits() == 0 {
            return Err(reply::overloaded());
        }
        let now = server.stands.world.now();
        server
            .rates
            .look(self.who.app_password, now)
            .map_err(|cap| ServerReply::new(450, (4, 7, 1), cap.to_string()))?;
        let choice = server.accounts.choose(&self.who).await.map_err(|error| {
            tracing::warn!(session.id = session.number, login.id = %self.who.login, error = &*error as &dyn std::error::Error, "no account could be chosen");
            reply::unavailable()
        })?;
        // RFC 1870 §6.1, against the provider's own limit (SS-8).
        if let Some(limit) = choice.max_message_bytes.filter(|limit| size > *limit) {
            return Err(reply::too_large(limit));
        }
        let send_as = SendAs::new(&choice.addresses, &self.who.send_as);
        // RFC 6409 §6.1. The null path is everybody's: receipts and other notices have it (RFC 8098 §2.1).
        if let Some(address) = mail.reverse_path.address() {
            if choice.account.is_none() && choice.addresses.is_empty() {
                // Nothing that it could be held for: nobody knows yet which address would be right.
                return Err(reply::nothing_serves(&choice.because));
            }
            send_as.check(address).map_err(|foreign| foreign.reply())?;
        }
        Ok((choice, send_as))
    }
}
