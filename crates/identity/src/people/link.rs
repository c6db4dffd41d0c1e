//! Links that work once.

use std::time::Duration;

use gatepost_core::{
    AppPasswordId, ContactId, LinkId, OrganisationId, PersonId, SecretText, Timestamp, World,
};
use gatepost_journal::{Actor, Entry, Notice, NoticeKind};
use gatepost_store::{Row, StoreError, Transaction, params};
use gatepost_vault::PurposeKey;
use serde_json::json;
use uuid::Uuid;

use super::miss::Subject;
use super::password::{record, set_password};
use super::session::{Entering, Shown, seen_as};
use super::sign_in::enter;
use super::take_back::{Before, Taken, before, take_back};
use super::{NewLink, raise_epoch, tell};
use crate::app_password::{remove_app_password, remove_own_app_passwords};
use crate::limiter::Door;
use crate::sign_in::canonical;
use crate::token::Opens;
use crate::{
    AccountProblem, Contact, Entrance, LinkKind, OpenedLink, People, Person, PersonRefusal, TakenBack, Token,
    Visitor, sql,
};

/// How many reset links a person is sent in a day, whoever asks, and how long after one there is no other.
const MOST_RESETS: u32 = 5;
const RESET_EVERY: Duration = Duration::from_mins(5);
const DAY: Duration = Duration::from_hours(24);

/// A link by its token, dead or alive.
struct FoundLink {
    person: Person,
    id: LinkId,
    kind: LinkKind,
    details: serde_json::Value,
    expires_at: Timestamp,
    used_at: Option<Timestamp>,
    organisation_name: String,
    is_of_this_epoch: bool,
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
        let (world, allows_sign_in_links) = (self.identity().world().clone(), self.allows_sign_in_links);
        self.read(move |tx| {
            let row = tx.row(&sql::FIND_LINK, params![digest.as_bytes()])?;
            let found = row.map(FoundLink::try_from).transpose()?;
            let may = |kind| kind != LinkKind::SignIn || allows_sign_in_links;
            let Some(it) = found.filter(|it| it.is_alive(world.now()) && may(it.kind)) else {
                return Ok(None);
            };
            let goes_back_to = match it.kind {
                LinkKind::NotMe => match before(tx, &world, &it.person)? {
                    Before::Address(address) => Some(address),
                    Before::Same | Before::Gone => None,
                },
                _ => None,
            };
            Ok(Some(OpenedLink {
                person: it.person,
                organisation_name: it.organisation_name,
                kind: it.kind,
                expires_at: it.expires_at,
                goes_back_to,
            }))
        })
        .await
    }

    /// Uses up a set-up, invitation or reset link: the password is chosen. Whoever has two-step verification on still needs its
    /// second step. `device`: the cookie of the browser's device, if it has one. `removes_app_passwords`: those that open the person's
    /// own login are removed too (B12).
    pub async fn choose_password(
        &self,
        token: &Token,
        new: &SecretText,
        device: Option<&Token>,
        removes_app_passwords: bool,
        visitor: &Visitor,
    ) -> Result<Entrance, AccountProblem> {
        let opened = self.find_link(token).await?.filter(|it| it.kind.chooses_password());
        let opened = opened.ok_or(PersonRefusal::Over)?;
        let new = self.judged(&opened.person, new).await?;
        let new = self.hashed(new).await?;
        let (world, keyring) = (self.identity().world().clone(), self.identity().keyring.clone());
        let browser = device.map(|it| it.digest(self.tokens(), Opens::Device));
        let (token, from, visitor) = (token.clone(), visitor, visitor.clone());
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
            let (action, subject, subject_id) = ("password.chosen", "person", Some(person.id.uuid()));
            let entry = Entry { organisation, actor: by, action, subject, subject_id, details };
            gatepost_journal::append(tx, &world, &entry)?;
            if removes_app_passwords {
                remove_own_app_passwords(tx, &world, &person, by)?;
            }
            if person.has_password {
                tell(tx, &world, &person, NoticeKind::PasswordChanged, seen_as(&visitor), None)?;
            }
            let person = Person { has_password: true, ..person };
            let (visitor, browser, shown) = (&visitor, browser.as_ref(), Shown::Password);
            let entering = Entering { person: &person, epoch, visitor, browser, shown };
            let entered = enter(tx, tokens, &world, &entering)?;
            Ok::<_, StoreError>(entered.map(|entrance| (entrance, person)))
        });
        let (entrance, person) = chosen.await?.ok_or(PersonRefusal::Over)?;
        self.trust_source_of(&entrance, &person, from);
        Ok(entrance)
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

    /// Uses up a "This was not me" link: signed out everywhere, the password opens nothing, the app password it names is removed if
    /// that is asked for, what was changed of the person's addresses in the week before is taken back, and a reset link is mailed to
    /// the address to sign in with. Whoever holds the letter is given nothing.
    pub async fn not_me(
        &self,
        token: &Token,
        removes_app_password: bool,
        visitor: &Visitor,
    ) -> Result<TakenBack, AccountProblem> {
        let (world, tokens, token) = (self.identity().world().clone(), self.tokens().clone(), token.clone());
        let visitor = visitor.clone();
        let secured = self.write(move |tx| {
            let used = consume(tx, &tokens, &world, &token, |kind| kind == LinkKind::NotMe)?;
            let Some(Consumed { person, details, .. }) = used else { return Ok(None) };
            let (organisation, id, now) = (person.organisation, person.id, world.now());
            raise_epoch(tx, organisation, id, now)?;
            if let Some(app_password) = named::<AppPasswordId>(&details, "app_password")
                && removes_app_password
            {
                remove_app_password(tx, &world, organisation, app_password, Actor::Person(id))?;
            }
            record(tx, &world, &person, Actor::Person(id), "link.was_not_me", &visitor)?;
            // Whoever has asked for one meanwhile may be the one whom it was.
            tx.execute(&sql::END_PASSWORD_LINKS, params![organisation, id, now])?;
            if tx.execute(&sql::DISABLE_PASSWORD, params![organisation, id, now])? == 1 {
                let details = json!({ "because": "this was not me" });
                person.journal(tx, &world, Actor::Person(id), "password.disabled", details)?;
            }
            let Taken { person, back, is_reachable } = take_back(tx, &world, &person)?;
            if person.has_password && may_be_mailed(&person) && is_reachable {
                let mut details = seen_as(&visitor);
                if let Some(address) = &back.address {
                    details["address"] = address.as_str().into();
                }
                if !back.removed.is_empty() {
                    details["removed"] = back.removed.join(", ").into();
                }
                send_reset(tx, &world, &person, NoticeKind::AccountSecured, details)?;
            }
            Ok::<_, StoreError>(Some(back))
        });
        secured.await?.ok_or_else(|| PersonRefusal::Over.into())
    }

    /// "Forgot password?": sends a reset link if anybody has that address, at most one in five minutes, and after five a day one
    /// whenever none lives; one that lives is not ended by it. None to an administrator without two-step verification: whoever reads the
    /// sent folder of the mailbox it leaves by would be one. The answer is the same if not.
    pub async fn forgot_password(&self, address: &str, visitor: &Visitor) -> Result<(), PersonRefusal> {
        let (address, now) = (canonical(address), self.identity().world().now());
        // Each asking counts, also for the same address again.
        let asked = self.asked.begin(Door::People, visitor.source, "", None, now);
        drop(asked.map_err(|retry_after| PersonRefusal::Slowed { retry_after })?);
        let subject = Subject::Asking(address.clone()).digest(self.tokens());
        let (world, visitor) = (self.identity().world().clone(), visitor.clone());
        let written = self.write(move |tx| {
            tx.execute(&sql::RECORD_ASKING, params![subject.as_bytes(), Uuid::nil(), now])?;
            let row = tx.row(&sql::FIND_CREDENTIAL, params![&address])?;
            let person = row.map(Person::try_from).transpose()?;
            let (organisation, id) = match &person {
                Some(person) => (person.organisation, person.id),
                None => (OrganisationId::from_uuid(Uuid::nil()), PersonId::from_uuid(Uuid::nil())),
            };
            // Alone with this person, so that many at once do not all count the same.
            tx.row(&sql::LOCK_PERSON, params![organisation, id])?;
            let kind = LinkKind::PasswordReset.to_string();
            let mut since = |span| {
                let row = tx.row(&sql::COUNT_LINKS, params![organisation, id, &kind, now - span, now])?;
                row.map_or(Ok(0), |row| row.get::<u32>(0))
            };
            let (lately, today) = (since(RESET_EVERY)?, since(DAY)?);
            let row = tx.row(&sql::COUNT_LIVING_LINKS, params![organisation, id, &kind, now])?;
            let living = row.map_or(Ok(0), |row| row.get::<u32>(0))?;
            // Who has not chosen a password yet has an invitation, which is not to be got round.
            let person = person.filter(|it| it.disabled_at.is_none() && it.has_password && may_be_mailed(it));
            let Some(person) = person else { return Ok(()) };
            // A stranger who uses the day's links up must not keep the person out: one goes again once none lives.
            if lately > 0 || (today >= MOST_RESETS && living > 0) {
                return Ok(());
            }
            send_reset(tx, &world, &person, NoticeKind::PasswordReset, seen_as(&visitor))?;
            record(tx, &world, &person, Actor::System(None), "password.reset_asked_for", &visitor)
        });
        Ok(written.await?)
    }
}

/// A reset link, and the letter that carries it to the address to sign in with.
fn send_reset(
    tx: &mut Transaction<'_>,
    world: &World,
    person: &Person,
    kind: NoticeKind,
    details: serde_json::Value,
) -> Result<(), StoreError> {
    let addresses = std::slice::from_ref(&person.address);
    let (organisation, person, link) = (person.organisation, person.id, LinkId::new(world));
    let new = NewLink { id: link, organisation, person, kind: LinkKind::PasswordReset, details: json!({}) };
    new.insert(tx, world)?;
    let link = Some(link);
    let notice = Notice { organisation, kind, person, addresses, link, details };
    gatepost_journal::notify(tx, world, &notice).map(drop)
}

/// Whether a link to a new password may leave by letter. Without a second step it would make whoever reads the mailbox that sends it
/// an administrator.
fn may_be_mailed(person: &Person) -> bool {
    person.role != crate::Role::Administrator || person.two_step_at.is_some()
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
    let find = |tx: &mut Transaction<'_>| {
        let row = tx.row(&sql::FIND_LINK, params![digest.as_bytes()])?;
        let found = row.map(FoundLink::try_from).transpose()?;
        Ok::<_, StoreError>(found.filter(|it| fits(it.kind) && it.is_alive(now)))
    };
    let Some(found) = find(tx)? else { return Ok(None) };
    tx.row(&sql::LOCK_PERSON, params![found.person.organisation, found.person.id])?;
    // What changed the person until now, such as turning two-step verification on or another address, is over: read again.
    let Some(found) = find(tx)? else { return Ok(None) };
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
        self.used_at.is_none()
            && self.expires_at > now
            && self.person.disabled_at.is_none()
            && (self.is_of_this_epoch || !self.kind.dies_with_the_epoch())
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
            is_of_this_epoch: row.get(17)?,
        })
    }
}
