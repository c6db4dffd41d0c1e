//! Which account a letter leaves by (docs/decisions/0001; design: "Choosing the account").

use gatepost_core::{EmailAddress, LocationId, MailAccountId, PersonId, Timestamp};
use gatepost_providers::Providers;

use crate::account::{MailAccount, Serves};
use crate::memory::Organisation;
use crate::record::Record;

/// What the login that handed a letter in points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A login of one account.
    Account(MailAccountId),
    /// A person.
    Person {
        /// Who.
        id: PersonId,
        /// Where they belong.
        home: Option<LocationId>,
    },
    /// A site.
    Location(LocationId),
    /// No login at all: notices of the organisation.
    Organisation,
}

/// The account a letter leaves by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The account; `None` if nothing serves this sender yet.
    pub account: Option<MailAccountId>,
    /// Why this one, or why none, in words for administrators.
    pub because: String,
    /// The addresses it may send as; empty if there is no account.
    pub addresses: Vec<EmailAddress>,
    /// The largest message it takes, where known.
    pub max_message_bytes: Option<u64>,
    /// The present time on its running clock.
    pub running_now: Timestamp,
}

impl Chosen {
    fn this(it: &MailAccount, because: &str, providers: &Providers, now: Timestamp) -> Self {
        Self {
            account: Some(it.id),
            because: because.to_owned(),
            addresses: it.addresses().cloned().collect(),
            max_message_bytes: it.limits(providers).max_message_bytes,
            running_now: it.clock.reading(now),
        }
    }

    fn none(because: String, now: Timestamp) -> Self {
        Self { account: None, because, addresses: Vec::new(), max_message_bytes: None, running_now: now }
    }
}

/// What a default is called, and in which order they are asked.
fn line_of(target: Target) -> Vec<(Serves, &'static str)> {
    let organisation = (Serves::Organisation, "the organisation's default");
    match target {
        Target::Account(_) => Vec::new(),
        Target::Person { id, home } => {
            let own = (Serves::Person(id), "this person's own account");
            let home = home.map(|it| (Serves::Location(it), "the default of this person's location"));
            [Some(own), home, Some(organisation)].into_iter().flatten().collect()
        }
        Target::Location(id) => vec![(Serves::Location(id), "this location's default"), organisation],
        Target::Organisation => vec![organisation],
    }
}

pub(crate) fn choose(
    organisation: &Organisation,
    target: Target,
    providers: &Providers,
    now: Timestamp,
) -> Chosen {
    walk(organisation, target, providers, now, |_| ())
}

/// Chooses, and tells of each place that was looked at on the way.
fn walk(
    organisation: &Organisation,
    target: Target,
    providers: &Providers,
    now: Timestamp,
    mut tell: impl FnMut(Considered),
) -> Chosen {
    if let Target::Account(id) = target {
        return match organisation.live(id) {
            Some(it) => Chosen::this(&it.account, "this login belongs to the account", providers, now),
            None => Chosen::none("the account of this login was removed: choose another".into(), now),
        };
    }
    for (serves, place) in line_of(target) {
        let record = organisation.defaults.get(&serves).and_then(|id| organisation.records.get(id));
        let Some(account) = record.map(|it| &it.account) else {
            tell(Considered { place, account: None, verdict: Verdict::None });
            continue;
        };
        let mut tell = |verdict| tell(Considered { place, account: Some(account.address.clone()), verdict });
        if account.is_live() {
            tell(Verdict::Chosen);
            return Chosen::this(account, place, providers, now);
        }
        if account.overrides.never_falls_back {
            tell(Verdict::NeverFallsBack);
            let because = format!("{place} was removed and never falls back to another: choose a new one");
            return Chosen::none(because, now);
        }
        tell(Verdict::Removed);
    }
    Chosen::none("no mail account serves this sender: connect one, or choose a default".into(), now)
}

/// What would happen to a letter, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The account it would leave by.
    pub chosen: Chosen,
    /// Where an account was looked for, in this order. Empty for the login of an account.
    pub considered: Vec<Considered>,
    /// Why it would be held all the same, in words.
    pub held: Option<String>,
    /// Why it would wait without being held, and until when, in words.
    pub waits: Option<String>,
}

/// One place where an account was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    /// Such as "the organisation's default".
    pub place: &'static str,
    /// The account that stands there.
    pub account: Option<EmailAddress>,
    /// What became of it.
    pub verdict: Verdict,
}

/// Whether the search ended there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No account stands there: the search goes on.
    None,
    /// It was removed: the search goes on.
    Removed,
    /// It was removed and never falls back: the search ends without an account.
    NeverFallsBack,
    /// It is this one.
    Chosen,
}

impl Verdict {
    /// One word, for JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Removed => "removed",
            Self::NeverFallsBack => "never_falls_back",
            Self::Chosen => "chosen",
        }
    }
}

/// The same choice as [`choose`], with everything that people want to know of it (C3).
pub(crate) fn explain(
    organisation: &Organisation,
    target: Target,
    providers: &Providers,
    held_reason: impl Fn(&Record) -> Option<String>,
    waits_because: impl Fn(&Record) -> Option<String>,
    now: Timestamp,
) -> Explained {
    let mut considered = Vec::new();
    let chosen = walk(organisation, target, providers, now, |it| considered.push(it));
    let record = chosen.account.and_then(|id| organisation.live(id));
    let held = match chosen.account {
        Some(_) => record.and_then(held_reason),
        None => Some(chosen.because.clone()),
    };
    let waits = record.filter(|_| held.is_none()).and_then(waits_because);
    Explained { chosen, considered, held, waits }
}

/// The account that notices to the organisation's own people leave by (docs/decisions/0011).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForNotices {
    /// This one can send.
    Account {
        /// It.
        account: Box<MailAccount>,
        /// Why this one, in words.
        because: String,
        /// The present time on its running clock.
        running_now: Timestamp,
    },
    /// None can: why, and what to do, in words.
    Wait {
        /// For administrators.
        because: String,
    },
}

/// A default that cannot send makes notices wait instead of joining its held letters: a link in a letter that leaves days
/// later is over.
pub(crate) fn for_notices(
    organisation: &Organisation,
    held_reason: impl Fn(&Record) -> Option<String>,
    providers: &Providers,
    now: Timestamp,
) -> ForNotices {
    let chosen = choose(organisation, Target::Organisation, providers, now);
    let Some(record) = chosen.account.and_then(|id| organisation.live(id)) else {
        let default = organisation.defaults.get(&Serves::Organisation);
        let because = match default.and_then(|id| organisation.records.get(id)) {
            Some(removed) => {
                let MailAccount { short_name, address, .. } = &removed.account;
                format!(
                    "{short_name} ({address}), the organisation's default mail account, was removed: choose another default"
                )
            }
            None => "the organisation has no default mail account yet: connect one".to_owned(),
        };
        return ForNotices::Wait { because };
    };
    match held_reason(record) {
        Some(because) => ForNotices::Wait { because },
        None => ForNotices::Account {
            account: Box::new(record.account.clone()),
            because: chosen.because,
            running_now: chosen.running_now,
        },
    }
}
