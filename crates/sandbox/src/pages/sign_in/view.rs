//! The pages of a sign-in.

use askama::Template;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::policy;
use crate::mailbox::SecondStep;
use crate::oauth::{Flow, Scope, Stage};
use crate::pages::{Pages, path_segment, show};

#[derive(Template)]
#[template(path = "sign_in/choose.html")]
struct ChoosePage<'a> {
    base: String,
    application: &'a str,
    accounts: Vec<String>,
}

#[derive(Template)]
#[template(path = "sign_in/identify.html")]
struct IdentifyPage<'a> {
    base: String,
    application: &'a str,
    typed: &'a str,
    error: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "sign_in/password.html")]
struct PasswordPage<'a> {
    base: String,
    address: String,
    error: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "sign_in/second_step.html")]
struct SecondStepPage<'a> {
    base: String,
    address: String,
    is_key: bool,
    error: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "sign_in/approval.html")]
struct ApprovalPage<'a> {
    base: String,
    application: &'a str,
    address: String,
}

#[derive(Template)]
#[template(path = "sign_in/consent.html")]
struct ConsentPage<'a> {
    base: String,
    application: &'a str,
    address: String,
    optional: Vec<Scope>,
    fixed: Vec<Scope>,
    returns_to: String,
}

#[derive(Template)]
#[template(path = "sign_in/blocked.html")]
struct BlockedPage {
    status: u16,
    code: &'static str,
    sentence: String,
}

#[derive(Template)]
#[template(path = "sign_in/over.html")]
struct OverPage;

/// The page that a flow stands on, with what was wrong with what was typed there.
pub(super) fn flow(
    pages: &Pages,
    id: &str,
    flow: &Flow,
    headers: &HeaderMap,
    error: Option<&str>,
) -> Response {
    let status = if error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let application = flow.request.client.name.as_str();
    let base = base(id);
    let response = match &flow.stage {
        Stage::Choose => {
            let accounts = pages.provider.oauth.browsers.accounts(headers);
            let accounts = accounts.iter().map(ToString::to_string).collect();
            show(status, &ChoosePage { base, application, accounts })
        }
        Stage::Identify => show(status, &IdentifyPage { base, application, typed: "", error }),
        Stage::Password(account) => show(status, &PasswordPage { base, address: account.to_string(), error }),
        Stage::SecondStep(account) => {
            let security = pages.provider.mailboxes.credentials(account).security();
            let is_key = security.second_step() != SecondStep::Codes;
            show(status, &SecondStepPage { base, address: account.to_string(), is_key, error })
        }
        Stage::Approval(account) => {
            show(status, &ApprovalPage { base, application, address: account.to_string() })
        }
        Stage::Consent(account) => {
            let (optional, fixed) = flow.request.scopes.iter().partition(|it| it.is_optional());
            let returns_to = flow.request.redirect_origin();
            let address = account.to_string();
            show(status, &ConsentPage { base, application, address, optional, fixed, returns_to })
        }
    };
    with_policy(flow, response)
}

pub(super) fn wrong_address(id: &str, flow: &Flow, typed: &str) -> Response {
    let error = Some("Enter a whole address, as in name@example.org.");
    let page = IdentifyPage { base: base(id), application: &flow.request.client.name, typed, error };
    with_policy(flow, show(StatusCode::BAD_REQUEST, &page))
}

pub(super) fn blocked(status: u16, code: &'static str, sentence: String) -> Response {
    let page = BlockedPage { status, code, sentence };
    show(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), &page)
}

pub(super) fn over() -> Response {
    show(StatusCode::NOT_FOUND, &OverPage)
}

fn base(id: &str) -> String {
    format!("/oauth2/sign-in/{}", path_segment(id))
}

fn with_policy(flow: &Flow, mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy(&flow.request));
    response
}
