//! A draft with whoever works on it, and whether they may (docs/decisions/0014, "Who may").

use gatepost_accounts::{ConnectError, Connecting, Draft, Serves, Whose};
use gatepost_core::{DraftId, PersonId};
use gatepost_identity::{Person, Role};
use gatepost_providers::{Client, OAuthService, Preset, Providers};

use super::stopped::{Done, Stopped};
use crate::frame::{App, Page, Signed, see_other};

/// An open draft on the desk of the person whose it is.
pub(super) struct Desk {
    pub(super) app: App,
    pub(super) page: Page,
    pub(super) connecting: Connecting,
    pub(super) draft: Draft,
    pub(super) me: Person,
    /// They look after the organisation, and may connect what serves others.
    pub(super) rules: bool,
}

/// Whether somebody may go on with a draft: administrators with all of their organisation's; operators where the account serves
/// themselves, and is the very mailbox that they sign in as, unless an administrator has connected it otherwise.
pub(super) fn may(rules: bool, me: PersonId, draft: &Draft) -> bool {
    let is_own = draft.details.opens.is_none() || draft.account.is_some();
    rules || (draft.details.serves == Serves::Person(me) && is_own)
}

/// The same at this moment: also for operators whose account was given to somebody else since. What else became of the account, the
/// draft's own steps say.
pub(super) async fn may_still(app: &App, rules: bool, me: PersonId, draft: &Draft) -> bool {
    if rules || !may(rules, me, draft) {
        return rules;
    }
    let Some(account) = draft.account else { return true };
    let found = app.rooms.accounts.get(draft.organisation, account).await;
    found.map_or(true, |it| it.serves == Serves::Person(me))
}

/// Whether they look after the organisation, where no page knows it: the person as they are now, from where they come.
pub(super) fn rules(page: &Page, person: &Person) -> bool {
    person.role == Role::Administrator && page.app.may_administer(page.visitor.source)
}

pub(super) fn connecting(app: &App, signed: &Signed) -> Connecting {
    let whose = Whose { organisation: signed.organisation(), person: Some(signed.person().id) };
    app.rooms.accounts.connecting(whose)
}

impl Desk {
    pub(super) async fn open(app: &App, page: &Page, signed: &Signed, id: DraftId) -> Result<Self, Stopped> {
        let connecting = connecting(app, signed);
        let (rules, me) = (page.rules(), signed.person().clone());
        let draft = match connecting.get(id).await {
            Ok(draft) if may_still(app, rules, me.id, &draft).await => draft,
            Ok(_) => return Err(Stopped::at(page, id, ConnectError::NotFound)),
            Err(why) => return Err(Stopped::at(page, id, why)),
        };
        let mut page = page.clone();
        if draft.account.is_some() {
            // What it asks for is being done.
            page.pop_up = None;
        }
        Ok(Self { app: app.clone(), page, connecting, draft, me, rules })
    }

    pub(super) fn stopped(&self, why: ConnectError) -> Stopped {
        Stopped::at(&self.page, self.draft.id, why)
    }

    pub(super) fn path(&self, behind: &str) -> String {
        super::path(self.draft.id, behind)
    }

    pub(super) fn to(&self, behind: &str) -> Done {
        Ok(see_other(&self.path(behind)))
    }

    pub(super) fn providers(&self) -> &Providers {
        self.app.rooms.accounts.providers()
    }

    /// What is known about the provider. One that the configuration had and lost is a custom one.
    pub(super) fn preset(&self) -> &Preset {
        let providers = self.providers();
        let found = providers.find(&self.draft.details.provider).or_else(|| providers.find("custom"));
        found.expect("the data has a preset for custom hosts")
    }

    /// Where its mailboxes are signed in to.
    pub(super) fn service(&self) -> Option<&OAuthService> {
        self.providers().service_of(self.preset())
    }

    /// What is registered there for this organisation.
    pub(super) async fn client(&self) -> Result<Client, Stopped> {
        let Some(service) = self.service() else { return Ok(Client::None) };
        let all = self.app.rooms.accounts.applications(self.draft.organisation).await?;
        Ok(match all.iter().find(|it| it.service == service.word) {
            None => Client::None,
            Some(it) if it.is_verified => Client::Verified,
            Some(_) => Client::Registered,
        })
    }

    /// It is about an account that is there.
    pub(super) const fn is_again(&self) -> bool {
        self.draft.account.is_some()
    }

    /// "Connect ADDRESS", or "Sign in again to NAME".
    pub(super) fn title(&self) -> String {
        let details = &self.draft.details;
        if self.is_again() {
            self.page.t.fill("connect.again_title", &[("name", &details.short_name)])
        } else {
            self.page.t.fill("connect.one_title", &[("address", details.address.as_str())])
        }
    }
}
