//! What `gatepost check` asks of the database, the keys, the certificate and the providers.

use std::time::Duration;

use gatepost_accounts::{Endpoint, Endpoints, MailAccount, StatusName};
use gatepost_identity::Organisation;
use gatepost_net::Host;
use gatepost_store::StoreError;
use serde_json::Value;
use tokio::task::JoinSet;

use super::done;
use crate::answer::{FindingShown, Level};
use crate::app::App;
use crate::control::{Refusal, Report};

/// How long a provider may take to take a connection.
const REACHED_WITHIN: Duration = Duration::from_secs(10);

impl App {
    pub(super) async fn check(
        &self,
        organisation: &Organisation,
        text_hash: u64,
        report: &Report,
    ) -> Result<Value, Refusal> {
        let say = async |subject: &str, level, text: String| {
            if let Ok(item) = done(FindingShown::new(subject, level, text)) {
                report.item(item).await;
            }
        };
        if text_hash != self.settings.text_hash {
            let text = format!(
                "the running server was started with another text of {}, and what follows is of that one: restart it",
                self.settings.config_file.display()
            );
            say("configuration", Level::Warning, text).await;
        }
        // That we are here says that the database opens, with this key, and has no migration that we do not know.
        say(
            "database",
            Level::Good,
            format!("opens with this master key; it belongs to {}", organisation.name),
        )
        .await;
        match self.can_write(organisation).await {
            Ok(()) => say("keys", Level::Good, "the key of today's letters is there".to_owned()).await,
            Err(error) => say("keys", Level::Wrong, self.refuse(error).text).await,
        }
        let accounts = self.accounts.list(organisation.id).await.map_err(|error| self.refuse(error))?;
        if accounts.is_empty() {
            let text = "none yet. Connect one with: gatepost account add --help".to_owned();
            say("mail account", Level::Warning, text).await;
        }
        let mut reached = JoinSet::new();
        for account in accounts {
            reached.spawn(self.clone().check_reach(organisation.id, account));
        }
        while let Some(found) = reached.join_next().await {
            if let Ok((level, text)) = found {
                say("mail account", level, text).await;
            }
        }
        Ok(Value::Null)
    }

    async fn can_write(&self, organisation: &Organisation) -> Result<(), StoreError> {
        self.keyring.day_key(organisation.id).await.map(drop)
    }

    /// Whether the account's servers take connections, and how its last sign-in went.
    async fn check_reach(
        self,
        organisation: gatepost_core::OrganisationId,
        it: MailAccount,
    ) -> (Level, String) {
        let Endpoints { smtp, imap, pop3 } = &it.endpoints;
        let mut only_pop3 = None;
        for (server, is_beside) in
            [(Some(smtp), false), (imap.as_ref(), false), (pop3.as_ref(), imap.is_some())]
        {
            let reached = match server {
                Some(server) => self.reach(server).await,
                None => Ok(()),
            };
            match reached {
                Ok(()) => {}
                Err(problem) if is_beside => only_pop3 = Some(problem),
                Err(problem) => return (Level::Wrong, format!("{}: {problem}", it.address)),
            }
        }
        match self.accounts.status(organisation, it.id).await {
            Ok(status) if status.status == StatusName::NeedsSignIn => {
                let text = self.accounts.held_reason(it.id).unwrap_or_else(|| "it needs sign-in".to_owned());
                (Level::Wrong, format!("{}: {text}", it.address))
            }
            Ok(status) => match only_pop3 {
                None => (Level::Good, format!("{}: its servers answer; {}", it.address, status.status)),
                Some(problem) => (
                    Level::Warning,
                    format!("{}: its servers answer, but not for POP3: {problem}", it.address),
                ),
            },
            Err(error) => (Level::Wrong, format!("{}: {}", it.address, self.refuse(error).text)),
        }
    }

    async fn reach(&self, server: &Endpoint) -> Result<(), String> {
        let host: Host = server.host.parse().map_err(|error: gatepost_net::HostError| error.to_string())?;
        let dialer = self.reach.dialer.clone().with_patience(REACHED_WITHIN);
        dialer.dial(&host, server.port).await.map(drop).map_err(|error| error.to_string())
    }
}
