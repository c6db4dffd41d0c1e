//! Keys at rest: wrapped rows, and what is unwrapped of them in memory (docs/decisions/0004).

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatepost_core::{KeyId, OrganisationId, SecretBytes, Timestamp, World};
use gatepost_vault::{DataKey, DayKey, KeyPlace, MasterKey, PurposeKey, VaultError};

use crate::{Row, Store, StoreError, Transaction, params, sql};

/// What an installation-wide key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Opens only under the right master key, and serves nothing else.
    Check,
    /// The keyed hash of app passwords.
    AppPasswords,
    /// The keyed hash of tokens and typed codes, and what proves where a form came from.
    Tokens,
    /// The keyed hash over the password hashes of people (ID-5).
    Pepper,
}

impl Purpose {
    const fn word(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::AppPasswords => "app_passwords",
            Self::Tokens => "tokens",
            Self::Pepper => "pepper",
        }
    }
}

/// The word of keys that wrap bodies.
const BODY_DAY: &str = "body_day";
/// The word of organisations' data keys.
const ORGANISATION: &str = "organisation";
/// Stands in the `day` column for "no day".
const NO_DAY: i64 = -1;
/// A day key outlives its day by this at least: longer than any upload that began on that day may last.
const KEPT_AFTER_ITS_DAY: Duration = Duration::from_hours(48);
/// How many day keys are remembered; each costs a locked page.
const MOST_DAY_KEYS: usize = 512;

/// Gives rooms the keys they may use, making those that are missing. Cheap to clone.
#[derive(Clone)]
pub struct Keyring {
    store: Store,
    master: Arc<MasterKey>,
    app_passwords: Arc<PurposeKey>,
    tokens: Arc<PurposeKey>,
    pepper: Arc<PurposeKey>,
    data: Arc<Shelf<OrganisationId, DataKey>>,
    day_of: Arc<Shelf<(OrganisationId, i64), DayKey>>,
    day_by_id: Arc<Shelf<KeyId, DayKey>>,
}

impl Keyring {
    /// Proves that `master` is this database's key, or makes it so in a new database.
    pub async fn open(store: &Store, master: MasterKey) -> Result<Self, StoreError> {
        let master = Arc::new(master);
        let [_, app_passwords, tokens, pepper] = purpose_keys(store, &master).await?;
        Ok(Self {
            store: store.clone(),
            master,
            app_passwords: Arc::new(app_passwords),
            tokens: Arc::new(tokens),
            pepper: Arc::new(pepper),
            data: Arc::default(),
            day_of: Arc::default(),
            day_by_id: Arc::default(),
        })
    }

    /// The key under which app passwords are hashed, and nothing else (AP-2).
    #[must_use]
    pub fn app_passwords(&self) -> &Arc<PurposeKey> {
        &self.app_passwords
    }

    /// The key under which tokens and typed codes are hashed.
    #[must_use]
    pub fn tokens(&self) -> &Arc<PurposeKey> {
        &self.tokens
    }

    /// The key under which Argon2's output is hashed once more (ID-5).
    #[must_use]
    pub fn pepper(&self) -> &Arc<PurposeKey> {
        &self.pepper
    }

    /// An organisation's key, for sealing its rows.
    pub async fn data_key(&self, organisation: OrganisationId) -> Result<Arc<DataKey>, StoreError> {
        if let Some(known) = remembered(&self.data, &organisation) {
            return Ok(known);
        }
        let fresh = DataKey::generate(self.world());
        let place = KeyPlace { organisation, purpose: ORGANISATION, day: None, id: fresh.id() };
        let wrapped = self.master.wrap_data_key(&place, &fresh, self.world());
        let found = find_or_insert(&self.store, place, wrapped, self.master.id(), None).await?;
        let place = KeyPlace { id: found.id, ..place };
        let key =
            self.master.unwrap_data_key(&place, &found.wrapped).map_err(|err| no_key(ORGANISATION, err))?;
        Ok(remember(&self.data, organisation, Arc::new(key)))
    }

    /// The key that wraps the keys of bodies that an organisation stores today.
    pub async fn day_key(&self, organisation: OrganisationId) -> Result<Arc<DayKey>, StoreError> {
        let day = self.world().now().day();
        if let Some(known) = remembered(&self.day_of, &(organisation, day)) {
            return Ok(known);
        }
        let data = self.data_key(organisation).await?;
        let fresh = DayKey::generate(self.world());
        let place = KeyPlace { organisation, purpose: BODY_DAY, day: Some(day), id: fresh.id() };
        let wrapped = data.wrap_day_key(&place, &fresh, self.world());
        let found = find_or_insert(&self.store, place, wrapped, data.id(), None).await?;
        let place = KeyPlace { id: found.id, ..place };
        let key = Arc::new(data.unwrap_day_key(&place, &found.wrapped).map_err(|err| no_key(BODY_DAY, err))?);
        remember(&self.day_by_id, key.id(), Arc::clone(&key));
        Ok(remember(&self.day_of, (organisation, day), key))
    }

    /// The day key that a body names.
    pub(crate) async fn day_key_by_id(
        &self,
        organisation: OrganisationId,
        id: KeyId,
    ) -> Result<Arc<DayKey>, StoreError> {
        if let Some(known) = remembered(&self.day_by_id, &id) {
            return Ok(known);
        }
        let data = self.data_key(organisation).await?;
        let row = self.store.read(move |tx| tx.row(&sql::FIND_DAY_KEY, params![organisation, id])).await?;
        let row = row.ok_or_else(|| StoreError::Key { key: id.to_string(), problem: "was destroyed" })?;
        let place = KeyPlace { organisation, purpose: BODY_DAY, day: Some(row.get(0)?), id };
        let key =
            data.unwrap_day_key(&place, &row.get::<Vec<u8>>(1)?).map_err(|err| no_key(BODY_DAY, err))?;
        Ok(remember(&self.day_by_id, id, Arc::new(key)))
    }

    /// Destroys the day keys under which no body is left, 48 h after their day. Returns how many.
    pub async fn destroy_spent_day_keys(&self, now: Timestamp) -> Result<u64, StoreError> {
        let before = (now - KEPT_AFTER_ITS_DAY).day();
        let spent = self.store.read(move |tx| tx.rows(&sql::LIST_SPENT_DAY_KEYS, params![before])).await?;
        let mut destroyed = 0;
        for row in spent {
            let (id, organisation) = (row.get::<KeyId>(0)?, row.get::<OrganisationId>(1)?);
            let values = move |tx: &mut Transaction<'_>| {
                tx.execute(&sql::DESTROY_DAY_KEY, params![organisation, id, &[0_u8; 0], now])
            };
            destroyed += self.store.write(values).await?;
            lock(&self.day_by_id).remove(&id);
            lock(&self.day_of).retain(|_, key| key.id() != id);
        }
        Ok(destroyed)
    }

    /// A secret of the installation that is no key of ours (the local authority's private key), with its public part.
    /// `make` is called only where there is none yet.
    pub async fn secret(
        &self,
        purpose: &'static str,
        make: impl FnOnce() -> (SecretBytes, Vec<u8>),
    ) -> Result<(SecretBytes, Vec<u8>), StoreError> {
        let organisation = OrganisationId::INSTALLATION;
        let row =
            self.store.read(move |tx| tx.row(&sql::FIND_KEY, params![organisation, purpose, NO_DAY])).await?;
        let found = match row {
            Some(row) => Found::try_from(row)?,
            None => {
                let (secret, public) = make();
                let place = KeyPlace { organisation, purpose, day: None, id: KeyId::new(self.world()) };
                let wrapped = self.master.wrap_secret(&place, &secret, self.world());
                find_or_insert(&self.store, place, wrapped, self.master.id(), Some(public)).await?
            }
        };
        let place = KeyPlace { organisation, purpose, day: None, id: found.id };
        let secret = self.master.unwrap_secret(&place, &found.wrapped).map_err(|err| no_key(purpose, err))?;
        Ok((secret, found.public_part))
    }

    /// The clock and randomness of the store.
    #[must_use]
    pub fn world(&self) -> &World {
        self.store.world()
    }
}

/// What is opened at every start, the check first.
const OPENED: [Purpose; 4] = [Purpose::Check, Purpose::AppPasswords, Purpose::Tokens, Purpose::Pepper];

/// The installation's keys, found or made in one transaction: under a wrong master key nothing is made, because the check does
/// not open.
async fn purpose_keys(store: &Store, master: &Arc<MasterKey>) -> Result<[PurposeKey; 4], StoreError> {
    let organisation = OrganisationId::INSTALLATION;
    let fresh = OPENED.map(|purpose| {
        let key = PurposeKey::generate(store.world());
        let place = KeyPlace { organisation, purpose: purpose.word(), day: None, id: key.id() };
        (purpose, place, master.wrap_purpose_key(&place, &key, store.world()))
    });
    let (master, now) = (Arc::clone(master), store.world().now());
    let opened = store.write(move |tx| {
        let open = |(purpose, place, wrapped): &(Purpose, KeyPlace<'static>, Vec<u8>)| {
            let found = find_or_insert_row(tx, place, wrapped, master.id(), None, now)?;
            unwrap(&master, *purpose, &Found::try_from(found)?)
        };
        fresh.iter().map(open).collect::<Result<Vec<_>, StoreError>>()
    });
    opened.await?.try_into().map_err(|_| StoreError::Stopped)
}

fn unwrap(master: &MasterKey, purpose: Purpose, found: &Found) -> Result<PurposeKey, StoreError> {
    let organisation = OrganisationId::INSTALLATION;
    let place = KeyPlace { organisation, purpose: purpose.word(), day: None, id: found.id };
    master.unwrap_purpose_key(&place, &found.wrapped).map_err(|_| match MasterKey::named_by(&found.wrapped) {
        Some(named) if named != master.id() => StoreError::WrongMasterKey { expected: named.to_string() },
        _ => {
            StoreError::Key { key: purpose.word().to_owned(), problem: "does not open; its row was changed" }
        }
    })
}

/// A row of the table, still wrapped.
struct Found {
    id: KeyId,
    wrapped: Vec<u8>,
    public_part: Vec<u8>,
}

impl TryFrom<Row> for Found {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let public_part = row.get::<Option<Vec<u8>>>(3)?.unwrap_or_default();
        Ok(Self { id: row.get(0)?, wrapped: row.get(1)?, public_part })
    }
}

/// The key of this place as committed: of several processes that make it at once, all get the same one.
async fn find_or_insert(
    store: &Store,
    place: KeyPlace<'static>,
    wrapped: Vec<u8>,
    wrapped_by: KeyId,
    public_part: Option<Vec<u8>>,
) -> Result<Found, StoreError> {
    let now = store.world().now();
    let found = store
        .write(move |tx| find_or_insert_row(tx, &place, &wrapped, wrapped_by, public_part.as_deref(), now))
        .await?;
    found.try_into()
}

fn find_or_insert_row(
    tx: &mut Transaction<'_>,
    place: &KeyPlace<'static>,
    wrapped: &[u8],
    wrapped_by: KeyId,
    public_part: Option<&[u8]>,
    now: Timestamp,
) -> Result<Row, StoreError> {
    let KeyPlace { organisation, purpose, day, id } = *place;
    let day = day.unwrap_or(NO_DAY);
    if let Some(row) = tx.row(&sql::FIND_KEY, params![organisation, purpose, day])? {
        return Ok(row);
    }
    let values = params![id, organisation, purpose, day, wrapped, wrapped_by, public_part, now];
    tx.execute(&sql::INSERT_KEY, values)?;
    let row = tx.row(&sql::FIND_KEY, params![organisation, purpose, day])?;
    row.ok_or_else(|| StoreError::Key { key: purpose.to_owned(), problem: "was destroyed" })
}

fn no_key(purpose: &str, _: VaultError) -> StoreError {
    StoreError::Key { key: purpose.to_owned(), problem: "does not open; its row was changed" }
}

type Shelf<K, V> = Mutex<HashMap<K, Arc<V>>>;

fn lock<K, V>(shelf: &Shelf<K, V>) -> std::sync::MutexGuard<'_, HashMap<K, Arc<V>>> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remembered<K: Eq + Hash, V>(shelf: &Shelf<K, V>, name: &K) -> Option<Arc<V>> {
    lock(shelf).get(name).map(Arc::clone)
}

/// Remembers a committed key. A full shelf is emptied: keys come back from their rows in microseconds.
fn remember<K: Eq + Hash, V>(shelf: &Shelf<K, V>, name: K, key: Arc<V>) -> Arc<V> {
    let mut shelf = lock(shelf);
    if shelf.len() >= MOST_DAY_KEYS {
        shelf.clear();
    }
    Arc::clone(shelf.entry(name).or_insert(key))
}
