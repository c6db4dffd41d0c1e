//! Making one: for whom, for what, then a name and what it may do. Each step is a page with an address of its own, so that going
//! back loses nothing.

mod form;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use gatepost_accounts::{MailAccount, Target};
use gatepost_core::AppPasswordId;
use gatepost_identity::{
    IdentityError, Location, Login, MOST_APP_PASSWORDS, NameProblem, NewAppPassword, Person, Protocols,
};
use gatepost_journal::Actor;
use serde::Deserialize;

use self::form::{Checked, Filled, Wrong};
use super::application::{Application, Applications, Kind, OTHER};
use super::made::keep;
use super::reads::Missing;
use super::right::{Asker, Right, account_words, owner_of};
use super::{NEW, NotOffered, path};
use crate::frame::{Answer, Form, Nav, Page, Problem, Query, Signed, paths, see_other, show};

/// What was chosen on the steps before.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    r#for: String,
    application: String,
}

/// What letters are sent as.
enum Whom {
    Me,
    Location(Location),
    Account(Box<MailAccount>),
}

/// One entry of a list of links.
struct Choice {
    path: String,
    name: String,
    hint: String,
}

#[derive(Template)]
#[template(path = "app_passwords/whom.html")]
struct WhomPage {
    page: Page,
    choices: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "app_passwords/what.html")]
struct WhatPage {
    page: Page,
    groups: Vec<(String, Vec<Choice>)>,
    other: String,
}

#[derive(Template)]
#[template(path = "app_passwords/signs_in_itself.html")]
struct SignsInItselfPage {
    page: Page,
    application: &'static Application,
    another: String,
}

#[derive(Template)]
#[template(path = "app_passwords/name.html")]
struct NamePage {
    page: Page,
    /// None for one in own words.
    application: Option<&'static Application>,
    whose: String,
    filled: Filled,
    wrong: Wrong,
    today: String,
    back: String,
    /// What could not be read with it.
    missing: Option<Missing>,
}

/// GET: whichever step is next.
pub(super) async fn ask(
    page: Page,
    signed: Signed,
    Query(asked): Query<Asked>,
    Form(filled): Form<Filled>,
) -> Answer {
    let page = page.at(Nav::AppPasswords);
    if NotOffered::to(&signed).is_some() {
        return Ok(see_other(paths::APP_PASSWORDS));
    }
    // The form comes back to its page: its token was too old.
    let is_back = !filled.form_id.is_empty();
    let asked = if is_back {
        Asked { r#for: filled.r#for.clone(), application: filled.application.clone() }
    } else {
        asked
    };
    let choices = choices(&page, &signed).await?;
    let whom = match choices.as_slice() {
        [only] if asked.r#for.is_empty() => only,
        all if asked.r#for.is_empty() => return Ok(whom_page(page, all)),
        all => all.iter().find(|it| it.word() == asked.r#for).ok_or(Problem::NotFound)?,
    };
    let application = match asked.application.as_str() {
        "" => return Ok(what_page(page, whom)),
        OTHER => None,
        id => Some(Applications::embedded().find(id).ok_or(Problem::NotFound)?),
    };
    if let Some(application) = application.filter(|it| it.signs_in_itself) {
        let another = step(whom, None);
        return Ok(show(StatusCode::OK, &SignsInItselfPage { page, application, another }));
    }
    let filled = if is_back {
        filled
    } else {
        let id = AppPasswordId::new(page.app.rooms.store.world());
        Filled::suggested(id, whom.word(), application)
    };
    name_page(page, &signed, whom, application, (filled, Wrong::default())).await
}

/// POST: makes it.
pub(super) async fn create(page: Page, signed: Signed, Form(filled): Form<Filled>) -> Answer {
    let page = page.at(Nav::AppPasswords);
    if NotOffered::to(&signed).is_some() {
        return Ok(see_other(paths::APP_PASSWORDS));
    }
    let id: AppPasswordId = filled.form_id.parse().map_err(|_| Problem::Bad)?;
    let choices = choices(&page, &signed).await?;
    let whom = choices.into_iter().find(|it| it.word() == filled.r#for).ok_or(Problem::NotFound)?;
    let application = match filled.application.as_str() {
        OTHER => None,
        id => Some(
            Applications::embedded().find(id).filter(|it| !it.signs_in_itself).ok_or(Problem::NotFound)?,
        ),
    };
    let Checked { own_words, device, limits } = match filled.check(&page) {
        Ok(checked) => checked,
        Err(wrong) => return name_page(page, &signed, &whom, application, (filled, *wrong)).await,
    };
    let new = NewAppPassword {
        id,
        organisation: signed.organisation(),
        login: whom.login(&page, &signed).await?.id,
        name: filled.name.clone(),
        application: application.map(|it| it.id.clone()).or(own_words),
        device,
        limits,
    };
    make(page, &signed, &whom, application, filled, new).await
}

async fn make(
    page: Page,
    signed: &Signed,
    whom: &Whom,
    application: Option<&'static Application>,
    filled: Filled,
    new: NewAppPassword,
) -> Answer {
    let id = new.id;
    let identity = &page.app.rooms.identity;
    let by = Actor::Person(signed.person().id);
    let mut wrong = Wrong::default();
    match identity.create_app_password(new, MOST_APP_PASSWORDS, by).await {
        Ok(created) => {
            keep(&page, signed, created);
            return Ok(see_other(&path(id, "/made")));
        }
        // The same form once more: its first result is there, or was removed since.
        Err(IdentityError::AppPasswordExists(_)) => return made_before(&page, signed, id).await,
        Err(IdentityError::BadName(problem)) => wrong.name = Some(name_words(&page, problem)),
        Err(IdentityError::NothingAllowed) => {
            wrong.allowed = Some(page.t.of("app_passwords.nothing_allowed").to_owned());
        }
        Err(IdentityError::ExpiresInThePast(_)) => {
            wrong.expires = Some(page.t.of("app_passwords.expires_past").to_owned());
        }
        Err(IdentityError::TooManyAppPasswords { n, .. }) => {
            wrong.page = Some(page.t.count("app_passwords.too_many", n.into(), &[]));
        }
        Err(error) => return Err(error.into()),
    }
    name_page(page, signed, whom, application, (filled, wrong)).await
}

/// Only to whoever made it: an id of somebody else's is as good as none.
async fn made_before(page: &Page, signed: &Signed, id: AppPasswordId) -> Answer {
    match page.app.rooms.identity.get_app_password(signed.organisation(), id).await {
        Ok(it) if it.created_by == Some(signed.person().id) => Ok(see_other(&path(id, "/made"))),
        Ok(_) => Err(Problem::Bad),
        Err(IdentityError::NoSuchAppPassword(_)) => Ok(see_other(paths::APP_PASSWORDS)),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn name_words(page: &Page, problem: NameProblem) -> String {
    let t = page.t;
    match problem {
        NameProblem::Empty => t.of("app_passwords.name_empty"),
        NameProblem::TooLong => t.of("app_passwords.name_too_long"),
        NameProblem::Unprintable => t.of("app_passwords.name_unprintable"),
    }
    .to_owned()
}

/// Whom they may make one for; themselves always.
async fn choices(page: &Page, signed: &Signed) -> Result<Vec<Whom>, Problem> {
    let rooms = &page.app.rooms;
    let asker = Asker::of(page, signed);
    let mut choices = vec![Whom::Me];
    if asker.rules() {
        let locations = rooms.identity.list_locations(signed.organisation()).await?;
        choices.extend(locations.into_iter().map(Whom::Location));
    }
    let accounts = rooms.accounts.list(signed.organisation()).await?;
    let own = accounts.into_iter().filter(|it| asker.right(owner_of(it)) == Some(Right::Full));
    choices.extend(own.map(|it| Whom::Account(Box::new(it))));
    Ok(choices)
}

impl Whom {
    /// In addresses and forms.
    fn word(&self) -> String {
        match self {
            Self::Me => "me".to_owned(),
            Self::Location(it) => format!("location-{}", it.id),
            Self::Account(it) => format!("account-{}", it.id),
        }
    }

    fn words(&self, page: &Page) -> String {
        match self {
            Self::Me => page.person.as_ref().map_or_else(String::new, |it| it.name.clone()),
            Self::Location(it) => it.name.clone(),
            Self::Account(it) => account_words(it),
        }
    }

    fn choice(&self, page: &Page) -> Choice {
        let t = page.t;
        let name =
            if matches!(self, Self::Me) { t.of("app_passwords.for_me").to_owned() } else { self.words(page) };
        let hint = match self {
            Self::Me => t.of("app_passwords.for_me_hint"),
            Self::Location(_) => t.of("app_passwords.for_location_hint"),
            Self::Account(_) => t.of("app_passwords.for_account_hint"),
        };
        Choice { path: step(self, None), name, hint: hint.to_owned() }
    }

    /// What its mailbox is chosen by.
    fn target(&self, signed: &Signed) -> Target {
        match self {
            Self::Me => {
                let Person { id, home_location: home, .. } = *signed.person();
                Target::Person { id, home }
            }
            Self::Location(it) => Target::Location(it.id),
            Self::Account(it) => Target::Account(it.id),
        }
    }

    async fn login(&self, page: &Page, signed: &Signed) -> Result<Login, Problem> {
        let identity = &page.app.rooms.identity;
        Ok(match self {
            Self::Me => identity.ensure_person_login(signed.person()).await?,
            Self::Location(it) => identity.ensure_location_login(it).await?,
            Self::Account(it) => {
                let (organisation, person) = (signed.organisation(), it.serves.person());
                identity.ensure_account_login(organisation, it.id, &it.address, person).await?
            }
        })
    }
}

fn step(whom: &Whom, application: Option<&str>) -> String {
    let word = whom.word();
    match application {
        None => format!("{NEW}?for={word}"),
        Some(id) => format!("{NEW}?for={word}&application={id}"),
    }
}

fn whom_page(page: Page, all: &[Whom]) -> Response {
    let choices = all.iter().map(|it| it.choice(&page)).collect();
    show(StatusCode::OK, &WhomPage { page, choices })
}

fn what_page(page: Page, whom: &Whom) -> Response {
    let t = page.t;
    let kinds = [
        (Kind::Practice, t.of("app_passwords.kind_practice")),
        (Kind::Mail, t.of("app_passwords.kind_mail")),
        (Kind::Scanner, t.of("app_passwords.kind_scanner")),
    ];
    let choice = |it: &Application| Choice {
        path: step(whom, Some(&it.id)),
        name: it.name.clone(),
        // Of scanners all say the same, which their heading says already.
        hint: if it.kind == Kind::Practice { it.what.clone() } else { String::new() },
    };
    let group = |(kind, words): (Kind, &str)| {
        (words.to_owned(), Applications::embedded().of_kind(kind).map(choice).collect())
    };
    let groups = kinds.into_iter().map(group).collect();
    let other = step(whom, Some(OTHER));
    show(StatusCode::OK, &WhatPage { page, groups, other })
}

async fn name_page(
    page: Page,
    signed: &Signed,
    whom: &Whom,
    application: Option<&'static Application>,
    (filled, wrong): (Filled, Wrong),
) -> Answer {
    let status = if wrong.is_none() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let (whose, back) = (whom.words(&page), step(whom, None));
    let today = page.app.zone.date(page.now);
    let (organisation, target) = (signed.organisation(), whom.target(signed));
    let missing = Missing::of(&page, organisation, target, &whose, Protocols::MAIL).await?;
    Ok(show(status, &NamePage { page, application, whose, filled, wrong, today, back, missing }))
}
