//! The servers of a mailbox, what it signs in as, and which mailbox it opens (C1, C11).

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_accounts::{ConnectError, Details, DraftState, Endpoint, Endpoints, Invalid, TlsMode};
use gatepost_core::{DraftId, EmailAddress};
use gatepost_net::{DialError, Host, Permit};
use gatepost_providers::{Client, Method};
use serde::Deserialize;

use super::desk::Desk;
use super::provider::{OTHER, of_servers};
use super::stopped::Done;
use crate::frame::{Alert, App, Form, Id, Nav, Page, Signed, see_other, show};

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    /// Empty on a page that is shown for the first time.
    revision: String,
    smtp_host: String,
    smtp_port: String,
    smtp_tls: String,
    imap_host: String,
    imap_port: String,
    imap_tls: String,
    pop3_host: String,
    pop3_port: String,
    pop3_tls: String,
    user_name: String,
    opens: String,
}

/// One server as it was typed, and what is wrong with it.
struct Server {
    /// `smtp`, `imap` or `pop3`: what its fields' names begin with.
    word: &'static str,
    title: String,
    hint: String,
    host: String,
    port: String,
    tls: TlsMode,
    host_error: Option<String>,
    port_error: Option<String>,
    tls_error: Option<String>,
}

#[derive(Default)]
struct Wrong {
    user_name: Option<String>,
    opens: Option<String>,
}

#[derive(Template)]
#[template(path = "connect/servers.html")]
struct ServersPage {
    page: Page,
    title: String,
    text: String,
    href: String,
    ways: String,
    revision: String,
    servers: Vec<Server>,
    pop3: Server,
    user_name: String,
    opens: Option<String>,
    wrong: Wrong,
    is_wrong: bool,
}

impl Server {
    fn new(page: &Page, word: &'static str, (host, port, tls): (&str, &str, &str)) -> Self {
        let (title, hint) = match word {
            "smtp" => ("connect.smtp", "connect.smtp_hint"),
            "imap" => ("connect.imap", "connect.imap_hint"),
            _ => ("connect.pop3", "connect.pop3_hint"),
        };
        Self {
            word,
            title: page.t.of(title).to_owned(),
            hint: page.t.of(hint).to_owned(),
            host: host.to_owned(),
            port: port.to_owned(),
            tls: tls.parse().unwrap_or(TlsMode::Implicit),
            host_error: None,
            port_error: None,
            tls_error: None,
        }
    }

    fn is_wrong(&self) -> bool {
        self.host_error.is_some() || self.port_error.is_some() || self.tls_error.is_some()
    }

    /// The server, or nothing where it is left empty and may be.
    async fn read(&mut self, desk: &Desk, is_needed: bool) -> Option<Endpoint> {
        let t = desk.page.t;
        let name = self.host.trim().to_owned();
        if name.is_empty() && !is_needed {
            return None;
        }
        let Ok(host) = name.parse::<Host>() else {
            self.host_error = Some(t.of(host_fault(&name)).to_owned());
            return None;
        };
        let Some(port) = self.port.trim().parse::<u16>().ok().filter(|it| *it != 0) else {
            self.port_error = Some(t.of("connect.port_wrong").to_owned());
            return None;
        };
        if self.tls == TlsMode::None && !may_be_plain(desk, &host, port).await {
            self.tls_error = Some(t.fill("connect.tls_refused", &[("host", &name)]));
            return None;
        }
        Some(Endpoint { host: name, port, tls: self.tls })
    }
}

/// What is wrong with what was typed as the name of a server.
fn host_fault(typed: &str) -> &'static str {
    let is_port = |it: &str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit());
    match typed.rsplit_once(':') {
        _ if typed.is_empty() => "connect.host_empty",
        _ if typed.contains("//") => "connect.host_is_page",
        Some((host, port)) if is_port(port) && host.parse::<Host>().is_ok() => "connect.host_has_port",
        _ => "connect.host_wrong",
    }
}

/// Without encryption the password can be read on the way: only addresses that whoever runs Gatepost has named get it so (SC-1).
async fn may_be_plain(desk: &Desk, host: &Host, port: u16) -> bool {
    let vetted: Result<_, DialError> = desk.app.rooms.reach.dialer.vet(host, port).await;
    vetted.is_ok_and(|all| !all.is_empty() && all.iter().all(|(_, permit)| *permit == Permit::Listed))
}

/// What is there, or guesses where nothing is known.
fn filled(desk: &Desk) -> Typed {
    let details = &desk.draft.details;
    let guess = |port: u16| {
        let host = format!("mail.{}", details.address.domain());
        (host, port.to_string(), TlsMode::Implicit.word().to_owned())
    };
    let known = |it: &Endpoint| (it.host.clone(), it.port.to_string(), it.tls.word().to_owned());
    let nothing = |port: u16| (String::new(), port.to_string(), TlsMode::Implicit.word().to_owned());
    let (smtp, imap, pop3) = match &details.endpoints {
        Some(it) => (
            known(&it.smtp),
            it.imap.as_ref().map_or_else(|| nothing(993), known),
            it.pop3.as_ref().map_or_else(|| nothing(995), known),
        ),
        None => (guess(465), guess(993), nothing(995)),
    };
    Typed {
        revision: desk.draft.revision.to_string(),
        smtp_host: smtp.0,
        smtp_port: smtp.1,
        smtp_tls: smtp.2,
        imap_host: imap.0,
        imap_port: imap.1,
        imap_tls: imap.2,
        pop3_host: pop3.0,
        pop3_port: pop3.1,
        pop3_tls: pop3.2,
        user_name: details.user_name.clone(),
        opens: details.opens.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

fn servers(page: &Page, typed: &Typed) -> [Server; 3] {
    [
        Server::new(page, "smtp", (&typed.smtp_host, &typed.smtp_port, &typed.smtp_tls)),
        Server::new(page, "imap", (&typed.imap_host, &typed.imap_port, &typed.imap_tls)),
        Server::new(page, "pop3", (&typed.pop3_host, &typed.pop3_port, &typed.pop3_tls)),
    ]
}

pub(super) async fn ask(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<DraftId>,
    Form(typed): Form<Typed>,
) -> Done {
    let desk = Desk::open(&app, &page, &signed, id).await?;
    if let DraftState::Finished(account) = desk.draft.state {
        return Ok(see_other(&super::account_path(account)));
    }
    let typed = if typed.revision.is_empty() { filled(&desk) } else { typed };
    let all = servers(&page, &typed);
    Ok(form(&desk, typed, all, Wrong::default()))
}

fn form(desk: &Desk, typed: Typed, all: [Server; 3], wrong: Wrong) -> axum::response::Response {
    let t = desk.page.t;
    let is_wrong = all.iter().any(Server::is_wrong) || wrong.user_name.is_some() || wrong.opens.is_some();
    let status = if is_wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let [smtp, imap, pop3] = all;
    let text = match (&desk.draft.details.endpoints, desk.preset().word.as_str()) {
        (None, _) => t.fill("connect.servers_guess", &[("domain", desk.draft.details.address.domain())]),
        (Some(_), OTHER) => t.of("connect.servers_own").to_owned(),
        (Some(_), _) => t.of("connect.servers_text").to_owned(),
    };
    let shown = ServersPage {
        title: t.fill("connect.servers_title", &[("address", desk.draft.details.address.as_str())]),
        text,
        href: desk.path("/servers"),
        ways: desk.path(""),
        revision: typed.revision,
        servers: vec![smtp, imap],
        pop3,
        user_name: typed.user_name,
        opens: desk.rules.then_some(typed.opens),
        is_wrong,
        wrong,
        page: desk.page.clone().at(Nav::Accounts),
    };
    show(status, &shown)
}

pub(super) async fn put(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<DraftId>,
    Form(typed): Form<Typed>,
) -> Done {
    let desk = Desk::open(&app, &page, &signed, id).await?;
    let revision: u64 = typed.revision.trim().parse().unwrap_or_default();
    let (mut all, mut wrong) = (servers(&page, &typed), Wrong::default());
    let smtp = all[0].read(&desk, true).await;
    let (imap, pop3) = (all[1].read(&desk, false).await, all[2].read(&desk, false).await);
    let user_name = typed.user_name.trim().to_owned();
    if user_name.is_empty() {
        wrong.user_name = Some(page.t.of("connect.user_name_wrong").to_owned());
    } else if !desk.rules && is_somebody_else(&user_name, &desk.draft.details.address) {
        wrong.user_name = Some(page.t.of("connect.user_name_other").to_owned());
    }
    let opens = match typed.opens.trim() {
        // An administrator's to say.
        _ if !desk.rules => desk.draft.details.opens.clone(),
        "" => None,
        text => {
            let parsed = text.parse::<EmailAddress>();
            if parsed.is_err() {
                wrong.opens = Some(page.t.of("common.not_an_address").to_owned());
            }
            // The mailbox that it signs in as anyway is no other one.
            parsed.ok().filter(|it| !is_same(&user_name, it))
        }
    };
    let is_wrong = all.iter().any(Server::is_wrong) || wrong.user_name.is_some() || wrong.opens.is_some();
    let Some(smtp) = smtp.filter(|_| !is_wrong) else { return Ok(form(&desk, typed, all, wrong)) };
    // Whoever sends this form has seen the servers' names (OC-12).
    let details = Details {
        endpoints: Some(Endpoints { smtp, imap, pop3 }),
        user_name,
        opens,
        found_at: None,
        ..desk.draft.details.clone()
    };
    let host = details.endpoints.as_ref().map_or("", |it| &it.smtp.host);
    let shown = Some(host).filter(|host| !desk.preset().has_server(host));
    let shown = shown.and_then(|host| desk.providers().named_by_server(host));
    let leaves = shown.as_ref().map(|it| {
        page.t.fill("connect.servers_of", &[("host", host), ("provider", it.preset.name.as_str())])
    });
    let details = shown.as_ref().map_or_else(|| details.clone(), |it| of_servers(details.clone(), it));
    match desk.connecting.change(id, revision, details).await {
        Ok(_) => {}
        Err(ConnectError::Invalid(Invalid::UserName)) => {
            wrong.user_name = Some(page.t.of("connect.user_name_wrong").to_owned());
            return Ok(form(&desk, typed, all, wrong));
        }
        Err(why) => return Err(desk.stopped(why)),
    }
    if let Some(words) = leaves {
        page.leave(Alert::good(words));
        return desk.to("");
    }
    let first = desk.providers().methods(desk.preset(), Client::None).first.method;
    desk.to(match first {
        Method::Password if desk.service().is_none() => "/password?method=password",
        _ => "",
    })
}

/// A user name that is the address of another mailbox. One that is no address says nothing.
fn is_somebody_else(user_name: &str, address: &EmailAddress) -> bool {
    user_name.parse::<EmailAddress>().is_ok_and(|it| !it.is_same_mailbox(address))
}

fn is_same(user_name: &str, address: &EmailAddress) -> bool {
    user_name.parse::<EmailAddress>().is_ok_and(|it| it.is_same_mailbox(address))
}
