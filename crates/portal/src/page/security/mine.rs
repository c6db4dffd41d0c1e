//! A person's own app passwords.

use gatepost_accounts::Serves;
use gatepost_identity::{AppPassword, Target};

use crate::frame::{App, Problem, Signed};

/// Those of the person's own login and of the mail accounts that are theirs alone; not those of locations and shared accounts.
pub(super) async fn app_passwords(app: &App, signed: &Signed) -> Result<Vec<AppPassword>, Problem> {
    let (identity, organisation, me) = (&app.rooms.identity, signed.organisation(), signed.person().id);
    let accounts = app.rooms.accounts.list(organisation).await?;
    let is_mine = |target| match target {
        Target::Person(id) => id == me,
        Target::Account(id) => accounts.iter().any(|it| it.id == id && it.serves == Serves::Person(me)),
        Target::Location(_) => false,
    };
    let logins = identity.list_logins(organisation).await?;
    let mine: Vec<_> = logins.into_iter().filter(|it| is_mine(it.target)).map(|it| it.id).collect();
    Ok(identity.list_app_passwords_of(organisation, &mine).await?)
}
