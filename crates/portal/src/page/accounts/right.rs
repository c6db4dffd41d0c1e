//! Who may do what on which mail account: the one place that knows (docs/decisions/0014, "Who may").

use gatepost_accounts::{AccountsError, Entry, MailAccount, Serves, Target, View};
use gatepost_core::MailAccountId;

use crate::frame::{App, Page, Problem, Signed};

/// What somebody may do on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// Everything: it belongs to the organisation that they look after.
    Rules,
    /// Everything but what lets it send or read as somebody else, or serve others.
    Own,
    /// See how it fares: their letters leave by it.
    State,
}

impl Right {
    pub(super) fn rules(self) -> bool {
        self == Self::Rules
    }

    pub(super) fn may_act(self) -> bool {
        self != Self::State
    }
}

/// An account of which somebody may see something.
pub(super) struct Held {
    pub(super) entry: Entry,
    pub(super) right: Right,
}

/// View accounts somebody sees. From outside the administration networks an administrator is like an operator.
pub(crate) fn whose(page: &Page, signed: &Signed) -> View {
    let person = signed.person();
    if page.rules() { View::All } else { View::Person { id: person.id, home: person.home_location } }
}

/// On one that they see.
pub(super) fn right_on(page: &Page, signed: &Signed, account: &MailAccount) -> Right {
    if page.rules() {
        Right::Rules
    } else if account.serves == Serves::Person(signed.person().id) {
        Right::Own
    } else {
        Right::State
    }
}

/// The account, if they may see anything of it; else it is not there, in this organisation or in another.
pub(super) async fn find(
    app: &App,
    page: &Page,
    signed: &Signed,
    id: MailAccountId,
) -> Result<Held, Problem> {
    let entry = match app.rooms.accounts.entry(signed.organisation(), id).await {
        Ok(entry) => entry,
        Err(AccountsError::NotFound(_)) => return Err(Problem::NotFound),
        Err(error) => return Err(error.into()),
    };
    let right = right_on(page, signed, &entry.account);
    if right == Right::State {
        let (me, home) = (signed.person().id, signed.person().home_location);
        let target = Target::Person { id: me, home };
        if app.rooms.accounts.choose(signed.organisation(), target).await?.account != Some(id) {
            return Err(Problem::NotFound);
        }
    }
    Ok(Held { entry, right })
}

/// The same, to do something to it.
pub(super) async fn find_to_act(
    app: &App,
    page: &Page,
    signed: &Signed,
    id: MailAccountId,
) -> Result<Held, Problem> {
    let held = find(app, page, signed, id).await?;
    if held.right.may_act() { Ok(held) } else { Err(Problem::NotFound) }
}
