//! Sign-ins under way: between an application's request and our answer a person walks through a few pages.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost_core::{EmailAddress, Timestamp, World};

use super::AuthorizationRequest;

const LASTS_FOR: Duration = Duration::from_secs(3_600);

/// Sign-ins under way at the same time; the oldest is forgotten for one more.
const MOST: usize = 1_000;

/// One sign-in under way.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) request: AuthorizationRequest,
    pub(crate) stage: Stage,
}

/// The page that the person stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Which of the accounts that are signed in here?
    Choose,
    /// Which account?
    Identify,
    Password(EmailAddress),
    /// A code from the phone, or the security key.
    SecondStep(EmailAddress),
    /// The organisation wants an administrator to allow the application.
    Approval(EmailAddress),
    Consent(EmailAddress),
}

/// All of them, by the word in their address.
pub(crate) struct Flows {
    world: World,
    open: Mutex<HashMap<String, (Timestamp, Flow)>>,
}

impl Flows {
    pub(super) fn new(world: &World) -> Self {
        Self { world: world.clone(), open: Mutex::default() }
    }

    /// Remembers a flow; gives the word that goes into its address.
    pub(crate) fn begin(&self, flow: Flow) -> String {
        let now = self.world.now();
        let id = format!("{:032x}", u128::from_be_bytes(self.world.random()));
        let mut open = self.open();
        open.retain(|_, (began_at, _)| now.since(*began_at) < LASTS_FOR);
        let oldest = open.iter().min_by_key(|(_, (at, _))| *at).map(|(id, _)| id.clone());
        if let Some(oldest) = oldest.filter(|_| open.len() >= MOST) {
            open.remove(&oldest);
        }
        open.insert(id.clone(), (now, flow));
        id
    }

    pub(crate) fn find(&self, id: &str) -> Option<Flow> {
        let now = self.world.now();
        let open = self.open();
        let (began_at, flow) = open.get(id)?;
        (now.since(*began_at) < LASTS_FOR).then(|| flow.clone())
    }

    /// From now on the person stands on this page.
    pub(crate) fn move_to(&self, id: &str, stage: Stage) {
        if let Some((_, flow)) = self.open().get_mut(id) {
            flow.stage = stage;
        }
    }

    /// Ends a flow; true for the one who ended it.
    pub(crate) fn end(&self, id: &str) -> bool {
        self.open().remove(id).is_some()
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, (Timestamp, Flow)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
