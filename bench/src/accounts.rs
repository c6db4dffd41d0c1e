//! Many mail accounts: filling an installation with them, a service that refreshes their tokens and remembers when, and the
//! portal's pages about them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use gatepost::app::App;
use gatepost::config::Settings;
use gatepost::data_dir::DataDir;
use gatepost_accounts::{Endpoint, Endpoints, NewAccount, NewGrant, NewSecret, Overrides, Serves};
use gatepost_core::{SecretText, TlsMode, World};
use gatepost_journal::Actor;
use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// `fill-accounts`.
#[derive(Args)]
pub(crate) struct FillAccounts {
    /// The demo's configuration, while no demo runs
    #[arg(long)]
    config: PathBuf,
    /// How many
    #[arg(long, default_value_t = 10_000)]
    accounts: u32,
    /// Where their tokens are refreshed
    #[arg(long)]
    tokens: SocketAddr,
}

impl FillAccounts {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let settings = Settings::load(Some(&self.config))?;
        let data_dir = DataDir::take(&settings.data_dir)?;
        let opened = Box::pin(App::open(Arc::new(settings), data_dir, World::real())).await;
        let (app, closing) = opened.map_err(|error| anyhow::anyhow!("{error}"))?;
        let organisation = app.identity.choose_organisation(None).await?.id;
        let applications = app.accounts.applications(organisation).await?;
        let client = applications.first().context("the demo has no application")?.id;
        let smtp = Endpoint { host: "127.0.0.1".into(), port: 1, tls: TlsMode::StartTls };
        for n in 0..self.accounts {
            let address = format!("mailbox{n}@bench.example");
            let grant = NewGrant {
                client,
                token_url: format!("http://{}/token", self.tokens),
                refresh_token: SecretText::new(format!("refresh-{n}")),
                access_token: SecretText::new(format!("access-{n}")),
                // Over at once, as after a weekend without electricity.
                lifetime: Duration::ZERO,
                scopes: None,
                subject: Some(("https://bench.example".into(), n.to_string())),
            };
            let new = NewAccount {
                organisation,
                address: address.parse()?,
                short_name: format!("Mailbox {n}"),
                author_name: "Practice Example".into(),
                provider: "sandbox".into(),
                user_name: address,
                endpoints: Endpoints { smtp: smtp.clone(), imap: None, pop3: None },
                opens: None,
                further_addresses: Vec::new(),
                serves: Serves::Organisation,
                overrides: Overrides::default(),
                secret: NewSecret::Grant(Box::new(grant)),
                actor: Actor::Command,
            };
            app.accounts.add(new).await?;
        }
        drop(app);
        closing.finish().await;
        Ok(())
    }
}

/// `tokens`.
#[derive(Args)]
pub(crate) struct Tokens {}

#[derive(Serialize)]
struct At {
    tokens: SocketAddr,
}

/// What the service has seen since the first question.
#[derive(Default, Serialize)]
struct Refreshes {
    refreshes: usize,
    seconds: f64,
    /// In any one second.
    most_in_a_second: usize,
    /// At the same moment.
    most_at_once: usize,
}

#[derive(Default)]
struct Seen {
    at: Vec<Instant>,
    at_once: usize,
    most_at_once: usize,
}

impl Tokens {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        crate::print_json(&At { tokens: listener.local_addr()? })?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (said, mut heard) = mpsc::channel(1);
        std::thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                if said.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    tokio::spawn(refresh(accepted?.0, Arc::clone(&seen)));
                }
                line = heard.recv() => match line {
                    Some(_) => crate::print_json(&summary(&seen))?,
                    None => return Ok(()),
                },
            }
        }
    }
}

fn summary(seen: &Mutex<Seen>) -> Refreshes {
    let seen = seen.lock().expect("nobody panics with it");
    let (Some(first), Some(last)) = (seen.at.first(), seen.at.last()) else { return Refreshes::default() };
    let within = |begin: Instant| {
        seen.at.iter().filter(|it| (begin..begin + Duration::from_secs(1)).contains(it)).count()
    };
    Refreshes {
        refreshes: seen.at.len(),
        seconds: (*last - *first).as_secs_f64(),
        most_in_a_second: seen.at.iter().map(|begin| within(*begin)).max().unwrap_or(0),
        most_at_once: seen.most_at_once,
    }
}

/// A rotated refresh token, after as long as a real service takes.
async fn refresh(mut socket: TcpStream, seen: Arc<Mutex<Seen>>) -> std::io::Result<()> {
    let mut bytes = [0; 4_096];
    let _ = socket.read(&mut bytes).await?;
    let n = {
        let mut seen = seen.lock().expect("nobody panics with it");
        seen.at.push(Instant::now());
        seen.at_once += 1;
        seen.most_at_once = seen.most_at_once.max(seen.at_once);
        seen.at.len()
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    seen.lock().expect("nobody panics with it").at_once -= 1;
    let body = format!(
        r#"{{"access_token":"new-access-{n}","token_type":"Bearer","expires_in":3600,"refresh_token":"new-refresh-{n}"}}"#
    );
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ";
    socket.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).await?;
    socket.shutdown().await
}
