//! How to register an application at a service, with every value that is typed there.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_accounts::ApplicationKind;
use gatepost_providers::{Copied, OwnValues, Step, Uses};
use serde::Deserialize;

use super::{Shown, own, path, redirect, service};
use crate::frame::{Answer, App, Id, Page, Query, Signed, show};

/// `?kind=desktop`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    kind: String,
}

struct ShownStep {
    /// `of step 3`, for those who hear the link alone.
    number: String,
    text: String,
    link: Option<String>,
    copy: Vec<Value>,
}

struct Value {
    id: String,
    label: String,
    value: String,
}

impl ShownStep {
    fn new(page: &Page, n: usize, step: Step) -> Self {
        let value = |(at, it): (usize, Copied)| Value {
            id: format!("value-{n}-{at}"),
            label: it.label,
            value: it.value,
        };
        Self {
            number: page.t.fill("applications.step", &[("n", &n.to_string())]),
            text: step.text,
            link: step.link,
            copy: step.copy.into_iter().enumerate().map(value).collect(),
        }
    }
}

#[derive(Template)]
#[template(path = "applications/guide.html")]
struct GuidePage {
    page: Page,
    name: String,
    service: String,
    know: Vec<String>,
    steps: Vec<ShownStep>,
    /// What is entered already.
    shown: Option<Shown>,
    path: String,
    /// The word of this guide's kind, and that of the other.
    kind: &'static str,
    other_kind: &'static str,
    is_pasted: bool,
    /// Services lead nobody back to this installation.
    is_out_of_reach: bool,
}

pub(super) async fn guide(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(word): Id<String>,
    Query(chosen): Query<Chosen>,
) -> Answer {
    let service = service(&app, &word)?;
    let own = own(&app, &signed, service).await?;
    let suited = ApplicationKind::suited_to(Some(&app.public_url));
    let kind = chosen.kind.parse().unwrap_or_else(|()| own.as_ref().map_or(suited, |it| it.kind));
    let redirect = redirect(&app, service, kind);
    let scopes = service.asked_scopes(Uses { smtp: true, imap: true, pop3: true });
    let registration = app.rooms.accounts.providers().registration_at(service);
    let steps = registration.steps_with(OwnValues { redirect: &redirect, scopes: &scopes });
    let shown = GuidePage {
        name: registration.name.clone(),
        service: service.name.clone(),
        know: registration.know.clone(),
        steps: steps.into_iter().zip(1..).map(|(it, n)| ShownStep::new(&page, n, it)).collect(),
        shown: own.map(|it| Shown::new(&page, service, it)),
        path: path(service, ""),
        kind: kind.word(),
        other_kind: match kind {
            ApplicationKind::Web => ApplicationKind::Desktop.word(),
            ApplicationKind::Desktop => ApplicationKind::Web.word(),
        },
        is_pasted: redirect.is_pasted,
        is_out_of_reach: suited == ApplicationKind::Desktop,
        page,
    };
    Ok(show(StatusCode::OK, &shown))
}
