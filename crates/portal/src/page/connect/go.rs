//! The way to the provider's page, in a tab of its own.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum_extra::extract::CookieJar;
use gatepost_accounts::{Details, FlowOrigin};
use gatepost_core::{DraftId, SecretText};
use gatepost_identity::Token;
use serde::Deserialize;

use super::desk::Desk;
use super::stopped::Done;
use crate::frame::{App, CookieName, Form, Id, Page, Signed, show};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    revision: u64,
    /// Whoever signed in under another address is the same mailbox (C7).
    same: bool,
}

/// A redirect would be stopped: the policy of our pages lets forms lead to ourselves alone.
#[derive(Template)]
#[template(path = "connect/go.html")]
struct GoPage {
    page: Page,
    /// Holds the state: it belongs to this browser alone.
    url: String,
    words: String,
}

pub(super) async fn go(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<DraftId>,
    jar: CookieJar,
    Form(typed): Form<Typed>,
) -> Done {
    let desk = Desk::open(&app, &page, &signed, id).await?;
    let other = desk.draft.refused.as_ref().and_then(|it| it.other.as_ref());
    if let Some(other) = other.filter(|_| typed.same && desk.rules) {
        let details = Details { same_as: Some(other.subject.clone()), ..desk.draft.details.clone() };
        let changed = desk.connecting.change(id, typed.revision, details).await;
        changed.map_err(|why| desk.stopped(why))?;
    }
    // Another sign-in of this browser may be under way for another mailbox: both answers have to come with the cookie.
    let token = page.cookies().find_token(&jar, CookieName::SignIn);
    let token = token.unwrap_or_else(|| Token::generate(app.rooms.store.world()));
    let secret = SecretText::new(token.reveal().to_owned());
    let origin = FlowOrigin::Browser { lineage: signed.lineage, token: &secret };
    let begun = desk.connecting.begin_sign_in(id, typed.revision, origin, Some(&app.public_url)).await;
    let begun = begun.map_err(|why| desk.stopped(why))?;
    let cookie = page.cookies().sign_in(&token);
    let words = page.t.fill("connect.go", &[("service", &begun.service)]);
    let shown = show(StatusCode::OK, &GoPage { page, url: begun.url, words });
    Ok((CookieJar::new().add(cookie), shown).into_response())
}
