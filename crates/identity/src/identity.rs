//! The room's door for everything but signing in.

use gatepost_core::World;
use gatepost_store::{Keyring, Store};

use crate::NameProblem;

/// Keeps organisations, locations, people, logins and app passwords. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    pub(crate) store: Store,
    pub(crate) keyring: Keyring,
}

impl Identity {
    /// Over an open database whose tables are up to date.
    #[must_use]
    pub fn new(store: Store, keyring: Keyring) -> Self {
        Self { store, keyring }
    }

    pub(crate) fn world(&self) -> &World {
        self.store.world()
    }
}

/// A name as people give it, without the spaces around it.
pub fn checked_name(name: &str) -> Result<String, NameProblem> {
    let name = name.trim();
    if name.is_empty() {
        return Err(NameProblem::Empty);
    }
    if name.chars().count() > 100 {
        return Err(NameProblem::TooLong);
    }
    // What `printable` would have to escape cannot be read in a list or a log.
    if gatepost_core::printable(name.as_bytes()).to_string() != name {
        return Err(NameProblem::Unprintable);
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_read_in_a_list() {
        for (name, want) in [
            ("TDO", Ok("TDO")),
            ("  Praxis Süd, 1. Stock  ", Ok("Praxis Süd, 1. Stock")),
            ("", Err(NameProblem::Empty)),
            (" \n", Err(NameProblem::Empty)),
            ("two\nlines", Err(NameProblem::Unprintable)),
            ("\u{1b}[31mred", Err(NameProblem::Unprintable)),
            ("turned \u{202e}round", Err(NameProblem::Unprintable)),
        ] {
            assert_eq!(checked_name(name), want.map(str::to_owned), "{name:?}");
        }
        assert!(checked_name(&"ü".repeat(100)).is_ok());
        assert_eq!(checked_name(&"ü".repeat(101)), Err(NameProblem::TooLong));
    }
}
