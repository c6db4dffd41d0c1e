//! What stands in the demo's installation: an organisation, a mailbox, an app password of this run.

use std::ffi::OsString;

use gatepost_accounts::{ApplicationKind, NewApplication};
use gatepost_core::SecretText;
use gatepost_delivery::{Filter, SubmissionView};
use gatepost_identity::Organisation;
use gatepost_journal::Actor;
use serde_json::Value;

use super::{ADDRESS, ADMINISTRATOR};
use crate::answer::AppPasswordMade;
use crate::app::App;
use crate::control::{NewAccount, NewAppPassword, PasswordOnTheWay, Refusal, Report, Target};
use crate::output::understand;
use crate::sandbox::SandboxShown;

/// The demo's configuration. Ports are given on the command line, and stand here for commands and for `serve`.
pub(super) const CONFIGURATION: &str = r#"# Made by `gatepost demo`. Relative paths begin at the folder of this file.
data_dir = "."
master_key_file = "gatepost.key"
public_url = "http://localhost:8025"

[portal]
listen = "127.0.0.1:8025"

[submission]
starttls = "127.0.0.1:1587"
tls = "127.0.0.1:1465"

[imap]
starttls = "127.0.0.1:1143"
tls = "127.0.0.1:1993"

[pop3]
starttls = "127.0.0.1:1110"
tls = "127.0.0.1:1995"

# The sandbox provider lives on this machine and has an authority of its own.
[upstream]
extra_authorities = ["sandbox/authority.pem"]
allow_private_addresses = ["127.0.0.1"]

# Mailboxes of the sandbox are connected as those of the large providers.
[providers.sandbox]
smtp = [{ host = "127.0.0.1", port = 2587, tls = "starttls" }]
imap = [{ host = "127.0.0.1", port = 2143, tls = "starttls" }]
pop3 = [{ host = "127.0.0.1", port = 2110, tls = "starttls" }]

[providers.sandbox.oauth]
authorize = "http://127.0.0.1:8026/oauth2/auth"
token = "http://127.0.0.1:8026/oauth2/token"
revoke = "http://127.0.0.1:8026/oauth2/revoke"
userinfo = "http://127.0.0.1:8026/oauth2/userinfo"
issuers = ["http://127.0.0.1:8026"]
sends_issuer = true
name = "Sandbox"
client_auth = "post"
scopes = { smtp = ["mail.send"], imap = ["mail.read.imap"], pop3 = ["mail.read.pop3"], lasting = ["offline_access"], identity = ["openid", "email"] }
scope_words = { "mail.send" = "Send mail as you (SMTP)", "mail.read.imap" = "Read, change and delete your mail (IMAP)", "mail.read.pop3" = "Read and delete your mail (POP3)" }
again = { prompt = "consent" }
login_hint = true
refresh_rotates = true
refresh_old_stays_valid = true
loopback = "http://127.0.0.1"
register = "sandbox"
"#;

/// The pages of the sandbox in [`CONFIGURATION`].
const USUAL_PAGES: &str = "127.0.0.1:8026";

/// Holds sections of providers over those of the file.
const PROVIDERS_VARIABLE: &str = "GATEPOST_PROVIDERS";

/// Its servers and its OAuth service with the addresses of this start, to be laid over a configuration as that variable is: one of
/// the environment stands in front.
pub(super) fn providers_of(shown: &SandboxShown) -> Vec<(OsString, OsString)> {
    let mut all: Vec<_> = std::env::vars_os().collect();
    if all.iter().any(|(name, _)| name == PROVIDERS_VARIABLE) {
        return all;
    }
    let section = CONFIGURATION.split_once("[providers.").map_or("", |(_, section)| section);
    let mut section =
        format!("[providers.{}", section.replace(USUAL_PAGES, &shown.sandbox_pages_address().to_string()));
    for (usual, door) in [(2587, shown.sandbox_smtp), (2143, shown.sandbox_imap), (2110, shown.sandbox_pop3)]
    {
        section = section.replace(&format!("port = {usual},"), &format!("port = {},", door.port()));
    }
    let section = section.replace("[providers.", "[");
    all.push((PROVIDERS_VARIABLE.into(), section.into()));
    all
}

/// The client that the sandbox knows from the start.
const SANDBOX_CLIENT: &str = "gatepost-sandbox";

/// The name of the app password that each start makes anew.
const APP_PASSWORD: &str = "Demo";

/// What every mailbox of the sandbox has until it is given another; no secret.
const SANDBOX_PASSWORD: &str = "sandbox";

pub(super) async fn organisation(app: &App) -> Result<Organisation, Refusal> {
    app.identity.choose_organisation(None).await.map_err(|error| app.refuse(error))
}

/// Connects the demo's mailbox, or follows the sandbox to where it listens now; then proves that it can sign in.
pub(super) async fn connect_mailbox(app: &App, organisation: &Organisation) -> Result<(), Refusal> {
    let address = ADDRESS.parse().expect("this is an address");
    let found = app.accounts.find(organisation.id, &address).await.map_err(|error| app.refuse(error))?;
    let endpoints = app.known_servers(crate::cli::SANDBOX).await?;
    let password = SecretText::new(SANDBOX_PASSWORD.to_owned());
    match found {
        None => {
            let new = NewAccount {
                provider: crate::cli::SANDBOX.to_owned(),
                address: ADDRESS.to_owned(),
                short_name: "Reception".to_owned(),
                author_name: "Demo practice".to_owned(),
                user_name: ADDRESS.to_owned(),
                smtp: None,
                imap: None,
                pop3: None,
                password: Some(PasswordOnTheWay(password)),
            };
            app.add_account(organisation, new).await?;
            register_application(app, organisation).await;
        }
        Some(account) if account.endpoints != endpoints => {
            let (id, by) = (account.id, Actor::Command);
            let moved = app.accounts.edit_endpoints(organisation.id, id, endpoints, by).await;
            moved.map_err(|error| app.refuse(error))?;
            let replaced = app.accounts.replace_secret(organisation.id, id, password, by).await;
            let change = replaced.map_err(|error| app.refuse(error))?;
            app.changed(organisation, id, change).await?;
        }
        Some(_) => {}
    }
    // What is wrong with it is shown in the portal; the demo goes on.
    if let Err(refusal) = app.check_account(organisation, ADDRESS, false, &Report::nobody()).await {
        tracing::warn!("{refusal}");
    }
    Ok(())
}

/// So that mailboxes of the sandbox can be connected by signing in; once, because people try to register their own. A sandbox that
/// does not answer is no reason to end.
async fn register_application(app: &App, organisation: &Organisation) {
    let application = NewApplication {
        service: crate::cli::SANDBOX.to_owned(),
        client_id: SANDBOX_CLIENT.to_owned(),
        secret: None,
        tenant: None,
        kind: ApplicationKind::Web,
        is_verified: true,
        is_proven: false,
    };
    let (id, public_url) = (organisation.id, app.portal_url());
    let registered =
        app.accounts.register_application(Some(id), application, public_url.as_deref(), id, Actor::Command);
    if let Err(error) = registered.await {
        tracing::warn!("the sandbox's own application is not registered: {error}");
    }
}

/// A new app password in place of the one of the start before, which nobody can look up any more.
pub(super) async fn new_app_password(
    app: &App,
    organisation: &Organisation,
) -> Result<AppPasswordMade, Refusal> {
    let all = app.identity.list_app_passwords(organisation.id).await.map_err(|error| app.refuse(error))?;
    for it in all.iter().filter(|it| it.name == APP_PASSWORD && it.user_name == ADDRESS) {
        let revoked = app.identity.revoke_app_password(organisation.id, it.id, Actor::Command).await;
        revoked.map_err(|error| app.refuse(error))?;
    }
    let new = NewAppPassword {
        target: Target::Account(ADDRESS.to_owned()),
        name: APP_PASSWORD.to_owned(),
        allow: ["smtp", "imap", "pop3"].map(str::to_owned).into(),
        networks: Vec::new(),
        expires_after_days: None,
        repair_line_ends: false,
    };
    let made: Value = app.create_app_password(organisation, new).await?;
    understand(made)
}

/// No new demo has so many letters.
const SOME_LETTERS: u32 = 20;

/// Whether this is a new demo. Notices to its administrator may have gone out before its first letter.
pub(super) async fn has_no_letters(app: &App, organisation: &Organisation) -> Result<bool, Refusal> {
    let filter = Filter { state: None, before: None, limit: SOME_LETTERS };
    let newest = app.outbox.list(organisation.id, filter).await.map_err(|error| app.refuse(error))?;
    let is_to_others =
        |it: &SubmissionView| it.recipients.iter().any(|to| to.address.as_str() != ADMINISTRATOR);
    Ok(newest.len() < SOME_LETTERS as usize && !newest.iter().any(is_to_others))
}
