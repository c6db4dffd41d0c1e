//! What is remembered of many accounts.

use std::sync::Arc;

use gatepost_testkit::on_both_engines;

use super::*;
use crate::memory::Memory;

on_both_engines!(
    ROOMS;
    a_change_of_one_account_leaves_the_memory_of_all_others,
    nothing_is_read_where_nothing_has_changed,
);

async fn a_change_of_one_account_leaves_the_memory_of_all_others(it: TestStore) {
    let it = Fixture::new(it).await;
    let doctor = it.accounts.add(other(it.organisation, "doctor@example.org")).await.unwrap().id;
    let memory = Memory::default();
    let before = memory.read(&it.it.store, it.organisation).await.unwrap();
    it.accounts.pause(it.organisation, it.id, Actor::Command).await.unwrap();
    it.accounts.set_default(it.organisation, Serves::Organisation, doctor, Actor::Command).await.unwrap();
    let after = memory.read(&it.it.store, it.organisation).await.unwrap();
    assert!(after.live(it.id).unwrap().is_held() && !before.live(it.id).unwrap().is_held());
    assert_eq!(after.defaults[&Serves::Organisation], doctor);
    it.accounts.pause(it.organisation, it.id, Actor::Command).await.unwrap();
    it.accounts.resume(it.organisation, it.id, Actor::Command).await.unwrap();
    let last = memory.read(&it.it.store, it.organisation).await.unwrap();
    assert!(!last.live(it.id).unwrap().is_held());
    assert!(Arc::ptr_eq(&after.records[&doctor], &last.records[&doctor]), "the doctor's account is shared");
}

async fn nothing_is_read_where_nothing_has_changed(it: TestStore) {
    let it = Fixture::new(it).await;
    let memory = Memory::default();
    let before = memory.read(&it.it.store, it.organisation).await.unwrap();
    // Nobody has told of this.
    it.tamper(&tampering::BREAK_STATUS, vec![it.id.into()]).await;
    let after = memory.read(&it.it.store, it.organisation).await.unwrap();
    assert!(Arc::ptr_eq(&before, &after));
    assert!(Memory::default().read(&it.it.store, it.organisation).await.is_err());
}
