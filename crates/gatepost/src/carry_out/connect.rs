//! Connecting a mailbox and signing in to it again, begun by a command: with a password, or on the provider's page, which the
//! person opens in any browser, pasting the address they land on.

use gatepost_accounts::{
    ConnectError, Connecting, CredentialKind, Details, Direction, Draft, DraftState, Endpoints, FlowOrigin,
    NewSecret, Outcome, Progress, Serves, Whose,
};
use gatepost_identity::Organisation;
use gatepost_providers::{Client, Method, Note};
use serde_json::Value;
use tokio::sync::watch;

use super::account::endpoint;
use super::account_check::{SOMEBODY, no_token, tell};
use super::{address, done, parsed};
use crate::answer::SignInShown;
use crate::app::App;
use crate::control::{NewAccount, PasswordOnTheWay, Refusal, Report, SigningInAgain};

impl App {
    pub(super) async fn begin_sign_in(
        &self,
        organisation: &Organisation,
        new: NewAccount,
    ) -> Result<Value, Refusal> {
        let connecting = self.connecting(organisation);
        let draft = self.draft_of(&connecting, new, Method::SignIn).await?;
        done(self.lead(&connecting, &draft).await?)
    }

    /// Begins to connect a mailbox with the password that is given. It is checked next, and kept only if it works.
    pub(super) async fn begin_password(
        &self,
        organisation: &Organisation,
        mut new: NewAccount,
    ) -> Result<Value, Refusal> {
        let given = new.password.take().ok_or_else(|| Refusal::new("there is no password"))?;
        let NewSecret::Password(kind, text) = self.as_pasted(&new.provider, given.0) else {
            return Err(Refusal::new("there is no password"));
        };
        let method = match kind {
            CredentialKind::AppPassword => Method::AppPassword,
            CredentialKind::Password | CredentialKind::OAuth => Method::Password,
        };
        let note = self.offered(&new, method)?;
        let connecting = self.connecting(organisation);
        let draft = self.draft_of(&connecting, new, method).await?;
        // Whoever is at this machine's command line has named the servers, or sees them in `account show`.
        let put = connecting.put_password(draft.id, draft.revision, kind, text, true).await;
        let draft = put.map_err(|error| self.refuse(error))?;
        done(SignInShown { note, ..begun(&draft, method) })
    }

    /// What must be known about a way to connect a mailbox; refuses one that the provider has ended.
    fn offered(&self, new: &NewAccount, method: Method) -> Result<Option<String>, Refusal> {
        let providers = self.accounts.providers();
        let Some(preset) = providers.find(&new.provider) else { return Ok(None) };
        // Whether an application is registered decides about signing in alone.
        let methods = providers.methods(preset, Client::Registered);
        let offers = || methods.also.iter().chain([&methods.first]);
        let Some(closed) = methods.explained.iter().find(|it| it.method == method) else {
            let offer = offers().find(|it| it.method == method);
            return Ok(offer.and_then(|it| it.note).map(sentences));
        };
        let guide = offers().find_map(|it| it.guide).filter(|_| method == Method::Password);
        let shape = guide.and_then(|it| {
            let shape = it.shape_in_words.as_deref()?;
            Some(format!(" The {} of {} is {shape}, and what was given is not.", it.name, preset.name))
        });
        let sign_in = offers().any(|it| it.method == Method::SignIn).then(|| {
            format!(
                " Sign in on the provider's page with: gatepost account add --provider {} --address {} --sign-in",
                new.provider, new.address
            )
        });
        Err(Refusal::new(format!(
            "{}{}{}",
            closed.note.map_or_else(|| format!("{} takes no such password.", preset.name), sentences),
            shape.unwrap_or_default(),
            sign_in.unwrap_or_default()
        )))
    }

    /// The draft of a new mailbox.
    async fn draft_of(
        &self,
        connecting: &Connecting,
        new: NewAccount,
        method: Method,
    ) -> Result<Draft, Refusal> {
        let endpoints = self.servers_of(&new).await?;
        let details = Details {
            address: address(&new.address)?,
            provider: new.provider,
            found_at: None,
            method: Some(method),
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
        let begun = connecting.begin(details.clone()).await.map_err(|error| self.refuse(error))?;
        // An earlier try may have said something else.
        let draft = connecting.change(begun.id, begun.revision, details).await;
        draft.map_err(|error| self.refuse(error))
    }

    pub(super) async fn sign_in_again(
        &self,
        organisation: &Organisation,
        it: SigningInAgain,
    ) -> Result<Value, Refusal> {
        let account = self.account(organisation, &it.address).await?;
        let connecting = self.connecting(organisation);
        let draft = connecting.begin_again(account.id).await.map_err(|error| self.refuse(error))?;
        let given = |server: &Option<crate::control::Server>| server.as_ref().map(endpoint).transpose();
        let (imap, pop3) = match (given(&it.imap)?, given(&it.pop3)?) {
            (None, None) => (account.endpoints.imap, account.endpoints.pop3),
            those => those,
        };
        let smtp = given(&it.smtp)?.unwrap_or(account.endpoints.smtp);
        let details = Details {
            user_name: it.user_name.unwrap_or(account.user_name),
            endpoints: Some(Endpoints { smtp, imap, pop3 }),
            ..draft.details.clone()
        };
        // An earlier try may have said something else.
        let draft = connecting.change(draft.id, draft.revision, details).await;
        let draft = draft.map_err(|error| self.refuse(error))?;
        let method = draft.details.method.unwrap_or(Method::Password);
        let waiting = self.n_waiting(organisation, account.id).await?;
        if it.on_page || (method == Method::SignIn && !it.with_password) {
            return done(SignInShown { waiting, ..self.lead(&connecting, &draft).await? });
        }
        done(SignInShown { waiting, ..begun(&draft, method) })
    }

    /// Where to sign in.
    async fn lead(&self, connecting: &Connecting, draft: &Draft) -> Result<SignInShown, Refusal> {
        let portal = self.portal_url();
        let begun =
            connecting.begin_sign_in(draft.id, draft.revision, FlowOrigin::Command, portal.as_deref()).await;
        let at = begun.map_err(|error| match error {
            ConnectError::NoApplication(name) => {
                let providers = self.accounts.providers();
                let preset = providers.find(&draft.details.provider);
                let word = preset.and_then(|it| providers.service_of(it)).map_or("SERVICE", |it| &it.word);
                Refusal::new(format!(
                    "no application is registered at {name} yet. How to register one, and enter it with gatepost oauth-client add: gatepost oauth-client guide --service {word}"
                ))
            }
            other => self.refuse(other),
        })?;
        let (link, service) = (Some(at.url), Some(at.service));
        Ok(SignInShown { link, service, ..self::begun(draft, Method::SignIn) })
    }

    pub(super) async fn answer_sign_in(
        &self,
        organisation: &Organisation,
        id: &str,
        pasted: &PasswordOnTheWay,
    ) -> Result<Value, Refusal> {
        let connecting = self.connecting(organisation);
        let (id_read, text) = (parsed(id)?, pasted.0.reveal());
        let draft = connecting.get(id_read).await.map_err(|error| self.refuse(error))?;
        if connecting.read_pasted(&draft, text).await.is_ok_and(|it| it.is_cut_off()) {
            return Err(Refusal::new(
                "the end of this address is missing: paste the whole address that the browser shows, from http to its end",
            ));
        }
        let draft = connecting.answer_pasted(id_read, text).await.map_err(|error| match error {
            // Services name themselves at the end of the address. Nothing was spent.
            ConnectError::WrongAnswer(it) => Refusal::new(format!(
                "{} If its end is missing, paste the whole address that the browser shows, from http to its end",
                it.cause
            )),
            other => self.refuse(other),
        })?;
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
        if let Some(refused) = &proven.draft.refused {
            report.item(done(no_token(&refused.diagnosis))?).await;
        }
        if let Some(change) = proven.change {
            let account = self.account(organisation, draft.details.address.as_str()).await?;
            self.changed(organisation, account.id, change).await?;
        }
        match proven.draft.state {
            DraftState::Finished(_) => {
                let address = draft.details.address.as_str();
                self.tell_of_pop3(organisation, &self.account(organisation, address).await?, report).await?;
                self.show_account(organisation, address).await
            }
            _ if proven.draft.is_proven() && draft.account.is_none() => {
                let added = connecting.finish(draft.id, draft.revision).await;
                let added = added.map_err(|error| self.refuse(error))?;
                let shown = self.added(organisation, added.clone()).await?;
                self.tell_of_pop3(organisation, &added, report).await?;
                Ok(shown)
            }
            _ => {
                if proven.draft.details.method != Some(Method::SignIn) {
                    // Nobody goes on with it, so the password is not kept.
                    connecting.discard(draft.id).await.map_err(|error| self.refuse(error))?;
                }
                Err(Refusal::new(unproven(&proven.draft)))
            }
        }
    }

    fn connecting(&self, organisation: &Organisation) -> Connecting {
        self.accounts.connecting(Whose { organisation: organisation.id, person: None })
    }
}

/// What has begun, where nobody has to be led anywhere.
fn begun(draft: &Draft, method: Method) -> SignInShown {
    SignInShown {
        id: draft.id.to_string(),
        address: draft.details.address.to_string(),
        method: method.word().to_owned(),
        note: None,
        link: None,
        service: None,
        waiting: 0,
    }
}

fn sentences(note: &Note) -> String {
    let instead = note.instead.as_deref().map_or_else(String::new, |it| format!(" {it}"));
    format!("{}{instead}", note.text)
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
