//! Checking an app password: the one function and the one limiter for every door (ID-9).

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gatepost_core::{
    AppPasswordId, EmailAddress, LocationId, LoginId, OrganisationId, SecretText, Timestamp,
};
use gatepost_store::{Keyring, Row, Statement, Store, StoreError, Value, params};
use gatepost_vault::PurposeKey;
use uuid::Uuid;

use crate::app_password::digest;
use crate::limiter::{Door, Limiter};
use crate::report::{Answered, typed};
use crate::{
    AppPasswordLimits, AppPasswordText, DoorEvent, DoorReports, LastUse, LastUses, Protocol, RevocationWatch,
    Target, sql,
};

/// Checks sign-ins of applications. One a process, shared by all doors.
pub struct SignIns {
    store: Store,
    keyring: Keyring,
    limiter: Arc<Limiter>,
    last_uses: LastUses,
    watch: RevocationWatch,
    reports: DoorReports,
}

/// Somebody at a door.
pub struct Attempt<'a> {
    /// As typed: in any case, possibly with spaces around it. Hostile.
    pub user_name: &'a str,
    /// As typed or pasted. Hostile.
    pub password: &'a SecretText,
    /// Which door.
    pub protocol: Protocol,
    /// From where.
    pub source: IpAddr,
    /// The TLS version in words, such as `TLS 1.3`; none without encryption.
    pub tls: Option<&'static str>,
    /// The SASL mechanism, or the command that carried the password.
    pub mechanism: Option<&'static str>,
}

/// Who is there, and what they may do.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Whose login it is.
    pub organisation: OrganisationId,
    /// The login.
    pub login: LoginId,
    /// Its user name.
    pub user_name: String,
    /// What it sends and reads as.
    pub target: Target,
    /// For a person: the location whose default account stands in for their own.
    pub home_location: Option<LocationId>,
    /// The app password that opened the door.
    pub app_password: AppPasswordId,
    /// What people call it.
    pub app_password_name: String,
    /// Which of the account's addresses it may send as; empty means all of them.
    pub send_as: Vec<EmailAddress>,
    /// Whether messages with bare line feeds are repaired instead of refused.
    pub repairs_line_ends: bool,
    /// When it must end.
    pub expires_at: Option<Timestamp>,
    /// How far the organisation's revocations had come when this was true.
    pub(crate) epoch: u64,
}

/// Why nobody gets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInRefusal {
    /// Something about it is wrong. Outside, all reasons look alike (AP-10).
    Refused {
        /// Which, for the log alone.
        why: RefusedBecause,
    },
    /// Too many wrong tries came from there.
    Slowed {
        /// When the next one is looked at.
        retry_after: Duration,
    },
    /// Nobody can say right now. Never shown as a wrong password (AP-11).
    Unavailable,
}

/// What was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedBecause {
    /// No login has that user name.
    UnknownUserName,
    /// The login has no such app password.
    WrongPassword,
    /// The app password was removed.
    Removed,
    /// The login was retired with its account.
    LoginDisabled,
    /// The person may not sign in.
    PersonDisabled,
    /// The app password's time is over.
    Expired,
    /// The app password does not open this door.
    Protocol,
    /// The app password does not open doors for that address.
    Network,
}

impl fmt::Display for RefusedBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownUserName => "unknown user name",
            Self::WrongPassword => "wrong password",
            Self::Removed => "the app password was removed",
            Self::LoginDisabled => "the login is disabled",
            Self::PersonDisabled => "the person is disabled",
            Self::Expired => "the app password has expired",
            Self::Protocol => "the app password is not allowed here",
            Self::Network => "the app password is not allowed from this address",
        })
    }
}

impl SignIns {
    /// Begins with what the database knows of the last 30 days, so that a restart takes no trust away (ID-8).
    pub async fn open(
        store: Store,
        keyring: Keyring,
        last_uses: LastUses,
        watch: RevocationWatch,
    ) -> Result<Self, StoreError> {
        let limiter = Arc::new(Limiter::new(store.world()));
        let since = store.world().now() - Duration::from_hours(30 * 24);
        for row in store.read(move |tx| tx.rows(&sql::LIST_LAST_USES, params![since])).await? {
            let door = if row.get(3)? { Door::People } else { Door::Applications };
            limiter.trust(door, row.parse(1, "an address")?, &row.get::<String>(0)?, row.get(2)?);
        }
        let reports = DoorReports::new(&store, &keyring);
        Ok(Self { store, keyring, limiter, last_uses, watch, reports })
    }

    /// The one limiter, which the doors for people use as well (ID-9).
    pub(crate) fn limiter(&self) -> &Arc<Limiter> {
        &self.limiter
    }

    /// What happens at this node's doors.
    #[must_use]
    pub fn reports(&self) -> &DoorReports {
        &self.reports
    }

    /// Checks one attempt. Whatever is wrong with it, the work and the answer outside are the same.
    pub async fn verify(&self, attempt: Attempt<'_>) -> Result<SignedIn, SignInRefusal> {
        // A node that cannot see removals must not let in what may have been removed.
        if !self.watch.is_fresh() {
            return Err(SignInRefusal::Unavailable);
        }
        let Attempt { password, protocol, source, tls, mechanism, .. } = attempt;
        let user_name = canonical(attempt.user_name);
        let now = self.store.world().now();
        let answered =
            |event, letters| Answered { at: now, source, protocol, tls, mechanism, event, letters };
        let it = match self.limiter.begin(Door::Applications, source, &user_name, Some(password), now) {
            Ok(it) => it,
            Err(retry_after) => {
                let event = DoorEvent::Slowed { whose: None, retry_after };
                self.reports.publish_slowed(answered(event, None), &user_name, retry_after);
                return Err(SignInRefusal::Slowed { retry_after });
            }
        };
        let letters = AppPasswordText::parse(password.reveal()).map(Arc::new);
        let text = letters.clone();
        let key = self.keyring.app_passwords().clone();
        let found = self.store.read(move |tx| {
            look_up(&mut |statement, values| tx.row(statement, values), &key, &user_name, text.as_deref())
        });
        let found = match found.await {
            Ok(found) => found,
            Err(err) => {
                tracing::warn!(error = &err as &dyn std::error::Error, "a sign-in could not be checked");
                it.forgive();
                return Err(SignInRefusal::Unavailable);
            }
        };
        let whose = found.login.as_ref().map(|it| (it.organisation, it.id));
        let app_password = found.app_password.as_ref().map(|it| it.id);
        let judged = found.judge(protocol, source, now);
        let event = match (&judged, whose) {
            (Ok(it), _) => {
                let SignedIn { organisation, login, app_password, .. } = *it;
                DoorEvent::SignedIn { organisation, login, app_password }
            }
            (Err(why), Some((organisation, login))) => {
                DoorEvent::Refused { organisation, login, app_password, why: *why }
            }
            (Err(_), None) => DoorEvent::UnknownUserName { typed: typed(attempt.user_name), meant: None },
        };
        self.reports.publish(answered(event, letters));
        match judged {
            Ok(signed_in) => {
                it.succeeded();
                let used = LastUse { at: now, from: source.to_canonical(), protocol };
                self.last_uses.record(signed_in.organisation, signed_in.app_password, used);
                Ok(signed_in)
            }
            Err(why) => Err(SignInRefusal::Refused { why }),
        }
    }
}

/// User names are compared in small letters. What could never be one becomes the empty name, which nobody has: a NUL, for
/// example, would otherwise be refused by one database with an error of its own.
pub(crate) fn canonical(user_name: &str) -> String {
    let user_name = user_name.trim();
    if user_name.len() > 512 || user_name.chars().any(char::is_control) {
        return String::new();
    }
    user_name.to_lowercase()
}

/// What the database says about an attempt.
struct Found {
    login: Option<FoundLogin>,
    app_password: Option<FoundAppPassword>,
}

struct FoundLogin {
    id: LoginId,
    organisation: OrganisationId,
    user_name: String,
    target: Target,
    is_disabled: bool,
    epoch: u64,
    home_location: Option<LocationId>,
    /// Whose alone it is may not sign in, or is gone.
    is_person_disabled: bool,
}

struct FoundAppPassword {
    id: AppPasswordId,
    name: String,
    limits: AppPasswordLimits,
    is_revoked: bool,
}

/// Runs one statement; a test counts what is run.
type RowFinder<'a> = dyn FnMut(&Statement, &[Value<'_>]) -> Result<Option<Row>, StoreError> + 'a;

/// Two look-ups by key and one keyed hash, whether the user name is known or not, and however many app passwords it has
/// (AP-2). The epoch is read first: a removal between the two is seen by the second.
fn look_up(
    row: &mut RowFinder<'_>,
    key: &PurposeKey,
    user_name: &str,
    text: Option<&AppPasswordText>,
) -> Result<Found, StoreError> {
    let login =
        row(&sql::FIND_LOGIN_BY_USER_NAME, params![user_name])?.map(FoundLogin::try_from).transpose()?;
    let id = login.as_ref().map_or(LoginId::from_uuid(Uuid::nil()), |it| it.id);
    let digest = digest(key, id, text);
    let app_password = row(&sql::FIND_APP_PASSWORD_BY_DIGEST, params![id, digest.as_bytes()])?;
    Ok(Found { login, app_password: app_password.map(FoundAppPassword::try_from).transpose()? })
}

impl Found {
    fn judge(self, protocol: Protocol, source: IpAddr, now: Timestamp) -> Result<SignedIn, RefusedBecause> {
        let login = self.login.ok_or(RefusedBecause::UnknownUserName)?;
        let FoundAppPassword { id, name, limits, is_revoked } =
            self.app_password.ok_or(RefusedBecause::WrongPassword)?;
        let failing = [
            (is_revoked, RefusedBecause::Removed),
            (login.is_disabled, RefusedBecause::LoginDisabled),
            (login.is_person_disabled, RefusedBecause::PersonDisabled),
            (limits.are_over(now), RefusedBecause::Expired),
            (!limits.allowed.allow(protocol), RefusedBecause::Protocol),
            (!limits.admit(source), RefusedBecause::Network),
        ];
        if let Some((_, why)) = failing.into_iter().find(|(is_so, _)| *is_so) {
            return Err(why);
        }
        Ok(SignedIn {
            organisation: login.organisation,
            login: login.id,
            user_name: login.user_name,
            target: login.target,
            home_location: login.home_location,
            app_password: id,
            app_password_name: name,
            send_as: limits.send_as,
            repairs_line_ends: limits.repairs_line_ends,
            expires_at: limits.expires_at,
            epoch: login.epoch,
        })
    }
}

impl TryFrom<Row> for FoundLogin {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let target = Target::from_row(&row, 3)?;
        Ok(Self {
            id: row.get(0)?,
            organisation: row.get(1)?,
            user_name: row.get(2)?,
            target,
            is_disabled: row.get::<Option<Timestamp>>(5)?.is_some(),
            epoch: row.get(6)?,
            home_location: if matches!(target, Target::Person(_)) { row.get(7)? } else { None },
            is_person_disabled: row.get(8)?,
        })
    }
}

impl TryFrom<Row> for FoundAppPassword {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(7)?,
            limits: AppPasswordLimits::from_row(&row, 1, 5)?,
            is_revoked: row.get::<Option<Timestamp>>(6)?.is_some(),
        })
    }
}

#[cfg(test)]
mod tests;
