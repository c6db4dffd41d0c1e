//! Why connecting does not go on, as a page with a way on.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gatepost_accounts::ConnectError;
use gatepost_core::{DraftId, MailAccountId};
use gatepost_store::StoreError;

use super::waiting::fault_key;
use super::{account_path, path};
use crate::frame::{Alert, Page, Problem, paths, see_other, show};

/// What is answered instead.
pub(super) struct Stopped(Box<Response>);

/// What the handlers of this subject give.
pub(super) type Done = Result<Response, Stopped>;

#[derive(Template)]
#[template(path = "connect/stopped.html")]
struct StoppedPage {
    page: Page,
    title: String,
    text: String,
    /// Address and words of the way on.
    link: Option<(String, String)>,
}

impl IntoResponse for Stopped {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl From<Response> for Stopped {
    fn from(it: Response) -> Self {
        Self(Box::new(it))
    }
}

impl From<Problem> for Stopped {
    fn from(it: Problem) -> Self {
        it.into_response().into()
    }
}

impl From<StoreError> for Stopped {
    fn from(it: StoreError) -> Self {
        Problem::from(it).into()
    }
}

impl From<gatepost_accounts::AccountsError> for Stopped {
    fn from(it: gatepost_accounts::AccountsError) -> Self {
        match it {
            gatepost_accounts::AccountsError::NotFound(_) => Problem::NotFound.into(),
            other => Problem::from(other).into(),
        }
    }
}

impl From<gatepost_identity::IdentityError> for Stopped {
    fn from(it: gatepost_identity::IdentityError) -> Self {
        Problem::from(it).into()
    }
}

impl Stopped {
    /// The answer to each refusal of the room, for a step on this draft.
    pub(super) fn at(page: &Page, id: DraftId, why: ConnectError) -> Self {
        let elsewhere = |behind: &str| Self::from(see_other(&path(id, behind)));
        let say = |key: &str, behind: &str| {
            page.leave(Alert::warn(page.t.of(key)));
            elsewhere(behind)
        };
        match why {
            ConnectError::Changed => say("connect.changed", ""),
            ConnectError::NoServers => say("connect.no_servers", "/servers"),
            ConnectError::NotConfirmed => say("connect.not_confirmed", "/password"),
            ConnectError::NoSecret => say("connect.no_secret", ""),
            ConnectError::Checking => elsewhere("/check"),
            ConnectError::NotChecked => say("connect.not_checked", "/check"),
            ConnectError::FlowOver => say("connect.flow_over", ""),
            ConnectError::Invalid(_) => say("connect.invalid", "/servers"),
            other => Self::without_draft(page, other),
        }
    }

    /// The same where no page of the draft leads on.
    pub(super) fn without_draft(page: &Page, why: ConnectError) -> Self {
        let t = page.t;
        let connect = || Some((paths::CONNECT.to_owned(), t.of("connect.begin_anew").to_owned()));
        let account = |id: MailAccountId| Some((account_path(id), t.of("connect.see_account").to_owned()));
        let conflict = StatusCode::CONFLICT;
        let (status, title, text, link) = match why {
            ConnectError::Store(error) => return error.into(),
            ConnectError::Finished(id) => return see_other(&account_path(id)).into(),
            ConnectError::NotFound => {
                let text = t.of("connect.not_found").to_owned();
                (StatusCode::NOT_FOUND, "connect.not_found_title", text, connect())
            }
            ConnectError::AlreadyThere { address, id } => {
                let text = t.fill("connect.already_there", &[("address", address.as_str())]);
                (conflict, "connect.already_there_title", text, account(id).filter(|_| page.rules()))
            }
            ConnectError::AccountGone => {
                let text = t.of("connect.account_gone").to_owned();
                (StatusCode::NOT_FOUND, "connect.account_gone_title", text, connect())
            }
            ConnectError::DoneAlready(id) => {
                (conflict, "connect.done_already_title", t.of("connect.done_already").to_owned(), account(id))
            }
            ConnectError::AccountChanged(id) => {
                let text = t.of("connect.account_changed").to_owned();
                (conflict, "connect.account_changed_title", text, account(id))
            }
            ConnectError::NoApplication(service) => {
                let (key, link) = if page.rules() {
                    let words = t.of("connect.register").to_owned();
                    ("connect.no_application", Some((paths::APPLICATIONS.to_owned(), words)))
                } else {
                    ("connect.no_application_operator", None)
                };
                (conflict, "connect.no_sign_in_title", t.fill(key, &[("service", &service)]), link)
            }
            ConnectError::NoSignInPage => {
                (conflict, "connect.no_sign_in_title", t.of("connect.no_sign_in_page").to_owned(), connect())
            }
            ConnectError::Pasted(fault) => {
                let text = t.of(fault_key(fault)).to_owned();
                (StatusCode::UNPROCESSABLE_ENTITY, "connect.wrong_answer_title", text, connect())
            }
            ConnectError::WrongAnswer(diagnosis) => {
                (conflict, "connect.wrong_answer_title", diagnosis.cause, connect())
            }
            ConnectError::Changed | ConnectError::Checking | ConnectError::NotChecked => {
                (conflict, "connect.changed_title", t.of("connect.changed").to_owned(), connect())
            }
            ConnectError::TooMany => {
                (conflict, "connect.too_many_title", t.of("connect.too_many").to_owned(), connect())
            }
            ConnectError::FlowOver => {
                (conflict, "connect.flow_over_title", t.of("connect.flow_over").to_owned(), connect())
            }
            ConnectError::NoServers | ConnectError::NotConfirmed | ConnectError::NoSecret => {
                (conflict, "connect.changed_title", t.of("connect.no_secret").to_owned(), connect())
            }
            ConnectError::Invalid(_) => {
                let text = t.of("connect.invalid").to_owned();
                (StatusCode::UNPROCESSABLE_ENTITY, "connect.changed_title", text, connect())
            }
        };
        Self::page(page, status, title, text, link)
    }

    pub(super) fn page(
        page: &Page,
        status: StatusCode,
        title: &str,
        text: String,
        link: Option<(String, String)>,
    ) -> Self {
        let title = page.t.of(title).to_owned();
        show(status, &StoppedPage { page: page.clone(), title, text, link }).into()
    }
}
