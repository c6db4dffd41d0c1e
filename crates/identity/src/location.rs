//! Locations: the sites of an organisation.

use gatepost_core::{LocationId, OrganisationId, Timestamp};
use gatepost_journal::{Actor, Entry};
use gatepost_store::{Row, StoreError, params};
use serde_json::json;

use crate::identity::checked_name;
use crate::{Identity, IdentityError, sql};

/// One site of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Its id.
    pub id: LocationId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// What people call it.
    pub name: String,
    /// Its name in small letters, digits and hyphens, from which its login's user name is made.
    pub slug: String,
    /// When it was added.
    pub created_at: Timestamp,
}

impl TryFrom<Row> for Location {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            organisation: row.get(1)?,
            name: row.get(2)?,
            slug: row.get(3)?,
            created_at: row.get(4)?,
        })
    }
}

/// How many slugs are tried (`name`, `name-2`, `name-3`…) before giving up.
const MOST_SUFFIXES: u32 = 50;

impl Identity {
    /// Adds a location with a name that this organisation does not have yet.
    pub async fn add_location(
        &self,
        organisation: OrganisationId,
        name: &str,
        by: Actor,
    ) -> Result<Location, IdentityError> {
        let name = checked_name(name).map_err(IdentityError::BadName)?;
        let (id, created_at) = (LocationId::new(self.world()), self.world().now());
        let world = self.world().clone();
        self.store
            .write(move |tx| {
                // Two at once with the same name come one after the other.
                tx.row(&sql::LOCK_ORGANISATION, params![organisation])?;
                if tx.row(&sql::FIND_LOCATION, params![organisation, &name])?.is_some() {
                    return Ok(Err(IdentityError::LocationExists(name.clone())));
                }
                for slug in with_suffixes(&slug(&name), '-') {
                    let values = params![id, organisation, &name, &slug, created_at];
                    if tx.execute(&sql::INSERT_LOCATION, values)? == 1 {
                        gatepost_journal::append(
                            tx,
                            &world,
                            &Entry {
                                organisation,
                                actor: by,
                                action: "location.added",
                                subject: "location",
                                subject_id: Some(id.uuid()),
                                details: json!({ "name": name }),
                            },
                        )?;
                        return Ok(Ok(Location { id, organisation, name: name.clone(), slug, created_at }));
                    }
                }
                Ok::<_, IdentityError>(Err(IdentityError::LocationExists(name.clone())))
            })
            .await?
    }

    /// All locations of an organisation, by name.
    pub async fn list_locations(&self, organisation: OrganisationId) -> Result<Vec<Location>, IdentityError> {
        let rows = self.store.read(move |tx| tx.rows(&sql::LIST_LOCATIONS, params![organisation])).await?;
        let mut all = rows.into_iter().map(Location::try_from).collect::<Result<Vec<_>, _>>()?;
        all.sort_by_cached_key(|it| it.name.to_lowercase());
        Ok(all)
    }

    /// One location.
    pub async fn get_location(
        &self,
        organisation: OrganisationId,
        id: LocationId,
    ) -> Result<Location, IdentityError> {
        let row = self.store.read(move |tx| tx.row(&sql::FIND_LOCATION_BY_ID, params![organisation, id]));
        Ok(row.await?.ok_or(IdentityError::NoSuchLocation)?.try_into()?)
    }

    /// Gives a location another name that this organisation does not have yet. The user name of its login stays, so that no
    /// application has to be changed.
    pub async fn rename_location(
        &self,
        organisation: OrganisationId,
        id: LocationId,
        name: &str,
        by: Actor,
    ) -> Result<Location, IdentityError> {
        let name = checked_name(name).map_err(IdentityError::BadName)?;
        let world = self.world().clone();
        self.store
            .write(move |tx| {
                // As when one is added.
                tx.row(&sql::LOCK_ORGANISATION, params![organisation])?;
                let Some(row) = tx.row(&sql::FIND_LOCATION_BY_ID, params![organisation, id])? else {
                    return Ok(Err(IdentityError::NoSuchLocation));
                };
                let old = Location::try_from(row)?;
                if old.name == name {
                    return Ok(Ok(old));
                }
                if tx.row(&sql::FIND_LOCATION, params![organisation, &name])?.is_some() {
                    return Ok(Err(IdentityError::LocationExists(name.clone())));
                }
                tx.execute(&sql::RENAME_LOCATION, params![organisation, id, &name])?;
                gatepost_journal::append(
                    tx,
                    &world,
                    &Entry {
                        organisation,
                        actor: by,
                        action: "location.renamed",
                        subject: "location",
                        subject_id: Some(id.uuid()),
                        details: json!({ "from": old.name, "to": name }),
                    },
                )?;
                Ok::<_, IdentityError>(Ok(Location { name: name.clone(), ..old }))
            })
            .await?
    }

    /// The location of that name.
    pub async fn find_location(
        &self,
        organisation: OrganisationId,
        name: &str,
    ) -> Result<Option<Location>, IdentityError> {
        let name = name.trim().to_owned();
        let row =
            self.store.read(move |tx| tx.row(&sql::FIND_LOCATION, params![organisation, &name])).await?;
        Ok(row.map(Location::try_from).transpose()?)
    }
}

/// `base`, `base-2`, `base-3`…
pub(crate) fn with_suffixes(base: &str, sign: char) -> impl Iterator<Item = String> {
    let base = base.to_owned();
    (1..=MOST_SUFFIXES).map(move |n| if n == 1 { base.clone() } else { format!("{base}{sign}{n}") })
}

/// A name as people can type it into any application's user name field: at most 40 small letters, digits and hyphens.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            'ä' => slug.push_str("ae"),
            'ö' => slug.push_str("oe"),
            'ü' => slug.push_str("ue"),
            'ß' => slug.push_str("ss"),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    slug.truncate(40);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "location".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_can_be_typed_anywhere() {
        for (name, want) in [
            ("Main Street", "main-street"),
            ("Praxis Süd – 1. Stock", "praxis-sued-1-stock"),
            ("  (Annex)  ", "annex"),
            ("診療所", "location"),
            (&"long name ".repeat(10), "long-name-long-name-long-name-long-name"),
        ] {
            assert_eq!(slug(name), want);
        }
    }
}
