//! The check-up: each weakness with the one thing that cures it (A3). The table stands in docs/decisions/0009.

use std::time::Duration;

use gatepost_core::{AppPasswordId, Timestamp};
use gatepost_identity::{AppPassword, ContactKind, SecurityOverview};

use crate::frame::{Page, paths};
use crate::page::badge::{Badge, Shape};

/// Recovery codes at which it is time for new ones.
const FEW_CODES: u32 = 3;

/// How long an app password may lie about without being used.
const UNUSED_FOR: Duration = Duration::from_hours(90 * 24);

/// How long before its end an app password is named.
const NEAR_END: Duration = Duration::from_hours(14 * 24);

/// What weakens an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Weakness {
    TwoStepOff,
    AuthenticatorDisabled,
    FewRecoveryCodes(u32),
    NoSecondAddress,
    SecondAddressNotProven(String),
    Unused { id: AppPasswordId, name: String, days: u64 },
    BeingReplaced { id: AppPasswordId, name: String },
    NearEnd { id: AppPasswordId, name: String, at: Timestamp },
}

/// One of them in words, with its cure.
pub(super) struct Finding {
    pub(super) badge: Badge,
    pub(super) words: String,
    /// What the cure's link says, and where it leads.
    pub(super) cure: String,
    pub(super) href: String,
}

/// All there are, the worst first.
pub(super) fn weaknesses(
    of: &SecurityOverview,
    app_passwords: &[AppPassword],
    now: Timestamp,
) -> Vec<Weakness> {
    let mut found = Vec::new();
    if of.two_step_at.is_none() {
        found.push(Weakness::TwoStepOff);
    } else {
        if of.authenticators.iter().any(|it| it.disabled_at.is_some()) {
            found.push(Weakness::AuthenticatorDisabled);
        }
        let n_left = of.recovery_codes_left.unwrap_or(0);
        if n_left <= FEW_CODES {
            found.push(Weakness::FewRecoveryCodes(n_left));
        }
    }
    let mut addresses = of.contacts.iter().filter(|it| it.kind == ContactKind::Address);
    if !addresses.clone().any(|it| it.proven_at.is_some()) {
        found.push(match addresses.next() {
            Some(waiting) => Weakness::SecondAddressNotProven(waiting.value.clone()),
            None => Weakness::NoSecondAddress,
        });
    }
    found.extend(app_passwords.iter().filter_map(|it| weakness_of(it, now)));
    found
}

fn weakness_of(it: &AppPassword, now: Timestamp) -> Option<Weakness> {
    let (id, name) = (it.id, it.name.clone());
    if it.replaced_by.is_some() {
        return Some(Weakness::BeingReplaced { id, name });
    }
    if let Some(at) = it.limits.expires_at.filter(|at| at.since(now) <= NEAR_END) {
        return Some(Weakness::NearEnd { id, name, at });
    }
    let unused = now.since(it.last_use.as_ref().map_or(it.created_at, |it| it.at));
    (unused >= UNUSED_FOR).then_some(Weakness::Unused { id, name, days: unused.as_secs() / (24 * 60 * 60) })
}

impl Finding {
    pub(super) fn of(page: &Page, weakness: Weakness) -> Self {
        let t = page.t;
        let bad = || Badge::new("bad", Shape::Cross, t.of("security.to_do"));
        let warn = || Badge::new("warn", Shape::Warning, t.of("security.to_see"));
        let app_password = |id: AppPasswordId| format!("{}/{id}", paths::APP_PASSWORDS);
        let (badge, words, cure, href) = match weakness {
            Weakness::TwoStepOff => (
                bad(),
                t.of("security.two_step_off").to_owned(),
                "security.turn_on",
                paths::TWO_STEP.to_owned(),
            ),
            Weakness::AuthenticatorDisabled => (
                bad(),
                t.of("security.app_disabled").to_owned(),
                "security.set_up_anew",
                paths::TWO_STEP.to_owned(),
            ),
            Weakness::FewRecoveryCodes(n) => {
                let words = t.count("security.few_codes", n.into(), &[]);
                (
                    if n == 0 { bad() } else { warn() },
                    words,
                    "security.new_codes",
                    super::super::two_step::CODES.to_owned(),
                )
            }
            Weakness::NoSecondAddress => (
                warn(),
                t.of("security.no_address").to_owned(),
                "security.add_address",
                super::ADDRESS.to_owned(),
            ),
            Weakness::SecondAddressNotProven(address) => {
                let words = t.fill("security.address_waits", &[("address", &address)]);
                (warn(), words, "security.see_contacts", "#contacts".to_owned())
            }
            Weakness::Unused { id, name, days } => {
                let words = t.count("security.unused", days, &[("name", &name)]);
                (warn(), words, "security.remove_or_keep", app_password(id))
            }
            Weakness::BeingReplaced { id, name } => {
                let words = t.fill("security.being_replaced", &[("name", &name)]);
                (warn(), words, "security.see_app_password", app_password(id))
            }
            Weakness::NearEnd { id, name, at } => {
                let at = page.moment(at).words;
                let words = t.fill("security.near_end", &[("name", &name), ("at", &at)]);
                (warn(), words, "security.see_app_password", app_password(id))
            }
        };
        Self { badge, words, cure: t.of(cure).to_owned(), href }
    }
}
