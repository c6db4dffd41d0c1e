//! One account on the board: shape and word, sending and reading, since when, why, what to do, who, one button, what waits.

use std::collections::HashMap;

use gatepost_accounts::{AccountStatus, DirectionStatus, Entry, MailAccount, StatusName};
use gatepost_core::{MailAccountId, Trouble};
use gatepost_web::Moment;

use super::right::{Held, Right, find, right_on};
use super::{ago, path};
use crate::frame::{App, Page, Problem, Signed};
use crate::page::badge::Badge;
use crate::page::outbox::visible;

/// Letters of one account that are counted one by one.
pub(super) const COUNTED: u32 = 1_000;

/// An account as people see it.
pub(crate) struct Card {
    pub(crate) id: MailAccountId,
    pub(crate) name: String,
    /// Its own page.
    pub(crate) href: String,
    pub(crate) address: String,
    pub(crate) provider: String,
    pub(crate) badge: Badge,
    /// Sending, and reading where it can be read; empty while nothing is known of either.
    pub(crate) lines: Vec<Line>,
    /// Since when it is paused.
    pub(crate) paused: Option<Since>,
    pub(crate) troubles: Vec<Cause>,
    pub(crate) waiting: Option<String>,
    /// The one thing to do.
    pub(crate) button: Option<Button>,
}

/// How one direction fares.
pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) badge: Badge,
    pub(crate) since: Option<Since>,
}

/// Since when, and how long ago that was.
pub(crate) struct Since {
    pub(crate) at: Moment,
    pub(crate) ago: String,
}

/// Cause, cure and who, in words; the provider's own words below.
pub(crate) struct Cause {
    rule: String,
    pub(crate) cause: String,
    pub(crate) cure: String,
    pub(crate) who: String,
    pub(crate) words: Option<String>,
}

/// A form with one button.
pub(crate) struct Button {
    pub(crate) action: String,
    pub(crate) word: String,
    pub(crate) is_main: bool,
    /// The page of signing in again that it leads to: its servers, or what is right there.
    pub(crate) at: Option<&'static str>,
}

/// What is the matter where the servers of an account are not the right ones: name, port, encryption, certificate.
const OF_SERVERS: [Trouble; 12] = [
    Trouble::NameNotFound,
    Trouble::ConnectionRefused,
    Trouble::Unreachable,
    Trouble::TimedOut,
    Trouble::AddressNotAllowed,
    Trouble::StartTlsMissing,
    Trouble::TlsFailed,
    Trouble::CertificateWrongName,
    Trouble::CertificateUnknownAuthority,
    Trouble::CertificateUnusable,
    Trouble::NotAMailServer,
    Trouble::SignInMethodMissing,
];

impl Card {
    /// All of a page, with what waits for them: one question for all.
    pub(crate) async fn all(
        app: &App,
        page: &Page,
        signed: &Signed,
        entries: Vec<Entry>,
    ) -> Result<Vec<Self>, Problem> {
        let counted: Vec<_> = entries
            .iter()
            .filter(|it| right_on(page, signed, &it.account).may_act())
            .map(|it| it.account.id)
            .collect();
        let n_waiting = if counted.is_empty() {
            HashMap::new()
        } else {
            app.rooms.outbox.n_waiting_of_each(signed.organisation(), &counted, COUNTED).await?
        };
        let card = |it: Entry| {
            let right = right_on(page, signed, &it.account);
            let n = n_waiting.get(&it.account.id).copied().unwrap_or_default();
            Self::new(app, page, &it, right, n)
        };
        Ok(entries.into_iter().map(card).collect())
    }

    /// How many wait for an account that others use too is not for everybody to know: then `n_waiting` is 0.
    pub(super) fn new(app: &App, page: &Page, it: &Entry, right: Right, n_waiting: u64) -> Self {
        let Entry { account, status } = it;
        let preset = app.rooms.accounts.providers().find(&account.provider);
        Self {
            id: account.id,
            name: account.short_name.clone(),
            href: path(account.id, ""),
            address: account.address.to_string(),
            provider: preset.map_or_else(|| account.provider.clone(), |it| it.name.clone()),
            badge: Badge::of_account(page.t, status.status),
            lines: lines(page, account, status),
            paused: account.paused_at.map(|at| Since::new(page, at)),
            troubles: troubles(status),
            waiting: match (status.status, status.sending.status) {
                (StatusName::Paused, _) => waiting(page, n_waiting, "accounts.waiting_paused"),
                (_, StatusName::NeedsSignIn) => waiting(page, n_waiting, "accounts.waiting_sign_in"),
                _ => waiting(page, n_waiting, "accounts.waiting"),
            },
            button: button(page, account, status, right),
        }
    }
}

impl Since {
    pub(super) fn new(page: &Page, at: gatepost_core::Timestamp) -> Self {
        Self { at: page.moment(at), ago: ago(page.t, at, page.now) }
    }
}

/// `1 letter waits …`, `1,000 letters or more wait …`; `key` says until when.
pub(super) fn waiting(page: &Page, n: u64, key: &str) -> Option<String> {
    match n {
        0 => None,
        n if n >= u64::from(COUNTED) => Some(page.t.of("accounts.waiting_very_many").to_owned()),
        n => Some(page.t.count(key, n, &[])),
    }
}

fn lines(page: &Page, account: &MailAccount, status: &AccountStatus) -> Vec<Line> {
    let can_be_read = account.endpoints.can_be_read();
    let is_read = can_be_read || status.reading.status != StatusName::Unchecked;
    let line = |key: &str, it: &DirectionStatus| {
        let is_known = it.status != StatusName::Unchecked;
        Line {
            label: page.t.of(key).to_owned(),
            badge: Badge::of_account(page.t, it.status),
            since: is_known.then(|| Since::new(page, it.since)),
        }
    };
    let sending = line("accounts.sending", &status.sending);
    let reading = is_read.then(|| line("accounts.reading", &status.reading));
    std::iter::once(sending).chain(reading).collect()
}

/// One for each cause: a refused sign-in stops both directions.
fn troubles(status: &AccountStatus) -> Vec<Cause> {
    let mut all: Vec<Cause> = Vec::new();
    for it in [&status.sending, &status.reading] {
        let Some(diagnosis) = &it.diagnosis else { continue };
        if all.iter().any(|known| known.rule == diagnosis.rule) {
            continue;
        }
        all.push(Cause {
            rule: diagnosis.rule.clone(),
            cause: diagnosis.cause.clone(),
            cure: diagnosis.cure.clone(),
            who: diagnosis.who.to_string(),
            words: it.reply.as_deref().map(visible).filter(|it| !it.is_empty()),
        });
    }
    all
}

/// The page of an account, for whoever sees it, and the one thing to do there, for whoever may.
pub(crate) async fn glance(
    app: &App,
    page: &Page,
    signed: &Signed,
    id: MailAccountId,
) -> Result<Option<(String, Option<Button>)>, Problem> {
    match find(app, page, signed, id).await {
        Ok(Held { entry, right }) => {
            Ok(Some((path(id, ""), button(page, &entry.account, &entry.status, right))))
        }
        Err(Problem::NotFound) => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// Sign in again, look at the servers, resume or check: whichever helps. None where all is well or it is not theirs to do.
pub(super) fn button(
    page: &Page,
    account: &MailAccount,
    status: &AccountStatus,
    right: Right,
) -> Option<Button> {
    if !right.may_act() {
        return None;
    }
    let button = |behind: &str, key: &str, is_main: bool, at: Option<&'static str>| Button {
        action: path(account.id, behind),
        word: page.t.of(key).to_owned(),
        is_main,
        at,
    };
    match status.status {
        StatusName::Connected => None,
        StatusName::Paused => Some(button("/resume", "accounts.resume", false, None)),
        StatusName::Failing if has_wrong_servers(page, account, status) => Some(see_servers(page, account)),
        StatusName::Failing | StatusName::Unchecked => Some(button("/check", "accounts.check", false, None)),
        StatusName::NeedsSignIn => Some(button("/reauthenticate", "accounts.reauthenticate", true, None)),
    }
}

/// To the servers, which are changed by signing in again there.
pub(super) fn see_servers(page: &Page, account: &MailAccount) -> Button {
    Button {
        action: path(account.id, "/reauthenticate"),
        word: page.t.of("connect.see_servers").to_owned(),
        is_main: true,
        at: Some("servers"),
    }
}

/// Whether the servers may be the wrong ones. Names that somebody has typed may be; those of the data are not.
pub(super) fn has_wrong_servers(page: &Page, account: &MailAccount, status: &AccountStatus) -> bool {
    let preset = page.app.rooms.accounts.providers().find(&account.provider);
    let of = |it: &DirectionStatus| it.diagnosis.as_ref().map(|it| it.rule.clone());
    let is_of_servers = |rule: String| OF_SERVERS.iter().any(|it| it.rule() == rule);
    !preset.is_some_and(|it| it.has_server(&account.endpoints.smtp.host))
        && [&status.sending, &status.reading].into_iter().filter_map(of).any(is_of_servers)
}
