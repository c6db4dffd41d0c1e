//! How one account is protected, its app passwords, and who has access to it.

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use gatepost_core::{EmailAddress, SecretText, Timestamp};
use gatepost_web::Moment;
use serde::Deserialize;

use super::text::{count, path_segment};
use super::{Entry, Pages, failed, not_found, show};
use crate::mailbox::{AppPassword, NoAppPasswords, SecondStep, Security, new_authenticator};
use crate::oauth::{Grant, Scope};

/// Letters that the name of an app password may have.
const NAME_AT_MOST: usize = 100;

/// One row of the switches on the page of a mailbox.
pub(super) struct Switch {
    pub(super) name: &'static str,
    pub(super) setting: &'static str,
    pub(super) state: &'static str,
    pub(super) effect: &'static str,
    pub(super) choices: Vec<SwitchChoice>,
}

/// What a switch can be turned to.
pub(super) struct SwitchChoice {
    pub(super) value: &'static str,
    pub(super) label: &'static str,
}

/// The switches as they stand, each with what it could be instead.
pub(super) fn switches(security: Security) -> Vec<Switch> {
    let choice = |value, label| SwitchChoice { value, label };
    let (state, effect, choices) = match security.second_step {
        SecondStep::Off => (
            "off",
            "The password is enough, for people and for programs.",
            vec![choice("codes", "Turn on, with codes"), choice("keys", "Turn on, with keys")],
        ),
        SecondStep::Codes => (
            "codes from the phone",
            "Programs need an app password, or sign in by OAuth.",
            vec![choice("off", "Turn off two steps"), choice("keys", "Use keys only")],
        ),
        SecondStep::Keys => (
            "security keys only",
            "Programs sign in by OAuth; there are no app passwords.",
            vec![choice("off", "Turn off two steps"), choice("codes", "Use codes")],
        ),
    };
    let toggle = |name, setting, is_on, effect, on, off| Switch {
        name,
        setting,
        state: if is_on { "on" } else { "off" },
        effect,
        choices: vec![if is_on { choice("off", off) } else { choice("on", on) }],
    };
    vec![
        Switch { name: "Two-step verification", setting: "second_step", state, effect, choices },
        toggle(
            "Approval by an administrator",
            "needs_approval",
            security.needs_approval,
            "When on, the organisation allows each application before anybody can.",
            "Demand approval",
            "Approve all applications",
        ),
        toggle(
            "App passwords forbidden by the organisation",
            "forbids_app_passwords",
            security.forbids_app_passwords,
            "When on, there are none, and those that were made open nothing.",
            "Forbid app passwords",
            "Allow app passwords",
        ),
        toggle(
            "Advanced protection",
            "is_advanced",
            security.is_advanced,
            "When on, security keys alone, and no app passwords.",
            "Turn on advanced protection",
            "Turn off advanced protection",
        ),
    ]
}

#[derive(Deserialize)]
pub(super) struct SwitchForm {
    setting: String,
    value: String,
}

pub(super) async fn protect(
    State(pages): State<Pages>,
    Path(address): Path<String>,
    Form(form): Form<SwitchForm>,
) -> Response {
    let Ok(address) = address.parse::<EmailAddress>() else { return not_found() };
    let (owner, world) = (address.clone(), pages.provider.world.clone());
    let changed = pages.provider.change_mailbox(&address, move |it| {
        let mut security = it.security();
        turn(&mut security, &form);
        it.protect(security, || new_authenticator(&owner, &world));
    });
    if let Err(error) = changed.await {
        return failed(&error);
    }
    match pages.provider.show_codes(&address).await {
        Ok(()) => Redirect::to(&format!("{}#security", mailbox_link(&address))).into_response(),
        Err(error) => failed(&error),
    }
}

fn turn(security: &mut Security, form: &SwitchForm) {
    let is_on = form.value == "on";
    match form.setting.as_str() {
        "second_step" => {
            security.second_step = match form.value.as_str() {
                "codes" => SecondStep::Codes,
                "keys" => SecondStep::Keys,
                _ => SecondStep::Off,
            };
        }
        "needs_approval" => security.needs_approval = is_on,
        "forbids_app_passwords" => security.forbids_app_passwords = is_on,
        "is_advanced" => security.is_advanced = is_on,
        _ => {}
    }
}

#[derive(Deserialize)]
pub(super) struct BrowserForm {
    action: String,
}

/// Signs an account in or out in this browser, without its password: whoever reaches this page could read its letters anyhow.
pub(super) async fn browser(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Path(address): Path<String>,
    Form(form): Form<BrowserForm>,
) -> Response {
    let Ok(address) = address.parse::<EmailAddress>() else { return not_found() };
    let browsers = &pages.provider.oauth.browsers;
    let mut response = Redirect::to(&format!("{}#security", mailbox_link(&address))).into_response();
    if form.action == "in" {
        if let Some(cookie) = browsers.sign_in(&headers, &address, &pages.provider.world) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    } else {
        browsers.sign_out(&headers, &address);
    }
    response
}

#[derive(Template)]
#[template(path = "app_passwords.html")]
struct AppPasswordsPage {
    entry: Entry,
    address: String,
    link: String,
    mailbox_link: String,
    refusal: Option<&'static str>,
    made: Option<Made>,
    typed: String,
    error: Option<&'static str>,
    passwords: Vec<PasswordRow>,
}

/// An app password that is shown once.
struct Made {
    name: String,
    text: String,
}

struct PasswordRow {
    id: String,
    name: String,
    at: Moment,
}

#[derive(Deserialize)]
pub(super) struct NewPasswordForm {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
pub(super) struct RemoveForm {
    id: String,
}

pub(super) async fn app_passwords(State(pages): State<Pages>, Path(address): Path<String>) -> Response {
    let Ok(address) = address.parse::<EmailAddress>() else { return not_found() };
    show(StatusCode::OK, &pages.app_passwords_page(&address))
}

/// Leads to the page of the account that is signed in in this browser, as the address that help articles name does.
pub(super) async fn my_app_passwords(State(pages): State<Pages>, headers: HeaderMap) -> Response {
    let accounts = pages.provider.oauth.browsers.accounts(&headers);
    let to = accounts.first().map_or("/".to_owned(), |it| format!("{}/app-passwords", mailbox_link(it)));
    Redirect::to(&to).into_response()
}

pub(super) async fn make_app_password(
    State(pages): State<Pages>,
    Path(address): Path<String>,
    Form(form): Form<NewPasswordForm>,
) -> Response {
    let Ok(address) = address.parse::<EmailAddress>() else { return not_found() };
    let mut page = pages.app_passwords_page(&address);
    if page.refusal.is_some() {
        return show(StatusCode::FORBIDDEN, &page);
    }
    let name: String = form.name.trim().chars().take(NAME_AT_MOST).collect();
    if name.is_empty() {
        page.error = Some("Give the app a name, so that you know later what this password is for.");
        return show(StatusCode::BAD_REQUEST, &page);
    }
    let (new, text) = AppPassword::generate(&name, &pages.provider.world);
    match pages.provider.change_mailbox(&address, move |it| it.add_app_password(new)).await {
        Ok(true) => {
            let mut page = pages.app_passwords_page(&address);
            page.made = Some(Made { name, text: in_groups(&text) });
            show(StatusCode::OK, &page)
        }
        Ok(false) => {
            page.error = Some("There are too many app passwords: remove one first.");
            page.typed = name;
            show(StatusCode::BAD_REQUEST, &page)
        }
        Err(error) => failed(&error),
    }
}

/// What was signed in with it stays signed in until it ends, but for sessions of programs, which end at once.
pub(super) async fn remove_app_password(
    State(pages): State<Pages>,
    Path(address): Path<String>,
    Form(form): Form<RemoveForm>,
) -> Response {
    let Ok(address) = address.parse::<EmailAddress>() else { return not_found() };
    match pages.provider.change_mailbox(&address, move |it| it.remove_app_password(&form.id)).await {
        Ok(removed) => {
            if removed.is_some() {
                pages.provider.sessions.end(Some(&address));
            }
            Redirect::to(&format!("{}/app-passwords", mailbox_link(&address))).into_response()
        }
        Err(error) => failed(&error),
    }
}

/// `abcd efgh ijkl mnop`.
fn in_groups(text: &SecretText) -> String {
    let letters: Vec<char> = text.reveal().chars().collect();
    letters.chunks(4).map(|it| it.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

const fn refusal(reason: NoAppPasswords) -> &'static str {
    match reason {
        NoAppPasswords::SecondStepOff => "Two-step verification is off: app passwords come with it.",
        NoAppPasswords::KeysOnly => "Two-step verification is set up for security keys only.",
        NoAppPasswords::Organisation => "Your account belongs to an organisation that forbids app passwords.",
        NoAppPasswords::AdvancedProtection => "Advanced protection is on, and knows no app passwords.",
    }
}

#[derive(Template)]
#[template(path = "access.html")]
struct AccessPage {
    entry: Entry,
    address: String,
    link: String,
    mailbox_link: String,
    grants: Vec<GrantCard>,
}

struct GrantCard {
    id: String,
    application: String,
    scopes: Vec<Scope>,
    granted_at: Moment,
    refreshes: String,
    refreshed_at: Option<Moment>,
    access_until: Option<Moment>,
}

#[derive(Deserialize)]
pub(super) struct GrantForm {
    grant: String,
    action: String,
}

pub(super) async fn access(State(pages): State<Pages>, Path(address): Path<String>) -> Response {
    let Ok(address) = address.parse::<EmailAddress>() else { return not_found() };
    let grants = pages.provider.oauth.grants.list(Some(&address));
    let page = AccessPage {
        entry: Entry::Mailboxes,
        address: address.to_string(),
        link: format!("{}/access", mailbox_link(&address)),
        mailbox_link: mailbox_link(&address),
        grants: grants.into_iter().rev().map(|it| pages.grant_card(it)).collect(),
    };
    show(StatusCode::OK, &page)
}

pub(super) async fn change_access(
    State(pages): State<Pages>,
    Path(address): Path<String>,
    Form(form): Form<GrantForm>,
) -> Response {
    let (Ok(address), Ok(id)) = (address.parse::<EmailAddress>(), form.grant.parse()) else {
        return not_found();
    };
    match pages.provider.end_grant(id, form.action == "revoke").await {
        // One that is gone already is as good.
        Ok(_) => Redirect::to(&format!("{}/access", mailbox_link(&address))).into_response(),
        Err(error) => failed(&error),
    }
}

pub(super) fn mailbox_link(address: &EmailAddress) -> String {
    format!("/mailboxes/{}", path_segment(address.as_str()))
}

impl Pages {
    fn at(&self, at: Timestamp) -> Moment {
        self.zone.show(at, self.provider.world.now())
    }

    fn app_passwords_page(&self, address: &EmailAddress) -> AppPasswordsPage {
        let credentials = self.provider.mailboxes.credentials(address);
        let row = |it: &AppPassword| PasswordRow {
            id: it.id.clone(),
            name: it.name.clone(),
            at: self.at(Timestamp::from_millis(it.created_at)),
        };
        AppPasswordsPage {
            entry: Entry::Mailboxes,
            address: address.to_string(),
            link: format!("{}/app-passwords", mailbox_link(address)),
            mailbox_link: mailbox_link(address),
            refusal: credentials.security().no_app_passwords().map(refusal),
            made: None,
            typed: String::new(),
            error: None,
            passwords: credentials.app_passwords().iter().rev().map(row).collect(),
        }
    }

    fn grant_card(&self, it: Grant) -> GrantCard {
        let client = self.provider.oauth.clients.find(&it.client_id);
        let n_refreshes = usize::try_from(it.n_refreshes).unwrap_or(usize::MAX);
        GrantCard {
            id: it.id.to_string(),
            application: client.map_or_else(|| format!("{} (removed)", it.client_id), |it| it.name),
            granted_at: self.at(it.granted_at),
            refreshes: count(n_refreshes, "time"),
            refreshed_at: it.refreshed_at.map(|at| self.at(at)),
            access_until: it.access_until(self.provider.world.now()).map(|at| self.at(at)),
            scopes: it.scopes,
        }
    }
}

#[cfg(test)]
mod tests;
