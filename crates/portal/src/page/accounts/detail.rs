//! One account: how it fares, its settings, what signs in as it, what happened, and what can be done.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _};
use gatepost_accounts::{Endpoint, MailAccount, NoServer, ReadingProtocol, StatusName};
use gatepost_core::{EmailAddress, MailAccountId, TlsMode};
use gatepost_identity::Target;
use serde::Deserialize;

use super::card::{COUNTED, has_wrong_servers};
use super::history::{Past, history};
use super::open::{OpenPart, open};
use super::right::{Held, Right, find};
use super::whom::{Choice, Whom};
use super::{Card, path};
use crate::frame::{Answer, App, Form, Id, Nav, Page, Problem, Signed, show};
use crate::page::app_passwords::{allowed_words, sees_all_of};
use crate::page::people::app_password_words;

/// The part that renews itself.
#[derive(Template)]
#[template(path = "accounts/status.html")]
struct StatusPart {
    page: Page,
    it: Card,
}

/// A name and a value.
struct Fact {
    name: String,
    value: String,
}

/// An app password, and where it is seen and removed.
struct AppPasswordLine {
    words: String,
    /// What it may do; empty where that is not theirs to see.
    allowed: String,
    href: String,
}

/// What only those see who may act on it.
struct Settings {
    facts: Vec<Fact>,
    /// Its own address, and further ones.
    address: String,
    further: Vec<String>,
    /// What reads it at this moment; absent where nothing can.
    open: Option<OpenPart>,
    /// What applications sign in as.
    user_name: Option<String>,
    app_passwords: Vec<AppPasswordLine>,
    history: Vec<Past>,
    /// Whose default it may become, for those who may choose.
    defaults: Vec<Choice>,
    is_paused: bool,
    /// Its servers may be the wrong ones.
    has_wrong_servers: bool,
    /// It could be read by one more protocol.
    lacks_server: bool,
    needs_sign_in: bool,
    reauthenticate: String,
}

/// What was typed into the forms of this page, when it comes back.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    pub(super) address: String,
}

#[derive(Template)]
#[template(path = "accounts/detail.html")]
pub(super) struct DetailPage {
    page: Page,
    path: String,
    name: String,
    status: StatusPart,
    settings: Option<Settings>,
    rules: bool,
    typed: Typed,
    error: Option<String>,
}

pub(super) async fn page(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<MailAccountId>,
    Form(typed): Form<Typed>,
) -> Answer {
    app.rooms.accounts.refresh(signed.organisation()).await?;
    let shown = detail(&app, page, &signed, id, typed, None).await?;
    Ok(show(StatusCode::OK, &shown))
}

pub(super) async fn part(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<MailAccountId>,
) -> Answer {
    let held = find(&app, &page, &signed, id).await?;
    let part = status(&app, &page, &signed, &held).await?;
    let html = part.render().map_err(|error| Problem::Broken(Box::new(error)))?;
    Ok(Html(html).into_response())
}

/// The page, with what was typed into its form and what is wrong with that.
pub(super) async fn detail(
    app: &App,
    page: Page,
    signed: &Signed,
    id: MailAccountId,
    typed: Typed,
    error: Option<String>,
) -> Result<DetailPage, Problem> {
    let held = find(app, &page, signed, id).await?;
    let settings = match held.right.may_act() {
        true => Some(settings(app, &page, signed, &held).await?),
        false => None,
    };
    Ok(DetailPage {
        path: path(id, ""),
        name: held.entry.account.short_name.clone(),
        status: status(app, &page, signed, &held).await?,
        settings,
        rules: held.right.rules(),
        typed,
        error,
        page: page.at(Nav::Accounts),
    })
}

async fn status(app: &App, page: &Page, signed: &Signed, held: &Held) -> Result<StatusPart, Problem> {
    let id = held.entry.account.id;
    let n_waiting = match held.right.may_act() {
        true => app.rooms.outbox.n_waiting_of_each(signed.organisation(), &[id], COUNTED).await?,
        false => std::collections::HashMap::new(),
    };
    let n_waiting = n_waiting.get(&id).copied().unwrap_or_default();
    let it = Card::new(app, page, &held.entry, held.right, n_waiting);
    Ok(StatusPart { page: page.clone(), it })
}

async fn settings(app: &App, page: &Page, signed: &Signed, held: &Held) -> Result<Settings, Problem> {
    let account = &held.entry.account;
    let (identity, organisation) = (&app.rooms.identity, signed.organisation());
    let whom = Whom::of(app, signed).await?;
    let login = identity.find_login_of(organisation, Target::Account(account.id)).await?;
    let login = login.filter(|it| it.disabled_at.is_none());
    let app_passwords = match &login {
        Some(login) => identity.list_app_passwords_of(organisation, &[login.id]).await?,
        None => Vec::new(),
    };
    let sees_all = sees_all_of(page, signed, account);
    let line = |it: &gatepost_identity::AppPassword| AppPasswordLine {
        words: app_password_words(page, it),
        allowed: if sees_all { allowed_words(page, it) } else { String::new() },
        href: format!("/app-passwords/{}", it.id),
    };
    Ok(Settings {
        facts: facts(app, page, account, &whom, held.right).await?,
        address: account.address.to_string(),
        further: account.further_addresses.iter().map(EmailAddress::to_string).collect(),
        open: match account.endpoints.can_be_read() {
            true => Some(open(app, page, account).await?),
            false => None,
        },
        user_name: login.map(|it| it.user_name),
        app_passwords: app_passwords.iter().map(line).collect(),
        history: history(app, page, account, &whom).await?,
        defaults: if held.right.rules() { whom.choices(page, None) } else { Vec::new() },
        is_paused: account.paused_at.is_some(),
        has_wrong_servers: has_wrong_servers(page, account, &held.entry.status),
        lacks_server: [ReadingProtocol::Imap, ReadingProtocol::Pop3]
            .into_iter()
            .any(|it| app.rooms.accounts.no_server(account, it) == Some(NoServer::NotEntered)),
        needs_sign_in: held.entry.status.status == StatusName::NeedsSignIn,
        reauthenticate: path(account.id, "/reauthenticate"),
    })
}

async fn facts(
    app: &App,
    page: &Page,
    account: &MailAccount,
    whom: &Whom,
    right: Right,
) -> Result<Vec<Fact>, Problem> {
    let t = page.t;
    let server = |it: &Endpoint| {
        let host = if it.host.contains(':') { format!("[{}]", it.host) } else { it.host.clone() };
        let encryption = t.of(match it.tls {
            TlsMode::StartTls => "accounts.starttls",
            TlsMode::Implicit => "accounts.implicit_tls",
            TlsMode::None => "accounts.no_tls",
        });
        format!("{host}:{} ({encryption})", it.port)
    };
    let defaults = app.rooms.accounts.defaults_of(account.organisation, account.id).await?;
    let mut defaults: Vec<String> = defaults.into_iter().map(|it| whom.words(page, it)).collect();
    defaults.retain(|it| !it.is_empty());
    defaults.sort_unstable();
    let limits = account.limits(app.rooms.accounts.providers());
    let all = [
        ("accounts.author_name", Some(account.author_name.clone()).filter(|it| !it.is_empty())),
        ("accounts.user_name", Some(account.user_name.clone())),
        ("accounts.opens", account.opens.as_ref().map(ToString::to_string)),
        ("accounts.serves", right.rules().then(|| whom.words(page, account.serves))),
        ("accounts.default_of", Some(defaults.join(", ")).filter(|it| right.rules() && !it.is_empty())),
        (
            "accounts.falls_back",
            account.overrides.never_falls_back.then(|| t.of("accounts.falls_back_never").to_owned()),
        ),
        ("accounts.server_smtp", Some(server(&account.endpoints.smtp))),
        ("accounts.server_imap", account.endpoints.imap.as_ref().map(server)),
        ("accounts.server_pop3", account.endpoints.pop3.as_ref().map(server)),
        ("accounts.max_connections", Some(limits.n_connections.to_string())),
        ("accounts.max_message", limits.max_message_bytes.map(|it| format!("{} MB", it / 1_000_000))),
        ("accounts.added", Some(page.moment(account.created_at).words)),
    ];
    let known = all.into_iter().filter_map(|(key, value)| Some((key, value?)));
    Ok(known.map(|(key, value)| Fact { name: t.of(key).to_owned(), value }).collect())
}
