//! Signing in on a provider's page, begun by a command: the person opens the page in any browser and pastes the address they
//! land on.

use gatepost_accounts::{
    ConnectError, Connecting, Details, Direction, Draft, DraftState, FlowOrigin, NewSecret, Outcome,
    Progress, Serves, Whose,
};
use gatepost_identity::Organisation;
use gatepost_providers::Method;
use serde_json::Value;
use tokio::sync::watch;

use super::account_check::{SOMEBODY, tell};
use super::{address, done, parsed};
use crate::answer::SignInShown;
use crate::app::App;
use crate::control::{NewAccount, PasswordOnTheWay, Refusal, Report};

impl App {
    pub(super) async fn begin_sign_in(
        &self,
        organisation: &Organisation,
        new: NewAccount,
    ) -> Result<Value, Refusal> {
        let endpoints = self.servers_of(&new).await?;
        let details = Details {
            address: address(&new.address)?,
            provider: new.provider,
            found_at: None,
            method: Some(Method::SignIn),
            user_name: new.user_name,
            opens: None,
            endpoints: Some(endpoints),
            short_name: new.short_name,
            author_name: new.author_name,
            author_address: None,
            serves: Serves::Organisation,
            is_default: false,
            same_as: None,
        };
        let connecting = self.connecting(organisation);
        let begun = connecting.begin(details.clone()).await.map_err(|error| self.refuse(error))?;
        // An earlier try may have said something else.
        let draft = connecting.change(begun.id, begun.revision, details).await;
        let draft = draft.map_err(|error| self.refuse(error))?;
        self.lead(&connecting, &draft).await
    }

    pub(super) async fn sign_in_again(
        &self,
        organisation: &Organisation,
        text: &str,
        on_page: bool,
    ) -> Result<Value, Refusal> {
        let account = self.account(organisation, text).await?;
        let connecting = self.connecting(organisation);
        let draft = connecting.begin_again(account.id).await.map_err(|error| self.refuse(error))?;
        let method = draft.details.method.unwrap_or(Method::Password);
        if on_page || method == Method::SignIn {
            return self.lead(&connecting, &draft).await;
        }
        done(SignInShown {
            id: draft.id.to_string(),
            address: draft.details.address.to_string(),
            method: method.word().to_owned(),
            link: None,
            service: None,
        })
    }

    /// Where to sign in.
    async fn lead(&self, connecting: &Connecting, draft: &Draft) -> Result<Value, Refusal> {
        let portal = self.portal_url();
        let begun =
            connecting.begin_sign_in(draft.id, draft.revision, FlowOrigin::Command, portal.as_deref()).await;
        let begun = begun.map_err(|error| self.refuse(error))?;
        done(SignInShown {
            id: draft.id.to_string(),
            address: draft.details.address.to_string(),
            method: Method::SignIn.word().to_owned(),
            link: Some(begun.url),
            service: Some(begun.service),
        })
    }

    pub(super) async fn answer_sign_in(
        &self,
        organisation: &Organisation,
        id: &str,
        pasted: &PasswordOnTheWay,
    ) -> Result<Value, Refusal> {
        let draft = self.connecting(organisation).answer_pasted(parsed(id)?, pasted.0.reveal()).await;
        let draft = draft.map_err(|error| self.refuse(error))?;
        match &draft.refused {
            None => done(serde_json::json!({ "id": id, "signed_in": true })),
            Some(refused) => Err(Refusal::new(refusal(&draft, refused))),
        }
    }

    pub(super) async fn answer_password(
        &self,
        organisation: &Organisation,
        id: &str,
        password: PasswordOnTheWay,
    ) -> Result<Value, Refusal> {
        let connecting = self.connecting(organisation);
        let draft = connecting.get(parsed(id)?).await.map_err(|error| self.refuse(error))?;
        let NewSecret::Password(kind, text) = self.as_pasted(&draft.details.provider, password.0) else {
            return Err(Refusal::new("there is no password"));
        };
        // Whoever is at this machine's command line has named the servers, or sees them in `account show`.
        let put = connecting.put_password(draft.id, draft.revision, kind, text, true).await;
        put.map_err(|error| self.refuse(error))?;
        done(serde_json::json!({ "id": id, "signed_in": true }))
    }

    /// Checks what somebody signed in to; what works becomes the account, or the account's.
    pub(super) async fn finish_sign_in(
        &self,
        organisation: &Organisation,
        id: &str,
        report: &Report,
    ) -> Result<Value, Refusal> {
        let connecting = self.connecting(organisation);
        let draft = connecting.get(parsed(id)?).await.map_err(|error| self.refuse(error))?;
        let (progress, watched) = watch::channel(Progress::default());
        let checking = async {
            let place = (draft.id, draft.revision);
            let checked = connecting.check_watched(place, &self.reach, SOMEBODY, &progress).await;
            // Whoever watches has seen all of it.
            drop(progress);
            checked
        };
        let (checked, ()) = tokio::join!(checking, tell(watched, report));
        let proven = checked.map_err(|error| self.refuse(error))?;
        if let Some(change) = proven.change {
            let account = self.account(organisation, draft.details.address.as_str()).await?;
            self.changed(organisation, account.id, change).await?;
        }
        match proven.draft.state {
            DraftState::Finished(_) => self.show_account(organisation, draft.details.address.as_str()).await,
            _ if proven.draft.is_proven() && draft.account.is_none() => {
                let added = connecting.finish(draft.id, draft.revision).await;
                self.added(organisation, added.map_err(|error| self.refuse(error))?).await
            }
            _ => Err(Refusal::new(unproven(&proven.draft))),
        }
    }

    fn connecting(&self, organisation: &Organisation) -> Connecting {
        self.accounts.connecting(Whose { organisation: organisation.id, person: None })
    }
}

/// Why a sign-in brought nothing.
fn refusal(draft: &Draft, refused: &gatepost_accounts::Refused) -> String {
    let it = &refused.diagnosis;
    let mut text = String::new();
    if let Some(other) = &refused.other {
        let who = other.address.as_ref().map_or("somebody else".to_owned(), ToString::to_string);
        text.push_str(&format!("You signed in as {who}, but {} was expected. ", draft.details.expected()));
    }
    if !refused.missing.is_empty() {
        text.push_str(&format!("Not allowed were: {}. ", refused.missing.join(", ")));
    }
    format!("{text}{} Cure: {} Who can do this: {}", it.cause, it.cure, it.who)
}

/// Why a checked mailbox is not connected.
fn unproven(draft: &Draft) -> String {
    let address = &draft.details.address;
    if let Some(refused) = &draft.refused {
        return refusal(draft, refused);
    }
    let cross = |direction| draft.progress.as_ref().and_then(|it| it.cross(direction));
    match cross(Direction::Sending).or_else(|| cross(Direction::Reading)) {
        Some(Outcome::Failed { diagnosis: it, .. }) => format!(
            "{address} does not work yet, so nothing was changed: {} Cure: {} Who can do this: {}",
            it.cause, it.cure, it.who
        ),
        _ => ConnectError::NotChecked.to_string(),
    }
}
