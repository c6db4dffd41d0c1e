//! Where a provider's page sends people back to (OC-2, OC-3).
//!
//! The one GET that writes. It does what the sign-in says that it belongs to, not what the cookie of a session says: that of an
//! administrator does not come along from another site. What does not fit spends nothing.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum_extra::extract::CookieJar;
use gatepost_accounts::{ConnectError, SeenFlow};
use gatepost_core::SecretText;
use gatepost_identity::Person;
use gatepost_providers::Callback;

use super::desk::{may_still, rules};
use super::proving;
use super::stopped::{Done, Stopped};
use crate::frame::{App, CookieName, Id, Page, show};

pub(super) const CALLBACK: &str = "/oauth/callback/{service}";

#[derive(Template)]
#[template(path = "connect/callback.html")]
struct CallbackPage {
    page: Page,
    title: String,
    text: String,
    /// What went wrong, in the catalogue's words.
    cause: Option<String>,
    is_good: bool,
}

/// Why an answer is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Misfit {
    /// It belongs to nothing that is waited for.
    Over,
    /// A command waits for it.
    OfCommand,
    /// It came by another service's address.
    OtherService,
    /// It was begun in another browser.
    OtherBrowser,
    /// Whoever began it has signed out, or may not any more.
    SignedOut,
}

impl Misfit {
    const fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::Over => ("connect.flow_over_title", "connect.flow_over"),
            Self::OfCommand => ("connect.of_command_title", "connect.of_command"),
            Self::OtherService => ("connect.wrong_answer_title", "connect.other_service"),
            Self::OtherBrowser => ("connect.other_browser_title", "connect.other_browser"),
            Self::SignedOut => ("connect.signed_out_title", "connect.signed_out"),
        }
    }
}

pub(super) async fn callback(
    State(app): State<App>,
    mut page: Page,
    jar: CookieJar,
    Id(service): Id<String>,
    uri: Uri,
) -> Done {
    // Nothing on the page repeats the code.
    uri.path().clone_into(&mut page.path);
    let callback = match Callback::from_query(uri.query().unwrap_or_default()) {
        Ok(callback) => callback,
        Err(_) => return Ok(no(&page, "connect.no_answer_title", "connect.no_answer_text")),
    };
    let (seen, person) = match fitting(&app, &page, &jar, &service, &callback).await? {
        Ok(fitting) => fitting,
        Err(misfit) => {
            let (title, text) = misfit.keys();
            return Ok(no(&page, title, text));
        }
    };
    let connecting = app.rooms.accounts.connecting(seen.whose);
    let draft = match connecting.get(seen.draft).await {
        Ok(draft) if may_still(&app, rules(&page, &person), person.id, &draft).await => draft,
        Ok(_) => return Ok(no(&page, "connect.signed_out_title", "connect.signed_out")),
        Err(why) => return Err(refused(&page, why)),
    };
    let is_again = draft.account.is_some();
    let answered = proving::answer(&app, &connecting, callback, &person.name).await;
    let draft = answered.map_err(|why| refused(&page, why))?;
    if let Some(it) = &draft.refused {
        let cause = Some(it.diagnosis.cause.clone());
        let title = if is_again { "connect.vain_title_again" } else { "connect.vain_title" };
        return Ok(shown(&page, (title, "connect.vain_text"), cause, false));
    }
    let text = if is_again { "connect.close_tab_again" } else { "connect.close_tab" };
    Ok(shown(&page, ("connect.close_tab_title", text), None, true))
}

/// The sign-in that the answer belongs to, and who began it, if all of it fits.
async fn fitting(
    app: &App,
    page: &Page,
    jar: &CookieJar,
    service: &str,
    callback: &Callback,
) -> Result<Result<(SeenFlow, Person), Misfit>, Stopped> {
    let Some(seen) = app.rooms.accounts.seen_flow(callback).await? else { return Ok(Err(Misfit::Over)) };
    let (Some(lineage), Some(person)) = (seen.lineage, seen.whose.person) else {
        return Ok(Err(Misfit::OfCommand));
    };
    if seen.service != service {
        return Ok(Err(Misfit::OtherService));
    }
    let token = page.cookies().find_token(jar, CookieName::SignIn);
    let is_of_browser =
        |it: &gatepost_identity::Token| seen.is_of_browser(&SecretText::new(it.reveal().to_owned()));
    if !token.as_ref().is_some_and(is_of_browser) {
        return Ok(Err(Misfit::OtherBrowser));
    }
    let found = app.rooms.people.find_by_lineage(seen.whose.organisation, person, lineage).await?;
    Ok(found.map(|person| (seen, person)).ok_or(Misfit::SignedOut))
}

/// What the room refused. The links of other pages lead on in this tab; here the first tab does.
fn refused(page: &Page, why: ConnectError) -> Stopped {
    match why {
        ConnectError::WrongAnswer(it) => {
            let keys = ("connect.wrong_answer_title", "connect.wrong_answer");
            shown(page, keys, Some(it.cause), false).into()
        }
        ConnectError::FlowOver | ConnectError::NotFound | ConnectError::Changed => {
            let (title, text) = Misfit::Over.keys();
            no(page, title, text).into()
        }
        other => Stopped::without_draft(page, other),
    }
}

fn no(page: &Page, title: &str, text: &str) -> Response {
    shown(page, (title, text), None, false)
}

fn shown(page: &Page, (title, text): (&str, &str), cause: Option<String>, is_good: bool) -> Response {
    let status = if is_good { StatusCode::OK } else { StatusCode::CONFLICT };
    let (title, text) = (page.t.of(title).to_owned(), page.t.of(text).to_owned());
    show(status, &CallbackPage { page: page.clone(), title, text, cause, is_good })
}
