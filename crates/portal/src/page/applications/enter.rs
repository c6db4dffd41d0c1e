//! Entering what the service gave: it is asked before anything is stored.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gatepost_accounts::{
    AccountsError, ApplicationKind, Invalid, NewApplication, NotRegistered, OAuthApplication,
};
use gatepost_core::SecretText;
use gatepost_journal::Actor;
use gatepost_providers::{Asked, OAuthService, cleaned_secret};
use serde::Deserialize;

use super::{kind_words, mailboxes, own, path, redirect, service};
use crate::frame::{
    Alert, Answer, App, Form, Id, Page, Problem, Query, Secret, Signed, paths, see_other, show,
};

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    client_id: String,
    /// Absent where a proof was asked for in the middle: no secret is carried through that page.
    secret: Option<Secret>,
    tenant: String,
    kind: String,
    is_verified: bool,
    /// That this was a form: a box that is not ticked does not come.
    is_sent: bool,
}

/// `?kind=desktop`, from the guide.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    kind: String,
}

/// What is wrong with a field.
#[derive(Default)]
struct Wrong {
    client_id: Option<String>,
    secret: Option<String>,
    tenant: Option<String>,
}

/// What the service said.
struct RefusedBy {
    cause: String,
    cure: String,
    who: String,
    words: String,
}

#[derive(Template)]
#[template(path = "applications/enter.html")]
struct EnterPage {
    page: Page,
    service: String,
    path: String,
    typed: Typed,
    wrong: Wrong,
    refused: Option<RefusedBy>,
    /// One is there, and has a secret that can stay.
    has_secret: bool,
    is_there: bool,
    /// Where there are tenants, it has a longer name.
    client_id_hint: &'static str,
    asks_secret: bool,
    asks_tenant: bool,
    /// What each kind is, and where people come back to.
    web: String,
    desktop: String,
}

impl EnterPage {
    fn new(page: Page, service: &OAuthService, own: Option<&OAuthApplication>, typed: Typed) -> Self {
        let words = |kind| kind_words(&page, kind, &redirect(&page.app, service, kind));
        let registration = page.app.rooms.accounts.providers().registration_at(service);
        let asks = |what: Asked| registration.asks.contains(&what);
        Self {
            service: service.name.clone(),
            path: path(service, ""),
            typed,
            wrong: Wrong::default(),
            refused: None,
            has_secret: own.is_some_and(|it| it.has_secret),
            is_there: own.is_some(),
            client_id_hint: if service.has_tenants { page.t.of("applications.client_id_hint") } else { "" },
            asks_secret: asks(Asked::ClientSecret),
            asks_tenant: service.has_tenants && asks(Asked::Tenant),
            web: words(ApplicationKind::Web),
            desktop: words(ApplicationKind::Desktop),
            page,
        }
    }

    fn is_wrong(&self) -> bool {
        self.wrong.client_id.is_some() || self.wrong.secret.is_some() || self.wrong.tenant.is_some()
    }

    fn refuse(self) -> Response {
        show(StatusCode::UNPROCESSABLE_ENTITY, &self)
    }
}

pub(super) async fn ask(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(word): Id<String>,
    Query(chosen): Query<Chosen>,
    Form(mut typed): Form<Typed>,
) -> Answer {
    let service = service(&app, &word)?;
    let own = own(&app, &signed, service).await?;
    if !typed.is_sent {
        let suited = ApplicationKind::suited_to(Some(&app.public_url));
        let kind = chosen.kind.parse().unwrap_or_else(|()| own.as_ref().map_or(suited, |it| it.kind));
        kind.word().clone_into(&mut typed.kind);
        if let Some(own) = &own {
            typed.client_id.clone_from(&own.client_id);
            typed.tenant = own.tenant.clone().unwrap_or_default();
            typed.is_verified = own.is_verified;
        }
    }
    Ok(show(StatusCode::OK, &EnterPage::new(page, service, own.as_ref(), typed)))
}

pub(super) async fn enter(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(word): Id<String>,
    Form(typed): Form<Typed>,
) -> Answer {
    let service = service(&app, &word)?;
    let own = own(&app, &signed, service).await?;
    let kind: ApplicationKind = typed.kind.parse().map_err(|()| Problem::Bad)?;
    let secret = typed.secret.clone();
    let mut shown = EnterPage::new(page, service, own.as_ref(), typed);
    let t = shown.page.t;
    if secret.is_none() && shown.asks_secret {
        shown.wrong.secret = Some(t.of("applications.secret_dropped").to_owned());
        return Ok(shown.refuse());
    }
    let typed = &shown.typed;
    let new = NewApplication {
        service: service.word.clone(),
        client_id: cleaned(&typed.client_id),
        secret: secret.map(|it| cleaned_secret(it.text())).filter(|it| !it.reveal().is_empty()),
        tenant: Some(cleaned(&typed.tenant)).filter(|it| service.has_tenants && !it.is_empty()),
        kind,
        is_verified: typed.is_verified,
        is_proven: false,
    };
    let (organisation, by) = (signed.organisation(), Actor::Person(signed.person().id));
    let (accounts, public_url) = (&app.rooms.accounts, Some(app.public_url.as_str()));
    let registered =
        accounts.register_application(Some(organisation), new, public_url, organisation, by).await;
    match registered {
        Ok(_) => {
            let values = [("service", service.name.as_str()), ("mailboxes", &mailboxes(&app, service))];
            shown.page.leave(Alert::good(t.fill("applications.taken", &values)));
            return Ok(see_other(paths::APPLICATIONS));
        }
        Err(NotRegistered::Refused { diagnosis, words }) => {
            shown.refused = Some(RefusedBy {
                cause: diagnosis.cause,
                cure: here(&diagnosis.cure),
                who: diagnosis.who.to_string(),
                words,
            });
        }
        Err(NotRegistered::Accounts(AccountsError::Invalid(invalid))) => match invalid {
            Invalid::ClientId => shown.wrong.client_id = Some(t.of("applications.bad_client_id").to_owned()),
            Invalid::ClientSecret => shown.wrong.secret = Some(t.of("applications.bad_secret").to_owned()),
            Invalid::SecretAgain => shown.wrong.secret = Some(t.of("applications.secret_again").to_owned()),
            Invalid::Tenant => shown.wrong.tenant = Some(t.of("applications.bad_tenant").to_owned()),
            other => return Err(AccountsError::Invalid(other).into()),
        },
        Err(NotRegistered::Accounts(error)) => return Err(error.into()),
        Err(error @ NotRegistered::NoWayToServices) => return Err(Problem::Broken(Box::new(error))),
    }
    Ok(shown.refuse())
}

/// Where cures of the catalogue lead to; this page is there.
const LEADS_HERE: &str = "Open OAuth applications in Gatepost and ";

/// The same cure for somebody who is here already.
fn here(cure: &str) -> String {
    let Some(rest) = cure.strip_prefix(LEADS_HERE) else { return cure.to_owned() };
    let mut chars = rest.chars();
    chars.next().map(|it| it.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Without what clipboards add.
fn cleaned(text: &str) -> String {
    cleaned_secret(&SecretText::new(text.to_owned())).reveal().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cure_that_leads_to_this_page_begins_with_what_to_do_on_it() {
        assert_eq!(here("Open OAuth applications in Gatepost and compare both."), "Compare both.");
        assert_eq!(here("Ask the owner."), "Ask the owner.");
        assert_eq!(here(LEADS_HERE), "");
        // The words of the data.
        let providers = gatepost_providers::Providers::embedded();
        let cure = &providers.catalogue().find("oauth-client").unwrap().cure;
        assert!(cure.starts_with(LEADS_HERE), "{cure}");
    }
}
