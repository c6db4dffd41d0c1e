//! The demo's first letter: handed in by a real SMTP session at our own door, and awaited in the sandbox's mailbox.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gatepost_core::{Domain, Phase, SecretText, TlsMode, World};
use gatepost_net::{ClientTls, Dialer, Guard, Host, Resolver};
use gatepost_upstream::smtp::{Greeted, SmtpSession};
use gatepost_upstream::{Credential, Deadlines, Endpoint, SignIn, UpstreamError};
use tokio::time::{Instant, sleep};

use super::shown::DemoReady;
use super::{ADDRESS, RECIPIENT};
use crate::answer::AppPasswordMade;
use crate::app::App;
use crate::control::Refusal;

/// How long the letter may take to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(20);
/// How often the mailbox is asked; it announces nothing.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// Longest answer of the mailbox that is read.
const MOST_BYTES: usize = 1 << 20;

/// Everything that is needed to send it once the door is open.
pub(super) struct FirstLetter {
    /// Not the server's own dialler: that one refuses our own doors, so that letters do not go round in circles.
    dialer: Dialer,
    tls: ClientTls,
    host: Domain,
    door: SocketAddr,
    mailboxes: SocketAddr,
    password: SecretText,
    world: World,
}

/// Why it did not arrive.
#[derive(Debug, thiserror::Error)]
enum FirstLetterError {
    #[error("{0}")]
    Upstream(#[from] UpstreamError),
    #[error("the door answered {0}")]
    Refused(String),
    #[error("it was accepted and has not arrived within {} seconds", ARRIVES_WITHIN.as_secs())]
    NotArrived,
}

impl FirstLetter {
    pub(super) fn prepare(
        app: &App,
        ready: &DemoReady,
        mailboxes: SocketAddr,
        made: AppPasswordMade,
    ) -> Result<Self, Refusal> {
        let wrong = |error: &dyn std::fmt::Display| {
            Refusal::new(format!(
                "{}: {error}. Remove the demo's folder and start again",
                ready.certificate.display()
            ))
        };
        let authority = std::fs::read(&ready.certificate).map_err(|error| wrong(&error))?;
        let loopback = "127.0.0.1".parse().expect("this is an address");
        Ok(Self {
            dialer: Dialer::new(Resolver::system(), Arc::new(Guard::new(vec![loopback]))),
            tls: ClientTls::new(&[&authority], &app.world).map_err(|error| wrong(&error))?,
            host: app.reach.own_name.clone(),
            door: ready.submission_starttls,
            mailboxes,
            password: SecretText::new(made.password),
            world: app.world.clone(),
        })
    }

    /// Sends it, and waits until the mailbox has it.
    pub(super) async fn send_and_await(self) -> Result<(), Refusal> {
        let sent = async {
            let endpoint = Endpoint {
                host: Host::Address(self.door.ip()),
                port: self.door.port(),
                tls: TlsMode::StartTls,
            };
            let greeted =
                Greeted::connect(&self.dialer, &self.tls, &endpoint, &self.host, &Deadlines::default())
                    .await?;
            let credential = Credential::Password(self.password.clone());
            let session = greeted.sign_in(&SignIn::new(ADDRESS.to_owned(), credential)).await?;
            hand_in(session, &self.text()).await?;
            self.arrived().await
        };
        sent.await.map_err(|error: FirstLetterError| {
            Refusal::new(format!(
                "the first letter was not delivered: {error}. The portal and `gatepost outbox list` say more"
            ))
        })
    }

    fn text(&self) -> String {
        // RFC 5322 §3.6: From and Date must be there; the rest is for whoever reads it.
        format!(
            "From: Demo practice <{ADDRESS}>\r\nTo: {RECIPIENT}\r\nSubject: The first letter\r\nDate: {}\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
             This letter was handed to Gatepost by SMTP, with an app password.\r\n\
             Gatepost stored it durably, said 250, signed in at the mailbox provider and passed it on.\r\n",
            self.world.now().to_rfc5322()
        )
    }

    /// Waits until the recipient's mailbox has a letter.
    async fn arrived(&self) -> Result<(), FirstLetterError> {
        let deadline = Instant::now() + ARRIVES_WITHIN;
        while Instant::now() < deadline {
            let answer = self.ask_mailbox(deadline).await.unwrap_or_default();
            if answer.contains("\"message_id\"") {
                return Ok(());
            }
            sleep(ASK_EVERY).await;
        }
        Err(FirstLetterError::NotArrived)
    }

    /// One request and its answer (RFC 9112), as text; `None` if anything is wrong with the connection.
    async fn ask_mailbox(&self, deadline: Instant) -> Option<String> {
        let (host, port) = (Host::Address(self.mailboxes.ip()), self.mailboxes.port());
        let mut connection = self.dialer.dial(&host, port).await.ok()?.connection;
        let request = format!(
            "GET /api/mailboxes/{RECIPIENT}/messages HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.mailboxes
        );
        connection.write_all(request.as_bytes(), deadline).await.ok()?;
        // The other side closes when all is said.
        while connection.buffered().len() < MOST_BYTES && connection.fill_more(deadline).await.is_ok() {}
        Some(String::from_utf8_lossy(connection.buffered()).into_owned())
    }
}

async fn hand_in(mut session: SmtpSession, text: &str) -> Result<(), FirstLetterError> {
    let span = session.deadlines().message;
    for (words, code, phase) in [
        (format!("MAIL FROM:<{ADDRESS}>\r\n"), 250, Phase::Mail),
        (format!("RCPT TO:<{RECIPIENT}>\r\n"), 250, Phase::Recipient),
        ("DATA\r\n".to_owned(), 354, Phase::Data),
        // No line of the text begins with a dot.
        (format!("{text}.\r\n"), 250, Phase::Message),
    ] {
        session.send_commands(words.as_bytes(), phase).await?;
        let reply = session.read_reply(phase, span).await?;
        if reply.code != code {
            return Err(FirstLetterError::Refused(reply.text_joined()));
        }
    }
    session.quit().await;
    Ok(())
}
