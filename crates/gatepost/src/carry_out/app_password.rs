//! App passwords.

use std::path::Path;
use std::time::Duration;

use gatepost_accounts::{MailAccount, NoMailbox, NoServer, ReadingProtocol};
use gatepost_core::Timestamp;
use gatepost_identity::{
    AppPassword, AppPasswordLimits, Location, Login, MOST_APP_PASSWORDS, Organisation, Protocol, Protocols,
};
use gatepost_journal::Actor;
use serde_json::Value;

use super::{done, parsed, target};
use crate::answer::{AppPasswordMade, AppPasswordShown, LastUseShown, MissingShown};
use crate::app::App;
use crate::control::{NewAppPassword, Refusal, Report, Target};
use crate::demo::quoted;

impl App {
    pub(crate) async fn create_app_password(
        &self,
        organisation: &Organisation,
        new: NewAppPassword,
    ) -> Result<Value, Refusal> {
        let of = new.target;
        let login = self.login_of(organisation, &of).await?;
        let expires_at =
            new.expires_after_days.map(|days| self.world.now() + Duration::from_hours(24) * days);
        let limits = AppPasswordLimits {
            allowed: parsed::<Protocols>(&new.allow.join(","))?,
            networks: new.networks.iter().map(|text| parsed(text)).collect::<Result<_, _>>()?,
            send_as: Vec::new(),
            expires_at,
            repairs_line_ends: new.repair_line_ends,
        };
        let new =
            gatepost_identity::NewAppPassword::new(&self.world, organisation.id, login.id, new.name, limits);
        let made = self
            .identity
            .create_app_password(new, MOST_APP_PASSWORDS, Actor::Command)
            .await
            .map_err(|error| self.refuse(error))?;
        let missing = self.missing(organisation, &of, &login, made.limits.allowed).await?;
        done(AppPasswordMade {
            id: made.id.to_string(),
            name: made.name,
            user_name: made.user_name,
            password: made.text.grouped().reveal().to_owned(),
            allow: words(made.limits.allowed),
            networks: made.limits.networks.iter().map(ToString::to_string).collect(),
            repair_line_ends: made.limits.repairs_line_ends,
            created_at: made.created_at.to_string(),
            expires_at: made.limits.expires_at.as_ref().map(ToString::to_string),
            missing,
        })
    }

    /// What an application will not be able to read with it, before it finds that out by itself. A door that is closed here counts only
    /// where it may use no other.
    async fn missing(
        &self,
        organisation: &Organisation,
        of: &Target,
        login: &Login,
        allowed: Protocols,
    ) -> Result<Vec<MissingShown>, Refusal> {
        let settings = &self.settings;
        let all = [
            (Protocol::Imap, ReadingProtocol::Imap, settings.imap.is_open()),
            (Protocol::Pop3, ReadingProtocol::Pop3, settings.pop3.is_open()),
        ];
        let mut may_read = all.into_iter().filter(|(door, ..)| allowed.allow(*door)).peekable();
        let Some((_, first, _)) = may_read.peek().copied() else { return Ok(Vec::new()) };
        let wanted = may_read.filter(|(.., is_open)| *is_open).map(|(_, protocol, _)| protocol);
        let wanted: Vec<ReadingProtocol> = wanted.collect();
        if wanted.is_empty() {
            return Ok(vec![no_door(first, &settings.config_file)]);
        }
        let found = self.accounts.mailbox_of(organisation.id, target(login.target, None)).await;
        Ok(match found.map_err(|error| self.refuse(error))? {
            Err(why) => vec![no_mailbox(of, why)],
            Ok(account) => {
                let lacks = |it| Some(no_server(&account, it, self.accounts.no_server(&account, it)?));
                let lacking: Vec<_> = wanted.into_iter().filter_map(lacks).collect();
                // Who has none at all is told once.
                let most = if account.endpoints.can_be_read() { lacking.len() } else { 1 };
                lacking.into_iter().take(most).collect()
            }
        })
    }

    async fn login_of(&self, organisation: &Organisation, target: &Target) -> Result<Login, Refusal> {
        let refuse = |error| self.refuse::<gatepost_identity::IdentityError>(error);
        match target {
            Target::Account(text) => {
                let account = self.account(organisation, text).await?;
                let (address, person) = (&account.address, account.serves.person());
                let login =
                    self.identity.ensure_account_login(organisation.id, account.id, address, person).await;
                login.map_err(refuse)
            }
            Target::Person(text) => {
                let person = self.person(organisation, text).await?;
                self.identity.ensure_person_login(&person).await.map_err(refuse)
            }
            Target::Location(name) => {
                let location = self.location(organisation, name).await?;
                self.identity.ensure_location_login(&location).await.map_err(refuse)
            }
        }
    }

    pub(super) async fn location(
        &self,
        organisation: &Organisation,
        name: &str,
    ) -> Result<Location, Refusal> {
        let found = self.identity.find_location(organisation.id, name).await;
        if let Some(it) = found.map_err(|error| self.refuse(error))? {
            return Ok(it);
        }
        let all = self.identity.list_locations(organisation.id).await.map_err(|error| self.refuse(error))?;
        let names: Vec<&str> = all.iter().map(|it| it.name.as_str()).collect();
        let there = match names.as_slice() {
            [] => "There is none yet: an administrator adds it in the portal, under Locations".to_owned(),
            _ => format!("There are: {}", names.join(", ")),
        };
        Err(Refusal::new(format!("there is no location named {name:?} in {}. {there}", organisation.name)))
    }

    pub(super) async fn list_app_passwords(
        &self,
        organisation: &Organisation,
        report: &Report,
    ) -> Result<Value, Refusal> {
        let all = self.identity.list_app_passwords(organisation.id).await;
        for it in all.map_err(|error| self.refuse(error))? {
            report.item(done(shown(it))?).await;
        }
        Ok(Value::Null)
    }

    pub(super) async fn revoke_app_password(
        &self,
        organisation: &Organisation,
        id: &str,
    ) -> Result<Value, Refusal> {
        let revoked = self.identity.revoke_app_password(organisation.id, parsed(id)?, Actor::Command).await;
        revoked.map_err(|error| self.refuse(error))?;
        Ok(serde_json::json!({ "id": id }))
    }
}

fn no_door(protocol: ReadingProtocol, config_file: &Path) -> MissingShown {
    let (section, port) = match protocol {
        ReadingProtocol::Imap => ("imap", 993),
        ReadingProtocol::Pop3 => ("pop3", 995),
    };
    let text = format!(
        "Nothing can be read with it yet: no door for that is open here. Add tls = \"0.0.0.0:{port}\" under [{section}] in {}, and start the \
         server again.",
        config_file.display()
    );
    MissingShown { text, command: None }
}

fn no_mailbox(of: &Target, why: NoMailbox) -> MissingShown {
    let (text, option) = match of {
        Target::Person(address) => (
            format!("There is nothing to read yet: no mailbox is {address}'s own."),
            format!("person {address}"),
        ),
        Target::Location(name) => (
            format!("There is nothing to read yet: no mailbox is the default of {name}."),
            format!("location {}", quoted(name)),
        ),
        Target::Account(_) => {
            return MissingShown { text: format!("There is nothing to read: {why}."), command: None };
        }
    };
    let command = format!("gatepost account default ADDRESS --for-{option}");
    MissingShown { text, command: Some(command) }
}

fn no_server(account: &MailAccount, protocol: ReadingProtocol, why: NoServer) -> MissingShown {
    let (address, name) = (&account.address, protocol.name());
    let text = match (account.endpoints.can_be_read(), why) {
        (true, NoServer::NotEntered) => {
            format!("{address} has no {name} server in Gatepost: it cannot be read by {name}.")
        }
        (true, NoServer::NotOffered) => {
            format!("The provider of {address} has no {name}: it cannot be read by {name}.")
        }
        (false, NoServer::NotEntered) => {
            format!("{address} has no server for reading in Gatepost: there is nothing to read yet.")
        }
        (false, NoServer::NotOffered) => {
            format!("The provider of {address} only sends: there is nothing to read.")
        }
    };
    let option = match protocol {
        ReadingProtocol::Imap => "--imap",
        ReadingProtocol::Pop3 => "--pop3",
    };
    let command = format!("gatepost account reauthenticate {address} {option} HOST:PORT");
    MissingShown { text, command: (why == NoServer::NotEntered).then_some(command) }
}

fn words(protocols: Protocols) -> Vec<String> {
    protocols.to_string().split(',').map(str::to_owned).collect()
}

fn shown(it: AppPassword) -> AppPasswordShown {
    AppPasswordShown {
        id: it.id.to_string(),
        name: it.name,
        user_name: it.user_name,
        allow: words(it.limits.allowed),
        networks: it.limits.networks.iter().map(ToString::to_string).collect(),
        repair_line_ends: it.limits.repairs_line_ends,
        created_at: it.created_at.to_string(),
        expires_at: it.limits.expires_at.as_ref().map(Timestamp::to_string),
        last_use: it.last_use.map(|used| LastUseShown {
            at: used.at.to_string(),
            from: used.from.to_string(),
            protocol: used.protocol.to_string(),
        }),
    }
}
