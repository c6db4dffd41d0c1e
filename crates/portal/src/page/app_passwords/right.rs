//! Who may do what on whose app passwords: the one place that knows (the table of docs/decisions/0010).

use gatepost_accounts::{MailAccount, Serves};
use gatepost_core::{AppPasswordId, MailAccountId, PersonId};
use gatepost_identity::{AppPassword, Location, Login, Person, Role, Target};

use crate::frame::{App, Page, Problem, Signed};

/// What somebody may do on app passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// Make, see, replace, remove.
    Full,
    /// See that they are there, remove.
    Remove,
}

/// Whose a login is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// One person: their login, or that of their own mail account.
    Person(PersonId),
    /// A location, or a mail account that serves more than one person.
    Shared,
}

/// Somebody who asks.
#[derive(Clone, Copy)]
pub(super) struct Asker {
    person: PersonId,
    /// An administrator who comes from where administrators may rule.
    rules: bool,
}

impl Asker {
    pub(super) fn of(page: &Page, signed: &Signed) -> Self {
        let person = signed.person();
        let rules = person.role == Role::Administrator && page.app.may_administer(page.visitor.source);
        Self { person: person.id, rules }
    }

    pub(super) const fn rules(self) -> bool {
        self.rules
    }

    /// None: nothing of it, not even that it is there.
    pub(super) fn right(self, owner: Owner) -> Option<Right> {
        match owner {
            Owner::Person(id) if id == self.person => Some(Right::Full),
            Owner::Shared if self.rules => Some(Right::Full),
            Owner::Person(_) if self.rules => Some(Right::Remove),
            Owner::Person(_) | Owner::Shared => None,
        }
    }
}

/// A login of which somebody may see something.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) login: Login,
    pub(super) right: Right,
    /// Whose it is, in words.
    pub(super) whose: String,
}

impl Held {
    /// Whose it is without the user name, which stands beside it.
    pub(super) fn whose_beside(&self, user_name: &str) -> String {
        self.whose.replace(&format!(" ({user_name})"), "")
    }

    /// `reception@practice.example (Reception)`.
    pub(super) fn who(&self, user_name: &str) -> String {
        let whose = self.whose_beside(user_name);
        if whose == user_name { whose } else { format!("{user_name} ({whose})") }
    }
}

/// Everything that whoever asks may see something of.
pub(super) async fn list(page: &Page, signed: &Signed) -> Result<Vec<Held>, Problem> {
    let (app, organisation) = (&page.app, signed.organisation());
    let asker = Asker::of(page, signed);
    let logins = app.rooms.identity.list_logins(organisation).await?;
    let accounts = app.rooms.accounts.list(organisation).await?;
    let (people, locations) = if asker.rules() {
        let people = app.rooms.identity.list_people(organisation).await?;
        (people, app.rooms.identity.list_locations(organisation).await?)
    } else {
        (vec![signed.person().clone()], Vec::new())
    };
    let held = logins.into_iter().filter_map(|login| {
        let (owner, whose) = match login.target {
            Target::Person(id) => (Owner::Person(id), person_words(&people, id)?),
            Target::Location(id) => (Owner::Shared, location_words(&locations, id)?),
            Target::Account(id) => {
                let account = accounts.iter().find(|it| it.id == id)?;
                (owner_of(account), account_words(account))
            }
        };
        let right = asker.right(owner)?;
        Some(Held { login, right, whose })
    });
    Ok(held.collect())
}

/// One app password, as far as whoever asks may see it; else it is not there, in this organisation or in another.
pub(super) async fn find(
    page: &Page,
    signed: &Signed,
    id: AppPasswordId,
) -> Result<(AppPassword, Held), Problem> {
    let found = page.app.rooms.identity.get_app_password(signed.organisation(), id).await?;
    let held = held(page, signed, found.login).await?;
    Ok((found, held))
}

/// The same with every right.
pub(super) async fn find_full(
    page: &Page,
    signed: &Signed,
    id: AppPasswordId,
) -> Result<(AppPassword, Held), Problem> {
    let (found, held) = find(page, signed, id).await?;
    if held.right == Right::Full { Ok((found, held)) } else { Err(Problem::NotFound) }
}

/// Whether it is an app password that was removed, and was theirs to remove.
pub(super) async fn was_removed(page: &Page, signed: &Signed, id: AppPasswordId) -> Result<bool, Problem> {
    let login = page.app.rooms.identity.login_of_app_password(signed.organisation(), id).await?;
    match login {
        Some(login) => held(page, signed, login).await.map(|_| true),
        None => Ok(false),
    }
}

async fn held(page: &Page, signed: &Signed, login: gatepost_core::LoginId) -> Result<Held, Problem> {
    let (app, organisation) = (&page.app, signed.organisation());
    let found = app.rooms.identity.find_login(organisation, login).await?;
    let (login, _) = found.ok_or(Problem::NotFound)?;
    let asker = Asker::of(page, signed);
    let (owner, whose) = match login.target {
        Target::Person(id) => {
            let person = app.rooms.identity.get_person(organisation, id).await?;
            (Owner::Person(id), person.name)
        }
        Target::Location(id) => {
            let location = app.rooms.identity.get_location(organisation, id).await?;
            (Owner::Shared, location.name)
        }
        Target::Account(id) => {
            let account = account(app, signed, id).await?;
            (owner_of(&account), account_words(&account))
        }
    };
    let right = asker.right(owner).ok_or(Problem::NotFound)?;
    Ok(Held { login, right, whose })
}

async fn account(app: &App, signed: &Signed, id: MailAccountId) -> Result<MailAccount, Problem> {
    let all = app.rooms.accounts.list(signed.organisation()).await?;
    all.into_iter().find(|it| it.id == id).ok_or(Problem::NotFound)
}

pub(super) const fn owner_of(account: &MailAccount) -> Owner {
    match account.serves {
        Serves::Person(id) => Owner::Person(id),
        Serves::Location(_) | Serves::Organisation => Owner::Shared,
    }
}

/// Whether they see what the app passwords of this account may do.
pub(crate) fn sees_all_of(page: &Page, signed: &Signed, account: &MailAccount) -> bool {
    Asker::of(page, signed).right(owner_of(account)) == Some(Right::Full)
}

/// `Reception (reception@practice.example)`.
pub(super) fn account_words(it: &MailAccount) -> String {
    let (name, address) = (&it.short_name, it.address.as_str());
    if name == address { name.clone() } else { format!("{name} ({address})") }
}

fn person_words(people: &[Person], id: PersonId) -> Option<String> {
    people.iter().find(|it| it.id == id).map(|it| it.name.clone())
}

fn location_words(locations: &[Location], id: gatepost_core::LocationId) -> Option<String> {
    locations.iter().find(|it| it.id == id).map(|it| it.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of docs/decisions/0010, line by line.
    #[test]
    fn who_may_do_what_on_whose() {
        let world = gatepost_testkit::world().0;
        let (me, other) = (PersonId::new(&world), PersonId::new(&world));
        let (operator, administrator) =
            (Asker { person: me, rules: false }, Asker { person: me, rules: true });
        for (owner, of_operator, of_administrator) in [
            (Owner::Person(me), Some(Right::Full), Some(Right::Full)),
            (Owner::Shared, None, Some(Right::Full)),
            (Owner::Person(other), None, Some(Right::Remove)),
        ] {
            assert_eq!(operator.right(owner), of_operator, "{owner:?}");
            assert_eq!(administrator.right(owner), of_administrator, "{owner:?}");
        }
    }
}
