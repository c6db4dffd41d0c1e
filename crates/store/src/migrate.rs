//! Brings each room's tables up to date, forward only.

use gatepost_core::Timestamp;

use crate::engine::Engine;
use crate::{StoreError, Transaction, params, sql};

/// One room's migrations, oldest first.
#[derive(Debug)]
pub struct RoomMigrations {
    /// The room's name, as in `crates/NAME`.
    pub room: &'static str,
    /// Numbered from 1 without a gap.
    pub steps: &'static [Migration],
}

/// One step of a room's tables.
#[derive(Debug)]
pub struct Migration {
    /// What it is for, in file-name words.
    pub name: &'static str,
    /// SQL that both engines take.
    pub text: &'static str,
}

/// Makes a room's list from files in its `migrations` folder: `migrations!["0001_outbox"]`.
#[macro_export]
macro_rules! migrations {
    ($room:literal, [$($name:literal),+ $(,)?]) => {
        $crate::RoomMigrations {
            room: $room,
            steps: &[$($crate::Migration { name: $name, text: include_str!(concat!("../migrations/", $name, ".sql")) }),+],
        }
    };
}

/// Runs what is missing, each step in a transaction of its own, so that a kill between two leaves whole steps (QS-10).
pub(crate) fn run(
    engine: &mut dyn Engine,
    rooms: &[RoomMigrations],
    now: Timestamp,
) -> Result<(), StoreError> {
    in_transaction(engine, |tx| tx.script("migration", sql::MIGRATION_TABLE))?;
    for room in rooms {
        refuse_newer(engine, room)?;
        for (version, step) in (1_i64..).zip(room.steps) {
            in_transaction(engine, |tx| apply(tx, room.room, version, step, now))?;
        }
    }
    Ok(())
}

fn refuse_newer(engine: &mut dyn Engine, room: &RoomMigrations) -> Result<(), StoreError> {
    let known = i64::try_from(room.steps.len()).unwrap_or(i64::MAX);
    let found = in_transaction(engine, |tx| match tx.row(&sql::NEWEST_MIGRATION, params![room.room])? {
        Some(row) => row.get::<i64>(0),
        None => Ok(0),
    })?;
    if found > known { Err(StoreError::Newer { room: room.room, found, known }) } else { Ok(()) }
}

/// Applies one step unless it is there. The insert comes first: of two nodes that start at once, one waits for the other's
/// row and then sees that nothing is left to do.
fn apply(
    tx: &mut Transaction<'_>,
    room: &'static str,
    version: i64,
    step: &Migration,
    now: Timestamp,
) -> Result<(), StoreError> {
    if tx.execute(&sql::INSERT_MIGRATION, params![room, version, step.name, now])? == 1 {
        tx.script(step.name, step.text)?;
    }
    Ok(())
}

fn in_transaction<T>(
    engine: &mut dyn Engine,
    work: impl FnOnce(&mut Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    engine.begin()?;
    match work(&mut Transaction::new(engine)) {
        Ok(value) => engine.commit().map(|()| value),
        Err(failure) => {
            engine.rollback();
            Err(failure)
        }
    }
}
