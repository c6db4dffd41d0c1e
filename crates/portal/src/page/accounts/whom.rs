//! Whom accounts serve and whose default they are: in words, and as choices of a form.

use gatepost_accounts::Serves;
use gatepost_core::{LocationId, PersonId};
use gatepost_identity::{Location, Person};

use crate::frame::{App, Page, Problem, Signed};

/// Everybody and everything of the organisation that an account can serve.
pub(super) struct Whom {
    people: Vec<Person>,
    locations: Vec<Location>,
}

/// One choice of a form.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) words: String,
    pub(super) is_chosen: bool,
}

impl Whom {
    pub(super) async fn of(app: &App, signed: &Signed) -> Result<Self, Problem> {
        let (identity, organisation) = (&app.rooms.identity, signed.organisation());
        let people = identity.list_people(organisation).await?;
        Ok(Self { people, locations: identity.list_locations(organisation).await? })
    }

    /// `The whole organisation`, `Main Street`, `Anna Berg`.
    pub(super) fn words(&self, page: &Page, serves: Serves) -> String {
        match serves {
            Serves::Organisation => page.t.of("accounts.for_all").to_owned(),
            Serves::Location(id) => self.location(id).map_or_else(String::new, |it| it.name.clone()),
            Serves::Person(id) => self.person(id).map_or_else(String::new, |it| it.name.clone()),
        }
    }

    /// All that can be chosen, with whom it is now.
    pub(super) fn choices(&self, page: &Page, now: Option<Serves>) -> Vec<Choice> {
        let here = |it: &&Person| it.disabled_at.is_none() || now == Some(Serves::Person(it.id));
        let locations = self.locations.iter().map(|it| Serves::Location(it.id));
        let people = self.people.iter().filter(here).map(|it| Serves::Person(it.id));
        let all = std::iter::once(Serves::Organisation).chain(locations).chain(people);
        let choice = |it: Serves| {
            let words = match it {
                Serves::Organisation => self.words(page, it),
                Serves::Location(_) => {
                    page.t.fill("accounts.for_location", &[("name", &self.words(page, it))])
                }
                Serves::Person(id) => {
                    let address = self.person(id).map_or_else(String::new, |it| it.address.to_string());
                    let values = [("name", self.words(page, it)), ("address", address)];
                    page.t
                        .fill("accounts.for_person", &values.each_ref().map(|(key, it)| (*key, it.as_str())))
                }
            };
            Choice { value: value(it), words, is_chosen: now == Some(it) }
        };
        all.map(choice).collect()
    }

    /// What a form says, if it is of this organisation.
    pub(super) fn chosen(&self, text: &str) -> Option<Serves> {
        let serves = match text.split_once('-') {
            None => (text == "organisation").then_some(Serves::Organisation),
            Some(("location", id)) => id.parse().ok().map(Serves::Location),
            Some(("person", id)) => id.parse().ok().map(Serves::Person),
            Some(_) => None,
        }?;
        let is_here = match serves {
            Serves::Organisation => true,
            Serves::Location(id) => self.location(id).is_some(),
            Serves::Person(id) => self.person(id).is_some(),
        };
        is_here.then_some(serves)
    }

    pub(super) fn person(&self, id: PersonId) -> Option<&Person> {
        self.people.iter().find(|it| it.id == id)
    }

    fn location(&self, id: LocationId) -> Option<&Location> {
        self.locations.iter().find(|it| it.id == id)
    }
}

/// As forms carry it: `organisation`, `location-ID`, `person-ID`.
pub(super) fn value(serves: Serves) -> String {
    match serves {
        Serves::Organisation => "organisation".to_owned(),
        Serves::Location(id) => format!("location-{id}"),
        Serves::Person(id) => format!("person-{id}"),
    }
}
