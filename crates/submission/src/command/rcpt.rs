//! RCPT (RFC 5321 §4.1.1.3).

use gatepost_delivery::Recipient;
use gatepost_wire::smtp::{CommandError, EnvelopeSide, RcptCommand, ServerReply};

use crate::ChooseAccount;
use crate::reply;
use crate::session::{Ending, Session};
use crate::state::{Content, InTransaction};

impl InTransaction {
    pub(crate) async fn cmd_rcpt<C: ChooseAccount>(
        &mut self,
        session: &mut Session<'_, C>,
        rcpt: RcptCommand,
    ) -> Result<(), Ending> {
        if matches!(self.content, Content::Chunks(_)) {
            return session.answer(reply::out_of_order("The message has begun")).await;
        }
        if rcpt.needs_smtputf8() && !self.envelope.is_smtputf8 {
            return session.answer(CommandError::NeedsSmtpUtf8(EnvelopeSide::Recipient).reply()).await;
        }
        let recipients = &mut self.envelope.recipients;
        // Named twice, it gets one copy.
        if !recipients.iter().any(|it| it.address == rcpt.recipient) {
            let limit = session.server.settings.max_recipients;
            if recipients.len() >= limit {
                // SS-9: a temporary refusal of this one alone. It is no mistake: the client could not know.
                session.reply(&reply::too_many_recipients(limit));
                return Ok(());
            }
            recipients.push(Recipient {
                address: rcpt.recipient,
                notify: rcpt.notify,
                original: rcpt.original_recipient,
            });
        }
        session.reply(&ServerReply::new(250, (2, 1, 5), "OK"));
        Ok(())
    }
}
