//! `gatepost demo`: everything on loopback, with the sandbox as provider, ready to click and to send.
//!
//! The demo is an ordinary installation in a folder of its own, made by the code of `init`, run by the code of `serve`. What
//! it adds: the sandbox as a child process, one mail account there, an app password of this run, and a first letter.

mod administrator;
mod first_letter;
mod house;
mod phone;
mod ports;
mod shown;

use std::path::Path;
use std::sync::Arc;

use gatepost_core::World;
use tokio_util::sync::CancellationToken;

use crate::app::StartError;
use crate::cli::{Demo, Init};
use crate::config::Settings;
use crate::control::Refusal;
use crate::output::{Output, refuse};
use crate::sandbox::SandboxShown;
use crate::sandbox_child::{self, LivingSandbox};
use crate::serve::Server;
use crate::{demo_mark, init, stop};
use first_letter::FirstLetter;
use phone::SandboxPhone;
use ports::Ports;
use shown::DemoReady;
pub(crate) use shown::quoted;

/// The mailbox that the demo connects.
const ADDRESS: &str = "reception@sandbox.test";

/// Who signs in to the portal, and hears what happens to the account.
const ADMINISTRATOR: &str = "admin@sandbox.test";

/// Whom the first letter goes to.
const RECIPIENT: &str = "anna@sandbox.test";

/// Runs until it is stopped.
pub(crate) async fn demo(given: &Demo, output: Output, world: &World) -> Result<(), Refusal> {
    let stop = stop::when_asked()?;
    let data = std::path::absolute(&given.data).map_err(|error| {
        Refusal::new(format!(
            "cannot find {}: {error}. Choose another folder with --data",
            given.data.display()
        ))
    })?;
    demo_mark::refuse_production(&data)?;
    let ports = Ports::of(given);
    // Before anything is made: a port that another program has is the commonest mistake.
    ports.try_own()?;
    let sandbox = sandbox_child::adopt_or_start(&data, &ports.sandbox).await?;
    // Boxed, because it holds a whole server.
    let ran = Box::pin(run(&data, &ports, &sandbox, output, world, &stop)).await;
    sandbox.end().await;
    ran
}

async fn run(
    data: &Path,
    ports: &Ports,
    sandbox: &LivingSandbox,
    output: Output,
    world: &World,
    stop: &CancellationToken,
) -> Result<(), Refusal> {
    // First of all: whatever is made from here on is a demo's, also if it is cut off half-way.
    demo_mark::mark(data).map_err(|error| {
        Refusal::new(format!(
            "cannot write in {}: {error}. Choose another folder with --data",
            data.display()
        ))
    })?;
    let config = data.join("gatepost.toml");
    let pages = sandbox.shown.sandbox_pages_address();
    let settings = settings(&config, ports, &sandbox.shown, world).await?;
    let phone = Arc::new(SandboxPhone { pages });
    let server = Server::start(Arc::new(settings), Some(phone), world).await?;
    let app = server.app.clone();
    let organisation = house::organisation(&app).await?;
    let administrator = administrator::ensure(&app, &server.people, &organisation, pages).await?;
    let sign_in_link = administrator::sign_in_link(&app, &administrator).await?;
    house::connect_mailbox(&app, &organisation).await?;
    let made = house::new_app_password(&app, &organisation).await?;
    let ready = DemoReady::new(&server.ready, &sandbox.shown, &config, &made, sign_in_link);
    let first_letter = match house::has_no_letters(&app, &organisation).await? {
        true => Some(FirstLetter::prepare(&app, &ready, pages, made)?),
        false => None,
    };
    drop(app);
    // All end with `stop`; what is being told may be cut off by it.
    let (served, _) =
        tokio::join!(server.run(stop.clone()), stop.run_until_cancelled(tell(&ready, first_letter, output)),);
    served
}

/// What the folder's configuration says, with the ports of this start; all of it is made on the first.
async fn settings(
    config: &Path,
    ports: &Ports,
    shown: &SandboxShown,
    world: &World,
) -> Result<Settings, Refusal> {
    if !config.exists() {
        let new = Init {
            admin: ADMINISTRATOR.parse().expect("this is an address"),
            organisation: "Demo practice".to_owned(),
            data: None,
        };
        init::make(config, &new, house::CONFIGURATION, world).await?;
    }
    let mut settings =
        Settings::load_with(Some(config), house::providers_of(shown)).map_err(StartError::from)?;
    settings.portal.listen = vec![ports.portal];
    // Links begin with the port of this start.
    settings.public_url = None;
    settings.submission.hostname = Some("localhost".parse().expect("this is a host name"));
    settings.submission.starttls = vec![ports.submission_starttls];
    settings.submission.tls = vec![ports.submission_tls];
    (settings.imap.starttls, settings.imap.tls) = (vec![ports.imap_starttls], vec![ports.imap_tls]);
    (settings.pop3.starttls, settings.pop3.tls) = (vec![ports.pop3_starttls], vec![ports.pop3_tls]);
    Ok(settings)
}

/// The line for programs, the first letter, and then the page of text for people.
async fn tell(ready: &DemoReady, first_letter: Option<FirstLetter>, output: Output) {
    output.json(ready);
    let arrived = match first_letter {
        Some(letter) => Some(letter.send_and_await().await),
        None => None,
    };
    output.text(ready.text(matches!(arrived, Some(Ok(())))));
    if let Some(Err(refusal)) = arrived {
        refuse(refusal);
    }
}
