//! What both engines promise every room, each test in a fresh database.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::time::Duration;

use gatepost_core::{BodyId, NodeId};
use gatepost_store::{Keyring, MIGRATIONS, RoomMigrations, Store, StoreError, delete_body, params, sql};
use gatepost_testkit::{MASTER_KEY, TestStore, on_both_engines};
use gatepost_vault::{Key, MasterKey};

const ROOMS: &[RoomMigrations] = &[MIGRATIONS];

on_both_engines!(ROOMS;
    what_was_written_is_read,
    a_refused_job_leaves_nothing_and_harms_no_other,
    a_duplicate_key_is_named,
    a_lease_is_lost_when_another_takes_it,
    a_body_of_any_size_comes_back_and_only_to_its_owner,
    a_damaged_body_is_refused,
    an_erased_body_is_gone,
    a_day_key_is_destroyed_when_its_last_body_is_gone,
    a_wrong_master_key_is_refused_by_name,
    a_newer_database_is_refused_by_name,
    a_job_that_panics_harms_no_other,
    hostile_text_is_only_data,
);

#[tokio::test]
async fn every_statement_is_understood_by_both_engines() {
    gatepost_testkit::prepare_all(sql::ALL, ROOMS).await;
}

async fn add_node(it: &TestStore, name: &str) -> Result<NodeId, StoreError> {
    let (id, now, name) = (NodeId::new(&it.world), it.world.now(), name.to_owned());
    it.store.write(move |tx| tx.execute(&sql::INSERT_NODE, params![id, &name, "1", now]).map(|_| id)).await
}

async fn what_was_written_is_read(it: TestStore) {
    let id = add_node(&it, "a").await.unwrap();
    let now = it.world.now();
    let changed = it.store.write(move |tx| tx.execute(&sql::UPDATE_STOPPED, params![id, now])).await;
    assert_eq!(changed.unwrap(), 1);
}

async fn a_refused_job_leaves_nothing_and_harms_no_other(it: TestStore) {
    let now = it.world.now();
    let good: Vec<NodeId> = (0..50).map(|_| NodeId::new(&it.world)).collect();
    let bad = NodeId::new(&it.world);
    let mut jobs = tokio::task::JoinSet::new();
    for (n, id) in good.iter().copied().enumerate() {
        let store = it.store.clone();
        jobs.spawn(async move {
            store
                .write(move |tx| tx.execute(&sql::INSERT_NODE, params![id, "good", "1", now]).map(drop))
                .await
        });
        if n % 10 == 0 {
            let store = it.store.clone();
            jobs.spawn(async move {
                let refused = store.write(move |tx| {
                    tx.execute(&sql::INSERT_NODE, params![bad, "bad", "1", now])?;
                    Err::<(), _>(StoreError::LeaseLost)
                });
                assert!(matches!(refused.await, Err(StoreError::LeaseLost)));
                Ok(())
            });
        }
    }
    while let Some(done) = jobs.join_next().await {
        done.unwrap().unwrap();
    }
    let touch = move |id| {
        move |tx: &mut gatepost_store::Transaction<'_>| tx.execute(&sql::UPDATE_HEARTBEAT, params![id, now])
    };
    for id in good {
        assert_eq!(it.store.write(touch(id)).await.unwrap(), 1);
    }
    assert_eq!(it.store.write(touch(bad)).await.unwrap(), 0);
}

async fn a_duplicate_key_is_named(it: TestStore) {
    let (id, now) = (NodeId::new(&it.world), it.world.now());
    let insert = move |tx: &mut gatepost_store::Transaction<'_>| {
        tx.execute(&sql::INSERT_NODE, params![id, "a", "1", now])
    };
    it.store.write(insert).await.unwrap();
    let again = it.store.write(insert).await;
    assert!(matches!(again, Err(StoreError::Duplicate { statement: "INSERT_NODE" })), "{again:?}");
}

async fn a_lease_is_lost_when_another_takes_it(it: TestStore) {
    let (resource, organisation, now) = (NodeId::new(&it.world).uuid(), it.organisation, it.world.now());
    let (one, two) = (NodeId::new(&it.world), NodeId::new(&it.world));
    let take = move |node| {
        move |tx: &mut gatepost_store::Transaction<'_>| tx.take_lease(resource, organisation, node, now)
    };
    let first = it.store.write(take(one)).await.unwrap();
    it.store.write(move |tx| tx.holds(&first)).await.unwrap();
    let second = it.store.write(take(two)).await.unwrap();
    assert!(second.fence > first.fence);
    it.store.write(move |tx| tx.holds(&second)).await.unwrap();
    assert!(matches!(it.store.write(move |tx| tx.holds(&first)).await, Err(StoreError::LeaseLost)));
}

async fn write_body(it: &TestStore, bytes: &[u8]) -> BodyId {
    let id = BodyId::new(&it.world);
    let mut writer = it.bodies.write(it.organisation, id).await.unwrap();
    for piece in bytes.chunks(10_007) {
        writer.write(piece).await.unwrap();
    }
    let (finished, now) = (writer.finish().await.unwrap(), it.world.now());
    assert_eq!(finished.size_bytes(), bytes.len() as u64);
    it.store.write(move |tx| finished.insert(tx, now)).await.unwrap();
    id
}

async fn read_body(
    it: &TestStore,
    organisation: gatepost_core::OrganisationId,
    id: BodyId,
) -> Result<Vec<u8>, StoreError> {
    let mut reader = it.bodies.read(organisation, id).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = reader.next().await? {
        bytes.extend(piece);
    }
    assert_eq!(reader.size_bytes(), bytes.len() as u64);
    Ok(bytes)
}

async fn a_body_of_any_size_comes_back_and_only_to_its_owner(it: TestStore) {
    for size in [0, 1, 4_096, 65_535, 65_536, 65_537, 131_072, 1_000_000] {
        let bytes: Vec<u8> =
            (0..size).map(|n: u32| n.to_le_bytes()[usize::from(n.is_multiple_of(3))]).collect();
        let id = write_body(&it, &bytes).await;
        assert!(read_body(&it, it.organisation, id).await.unwrap() == bytes, "{size} bytes");
        let stranger = gatepost_core::OrganisationId::new(&it.world);
        assert!(matches!(read_body(&it, stranger, id).await, Err(StoreError::DamagedBody { .. })));
    }
}

/// QS-12: whatever happens to the bytes on the disk is noticed before they are sent.
async fn a_damaged_body_is_refused(it: TestStore) {
    let id = write_body(&it, &[b'x'; 200_000]).await;
    let file = std::fs::read_dir(it.folder.path().join("bodies"))
        .unwrap()
        .flat_map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path())
        .find(|path| path.ends_with(id.to_string()))
        .expect("a large body is a file");
    let whole = std::fs::read(&file).unwrap();
    assert!(!whole.windows(16).any(|window| window == [b'x'; 16]), "nothing lies on the disk unsealed");
    for at in [0, 1_000, 65_535, 65_552, 131_200, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        std::fs::write(&file, damaged).unwrap();
        let read = read_body(&it, it.organisation, id).await;
        assert!(matches!(read, Err(StoreError::DamagedBody { body }) if body == id), "byte {at}");
    }
    for length in [0, 65_552, whole.len() - 1] {
        std::fs::write(&file, &whole[..length]).unwrap();
        assert!(
            matches!(read_body(&it, it.organisation, id).await, Err(StoreError::DamagedBody { .. })),
            "{length} bytes"
        );
    }
    std::fs::write(&file, &whole).unwrap();
    assert_eq!(read_body(&it, it.organisation, id).await.unwrap().len(), 200_000);
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(read_body(&it, it.organisation, id).await, Err(StoreError::DamagedBody { .. })));
}

async fn erase(it: &TestStore, id: BodyId) {
    let organisation = it.organisation;
    let file = it.store.write(move |tx| delete_body(tx, organisation, id)).await.unwrap();
    it.bodies.remove_files(file.into_iter().collect()).await.unwrap();
}

async fn an_erased_body_is_gone(it: TestStore) {
    for size in [100, 100_000] {
        let id = write_body(&it, &vec![1; size]).await;
        erase(&it, id).await;
        assert!(matches!(read_body(&it, it.organisation, id).await, Err(StoreError::DamagedBody { .. })));
    }
    let files = std::fs::read_dir(it.folder.path().join("bodies")).unwrap();
    assert_eq!(
        files.map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap().count()).sum::<usize>(),
        0
    );
}

/// VA-9: what is erased cannot be opened by anybody, also from an old copy of the rows.
async fn a_day_key_is_destroyed_when_its_last_body_is_gone(it: TestStore) {
    let early = write_body(&it, b"early").await;
    it.clock.advance(Duration::from_hours(24));
    let late = write_body(&it, b"late").await;
    it.clock.advance(Duration::from_hours(60));
    let spent = || it.keyring.destroy_spent_day_keys(it.world.now());
    assert_eq!(spent().await.unwrap(), 0, "both days still have a body");
    erase(&it, early).await;
    assert_eq!(spent().await.unwrap(), 1);
    assert_eq!(read_body(&it, it.organisation, late).await.unwrap(), b"late");
    assert_eq!(spent().await.unwrap(), 0);
}

async fn a_wrong_master_key_is_refused_by_name(it: TestStore) {
    let wrong = MasterKey::new(Key::from_bytes(&[8; 32]));
    let right = MasterKey::new(Key::from_bytes(&MASTER_KEY));
    let refusal = Keyring::open(&it.store, wrong).await.err().expect("a wrong key is refused").to_string();
    assert!(refusal.contains(&right.id().to_string()) && refusal.contains("Put back the key"), "{refusal}");
    Keyring::open(&it.store, right).await.expect("the right key still opens it");
}

async fn a_newer_database_is_refused_by_name(it: TestStore) {
    let now = it.world.now();
    it.store
        .write(move |tx| tx.execute(&sql::INSERT_MIGRATION, params!["store", 9_i64, "from_the_future", now]))
        .await
        .unwrap();
    let refused = Store::open(it.database.to_database(), it.world.clone(), ROOMS).await;
    let text = refused.err().expect("a newer database is refused").to_string();
    assert!(text.contains("store migration 9") && text.contains("knows 1"), "{text}");
}

async fn a_job_that_panics_harms_no_other(it: TestStore) {
    let store = it.store.clone();
    let panicking =
        tokio::spawn(
            async move { store.write(|_| -> Result<(), StoreError> { panic!("on purpose") }).await },
        );
    assert!(matches!(panicking.await.unwrap(), Err(StoreError::Stopped)));
    add_node(&it, "after").await.expect("the door still works");
}

/// QS-15: values never become statement text.
async fn hostile_text_is_only_data(it: TestStore) {
    for name in
        ["'; DROP TABLE node; --", "$1 ?1 \" \\", "\u{202e}\u{0}\u{7f}é".trim_matches('\0'), "Robert'); --"]
    {
        let name = name.replace('\0', "");
        add_node(&it, &name).await.unwrap();
    }
    add_node(&it, "still there").await.unwrap();
}
