//! An organisation with people, whose rows a test may change by hand.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use gatepost_core::{LinkId, OrganisationId, SecretText, Timestamp};
use gatepost_identity::{
    Entrance, Identity, LastUses, LinkKind, NewPerson, NewSession, OpenSession, People, Person,
    PersonRefusal, RevocationWatch, Role, Session, SignIns, Token, Visitor,
};
use gatepost_journal::{Actor, NoticeKind};
use gatepost_store::{Statement, Value, params};
use gatepost_testkit::TestStore;
use gatepost_vault::keyed_hash;

/// A password that nothing is wrong with.
pub(crate) const RIGHT: &str = "plums for the grey mare";
pub(crate) const OTHER: &str = "quinces for the old dog";
pub(crate) const WRONG: &str = "wrong, but long enough to be one";

mod sql {
    gatepost_store::statements! {
        /// A hash, whatever was there.
        SET_HASH = "
            INSERT INTO password (person_id, organisation_id, hash, key_id, changed_at)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (person_id) DO UPDATE SET hash = excluded.hash";
        /// As it lies there.
        FIND_HASH = "SELECT hash FROM password WHERE person_id = $1";
        /// Two-step verification is on, from then on.
        SET_TWO_STEP = "UPDATE person SET two_step_at = $2 WHERE id = $1";
        /// As an administrator does.
        DISABLE = "UPDATE person SET disabled_at = $2 WHERE id = $1";
        /// As an administrator does.
        SET_ROLE = "UPDATE person SET role = $2, epoch = epoch + 1 WHERE id = $1";
        /// A link with its token.
        INSERT_LINK = "
            INSERT INTO link (id, organisation_id, person_id, kind, details, created_at, expires_at, digest, salt, epoch)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, (SELECT epoch FROM person WHERE id = $3))";
        /// A device that is trusted.
        INSERT_DEVICE = "
            INSERT INTO device
                (id, organisation_id, person_id, digest, epoch, device, source, created_at, trusted_until, last_used_at,
                trusted_at)
            VALUES ($1, $2, $3, $4, (SELECT epoch FROM person WHERE id = $3), $5, $6, $7, $8, $7, $7)";
        /// Which trusted devices there are.
        LIST_DEVICES = "SELECT id FROM device WHERE person_id = $1 AND revoked_at IS NULL AND trusted_at IS NOT NULL";
        /// Sessions that may be alive.
        LIST_SESSIONS = "
            SELECT id, device, source, created_at, active_at
            FROM session
            WHERE person_id = $1 AND ended_at IS NULL
            ORDER BY id";
        /// All rows that the sweep is about.
        COUNT_ROWS = "
            SELECT (SELECT COUNT(*) FROM session) + (SELECT COUNT(*) FROM pre_session)
                + (SELECT COUNT(*) FROM link) + (SELECT COUNT(*) FROM miss) + (SELECT COUNT(*) FROM device)
                + (SELECT COUNT(*) FROM authenticator) + (SELECT COUNT(*) FROM contact)
                + (SELECT COUNT(*) FROM former_address)";
        /// Links that a letter will carry.
        LIST_LINKS = "SELECT kind FROM link WHERE person_id = $1 AND used_at IS NULL ORDER BY created_at, kind";
        /// The token of a link that has none yet.
        GIVE_TOKEN = "
            UPDATE link
            SET digest = $3
            WHERE id = (
                SELECT l.id
                FROM link l
                WHERE l.person_id = $1 AND l.kind = $2 AND l.digest IS NULL
                ORDER BY l.id DESC
                LIMIT 1)";
        /// A further address.
        INSERT_CONTACT = "
            INSERT INTO contact (id, organisation_id, person_id, kind, value, created_at, proven_at)
            VALUES ($1, $2, $3, 'address', $4, $5, $6)";
    }
}

pub(crate) struct House {
    pub(crate) it: TestStore,
    pub(crate) identity: Identity,
    pub(crate) organisation: OrganisationId,
    pub(crate) people: People,
    pub(crate) sign_ins: SignIns,
    n_links: AtomicU64,
}

impl House {
    pub(crate) async fn new(it: TestStore) -> Self {
        let identity = Identity::new(it.store.clone(), it.keyring.clone());
        let organisation = identity.create_organisation("Praxis Plum", Actor::Command).await.unwrap().id;
        let (last_uses, watch) = (LastUses::new(it.store.clone()), RevocationWatch::new(it.store.clone()));
        let sign_ins = SignIns::open(it.store.clone(), it.keyring.clone(), last_uses, watch).await.unwrap();
        let people = People::new(&identity, &sign_ins, 2).with_sign_in_links();
        Self { it, identity, organisation, people, sign_ins, n_links: AtomicU64::new(0) }
    }

    /// Someone without a password.
    pub(crate) async fn invited(&self, address: &str, role: Role) -> Person {
        let (organisation, address) = (self.organisation, address.parse().unwrap());
        let new = NewPerson { organisation, address, name: "Anna Berg".into(), role, home_location: None };
        self.identity.add_person(new, Actor::Command).await.unwrap()
    }

    /// Someone whose password is [`RIGHT`].
    pub(crate) async fn person(&self, address: &str, role: Role) -> Person {
        let person = self.invited(address, role).await;
        self.set_hash(&person, 256, 1).await;
        self.reread(&person).await
    }

    pub(crate) async fn operator(&self) -> Person {
        self.person("anna@example.org", Role::Operator).await
    }

    pub(crate) async fn with_two_step(&self, address: &str, role: Role) -> Person {
        let person = self.person(address, role).await;
        self.run(&sql::SET_TWO_STEP, params![person.id, self.now()]).await;
        self.reread(&person).await
    }

    pub(crate) async fn reread(&self, person: &Person) -> Person {
        self.people.person(self.organisation, person.id).await.unwrap().unwrap()
    }

    /// [`RIGHT`], hashed with less work than today's, so that tests are quick.
    #[expect(clippy::disallowed_methods, reason = "a row as an earlier release would have written it")]
    pub(crate) async fn set_hash(&self, person: &Person, m: u32, t: u32) {
        let (mut output, salt, pepper) = ([0; 32], [7; 16], self.it.keyring.pepper());
        let params = Params::new(m, t, 1, Some(32)).unwrap();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(RIGHT.as_bytes(), &salt, &mut output)
            .unwrap();
        let digest = keyed_hash(pepper, &[b"password", &output]);
        let (salt, digest) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(digest.as_bytes()));
        let hash = format!("$argon2id$v=19$m={m},t={t},p=1${salt}${digest}");
        let values = params![person.id, self.organisation, hash, pepper.id(), self.now()];
        self.run(&sql::SET_HASH, values).await;
    }

    pub(crate) async fn hash(&self, person: &Person) -> String {
        self.rows(&sql::FIND_HASH, params![person.id]).await.remove(0).get(0).unwrap()
    }

    pub(crate) async fn disable(&self, person: &Person) {
        self.run(&sql::DISABLE, params![person.id, self.now()]).await;
    }

    pub(crate) async fn change_role(&self, person: &Person, role: Role) {
        self.run(&sql::SET_ROLE, params![person.id, role.to_string()]).await;
    }

    /// A link with its token, as a letter or a page would hand it over.
    pub(crate) async fn link(&self, person: &Person, kind: LinkKind, details: &str) -> Token {
        let (token, now) = (Token::generate(&self.it.world), self.now());
        let digest = keyed_hash(self.it.keyring.tokens(), &[b"link", token.reveal().as_bytes()]);
        self.n_links.fetch_add(1, Ordering::SeqCst);
        let (id, kind, over) = (LinkId::new(&self.it.world), kind.to_string(), now + kind.lives_for());
        let values = params![id, self.organisation, person.id, kind, details, now, over, digest.as_bytes()];
        self.run(&sql::INSERT_LINK, values).await;
        token
    }

    /// The token of the link that a notice carries.
    pub(crate) async fn token_of_waiting_link(&self, person: &Person, kind: LinkKind) -> Token {
        let token = Token::generate(&self.it.world);
        let digest = keyed_hash(self.it.keyring.tokens(), &[b"link", token.reveal().as_bytes()]);
        self.run(&sql::GIVE_TOKEN, params![person.id, kind.to_string(), digest.as_bytes()]).await;
        token
    }

    pub(crate) async fn links(&self, person: &Person) -> Vec<String> {
        let rows = self.rows(&sql::LIST_LINKS, params![person.id]).await;
        rows.into_iter().map(|row| row.get(0).unwrap()).collect()
    }

    /// The cookie of a device that is trusted for 30 days.
    pub(crate) async fn trust(&self, person: &Person) -> Token {
        let (token, now) = (Token::generate(&self.it.world), self.now());
        let digest = keyed_hash(self.it.keyring.tokens(), &[b"device", token.reveal().as_bytes()]);
        let id = gatepost_core::DeviceId::new(&self.it.world);
        let over = now + std::time::Duration::from_hours(30 * 24);
        let (device, source) = ("Firefox on Windows", "192.0.2.7");
        let digest = digest.as_bytes();
        self.run(
            &sql::INSERT_DEVICE,
            params![id, self.organisation, person.id, digest, device, source, now, over],
        )
        .await;
        token
    }

    pub(crate) async fn devices(&self, person: &Person) -> Vec<gatepost_core::DeviceId> {
        let rows = self.rows(&sql::LIST_DEVICES, params![person.id]).await;
        rows.into_iter().map(|row| row.get(0).unwrap()).collect()
    }

    pub(crate) async fn contact(&self, person: &Person, address: &str, is_proven: bool) -> String {
        let id = gatepost_core::ContactId::new(&self.it.world);
        let proven_at = is_proven.then(|| self.now());
        let values = params![id, self.organisation, person.id, address, self.now(), proven_at];
        self.run(&sql::INSERT_CONTACT, values).await;
        id.to_string()
    }

    pub(crate) async fn sessions(&self, person: &Person) -> Vec<OpenSession> {
        let rows = self.rows(&sql::LIST_SESSIONS, params![person.id]).await;
        let read = |row: gatepost_store::Row| OpenSession {
            id: row.get(0).unwrap(),
            device: row.get(1).unwrap(),
            source: row.get(2).unwrap(),
            created_at: row.get(3).unwrap(),
            active_at: row.get(4).unwrap(),
        };
        rows.into_iter().map(read).collect()
    }

    pub(crate) async fn n_rows(&self) -> i64 {
        self.rows(&sql::COUNT_ROWS, params![]).await.remove(0).get(0).unwrap()
    }

    pub(crate) async fn sign_in(&self, address: &str, password: &str) -> Result<Entrance, PersonRefusal> {
        self.people.sign_in(address, &secret(password), None, &office()).await
    }

    /// Straight in.
    pub(crate) async fn signed_in(&self, person: &Person) -> NewSession {
        session(self.sign_in(person.address.as_str(), RIGHT).await.unwrap())
    }

    pub(crate) async fn find(&self, made: &NewSession) -> Option<Session> {
        self.people.find_session(&made.token, false).await.unwrap()
    }

    /// The notices of a person, oldest first.
    pub(crate) async fn notices(&self, person: &Person) -> Vec<(NoticeKind, Vec<String>)> {
        let found = gatepost_journal::latest_notices(&self.it.store, self.organisation, person.id, 100).await;
        let mut found: Vec<_> = found.unwrap();
        found.reverse();
        let addresses = |it: gatepost_journal::PastNotice| {
            (it.kind, it.addresses.iter().map(ToString::to_string).collect())
        };
        found.into_iter().map(addresses).collect()
    }

    pub(crate) async fn kinds(&self, person: &Person) -> Vec<NoticeKind> {
        self.notices(person).await.into_iter().map(|(kind, _)| kind).collect()
    }

    /// What the journal holds under an action, newest first: the details.
    pub(crate) async fn entries(&self, action: &str) -> Vec<String> {
        let entries = gatepost_journal::newest(&self.it.store, self.organisation, 1000).await.unwrap();
        entries.into_iter().filter(|it| it.action == action).map(|it| it.details).collect()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.it.world.now()
    }

    async fn run(&self, statement: &'static Statement, values: &[Value<'_>]) {
        let values = owned(values);
        self.it
            .store
            .write(move |tx| tx.execute(statement, &values).map_err(gatepost_identity::IdentityError::from))
            .await
            .unwrap();
    }

    async fn rows(&self, statement: &'static Statement, values: &[Value<'_>]) -> Vec<gatepost_store::Row> {
        let values = owned(values);
        self.it
            .store
            .read(move |tx| tx.rows(statement, &values).map_err(gatepost_identity::IdentityError::from))
            .await
            .unwrap()
    }
}

fn owned(values: &[Value<'_>]) -> Vec<Value<'static>> {
    let own = |value: &Value<'_>| match value {
        Value::Null => Value::Null,
        Value::Bool(it) => Value::Bool(*it),
        Value::Int(it) => Value::Int(*it),
        Value::Text(it) => Value::Text(it.clone().into_owned().into()),
        Value::Bytes(it) => Value::Bytes(it.clone().into_owned().into()),
        Value::Uuid(it) => Value::Uuid(*it),
    };
    values.iter().map(own).collect()
}

pub(crate) fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned())
}

/// Firefox in the office.
pub(crate) fn office() -> Visitor {
    visitor("192.0.2.7", "Firefox on Windows")
}

pub(crate) fn visitor(source: &str, device: &str) -> Visitor {
    Visitor { source: source.parse::<IpAddr>().unwrap(), device: device.to_owned() }
}

#[track_caller]
pub(crate) fn session(entrance: Entrance) -> NewSession {
    match entrance {
        Entrance::SignedIn(session) => session,
        Entrance::SecondStep { .. } => panic!("the second step is asked for"),
    }
}

#[track_caller]
pub(crate) fn pre_session(entrance: Entrance) -> Token {
    match entrance {
        Entrance::SignedIn(_) => panic!("no second step is asked for"),
        Entrance::SecondStep { token, .. } => token,
    }
}
