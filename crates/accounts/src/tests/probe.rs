//! Which probe is made, and by whom (SC-8).

use std::time::Duration;

use gatepost_store::Value;
use gatepost_testkit::on_both_engines;

use super::*;
use crate::sql;

on_both_engines!(
    ROOMS;
    a_probe_is_claimed_once_for_its_own_direction_while_the_account_is_parked,
);

impl Fixture {
    async fn claims(&self, organisation: OrganisationId, direction: Direction) -> bool {
        let now = self.now();
        let span = Duration::from_mins(5);
        let values: [Value<'static>; 5] =
            [organisation.into(), self.id.into(), now.into(), (now + span).into(), direction.word().into()];
        self.it.store.write(move |tx| tx.execute(&sql::CLAIM_PROBE, &values)).await.unwrap() == 1
    }
}

async fn a_probe_is_claimed_once_for_its_own_direction_while_the_account_is_parked(it: TestStore) {
    let it = Fixture::new(it).await;
    for direction in [Direction::Sending, Direction::Reading] {
        it.advance(1);
        let event = it.event(refused()).await;
        it.accounts.report(it.organisation, it.id, direction, event).await.unwrap();
    }
    let due = async || it.accounts.due_probes(it.now(), Direction::Sending).await.unwrap().len();
    assert!(!it.claims(it.organisation, Direction::Reading).await, "not before its time");
    it.advance(300);
    assert!(!it.claims(OrganisationId::new(&it.it.world), Direction::Reading).await);
    assert!(it.claims(it.organisation, Direction::Reading).await);
    assert!(!it.claims(it.organisation, Direction::Reading).await, "somebody makes it");
    assert_eq!(due().await, 1, "the one for sending is still to be made");
    assert!(it.claims(it.organisation, Direction::Sending).await);
    assert_eq!(due().await, 0);
    // What was written "in the future" keeps nobody waiting until the clock has caught up.
    it.it.clock.set(it.now() - Duration::from_hours(1));
    assert_eq!(due().await, 1);
    assert!(it.claims(it.organisation, Direction::Sending).await);
    it.advance(3_600 + 300);
    it.report(What::Succeeded).await;
    it.advance(24 * 3_600);
    assert!(!it.claims(it.organisation, Direction::Sending).await, "it is not parked any more");
    assert!(it.claims(it.organisation, Direction::Reading).await);
}
