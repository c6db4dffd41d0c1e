//! Which provider it is, said by somebody: where nobody could look it up, and where they know better.

use axum::extract::State;
use gatepost_accounts::{Details, Endpoint, Endpoints};
use gatepost_core::DraftId;
use gatepost_providers::{Preset, Recognised, Server};
use serde::Deserialize;

use super::desk::Desk;
use super::stopped::Done;
use crate::frame::{App, Form, Id, Page, Problem, Signed};

/// The preset of providers that nothing is known about.
pub(super) const OTHER: &str = "custom";

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    revision: u64,
    provider: String,
}

/// A provider to choose.
pub(super) struct Choice {
    pub(super) word: String,
    pub(super) name: String,
}

/// All whose servers are known and which have mailboxes, but for the one that it is already. What sends alone is shown by its server.
pub(super) fn choices(desk: &Desk) -> Vec<Choice> {
    let here = &desk.preset().word;
    let has_mailboxes = |it: &Preset| !it.imap.is_empty() || !it.domains.is_empty();
    let is_known = |it: &&Preset| !it.smtp.is_empty() && has_mailboxes(it);
    let known = desk.providers().iter().filter(is_known).filter(|it| it.word != *here);
    let mut all: Vec<_> = known.map(|it| Choice { word: it.word.clone(), name: it.name.clone() }).collect();
    all.sort_by_cached_key(|it| it.name.to_lowercase());
    all
}

pub(super) async fn choose(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<DraftId>,
    Form(typed): Form<Typed>,
) -> Done {
    let desk = Desk::open(&app, &page, &signed, id).await?;
    let details = &desk.draft.details;
    let (behind, said) = match desk.providers().named(&typed.provider) {
        Some(it) => ("", of_provider(details, &it)),
        None if typed.provider == OTHER => ("/servers", of_nobody(details)),
        None => return Err(Problem::Bad.into()),
    };
    if said.provider != desk.preset().word {
        let changed = desk.connecting.change(id, typed.revision, said).await;
        changed.map_err(|why| desk.stopped(why))?;
    }
    desk.to(behind)
}

/// What was said, and what is prefilled for this provider.
fn of_provider(said: &Details, it: &Recognised<'_>) -> Details {
    let Details { provider, user_name, endpoints, .. } = Details::of(&said.address, it, said.serves);
    Details { provider, user_name, endpoints, found_at: None, method: None, ..said.clone() }
}

fn of_nobody(said: &Details) -> Details {
    Details {
        provider: OTHER.to_owned(),
        user_name: said.address.to_string(),
        endpoints: None,
        found_at: None,
        method: None,
        ..said.clone()
    }
}

/// The same for a provider that the typed servers have shown: its own servers, for what was asked for, and the typed user name. POP3
/// goes with IMAP.
pub(super) fn of_servers(typed: Details, it: &Recognised<'_>) -> Details {
    let endpoint = |it: &Server| Endpoint { host: it.host.clone(), port: it.port, tls: it.tls };
    let (servers, asked) = (&it.servers, typed.endpoints.as_ref());
    let endpoints = servers.smtp.as_ref().map(|smtp| Endpoints {
        smtp: endpoint(smtp),
        imap: servers.imap.as_ref().filter(|_| asked.is_some_and(|it| it.imap.is_some())).map(endpoint),
        pop3: servers.pop3.as_ref().filter(|_| asked.is_some_and(Endpoints::can_be_read)).map(endpoint),
    });
    Details { provider: it.preset.word.clone(), endpoints, method: None, ..typed }
}
