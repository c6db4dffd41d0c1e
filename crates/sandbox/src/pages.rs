//! Pages for people: mailboxes, messages, the phone, applications, faults, and the way of a sign-in for another application.

mod account;
mod applications;
mod faults;
mod mailboxes;
mod message;
mod phone;
mod sign_in;
mod text;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{get, post};
use gatepost_web::{Asset, BASE_STYLE, Moment, Zone};

use crate::SandboxError;
use crate::lifetime::SandboxReady;
use crate::mailbox::MessageId;
use crate::provider::Provider;
pub(crate) use text::path_segment;

/// What every page needs.
#[derive(Clone)]
struct Pages {
    provider: Arc<Provider>,
    ready: SandboxReady,
    style: Asset,
    icon: Asset,
    zone: Zone,
}

pub(crate) fn router(provider: Arc<Provider>, ready: SandboxReady) -> Router {
    let style = Asset::new("text/css; charset=utf-8", &[BASE_STYLE, include_str!("pages/sandbox.css")]);
    let picture = Asset::new("image/svg+xml", &[include_str!("pages/icon.svg")]);
    let zone = Zone::of_this_computer();
    Router::new()
        .route("/", get(mailboxes::list))
        .route("/open", get(mailboxes::open))
        .route("/mailboxes/{address}", get(mailboxes::mailbox))
        .route("/mailboxes/{address}/{id}", get(message::message))
        .route("/mailboxes/{address}/security", post(account::protect))
        .route("/mailboxes/{address}/browser", post(account::browser))
        .route(
            "/mailboxes/{address}/app-passwords",
            get(account::app_passwords).post(account::make_app_password),
        )
        .route("/mailboxes/{address}/app-passwords/remove", post(account::remove_app_password))
        .route("/mailboxes/{address}/access", get(account::access).post(account::change_access))
        .route("/app-passwords", get(account::my_app_passwords))
        .route("/applications", get(applications::applications).post(applications::register))
        .route("/applications/remove", post(applications::remove))
        .route("/applications/tokens", post(applications::set_tokens))
        .route("/oauth2/auth", get(sign_in::begin))
        .route("/oauth2/sign-in/{flow}", get(sign_in::show))
        .route("/oauth2/sign-in/{flow}/another", post(sign_in::another))
        .route("/oauth2/sign-in/{flow}/account", post(sign_in::account))
        .route("/oauth2/sign-in/{flow}/password", post(sign_in::password))
        .route("/oauth2/sign-in/{flow}/second-step", post(sign_in::second_step))
        .route("/oauth2/sign-in/{flow}/consent", post(sign_in::consent))
        .route("/oauth2/sign-in/{flow}/cancel", post(sign_in::cancel))
        .route("/phone", get(phone::phone).post(phone::add))
        .route("/phone/remove", axum::routing::post(phone::remove))
        .route("/faults", get(faults::show).post(faults::change))
        .route("/style.css", get(style_sheet))
        .route("/icon.svg", get(icon))
        .fallback(async || not_found())
        .with_state(Pages { provider, ready, style, icon: picture, zone })
}

async fn style_sheet(State(pages): State<Pages>, headers: HeaderMap) -> Response {
    pages.style.respond(&headers)
}

async fn icon(State(pages): State<Pages>, headers: HeaderMap) -> Response {
    pages.icon.respond(&headers)
}

impl Pages {
    fn moment(&self, id: MessageId) -> Moment {
        self.zone.show(id.received_at(), self.provider.world.now())
    }
}

/// Which entry of the menu a page belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    Mailboxes,
    Phone,
    Applications,
    Faults,
    None,
}

#[derive(Template)]
#[template(path = "not_found.html")]
struct NotFoundPage {
    entry: Entry,
}

fn not_found() -> Response {
    show(StatusCode::NOT_FOUND, &NotFoundPage { entry: Entry::None })
}

#[derive(Template)]
#[template(path = "failed.html")]
struct FailedPage {
    entry: Entry,
}

fn failed(error: &SandboxError) -> Response {
    tracing::error!(%error, "a request failed");
    show(StatusCode::INTERNAL_SERVER_ERROR, &FailedPage { entry: Entry::None })
}

fn show(status: StatusCode, page: &impl Template) -> Response {
    let html = page.render().expect("a template of texts always renders");
    (status, Html(html)).into_response()
}

#[cfg(test)]
mod tests;
