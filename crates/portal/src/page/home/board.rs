//! The board of mail accounts: crosses first, each with what, why, what to do, who, since when.

use askama::Template;
use gatepost_accounts::{MailAccount, Serves, StatusName, Target};
use gatepost_web::Moment;

use crate::frame::{App, Page, Problem, Signed};
use crate::page::badge::Badge;
use crate::page::outbox::visible;

/// Accounts that one page shows.
const CARDS_AT_MOST: usize = 30;

/// The part of the home page that renews itself.
#[derive(Template)]
#[template(path = "home_board.html")]
pub(super) struct Board {
    page: Page,
    pub(super) cards: Vec<Card>,
    more: Option<String>,
}

pub(super) struct Card {
    status: StatusName,
    name: String,
    address: String,
    provider: String,
    badge: Badge,
    since: Option<Moment>,
    trouble: Option<Trouble>,
    waiting: Option<String>,
}

/// Cause, cure and who, in words; the provider's own below.
struct Trouble {
    cause: String,
    cure: String,
    who: String,
    words: Option<String>,
}

impl Board {
    pub(super) async fn of(app: &App, page: &Page, signed: &Signed) -> Result<Self, Problem> {
        let organisation = signed.organisation();
        app.rooms.accounts.refresh(organisation).await?;
        let mut accounts = app.rooms.accounts.list(organisation).await?;
        if !page.rules() {
            accounts = theirs(app, signed, accounts).await?;
        }
        let n_more = accounts.len().saturating_sub(CARDS_AT_MOST) as u64;
        let mut cards = Vec::new();
        for it in accounts {
            cards.push(Card::of(app, page, signed, it).await?);
        }
        cards.sort_by_key(|it| (it.status == StatusName::Connected, it.status));
        cards.truncate(CARDS_AT_MOST);
        let more = (n_more > 0).then(|| page.t.count("home.more_accounts", n_more, &[]));
        Ok(Self { page: page.clone(), cards, more })
    }
}

/// The own accounts of somebody who does not look after the organisation from here, and the one that their letters leave by.
async fn theirs(app: &App, signed: &Signed, accounts: Vec<MailAccount>) -> Result<Vec<MailAccount>, Problem> {
    let (me, home) = (signed.person().id, signed.person().home_location);
    let target = Target::Person { id: me, home };
    let chosen = app.rooms.accounts.choose(signed.organisation(), target).await?.account;
    let is_theirs = |it: &MailAccount| it.serves == Serves::Person(me) || Some(it.id) == chosen;
    Ok(accounts.into_iter().filter(is_theirs).collect())
}

impl Card {
    async fn of(app: &App, page: &Page, signed: &Signed, it: MailAccount) -> Result<Self, Problem> {
        let status = app.rooms.accounts.status(it.organisation, it.id).await?;
        let is_own = it.serves == Serves::Person(signed.person().id);
        // How many wait for an account that others use too is not an operator's to know.
        let n_waiting = match page.rules() || is_own {
            true => app.rooms.outbox.n_waiting(it.organisation, it.id).await?,
            false => 0,
        };
        let preset = app.rooms.accounts.providers().find(&it.provider);
        let is_checked = status.status != StatusName::Unchecked;
        let is_well = status.status == StatusName::Connected;
        let trouble = status.sending.diagnosis.filter(|_| !is_well).map(|diagnosis| Trouble {
            cause: diagnosis.cause,
            cure: diagnosis.cure,
            who: diagnosis.who.to_string(),
            words: status.sending.reply.as_deref().map(visible).filter(|it| !it.is_empty()),
        });
        let since = it.paused_at.or(is_checked.then_some(status.sending.since));
        Ok(Self {
            status: status.status,
            badge: Badge::of_account(page.t, status.status),
            provider: preset.map_or(it.provider, |preset| preset.name.clone()),
            name: it.short_name,
            address: it.address.to_string(),
            since: since.map(|at| page.moment(at)),
            trouble,
            waiting: (n_waiting > 0).then(|| page.t.count("home.account_waiting", n_waiting, &[])),
        })
    }
}
