//! Where setting an authenticator app up stands, for pages that are looked at again.

use gatepost_store::{StoreError, params};

use super::list_authenticators;
use crate::{AccountProblem, Enrolment, People, Session, SettingUp, sql};

impl People {
    /// Where setting an authenticator app up stands. Changes nothing, so that a page may be reloaded.
    pub async fn setting_up(&self, session: &Session) -> Result<SettingUp, AccountProblem> {
        let (person, now) = (session.person.clone(), self.identity().world().now());
        let (organisation, owner) = (person.organisation, person.id);
        let (all, name) = self
            .read(move |tx| {
                let all = list_authenticators(tx, organisation, owner)?;
                let row = tx.row(&sql::FIND_ORGANISATION_NAME, params![organisation])?;
                Ok::<_, StoreError>((all, row.map_or(Ok(String::new()), |row| row.get::<String>(0))?))
            })
            .await?;
        if all.iter().any(|it| it.is_proven(session, now)) {
            return Ok(SettingUp::Proven);
        }
        let replaces = all.iter().any(|it| it.active_at.is_some());
        let Some(begun) = all.into_iter().find(|it| it.is_begun(session, now)) else {
            return Ok(SettingUp::Nothing);
        };
        let secret = self.open_authenticator(&person, &begun).await?;
        let uri = secret.uri(&format!("Gatepost {name}"), person.address.as_str());
        Ok(SettingUp::Begun(Enrolment { id: begun.id, uri, key: secret.key(), replaces }))
    }
}
