//! What both engines can do; the only code that knows a database driver.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use crate::{Row, Statement, StoreError, Value};

/// One connection, owned by one thread.
pub(crate) trait Engine {
    fn begin(&mut self) -> Result<(), StoreError>;
    /// Durable when it returns `Ok`. [`StoreError::Unknown`] if nobody can tell.
    fn commit(&mut self) -> Result<(), StoreError>;
    fn rollback(&mut self);
    fn execute(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<u64, StoreError>;
    fn rows(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError>;
    fn prepare(&mut self, statement: &Statement) -> Result<(), StoreError>;
    fn script(&mut self, name: &'static str, text: &str) -> Result<(), StoreError>;
    /// Whether a failure of the transaction just ended is of a kind that a new transaction may cure: a deadlock, or a
    /// connection lost before COMMIT.
    fn may_repeat(&self) -> bool;
}
