//! Changing one's password (A16).

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum_extra::extract::CookieJar;
use gatepost_identity::{AccountProblem, AppPassword, PersonRefusal};
use gatepost_journal::Actor;
use serde::Deserialize;

use super::mine;
use crate::frame::{
    Alert, Answer, App, Form, Nav, Page, Problem, Secret, Signed, paths, problem_words, see_other, show,
};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    password_current: Secret,
    password_new: Secret,
    removes: bool,
}

#[derive(Template)]
#[template(path = "security/password.html")]
struct PasswordPage {
    page: Page,
    /// For password managers, which keep it beside the new one.
    address: String,
    /// How many app passwords could be removed along.
    app_passwords: Option<String>,
    is_ticked: bool,
    current_error: Option<String>,
    new_error: Option<String>,
}

/// Fields with what is wrong in them.
#[derive(Default)]
struct Wrong {
    current: Option<String>,
    new: Option<String>,
}

pub(super) async fn ask(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Answer {
    draw(&app, page, &signed, typed.removes, Wrong::default()).await
}

pub(super) async fn change(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Answer {
    let t = page.t;
    let empty = |it: &Secret, key: &str| it.is_empty().then(|| t.of(key).to_owned());
    let wrong = Wrong {
        current: empty(&typed.password_current, "security.current_empty"),
        new: empty(&typed.password_new, "security.new_empty"),
    };
    if wrong.current.is_some() || wrong.new.is_some() {
        return draw(&app, page, &signed, typed.removes, wrong).await;
    }
    // Listed before: identity removes those of the person's own login with the change.
    let mine = if typed.removes { mine::app_passwords(&app, &signed).await? } else { Vec::new() };
    let (current, new) = (typed.password_current.text(), typed.password_new.text());
    let changed =
        match app.rooms.people.change_password(&signed, current, new, typed.removes, &page.visitor).await {
            Ok(changed) => changed,
            Err(problem) => {
                let is_current = matches!(problem, AccountProblem::Refused(_));
                let words = match problem {
                    AccountProblem::Refused(PersonRefusal::WrongPassword) => {
                        t.of("security.current_wrong").to_owned()
                    }
                    problem => problem_words(&page, problem)?,
                };
                let wrong = if is_current {
                    Wrong { current: Some(words), new: None }
                } else {
                    Wrong { current: None, new: Some(words) }
                };
                return draw(&app, page, &signed, typed.removes, wrong).await;
            }
        };
    page.leave(Alert::good(t.of("security.password_was_changed")));
    // The change is done: whatever happens to the app passwords, this browser gets its new session.
    let answer = CookieJar::new().add(page.continue_as(&signed, &changed));
    if typed.removes {
        page.leave(match remove_app_passwords(&app, &signed, &mine).await {
            Ok(n) => Alert::good(t.count("security.removed", n, &[])),
            Err(problem) => {
                tracing::error!(?problem, "app passwords could not be removed with a changed password");
                Alert::bad(t.of("security.not_removed"))
            }
        });
    }
    Ok((answer, see_other(paths::SECURITY)).into_response())
}

/// Those of the person's own mail accounts; the others are removed already, which does nothing again.
async fn remove_app_passwords(app: &App, signed: &Signed, mine: &[AppPassword]) -> Result<u64, Problem> {
    let by = Actor::Person(signed.person().id);
    for it in mine {
        app.rooms.identity.revoke_app_password(signed.organisation(), it.id, by).await?;
    }
    Ok(mine.len() as u64)
}

async fn draw(app: &App, page: Page, signed: &Signed, is_ticked: bool, wrong: Wrong) -> Answer {
    let n = mine::app_passwords(app, signed).await?.len() as u64;
    let is_wrong = wrong.current.is_some() || wrong.new.is_some();
    let status = if is_wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(show(
        status,
        &PasswordPage {
            address: signed.person().address.to_string(),
            app_passwords: (n > 0).then(|| page.t.count("security.app_passwords_some", n, &[])),
            is_ticked,
            current_error: wrong.current,
            new_error: wrong.new,
            page: page.at(Nav::Security),
        },
    ))
}
