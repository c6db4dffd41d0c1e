//! OAuth applications of the organisation's own, for administrators: their list, the guide to registering one, entering it once its
//! service has taken it, removing it.

mod enter;
mod guide;
mod list;
mod remove;
#[cfg(test)]
mod tests;

use gatepost_accounts::{ApplicationKind, OAuthApplication, RedirectTo};
use gatepost_providers::OAuthService;
use gatepost_web::Moment;

use crate::frame::{Access, App, Page, Problem, Route, Signed, paths};
use crate::page::badge::{Badge, Shape};

const SERVICE: &str = "/accounts/applications/{service}";
const ENTER: &str = "/accounts/applications/{service}/enter";
const REMOVE: &str = "/accounts/applications/{service}/remove";

/// The rows of this subject.
pub(crate) fn rows() -> Vec<Route> {
    vec![
        Route::get(paths::APPLICATIONS, Access::Administrator, list::list),
        Route::get(SERVICE, Access::Administrator, guide::guide),
        Route::get(ENTER, Access::Administrator, enter::ask).needs_proof(),
        Route::post(ENTER, Access::Administrator, enter::enter).needs_proof(),
        Route::get(REMOVE, Access::Administrator, remove::ask).needs_proof(),
        Route::post(REMOVE, Access::Administrator, remove::remove).needs_proof(),
    ]
}

/// `/accounts/applications/SERVICE`, and what comes behind it.
fn path(service: &OAuthService, behind: &str) -> String {
    format!("{}/{}{behind}", paths::APPLICATIONS, service.word)
}

fn service<'a>(app: &'a App, word: &str) -> Result<&'a OAuthService, Problem> {
    app.rooms.accounts.providers().service(word).ok_or(Problem::NotFound)
}

/// The providers whose mailboxes are signed in to at a service: `Gmail, Google Workspace`.
fn mailboxes(app: &App, service: &OAuthService) -> String {
    let providers = app.rooms.accounts.providers();
    providers.at_service(service).map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The organisation's own application at a service; not the installation's.
async fn own(
    app: &App,
    signed: &Signed,
    service: &OAuthService,
) -> Result<Option<OAuthApplication>, Problem> {
    let all = app.rooms.accounts.applications(signed.organisation()).await?;
    Ok(all.into_iter().find(|it| it.service == service.word && !it.is_of_installation))
}

/// Where the service sends people back to.
fn redirect(app: &App, service: &OAuthService, kind: ApplicationKind) -> RedirectTo {
    kind.redirect(service, Some(&app.public_url))
}

/// What is registered at a service, as pages show it.
struct Shown {
    badge: Badge,
    client_id: String,
    tenant: Option<String>,
    /// In words.
    kind: String,
    is_verified: bool,
    is_of_installation: bool,
    proven: Option<Moment>,
    trouble: Option<Trouble>,
}

/// Why the service refuses it.
struct Trouble {
    cause: String,
    cure: String,
    who: String,
    since: Moment,
}

impl Shown {
    fn new(page: &Page, service: &OAuthService, it: OAuthApplication) -> Self {
        let t = page.t;
        let catalogue = page.app.rooms.accounts.providers().catalogue();
        let trouble = it.trouble.as_ref().map(|(rule, at)| {
            let found = catalogue.find(rule);
            let name = [("service", service.name.as_str())];
            Trouble {
                cause: found.map_or_else(|| t.fill("applications.refused", &name), |it| it.cause.clone()),
                cure: found.map_or_else(|| t.fill("applications.refused_cure", &name), |it| it.cure.clone()),
                who: found.map_or_else(|| t.of("applications.who").to_owned(), |it| it.who.to_string()),
                since: page.moment(*at),
            }
        });
        let badge = match (&trouble, it.proven_at) {
            (Some(_), _) => Badge::new("bad", Shape::Cross, t.of("applications.badge_refused")),
            (None, Some(_)) => Badge::new("good", Shape::Tick, t.of("applications.badge_taken")),
            (None, None) => Badge::new("calm", Shape::Question, t.of("applications.badge_unproven")),
        };
        let redirect = redirect(&page.app, service, it.kind);
        Self {
            badge,
            kind: kind_words(page, it.kind, &redirect),
            client_id: it.client_id,
            tenant: it.tenant,
            is_verified: it.is_verified,
            is_of_installation: it.is_of_installation,
            proven: it.proven_at.map(|at| page.moment(at)),
            trouble,
        }
    }
}

/// What kind of application it is, and where people come back from the service.
fn kind_words(page: &Page, kind: ApplicationKind, redirect: &RedirectTo) -> String {
    let key = match (kind, redirect.is_pasted) {
        (ApplicationKind::Web, false) => "applications.kind_web",
        (ApplicationKind::Web, true) => "applications.kind_web_pasted",
        (ApplicationKind::Desktop, _) => "applications.kind_desktop",
    };
    page.t.fill(key, &[("address", &redirect.uri)])
}
