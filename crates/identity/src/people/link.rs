//! Links that work once.

use gatepost_core::{AppPasswordId, ContactId, LinkId, SecretText, Timestamp, World};
use gatepost_journal::{Actor, Entry, Notice, NoticeKind};
use gatepost_store::{Row, StoreError, Transaction, params};
use gatepost_vault::PurposeKey;
use serde_json::json;

use super::password::{record, set_password};
use super::session::{Entering, Shown, seen_as};
use super::sign_in::enter;
use super::{NewLink, raise_epoch, tell};
use crate::sign_in::canonical;
use crate::token::Opens;
use crate::{
    AccountProblem, Contact, Entrance, LinkKind, OpenedLink, People, Person, PersonRefusal, Token, Visitor,
    sql,
};

/// How many reset links a person is sent in an hour, whoever asks.
const MOST_RESETS: u32 = 5;

/// A link by its token, dead or alive.
struct FoundLink {
    person: Person,
    id: LinkId,
    kind: LinkKind,
    details: serde_json::Value,
    expires_at: Timestamp,
    used_at: Option<Timestamp>,
    organisation_name: String,
}

/// A link that was used up by this transaction.
pub(super) struct Consumed {
    pub(super) person: Person,
    /// The person's epoch as it stands.
    pub(super) epoch: u64,
    kind: LinkKind,
    details: serde_json::Value,
}

impl People {
    /// What a link is for, if it is alive.
    pub async fn find_link(&self, token: &Token) -> Result<Option<OpenedLink>, StoreError> {
        let digest = token.digest(self.tokens(), Opens::Link);
        let row = self.read(move |tx| tx.row(&sql::FIND_LINK, params![digest.as_bytes()])).await?;
        let (found, now) = (row.map(FoundLink::try_from).transpose()?, self.identity().world().now());
        Ok(found.filter(|it| it.is_alive(now)).map(|it| OpenedLink {
            person: it.person,
            organisation_name: it.organisation_name,
            kind: it.kind,
            expires_at: it.expires_at,
        }))
    }

    /// Uses up a set-up, invitation or reset link: the password is chosen. Whoever has two-step verification on still needs its
    /// second step.
    pub async fn choose_password(
        &self,
        token: &Token,
        new: &SecretText,
        visitor: &Visitor,
    ) -> Result<Entrance, AccountProblem> {
        let opened = self.find_link(token).await?.filter(|it| it.kind.chooses_password());
        let opened = opened.ok_or(PersonRefusal::Over)?;
        let new = self.judged(&opened.person, new).await?;
        let new = self.hashed(new).await?;
        let (world, keyring) = (self.identity().world().clone(), self.identity().keyring.clone());
        let (token, visitor) = (token.clone(), visitor.clone());
        let chosen = self.write(move |tx| {
            let tokens = keyring.tokens();
            // Whom it is for comes from the token and from nothing else (ID-22).
            let used = consume(tx, tokens, &world, &token, LinkKind::chooses_password)?;
            let Some(Consumed { person, kind, .. }) = used else { return Ok(None) };
            let (organisation, now) = (person.organisation, world.now());
            tx.execute(&sql::END_PASSWORD_LINKS, params![organisation, person.id, now])?;
            let Some(epoch) = raise_epoch(tx, organisation, person.id, now)? else { return Ok(None) };
            set_password(tx, &keyring, &world, &person, &new)?;
            let by = Actor::Person(person.id);
            let details =
                json!({ "by": kind.to_string(), "source": visitor.source.to_canonical().to_string() });
            let (action, subject, subject_id) = ("person.password_chosen", "person", Some(person.id.uuid()));
            let entry = Entry { organisation, actor: by, action, subject, subject_id, details };
            gatepost_journal::append(tx, &world, &entry)?;
            if person.has_password {
                tell(tx, &world, &person, NoticeKind::PasswordChanged, seen_as(&visitor), None)?;
            }
            let person = Person { has_password: true, ..person };
            let entering = Entering { person: &person, epoch, visitor: &visitor, shown: Shown::Password };
            enter(tx, tokens, &world, &entering).map(Some)
        });
        chosen.await?.ok_or_else(|| PersonRefusal::Over.into())
    }

    /// Uses up a link that proves an address.
    pub async fn prove_contact(&self, token: &Token) -> Result<Contact, AccountProblem> {
        let (world, tokens, token) = (self.identity().world().clone(), self.tokens().clone(), token.clone());
        self.write(move |tx| {
            let used = consume(tx, &tokens, &world, &token, |kind| kind == LinkKind::Contact)?;
            let Some(Consumed { person, details, .. }) = used else {
                return Ok(Err(PersonRefusal::Over.into()));
            };
            let Some(contact) = named::<ContactId>(&details, "contact") else {
                return Ok(Err(AccountProblem::NotFound));
            };
            let (organisation, id) = (person.organisation, person.id);
            tx.execute(&sql::PROVE_CONTACT, params![organisation, id, contact, world.now()])?;
            let row = tx.row(&sql::FIND_CONTACT_BY_ID, params![organisation, id, contact])?;
            // The person removed it before the link was opened.
            let Some(row) = row else { return Ok(Err(AccountProblem::NotFound)) };
            gatepost_journal::append(
                tx,
                &world,
                &Entry {
                    organisation,
                    actor: Actor::Person(id),
                    action: "contact.proven",
                    subject: "contact",
                    subject_id: Some(contact.uuid()),
                    details: json!({}),
                },
            )?;
            Ok::<_, AccountProblem>(Ok(Contact {
                id: row.get(0)?,
                kind: row.parse(1, "a kind of contact")?,
                value: row.get(2)?,
                created_at: row.get(3)?,
                proven_at: row.get(4)?,
            }))
        })
        .await?
    }

    /// Uses up a "This was not me" link: signed out everywhere, the app password it names removed, and a reset link in its place.
    pub async fn not_me(&self, token: &Token, visitor: &Visitor) -> Result<Token, AccountProblem> {
        let (world, tokens, token) = (self.identity().world().clone(), self.tokens().clone(), token.clone());
        let visitor = visitor.clone();
        let reset = self.write(move |tx| {
            let used = consume(tx, &tokens, &world, &token, |kind| kind == LinkKind::NotMe)?;
            let Some(Consumed { person, details, .. }) = used else { return Ok(None) };
            let (organisation, id, now) = (person.organisation, person.id, world.now());
            raise_epoch(tx, organisation, id, now)?;
            if let Some(app_password) = named::<AppPasswordId>(&details, "app_password")
                && tx.execute(&sql::REVOKE_APP_PASSWORD, params![organisation, app_password, now])? == 1
            {
                tx.execute(&sql::RAISE_EPOCH, params![organisation])?;
                gatepost_journal::append(
                    tx,
                    &world,
                    &Entry {
                        organisation,
                        actor: Actor::Person(id),
                        action: "app_password.revoked",
                        subject: "app_password",
                        subject_id: Some(app_password.uuid()),
                        details: json!({ "because": "this was not me" }),
                    },
                )?;
            }
            record(tx, &world, &person, Actor::Person(id), "person.was_not_me", &visitor)?;
            // Whoever has asked for one meanwhile may be the one whom it was.
            tx.execute(&sql::END_PASSWORD_LINKS, params![organisation, id, now])?;
            let (link, kind) = (LinkId::new(&world), LinkKind::PasswordReset);
            NewLink { id: link, organisation, person: id, kind, details: json!({}) }.insert(tx, &world)?;
            let reset = Token::generate(&world);
            let digest = reset.digest(&tokens, Opens::Link);
            tx.execute(&sql::GIVE_LINK_TOKEN, params![organisation, link, digest.as_bytes()])?;
            Ok::<_, StoreError>(Some(reset))
        });
        reset.await?.ok_or_else(|| PersonRefusal::Over.into())
    }

    /// "Forgot password?": sends a reset link if anybody has that address. The answer and the work are the same if not.
    pub async fn forgot_password(&self, address: &str, visitor: &Visitor) -> Result<(), PersonRefusal> {
        let (address, now) = (canonical(address), self.identity().world().now());
        // The address stands where a secret would: asking again for the same one is no second try.
        let asked = self.asked.begin(visitor.source, "", &SecretText::new(address.clone()), now);
        asked.map_err(|retry_after| PersonRefusal::Slowed { retry_after })?;
        let (world, visitor) = (self.identity().world().clone(), visitor.clone());
        let written = self.write(move |tx| {
            let row = tx.row(&sql::FIND_CREDENTIAL, params![&address])?;
            let person = row.map(Person::try_from).transpose()?.filter(|it| it.disabled_at.is_none());
            let Some(person) = person else { return Ok(()) };
            let (organisation, id, kind) = (person.organisation, person.id, LinkKind::PasswordReset);
            // Alone with this person, so that many at once do not all count the same.
            tx.row(&sql::LOCK_PERSON, params![organisation, id])?;
            let since = now - std::time::Duration::from_hours(1);
            let row = tx.row(&sql::COUNT_LINKS, params![organisation, id, kind.to_string(), since])?;
            if row.map_or(Ok(0), |row| row.get::<u32>(0))? >= MOST_RESETS {
                return Ok(());
            }
            let link = LinkId::new(&world);
            NewLink { id: link, organisation, person: id, kind, details: json!({}) }.insert(tx, &world)?;
            let addresses = [person.address.clone()];
            let details = seen_as(&visitor);
            let (addresses, link) = (&addresses[..], Some(link));
            let kind = NoticeKind::PasswordReset;
            gatepost_journal::notify(
                tx,
                &world,
                &Notice { organisation, kind, person: id, addresses, link, details },
            )?;
            record(tx, &world, &person, Actor::System(None), "person.reset_asked_for", &visitor)
        });
        Ok(written.await?)
    }
}

/// Uses up a link of a kind that `fits`, as part of the transaction that does what it is for. None if it is over, used, for somebody
/// who is disabled, or of another kind.
pub(super) fn consume(
    tx: &mut Transaction<'_>,
    tokens: &PurposeKey,
    world: &World,
    token: &Token,
    fits: impl Fn(LinkKind) -> bool,
) -> Result<Option<Consumed>, StoreError> {
    let (digest, now) = (token.digest(tokens, Opens::Link), world.now());
    let found = tx.row(&sql::FIND_LINK, params![digest.as_bytes()])?.map(FoundLink::try_from).transpose()?;
    let Some(found) = found.filter(|it| fits(it.kind) && it.is_alive(now)) else { return Ok(None) };
    // Of many at once, one finds it unused.
    if tx.execute(&sql::CONSUME_LINK, params![digest.as_bytes(), now])? == 0 {
        return Ok(None);
    }
    let row = tx.row(&sql::FIND_CREDENTIAL, params![&found.person.address])?;
    let Some(row) = row else { return Ok(None) };
    let (person, epoch) = (Person::try_from(&row)?, row.get(11)?);
    tracing::debug!(link.id = %found.id, "a link was used up");
    Ok(Some(Consumed { person, epoch, kind: found.kind, details: found.details }))
}

/// The id that a link's details name.
fn named<T: std::str::FromStr>(details: &serde_json::Value, key: &str) -> Option<T> {
    details.get(key)?.as_str()?.parse().ok()
}

impl FoundLink {
    fn is_alive(&self, now: Timestamp) -> bool {
        self.used_at.is_none() && self.expires_at > now && self.person.disabled_at.is_none()
    }
}

impl TryFrom<Row> for FoundLink {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            person: Person::try_from(&row)?,
            id: row.get(11)?,
            kind: row.parse(12, "a kind of link")?,
            details: row.parse(13, "JSON")?,
            expires_at: row.get(14)?,
            used_at: row.get(15)?,
            organisation_name: row.get(16)?,
        })
    }
}
