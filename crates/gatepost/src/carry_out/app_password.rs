//! App passwords.

use std::time::Duration;

use gatepost_core::Timestamp;
use gatepost_identity::{
    AppPassword, AppPasswordLimits, Location, Login, MOST_APP_PASSWORDS, Organisation, Protocols,
};
use gatepost_journal::Actor;
use serde_json::Value;

use super::{done, parsed};
use crate::answer::{AppPasswordMade, AppPasswordShown, LastUseShown};
use crate::app::App;
use crate::control::{NewAppPassword, Refusal, Report, Target};

impl App {
    pub(crate) async fn create_app_password(
        &self,
        organisation: &Organisation,
        new: NewAppPassword,
    ) -> Result<Value, Refusal> {
        let login = self.login_of(organisation, &new.target).await?;
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
