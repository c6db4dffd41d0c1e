//! STARTTLS (RFC 3207).

use gatepost_net::StartTlsError;
use gatepost_wire::smtp::ServerReply;
use tokio::time::Instant;

use crate::session::{Ending, Session};
use crate::state::{Cleartext, Greeted, State};
use crate::{APPLICATION_PROTOCOLS, ChooseAccount};

impl Cleartext {
    /// Nothing may stand behind the command, in our buffer or in the system's: it came before encryption, and would be taken
    /// for something said under it (SS-4; CVE-2011-0411). Behind TLS the session begins anew (RFC 3207 §4.2).
    pub(crate) async fn cmd_starttls<C: ChooseAccount>(
        self,
        session: &mut Session<'_, C>,
    ) -> Result<State, Ending> {
        if session.connection.has_input_waiting() {
            return Err(Ending::BytesBehindStartTls);
        }
        session.begins_tls();
        session.reply(&ServerReply::new(220, (2, 0, 0), "Begin TLS now"));
        session.flush().await?;
        let deadline = Instant::now() + session.server.settings.spans.handshake;
        let tls = &session.server.stands.tls;
        Box::pin(session.connection.start_tls_server(tls, APPLICATION_PROTOCOLS, deadline)).await.map_err(
            |error| match error {
                StartTlsError::BytesWaiting => Ending::BytesBehindStartTls,
                other => Ending::NoTls(other),
            },
        )?;
        Ok(Greeted.into())
    }
}
