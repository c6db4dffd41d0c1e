//! Notices to people, written down in the transaction of what they tell of (docs/decisions/0011).

mod due;
mod end;
mod list;

use std::fmt;
use std::str::FromStr;

use gatepost_core::{EmailAddress, LinkId, NoticeId, OrganisationId, PersonId, Timestamp, World};
use gatepost_store::{Row, StoreError, Transaction, params};

pub use due::{DueNotice, DueTime, OpenNotice, due_notices, take_notice};
pub use end::{notice_done, notice_given_up, notice_waits, sweep_notices};
pub use list::{NoticeState, PastNotice, latest_notices};

use crate::sql;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// What a notice tells.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum NoticeKind {
            $($(#[$doc])* $name),+
        }

        impl NoticeKind {
            /// Every kind there is.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word),+
                }
            }
        }
    };
}

kinds! {
    /// Signed in on a device not seen before.
    NewDevice = "new_device",
    /// Signed in after five or more wrong tries.
    ManyMisses = "many_misses",
    /// Ten wrong second steps in a row: somebody knows the password.
    PasswordKnown = "password_known",
    /// After "This was not me": a link for choosing a new password.
    AccountSecured = "account_secured",
    /// Two-step verification was turned on.
    TwoStepOn = "two_step_on",
    /// Two-step verification was turned off.
    TwoStepOff = "two_step_off",
    /// An administrator or a command has reset two-step verification.
    TwoStepReset = "two_step_reset",
    /// Another authenticator took the old one's place.
    AuthenticatorReplaced = "authenticator_replaced",
    /// A new set of recovery codes.
    RecoveryCodesMade = "recovery_codes_made",
    /// A recovery code was used.
    RecoveryCodeUsed = "recovery_code_used",
    /// The password was changed or reset.
    PasswordChanged = "password_changed",
    /// An administrator or a command made a link for choosing a new password.
    PasswordResetByAdministrator = "password_reset_by_administrator",
    /// There is one more administrator.
    AdministratorAdded = "administrator_added",
    /// Somebody is an administrator now, or no longer one.
    RoleChanged = "role_changed",
    /// A contact was added, removed, or became the address to sign in with.
    ContactChanged = "contact_changed",
    /// An app password was made.
    AppPasswordMade = "app_password_made",
    /// An invitation, with its link.
    Invitation = "invitation",
    /// A link for choosing a new password, asked for on the sign-in page.
    PasswordReset = "password_reset",
    /// A link that proves an address.
    Contact = "contact",
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for NoticeKind {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|it| it.word() == word).ok_or(())
    }
}

/// A notice, before it is written.
#[derive(Debug)]
pub struct Notice<'a> {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// What it tells.
    pub kind: NoticeKind,
    /// Who it is for.
    pub person: PersonId,
    /// Where it goes, as it was when it happened: an address that was just replaced still gets it. The first is the address
    /// that the person signs in with, which the letter names as their account; of a notice about one address, that one alone.
    pub addresses: &'a [EmailAddress],
    /// The one-time link that the letter carries. The link's row is of the same transaction; its token is made when the letter is
    /// written.
    pub link: Option<LinkId>,
    /// What the letter names, as a JSON object of texts: `device`, `source`, `name`, `by`, `address`, `removed`; what is absent is not
    /// mentioned. No secrets.
    pub details: serde_json::Value,
}

/// Writes a notice down as part of the change's own transaction. Room `notices` carries it out.
pub fn notify(tx: &mut Transaction<'_>, world: &World, notice: &Notice<'_>) -> Result<NoticeId, StoreError> {
    let (id, now) = (NoticeId::new(world), world.now());
    let addresses = notice.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    tx.execute(
        &sql::INSERT_NOTICE,
        params![
            id,
            notice.organisation,
            notice.kind.word(),
            notice.person,
            addresses,
            notice.link,
            notice.details.to_string(),
            now,
        ],
    )?;
    Ok(id)
}

/// A column of addresses, one a line.
fn read_addresses(row: &Row, column: usize) -> Result<Vec<EmailAddress>, StoreError> {
    struct Lines(Vec<EmailAddress>);

    impl FromStr for Lines {
        type Err = gatepost_core::AddressError;

        fn from_str(text: &str) -> Result<Self, Self::Err> {
            text.lines().map(str::parse).collect::<Result<_, _>>().map(Self)
        }
    }

    row.parse::<Lines>(column, "addresses, one a line").map(|it| it.0)
}

/// How many notices of a kind were written down for a person since then, as part of the change's own transaction: what can be
/// brought about again and again must not send letters without end.
pub fn count_notices(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    person: PersonId,
    kind: NoticeKind,
    since: Timestamp,
) -> Result<u32, StoreError> {
    let row = tx.row(&sql::COUNT_NOTICES, params![organisation, person, kind.word(), since])?;
    row.map_or(Ok(0), |row| row.get(0))
}

#[cfg(test)]
mod tests;
