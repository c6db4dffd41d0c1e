//! What all handlers share.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use axum::routing::MethodRouter;
use gatepost_core::{OrganisationId, Timestamp};
use gatepost_identity::{CreatedAppPassword, HandedLink, RecoveryCodes};
use gatepost_web::{Asset, Zone};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Alerts, Cookies, KeptForms, Problem, Proofs, ShowOnce, Texts, Thens};
use crate::page::app_passwords::Listeners;
use crate::page::connect::{Doubted, Proving};
use crate::{PortalSettings, Rooms};

/// The state of every handler: `State(app): State<App>`.
pub(crate) type App = Arc<Shared>;

/// The rooms, the settings, and what waits in memory.
pub(crate) struct Shared {
    pub(crate) rooms: Rooms,
    pub(crate) settings: PortalSettings,
    /// Without a slash at its end.
    pub(crate) public_url: String,
    pub(crate) zone: Zone,
    pub(crate) t: &'static Texts,
    pub(crate) cookies: Cookies,
    pub(crate) assets: Assets,
    pub(crate) thens: Thens,
    pub(crate) alerts: Alerts,
    pub(crate) kept_forms: KeptForms,
    /// What went on a moment ago.
    pub(crate) proofs: Proofs,
    /// App passwords that were made just now, by their id.
    pub(crate) made_passwords: ShowOnce<CreatedAppPassword>,
    /// Links to hand over, by the person's id.
    pub(crate) handed_links: ShowOnce<HandedLink>,
    /// Recovery codes that were not typed back yet.
    pub(crate) recovery_codes: ShowOnce<RecoveryCodes>,
    /// App passwords of providers that look wrong, until somebody has said that they are meant; by their draft.
    pub(crate) doubted: ShowOnce<Doubted>,
    /// Checks of drafts, and what signing in again has set free.
    pub(crate) proving: Proving,
    /// What goes on when its page is closed.
    pub(crate) tasks: TaskTracker,
    /// Ends streams that would go on for ever.
    pub(crate) stop: CancellationToken,
    /// Letters that were counted for charts.
    pub(crate) tally: crate::page::home::Tally,
    /// Checks of mail accounts.
    pub(crate) checks: crate::page::accounts::Checks,
    /// Streams of the listening panel.
    pub(crate) listeners: Listeners,
    /// The GET row of each path, with its gate: a form whose token is too old is shown again by it.
    pub(crate) pages: RwLock<HashMap<&'static str, MethodRouter<App>>>,
}

/// The files of all pages, each at an address that changes with what it holds.
pub(crate) struct Assets {
    all: Vec<(String, Asset)>,
}

/// An organisation as pages need it.
pub(crate) struct House {
    pub(crate) name: String,
    /// Whether an administrator has named it.
    pub(crate) is_set_up: bool,
}

impl Shared {
    pub(crate) fn now(&self) -> Timestamp {
        self.rooms.store.world().now()
    }

    /// A link with the host that people know; never the one of a request.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    /// Whether administrators may come from there; from anywhere unless networks are set.
    pub(crate) fn may_administer(&self, source: IpAddr) -> bool {
        let networks = &self.settings.administration_networks;
        networks.is_empty() || networks.iter().any(|it| it.contains(source))
    }

    /// The pages hold the rooms, and the rooms' holder the pages: only this lets go of them, when the door is closed.
    pub(crate) fn forget_pages(&self) {
        self.pages.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) async fn house(&self, id: OrganisationId) -> Result<House, Problem> {
        let found = self.rooms.identity.get_organisation(id).await?.ok_or(Problem::Over)?;
        Ok(House { name: found.name, is_set_up: found.set_up_at.is_some() })
    }

    /// The session continues under another id: what waits for it follows.
    pub(crate) fn follow(&self, old: gatepost_core::SessionId, new: gatepost_core::SessionId) {
        self.made_passwords.follow(old, new);
        self.handed_links.follow(old, new);
        self.recovery_codes.follow(old, new);
        self.doubted.follow(old, new);
    }

    /// The session is over: what waits for it is gone.
    pub(crate) fn forget(&self, session: gatepost_core::SessionId) {
        self.made_passwords.forget(session);
        self.handed_links.forget(session);
        self.recovery_codes.forget(session);
        self.doubted.forget(session);
    }
}

impl Assets {
    const STYLE: usize = 0;
    const SCRIPT: usize = 1;
    const ICON: usize = 2;

    pub(crate) fn new() -> Self {
        let style = [gatepost_web::BASE_STYLE, include_str!("../../assets/portal.css")];
        let all = [
            ("style.css", Asset::new("text/css; charset=utf-8", &style)),
            ("gatepost.js", Asset::new("text/javascript; charset=utf-8", &[gatepost_web::SCRIPT])),
            ("icon.svg", Asset::new("image/svg+xml", &[gatepost_web::FAVICON])),
        ];
        Self { all: all.into_iter().map(|(name, it)| (it.address(name), it)).collect() }
    }

    fn address(&self, which: usize) -> &str {
        self.all.get(which).map_or("", |(address, _)| address)
    }

    pub(crate) fn style(&self) -> &str {
        self.address(Self::STYLE)
    }

    pub(crate) fn script(&self) -> &str {
        self.address(Self::SCRIPT)
    }

    pub(crate) fn icon(&self) -> &str {
        self.address(Self::ICON)
    }

    /// What is at that address.
    pub(crate) fn find(&self, path: &str) -> Option<&Asset> {
        self.all.iter().find(|(address, _)| address == path).map(|(_, asset)| asset)
    }
}
