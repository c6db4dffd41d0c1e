//! From a credential to a mailbox that is open at its provider.

use std::net::IpAddr;

use gatepost_accounts::{NotReadable, OpenMailbox, ReadingProtocol};
use gatepost_core::EmailAddress;
use gatepost_identity::{Attempt, LiveSession, Opening, Protocol, SignInRefusal, SignedIn};
use gatepost_net::Connection;
use gatepost_wire::imap::Capabilities;
use gatepost_wire::sasl::Credentials;

use crate::Gateway;
use crate::conduct::Ending;
use crate::open::{self, Entry};
use crate::places::Place;

/// A mailbox that one client has opened. Dropping it gives everything back.
pub(crate) struct Entered {
    pub(crate) provider: Connection,
    pub(crate) capabilities: Capabilities,
    pub(crate) whose: Whose,
    pub(crate) live: LiveSession,
    pub(crate) entry: Entry,
    pub(crate) protocol: ReadingProtocol,
    _places: [Place; 2],
}

/// What people know an open mailbox by.
pub(crate) struct Whose {
    pub(crate) address: EmailAddress,
    /// The account's short name.
    pub(crate) account_name: String,
    pub(crate) app_password_name: String,
}

/// Why there is none. Nothing of it but the first is a wrong credential.
pub(crate) enum NoEntry {
    /// The credential is wrong, in whichever way (AP-10).
    Wrong,
    /// Another session too many.
    Full(String),
    /// Trouble, in words.
    Unavailable(String),
    /// Too many wrong ones came from there: nobody looks at this one.
    Slowed(String),
    /// The session is over.
    Over(Ending),
}

/// Who asks, and how.
pub(crate) struct Asking<'a> {
    pub(crate) session: u64,
    pub(crate) credentials: &'a Credentials,
    pub(crate) protocol: ReadingProtocol,
    /// The SASL mechanism, or the command that carried the password.
    pub(crate) mechanism: &'static str,
    pub(crate) source: IpAddr,
    pub(crate) tls: Option<&'static str>,
}

impl Gateway {
    /// Verifies the credential, and only then does anything on its behalf (AP-9): opens the mailbox at its provider.
    pub(crate) async fn enter(&self, it: &Asking<'_>) -> Result<Entered, NoEntry> {
        let who = self.verify(it).await?;
        let live = self.stands.watch.register(&who);
        tokio::select! {
            biased;
            // A removal ends what is being dialled, too.
            () = live.ended() => Err(NoEntry::Over(Ending::Removed)),
            () = self.stands.stop.cancelled() => Err(NoEntry::Over(Ending::Stopping)),
            opened = self.open(it, &who) => {
                let opened = opened.inspect_err(|why| why.log(it, &who));
                self.report(it, &who, opened.as_ref().err());
                let (mailbox, whose, entry, places) = opened?;
                let OpenMailbox { connection, capabilities, .. } = mailbox;
                Ok(Entered {
                    provider: connection,
                    capabilities,
                    whose,
                    live,
                    entry,
                    protocol: it.protocol,
                    _places: places,
                })
            }
        }
    }

    async fn verify(&self, it: &Asking<'_>) -> Result<SignedIn, NoEntry> {
        let Asking { credentials, source, tls, .. } = *it;
        let name = credentials.user_name.trim().to_lowercase();
        // The mailbox is chosen by the grant, and not by the client (AP-8).
        let is_other =
            credentials.authorization_id.as_ref().is_some_and(|it| it.trim().to_lowercase() != name);
        let attempt = Attempt {
            user_name: &credentials.user_name,
            password: credentials.secret.text(),
            protocol: door(it.protocol),
            source,
            tls,
            mechanism: Some(it.mechanism),
        };
        let (no_entry, because) = if is_other {
            (NoEntry::Wrong, "it wants to act as somebody else".to_owned())
        } else {
            match self.stands.sign_ins.verify(attempt).await {
                Ok(who) => return Ok(who),
                Err(SignInRefusal::Refused { why }) => (NoEntry::Wrong, why.to_string()),
                Err(SignInRefusal::Slowed { retry_after }) => {
                    let seconds = retry_after.as_secs().max(1);
                    let words = format!("Too many wrong sign-ins came from there: try again in {seconds} s");
                    (NoEntry::Slowed(words), "too many wrong ones came from there".to_owned())
                }
                Err(SignInRefusal::Unavailable) => (
                    NoEntry::Unavailable("Sign-in is not possible right now: try again".to_owned()),
                    "nobody can say right now".to_owned(),
                ),
            }
        };
        let user_name = gatepost_identity::masked(&credentials.user_name);
        let protocol = it.protocol.name();
        tracing::info!(session.id = it.session, protocol, peer = %source, user_name, because, "sign-in refused");
        Err(no_entry)
    }

    /// For whoever waits for the first sign-in of this app password (B10).
    fn report(&self, it: &Asking<'_>, who: &SignedIn, why: Option<&NoEntry>) {
        let outcome = match why {
            None => Ok(()),
            Some(NoEntry::Full(words) | NoEntry::Unavailable(words)) => Err(words.clone()),
            // Told as what they are.
            Some(NoEntry::Wrong | NoEntry::Slowed(_) | NoEntry::Over(_)) => return,
        };
        let Asking { source, tls, mechanism, .. } = *it;
        let opening = Opening { who, protocol: door(it.protocol), source, tls, mechanism, outcome };
        self.stands.sign_ins.reports().opening(self.stands.world.now(), opening);
    }

    async fn open(
        &self,
        it: &Asking<'_>,
        who: &SignedIn,
    ) -> Result<(OpenMailbox, Whose, Entry, [Place; 2]), NoEntry> {
        // Design §5, decision 11: who cannot see removals must not act on what it remembers.
        if !self.stands.watch.is_fresh() {
            return Err(NoEntry::Unavailable("Mailboxes cannot be opened right now: try again".to_owned()));
        }
        let (accounts, organisation) = (&self.stands.accounts, who.organisation);
        let most = self.most_sessions(it.protocol, it.source);
        let place = self.places.of_app_password(who.app_password, it.protocol, most);
        let place = place.ok_or_else(|| {
            NoEntry::Full(format!("This app password has {most} sessions already: end one of them"))
        })?;
        let readable = accounts.readable(organisation, (self.stands.target)(who), it.protocol).await;
        let readable = readable.map_err(no_entry)?;
        let cap = cap(it.protocol, readable.n_connections);
        let at_provider = self.places.at_provider_soon(
            readable.account,
            who.app_password,
            it.protocol,
            (cap, self.settings.spans.place),
        );
        let at_provider = at_provider.await.ok_or_else(|| NoEntry::Full(no_place(&readable.address, cap)))?;
        let reach = &self.stands.reach;
        let opened = accounts.open_mailbox(organisation, &readable, it.protocol, reach).await;
        let mailbox = opened.map_err(no_entry)?;
        let entry = self.open.enter(open::Opening {
            organisation,
            account: readable.account,
            used: mailbox.used,
            app_password: who.app_password,
            protocol: it.protocol,
            source: it.source,
            since: self.stands.world.now(),
        });
        let whose = Whose {
            address: readable.address,
            account_name: readable.name,
            app_password_name: who.app_password_name.clone(),
        };
        tracing::info!(
            session.id = it.session,
            protocol = it.protocol.name(),
            account.address = whose.address.masked(),
            account.name = whose.account_name,
            user_name = gatepost_identity::masked(&who.user_name),
            app_password.name = whose.app_password_name,
            account.id = %readable.account,
            login.id = %who.login,
            app_password.id = %who.app_password,
            peer = %it.source,
            mechanism = it.mechanism,
            tls = it.tls,
            "signed in to read"
        );
        Ok((mailbox, whose, entry, [place, at_provider]))
    }
}

impl NoEntry {
    /// For whoever looks into the log because a program does not get in: its password was right.
    fn log(&self, it: &Asking<'_>, who: &SignedIn) {
        let (Self::Full(words) | Self::Unavailable(words)) = self else { return };
        tracing::info!(
            session.id = it.session,
            protocol = it.protocol.name(),
            user_name = gatepost_identity::masked(&who.user_name),
            app_password.name = who.app_password_name,
            login.id = %who.login,
            app_password.id = %who.app_password,
            peer = %it.source,
            because = masked_words(words),
            "signed in, and cannot read"
        );
    }
}

/// As app passwords call it.
pub(crate) const fn door(protocol: ReadingProtocol) -> Protocol {
    match protocol {
        ReadingProtocol::Imap => Protocol::Imap,
        ReadingProtocol::Pop3 => Protocol::Pop3,
    }
}

/// Words that name a mailbox begin with it. What stands in quotes before the `@` may have spaces of its own.
fn masked_words(words: &str) -> String {
    let mask = |end| {
        let (address, rest) = words.split_at_checked(end)?;
        Some(format!("{}{rest}", address.parse::<EmailAddress>().ok()?.masked()))
    };
    words.match_indices(' ').find_map(|(end, _)| mask(end)).unwrap_or_else(|| words.to_owned())
}

fn no_place(address: &EmailAddress, cap: u32) -> String {
    match cap {
        1 => format!(
            "{address} is being read by another program, and its provider lets in one at a time: try again in a moment"
        ),
        _ => format!(
            "{address} has no more connections for this app password at the moment: {cap} are shared by all programs. End one of them"
        ),
    }
}

/// Checks and downloads need one connection as well, where there are several.
fn cap(protocol: ReadingProtocol, n_connections: u32) -> u32 {
    match protocol {
        ReadingProtocol::Imap => n_connections.saturating_sub(1).max(1),
        ReadingProtocol::Pop3 => n_connections,
    }
}

fn no_entry(why: NotReadable) -> NoEntry {
    match why {
        NotReadable::Because(words) => NoEntry::Unavailable(words),
        NotReadable::Full(words) => NoEntry::Full(words),
        NotReadable::Store(error) => {
            tracing::warn!(%error, "no mailbox could be opened");
            NoEntry::Unavailable("Mailboxes cannot be opened right now: try again".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OP-1.
    #[test]
    fn words_for_the_log_have_no_address_in_full() {
        for (words, shown) in [
            ("reception@example.org is paused in Gatepost", "r…@example.org is paused in Gatepost"),
            ("\"front desk\"@example.org cannot be read: \"no\"", "\"…@example.org cannot be read: \"no\""),
            ("\"a\\\" b@c d\"@example.org is paused", "\"…@example.org is paused"),
            ("This app password has 20 sessions already", "This app password has 20 sessions already"),
        ] {
            assert_eq!(masked_words(words), shown);
        }
    }
}
