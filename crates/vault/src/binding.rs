//! What a ciphertext is bound to, and its unambiguous encoding as associated data.

use gatepost_core::{BodyId, KeyId, OrganisationId};
use uuid::Uuid;

/// Where a sealed value of a row belongs (VA-2).
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The table's name.
    pub table: &'static str,
    /// The column's name.
    pub column: &'static str,
    /// The row's id.
    pub row: Uuid,
    /// Whatever else must not change while the value stays: for a credential its host, port and TLS mode, so that a
    /// secret cannot be re-pointed. Empty where nothing does.
    pub extra: &'a [u8],
}

/// Where a wrapped key belongs: a row of the table of wrapped keys.
#[derive(Clone, Copy, Debug)]
pub struct KeyPlace<'a> {
    /// Whose key it is; [`OrganisationId::INSTALLATION`] for purpose keys.
    pub organisation: OrganisationId,
    /// What it is for, in the word the row has.
    pub purpose: &'a str,
    /// The day it is for, counted from 1970-01-01; none for keys that have no day. Bound, so that a day key cannot be
    /// moved to a day that is kept for longer.
    pub day: Option<i64>,
    /// The key's own id.
    pub id: KeyId,
}

/// Where a body belongs.
#[derive(Clone, Copy, Debug)]
pub struct BodyPlace {
    /// Whose letter it is.
    pub organisation: OrganisationId,
    /// The body's id.
    pub body: BodyId,
}

impl Binding<'_> {
    pub(crate) fn context(&self) -> Context {
        Context::new("row")
            .part(self.organisation.uuid().as_bytes())
            .part(self.table.as_bytes())
            .part(self.column.as_bytes())
            .part(self.row.as_bytes())
            .part(self.extra)
    }
}

impl KeyPlace<'_> {
    pub(crate) fn context(&self) -> Context {
        let day = self.day.map(i64::to_be_bytes);
        Context::new("wrapped key")
            .part(self.organisation.uuid().as_bytes())
            .part(self.purpose.as_bytes())
            .part(day.as_ref().map_or(&[], |day| day.as_slice()))
            .part(self.id.uuid().as_bytes())
    }
}

impl BodyPlace {
    /// `label` keeps the body's wrapped key and its chunks apart.
    pub(crate) fn context(&self, label: &'static str) -> Context {
        Context::new(label).part(self.organisation.uuid().as_bytes()).part(self.body.uuid().as_bytes())
    }
}

/// Parts with their lengths in front, so that no two lists of parts have the same bytes (`ab`,`c` and `a`,`bc` differ).
pub(crate) struct Context {
    label: &'static str,
    bytes: Vec<u8>,
}

impl Context {
    /// `label` names the kind of place; it also separates the subkeys derived for each kind.
    pub(crate) fn new(label: &'static str) -> Self {
        Self { label, bytes: Vec::with_capacity(160) }.part(label.as_bytes())
    }

    pub(crate) fn part(mut self, part: &[u8]) -> Self {
        self.bytes.extend_from_slice(&length_prefix(part));
        self.bytes.extend_from_slice(part);
        self
    }

    pub(crate) const fn label(&self) -> &'static str {
        self.label
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The length of `part` in front of it, as eight bytes.
pub(crate) fn length_prefix(part: &[u8]) -> [u8; 8] {
    u64::try_from(part.len()).expect("a length in memory fits 64 bits").to_be_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn different_lists_of_parts_have_different_bytes(
            a in prop::collection::vec(prop::collection::vec(0u8..3, 0..4), 0..4),
            b in prop::collection::vec(prop::collection::vec(0u8..3, 0..4), 0..4),
        ) {
            let encode = |parts: &[Vec<u8>]| parts.iter().fold(Context::new("x"), |all, it| all.part(it)).bytes;
            prop_assert_eq!(a == b, encode(&a) == encode(&b));
        }
    }
}
