//! The fields of a person, in the form that invites and in the one that changes.

use gatepost_core::LocationId;
use gatepost_identity::Location;
use serde::Deserialize;

use crate::frame::{App, Problem, Signed};

/// What was typed.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    /// Random: the second of two clicks carries the same one. Empty on a page that is shown for the first time.
    pub(super) form_id: String,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) role: String,
    pub(super) location: String,
}

/// What is wrong with it.
#[derive(Clone, Default)]
pub(super) struct Wrong {
    pub(super) name: Option<String>,
    pub(super) address: Option<String>,
    pub(super) role: Option<String>,
}

impl Wrong {
    pub(super) const fn is_any(&self) -> bool {
        self.name.is_some() || self.address.is_some() || self.role.is_some()
    }
}

/// One entry of the list of locations.
pub(super) struct Place {
    pub(super) id: String,
    pub(super) name: String,
}

pub(super) async fn places(app: &App, signed: &Signed) -> Result<Vec<Place>, Problem> {
    let all = app.rooms.identity.list_locations(signed.organisation()).await?;
    let place = |it: Location| Place { id: it.id.to_string(), name: it.name };
    Ok(all.into_iter().map(place).collect())
}

/// The location that was chosen from the list; one that was never in it is not there.
pub(super) fn chosen(places: &[Place], id: &str) -> Result<Option<LocationId>, Problem> {
    if id.is_empty() {
        return Ok(None);
    }
    let known = places.iter().any(|it| it.id == id);
    id.parse().ok().filter(|_| known).map(Some).ok_or(Problem::NotFound)
}
