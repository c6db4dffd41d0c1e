//! `gatepost serve`: the doors, the portal, the sender, and what has to be done from time to time, until somebody stops them.
//!
//! What listens comes first, everything else after it: applications that come during a restart wait for a greeting some
//! milliseconds longer instead of being refused.

mod certificate;
mod choose;
mod chores;
mod doors;
mod end;
mod portal;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gatepost_core::World;
use gatepost_delivery::work::{Dispatcher, Workshop};
use gatepost_gateway::{Gateway, OpenConnections};
use gatepost_identity::{LastUses, People, RevocationWatch, SignIns};
use gatepost_store::Node;
use gatepost_submission::{KeepFree, Stands, Submission};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::{App, Closing, StartError, machine_name, own_name};
use crate::config::Settings;
use crate::control::{ControlSocket, Refusal};
use crate::data_dir::DataDir;
use crate::output::Output;
use crate::process::{Budget, PortalDoor};
use crate::{log, stop};
use choose::Chooser;
use doors::{Doors, Running};
use gatepost_notices::Notices;
use gatepost_portal::PretendPhone;
use portal::{Behind, PortalDoors};

/// How long a command may keep the data folder before a server that starts gives up.
const PATIENCE: Duration = Duration::from_secs(15);

/// A server that listens.
pub(crate) struct Server {
    pub(crate) app: App,
    /// Where applications reach it, and the authority they must trust.
    pub(crate) ready: Ready,
    /// Lets people in.
    pub(crate) people: People,
    closing: Closing,
    parts: Parts,
}

/// What runs in a server, not yet running.
struct Parts {
    doors: Doors,
    portal: PortalDoors,
    notices: Option<Notices>,
    submission: Arc<Submission<Chooser>>,
    gateway: Arc<Gateway>,
    control: ControlSocket,
    certificate: certificate::Certificate,
    watch: RevocationWatch,
    last_uses: LastUses,
    node: Node,
    /// Ends what takes in new work.
    taking: CancellationToken,
}

/// Where a server listens, in the shape that is promised to programs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Ready {
    /// Where the pages for people are; nowhere if empty.
    pub(crate) portal: Vec<SocketAddr>,
    pub(crate) submission_starttls: Vec<SocketAddr>,
    pub(crate) submission_tls: Vec<SocketAddr>,
    pub(crate) imap_starttls: Vec<SocketAddr>,
    pub(crate) imap_tls: Vec<SocketAddr>,
    pub(crate) pop3_starttls: Vec<SocketAddr>,
    pub(crate) pop3_tls: Vec<SocketAddr>,
    /// The local authority that applications must trust; none where the certificate comes from files.
    pub(crate) certificate: Option<PathBuf>,
}

/// Runs until it is stopped.
pub(crate) async fn serve(config: Option<&Path>, output: Output, world: &World) -> Result<(), Refusal> {
    let settings = Settings::load(config).map_err(StartError::from)?;
    log::start(settings.log, world);
    let stop = stop::when_asked()?;
    let server = Server::start(Arc::new(settings), None, world).await?;
    output.json(&server.ready);
    server.run(stop).await
}

impl Server {
    /// Opens everything and listens. Whoever connects is served once [`Server::run`] is called.
    /// `phone` is the demo's.
    pub(crate) async fn start(
        settings: Arc<Settings>,
        phone: Option<Arc<dyn PretendPhone>>,
        world: &World,
    ) -> Result<Self, Refusal> {
        let budget = budget(&settings)?;
        let data_dir = DataDir::take_soon(&settings.data_dir, PATIENCE).await.map_err(StartError::from)?;
        // Whoever connects from now on waits for the greeting instead of being refused.
        let doors = Doors::open(&settings, &budget)?;
        let (app, closing) = App::open(settings, data_dir, world.clone()).await?;
        match Self::furnish(&app, &closing, doors, phone, budget).await {
            Ok((ready, people, parts)) => Ok(Self { app, ready, people, closing, parts }),
            Err(refusal) => {
                drop(app);
                closing.finish().await;
                Err(refusal)
            }
        }
    }

    /// What runs behind the doors.
    async fn furnish(
        app: &App,
        closing: &Closing,
        doors: Doors,
        phone: Option<Arc<dyn PretendPhone>>,
        budget: Budget,
    ) -> Result<(Ready, People, Parts), Refusal> {
        // Nobody has run `init` on a database server that is empty.
        let organisations = app.identity.list_organisations().await.map_err(|error| app.refuse(error))?;
        if organisations.is_empty() {
            return Err(Refusal::new(
                "there is no organisation in this database yet. Run: gatepost init --config FILE --admin EMAIL",
            ));
        }
        let certificate = certificate::open(app).await?;
        for address in doors.addresses() {
            // Letters would go round in circles.
            app.reach.dialer.guard().add_own_listener(address);
        }
        let control = ControlSocket::listen(closing.data_dir()).map_err(|error| {
            Refusal::new(format!(
                "cannot listen for commands in {}: {error}. Choose a data_dir with a shorter path, on a file system with sockets",
                app.data_dir().display()
            ))
        })?;
        let (watch, last_uses) = (RevocationWatch::new(app.store.clone()), LastUses::new(app.store.clone()));
        let refuse = |error| app.refuse::<gatepost_store::StoreError>(error);
        let sign_ins =
            SignIns::open(app.store.clone(), app.keyring.clone(), last_uses.clone(), watch.clone()).await;
        let node = Node::enter(&app.store, &machine_name(), env!("CARGO_PKG_VERSION")).await;
        let (sign_ins, node) = (Arc::new(sign_ins.map_err(refuse)?), node.map_err(refuse)?);
        let people = People::new(&app.identity, &sign_ins, hashing_workers());
        // Links that sign in are for the demo alone, which has a phone.
        let people = if phone.is_some() { people.with_sign_in_links() } else { people };
        let open = OpenConnections::default();
        let behind = Behind {
            people: &people,
            sign_ins: &sign_ins,
            certificate: &certificate,
            n_connections: budget.pages,
            ports: doors.ports(),
            open: &open,
            phone,
        };
        let portal = PortalDoors::open(app, &behind)?;
        let notices = PortalDoors::open_notices(app);
        let taking = CancellationToken::new();
        let gateway = gateway(app, (&sign_ins, &watch), &certificate, (&taking, open));
        let stands = Stands {
            outbox: app.outbox.clone(),
            sign_ins,
            watch: watch.clone(),
            tls: certificate.tls.clone(),
            world: app.world.clone(),
            stop: taking.clone(),
        };
        let chooser = Chooser::new(app.accounts.clone());
        let submission = Arc::new(Submission::new(
            stands,
            chooser,
            submission_settings(app, budget.share(app.settings.submission.connections_total)),
        ));
        let ready = Ready {
            portal: portal.addresses(),
            submission_starttls: doors.submission.starttls_addresses(),
            submission_tls: doors.submission.tls_addresses(),
            imap_starttls: doors.imap.starttls_addresses(),
            imap_tls: doors.imap.tls_addresses(),
            pop3_starttls: doors.pop3.starttls_addresses(),
            pop3_tls: doors.pop3.tls_addresses(),
            certificate: certificate.authority_file.clone(),
        };
        Ok((
            ready,
            people,
            Parts {
                doors,
                portal,
                notices,
                submission,
                gateway,
                control,
                certificate,
                watch,
                last_uses,
                node,
                taking,
            },
        ))
    }

    /// Serves until `stop`, or until the disk fails.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), Refusal> {
        let Self { app, ready, people, closing, parts } = self;
        let Parts {
            doors,
            portal,
            notices,
            submission,
            gateway,
            control,
            certificate,
            watch,
            last_uses,
            node,
            taking,
        } = parts;
        let (sessions, tasks, last) = (TaskTracker::new(), TaskTracker::new(), CancellationToken::new());
        // Before the first sign-in, which is refused while nobody knows what was removed.
        if let Err(error) = watch.look().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "removals of app passwords cannot be read"
            );
        }
        tasks.spawn(watch.run(last.clone()));
        let running = Running { tls: &certificate.tls, sessions: &sessions, tasks: &tasks, stop: &taking };
        doors.serve(&submission, &gateway, running);
        tasks.spawn(gateway.watch_accounts(taking.clone()));
        portal.serve(&sessions, &taking);
        tasks.spawn(control.serve(Arc::new(app.clone()), taking.clone()));
        let dispatcher = Dispatcher::new(Workshop {
            outbox: app.outbox.clone(),
            accounts: app.accounts.clone(),
            dialer: app.reach.dialer.clone(),
            tls: app.reach.tls.clone(),
            host: app.reach.own_name.clone(),
            node: node.id(),
        });
        let mut sending = tokio::spawn(dispatcher.run(taking.clone()));
        if let Some(notices) = notices {
            tasks.spawn(notices.run(taking.clone()));
        }
        tasks.spawn(node.keep_alive(last.clone()));
        chores::start(&app, certificate, &last_uses, people, &tasks, &last);
        tracing::info!(
            portal = ?ready.portal,
            submission.starttls = ?ready.submission_starttls,
            submission.tls = ?ready.submission_tls,
            imap.starttls = ?ready.imap_starttls,
            imap.tls = ?ready.imap_tls,
            pop3.starttls = ?ready.pop3_starttls,
            pop3.tls = ?ready.pop3_tls,
            data_dir = %app.data_dir().display(),
            version = env!("CARGO_PKG_VERSION"),
            "ready"
        );
        drop(submission);
        let why = end::wait(&stop, app.store.broken(), &mut sending).await;
        taking.cancel();
        end::finish(end::Ending { app, closing, sessions, sending, tasks, last, last_uses }, &why).await;
        why.into_result()
    }
}

/// ID-6: as many passwords are hashed at once as there are processors.
fn hashing_workers() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

fn budget(settings: &Settings) -> Result<Budget, Refusal> {
    let total = |it: &crate::config::ReadingSettings| if it.is_open() { it.connections_total } else { 0 };
    let wanted = settings.submission.connections_total + total(&settings.imap) + total(&settings.pop3);
    let portal = if settings.portal.listen.is_empty() { PortalDoor::None } else { PortalDoor::Open };
    let budget = Budget::of_this_process(wanted, portal).map_err(Refusal::new)?;
    if let Some(shortage) = &budget.shortage {
        tracing::warn!("{shortage}");
    }
    Ok(budget)
}

fn gateway(
    app: &App,
    (sign_ins, watch): (&Arc<SignIns>, &RevocationWatch),
    certificate: &certificate::Certificate,
    (stop, open): (&CancellationToken, OpenConnections),
) -> Arc<Gateway> {
    let stands = gatepost_gateway::Stands {
        accounts: app.accounts.clone(),
        target: |who| crate::carry_out::target(who.target, who.home_location),
        reach: app.reach.clone(),
        sign_ins: Arc::clone(sign_ins),
        watch: watch.clone(),
        tls: certificate.tls.clone(),
        world: app.world.clone(),
        stop: stop.clone(),
    };
    let given = [&app.settings.imap, &app.settings.pop3];
    let sessions = |it: &&crate::config::ReadingSettings| it.connections_per_app_password;
    let settings = gatepost_gateway::Settings {
        sessions_per_app_password: given.map(|it| u32::try_from(sessions(&it)).unwrap_or(u32::MAX)),
        exempt_networks: given.map(|it| it.exempt_networks.clone()),
        ..gatepost_gateway::Settings::default()
    };
    Gateway::new(stands, settings, open)
}

fn submission_settings(app: &App, n_connections: u64) -> gatepost_submission::Settings {
    let given = &app.settings.submission;
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let defaults = gatepost_submission::Settings::new(own_name(&app.settings), app.data_dir().to_owned());
    gatepost_submission::Settings {
        max_message_bytes: given.max_message_bytes,
        max_recipients: count(given.max_recipients),
        max_letters_at_once: defaults.max_letters_at_once.min(count(n_connections)),
        keep_free: KeepFree { folder: app.data_dir().to_owned(), ..defaults.keep_free },
        ..defaults
    }
}
