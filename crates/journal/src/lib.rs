//! The journal: what happened, as rows written in the same transaction as the change.
//!
//! Any room above writes; nobody changes or deletes. An entry says who did what to what, with a few details; the change and
//! its entry are committed together or not at all. In the same way rooms write down notices to people ([`notify`]), which room
//! `notices` carries out.
//!
//! *Trust note.* This room writes two tables. Its entries and notices must never hold a secret, a message's content, or text that a
//! stranger chose without saying so: details are JSON, so that control characters are escaped.

mod notice;
mod sql;

pub use notice::{
    DueNotice, DueTime, Notice, NoticeKind, NoticeState, OpenNotice, PastNotice, count_notices, due_notices,
    latest_notices, notice_done, notice_given_up, notice_waits, notify, sweep_notices, take_notice,
};

use gatepost_core::{JournalId, LoginId, NodeId, OrganisationId, PersonId, Timestamp, World};
use gatepost_store::{RoomMigrations, Row, Store, StoreError, Transaction, params};
use uuid::Uuid;

/// This room's tables.
pub const MIGRATIONS: RoomMigrations =
    gatepost_store::migrations!("journal", ["0001_journal", "0002_notice", "0003_index", "0004_subject"]);

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Someone who signed in.
    Person(PersonId),
    /// An application.
    Login(LoginId),
    /// A command on this machine.
    Command,
    /// Gatepost by itself, on the node named.
    System(Option<NodeId>),
}

impl Actor {
    const fn word(self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Login(_) => "login",
            Self::Command => "command",
            Self::System(_) => "system",
        }
    }

    fn id(self) -> Option<Uuid> {
        match self {
            Self::Person(id) => Some(id.uuid()),
            Self::Login(id) => Some(id.uuid()),
            Self::System(node) => node.map(NodeId::uuid),
            Self::Command => None,
        }
    }
}

/// One thing that happened, before it is written.
#[derive(Debug)]
pub struct Entry {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Who did it.
    pub actor: Actor,
    /// A verb in the past, dotted by subject: `app_password.created`.
    pub action: &'static str,
    /// The kind of thing it was done to: `app_password`.
    pub subject: &'static str,
    /// Which one.
    pub subject_id: Option<Uuid>,
    /// What an administrator needs to understand it; no secrets, no content.
    pub details: serde_json::Value,
}

/// One thing that happened, as read back.
#[derive(Debug)]
pub struct PastEntry {
    /// When.
    pub at: Timestamp,
    /// Who, in a word: person, login, command, system.
    pub actor: String,
    /// Which one.
    pub actor_id: Option<Uuid>,
    /// What was done.
    pub action: String,
    /// To what kind of thing.
    pub subject: String,
    /// Which one.
    pub subject_id: Option<Uuid>,
    /// The details as JSON text.
    pub details: String,
}

/// Writes an entry as part of the change's own transaction.
pub fn append(tx: &mut Transaction<'_>, world: &World, entry: &Entry) -> Result<(), StoreError> {
    let node = if let Actor::System(node) = entry.actor { node } else { None };
    tx.execute(
        &sql::INSERT_ENTRY,
        params![
            JournalId::new(world),
            entry.organisation,
            node,
            world.now(),
            entry.actor.word(),
            entry.actor.id(),
            entry.action,
            entry.subject,
            entry.subject_id,
            entry.details.to_string(),
        ],
    )
    .map(drop)
}

/// The newest entries of an organisation, newest first.
pub async fn newest(
    store: &Store,
    organisation: OrganisationId,
    limit: u32,
) -> Result<Vec<PastEntry>, StoreError> {
    let rows = store.read(move |tx| tx.rows(&sql::LIST_ENTRIES, params![organisation, limit])).await?;
    rows.iter().map(PastEntry::try_from).collect()
}

/// The newest entries about one thing of an organisation, newest first.
pub async fn newest_about(
    store: &Store,
    organisation: OrganisationId,
    subject: Uuid,
    limit: u32,
) -> Result<Vec<PastEntry>, StoreError> {
    let about =
        store.read(move |tx| tx.rows(&sql::LIST_ENTRIES_ABOUT, params![organisation, subject, limit]));
    about.await?.iter().map(PastEntry::try_from).collect()
}

impl TryFrom<&Row> for PastEntry {
    type Error = StoreError;

    fn try_from(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            at: row.get(0)?,
            actor: row.get(1)?,
            actor_id: row.get(2)?,
            action: row.get(3)?,
            subject: row.get(4)?,
            subject_id: row.get(5)?,
            details: row.get(6)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use gatepost_testkit::{TestStore, on_both_engines};
    use serde_json::json;

    use super::*;

    const ROOMS: &[RoomMigrations] = &[gatepost_store::MIGRATIONS, MIGRATIONS];

    on_both_engines!(
        ROOMS;
        an_entry_lives_and_dies_with_its_change,
        what_happened_to_one_thing_is_read_newest_first,
    );

    #[tokio::test]
    async fn every_statement_is_understood_by_both_engines() {
        gatepost_testkit::prepare_all(sql::ALL, ROOMS).await;
    }

    async fn an_entry_lives_and_dies_with_its_change(it: TestStore) {
        let (world, organisation) = (it.world.clone(), it.organisation);
        let write = |fails: bool| {
            let world = world.clone();
            move |tx: &mut Transaction<'_>| {
                let details = json!({ "name": "scanner \u{1b}[31m", "fails": fails });
                let (action, subject) = ("thing.made", "thing");
                let entry =
                    Entry { organisation, actor: Actor::Command, action, subject, subject_id: None, details };
                append(tx, &world, &entry)?;
                if fails { Err(StoreError::LeaseLost) } else { Ok(()) }
            }
        };
        it.store.write(write(false)).await.unwrap();
        it.store.write(write(true)).await.unwrap_err();
        let entries = newest(&it.store, organisation, 10).await.unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].actor.as_str(), entries[0].action.as_str()), ("command", "thing.made"));
        assert!(
            entries[0].details.contains("\\u001b"),
            "control characters are escaped: {}",
            entries[0].details
        );
    }

    async fn what_happened_to_one_thing_is_read_newest_first(it: TestStore) {
        let (ours, theirs) = (it.organisation, OrganisationId::new(&it.world));
        let (thing, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for (organisation, subject, action) in [
            (ours, Some(thing), "thing.made"),
            (ours, Some(other), "thing.made"),
            (theirs, Some(thing), "thing.stolen"),
            (ours, None, "thing.counted"),
            (ours, Some(thing), "thing.painted"),
            (ours, Some(thing), "thing.sold"),
        ] {
            let world = it.world.clone();
            let write = move |tx: &mut Transaction<'_>| {
                let (actor, details) = (Actor::Command, json!({}));
                let entry =
                    Entry { organisation, actor, action, subject: "thing", subject_id: subject, details };
                append(tx, &world, &entry)
            };
            it.store.write(write).await.unwrap();
        }
        let actions = async |organisation, limit| {
            let entries = newest_about(&it.store, organisation, thing, limit).await.unwrap();
            entries.into_iter().map(|it| it.action).collect::<Vec<_>>()
        };
        assert_eq!(actions(ours, 10).await, ["thing.sold", "thing.painted", "thing.made"]);
        assert_eq!(actions(ours, 2).await, ["thing.sold", "thing.painted"]);
        assert_eq!(actions(theirs, 10).await, ["thing.stolen"]);
    }
}
