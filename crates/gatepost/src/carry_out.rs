//! Carrying orders out, at the server or in a command's own process.

mod account;
mod account_check;
mod adopt;
mod app_password;
mod check;
mod connect;
mod oauth_client;
mod outbox;
mod person;

pub(crate) use adopt::{may_send_as, target};

use std::fmt::Display;

use gatepost_accounts::{AccountsError, ConnectError};
use gatepost_core::EmailAddress;
use gatepost_delivery::{Command, OutboxError};
use gatepost_identity::{IdentityError, Organisation};
use gatepost_store::StoreError;
use serde::Serialize;
use serde_json::Value;

use crate::app::{App, StartError};
use crate::control::{CarryOut, Order, Refusal, Report, Request};

impl CarryOut for App {
    async fn carry_out(&self, request: Request, report: &Report) -> Result<Value, Refusal> {
        let of = self.choose(request.organisation.as_deref()).await?;
        let carried = match request.order {
            Order::Check(text_hash) => self.check(&of, text_hash, report).await,
            Order::AddAccount(new) => self.add_account(&of, *new).await,
            Order::BeginSignIn(new) => self.begin_sign_in(&of, *new).await,
            Order::BeginPassword(new) => self.begin_password(&of, *new).await,
            Order::SignInAgain(again) => self.sign_in_again(&of, *again).await,
            Order::AnswerSignIn { id, pasted } => self.answer_sign_in(&of, &id, &pasted).await,
            Order::AnswerPassword { id, password } => self.answer_password(&of, &id, password).await,
            Order::FinishSignIn(id) => self.finish_sign_in(&of, &id, report).await,
            Order::ListAccounts => self.list_accounts(&of, report).await,
            Order::ShowAccount(address) => self.show_account(&of, &address).await,
            Order::EditAccount(edited) => self.edit_account(&of, *edited).await,
            Order::MakeDefault { address, serves } => self.make_default(&of, &address, serves).await,
            Order::CheckAccount { address, sends_letter } => {
                self.check_account(&of, &address, sends_letter, report).await
            }
            Order::PauseAccount(address) => self.pause_account(&of, &address).await,
            Order::ResumeAccount(address) => self.resume_account(&of, &address).await,
            Order::ShowRemoval(address) => self.show_removal(&of, &address).await,
            Order::RemoveAccount(address) => self.remove_account(&of, &address).await,
            Order::CreateAppPassword(new) => self.create_app_password(&of, new).await,
            Order::ListAppPasswords => self.list_app_passwords(&of, report).await,
            Order::RevokeAppPassword(id) => self.revoke_app_password(&of, &id).await,
            Order::AddOAuthClient(new) => self.add_oauth_client(&of, *new).await,
            Order::ListOAuthClients => self.list_oauth_clients(&of, report).await,
            Order::RemoveOAuthClient { service, installation } => {
                self.remove_oauth_client(&of, &service, installation).await
            }
            Order::GuideOAuthClient { service, kind } => self.guide_oauth_client(&service, kind.as_deref()),
            Order::AddPerson(new) => self.add_person(&of, new).await,
            Order::ListPeople => self.list_people(&of, report).await,
            Order::DisablePerson(address) => self.disable_person(&of, &address).await,
            Order::EnablePerson(address) => self.enable_person(&of, &address).await,
            Order::ResetTwoStep(address) => self.reset_two_step(&of, &address).await,
            Order::ResetPassword(address) => self.reset_password(&of, &address).await,
            Order::ListLetters { states, limit } => self.list_letters(&of, &states, limit, report).await,
            Order::ShowLetter(id) => self.show_letter(&of, &id).await,
            Order::ExplainLetter(target) => self.explain_letter(&of, &target).await,
            Order::RetryLetter(id) => self.command_letter(&of, &id, Command::Retry).await,
            Order::HoldLetter(id) => self.command_letter(&of, &id, Command::Hold).await,
            Order::ReleaseLetter(id) => self.command_letter(&of, &id, Command::Release).await,
            Order::CancelLetter(id) => self.command_letter(&of, &id, Command::Cancel).await,
        };
        if let Some(notices) = self.notices.get() {
            // Of what an order does, somebody may have to be told.
            notices.ring();
        }
        carried
    }
}

impl App {
    async fn choose(&self, name: Option<&str>) -> Result<Organisation, Refusal> {
        self.identity.choose_organisation(name).await.map_err(|error| self.refuse(error))
    }

    /// A failure of a room, in words for the person who gave the order.
    pub(crate) fn refuse<E: Into<RoomError>>(&self, error: E) -> Refusal {
        match error.into() {
            RoomError::Store(error) => StartError::of_store(error, &self.settings).into(),
            RoomError::Words(text) => Refusal::new(text),
        }
    }
}

/// The database's failures have cures of their own; what else rooms say is for people already.
pub(crate) enum RoomError {
    Store(StoreError),
    Words(String),
}

impl From<StoreError> for RoomError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<IdentityError> for RoomError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Store(error) => Self::Store(error),
            other => Self::Words(other.to_string()),
        }
    }
}

impl From<AccountsError> for RoomError {
    fn from(error: AccountsError) -> Self {
        match error {
            AccountsError::Store(error) => Self::Store(error),
            AccountsError::AlreadyThere(address) => Self::Words(there_already(&address)),
            other => Self::Words(other.to_string()),
        }
    }
}

impl From<ConnectError> for RoomError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Store(error) => Self::Store(error),
            ConnectError::NoApplication(service) => Self::Words(format!(
                "no application is registered at {service} yet. Register one with: gatepost oauth-client add --help"
            )),
            ConnectError::AlreadyThere { address, .. } => Self::Words(there_already(&address)),
            other => Self::Words(other.to_string()),
        }
    }
}

/// With the commands that look at an account and change it.
fn there_already(address: &EmailAddress) -> String {
    format!(
        "the mailbox {address} is connected already. Look at it with: gatepost account show {address}. Another password, user name or other servers: gatepost account reauthenticate {address}"
    )
}

impl From<OutboxError> for RoomError {
    fn from(error: OutboxError) -> Self {
        match error {
            OutboxError::Store(error) => Self::Store(error),
            OutboxError::NotFound(_) => Self::Words(format!("{error}. See them with: gatepost outbox list")),
            OutboxError::Move(_) | OutboxError::InHand | OutboxError::Erased => {
                Self::Words(error.to_string())
            }
        }
    }
}

/// As the last line of an answer.
fn done(object: impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(object)
        .map_err(|error| Refusal::new(format!("the answer cannot be written as JSON: {error}")))
}

/// Orders come as text, and are checked again where they arrive.
fn parsed<T: std::str::FromStr<Err: Display>>(text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|error: T::Err| Refusal::new(format!("{text:?}: {error}")))
}

fn address(text: &str) -> Result<EmailAddress, Refusal> {
    parsed(text)
}

/// A provider's reply as text, without the line end that ends it. Escaped only where it is shown.
fn words(reply: &[u8]) -> String {
    let text = String::from_utf8_lossy(reply);
    text.strip_suffix("\r\n").unwrap_or(&text).to_owned()
}
