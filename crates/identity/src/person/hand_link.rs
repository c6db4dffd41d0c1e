//! Links that administrators hand over, and those that letters carry.

use gatepost_core::{LinkId, OrganisationId, PersonId, Timestamp};
use gatepost_journal::{Actor, NoticeKind};
use gatepost_store::params;
use serde_json::json;

use super::administer::{find, known, name_of};
use crate::people::{NewLink, link_token, tell};
use crate::{Identity, IdentityError, LinkKind, Token, sql};

/// A link for an administrator to hand over.
pub struct HandedLink {
    /// For `PUBLIC_URL/link?token=…`.
    pub token: Token,
    /// When it is over.
    pub expires_at: Timestamp,
}

impl Identity {
    /// A link to hand over: set-up or invitation for those without a password, else a reset, which the person is told of, whichever
    /// of these was asked for; or the demo's. An invitation is the one that the letter carries, while that lives; earlier links of
    /// the other kinds die.
    pub async fn hand_link(
        &self,
        organisation: OrganisationId,
        id: PersonId,
        kind: LinkKind,
        by: Actor,
    ) -> Result<HandedLink, IdentityError> {
        self.hand_link_by_id(organisation, id, kind, LinkId::new(self.world()), by).await
    }

    /// The same where the form that asks has chosen the id of a new link. With an id that is there already nothing is done
    /// ([`IdentityError::LinkExists`]), except that the living invitation with this id is handed over.
    pub async fn hand_link_by_id(
        &self,
        organisation: OrganisationId,
        id: PersonId,
        kind: LinkKind,
        new: LinkId,
        by: Actor,
    ) -> Result<HandedLink, IdentityError> {
        let (world, tokens, now) = (self.world().clone(), self.keyring.tokens().clone(), self.world().now());
        let handed = self.store.write(move |tx| {
            // Of two that are alike, the second sees what the first has done.
            tx.row(&sql::LOCK_PERSON, params![organisation, id])?;
            let Some(person) = find(tx, organisation, id)? else {
                return Ok(Err(IdentityError::NoSuchPerson));
            };
            if person.disabled_at.is_some() {
                return Ok(Err(IdentityError::PersonDisabled(person.address.to_string())));
            }
            let kind = match (kind, person.has_password) {
                (LinkKind::SignIn, _) => LinkKind::SignIn,
                (_, true) => LinkKind::PasswordReset,
                (LinkKind::SetUp, false) => LinkKind::SetUp,
                (_, false) => LinkKind::Invitation,
            };
            let living = match kind {
                LinkKind::Invitation => {
                    tx.row(&sql::FIND_LIVING_LINK, params![organisation, id, kind.to_string(), now])?
                }
                _ => None,
            };
            let (link, expires_at) = match living {
                Some(row) => (row.get(0)?, row.get(1)?),
                None if tx.row(&sql::FIND_HANDED_LINK, params![organisation, id, new])?.is_some() => {
                    return Ok(Err(IdentityError::LinkExists));
                }
                None => {
                    tx.execute(&sql::END_LINKS_OF_KIND, params![organisation, id, kind.to_string(), now])?;
                    let link = NewLink { id: new, organisation, person: id, kind, details: json!({}) };
                    (new, link.insert(tx, &world)?)
                }
            };
            let Some(token) = link_token(tx, &tokens, &world, organisation, link)? else {
                return Ok(Err(IdentityError::NoSuchPerson));
            };
            if kind == LinkKind::PasswordReset {
                let details = json!({ "by": name_of(tx, organisation, by)? });
                tell(tx, &world, &person, NoticeKind::PasswordResetByAdministrator, details, None)?;
            }
            person.journal(tx, &world, by, "link.handed", json!({ "kind": kind.to_string() }))?;
            Ok::<_, IdentityError>(Ok(HandedLink { token, expires_at }))
        });
        known(handed.await)
    }

    /// What the form with this id has made for this person: `None` if nothing, `Some(None)` if that link is over by now.
    pub async fn find_handed_link(
        &self,
        organisation: OrganisationId,
        id: PersonId,
        link: LinkId,
    ) -> Result<Option<Option<HandedLink>>, IdentityError> {
        let (world, tokens) = (self.world().clone(), self.keyring.tokens().clone());
        let found = self.store.write(move |tx| {
            let Some(row) = tx.row(&sql::FIND_HANDED_LINK, params![organisation, id, link])? else {
                return Ok(None);
            };
            let (expires_at, token) = (row.get(0)?, link_token(tx, &tokens, &world, organisation, link)?);
            Ok::<_, IdentityError>(Some(token.map(|token| HandedLink { token, expires_at })))
        });
        found.await
    }

    /// The token of a link that a letter is about to carry; `None` if the link is over. It is the same each time, also for a page
    /// that hands it over.
    pub async fn issue_link(
        &self,
        organisation: OrganisationId,
        link: LinkId,
    ) -> Result<Option<Token>, IdentityError> {
        let (world, tokens) = (self.world().clone(), self.keyring.tokens().clone());
        let issued = self.store.write(move |tx| {
            link_token(tx, &tokens, &world, organisation, link).map_err(IdentityError::from)
        });
        issued.await
    }
}
