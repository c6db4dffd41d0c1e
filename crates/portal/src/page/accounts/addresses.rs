//! Further addresses that letters of an account may come from. An administrator allows them: whoever sends by the account may write
//! as any of them.

use axum::extract::State;
use axum::http::StatusCode;
use gatepost_accounts::{AccountsError, Invalid, Settings};
use gatepost_core::{EmailAddress, MailAccountId};
use gatepost_journal::Actor;

use super::act::changed;
use super::detail::{Typed, detail};
use super::path;
use super::right::find_to_act;
use crate::frame::{Alert, Answer, App, Form, Id, Page, Problem, Signed, see_other, show};

pub(super) async fn add(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<MailAccountId>,
    Form(typed): Form<Typed>,
) -> Answer {
    let mut settings = find_to_act(&app, &page, &signed, id).await?.entry.account.settings();
    let error = match typed.address.trim().parse::<EmailAddress>() {
        Ok(address) => {
            let words = page.t.fill("accounts.address_added", &[("address", address.as_str())]);
            settings.further_addresses.push(address);
            match put(&app, &signed, id, settings).await? {
                Ok(()) => {
                    page.leave(Alert::good(words));
                    return Ok(see_other(&path(id, "")));
                }
                Err(_) => page.t.of("accounts.too_many_addresses"),
            }
        }
        Err(_) => page.t.of("people.not_an_address"),
    };
    let error = Some(error.to_owned());
    Ok(show(StatusCode::UNPROCESSABLE_ENTITY, &detail(&app, page, &signed, id, typed, error).await?))
}

pub(super) async fn remove(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<MailAccountId>,
    Form(typed): Form<Typed>,
) -> Answer {
    let mut settings = find_to_act(&app, &page, &signed, id).await?.entry.account.settings();
    let address: EmailAddress = typed.address.trim().parse().map_err(|_| Problem::Bad)?;
    settings.further_addresses.retain(|it| !it.is_same_mailbox(&address));
    put(&app, &signed, id, settings).await?.map_err(|_| Problem::Bad)?;
    page.leave(Alert::good(page.t.fill("accounts.address_removed", &[("address", address.as_str())])));
    Ok(see_other(&path(id, "")))
}

async fn put(
    app: &App,
    signed: &Signed,
    id: MailAccountId,
    settings: Settings,
) -> Result<Result<(), Invalid>, Problem> {
    let by = Actor::Person(signed.person().id);
    match app.rooms.accounts.edit(signed.organisation(), id, settings, by).await {
        Ok(change) => changed(app, signed.organisation(), id, change).await.map(Ok),
        Err(AccountsError::Invalid(invalid)) => Ok(Err(invalid)),
        Err(error) => Err(error.into()),
    }
}
