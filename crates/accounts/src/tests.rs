//! The room as its callers use it, on both engines.

mod account;
mod board;
mod check;
mod choose;
mod connect;
mod http;
mod memory;
mod organisations;
mod probe;
mod reading;
mod refresh;
mod secret;
mod status;
mod told;
mod trouble;

use gatepost_core::{
    AppPasswordId, Diagnosis, EmailAddress, MailAccountId, OrganisationId, PersonId, RetryClass, SecretText,
    Timestamp, TlsMode, Who,
};
use gatepost_journal::Actor;
use gatepost_store::RoomMigrations;
use gatepost_testkit::TestStore;

use crate::*;

const ROOMS: &[RoomMigrations] = &[gatepost_store::MIGRATIONS, gatepost_journal::MIGRATIONS, MIGRATIONS];

/// What tests do to rows behind the room's back.
mod tampering {
    gatepost_store::statements! {
        /// Another server.
        POINT_ELSEWHERE = "UPDATE mail_account SET smtp_host = $2 WHERE id = $1";
        /// Another port.
        POINT_TO_PORT = "UPDATE mail_account SET smtp_port = $2 WHERE id = $1";
        /// No encryption.
        POINT_WITHOUT_TLS = "UPDATE mail_account SET smtp_tls = 'none' WHERE id = $1";
        /// One more server.
        POINT_IMAP = "UPDATE mail_account SET imap_host = $2, imap_port = 993, imap_tls = 'implicit' WHERE id = $1";
        /// One account's sealed secret in another's row.
        COPY_SECRET = "UPDATE credential SET secret_sealed = (SELECT secret_sealed FROM credential WHERE mail_account_id = $1) WHERE mail_account_id = $2";
        /// One account's row given to another, in place of that one's own.
        DROP_CREDENTIAL = "DELETE FROM credential WHERE mail_account_id = $1";
        /// The second half of it.
        GIVE_CREDENTIAL = "UPDATE credential SET mail_account_id = $2 WHERE mail_account_id = $1";
        /// The sealed bytes.
        SEALED = "SELECT secret_sealed FROM credential WHERE mail_account_id = $1 ORDER BY id";
        /// A word that no version knows.
        BREAK_STATUS = "UPDATE account_status SET status = 'splendid' WHERE mail_account_id = $1";
        /// The word it was.
        MEND_STATUS = "UPDATE account_status SET status = 'connected' WHERE mail_account_id = $1";
        /// All that would betray a touch: secrets and statuses.
        ROWS = "SELECT c.secret_sealed, s.status, s.checked_at FROM credential c JOIN account_status s ON s.mail_account_id = c.mail_account_id ORDER BY c.id";
    }
}

pub(crate) fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

fn starttls(host: &str) -> Endpoint {
    Endpoint { host: host.to_owned(), port: 587, tls: TlsMode::StartTls }
}

fn servers(host: &str) -> Endpoints {
    Endpoints { smtp: starttls(host), imap: None, pop3: None }
}

/// `reception@example.org` at a host of its own, for the whole organisation.
fn reception(organisation: OrganisationId) -> NewAccount {
    NewAccount {
        organisation,
        address: address("reception@example.org"),
        short_name: "Reception".into(),
        author_name: "Practice Example".into(),
        provider: "custom".into(),
        user_name: "reception@example.org".into(),
        endpoints: servers("smtp.example.org"),
        opens: None,
        further_addresses: Vec::new(),
        serves: Serves::Organisation,
        overrides: Overrides::default(),
        secret: SecretText::new("correct horse".into()).into(),
        actor: Actor::Command,
    }
}

fn other(organisation: OrganisationId, text: &str) -> NewAccount {
    NewAccount { address: address(text), ..reception(organisation) }
}

/// The room in a fresh store, with reception's account.
struct Fixture {
    it: TestStore,
    accounts: Accounts,
    organisation: OrganisationId,
    id: MailAccountId,
}

impl Fixture {
    async fn new(it: TestStore) -> Self {
        let accounts = Accounts::new(&it.store, &it.keyring, gatepost_providers::Providers::embedded());
        let organisation = it.organisation;
        let id = accounts.add(reception(organisation)).await.unwrap().id;
        Self { it, accounts, organisation, id }
    }

    fn now(&self) -> Timestamp {
        self.it.world.now()
    }

    fn advance(&self, seconds: u64) {
        self.it.clock.advance(std::time::Duration::from_secs(seconds));
    }

    /// The room as a process that has just started sees it.
    fn restarted(&self) -> Accounts {
        Accounts::new(&self.it.store, &self.it.keyring, gatepost_providers::Providers::embedded())
    }

    async fn status(&self) -> AccountStatus {
        self.accounts.status(self.organisation, self.id).await.unwrap()
    }

    /// A sign-in with the present password that begins now.
    async fn event(&self, what: What) -> Event {
        let account =
            self.accounts.signing_in(self.organisation, self.id).await.unwrap_or_else(|why| panic!("{why}"));
        Event { used: account.used, began_at: self.now(), what }
    }

    async fn report(&self, what: What) -> Change {
        let event = self.event(what).await;
        self.report_event(event).await
    }

    async fn report_event(&self, event: Event) -> Change {
        self.accounts.report(self.organisation, self.id, Direction::Sending, event).await.unwrap()
    }

    async fn sending(&self) -> Result<SendingAccount, NotUsable> {
        self.accounts.sending(self.organisation, self.id).await
    }

    async fn running_now(&self) -> Timestamp {
        self.accounts.running_now(self.organisation, self.id).await.unwrap()
    }

    async fn tamper(
        &self,
        statement: &'static gatepost_store::Statement,
        values: Vec<gatepost_store::Value<'static>>,
    ) {
        let done = self.it.store.write(move |tx| tx.execute(statement, &values)).await.unwrap();
        assert_eq!(done, 1, "{} changes one row", statement.name);
    }
}

fn diagnosis(rule: &str, retry: RetryClass) -> Diagnosis {
    let (cause, cure) = ("A cause.".to_owned(), "A cure.".to_owned());
    Diagnosis { rule: rule.to_owned(), cause, cure, who: Who::Owner, retry }
}

/// What the catalogue says to a plain 535.
fn refused() -> What {
    let evidence = gatepost_providers::Evidence::Smtp {
        provider_kind: None,
        phase: gatepost_providers::Phase::Auth,
        code: 535,
        enhanced: Some((5, 7, 8)),
        text: b"Authentication credentials invalid",
    };
    let diagnosis = gatepost_providers::Providers::embedded().catalogue().diagnose(&evidence);
    What::SignInRefused { diagnosis, reply: Some(b"535 5.7.8 Authentication credentials invalid".to_vec()) }
}

fn unreachable() -> What {
    let evidence = gatepost_providers::Evidence::Trouble(gatepost_providers::Trouble::ConnectionRefused);
    What::Trouble {
        diagnosis: gatepost_providers::Providers::embedded().catalogue().diagnose(&evidence),
        reply: None,
    }
}

fn blocked() -> What {
    let retry = RetryClass::Backoff { at_least: std::time::Duration::ZERO };
    What::Blocked { diagnosis: diagnosis("blocked", retry), reply: Some(b"550 5.4.5 Daily limit".to_vec()) }
}

async fn journalled(it: &TestStore) -> Vec<(String, String)> {
    let entries = gatepost_journal::newest(&it.store, it.organisation, 100).await.unwrap();
    entries.into_iter().rev().map(|entry| (entry.actor, entry.action)).collect()
}

#[tokio::test]
async fn every_statement_is_understood_by_both_engines() {
    gatepost_testkit::prepare_all(crate::sql::ALL, ROOMS).await;
    gatepost_testkit::prepare_all(crate::connect::sql::ALL, ROOMS).await;
}
