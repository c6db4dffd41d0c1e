//! People.

use gatepost_core::Timestamp;
use gatepost_identity::{LinkKind, NewPerson as Invited, Organisation, Person, Role};
use gatepost_journal::Actor;
use serde_json::Value;

use super::{address, done};
use crate::answer::{PersonLink, PersonShown};
use crate::app::{App, PORTAL_IS_OFF};
use crate::control::{NewPerson, Refusal, Report};

impl App {
    pub(super) async fn add_person(
        &self,
        organisation: &Organisation,
        new: NewPerson,
    ) -> Result<Value, Refusal> {
        self.needs_portal()?;
        let home_location = match &new.location {
            Some(name) => Some(self.location(organisation, name).await?.id),
            None => None,
        };
        let new = Invited {
            organisation: organisation.id,
            address: address(&new.address)?,
            name: new.name,
            role: role(&new.role)?,
            home_location,
        };
        let person = self.identity.invite_person(new, Actor::Command).await;
        let person = person.map_err(|error| self.refuse(error))?;
        done(self.hand_link(&person, LinkKind::Invitation).await?)
    }

    pub(super) async fn list_people(
        &self,
        organisation: &Organisation,
        report: &Report,
    ) -> Result<Value, Refusal> {
        let all = self.identity.list_people(organisation.id).await.map_err(|error| self.refuse(error))?;
        for it in &all {
            report.item(done(shown(it))?).await;
        }
        Ok(Value::Null)
    }

    pub(super) async fn disable_person(
        &self,
        organisation: &Organisation,
        text: &str,
    ) -> Result<Value, Refusal> {
        let person = self.person(organisation, text).await?;
        let disabled = self.identity.disable_person(organisation.id, person.id, &[], Actor::Command).await;
        disabled.map_err(|error| self.refuse(error))?;
        done(shown(&self.person(organisation, text).await?))
    }

    pub(super) async fn enable_person(
        &self,
        organisation: &Organisation,
        text: &str,
    ) -> Result<Value, Refusal> {
        let person = self.person(organisation, text).await?;
        let enabled = self.identity.enable_person(organisation.id, person.id, Actor::Command).await;
        enabled.map_err(|error| self.refuse(error))?;
        done(shown(&self.person(organisation, text).await?))
    }

    pub(super) async fn reset_two_step(
        &self,
        organisation: &Organisation,
        text: &str,
    ) -> Result<Value, Refusal> {
        let person = self.person(organisation, text).await?;
        if person.two_step_at.is_none() {
            return Err(Refusal::new(format!(
                "two-step verification of {text} is not on, so there is nothing to reset. A new password: gatepost person reset-password {text}"
            )));
        }
        let reset = self.identity.reset_two_step(organisation.id, person.id, Actor::Command).await;
        reset.map_err(|error| self.refuse(error))?;
        done(shown(&self.person(organisation, text).await?))
    }

    pub(super) async fn reset_password(
        &self,
        organisation: &Organisation,
        text: &str,
    ) -> Result<Value, Refusal> {
        self.needs_portal()?;
        let person = self.person(organisation, text).await?;
        if person.disabled_at.is_some() {
            return Err(Refusal::new(format!(
                "{text} is disabled and could not sign in with a new password either. Run: gatepost person enable {text}"
            )));
        }
        let kind = match (person.has_password, person.role) {
            (true, _) => LinkKind::PasswordReset,
            // Who sets an installation up is never anybody else.
            (false, Role::Administrator) => LinkKind::SetUp,
            (false, Role::Operator) => LinkKind::Invitation,
        };
        done(self.hand_link(&person, kind).await?)
    }

    pub(crate) async fn hand_link(&self, person: &Person, kind: LinkKind) -> Result<PersonLink, Refusal> {
        let handed = self.identity.hand_link(person.organisation, person.id, kind, Actor::Command).await;
        let handed = handed.map_err(|error| self.refuse(error))?;
        Ok(PersonLink {
            id: person.id.to_string(),
            address: person.address.to_string(),
            name: person.name.clone(),
            role: person.role.to_string(),
            kind: word(kind).to_owned(),
            link: self.link(&handed.token).ok_or_else(no_portal)?,
            expires_at: handed.expires_at.to_string(),
        })
    }

    /// Asked before anything is changed.
    fn needs_portal(&self) -> Result<(), Refusal> {
        self.portal_url().map(drop).ok_or_else(no_portal)
    }

    pub(super) async fn person(&self, organisation: &Organisation, text: &str) -> Result<Person, Refusal> {
        let found = self.identity.find_person(organisation.id, &address(text)?).await;
        found.map_err(|error| self.refuse(error))?.ok_or_else(|| {
            Refusal::new(format!(
                "there is no person with the address {text} in {}. See them with: gatepost person list",
                organisation.name
            ))
        })
    }
}

fn word(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::SetUp => "set_up",
        LinkKind::Invitation => "invitation",
        LinkKind::PasswordReset => "password_reset",
        LinkKind::Contact => "contact",
        LinkKind::NotMe => "not_me",
        LinkKind::SignIn => "sign_in",
    }
}

fn no_portal() -> Refusal {
    Refusal::new(format!("there is no link to hand over: {PORTAL_IS_OFF}"))
}

fn role(word: &str) -> Result<Role, Refusal> {
    word.parse().map_err(|()| Refusal::new(format!("{word:?} is no role. Known: administrator, operator")))
}

fn shown(it: &Person) -> PersonShown {
    let state = match (it.disabled_at, it.has_password) {
        (Some(_), _) => "disabled",
        (None, false) => "invited",
        (None, true) => "active",
    };
    PersonShown {
        id: it.id.to_string(),
        address: it.address.to_string(),
        name: it.name.clone(),
        role: it.role.to_string(),
        state: state.to_owned(),
        two_step: it.two_step_at.is_some(),
        created_at: it.created_at.to_string(),
        signed_in_at: it.signed_in_at.as_ref().map(Timestamp::to_string),
    }
}
