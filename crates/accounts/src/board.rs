//! The accounts as a board shows them: those that need a person first, a page at a time, from memory alone.

use std::collections::HashMap;

use gatepost_core::{LocationId, MailAccountId, PersonId};
use gatepost_providers::Providers;

use crate::account::{MailAccount, Serves};
use crate::choose::{Target, choose};
use crate::memory::Organisation;
use crate::record::Record;
use crate::status::{AccountStatus, StatusName};

/// Which accounts, and how many of them.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Whose.
    pub whose: View,
    /// Part of a name, an address or a provider's word; empty for all.
    pub find: &'a str,
    /// From 1. What is behind the last page is the last page.
    pub page: usize,
    /// Accounts on a page.
    pub per_page: usize,
}

/// Whose accounts somebody sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// All of the organisation.
    All,
    /// Those that serve one person, and the one by which their letters leave.
    Person {
        /// Who.
        id: PersonId,
        /// Where they belong.
        home: Option<LocationId>,
    },
}

/// One page of the board.
#[derive(Clone, Debug)]
pub struct Board {
    /// Those of this page, in their order.
    pub entries: Vec<Entry>,
    /// Which page it is.
    pub page: usize,
    /// How many pages there are; at least 1.
    pub n_pages: usize,
    /// How many accounts are seen, before the search.
    pub tally: Tally,
}

/// An account and how it fares.
#[derive(Clone, Debug)]
pub struct Entry {
    /// It.
    pub account: MailAccount,
    /// How it fares.
    pub status: AccountStatus,
}

/// How many accounts there are in each state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(HashMap<StatusName, usize>);

impl Tally {
    /// In this state.
    #[must_use]
    pub fn of(&self, status: StatusName) -> usize {
        self.0.get(&status).copied().unwrap_or_default()
    }

    /// In all.
    #[must_use]
    pub fn n(&self) -> usize {
        self.0.values().sum()
    }
}

/// Who needs a person comes first, then what stands still, then what is well.
const fn rank(status: StatusName) -> u8 {
    match status {
        StatusName::NeedsSignIn => 0,
        StatusName::Failing => 1,
        StatusName::Paused => 2,
        StatusName::Unchecked => 3,
        StatusName::Connected => 4,
    }
}

impl View {
    /// Whether an account is among them; `chosen` is the one by which a person's letters leave.
    fn sees(self, account: &MailAccount, chosen: Option<MailAccountId>) -> bool {
        match self {
            Self::All => true,
            Self::Person { id, .. } => account.serves == Serves::Person(id) || chosen == Some(account.id),
        }
    }
}

pub(crate) fn board(organisation: &Organisation, shown: &Shown<'_>, providers: &Providers) -> Board {
    let chosen = match shown.whose {
        View::All => None,
        View::Person { id, home } => {
            // Only the choice is looked at, not its time.
            let now = gatepost_core::Timestamp::from_millis(0);
            choose(organisation, Target::Person { id, home }, providers, now).account
        }
    };
    let find = shown.find.trim().to_lowercase();
    let mut tally = Tally::default();
    let mut found: Vec<(u8, &Record)> = Vec::new();
    for record in organisation.records.values() {
        let account = &record.account;
        if !account.is_live() || !shown.whose.sees(account, chosen) {
            continue;
        }
        let status = record.shown();
        *tally.0.entry(status).or_default() += 1;
        let words = [&account.short_name, account.address.as_str(), &account.provider];
        if find.is_empty() || words.iter().any(|it| it.to_lowercase().contains(&find)) {
            found.push((rank(status), record));
        }
    }
    found.sort_by_cached_key(|(rank, it)| (*rank, it.account.short_name.to_lowercase(), it.account.id));
    let per_page = shown.per_page.max(1);
    let n_pages = found.len().div_ceil(per_page).max(1);
    let page = shown.page.clamp(1, n_pages);
    let entries = found.into_iter().skip((page - 1) * per_page).take(per_page).map(|(_, record)| Entry {
        account: record.account.clone(),
        status: AccountStatus::of(record, providers.catalogue()),
    });
    Board { entries: entries.collect(), page, n_pages, tally }
}
