//! Mail accounts.

use std::net::SocketAddr;

use gatepost_accounts::{
    AccountStatus, Change, CredentialKind, DirectionStatus, Endpoint, Endpoints, MailAccount,
    NewAccount as Adding, NewSecret, Overrides, Serves,
};
use gatepost_core::{Diagnosis, MailAccountId, SecretText, TlsMode};
use gatepost_identity::{Organisation, Target as LoginTarget};
use gatepost_journal::Actor;
use gatepost_providers::{Method, Preset, Server};
use serde_json::Value;

use super::{address, done, parsed};
use crate::answer::{AccountShown, DiagnosisShown, DirectionShown, RemovalShown, ServerShown};
use crate::app::App;
use crate::config::nearest_of;
use crate::control::{EditedAccount, NewAccount, Refusal, Report, Served};
use crate::demo_mark;

/// The provider on this machine, found by its file in the data folder.
const SANDBOX: &str = "sandbox";

impl App {
    /// Adds an account that nobody has checked.
    pub(crate) async fn add_account(
        &self,
        organisation: &Organisation,
        new: NewAccount,
    ) -> Result<Value, Refusal> {
        let endpoints = self.servers_of(&new).await?;
        let given = new.password.map(|it| it.0).ok_or_else(|| Refusal::new("there is no password"))?;
        let secret = self.as_pasted(&new.provider, given);
        let adding = Adding {
            organisation: organisation.id,
            address: address(&new.address)?,
            short_name: new.short_name,
            author_name: new.author_name,
            provider: new.provider,
            user_name: new.user_name,
            endpoints,
            opens: None,
            further_addresses: Vec::new(),
            serves: Serves::Organisation,
            overrides: Overrides::default(),
            secret,
            actor: Actor::Command,
        };
        let added = self.accounts.add(adding).await.map_err(|error| self.refuse(error))?;
        self.added(organisation, added).await
    }

    /// What follows from a new account: its login, and letters that had none.
    pub(super) async fn added(
        &self,
        organisation: &Organisation,
        added: MailAccount,
    ) -> Result<Value, Refusal> {
        // Applications of an earlier account of this address go on, with new app passwords.
        let (address, person) = (&added.address, added.serves.person());
        let login = self.identity.ensure_account_login(organisation.id, added.id, address, person).await;
        login.map_err(|error| self.refuse(error))?;
        self.adopt_orphans(organisation).await?;
        done(self.account_shown(organisation, &added).await?)
    }

    /// Those that are named, and those that are known of the provider.
    pub(super) async fn servers_of(&self, new: &NewAccount) -> Result<Endpoints, Refusal> {
        // Also where all servers are named.
        self.preset(&new.provider)?;
        let known = match &new.smtp {
            Some(server) => Endpoints { smtp: endpoint(server)?, imap: None, pop3: None },
            None => self.known_servers(&new.provider).await?,
        };
        Ok(Endpoints {
            smtp: known.smtp,
            imap: new.imap.as_ref().map(endpoint).transpose()?.or(known.imap),
            pop3: new.pop3.as_ref().map(endpoint).transpose()?.or(known.pop3),
        })
    }

    /// An app password without what clipboards add, if it looks like one of this provider's; else a password as it is.
    pub(super) fn as_pasted(&self, provider: &str, text: SecretText) -> NewSecret {
        let providers = self.accounts.providers();
        let preset = providers.find(provider);
        let guide = preset.and_then(|it| it.app_password.as_deref()).and_then(|word| providers.guide(word));
        match guide.map(|guide| guide.pasted(&text)) {
            Some(pasted) if !pasted.looks_wrong => {
                NewSecret::Password(CredentialKind::AppPassword, pasted.secret)
            }
            _ => text.into(),
        }
    }

    /// Changes what is given. The login follows whom the account serves, and letters without an account look at it.
    pub(super) async fn edit_account(
        &self,
        organisation: &Organisation,
        edited: EditedAccount,
    ) -> Result<Value, Refusal> {
        let account = self.account(organisation, &edited.address).await?;
        let mut settings = account.settings();
        let EditedAccount { short_name, author_name, user_name, opens, send_as, serves, .. } = edited;
        settings.short_name = short_name.unwrap_or(settings.short_name);
        settings.author_name = author_name.unwrap_or(settings.author_name);
        settings.user_name = user_name.unwrap_or(settings.user_name);
        if let Some(text) = opens {
            let opens = address(&text)?;
            settings.opens = (!opens.is_same_mailbox(&account.address)).then_some(opens);
        }
        if let Some(all) = send_as {
            settings.further_addresses = all.iter().map(|it| address(it)).collect::<Result<_, _>>()?;
        }
        if let Some(served) = serves {
            settings.serves = self.serves(organisation, served).await?;
        }
        let never = edited.never_falls_back.unwrap_or(settings.overrides.never_falls_back);
        settings.overrides.never_falls_back = never;
        let person = settings.serves.person();
        let changed = self.accounts.edit(organisation.id, account.id, settings, Actor::Command).await;
        self.changed(organisation, account.id, changed.map_err(|error| self.refuse(error))?).await?;
        let login =
            self.identity.ensure_account_login(organisation.id, account.id, &account.address, person).await;
        login.map_err(|error| self.refuse(error))?;
        self.adopt_orphans(organisation).await?;
        self.show_account(organisation, &edited.address).await
    }

    /// Letters that found no account look again.
    pub(super) async fn make_default(
        &self,
        organisation: &Organisation,
        address: &str,
        served: Served,
    ) -> Result<Value, Refusal> {
        let account = self.account(organisation, address).await?;
        let serves = self.serves(organisation, served).await?;
        let made = self.accounts.set_default(organisation.id, serves, account.id, Actor::Command).await;
        made.map_err(|error| self.refuse(error))?;
        self.adopt_orphans(organisation).await?;
        self.show_account(organisation, address).await
    }

    async fn serves(&self, organisation: &Organisation, served: Served) -> Result<Serves, Refusal> {
        Ok(match served {
            Served::Organisation => Serves::Organisation,
            Served::Location(name) => Serves::Location(self.location(organisation, &name).await?.id),
            Served::Person(text) => Serves::Person(self.person(organisation, &text).await?.id),
        })
    }

    /// As people name it: "the organisation", "location North branch", "person anna@example.org".
    async fn serves_words(&self, organisation: &Organisation, serves: Serves) -> Result<String, Refusal> {
        Ok(match serves {
            Serves::Organisation => "the organisation".to_owned(),
            Serves::Location(id) => {
                let location = self.identity.get_location(organisation.id, id).await;
                format!("location {}", location.map_err(|error| self.refuse(error))?.name)
            }
            Serves::Person(id) => {
                let person = self.identity.get_person(organisation.id, id).await;
                format!("person {}", person.map_err(|error| self.refuse(error))?.address)
            }
        })
    }

    /// Where a provider that is known takes letters, and lets them be read.
    pub(crate) async fn known_servers(&self, provider: &str) -> Result<Endpoints, Refusal> {
        let preset = self.preset(provider)?;
        let living = match provider {
            SANDBOX => gatepost_sandbox::find_living(self.data_dir()).await,
            _ => Ok(None),
        };
        if let Some(living) = living.map_err(|error| Refusal::new(error.to_string()))? {
            let door = |at: SocketAddr| Endpoint {
                host: at.ip().to_string(),
                port: at.port(),
                tls: TlsMode::StartTls,
            };
            return Ok(Endpoints {
                smtp: door(living.smtp),
                imap: Some(door(living.imap)),
                pop3: Some(door(living.pop3)),
            });
        }
        // `{zone}` stands for the region, which nobody here knows.
        let first = |servers: &[Server]| {
            let server = servers.first().filter(|it| !it.host.contains('{'))?;
            Some(Endpoint { host: server.host.clone(), port: server.port, tls: server.tls })
        };
        let smtp = first(&preset.smtp).ok_or_else(|| {
            let data = self.data_dir();
            Refusal::new(match provider {
                SANDBOX if demo_mark::refuse_production(data).is_ok() => {
                    format!("no sandbox lives in {0}. Start one with: gatepost sandbox --data {0}", data.display())
                }
                // It keeps away from a real installation, which takes it as any other provider.
                SANDBOX => format!(
                    "no sandbox lives in {}, which holds a real installation. Start one with: gatepost sandbox --data ANOTHER-FOLDER, and name its servers with --smtp HOST:PORT and --imap HOST:PORT or under [providers.sandbox] in the configuration",
                    data.display()
                ),
                _ => format!("provider {provider} has no server that is known here. Name it with --smtp HOST:PORT"),
            })
        })?;
        Ok(Endpoints { smtp, imap: first(&preset.imap), pop3: first(&preset.pop3) })
    }

    fn preset(&self, word: &str) -> Result<&Preset, Refusal> {
        let providers = self.accounts.providers();
        providers.find(word).ok_or_else(|| {
            let mut known: Vec<&str> = providers.iter().map(|it| it.word.as_str()).collect();
            known.sort_unstable();
            let nearest =
                nearest_of(word, &known).map_or_else(String::new, |it| format!(" Did you mean {it}?"));
            Refusal::new(format!(
                "there is no provider {word}.{nearest} Known are: {}. Any other is custom",
                known.join(", ")
            ))
        })
    }

    pub(super) async fn list_accounts(
        &self,
        organisation: &Organisation,
        report: &Report,
    ) -> Result<Value, Refusal> {
        for it in self.accounts.list(organisation.id).await.map_err(|error| self.refuse(error))? {
            report.item(done(self.account_shown(organisation, &it).await?)?).await;
        }
        Ok(Value::Null)
    }

    pub(super) async fn show_account(
        &self,
        organisation: &Organisation,
        text: &str,
    ) -> Result<Value, Refusal> {
        let account = self.account(organisation, text).await?;
        done(self.account_shown(organisation, &account).await?)
    }

    pub(super) async fn pause_account(
        &self,
        organisation: &Organisation,
        text: &str,
    ) -> Result<Value, Refusal> {
        let account = self.account(organisation, text).await?;
        let paused = self.accounts.pause(organisation.id, account.id, Actor::Command).await;
        self.changed(organisation, account.id, paused.map_err(|error| self.refuse(error))?).await?;
        self.show_account(organisation, text).await
    }

    pub(super) async fn resume_account(
        &self,
        organisation: &Organisation,
        text: &str,
    ) -> Result<Value, Refusal> {
        let account = self.account(organisation, text).await?;
        let resumed = self.accounts.resume(organisation.id, account.id, Actor::Command).await;
        self.changed(organisation, account.id, resumed.map_err(|error| self.refuse(error))?).await?;
        self.show_account(organisation, text).await
    }

    /// What removing the account would end.
    pub(super) async fn show_removal(
        &self,
        organisation: &Organisation,
        text: &str,
    ) -> Result<Value, Refusal> {
        let account = self.account(organisation, text).await?;
        let login = self.identity.find_login_of(organisation.id, LoginTarget::Account(account.id)).await;
        let logins: Vec<_> = login.map_err(|error| self.refuse(error))?.iter().map(|it| it.id).collect();
        let stops = self.identity.list_app_passwords_of(organisation.id, &logins).await;
        let shown = self.account_shown(organisation, &account).await?;
        done(RemovalShown {
            short_name: shown.short_name,
            address: shown.address,
            waiting: shown.waiting,
            app_passwords: stops.map_err(|error| self.refuse(error))?.into_iter().map(|it| it.name).collect(),
            default_of: shown.default_of,
        })
    }

    /// Removes the account, unless letters wait for it: whoever removes it sees them first (C19).
    pub(super) async fn remove_account(
        &self,
        organisation: &Organisation,
        text: &str,
    ) -> Result<Value, Refusal> {
        let account = self.account(organisation, text).await?;
        let waiting = self.n_waiting(organisation, account.id).await?;
        if waiting > 0 {
            return Err(Refusal::new(format!(
                "{} letters wait for {}. See them with gatepost outbox list, cancel them or let them leave, and remove the account then",
                waiting, account.address
            )));
        }
        let removed = self.accounts.remove(organisation.id, account.id, Actor::Command).await;
        removed.map_err(|error| self.refuse(error))?;
        // A letter accepted at this very moment is held, and chosen again when another account comes.
        let running_now = self.world.now();
        let held = self.outbox.account_removed(organisation.id, account.id, running_now).await;
        held.map_err(|error| self.refuse(error))?;
        self.outbox.account_changed(organisation.id, account.id);
        let target = LoginTarget::Account(account.id);
        let retired = self.identity.retire_login(organisation.id, target, Actor::Command).await;
        retired.map_err(|error| self.refuse(error))?;
        Ok(serde_json::json!({ "id": account.id.to_string(), "address": account.address.to_string() }))
    }

    pub(super) async fn account(
        &self,
        organisation: &Organisation,
        text: &str,
    ) -> Result<MailAccount, Refusal> {
        let found = self.accounts.find(organisation.id, &address(text)?).await;
        found.map_err(|error| self.refuse(error))?.ok_or_else(|| {
            Refusal::new(format!(
                "there is no mail account {text} in {}. See them with: gatepost account list",
                organisation.name
            ))
        })
    }

    /// Lets the outbox act on a change of an account.
    pub(crate) async fn changed(
        &self,
        organisation: &Organisation,
        id: MailAccountId,
        change: Change,
    ) -> Result<(), Refusal> {
        if change.released {
            let released = self.outbox.account_released(organisation.id, id).await;
            released.map_err(|error| self.refuse(error))?;
        }
        self.outbox.account_changed(organisation.id, id);
        Ok(())
    }

    pub(super) async fn n_waiting(
        &self,
        organisation: &Organisation,
        id: MailAccountId,
    ) -> Result<u64, Refusal> {
        self.outbox.n_waiting(organisation.id, id).await.map_err(|error| self.refuse(error))
    }

    async fn account_shown(
        &self,
        organisation: &Organisation,
        it: &MailAccount,
    ) -> Result<AccountShown, Refusal> {
        let status = self.accounts.status(organisation.id, it.id).await;
        let status = status.map_err(|error| self.refuse(error))?;
        let waiting = self.n_waiting(organisation, it.id).await?;
        let mut shown = shown(it, &status, waiting);
        shown.serves = self.serves_words(organisation, it.serves).await?;
        let defaults = self.accounts.defaults_of(organisation.id, it.id).await;
        for serves in defaults.map_err(|error| self.refuse(error))? {
            shown.default_of.push(self.serves_words(organisation, serves).await?);
        }
        shown.default_of.sort_unstable();
        let kind = self.accounts.kind_of(organisation.id, it.id).await.map_err(|error| self.refuse(error))?;
        shown.method = kind.map(|it| method(it).word().to_owned());
        let providers = self.accounts.providers();
        let service = providers.find(&it.provider).and_then(|it| providers.service_of(it));
        shown.service = service.filter(|_| kind == Some(CredentialKind::OAuth)).map(|it| it.name.clone());
        Ok(shown)
    }
}

fn method(kind: CredentialKind) -> Method {
    match kind {
        CredentialKind::OAuth => Method::SignIn,
        CredentialKind::AppPassword => Method::AppPassword,
        CredentialKind::Password => Method::Password,
    }
}

fn shown(it: &MailAccount, status: &AccountStatus, waiting: u64) -> AccountShown {
    let sending = direction(&status.sending);
    let reading = direction(&status.reading);
    AccountShown {
        id: it.id.to_string(),
        short_name: it.short_name.clone(),
        address: it.address.to_string(),
        provider: it.provider.clone(),
        status: status.status.word().to_owned(),
        diagnosis: sending.diagnosis.clone().or_else(|| reading.diagnosis.clone()),
        sending,
        reading,
        author_name: it.author_name.clone(),
        user_name: it.user_name.clone(),
        method: None,
        service: None,
        opens: it.opens.as_ref().map(ToString::to_string),
        never_falls_back: it.overrides.never_falls_back,
        send_as: it.addresses().map(ToString::to_string).collect(),
        serves: String::new(),
        default_of: Vec::new(),
        smtp: server(&it.endpoints.smtp),
        imap: it.endpoints.imap.as_ref().map(server),
        pop3: it.endpoints.pop3.as_ref().map(server),
        waiting,
        paused_at: it.paused_at.map(|at| at.to_string()),
        created_at: it.created_at.to_string(),
    }
}

fn direction(it: &DirectionStatus) -> DirectionShown {
    DirectionShown {
        status: it.status.word().to_owned(),
        diagnosis: it.diagnosis.as_ref().map(diagnosis),
        since: it.since.to_string(),
        reply: it.reply.as_deref().map(super::words),
    }
}

pub(super) fn diagnosis(it: &Diagnosis) -> DiagnosisShown {
    DiagnosisShown {
        cause: it.cause.clone(),
        cure: it.cure.clone(),
        who: it.who.word().to_owned(),
        who_in_words: it.who.to_string(),
        rule: it.rule.clone(),
        retry: it.retry.word().to_owned(),
    }
}

fn server(it: &Endpoint) -> ServerShown {
    ServerShown { host: it.host.clone(), port: it.port, tls: it.tls.word().to_owned() }
}

pub(super) fn endpoint(server: &crate::control::Server) -> Result<Endpoint, Refusal> {
    Ok(Endpoint { host: server.host.clone(), port: server.port, tls: parsed(&server.tls)? })
}
