//! Applications: registering them, and how their tokens live.

use askama::Template;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use gatepost_core::SecretText;
use serde::Deserialize;

use super::{Entry, Pages, failed, show};
use crate::oauth::{Client, ClientError, NewClient, Rotation, Scope, Settings, write_scopes};

/// What was typed.
#[derive(Default, Deserialize)]
pub(super) struct ApplicationForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    redirects: String,
    /// `web` or `installed`.
    #[serde(default)]
    kind: String,
}

#[derive(Deserialize)]
pub(super) struct RemoveForm {
    id: String,
}

#[derive(Deserialize)]
pub(super) struct TokensForm {
    lifetime: String,
    rotation: Rotation,
}

#[derive(Template)]
#[template(path = "applications.html")]
struct ApplicationsPage {
    entry: Entry,
    made: Option<Made>,
    clients: Vec<ClientCard>,
    error: Option<String>,
    form: ApplicationForm,
    issuer: String,
    scopes: String,
    tokens_error: Option<String>,
    lifetime: String,
    rotation: &'static str,
}

/// An application that was registered just now.
struct Made {
    name: String,
    id: String,
    secret: Option<String>,
}

struct ClientCard {
    name: String,
    id: String,
    has_secret: bool,
    is_built_in: bool,
    redirects: Vec<String>,
}

pub(super) async fn applications(State(pages): State<Pages>) -> Response {
    show(StatusCode::OK, &pages.applications_page())
}

pub(super) async fn register(State(pages): State<Pages>, Form(form): Form<ApplicationForm>) -> Response {
    let new = form.to_new();
    match pages.provider.work(move |oauth| oauth.clients.register(&new, &oauth.world)).await {
        Ok((client, secret)) => {
            let mut page = pages.applications_page();
            let secret = secret.as_ref().map(|it: &SecretText| it.reveal().to_owned());
            page.made = Some(Made { name: client.name, id: client.id, secret });
            show(StatusCode::OK, &page)
        }
        Err(ClientError::Storage(error)) => failed(&error),
        Err(error) => {
            let page = ApplicationsPage { error: Some(error.to_string()), form, ..pages.applications_page() };
            show(StatusCode::BAD_REQUEST, &page)
        }
    }
}

pub(super) async fn remove(State(pages): State<Pages>, Form(form): Form<RemoveForm>) -> Response {
    match pages.provider.work(move |oauth| oauth.clients.remove(&form.id)).await {
        // Twice is as good as once.
        Ok(_) => Redirect::to("/applications").into_response(),
        Err(error) => failed(&error),
    }
}

pub(super) async fn set_tokens(State(pages): State<Pages>, Form(form): Form<TokensForm>) -> Response {
    let lifetime = form.lifetime.trim().parse().ok().filter(|it| Settings::LIFETIMES_S.contains(it));
    let Some(access_lifetime_s) = lifetime else {
        let page = ApplicationsPage {
            tokens_error: Some(Settings::lifetime_error()),
            lifetime: form.lifetime,
            ..pages.applications_page()
        };
        return show(StatusCode::BAD_REQUEST, &page);
    };
    let settings =
        Settings { access_lifetime_s, rotation: form.rotation, ..pages.provider.oauth.settings.get() };
    match pages.provider.work(move |oauth| oauth.settings.set(settings)).await {
        Ok(()) => Redirect::to("/applications").into_response(),
        Err(error) => failed(&error),
    }
}

impl ApplicationForm {
    fn to_new(&self) -> NewClient {
        let lines = self.redirects.lines().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
        NewClient {
            name: self.name.clone(),
            redirects: lines.collect(),
            has_secret: self.kind != "installed",
        }
    }
}

impl Pages {
    fn applications_page(&self) -> ApplicationsPage {
        let oauth = &self.provider.oauth;
        let settings = oauth.settings.get();
        let card = |it: Client| ClientCard {
            has_secret: it.secret.is_some(),
            is_built_in: it.is_built_in(),
            name: it.name,
            id: it.id,
            redirects: it.redirects,
        };
        ApplicationsPage {
            entry: Entry::Applications,
            made: None,
            clients: oauth.clients.all().into_iter().map(card).collect(),
            error: None,
            form: ApplicationForm::default(),
            issuer: oauth.issuer.clone(),
            scopes: write_scopes(&Scope::ALL),
            tokens_error: None,
            lifetime: settings.access_lifetime_s.to_string(),
            rotation: settings.rotation.word(),
        }
    }
}
