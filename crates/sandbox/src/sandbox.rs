//! The whole provider, from start to end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gatepost_core::World;
use gatepost_net::{Admission, Door, Limits, Listener, serve};
use gatepost_web::WebDoor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::storage;
use crate::fault::Faults;
use crate::imap::ImapDoor;
use crate::lifetime::{Residence, SandboxReady, folder, outlive_demos};
use crate::mailbox::Mailboxes;
use crate::oauth::{self, OAuth};
use crate::phone::Phone;
use crate::pop3::Pop3Door;
use crate::provider::{Provider, Sessions};
use crate::smtp::SmtpDoor;
use crate::{SandboxError, api, authority, pages};

/// How long sessions may take to end.
const END_WITHIN: Duration = Duration::from_secs(3);

/// What to start.
#[derive(Clone, Debug)]
pub struct SandboxSettings {
    /// The data folder; the sandbox keeps everything in `sandbox` below it.
    pub data: PathBuf,
    /// Where the pages are, on loopback; port 0 lets the system choose.
    pub pages: SocketAddr,
    /// Where SMTP is, on loopback; port 0 lets the system choose.
    pub smtp: SocketAddr,
    /// Where IMAP is, on loopback; port 0 lets the system choose.
    pub imap: SocketAddr,
    /// Where POP3 is, on loopback; port 0 lets the system choose.
    pub pop3: SocketAddr,
    /// How long it lives.
    pub lifetime: Lifetime,
}

/// How long a sandbox lives, if nobody stops it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// For ever.
    Unlimited,
    /// Until no demo has lived in the folder for 60 seconds; see [`crate::attend`].
    WithDemo,
}

/// A sandbox that listens, not yet to anybody.
pub struct Sandbox {
    provider: Arc<Provider>,
    pages: Listener,
    smtp: Listener,
    imap: Listener,
    pop3: Listener,
    ready: SandboxReady,
    folder: PathBuf,
    lifetime: Lifetime,
    residence: Residence,
}

impl Sandbox {
    /// Takes the folder and the ports. On return it can be found by [`crate::find_living`], and whoever connects waits until
    /// [`Sandbox::run`].
    pub async fn start(settings: SandboxSettings, world: &World) -> Result<Self, SandboxError> {
        for address in [settings.pages, settings.smtp, settings.imap, settings.pop3] {
            // OP-14.
            if !address.ip().is_loopback() {
                return Err(SandboxError::NotLoopback(address));
            }
        }
        let data = std::path::absolute(&settings.data).map_err(storage("find", &settings.data))?;
        let folder = folder(&data);
        make_private(&folder)?;
        let mut residence = Residence::take(&folder).await?;
        let opening = {
            let (folder, world) = (folder.clone(), world.clone());
            tokio::task::spawn_blocking(move || {
                Ok::<_, SandboxError>((
                    Mailboxes::open(&folder, &world)?,
                    Phone::open(&folder)?,
                    OAuth::open(&folder, &world)?,
                    authority::open(&folder, &world)?,
                ))
            })
        };
        let (mailboxes, phone, mut oauth, (certificate, tls)) =
            opening.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        let (pages, smtp) = (Listener::bind(settings.pages)?, Listener::bind(settings.smtp)?);
        let (imap, pop3) = (Listener::bind(settings.imap)?, Listener::bind(settings.pop3)?);
        let ready = SandboxReady {
            process: std::process::id(),
            pages: pages.address(),
            smtp: smtp.address(),
            imap: imap.address(),
            pop3: pop3.address(),
            certificate,
        };
        oauth.issuer = format!("http://{}", ready.pages);
        residence.announce(&ready)?;
        let provider = Arc::new(Provider {
            mailboxes: Arc::new(mailboxes),
            phone: Arc::new(phone),
            oauth: Arc::new(oauth),
            faults: Faults::default(),
            sessions: Arc::new(Sessions::default()),
            tls,
            world: world.clone(),
            stop: CancellationToken::new(),
        });
        Ok(Self { provider, pages, smtp, imap, pop3, ready, folder, lifetime: settings.lifetime, residence })
    }

    /// Where it is found.
    #[must_use]
    pub const fn ready(&self) -> &SandboxReady {
        &self.ready
    }

    /// Serves until `stop`, or until its lifetime is over. Messages that were accepted are kept; sessions get a last line.
    pub async fn run(self, stop: CancellationToken) -> Result<(), SandboxError> {
        let everything = self.provider.stop.clone();
        let web = {
            let router = pages::router(self.provider.clone(), self.ready.clone())
                .merge(api::router(self.provider.clone(), self.ready.pages))
                .merge(oauth::router(self.provider.clone()));
            gatepost_web::serve(WebDoor::on_loopback(self.pages), router, everything.clone())
        };
        let sessions = TaskTracker::new();
        let smtp = serve(
            Door { listener: self.smtp, implicit_tls: None, proxies: Vec::new() },
            Arc::new(SmtpDoor(self.provider.clone())),
            Admission::new(Limits::default()),
            sessions.clone(),
            everything.clone(),
        );
        let imap = serve(
            Door { listener: self.imap, implicit_tls: None, proxies: Vec::new() },
            Arc::new(ImapDoor(self.provider.clone())),
            Admission::new(Limits::default()),
            sessions.clone(),
            everything.clone(),
        );
        let pop3 = serve(
            Door { listener: self.pop3, implicit_tls: None, proxies: Vec::new() },
            Arc::new(Pop3Door(self.provider)),
            Admission::new(Limits::default()),
            sessions.clone(),
            everything.clone(),
        );
        let (lifetime, folder, mut residence) = (self.lifetime, self.folder, self.residence);
        let ending = async {
            let ended = tokio::select! {
                () = stop.cancelled() => Ok(()),
                ended = outlive_demos(&folder), if lifetime == Lifetime::WithDemo => ended,
            };
            // First, so that no demo adopts a sandbox that is about to end.
            let retired = residence.retire();
            everything.cancel();
            ended.and(retired)
        };
        let ((), (), (), (), ended) = tokio::join!(web, smtp, imap, pop3, ending);
        sessions.close();
        let _elapsed = tokio::time::timeout(END_WITHIN, sessions.wait()).await;
        ended
    }
}

/// Readable by its owner alone: passwords lie in it.
fn make_private(folder: &std::path::Path) -> Result<(), SandboxError> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(folder).map_err(storage("create", folder))?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
        .map_err(storage("protect", folder))
}

#[cfg(test)]
mod tests;
