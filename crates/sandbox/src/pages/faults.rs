//! Faults, by button and by form.

use askama::Template;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::{Entry, Pages};
use crate::fault::{Fault, FaultKind, FaultRequest, Phase, Protocol};

/// Mailboxes with buttons of their own; others are typed.
const MAILBOXES_AT_MOST: usize = 50;

/// What was typed. Empty is absent.
#[derive(Default, Deserialize)]
pub(super) struct FaultForm {
    #[serde(default)]
    door: String,
    #[serde(default)]
    account: String,
    #[serde(default)]
    fault: String,
    #[serde(default)]
    phase: String,
    #[serde(default)]
    recipient: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    milliseconds: String,
    #[serde(default)]
    times: String,
}

#[derive(Template)]
#[template(path = "faults.html")]
struct FaultsPage {
    entry: Entry,
    faults: Vec<FaultRow>,
    accounts: Vec<AccountRow>,
    kinds: Vec<Choice>,
    phases: Vec<Choice>,
    doors: Vec<Choice>,
    form: FaultForm,
    error: Option<String>,
}

struct FaultRow {
    what: String,
    account: String,
    phase: String,
    words: String,
    left: String,
}

struct AccountRow {
    address: String,
    n_faults: usize,
}

struct Choice {
    value: &'static str,
    label: &'static str,
    is_chosen: bool,
}

fn show_page(pages: &Pages, form: FaultForm, error: Option<String>) -> Response {
    let faults = pages.provider.faults.all();
    let status = if error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let accounts = pages.provider.mailboxes.overview().into_iter().take(MAILBOXES_AT_MOST);
    let account = |it: crate::mailbox::MailboxOverview| AccountRow {
        n_faults: faults
            .iter()
            .filter(|fault| {
                fault.account.as_ref().is_some_and(|account| account.is_same_mailbox(&it.address))
            })
            .count(),
        address: it.address.to_string(),
    };
    let page = FaultsPage {
        entry: Entry::Faults,
        accounts: accounts.map(account).collect(),
        faults: faults.iter().map(FaultRow::from).collect(),
        kinds: kinds(&form.fault),
        phases: phases(&form.phase),
        doors: doors(&form.door),
        form,
        error,
    };
    super::show(status, &page)
}

pub(super) async fn show(State(pages): State<Pages>) -> Response {
    // The buttons above the form do the commonest; what the form is for comes first in it.
    let form = FaultForm { fault: FaultKind::Reply.word().to_owned(), ..FaultForm::default() };
    show_page(&pages, form, None)
}

pub(super) async fn change(State(pages): State<Pages>, Form(form): Form<FaultForm>) -> Response {
    let checked = form.to_request().and_then(|it| it.check().map_err(|error| error.to_string()));
    match checked {
        Ok(order) => {
            pages.provider.order(&order);
            Redirect::to("/faults").into_response()
        }
        Err(sentence) => show_page(&pages, form, Some(sentence)),
    }
}

impl FaultForm {
    fn to_request(&self) -> Result<FaultRequest, String> {
        let text = |it: &str| Some(it.trim().to_owned()).filter(|it| !it.is_empty());
        let number = |it: &str, name: &str| {
            text(it).map(|it| it.parse::<u32>().map_err(|_| format!("{name} is a whole number."))).transpose()
        };
        Ok(FaultRequest {
            door: text(&self.door),
            account: text(&self.account),
            fault: self.fault.clone(),
            phase: text(&self.phase),
            recipient: text(&self.recipient),
            text: text(&self.text),
            milliseconds: number(&self.milliseconds, "The wait")?.map(u64::from),
            times: number(&self.times, "How often")?,
        })
    }
}

impl From<&Fault> for FaultRow {
    fn from(fault: &Fault) -> Self {
        let request = FaultRequest::from(fault);
        let mut words = request.text.unwrap_or_default();
        if !fault.wait.is_zero() {
            words = format!("after {} ms\n{words}", fault.wait.as_millis());
        }
        Self {
            what: kind_label(fault.kind).to_owned(),
            account: match (&fault.account, &fault.recipient) {
                (None, None) => "everybody".to_owned(),
                (Some(account), None) => account.to_string(),
                (None, Some(recipient)) => format!("everybody, to {recipient}"),
                (Some(account), Some(recipient)) => format!("{account}, to {recipient}"),
            },
            phase: match fault.door {
                Some(door) => format!("{} ({})", phase_label(fault.phase), door_label(door)),
                None => phase_label(fault.phase).to_owned(),
            },
            words: words.trim_end().to_owned(),
            left: fault.times.map_or("until cleared".to_owned(), |times| format!("{times} more")),
        }
    }
}

const fn kind_label(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::RefuseSignIn => "Refuse sign-in",
        FaultKind::ExpireTokens => "Expire tokens",
        FaultKind::Reply => "Give this reply",
        FaultKind::Slow => "Be slow",
        FaultKind::Cut => "Cut the connection",
    }
}

const fn phase_label(phase: Phase) -> &'static str {
    match phase {
        Phase::Connect => "Connecting",
        Phase::StartTls => "Beginning encryption (STARTTLS)",
        Phase::Auth => "Signing in",
        Phase::Mail => "Naming the sender (MAIL)",
        Phase::Rcpt => "Naming a recipient (RCPT)",
        Phase::Data => "Before the letter (DATA)",
        Phase::Final => "After the letter",
        Phase::Read => "Looking for letters",
    }
}

const fn door_label(door: Protocol) -> &'static str {
    match door {
        Protocol::Smtp => "SMTP",
        Protocol::Imap => "IMAP",
        Protocol::Pop3 => "POP3",
    }
}

fn doors(chosen: &str) -> Vec<Choice> {
    let choice =
        |it: Protocol| Choice { value: it.word(), label: door_label(it), is_chosen: it.word() == chosen };
    let all = Choice { value: "", label: "All doors", is_chosen: chosen.is_empty() };
    std::iter::once(all).chain(Protocol::ALL.map(choice)).collect()
}

fn kinds(chosen: &str) -> Vec<Choice> {
    let choice =
        |it: FaultKind| Choice { value: it.word(), label: kind_label(it), is_chosen: it.word() == chosen };
    FaultKind::ALL.map(choice).into()
}

fn phases(chosen: &str) -> Vec<Choice> {
    let choice =
        |it: Phase| Choice { value: it.word(), label: phase_label(it), is_chosen: it.word() == chosen };
    let usual = Choice { value: "", label: "The usual place", is_chosen: chosen.is_empty() };
    std::iter::once(usual).chain(Phase::ALL.map(choice)).collect()
}
