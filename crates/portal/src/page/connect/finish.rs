//! What people call the account, whose letters leave by it: the last question before it is connected.

use axum::extract::State;
use gatepost_accounts::{ConnectError, Details, DraftState, Invalid, Serves};
use gatepost_core::{DraftId, EmailAddress};
use serde::Deserialize;

use super::check::check_page;
use super::desk::Desk;
use super::proving;
use super::stopped::{Done, Stopped};
use crate::frame::{Alert, App, Form, Id, Page, Problem, Signed, see_other};

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    revision: u64,
    short_name: String,
    author_name: String,
    author_address: String,
    serves: String,
    is_default: bool,
}

/// Whom an account may serve, as one entry of a list.
pub(super) struct Whom {
    /// `organisation`, `location-ID` or `person-ID`.
    pub(super) word: String,
    pub(super) name: String,
    serves: Serves,
}

/// The form, as it is filled.
pub(super) struct Asked {
    pub(super) short_name: String,
    pub(super) author_name: String,
    /// For administrators: a further address that letters may come from.
    pub(super) author_address: Option<String>,
    pub(super) serves: String,
    pub(super) whom: Vec<Whom>,
    pub(super) is_default: bool,
    pub(super) short_name_error: Option<String>,
    pub(super) author_name_error: Option<String>,
    pub(super) author_address_error: Option<String>,
}

impl Asked {
    /// As the draft has it.
    pub(super) async fn of(desk: &Desk) -> Result<Self, Stopped> {
        let details = &desk.draft.details;
        let whom = whom(desk).await?;
        let here = whom.iter().find(|it| it.serves == details.serves);
        let address = details.author_address.as_ref().unwrap_or(&details.address);
        Ok(Self {
            short_name: details.short_name.clone(),
            author_name: details.author_name.clone(),
            author_address: desk.rules.then(|| address.to_string()),
            serves: here.map(|it| it.word.clone()).unwrap_or_default(),
            whom,
            is_default: details.is_default,
            short_name_error: None,
            author_name_error: None,
            author_address_error: None,
        })
    }

    async fn typed(desk: &Desk, typed: Typed) -> Result<Self, Stopped> {
        let form = Self::of(desk).await?;
        Ok(Self {
            short_name: typed.short_name,
            author_name: typed.author_name,
            author_address: desk.rules.then_some(typed.author_address),
            serves: typed.serves,
            is_default: typed.is_default,
            ..form
        })
    }

    pub(super) const fn is_wrong(&self) -> bool {
        self.short_name_error.is_some()
            || self.author_name_error.is_some()
            || self.author_address_error.is_some()
    }

    /// What has to be looked at again, with the ids of the fields.
    pub(super) fn wrong_fields(&self, page: &Page) -> Vec<(&'static str, String)> {
        let all = [
            ("short_name", "connect.short_name", &self.short_name_error),
            ("author_name", "connect.author_name", &self.author_name_error),
            ("author_address", "connect.author_address", &self.author_address_error),
        ];
        let wrong = all.into_iter().filter(|(_, _, error)| error.is_some());
        wrong.map(|(id, key, _)| (id, page.t.of(key).to_owned())).collect()
    }
}

/// Everybody, each location, each person; for operators nobody but themselves.
async fn whom(desk: &Desk) -> Result<Vec<Whom>, Stopped> {
    if !desk.rules {
        return Ok(Vec::new());
    }
    let (t, identity, organisation) = (desk.page.t, &desk.app.rooms.identity, desk.draft.organisation);
    let name = t.fill("connect.serves_all", &[("organisation", &desk.page.organisation)]);
    let mut all = vec![Whom { word: "organisation".to_owned(), name, serves: Serves::Organisation }];
    for it in identity.list_locations(organisation).await? {
        let name = t.fill("connect.serves_location", &[("name", &it.name)]);
        all.push(Whom { word: format!("location-{}", it.id), name, serves: Serves::Location(it.id) });
    }
    for it in identity.list_people(organisation).await? {
        if it.disabled_at.is_none() {
            let name = t.fill("connect.serves_person", &[("name", &it.name)]);
            all.push(Whom { word: format!("person-{}", it.id), name, serves: Serves::Person(it.id) });
        }
    }
    Ok(all)
}

pub(super) async fn finish(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<DraftId>,
    Form(typed): Form<Typed>,
) -> Done {
    let desk = Desk::open(&app, &page, &signed, id).await?;
    if let DraftState::Finished(account) = desk.draft.state {
        // Clicked twice.
        return Ok(see_other(&super::account_path(account)));
    }
    let revision = typed.revision;
    let mut asked = Asked::typed(&desk, typed).await?;
    let address = match asked.author_address.as_deref().map(str::trim) {
        None | Some("") => None,
        Some(text) => match text.parse::<EmailAddress>() {
            Ok(it) => Some(it).filter(|it| !it.is_same_mailbox(&desk.draft.details.address)),
            Err(_) => {
                asked.author_address_error = Some(page.t.of("common.not_an_address").to_owned());
                return check_page(&desk, Some(asked)).await;
            }
        },
    };
    let serves = match asked.whom.iter().find(|it| it.word == asked.serves) {
        Some(it) => it.serves,
        // From the list, or what they may anyway.
        None if desk.rules => return Err(Problem::NotFound.into()),
        None => Serves::Person(desk.me.id),
    };
    let details = Details {
        short_name: asked.short_name.clone(),
        author_name: asked.author_name.clone(),
        author_address: address,
        serves,
        is_default: asked.is_default,
        ..desk.draft.details.clone()
    };
    match desk.connecting.change(id, revision, details).await {
        Ok(_) => {}
        Err(ConnectError::Invalid(why)) => {
            let field = match why {
                Invalid::AuthorName => &mut asked.author_name_error,
                _ => &mut asked.short_name_error,
            };
            let key = match why {
                Invalid::AuthorName => "connect.author_name_wrong",
                _ => "connect.short_name_wrong",
            };
            *field = Some(page.t.of(key).to_owned());
            return check_page(&desk, Some(asked)).await;
        }
        Err(why) => return Err(desk.stopped(why)),
    }
    let account = match desk.connecting.finish(id, revision).await {
        Ok(account) => account,
        Err(ConnectError::NotChecked) if desk.draft.is_proven() => {
            // Too long ago: once more, and by itself.
            proving::spawn(&app, &desk.connecting, &desk.draft, &desk.me.name);
            return Err(desk.stopped(ConnectError::NotChecked));
        }
        Err(why) => return Err(desk.stopped(why)),
    };
    let (identity, person) = (&app.rooms.identity, account.serves.person());
    identity.ensure_account_login(account.organisation, account.id, &account.address, person).await?;
    app.rooms.outbox.account_changed(account.organisation, account.id);
    page.leave(Alert::good(page.t.fill("connect.finished", &[("name", &account.short_name)])));
    Ok(see_other(&super::account_path(account.id)))
}
