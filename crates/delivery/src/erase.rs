//! Erasing the text of finished letters after their retention (QS-13), and the keys of days that have none left (VA-9).

use std::time::Duration;

use gatepost_core::{BodyId, OrganisationId, SubmissionId};
use gatepost_store::{Bodies, Keyring, Store, StoreError, delete_body, params};

use crate::sql;

/// How many letters one transaction erases.
const BATCH: u32 = 500;

/// Erases the bodies of letters that were finished `retention` ago or earlier. Returns how many.
pub(crate) async fn erase_finished(
    store: &Store,
    bodies: &Bodies,
    retention: Duration,
) -> Result<u64, StoreError> {
    let mut n_erased = 0;
    loop {
        let now = store.world().now();
        let before = now - retention;
        let rows = store.read(move |tx| tx.rows(&sql::LIST_TO_ERASE, params![before, BATCH])).await?;
        let letters: Vec<(OrganisationId, SubmissionId)> =
            rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_, StoreError>>()?;
        if letters.is_empty() {
            return Ok(n_erased);
        }
        let (n_marked, files) = store
            .write(move |tx| {
                let (mut n_marked, mut files) = (0, Vec::new());
                for (organisation, id) in &letters {
                    // Looked at again under the lock: a retry may have taken the letter up meanwhile.
                    tx.row(&sql::LOCK_SUBMISSION, params![*organisation, *id])?;
                    if tx.execute(&sql::MARK_ERASED, params![*organisation, *id, now, before])? == 1 {
                        files.extend(delete_body(tx, *organisation, BodyId::from_uuid(id.uuid()))?);
                        n_marked += 1;
                    }
                }
                Ok::<_, StoreError>((n_marked, files))
            })
            .await?;
        n_erased += n_marked;
        bodies.remove_files(files).await?;
    }
}

/// Destroys the keys under which no body is left.
pub(crate) async fn destroy_keys(store: &Store, keyring: &Keyring) -> Result<u64, StoreError> {
    keyring.destroy_spent_day_keys(store.world().now()).await
}
