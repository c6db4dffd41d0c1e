//! The address, from which the rest follows.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_accounts::{ConnectError, Details, Draft, DraftState, Serves};
use gatepost_core::EmailAddress;
use gatepost_providers::How;
use gatepost_web::Moment;
use serde::Deserialize;

use super::desk::{connecting, may};
use super::path;
use super::stopped::{Done, Stopped};
use crate::frame::{App, Form, Nav, Page, Signed, see_other, show};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    address: String,
}

/// One that was begun and not finished.
struct OpenDraft {
    address: String,
    href: String,
    words: String,
    began: Moment,
}

#[derive(Template)]
#[template(path = "connect/begin.html")]
struct BeginPage {
    page: Page,
    address: String,
    error: Option<String>,
    open: Vec<OpenDraft>,
}

pub(super) async fn ask(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Done {
    form(&app, page, &signed, typed.address, None).await
}

async fn form(app: &App, page: Page, signed: &Signed, address: String, error: Option<String>) -> Done {
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let drafts = connecting(app, signed).list().await?;
    let (rules, me) = (page.rules(), signed.person().id);
    let open = drafts.iter().filter(|it| may(rules, me, it)).map(|it| open_draft(&page, it)).collect();
    Ok(show(status, &BeginPage { page: page.at(Nav::Accounts), address, error, open }))
}

fn open_draft(page: &Page, it: &Draft) -> OpenDraft {
    let key = match (it.account, it.state) {
        (Some(_), _) => "connect.open_again",
        (None, DraftState::Checking(_)) => "connect.open_checking",
        (None, DraftState::Checked(_)) => "connect.open_checked",
        (None, _) => "connect.open_begun",
    };
    let behind = match it.state {
        DraftState::Checking(_) | DraftState::Checked(_) => "/check",
        DraftState::Open | DraftState::HasSecret | DraftState::Finished(_) => "",
    };
    OpenDraft {
        address: it.details.address.to_string(),
        href: path(it.id, behind),
        words: page.t.of(key).to_owned(),
        began: page.moment(it.created_at),
    }
}

pub(super) async fn begin(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Done {
    let Ok(address) = typed.address.trim().parse::<EmailAddress>() else {
        let words = page.t.of("common.not_an_address").to_owned();
        return form(&app, page, &signed, typed.address, Some(words)).await;
    };
    let providers = app.rooms.accounts.providers();
    let found = providers.recognise(&address, &app.rooms.reach.dialer).await;
    let serves = if page.rules() { Serves::Organisation } else { Serves::Person(signed.person().id) };
    let details = Details::of(&address, &found, serves);
    let connecting = connecting(&app, &signed);
    let begun = match connecting.begin(details.clone()).await {
        // Their own, of the time when they looked after the organisation: nobody else can give it up.
        Ok(draft) if !may(page.rules(), signed.person().id, &draft) => {
            connecting.discard(draft.id).await.map_err(|why| Stopped::without_draft(&page, why))?;
            connecting.begin(details.clone()).await
        }
        begun => begun,
    };
    let draft = match begun {
        Ok(draft) => draft,
        Err(ConnectError::Invalid(_)) => {
            let words = page.t.of("common.not_an_address").to_owned();
            return form(&app, page, &signed, typed.address, Some(words)).await;
        }
        Err(why) => return Err(Stopped::without_draft(&page, why)),
    };
    let is_open = draft.state == DraftState::Open && draft.details.endpoints.is_none();
    if is_open && details.endpoints.is_some() {
        // Nobody could say before which provider it is.
        let changed = connecting.change(draft.id, draft.revision, details).await;
        changed.map_err(|why| Stopped::at(&page, draft.id, why))?;
    }
    let behind = if is_open && found.how == How::NoAnswer { "?unanswered=1" } else { "" };
    Ok(see_other(&path(draft.id, behind)))
}
