//! The floors of the key hierarchy, one type each.

use gatepost_core::{KeyId, SecretBytes, World};
use zeroize::Zeroizing;

use crate::binding::KeyPlace;
use crate::cipher;
use crate::error::VaultError;
use crate::key::Key;

macro_rules! floors {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => { $(
        $(#[$doc])*
        pub struct $name {
            id: KeyId,
            /// Shown to the ciphers and hashes of this room only.
            pub(crate) key: Key,
        }

        impl $name {
            /// The id by which sealed values name it.
            #[must_use]
            pub const fn id(&self) -> KeyId {
                self.id
            }
        }
    )+ };
}

floors! {
    /// The key that everything hangs on; it comes from outside the database.
    MasterKey,
    /// An organisation's key: seals rows and wraps day keys.
    DataKey,
    /// The key of one organisation and day: wraps the keys of bodies. Destroying it erases them (VA-9).
    DayKey,
    /// A key of the installation for one purpose, used for nothing else (AP-2).
    PurposeKey,
}

impl MasterKey {
    /// Its id is derived from its bytes, so that rows can name the master key they need although it has no row itself.
    #[must_use]
    pub fn new(key: Key) -> Self {
        let mut id = [0; 16];
        cipher::derive(key.bytes(), &[], &[b"gatepost 1 id of the master key"], &mut id);
        // RFC 9562 §5.8: version 8 is for values of one's own making.
        let id = KeyId::from_uuid(uuid::Builder::from_custom_bytes(id).into_uuid());
        Self { id, key }
    }

    /// An organisation's key, sealed for its row. `place.id` is that key's id.
    #[must_use]
    pub fn wrap_data_key(&self, place: &KeyPlace<'_>, lower: &DataKey, world: &World) -> Vec<u8> {
        cipher::seal(&self.key, self.id, &place.context(), lower.key.bytes(), world)
    }

    /// The organisation's key that was sealed for this row.
    pub fn unwrap_data_key(&self, place: &KeyPlace<'_>, wrapped: &[u8]) -> Result<DataKey, VaultError> {
        let key = unwrap(&self.key, self.id, place, wrapped)?;
        Ok(DataKey { id: place.id, key })
    }

    /// A purpose key, sealed for its row. `place.id` is that key's id.
    #[must_use]
    pub fn wrap_purpose_key(&self, place: &KeyPlace<'_>, lower: &PurposeKey, world: &World) -> Vec<u8> {
        cipher::seal(&self.key, self.id, &place.context(), lower.key.bytes(), world)
    }

    /// The purpose key that was sealed for this row. If the installation's check value does not open, the master key is
    /// not the one this database belongs to.
    pub fn unwrap_purpose_key(&self, place: &KeyPlace<'_>, wrapped: &[u8]) -> Result<PurposeKey, VaultError> {
        let key = unwrap(&self.key, self.id, place, wrapped)?;
        Ok(PurposeKey { id: place.id, key })
    }

    /// Seals a secret of the installation that is no 32-byte key, such as the local authority's private key.
    #[must_use]
    pub fn wrap_secret(&self, place: &KeyPlace<'_>, secret: &SecretBytes, world: &World) -> Vec<u8> {
        cipher::seal(&self.key, self.id, &place.context(), secret.reveal(), world)
    }

    /// Opens whatever a master key wrapped. Rotating the master key is this with the old one, then
    /// [`MasterKey::wrap_secret`] with the new one, whatever kind of key it is.
    pub fn unwrap_secret(&self, place: &KeyPlace<'_>, wrapped: &[u8]) -> Result<SecretBytes, VaultError> {
        cipher::open(&self.key, self.id, &place.context(), wrapped)
    }

    /// The id of the master key that `wrapped` names, to say which key file is missing.
    #[must_use]
    pub fn named_by(wrapped: &[u8]) -> Option<KeyId> {
        cipher::named_key(wrapped)
    }
}

impl DataKey {
    /// A key and the id of its row.
    #[must_use]
    pub fn new(id: KeyId, key: Key) -> Self {
        Self { id, key }
    }

    /// A new random key with a new id.
    #[must_use]
    pub fn generate(world: &World) -> Self {
        Self::new(KeyId::new(world), Key::generate(world))
    }

    /// A day key, sealed for its row. `place.id` is that key's id.
    #[must_use]
    pub fn wrap_day_key(&self, place: &KeyPlace<'_>, lower: &DayKey, world: &World) -> Vec<u8> {
        cipher::seal(&self.key, self.id, &place.context(), lower.key.bytes(), world)
    }

    /// The day key that was sealed for this row.
    pub fn unwrap_day_key(&self, place: &KeyPlace<'_>, wrapped: &[u8]) -> Result<DayKey, VaultError> {
        let key = unwrap(&self.key, self.id, place, wrapped)?;
        Ok(DayKey { id: place.id, key })
    }
}

impl DayKey {
    /// A new random key with a new id.
    #[must_use]
    pub fn generate(world: &World) -> Self {
        Self { id: KeyId::new(world), key: Key::generate(world) }
    }
}

impl PurposeKey {
    /// A new random key with a new id.
    #[must_use]
    pub fn generate(world: &World) -> Self {
        Self { id: KeyId::new(world), key: Key::generate(world) }
    }
}

fn unwrap(upper: &Key, id: KeyId, place: &KeyPlace<'_>, wrapped: &[u8]) -> Result<Key, VaultError> {
    let secret = cipher::open(upper, id, &place.context(), wrapped)?;
    let bytes = <[u8; Key::BYTES]>::try_from(secret.reveal()).map_err(|_| VaultError::DoesNotOpen)?;
    Ok(Key::from_bytes(&Zeroizing::new(bytes)))
}

#[cfg(test)]
mod tests {
    use gatepost_core::OrganisationId;
    use static_assertions::assert_not_impl_any;

    use super::*;

    // VA-6, checked while compiling.
    assert_not_impl_any!(MasterKey: std::fmt::Debug, Clone, PartialEq);
    assert_not_impl_any!(DataKey: std::fmt::Debug, Clone, PartialEq);
    assert_not_impl_any!(DayKey: std::fmt::Debug, Clone, PartialEq);
    assert_not_impl_any!(PurposeKey: std::fmt::Debug, Clone, PartialEq);

    fn place(id: KeyId) -> KeyPlace<'static> {
        KeyPlace { organisation: OrganisationId::INSTALLATION, purpose: "data", day: Some(20_000), id }
    }

    #[test]
    fn each_floor_opens_what_the_floor_above_wrapped() {
        let world = World::real();
        let master = MasterKey::new(Key::generate(&world));
        let (data, day, purpose) =
            (DataKey::generate(&world), DayKey::generate(&world), PurposeKey::generate(&world));
        let wrapped = master.wrap_data_key(&place(data.id()), &data, &world);
        let opened = master.unwrap_data_key(&place(data.id()), &wrapped).unwrap();
        assert_eq!((opened.id(), opened.key.bytes()), (data.id(), data.key.bytes()));
        let wrapped = data.wrap_day_key(&place(day.id()), &day, &world);
        let reopened = opened.unwrap_day_key(&place(day.id()), &wrapped).unwrap();
        assert_eq!(reopened.key.bytes(), day.key.bytes());
        let wrapped = master.wrap_purpose_key(&place(purpose.id()), &purpose, &world);
        let opened = master.unwrap_purpose_key(&place(purpose.id()), &wrapped).unwrap();
        assert_eq!(opened.key.bytes(), purpose.key.bytes());
    }

    /// VA-2: a wrapped key put into another row does not open, nor does one under a wrong master key.
    #[test]
    fn a_moved_wrapped_key_does_not_open() {
        let world = World::real();
        let master = MasterKey::new(Key::generate(&world));
        let data = DataKey::generate(&world);
        let wrapped = master.wrap_data_key(&place(data.id()), &data, &world);
        let right = place(data.id());
        for wrong in [
            KeyPlace { organisation: OrganisationId::new(&world), ..right },
            KeyPlace { purpose: "check", ..right },
            KeyPlace { day: Some(20_001), ..right },
            KeyPlace { day: None, ..right },
            KeyPlace { id: KeyId::new(&world), ..right },
        ] {
            assert_eq!(master.unwrap_data_key(&wrong, &wrapped).err(), Some(VaultError::DoesNotOpen));
        }
        let other = MasterKey::new(Key::generate(&world));
        assert_eq!(other.unwrap_data_key(&right, &wrapped).err(), Some(VaultError::DoesNotOpen));
        assert_eq!(MasterKey::named_by(&wrapped), Some(master.id()));
    }

    #[test]
    fn the_master_key_is_changed_without_changing_what_it_wraps() {
        let world = World::real();
        let (old, new) = (MasterKey::new(Key::generate(&world)), MasterKey::new(Key::generate(&world)));
        let purpose = PurposeKey::generate(&world);
        let before = old.wrap_purpose_key(&place(purpose.id()), &purpose, &world);
        let secret = old.unwrap_secret(&place(purpose.id()), &before).unwrap();
        let after = new.wrap_secret(&place(purpose.id()), &secret, &world);
        let opened = new.unwrap_purpose_key(&place(purpose.id()), &after).unwrap();
        assert_eq!(opened.key.bytes(), purpose.key.bytes());
        assert!(old.unwrap_secret(&place(purpose.id()), &after).is_err());
    }

    #[test]
    fn a_master_key_has_the_same_id_at_every_start() {
        let id = |byte| MasterKey::new(Key::from_bytes(&[byte; 32])).id();
        assert_eq!(id(1), id(1));
        assert_ne!(id(1), id(2));
        assert_eq!(id(1).uuid().get_version_num(), 8);
    }

    #[test]
    fn a_wrapped_secret_that_is_no_key_is_not_taken_for_one() {
        let world = World::real();
        let master = MasterKey::new(Key::generate(&world));
        let place = place(KeyId::new(&world));
        let wrapped = master.wrap_secret(&place, &SecretBytes::new(vec![1; 31]), &world);
        assert_eq!(master.unwrap_data_key(&place, &wrapped).err(), Some(VaultError::DoesNotOpen));
    }
}
