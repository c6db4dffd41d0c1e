//! The pretend phone.

use askama::Template;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use gatepost_core::SecretText;
use serde::Deserialize;

use super::{Entry, Pages, failed, show};
use crate::phone::{Account, AccountError, Code, Name};

/// What was typed. Empty is absent.
#[derive(Default, Deserialize)]
pub(super) struct PhoneForm {
    #[serde(default)]
    key: String,
    #[serde(default)]
    name: String,
}

#[derive(Template)]
#[template(path = "phone.html")]
struct PhonePage {
    entry: Entry,
    codes: Vec<CodeCard>,
    form: PhoneForm,
    key_error: Option<String>,
    name_error: Option<String>,
}

struct CodeCard {
    issuer: String,
    account: String,
    /// In two groups, as phones show it.
    figures: String,
    left: String,
}

pub(super) async fn phone(State(pages): State<Pages>) -> Response {
    phone_page(&pages, PhoneForm::default(), None)
}

/// Takes an address from a QR code, or a typed key.
pub(super) async fn add(State(pages): State<Pages>, Form(form): Form<PhoneForm>) -> Response {
    match form.to_account() {
        Ok(account) => match pages.provider.add_to_phone(account).await {
            Ok(()) => Redirect::to("/phone").into_response(),
            Err(error) => failed(&error),
        },
        Err(error) => phone_page(&pages, form, Some(error)),
    }
}

pub(super) async fn remove(State(pages): State<Pages>, Form(name): Form<Name>) -> Response {
    match pages.provider.remove_from_phone(name).await {
        // Twice is as good as once.
        Ok(_) => Redirect::to("/phone").into_response(),
        Err(error) => failed(&error),
    }
}

fn phone_page(pages: &Pages, form: PhoneForm, error: Option<AccountError>) -> Response {
    let status = if error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let is_about_name = error.as_ref() == Some(&AccountError::NoName);
    let sentence = error.map(|it| it.to_string());
    let (name_error, key_error) = if is_about_name { (sentence, None) } else { (None, sentence) };
    let codes = pages.provider.phone.codes(pages.provider.world.now());
    let page = PhonePage {
        entry: Entry::Phone,
        codes: codes.into_iter().map(CodeCard::from).collect(),
        form,
        key_error,
        name_error,
    };
    show(status, &page)
}

impl PhoneForm {
    fn to_account(&self) -> Result<Account, AccountError> {
        let text = SecretText::new(self.key.trim().to_owned());
        if text.reveal().contains(':') {
            Account::from_uri(&text)
        } else {
            Account::from_key(&self.name, &text)
        }
    }
}

impl From<Code> for CodeCard {
    fn from(it: Code) -> Self {
        let (first, second) = it.figures.split_at(it.figures.len() / 2);
        let left = match it.seconds_left {
            1 => "1 second".to_owned(),
            n => format!("{n} seconds"),
        };
        Self { issuer: it.name.issuer, account: it.name.account, figures: format!("{first} {second}"), left }
    }
}
