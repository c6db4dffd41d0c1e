//! App passwords of a person: their own, and those that they made for others.

use gatepost_accounts::Serves;
use gatepost_identity::{AppPassword, Person, Target};

use crate::frame::{App, Page, Problem};

/// Those that open what is the person's own, and those that they made for locations and shared mail accounts.
pub(super) struct Owned {
    pub(super) own: Vec<AppPassword>,
    pub(super) made: Vec<AppPassword>,
}

impl Owned {
    pub(super) async fn of(app: &App, person: &Person) -> Result<Self, Problem> {
        let (identity, organisation) = (&app.rooms.identity, person.organisation);
        let mut targets = vec![Target::Person(person.id)];
        let accounts = app.rooms.accounts.list(organisation).await?;
        let own = accounts.iter().filter(|it| it.serves == Serves::Person(person.id));
        targets.extend(own.map(|it| Target::Account(it.id)));
        let mut logins = Vec::new();
        for target in targets {
            logins.extend(identity.find_login_of(organisation, target).await?.map(|it| it.id));
        }
        let own = identity.list_app_passwords_of(organisation, &logins).await?;
        let mut made = identity.list_app_passwords(organisation).await?;
        made.retain(|it| it.created_by == Some(person.id) && !logins.contains(&it.login));
        Ok(Self { own, made })
    }
}

/// `TDO letters (anna@practice.example), last used 09:12:05 today`.
pub(crate) fn words(page: &Page, it: &AppPassword) -> String {
    let (name, user_name) = (it.name.as_str(), it.user_name.as_str());
    match &it.last_use {
        Some(used) => {
            let at = page.moment(used.at).words;
            let values = [("name", name), ("user_name", user_name), ("at", at.as_str())];
            page.t.fill("people.app_password_used", &values)
        }
        None => page.t.fill("people.app_password_unused", &[("name", name), ("user_name", user_name)]),
    }
}
