//! PostgreSQL through the blocking face of tokio-postgres.

mod tls;

use std::collections::HashMap;
use std::error::Error as _;
use std::time::Duration;

use postgres::error::SqlState;
use postgres::types::{IsNull, ToSql, Type};
use postgres::{Client, Config};
use tokio_postgres::types::private::BytesMut;

use super::Engine;
use crate::{Row, Statement, StoreError, Value};

/// One connection to the server, made anew when it is lost.
pub(crate) struct Postgres {
    config: Config,
    client: Option<Client>,
    prepared: HashMap<&'static str, postgres::Statement>,
    /// Whether the last failure was of a kind that a new transaction may cure.
    may_repeat: bool,
    /// Whether a statement of this transaction failed: the server has given it up, and so do we.
    has_failed: bool,
}

/// What must be on for a commit to be durable (QS-8).
const DURABLE: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];

impl Postgres {
    /// Parses the address and checks that the server keeps what it confirms.
    pub(crate) fn open(url: &str) -> Result<Self, StoreError> {
        let mut config: Config =
            url.parse().map_err(|err: postgres::Error| unreachable("database_url", &err))?;
        // A node that stands still inside a transaction must not hold its locks past a take-over.
        let options = format!(
            "{} -c idle_in_transaction_session_timeout=5000 -c statement_timeout=60000",
            config.get_options().unwrap_or_default()
        );
        config.options(options.trim());
        config
            .application_name("gatepost")
            .connect_timeout(Duration::from_secs(10))
            .tcp_user_timeout(Duration::from_secs(10))
            .keepalives_idle(Duration::from_secs(5))
            .keepalives_interval(Duration::from_secs(2))
            .keepalives_retries(3);
        let mut engine =
            Self { config, client: None, prepared: HashMap::new(), may_repeat: false, has_failed: false };
        let client = engine.connect()?;
        for name in DURABLE {
            let setting: String = client
                .query_one("SELECT current_setting($1)", &[&name])
                .and_then(|row| row.try_get(0))
                .map_err(|err| unreachable("PostgreSQL", &err))?;
            if setting == "off" {
                let reason = format!("its setting {name} is off, so that it would lose letters. Turn it on");
                return Err(StoreError::Unreachable { database: "PostgreSQL".into(), reason });
            }
        }
        Ok(engine)
    }

    /// The connection, made anew if it is lost. Only between transactions: a new connection in the middle of one would
    /// commit its second half alone.
    fn connect(&mut self) -> Result<&mut Client, StoreError> {
        if self.client.as_ref().is_none_or(Client::is_closed) {
            self.prepared.clear();
            let fresh =
                self.config.connect(tls::MakeRustls::new()).map_err(|err| unreachable("PostgreSQL", &err))?;
            self.client = Some(fresh);
        }
        Ok(self.client.as_mut().expect("connected just above"))
    }

    /// The connection of the transaction that is open.
    fn client(&mut self) -> Result<&mut Client, StoreError> {
        self.client.as_mut().ok_or(StoreError::Stopped)
    }

    /// The statement, prepared once per connection.
    fn prepared(&mut self, statement: &Statement) -> Result<postgres::Statement, StoreError> {
        if let Some(known) = self.prepared.get(statement.text) {
            return Ok(known.clone());
        }
        let made = self.client()?.prepare(&statement.for_postgres());
        let made = made.map_err(|err| self.explain(statement.name, &err))?;
        self.prepared.insert(statement.text, made.clone());
        Ok(made)
    }

    fn explain(&mut self, statement: &'static str, err: &postgres::Error) -> StoreError {
        self.has_failed = true;
        self.may_repeat = is_gone(err)
            || matches!(
                err.code(),
                Some(&SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE)
            );
        if is_gone(err) {
            self.client = None;
        }
        match err.code() {
            Some(&SqlState::UNIQUE_VIOLATION) => StoreError::Duplicate { statement },
            Some(&SqlState::DISK_FULL) => StoreError::Full,
            _ => StoreError::Statement { statement, reason: words(err) },
        }
    }

    fn run(&mut self, text: &'static str) -> Result<(), StoreError> {
        let done = self.client()?.batch_execute(text);
        done.map_err(|err| self.explain(text, &err))
    }
}

/// Whether the connection is of no more use: closed, or told so by a server that stops or starts.
fn is_gone(err: &postgres::Error) -> bool {
    err.is_closed()
        || matches!(
            err.code(),
            Some(&SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN | &SqlState::CANNOT_CONNECT_NOW)
        )
}

/// The server's own message, or the driver's; never the statement's values.
fn words(err: &postgres::Error) -> String {
    match (err.as_db_error(), err.source()) {
        (Some(db), _) => db.message().to_owned(),
        (None, Some(cause)) => format!("{err}: {cause}"),
        (None, None) => err.to_string(),
    }
}

fn unreachable(database: &str, err: &postgres::Error) -> StoreError {
    StoreError::Unreachable { database: database.to_owned(), reason: words(err) }
}

impl Engine for Postgres {
    fn begin(&mut self) -> Result<(), StoreError> {
        self.connect()?;
        let begun = match self.run("BEGIN") {
            // The server has gone away since the last job: a fresh connection, once.
            Err(_) if self.may_repeat => self.connect().map(drop).and_then(|()| self.run("BEGIN")),
            other => other,
        };
        (self.may_repeat, self.has_failed) = (false, false);
        begun
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if self.has_failed {
            // The server answers COMMIT of a failed transaction with ROLLBACK and no error.
            return Err(StoreError::Statement {
                statement: "COMMIT",
                reason: "a statement before it failed".into(),
            });
        }
        let done = self.client()?.batch_execute("COMMIT");
        match done {
            Ok(()) => Ok(()),
            // QS-9: the server said no (a deferred constraint): nothing was written.
            Err(err) if err.as_db_error().is_some() && !is_gone(&err) => Err(self.explain("COMMIT", &err)),
            Err(_) => {
                self.may_repeat = false;
                self.client = None;
                Err(StoreError::Unknown)
            }
        }
    }

    fn rollback(&mut self) {
        let may_repeat = self.may_repeat;
        if self.run("ROLLBACK").is_err() {
            self.client = None;
        }
        (self.may_repeat, self.has_failed) = (may_repeat, false);
    }

    fn execute(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let prepared = self.prepared(statement)?;
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|it| it as _).collect();
        let done = self.client()?.execute(&prepared, &values);
        done.map_err(|err| self.explain(statement.name, &err))
    }

    fn rows(&mut self, statement: &Statement, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        let prepared = self.prepared(statement)?;
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|it| it as _).collect();
        let found = self.client()?.query(&prepared, &values);
        let found = found.map_err(|err| self.explain(statement.name, &err))?;
        found
            .iter()
            .map(|row| {
                let values = (0..row.len()).map(|at| owned(statement, row, at)).collect::<Result<_, _>>()?;
                Ok(Row { statement: statement.name, values })
            })
            .collect()
    }

    fn prepare(&mut self, statement: &Statement) -> Result<(), StoreError> {
        self.prepared(statement).map(drop)
    }

    fn script(&mut self, name: &'static str, text: &str) -> Result<(), StoreError> {
        let done = self.client()?.batch_execute(text);
        done.map_err(|err| self.explain(name, &err))
    }

    fn may_repeat(&self) -> bool {
        self.may_repeat
    }
}

fn owned(statement: &Statement, row: &postgres::Row, at: usize) -> Result<Value<'static>, StoreError> {
    fn get<'r, T: postgres::types::FromSql<'r>>(
        row: &'r postgres::Row,
        at: usize,
    ) -> Result<Option<T>, postgres::Error> {
        row.try_get(at)
    }
    let value = match *row.columns()[at].type_() {
        Type::BOOL => get(row, at).map(|it| it.map(Value::Bool)),
        Type::INT8 => get(row, at).map(|it| it.map(Value::Int)),
        Type::INT4 => get::<i32>(row, at).map(|it| it.map(|n| Value::Int(n.into()))),
        Type::TEXT | Type::VARCHAR => get::<String>(row, at).map(|it| it.map(|t| Value::Text(t.into()))),
        Type::BYTEA => get::<Vec<u8>>(row, at).map(|it| it.map(|b| Value::Bytes(b.into()))),
        Type::UUID => get(row, at).map(|it| it.map(Value::Uuid)),
        _ => {
            return Err(StoreError::Contradiction {
                statement: statement.name,
                column: at,
                expected: "of a known type",
            });
        }
    };
    let value =
        value.map_err(|err| StoreError::Statement { statement: statement.name, reason: words(&err) })?;
    Ok(value.unwrap_or(Value::Null))
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Bool(it) => it.to_sql(ty, out),
            Self::Int(it) if *ty == Type::INT4 => i32::try_from(*it)?.to_sql(ty, out),
            Self::Int(it) => it.to_sql(ty, out),
            Self::Text(it) => it.to_sql(ty, out),
            Self::Bytes(it) => it.as_ref().to_sql(ty, out),
            Self::Uuid(it) => it.to_sql(ty, out),
        }
    }

    fn accepts(_ty: &Type) -> bool {
        true
    }

    /// The server has typed the parameter; a value of another kind is a mistake in a statement, not a conversion.
    fn to_sql_checked(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let fits = match self {
            Self::Null => true,
            Self::Bool(_) => *ty == Type::BOOL,
            Self::Int(_) => *ty == Type::INT8 || *ty == Type::INT4,
            Self::Text(_) => *ty == Type::TEXT || *ty == Type::VARCHAR,
            Self::Bytes(_) => *ty == Type::BYTEA,
            Self::Uuid(_) => *ty == Type::UUID,
        };
        if fits {
            self.to_sql(ty, out)
        } else {
            Err(format!("a parameter of type {ty} was given another kind").into())
        }
    }
}
