//! A password: one that the provider makes for programs, with the way to it, or the mailbox's own.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_accounts::{ConnectError, CredentialKind, DraftState, Endpoint};
use gatepost_core::{DraftId, SecretText};
use gatepost_providers::{Guide, Method, Step};
use serde::Deserialize;

use super::desk::Desk;
use super::proving;
use super::stopped::Done;
use crate::frame::{App, Form, Id, Nav, Page, Query, Secret, Signed, show};

/// How long a password waits for the answer whether it is meant.
const WAITS: Duration = Duration::from_mins(5);

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    method: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    revision: u64,
    method: String,
    password: Secret,
    /// The servers that were found by a look-up are the right ones (OC-12).
    confirmed: bool,
    /// What does not look like an app password is meant all the same.
    anyway: bool,
}

/// A password that was typed and looks wrong, until somebody has said that it is meant.
pub(crate) struct Doubted(SecretText);

/// What is wrong with what was typed.
#[derive(Default)]
struct Wrong {
    password: Option<String>,
    confirmed: Option<String>,
    /// It looks like the account's own password; it went nowhere.
    looks_wrong: bool,
}

#[derive(Template)]
#[template(path = "connect/password.html")]
struct PasswordPage {
    page: Page,
    title: String,
    href: String,
    ways: String,
    method: &'static str,
    revision: u64,
    label: String,
    hint: String,
    guide: Option<GuideShown>,
    /// The servers it goes to, and by whose word, where nobody has confirmed them.
    found: Option<(String, String)>,
    is_confirmed: bool,
    wrong: Wrong,
}

struct GuideShown {
    steps: Vec<StepShown>,
    needs: String,
    missing_because: Vec<String>,
    ends_when: String,
}

struct StepShown {
    text: String,
    link: Option<String>,
    /// Ids, labels and values to copy.
    copy: Vec<(String, String, String)>,
}

impl GuideShown {
    fn of(guide: &Guide) -> Self {
        let step = |(n, it): (usize, &Step)| StepShown {
            text: it.text.clone(),
            link: it.link.clone(),
            copy: it
                .copy
                .iter()
                .enumerate()
                .map(|(m, it)| (format!("copy-{n}-{m}"), it.label.clone(), it.value.clone()))
                .collect(),
        };
        Self {
            steps: guide.steps.iter().enumerate().map(step).collect(),
            needs: guide.needs.clone(),
            missing_because: guide.missing_because.clone(),
            ends_when: guide.ends_when.clone(),
        }
    }
}

fn method(desk: &Desk, word: &str) -> Method {
    match (word, desk.draft.details.method) {
        ("app_password", _) => Method::AppPassword,
        ("password", _) => Method::Password,
        (_, Some(Method::AppPassword)) => Method::AppPassword,
        _ => Method::Password,
    }
}

fn guide(desk: &Desk, method: Method) -> Option<&Guide> {
    let word = desk.preset().app_password.as_deref().filter(|_| method == Method::AppPassword)?;
    desk.providers().guide(word)
}

pub(super) async fn ask(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<DraftId>,
    Query(asked): Query<Asked>,
    Form(typed): Form<Typed>,
) -> Done {
    let desk = Desk::open(&app, &page, &signed, id).await?;
    // A form that came back knows which page it was on.
    let word = if typed.method.is_empty() { asked.method } else { typed.method };
    let method = method(&desk, &word);
    form(&desk, method, typed.confirmed, Wrong::default())
}

fn form(desk: &Desk, method: Method, is_confirmed: bool, wrong: Wrong) -> Done {
    let (t, details) = (desk.page.t, &desk.draft.details);
    match desk.draft.state {
        DraftState::Finished(_) | DraftState::Checking(_) => return desk.to("/check"),
        DraftState::Open | DraftState::HasSecret | DraftState::Checked(_) => {}
    }
    let Some(endpoints) = &details.endpoints else { return desk.to("/servers") };
    let is_wrong = wrong.password.is_some() || wrong.confirmed.is_some() || wrong.looks_wrong;
    let status = if is_wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let guide = guide(desk, method);
    let values = [("user_name", details.user_name.as_str())];
    let hosts = || {
        let all = [Some(&endpoints.smtp), endpoints.imap.as_ref(), endpoints.pop3.as_ref()];
        all.into_iter().flatten().map(|it: &Endpoint| it.host.as_str()).collect::<Vec<_>>().join(", ")
    };
    let shown = PasswordPage {
        title: if method == Method::AppPassword {
            let values = [("provider", desk.preset().name.as_str()), ("address", details.address.as_str())];
            t.fill("connect.app_password_title", &values)
        } else {
            t.of("connect.password_title").to_owned()
        },
        href: desk.path("/password"),
        ways: desk.path(""),
        method: method.word(),
        revision: desk.draft.revision,
        label: match guide {
            Some(_) => t.of("connect.app_password_label").to_owned(),
            None => t.fill("connect.password_label", &values),
        },
        hint: match guide.and_then(|it| it.shape_in_words.as_deref()) {
            Some(shape) => t.fill("connect.app_password_hint", &[("shape", shape)]),
            None => t.of("connect.password_hint").to_owned(),
        },
        guide: guide.map(GuideShown::of),
        found: details.found_at.clone().map(|host| (hosts(), host)),
        is_confirmed,
        wrong,
        page: desk.page.clone().at(Nav::Accounts),
    };
    Ok(show(status, &shown))
}

pub(super) async fn put(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<DraftId>,
    Form(typed): Form<Typed>,
) -> Done {
    let desk = Desk::open(&app, &page, &signed, id).await?;
    let method = method(&desk, &typed.method);
    let kept = || app.doubted.take(signed.id, &id.to_string()).map(|it| it.0);
    let secret = match typed.password.is_empty() {
        false => typed.password.into_text(),
        true => match kept().filter(|_| typed.anyway) {
            Some(secret) => secret,
            None => {
                let words = page.t.of("connect.password_empty").to_owned();
                let wrong = Wrong { password: Some(words), ..Wrong::default() };
                return form(&desk, method, typed.confirmed, wrong);
            }
        },
    };
    let secret = match guide(&desk, method) {
        Some(guide) => {
            let pasted = guide.pasted(&secret);
            if pasted.looks_wrong && !typed.anyway {
                app.doubted.keep(signed.id, &id.to_string(), Doubted(secret), WAITS);
                let wrong = Wrong { looks_wrong: true, ..Wrong::default() };
                return form(&desk, method, typed.confirmed, wrong);
            }
            pasted.secret
        }
        // Copied with the end of its line.
        None => SecretText::new(secret.reveal().trim_matches(['\r', '\n']).to_owned()),
    };
    let kind =
        if method == Method::AppPassword { CredentialKind::AppPassword } else { CredentialKind::Password };
    let draft = match desk.connecting.put_password(id, typed.revision, kind, secret, typed.confirmed).await {
        Ok(draft) => draft,
        Err(ConnectError::Invalid(_)) => {
            let words = page.t.of("connect.password_unfit").to_owned();
            let wrong = Wrong { password: Some(words), ..Wrong::default() };
            return form(&desk, method, typed.confirmed, wrong);
        }
        Err(ConnectError::NotConfirmed) => {
            let words = page.t.of("connect.not_confirmed").to_owned();
            let wrong = Wrong { confirmed: Some(words), ..Wrong::default() };
            return form(&desk, method, false, wrong);
        }
        Err(why) => return Err(desk.stopped(why)),
    };
    proving::spawn(&app, &desk.connecting, &draft, &desk.me.name);
    desk.to("/check")
}
