//! The door for people: every check of a password, a code, a recovery code or a link, and the sessions that follow.

mod contact;
mod device;
mod form;
mod kind;
mod link;
mod miss;
mod moment;
mod overview;
mod password;
pub(crate) mod recovery_code;
mod second_step;
mod session;
mod sign_in;
mod take_back;
mod tell;
mod totp;
mod two_step;

pub(crate) use kind::{NewLink, link_token};
use moment::is_recent;
pub(crate) use session::{Renewal, raise_epoch, renew};
pub(crate) use tell::tell;
pub(crate) use two_step::forget_two_step;

use std::sync::Arc;
use std::time::Duration;

use gatepost_core::{
    AuthenticatorId, ContactId, DeviceId, EmailAddress, OrganisationId, SecretText, SessionId, Timestamp,
};
use gatepost_store::{StoreError, Transaction};
use gatepost_vault::PurposeKey;

use crate::limiter::Limiter;
use crate::{Identity, Person, Policy, SignIns, Token};
use password::HashPool;

/// Lets people in, and keeps what keeps them in. Cheap to clone.
#[derive(Clone)]
pub struct People {
    identity: Identity,
    /// The one limiter of all doors.
    limiter: Arc<Limiter>,
    /// Letters asked for on the sign-in page, by source: asking is no miss, and must not be free either.
    asked: Arc<Limiter>,
    hashes: HashPool,
    /// Whether a link may stand for all steps: in the demo alone.
    allows_sign_in_links: bool,
    #[cfg(test)]
    n_store_calls: Arc<std::sync::atomic::AtomicUsize>,
}

/// What a right password leads to.
#[expect(clippy::large_enum_variant, reason = "there is one of them a sign-in, and it does not live long")]
pub enum Entrance {
    /// Straight in: two-step verification is off, or the device is trusted.
    SignedIn(NewSession),
    /// The second step comes next.
    SecondStep {
        /// For the cookie of the pre-session.
        token: Token,
        /// When it is over.
        expires_at: Timestamp,
    },
}

/// A session just made, with the only copy of its token.
pub struct NewSession {
    /// For the cookie.
    pub token: Token,
    /// What was made.
    pub session: Session,
    /// For the cookie of the browser, which lasts a year and outlives sign-out; none: it keeps the one it has.
    pub device: Option<Token>,
}

/// Someone who is signed in.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// What stays the same from sign-in to sign-out, while ids and tokens change: for form tokens, enrolments, and what is shown
    /// once.
    pub lineage: SessionId,
    /// Who.
    pub person: Person,
    /// The rules for this person.
    pub policy: Policy,
    /// When it began.
    pub created_at: Timestamp,
    /// The last proof by the strongest factor enrolled.
    pub proven_at: Option<Timestamp>,
    /// Whether it outlives the browser.
    pub is_lasting: bool,
    /// Whether it came in by a trusted device.
    pub is_single_factor: bool,
    /// A lasting session whose last factor is more than a day old: nothing but `/confirm` opens (WP-3).
    pub needs_factor: bool,
    /// The person's security epoch in which it was made.
    pub(crate) epoch: u64,
    /// The device that it came by.
    pub(crate) device: Option<DeviceId>,
}

impl Session {
    /// Whether the last proof is at most five minutes old (ID-25).
    #[must_use]
    pub fn is_proven(&self, now: Timestamp) -> bool {
        self.proven_at.is_some_and(|at| is_recent(at, Duration::from_mins(5), now))
    }

    /// Whose data it may see.
    #[must_use]
    pub const fn organisation(&self) -> OrganisationId {
        self.person.organisation
    }
}

/// Someone between password and second step.
#[derive(Clone, Debug)]
pub struct PreSession {
    /// Who.
    pub person: Person,
    /// The rules for this person.
    pub policy: Policy,
    /// What they can show, strongest first (A7).
    pub methods: Vec<Method>,
    /// Whether "Don't ask again on this device" may be offered.
    pub may_trust_device: bool,
    /// When it is over.
    pub expires_at: Timestamp,
}

/// A way to show the second step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// A code of an authenticator app.
    AuthenticatorApp,
    /// One of the recovery codes.
    RecoveryCode,
}

/// What is shown as the second step.
pub enum SecondStep {
    /// As typed: six digits, possibly with spaces.
    Code(SecretText),
    /// As typed: 13 symbols, in any case, possibly with hyphens.
    RecoveryCode(SecretText),
}

/// What is shown again before something that matters.
pub enum Proof {
    /// Where two-step verification is off, or for a lasting session that needs one factor.
    Password(SecretText),
    /// Where it is on.
    SecondStep(SecondStep),
}

/// The second step was right.
pub struct SecondStepPassed {
    /// The session.
    pub session: NewSession,
    /// Until when this device is not asked for the second step again; none: it is asked.
    pub trusted_until: Option<Timestamp>,
    /// Recovery codes that are left, if one was used just now.
    pub recovery_codes_left: Option<u32>,
}

/// Why a person does not get in, or does not get on.
#[derive(Debug, thiserror::Error)]
pub enum PersonRefusal {
    /// The address or the password is wrong, the person is disabled or has no password yet: nobody learns which.
    #[error("the address or the password is wrong")]
    WrongPassword,
    /// The code is wrong.
    #[error("the code is wrong")]
    WrongCode,
    /// The code was right some minutes ago.
    #[error("the code has expired")]
    CodeExpired,
    /// The code was right, and was used already.
    #[error("the code was used already")]
    CodeUsed,
    /// Too many wrong tries, or right passwords from browsers that are not known; or others are looked at right now.
    #[error("too many tries")]
    Slowed {
        /// When the next one is looked at.
        retry_after: Duration,
    },
    /// A hundred misses: this method opens nothing until it is enrolled anew. Never said of a password.
    #[error("this method was disabled after too many wrong tries")]
    MethodDisabled,
    /// Too many people sign in at this moment (ID-6). No miss.
    #[error("too many sign-ins at this moment")]
    Busy,
    /// The pre-session, session, link or enrolment is over or was never there.
    #[error("this step is over")]
    Over,
    /// Nobody can say right now. Never shown as something wrong.
    #[error("nobody can say right now")]
    Unavailable(#[from] StoreError),
}

/// Why a new password is not taken. All but `Unavailable` are shown beside the field.
#[derive(Debug, thiserror::Error)]
pub enum PasswordProblem {
    /// Fewer than 15 code points.
    #[error("has {n} characters, and needs at least {least}")]
    TooShort {
        /// How many it has.
        n: usize,
        /// How many it needs.
        least: usize,
    },
    /// More than 256 code points.
    #[error("has more than 256 characters")]
    TooLong,
    /// It is one of those that are guessed first.
    #[error("is one of those that are guessed first")]
    Common,
    /// It is made of the person's, the organisation's or the product's name.
    #[error("is made of a name that others know")]
    Name,
}

/// An authenticator app that is being set up.
pub struct Enrolment {
    /// Its id.
    pub id: AuthenticatorId,
    /// For the QR code: `otpauth://totp/…`.
    pub uri: SecretText,
    /// For typing: base 32, in groups of four.
    pub key: SecretText,
    /// Whether it takes the place of one that is active.
    pub replaces: bool,
}

/// Where setting an authenticator app up stands.
pub enum SettingUp {
    /// Nothing was begun, or it was too long ago.
    Nothing,
    /// Its secret is shown, and its first code is awaited.
    Begun(Enrolment),
    /// Its first code was right, and one of the recovery codes is awaited.
    Proven,
}

/// A set of recovery codes, shown once, in the form `A0B1-C2D3-E4F51`.
pub struct RecoveryCodes(pub Vec<SecretText>);

/// What the security page tells of a person (A2).
#[derive(Clone, Debug)]
pub struct SecurityOverview {
    /// When the password was last changed; none if there is none.
    pub password_changed_at: Option<Timestamp>,
    /// Since when two-step verification is on.
    pub two_step_at: Option<Timestamp>,
    /// The authenticator apps.
    pub authenticators: Vec<Authenticator>,
    /// How many recovery codes are left; none if there never was a set.
    pub recovery_codes_left: Option<u32>,
    /// Further addresses and the telephone number.
    pub contacts: Vec<Contact>,
    /// The devices that the person has signed in with, the last used first.
    pub devices: Vec<Device>,
    /// Where the person is signed in.
    pub sessions: Vec<OpenSession>,
}

/// One active authenticator.
#[derive(Clone, Debug)]
pub struct Authenticator {
    /// Its id.
    pub id: AuthenticatorId,
    /// What the person calls it.
    pub name: String,
    /// Since when it counts.
    pub active_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// Since when a hundred misses keep it from opening anything; another one has to be set up.
    pub disabled_at: Option<Timestamp>,
}

/// One browser that the person has signed in with. It has a count of wrong tries of its own.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Browser and system.
    pub device: String,
    /// From where it was last seen.
    pub source: String,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Timestamp,
    /// Until when it is not asked for the second step; none: it is asked each time.
    pub trusted_until: Option<Timestamp>,
}

/// One browser in which the person is signed in.
#[derive(Clone, Debug)]
pub struct OpenSession {
    /// Its id.
    pub id: SessionId,
    /// Browser and system.
    pub device: String,
    /// From where.
    pub source: String,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was last used.
    pub active_at: Timestamp,
}

/// A further way to reach a person.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// What it is.
    pub kind: ContactKind,
    /// The address or number.
    pub value: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// Since when it is known to be the person's; a telephone number never is.
    pub proven_at: Option<Timestamp>,
}

/// What a contact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactKind {
    /// An e-mail address for notices.
    Address,
    /// A telephone number for the administrator who has to make sure who is calling.
    Telephone,
}

/// Why something about one's own account cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum AccountProblem {
    /// The new password.
    #[error("the new password {0}")]
    Password(PasswordProblem),
    /// Whatever a secret that was shown along with it met.
    #[error(transparent)]
    Refused(#[from] PersonRefusal),
    /// An administrator must keep two-step verification on.
    #[error("administrators need two-step verification")]
    TwoStepNeeded,
    /// The contact is there already.
    #[error("this contact is there already")]
    ContactExists,
    /// Somebody signs in with that address already.
    #[error("somebody has that address already")]
    AddressTaken,
    /// Not an address.
    #[error("this is not an e-mail address")]
    NotAnAddress,
    /// Not a telephone number: 5 to 20 digits, with a plus sign, spaces and hyphens.
    #[error("this is not a telephone number")]
    NotANumber,
    /// More than five contacts.
    #[error("there are five contacts already")]
    TooManyContacts,
    /// The contact is not proven.
    #[error("the address is not proven yet")]
    NotProven,
    /// It is not there (any more).
    #[error("it is not there")]
    NotFound,
}

impl From<StoreError> for AccountProblem {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// What a link that was opened is for. Nothing is used up by looking.
#[derive(Clone, Debug)]
pub struct OpenedLink {
    /// Who it is for.
    pub person: Person,
    /// The name of their organisation.
    pub organisation_name: String,
    /// What it does.
    pub kind: LinkKind,
    /// When it is over.
    pub expires_at: Timestamp,
    /// Of a "This was not me": the address that would be the one to sign in with again.
    pub goes_back_to: Option<EmailAddress>,
}

/// What "This was not me" took back of the week before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// The address to sign in with again, if that was changed.
    pub address: Option<EmailAddress>,
    /// Addresses and telephone numbers that are the person's no more.
    pub removed: Vec<String>,
}

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkKind {
    /// The first administrator chooses a password. 24 h.
    SetUp,
    /// An invited person chooses a password. 72 h.
    Invitation,
    /// A password is chosen anew; the second step stays. 60 min.
    PasswordReset,
    /// Proves a further address. 24 h.
    Contact,
    /// "This was not me": signs out everywhere, and lets a letter lead to a new password. 7 days.
    NotMe,
    /// Signs in: for the demo alone. 24 h.
    SignIn,
}

impl People {
    /// Behind the limiter of `sign_ins`, hashing on at most `workers` threads (ID-6).
    #[must_use]
    pub fn new(identity: &Identity, sign_ins: &SignIns, workers: usize) -> Self {
        Self {
            identity: identity.clone(),
            limiter: Arc::clone(sign_ins.limiter()),
            asked: Arc::new(Limiter::new(identity.world())),
            hashes: HashPool::new(workers),
            allows_sign_in_links: false,
            #[cfg(test)]
            n_store_calls: Arc::default(),
        }
    }

    /// The same, where a link may sign in without password and second step: for the demo alone. Elsewhere such a link is over.
    #[must_use]
    pub fn with_sign_in_links(self) -> Self {
        Self { allows_sign_in_links: true, ..self }
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The one limiter of all doors (ID-9).
    pub(crate) fn limiter(&self) -> &Arc<Limiter> {
        &self.limiter
    }

    /// The key under which tokens and typed codes are hashed.
    pub(crate) fn tokens(&self) -> &Arc<PurposeKey> {
        self.identity.keyring.tokens()
    }

    /// One transaction that must not write.
    async fn read<T, E>(
        &self,
        job: impl FnMut(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.count_store_call();
        self.identity.store.read(job).await
    }

    /// One durable transaction.
    async fn write<T, E>(
        &self,
        job: impl FnMut(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.count_store_call();
        self.identity.store.write(job).await
    }

    /// A test counts them (ID-11).
    fn count_store_call(&self) {
        #[cfg(test)]
        self.n_store_calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests;
