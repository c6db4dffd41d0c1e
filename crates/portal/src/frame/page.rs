//! What every page is made with.

use std::sync::Arc;

use axum_extra::extract::cookie::Cookie;
use gatepost_core::Timestamp;
use gatepost_identity::{NewSession, Person, PersonRefusal, Proof, Role, Session, Token, Visitor};
use gatepost_web::Moment;

use super::{Alert, App, Assets, Cookies, Texts, Theme, paths, proofs};
use crate::page::accounts::PopUp;

/// An entry of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nav {
    Home,
    Accounts,
    Outbox,
    AppPasswords,
    People,
    /// In the person's menu.
    Security,
}

/// The frame of a page: an extractor of every handler, and the field `page` of every template that extends `layout.html`.
#[derive(Clone)]
pub(crate) struct Page {
    /// The words.
    pub(crate) t: &'static Texts,
    pub(crate) app: App,
    pub(crate) theme: Theme,
    /// Whoever is signed in.
    pub(crate) person: Option<Arc<Person>>,
    /// The name of their organisation.
    pub(crate) organisation: String,
    /// Whether the navigation is shown: not before everything that must be set up is.
    pub(crate) is_whole: bool,
    /// Which entry of the navigation this is.
    pub(crate) nav: Option<Nav>,
    /// For `{% call part::token(page) %}`, in every form.
    pub(crate) form_token: String,
    /// What the page begins with.
    pub(crate) alerts: Vec<Alert>,
    /// Mail accounts that need whoever is signed in, if any do.
    pub(crate) pop_up: Option<PopUp>,
    pub(crate) now: Timestamp,
    /// Path and query of the request.
    pub(crate) path: String,
    /// From where, and with what.
    pub(crate) visitor: Visitor,
    /// The value of the visitor cookie.
    pub(super) visitor_id: String,
    /// That of the session's, whether or not the session is alive.
    pub(super) session_token: Option<Token>,
}

impl Page {
    /// At this entry of the navigation.
    pub(crate) fn at(mut self, nav: Nav) -> Self {
        self.nav = Some(nav);
        self
    }

    /// With a sentence at its head.
    pub(crate) fn with(mut self, alert: Alert) -> Self {
        self.alerts.push(alert);
        self
    }

    /// A sentence for the page that the coming redirect leads to.
    pub(crate) fn leave(&self, alert: Alert) {
        self.app.alerts.leave(&self.visitor_id, vec![alert]);
    }

    pub(crate) fn moment(&self, at: Timestamp) -> Moment {
        self.app.zone.show(at, self.now)
    }

    pub(crate) fn assets(&self) -> &Assets {
        &self.app.assets
    }

    pub(crate) fn cookies(&self) -> Cookies {
        self.app.cookies
    }

    /// The cookie of a session that was just made or continues under a new id; what waits to be shown once follows it.
    pub(crate) fn continue_as(&self, old: &Session, new: &NewSession) -> Cookie<'static> {
        self.app.follow(old.id, new.session.id);
        self.cookies().session(new)
    }

    /// Shows a proof of whoever is signed in. Of two requests that are alike, the second goes on as the first did.
    pub(crate) async fn confirm(&self, session: &Session, proof: Proof) -> Result<NewSession, PersonRefusal> {
        let token = self.session_token.as_ref().ok_or(PersonRefusal::Over)?;
        proofs::confirm(&self.app, token, session, proof, &self.visitor).await
    }

    /// Where the choice of the look leads back to. The token of a one-time link, and what a provider's page has brought, are not
    /// among what is sent for that.
    pub(crate) fn back(&self) -> &str {
        match self.path.split_once('?') {
            Some((paths::LINK, _)) => paths::LINK,
            Some((path, _)) if path.starts_with(paths::CALLBACK) => path,
            _ => &self.path,
        }
    }

    /// Whether the page has a menu: not where it would hold nothing but the look, whose choice cannot lead back to a one-time link.
    pub(crate) fn has_menu(&self) -> bool {
        self.person.is_some() || self.back() == self.path
    }

    pub(crate) fn is_administrator(&self) -> bool {
        self.person.as_ref().is_some_and(|it| it.role == Role::Administrator)
    }

    /// Whether they look after the organisation from here: administrators, from the administration networks.
    pub(crate) fn rules(&self) -> bool {
        self.is_administrator() && self.app.may_administer(self.visitor.source)
    }

    /// For `aria-current`.
    pub(crate) fn is_at(&self, nav: Nav) -> bool {
        self.nav == Some(nav)
    }
}
