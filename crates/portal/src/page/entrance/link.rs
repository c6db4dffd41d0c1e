//! What a one-time link opens. Looking uses nothing up: programs that search letters for harm open links too.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum_extra::extract::CookieJar;
use gatepost_identity::{AccountProblem, LinkKind, OpenedLink, PersonRefusal, TakenBack, Token};
use serde::Deserialize;

use super::device;
use super::enter::{enter, leave, sign_in};
use crate::frame::{
    Access, Alert, Answer, App, Form, Page, Problem, Query, Refused, Route, Secret, Signed, paths,
    problem_words, see_other, show,
};

/// What happened after "This was not me".
const SECURED: &str = "/link/secured";

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::get(paths::LINK, Access::Public, look),
        Route::post(paths::LINK, Access::Public, act),
        Route::get(SECURED, Access::Public, secured),
    ]
}

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage {
    page: Page,
    /// The name of the organisation.
    organisation: String,
    name: String,
    address: String,
    kind: LinkKind,
    /// Travels in the form: what is posted is written into no log of addresses.
    token: String,
    until: gatepost_web::Moment,
    /// The address to sign in with again, where that was changed.
    goes_back_to: Option<String>,
    /// Who is signed in here, if it is somebody else.
    other: Option<String>,
    is_ticked: bool,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "link_over.html")]
struct OverPage {
    page: Page,
}

#[derive(Template)]
#[template(path = "link_secured.html")]
struct SecuredPage {
    page: Page,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    token: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    token: String,
    password: Secret,
    /// Ticked: app passwords go too.
    removes: bool,
}

impl LinkPage {
    fn new(page: Page, token: &Token, opened: &OpenedLink, signed: Option<&Signed>) -> Self {
        let other = signed.map(|it| it.person()).filter(|it| it.id != opened.person.id);
        Self {
            organisation: opened.organisation_name.clone(),
            name: opened.person.name.clone(),
            address: opened.person.address.to_string(),
            kind: opened.kind,
            token: token.reveal().to_owned(),
            until: page.moment(opened.expires_at),
            goes_back_to: opened.goes_back_to.as_ref().map(ToString::to_string),
            other: other.map(|it| it.address.to_string()),
            is_ticked: false,
            error: None,
            page,
        }
    }

    /// Whether a password is chosen here.
    fn chooses_password(&self) -> bool {
        matches!(self.kind, LinkKind::SetUp | LinkKind::Invitation | LinkKind::PasswordReset)
    }

    fn title(&self) -> &str {
        self.page.t.of(match self.kind {
            LinkKind::SetUp | LinkKind::Invitation => "link.welcome",
            LinkKind::PasswordReset => "link.reset",
            LinkKind::Contact => "link.contact",
            LinkKind::NotMe => "link.not_me",
            LinkKind::SignIn => "link.sign_in",
        })
    }

    fn text(&self) -> String {
        let key = match self.kind {
            LinkKind::SetUp => "link.set_up_text",
            LinkKind::Invitation => "link.invitation_text",
            LinkKind::PasswordReset => "link.reset_text",
            LinkKind::Contact => "link.contact_text",
            LinkKind::NotMe => "link.not_me_text",
            LinkKind::SignIn => "link.sign_in_text",
        };
        let (name, organisation) = (self.name.as_str(), self.organisation.as_str());
        let values = [("name", name), ("organisation", organisation), ("address", self.address.as_str())];
        self.page.t.fill(key, &values)
    }

    /// What may go along, if there is anything.
    fn tick(&self) -> Option<&str> {
        match self.kind {
            LinkKind::PasswordReset => Some(self.page.t.of("link.removes_all")),
            LinkKind::NotMe => Some(self.page.t.of("link.removes_named")),
            LinkKind::SetUp | LinkKind::Invitation | LinkKind::Contact | LinkKind::SignIn => None,
        }
    }

    fn button(&self) -> &str {
        self.page.t.of(match self.kind {
            LinkKind::SetUp | LinkKind::Invitation | LinkKind::PasswordReset => "link.choose",
            LinkKind::Contact => "link.contact_button",
            LinkKind::NotMe => "link.not_me_button",
            LinkKind::SignIn => "link.sign_in_button",
        })
    }
}

/// Over, used, unknown: one page, which helps with each.
fn over(page: Page) -> Response {
    show(StatusCode::NOT_FOUND, &OverPage { page })
}

async fn find(app: &App, text: &str) -> Result<Option<(Token, OpenedLink)>, Problem> {
    let Some(token) = Token::parse(text) else { return Ok(None) };
    let opened = app.rooms.people.find_link(&token).await?;
    Ok(opened.map(|it| (token, it)))
}

async fn look(
    State(app): State<App>,
    page: Page,
    signed: Option<Signed>,
    Query(asked): Query<Asked>,
    Form(typed): Form<Typed>,
) -> Answer {
    // A form that comes back because its page was old has the token that was typed for.
    let text = if typed.token.is_empty() { asked.token } else { typed.token };
    Ok(match find(&app, text.trim()).await? {
        Some((token, opened)) => show(StatusCode::OK, &LinkPage::new(page, &token, &opened, signed.as_ref())),
        None => over(page),
    })
}

async fn act(
    State(app): State<App>,
    page: Page,
    signed: Option<Signed>,
    jar: CookieJar,
    Form(typed): Form<Typed>,
) -> Answer {
    let Some((token, opened)) = find(&app, &typed.token).await? else { return Ok(over(page)) };
    let (people, home) = (&app.rooms.people, app.thens.find_or_home(paths::HOME));
    let mut shown = LinkPage::new(page.clone(), &token, &opened, signed.as_ref());
    shown.is_ticked = typed.removes;
    let (old, device) = (signed.as_deref(), device::find(&page, &jar));
    match opened.kind {
        LinkKind::SetUp | LinkKind::Invitation | LinkKind::PasswordReset => {
            if typed.password.is_empty() {
                shown.error = Some(page.t.of("link.password_empty").to_owned());
                return Ok(show(StatusCode::UNPROCESSABLE_ENTITY, &shown));
            }
            match people
                .choose_password(&token, typed.password.text(), device.as_ref(), typed.removes, &page.visitor)
                .await
            {
                Ok(entrance) => {
                    leave(&page, old).await?;
                    let key = if opened.person.has_password { "link.changed" } else { "link.chosen" };
                    page.leave(Alert::good(page.t.of(key)));
                    Ok(enter(&page, &entrance, &home, false))
                }
                Err(problem) => refuse(shown, problem),
            }
        }
        LinkKind::Contact => match people.prove_contact(&token).await {
            Ok(contact) => {
                let words = page.t.fill("link.proven", &[("address", contact.value.as_str())]);
                page.leave(Alert::good(words));
                Ok(see_other(if old.is_some() { paths::HOME } else { paths::SIGN_IN }))
            }
            Err(problem) => refuse(shown, problem),
        },
        LinkKind::NotMe => match people.not_me(&token, typed.removes, &page.visitor).await {
            Ok(back) => {
                leave_taken_back(&page, &back);
                Ok(see_other(SECURED))
            }
            Err(problem) => refuse(shown, problem),
        },
        LinkKind::SignIn => match people.sign_in_by_link(&token, &page.visitor).await {
            Ok(new) => {
                leave(&page, old).await?;
                Ok(sign_in(&page, CookieJar::new(), &new, &home, false))
            }
            Err(refusal) => refuse(shown, refusal.into()),
        },
    }
}

/// What was undone, on the next page. Whoever holds the letter reads no address there that it is not for.
fn leave_taken_back(page: &Page, back: &TakenBack) {
    if let Some(address) = &back.address {
        page.leave(Alert::good(page.t.fill("link.taken_back_address", &[("address", address.as_str())])));
    }
    if !back.removed.is_empty() {
        page.leave(Alert::good(page.t.count("link.taken_back_contacts", back.removed.len() as u64, &[])));
    }
}

fn refuse(mut shown: LinkPage, problem: AccountProblem) -> Answer {
    let page = shown.page.clone();
    let refused = match problem {
        // Used by somebody else, or by the first of two clicks; or what it was for is gone.
        AccountProblem::Refused(PersonRefusal::Over) | AccountProblem::NotFound => return Ok(over(page)),
        AccountProblem::Refused(refusal) => Refused::of(&page, refusal)?,
        problem => Refused::empty(&problem_words(&page, problem)?),
    };
    shown.error = Some(refused.words.clone());
    Ok(refused.mark(show(refused.status, &shown)))
}

async fn secured(page: Page) -> Response {
    show(StatusCode::OK, &SecuredPage { page })
}
