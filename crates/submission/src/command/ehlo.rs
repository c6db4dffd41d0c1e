//! EHLO and HELO (RFC 5321 §4.1.1.1).

use gatepost_wire::sasl::Mechanism;
use gatepost_wire::smtp::{Capabilities, ClientName, ServerReply, SizeLimit};

use crate::ChooseAccount;
use crate::session::{Ending, Session};
use crate::state::{Authenticated, Cleartext, Greeted, Ready, State};

impl Cleartext {
    /// What is said before TLS is forgotten, the name too.
    pub(crate) fn cmd_ehlo<C: ChooseAccount>(
        self,
        session: &mut Session<'_, C>,
        _client: &ClientName,
    ) -> Result<State, Ending> {
        session.refuse_unasked_bytes()?;
        session.has_greeted_without_tls();
        session.reply(&greet(session, Offer::StartTls));
        Ok(self.into())
    }

    pub(crate) fn cmd_helo<C: ChooseAccount>(
        self,
        session: &mut Session<'_, C>,
        _client: &ClientName,
    ) -> Result<State, Ending> {
        session.refuse_unasked_bytes()?;
        session.reply(&greet_briefly(session));
        Ok(self.into())
    }
}

impl Greeted {
    pub(crate) fn cmd_ehlo<C: ChooseAccount>(
        self,
        session: &mut Session<'_, C>,
        client: ClientName,
    ) -> Result<State, Ending> {
        Ready { client: client.clone() }.cmd_ehlo(session, client)
    }

    pub(crate) fn cmd_helo<C: ChooseAccount>(
        self,
        session: &mut Session<'_, C>,
        client: ClientName,
    ) -> Result<State, Ending> {
        Ready { client: client.clone() }.cmd_helo(session, client)
    }
}

impl Ready {
    pub(crate) fn cmd_ehlo<C: ChooseAccount>(
        self,
        session: &mut Session<'_, C>,
        client: ClientName,
    ) -> Result<State, Ending> {
        session.refuse_unasked_bytes()?;
        session.reply(&greet(session, Offer::Auth));
        Ok(Self { client }.into())
    }

    /// A device that says HELO may still say AUTH.
    pub(crate) fn cmd_helo<C: ChooseAccount>(
        self,
        session: &mut Session<'_, C>,
        client: ClientName,
    ) -> Result<State, Ending> {
        session.refuse_unasked_bytes()?;
        session.reply(&greet_briefly(session));
        Ok(Self { client }.into())
    }
}

impl Authenticated {
    /// RFC 5321 §4.1.4: EHLO may come again; it does not sign anybody out.
    pub(crate) fn cmd_ehlo<C: ChooseAccount>(
        self: Box<Self>,
        session: &mut Session<'_, C>,
        client: ClientName,
    ) -> State {
        session.reply(&greet(session, Offer::Nothing));
        Box::new(Self { client, ..*self }).into()
    }

    pub(crate) fn cmd_helo<C: ChooseAccount>(
        self: Box<Self>,
        session: &mut Session<'_, C>,
        client: ClientName,
    ) -> State {
        session.reply(&greet_briefly(session));
        Box::new(Self { client, ..*self }).into()
    }
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Offer {
    StartTls,
    /// AUTH is offered under TLS alone (SS-3).
    Auth,
    Nothing,
}

fn greet<C>(session: &Session<'_, C>, offer: Offer) -> ServerReply {
    let settings = &session.server.settings;
    let auth = match offer {
        Offer::Auth => Mechanism::ALL.iter().map(|it| it.name().to_owned()).collect(),
        Offer::StartTls | Offer::Nothing => Vec::new(),
    };
    let offered = Capabilities {
        size: SizeLimit::AtMost(settings.max_message_bytes),
        starttls: offer == Offer::StartTls,
        pipelining: true,
        eight_bit_mime: true,
        smtputf8: true,
        chunking: true,
        dsn: true,
        enhanced_status_codes: true,
        auth,
    };
    offered.to_reply(settings.host_name.as_str())
}

fn greet_briefly<C>(session: &Session<'_, C>) -> ServerReply {
    ServerReply::plain(250, session.server.settings.host_name.as_str().to_owned())
}
