//! Whose letters leave by an account where no other is named.

use axum::extract::State;
use gatepost_core::MailAccountId;
use gatepost_journal::Actor;
use serde::Deserialize;

use super::path;
use super::right::find_to_act;
use super::whom::Whom;
use crate::frame::{Alert, Answer, App, Form, Id, Page, Problem, Signed, see_other};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    r#for: String,
}

pub(super) async fn choose(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<MailAccountId>,
    Form(typed): Form<Typed>,
) -> Answer {
    let held = find_to_act(&app, &page, &signed, id).await?;
    let whom = Whom::of(&app, &signed).await?;
    let serves = whom.chosen(&typed.r#for).ok_or(Problem::Bad)?;
    let by = Actor::Person(signed.person().id);
    app.rooms.accounts.set_default(signed.organisation(), serves, id, by).await?;
    let words = whom.words(&page, serves);
    let values = [("name", held.entry.account.short_name.as_str()), ("whom", words.as_str())];
    page.leave(Alert::good(page.t.fill("accounts.made_default", &values)));
    Ok(see_other(&path(id, "")))
}
