//! SQL as named constants: one text for both engines.

/// One SQL statement. Made by [`statements!`](crate::statements) in a room's `sql.rs`.
#[derive(Debug)]
pub struct Statement {
    /// The constant's name, for errors and logs.
    pub name: &'static str,
    /// The text, with `$1`, `$2`… for parameters.
    pub text: &'static str,
    /// How the rows found are locked until the transaction ends. PostgreSQL needs it said; SQLite has one writer.
    pub lock: Lock,
}

/// How a statement locks the rows it finds, against other transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Not at all.
    None,
    /// They may be read and locked in the same way, not changed.
    Shared,
    /// For this transaction alone.
    Exclusive,
    /// For this transaction alone, passing over rows that another has locked: for taking work from a queue.
    Claiming,
}

impl Statement {
    /// The text as SQLite takes it: `?N` for `$N`, because SQLite numbers `$N` by first appearance.
    pub(crate) fn for_sqlite(&self) -> String {
        self.text.replace('$', "?")
    }

    /// The text as PostgreSQL takes it.
    pub(crate) fn for_postgres(&self) -> String {
        match self.lock {
            Lock::None => self.text.to_owned(),
            Lock::Shared => format!("{} FOR SHARE", self.text),
            Lock::Exclusive => format!("{} FOR UPDATE", self.text),
            Lock::Claiming => format!("{} FOR UPDATE SKIP LOCKED", self.text),
        }
    }
}

/// Declares a room's statements as constants, and `ALL`, which the tests prepare on both engines.
///
/// ```
/// gatepost_store::statements! {
///     /// The one row.
///     FIND_ONE = "SELECT 1";
///     /// A row, for this transaction alone until it ends.
///     LOCK_ONE = locking "SELECT id FROM thing WHERE id = $1";
///     /// A row, kept from changing until the transaction ends.
///     SHARE_ONE = sharing "SELECT id FROM thing WHERE id = $1";
/// }
/// assert_eq!(FIND_ONE.name, "FIND_ONE");
/// assert_eq!(ALL.len(), 3);
/// ```
#[macro_export]
macro_rules! statements {
    (@lock) => { $crate::Lock::None };
    (@lock locking) => { $crate::Lock::Exclusive };
    (@lock sharing) => { $crate::Lock::Shared };
    (@lock claiming) => { $crate::Lock::Claiming };
    ($($(#[$doc:meta])* $name:ident = $($lock:ident)? $text:literal;)+) => {
        $(
        #[allow(unreachable_pub, reason = "whether a room shows its statements is the room's choice")]
        $(#[$doc])* pub const $name: $crate::Statement = $crate::Statement {
            name: stringify!($name),
            text: $text,
            lock: $crate::statements!(@lock $($lock)?),
        };
        )+
        #[allow(unreachable_pub, dead_code, reason = "as above; used by the test that prepares them")]
        /// Every statement of this room.
        pub const ALL: &[$crate::Statement] = &[$($name),+];
    };
}

#[cfg(test)]
mod tests {
    statements! {
        /// With repeated parameters.
        PLAIN = "SELECT $2, $1, $2";
        /// With a lock.
        LOCKED = locking "SELECT id FROM thing WHERE id = $1";
        /// With a lock that others may share.
        SHARED = sharing "SELECT id FROM thing WHERE id = $1";
    }

    #[test]
    fn each_engine_gets_its_own_spelling() {
        assert_eq!(PLAIN.for_sqlite(), "SELECT ?2, ?1, ?2");
        assert_eq!(PLAIN.for_postgres(), "SELECT $2, $1, $2");
        assert_eq!(LOCKED.for_sqlite(), "SELECT id FROM thing WHERE id = ?1");
        assert_eq!(LOCKED.for_postgres(), "SELECT id FROM thing WHERE id = $1 FOR UPDATE");
        assert_eq!(SHARED.for_postgres(), "SELECT id FROM thing WHERE id = $1 FOR SHARE");
        assert_eq!(ALL.len(), 3);
    }
}
