//! Names, whom an account serves, limits.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gatepost_accounts::{AccountsError, Invalid, MailAccount, Overrides, Settings};
use gatepost_core::{EmailAddress, MailAccountId};
use gatepost_journal::Actor;
use serde::Deserialize;

use super::act::changed;
use super::path;
use super::right::{Held, find_to_act};
use super::whom::{Choice, Whom, value};
use crate::frame::{Alert, Answer, App, Form, Id, Nav, Page, Problem, Signed, see_other, show};

/// A megabyte, as providers count.
const MEGABYTE: u64 = 1_000_000;

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    /// Empty on a page that is shown for the first time.
    is_typed: String,
    short_name: String,
    author_name: String,
    user_name: String,
    opens: String,
    serves: String,
    never_falls_back: String,
    max_connections: String,
    max_megabytes: String,
}

/// What is wrong with it, beside each field.
#[derive(Default)]
pub(super) struct Wrong {
    short_name: Option<String>,
    author_name: Option<String>,
    user_name: Option<String>,
    opens: Option<String>,
    max_connections: Option<String>,
    max_megabytes: Option<String>,
}

impl Wrong {
    /// The fields to look at again, each with its id and what it is called.
    fn fields(&self, page: &Page) -> Vec<(&'static str, String)> {
        let all = [
            ("short_name", &self.short_name, "accounts.short_name"),
            ("author_name", &self.author_name, "accounts.author_name"),
            ("user_name", &self.user_name, "accounts.user_name"),
            ("opens", &self.opens, "accounts.opens"),
            ("max_connections", &self.max_connections, "accounts.max_connections"),
            ("max_megabytes", &self.max_megabytes, "accounts.max_message"),
        ];
        let wrong = all.into_iter().filter(|(_, it, _)| it.is_some());
        wrong.map(|(id, _, key)| (id, page.t.of(key).to_owned())).collect()
    }

    fn is_any(&self) -> bool {
        let Self { short_name, author_name, user_name, opens, max_connections, max_megabytes } = self;
        [short_name, author_name, user_name, opens, max_connections, max_megabytes]
            .iter()
            .any(|it| it.is_some())
    }
}

#[derive(Template)]
#[template(path = "accounts/edit.html")]
struct EditPage {
    page: Page,
    name: String,
    back: String,
    action: String,
    typed: Typed,
    wrong: Wrong,
    wrong_fields: Vec<(&'static str, String)>,
    /// Whom it may serve; empty for those who may not choose.
    choices: Vec<Choice>,
}

fn typed_of(it: &MailAccount) -> Typed {
    let Overrides { never_falls_back, max_connections, max_message_bytes } = it.overrides;
    Typed {
        is_typed: String::new(),
        short_name: it.short_name.clone(),
        author_name: it.author_name.clone(),
        user_name: it.user_name.clone(),
        opens: it.opens.as_ref().map(ToString::to_string).unwrap_or_default(),
        serves: value(it.serves),
        never_falls_back: if never_falls_back { "on".to_owned() } else { String::new() },
        max_connections: max_connections.map(|it| it.to_string()).unwrap_or_default(),
        max_megabytes: max_message_bytes.map(megabytes).unwrap_or_default(),
    }
}

fn megabytes(bytes: u64) -> String {
    bytes.div_ceil(MEGABYTE).to_string()
}

fn form(page: Page, held: &Held, whom: &Whom, typed: Typed, wrong: Wrong) -> Response {
    let status = if wrong.is_any() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let account = &held.entry.account;
    let chosen = whom.chosen(&typed.serves).or(Some(account.serves));
    let shown = EditPage {
        name: account.short_name.clone(),
        back: path(account.id, ""),
        action: path(account.id, "/edit"),
        wrong_fields: wrong.fields(&page),
        choices: if held.right.rules() { whom.choices(&page, chosen) } else { Vec::new() },
        typed,
        wrong,
        page: page.at(Nav::Accounts),
    };
    show(status, &shown)
}

pub(super) async fn ask(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<MailAccountId>,
    Form(typed): Form<Typed>,
) -> Answer {
    let held = find_to_act(&app, &page, &signed, id).await?;
    let whom = Whom::of(&app, &signed).await?;
    let typed = if typed.is_typed.is_empty() { typed_of(&held.entry.account) } else { typed };
    Ok(form(page, &held, &whom, typed, Wrong::default()))
}

pub(super) async fn edit(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<MailAccountId>,
    Form(typed): Form<Typed>,
) -> Answer {
    let held = find_to_act(&app, &page, &signed, id).await?;
    let whom = Whom::of(&app, &signed).await?;
    let mut wrong = Wrong::default();
    let settings = settings(&page, &held, &whom, &typed, &mut wrong)?;
    if wrong.is_any() {
        return Ok(form(page, &held, &whom, typed, wrong));
    }
    let (accounts, organisation) = (&app.rooms.accounts, signed.organisation());
    let person = settings.serves.person();
    match accounts.edit(organisation, id, settings, Actor::Person(signed.person().id)).await {
        Ok(change) => changed(&app, signed.organisation(), id, change).await?,
        Err(AccountsError::Invalid(invalid)) => {
            refuse(&page, &mut wrong, &invalid);
            return Ok(form(page, &held, &whom, typed, wrong));
        }
        Err(error) => return Err(error.into()),
    }
    // The login follows whom the account serves.
    let address = &held.entry.account.address;
    app.rooms.identity.ensure_account_login(organisation, id, address, person).await?;
    page.leave(Alert::good(page.t.of("accounts.edited")));
    Ok(see_other(&path(id, "")))
}

/// What was typed, over what is there. What is not theirs to change stays as it is, whatever a form says.
fn settings(
    page: &Page,
    held: &Held,
    whom: &Whom,
    typed: &Typed,
    wrong: &mut Wrong,
) -> Result<Settings, Problem> {
    let account = &held.entry.account;
    let mut settings = account.settings();
    settings.short_name.clone_from(&typed.short_name);
    settings.author_name.clone_from(&typed.author_name);
    settings.overrides = Overrides {
        never_falls_back: !typed.never_falls_back.is_empty(),
        max_connections: number(page, &typed.max_connections, &mut wrong.max_connections),
        max_message_bytes: bytes(page, account, &typed.max_megabytes, &mut wrong.max_megabytes),
    };
    if held.right.rules() {
        settings.serves = whom.chosen(&typed.serves).ok_or(Problem::Bad)?;
        // Under another name the same sign-in may open another mailbox.
        settings.user_name.clone_from(&typed.user_name);
        settings.opens = match typed.opens.trim() {
            "" => None,
            text => match text.parse::<EmailAddress>() {
                Ok(opens) => Some(opens),
                Err(_) => {
                    wrong.opens = Some(page.t.of("people.not_an_address").to_owned());
                    None
                }
            },
        };
    }
    Ok(settings)
}

/// A count from 1 on; nothing where nothing was typed.
fn number(page: &Page, text: &str, wrong: &mut Option<String>) -> Option<u32> {
    let text = text.trim();
    let found = text.parse().ok().filter(|it| *it > 0);
    if found.is_none() && !text.is_empty() {
        *wrong = Some(page.t.of("accounts.not_a_number").to_owned());
    }
    found
}

/// What was not typed anew keeps its last byte.
fn bytes(page: &Page, account: &MailAccount, text: &str, wrong: &mut Option<String>) -> Option<u64> {
    let known = account.overrides.max_message_bytes;
    if known.is_some_and(|it| megabytes(it) == text.trim()) {
        return known;
    }
    number(page, text, wrong).map(|it| u64::from(it) * MEGABYTE)
}

/// Beside the field that it is about. One total function, so that no refusal is forgotten.
fn refuse(page: &Page, wrong: &mut Wrong, invalid: &Invalid) {
    let say = |key: &str| Some(page.t.of(key).to_owned());
    match invalid {
        Invalid::ShortName => wrong.short_name = say("accounts.short_name_wrong"),
        Invalid::AuthorName => wrong.author_name = say("accounts.author_name_wrong"),
        Invalid::UserName => wrong.user_name = say("accounts.user_name_wrong"),
        Invalid::ZeroLimit => wrong.max_connections = say("accounts.not_a_number"),
        // Nothing else of an account is edited here.
        Invalid::Secret
        | Invalid::Host(_)
        | Invalid::Port
        | Invalid::Provider(..)
        | Invalid::ClientId
        | Invalid::ClientSecret
        | Invalid::Tenant
        | Invalid::SecretAgain
        | Invalid::Service(..)
        | Invalid::TooManyAddresses => wrong.short_name = Some(invalid.to_string()),
    }
}
