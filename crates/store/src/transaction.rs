//! What a job sees of the database: one transaction, in plain synchronous calls.

use crate::engine::Engine;
use crate::{Row, Statement, StoreError, Value};

/// One transaction. It commits if the job returns `Ok`, and leaves nothing behind if it returns `Err`.
pub struct Transaction<'a> {
    engine: &'a mut dyn Engine,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(engine: &'a mut dyn Engine) -> Self {
        Self { engine }
    }

    /// Runs a statement that changes rows and says how many.
    pub fn execute(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.engine.execute(statement, values)
    }

    /// All rows a statement finds. The caller bounds them with `LIMIT`.
    pub fn rows(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        self.engine.rows(statement, values)
    }

    /// The first row a statement finds, if any.
    pub fn row(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<Option<Row>, StoreError> {
        Ok(self.engine.rows(statement, values)?.into_iter().next())
    }

    /// Prepares a statement without running it, to prove that the engine takes it.
    pub fn prepare(&mut self, statement: &Statement) -> Result<(), StoreError> {
        self.engine.prepare(statement)
    }

    /// Runs a migration's text, which may hold several statements.
    pub(crate) fn script(&mut self, name: &'static str, text: &str) -> Result<(), StoreError> {
        self.engine.script(name, text)
    }
}
