//! From a command line to an order, and from its answer to what is shown.

mod sign_in;

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use gatepost_core::{EmailAddress, World};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::answer::{
    AccountShown, AppPasswordMade, AppPasswordShown, ExplainedShown, LetterShown, OAuthClientRemoved,
    OAuthClientShown, OAuthGuideShown, PersonLink, PersonShown, RemovalShown, StepShown, accounts_text,
    app_passwords_text, letters_text, oauth_clients_text, people_text,
};
use crate::app::App;
use crate::cli::{
    AccountAdd, AccountCommand, AccountEdit, AppPasswordCommand, AppPasswordCreate, HostPort, LoginArgs,
    OAuthClientAdd, OAuthClientCommand, OutboxCommand, PersonCommand, Scoped, TlsMode,
};
use crate::config::Settings;
use crate::control::{
    EditedAccount, Ended, Line, NewAccount, NewAppPassword, NewOAuthClient, NewPerson, Order,
    PasswordOnTheWay, Refusal, Request, Served, Server, Target, carry,
};
use crate::demo::quoted;
use crate::output::{Output, understand};
use crate::secret_input::{SecretInputError, read_secret};

/// People see so many letters unless they ask for more.
const SHOWN_LETTERS: u64 = 50;

/// Where commands are asked and answered.
pub(crate) struct Asking<'a> {
    /// The file that `--config` names.
    pub(crate) config: Option<&'a Path>,
    /// How to answer.
    pub(crate) output: Output,
    pub(crate) world: World,
}

impl Asking<'_> {
    pub(crate) async fn account(&self, scoped: Scoped<AccountCommand>) -> Result<(), Refusal> {
        let ask = |order| Request { organisation: scoped.organisation.clone(), order };
        match scoped.command {
            AccountCommand::Add(add) if add.sign_in => {
                let begin = Order::BeginSignIn(Box::new(new_account(*add)?));
                self.sign_in(begin, scoped.organisation.as_deref()).await
            }
            AccountCommand::Reauthenticate(it) => {
                self.reauthenticate(*it, scoped.organisation.as_deref()).await
            }
            AccountCommand::Add(add) if !add.unchecked => {
                self.connect(new_account(*add)?, scoped.organisation.as_deref()).await
            }
            AccountCommand::Add(add) => {
                let address = add.address.to_string();
                let order = Order::AddAccount(Box::new(new_account(*add)?));
                let added: AccountShown = self.one(ask(order)).await?;
                self.output.json(&added);
                self.say(format_args!(
                    "Added {} ({address}). Whether it works was not asked.\n\nNext: gatepost account check {address}",
                    added.short_name
                ));
                Ok(())
            }
            AccountCommand::List => {
                let all: Vec<AccountShown> = self.all(ask(Order::ListAccounts)).await?;
                self.say(accounts_text(&all));
                Ok(())
            }
            AccountCommand::Show(it) => {
                self.show_account(ask(Order::ShowAccount(it.address.to_string()))).await
            }
            AccountCommand::Edit(edit) => {
                self.show_account(ask(Order::EditAccount(Box::new(edited_account(*edit))))).await
            }
            AccountCommand::Default(it) => {
                let address = it.address.to_string();
                let serves = served(it.for_organisation, it.for_location, it.for_person);
                let serves = serves.ok_or_else(|| Refusal::new("say whose default it is"))?;
                self.show_account(ask(Order::MakeDefault { address, serves })).await
            }
            AccountCommand::Check(it) => {
                let address = it.address.to_string();
                let order = Order::CheckAccount { address: address.clone(), sends_letter: !it.no_letter };
                let checked = self.check_account(ask(order)).await;
                if checked.is_err()
                    && let Ok(shown) = self.one::<AccountShown>(ask(Order::ShowAccount(address))).await
                {
                    self.say(format_args!("\nNext: {}", shown.next_command()));
                }
                checked
            }
            AccountCommand::Pause(it) => {
                self.show_account(ask(Order::PauseAccount(it.address.to_string()))).await
            }
            AccountCommand::Resume(it) => {
                self.show_account(ask(Order::ResumeAccount(it.address.to_string()))).await
            }
            AccountCommand::Remove(it) => {
                let first = Order::ShowRemoval(it.address.to_string());
                let removal: RemovalShown = self.one(ask(first)).await?;
                // Where letters wait it is refused, and the refusal says how many.
                if removal.waiting == 0 {
                    self.output.text(removal.text());
                    if !it.yes && !confirmed()? {
                        return Err(Refusal::new(format!("{} was not removed", it.address)));
                    }
                }
                let removed: Value = self.one(ask(Order::RemoveAccount(it.address.to_string()))).await?;
                self.output.json(&removed);
                self.output
                    .text(format_args!("Removed {}, with its password and its app passwords.", it.address));
                Ok(())
            }
        }
    }

    async fn show_account(&self, request: Request) -> Result<(), Refusal> {
        let it: AccountShown = self.one(request).await?;
        self.output.json(&it);
        self.say(it.text());
        Ok(())
    }

    /// Steps are shown as they are taken.
    async fn check_account(&self, request: Request) -> Result<(), Refusal> {
        let it: AccountShown = understand(self.answer(request, |value| self.show_step(value)).await?)?;
        self.say(format_args!("\n{}", it.text()));
        Ok(())
    }

    /// Writes text for people, whose next command is about the same installation.
    fn say(&self, text: impl std::fmt::Display) {
        self.output.text(with_config(&text.to_string(), self.config));
    }

    fn show_step(&self, value: Value) -> Result<(), Refusal> {
        let step: StepShown = understand(value)?;
        self.output.json(&step);
        self.output.text(step.text());
        Ok(())
    }

    pub(crate) async fn app_password(&self, scoped: Scoped<AppPasswordCommand>) -> Result<(), Refusal> {
        let ask = |order| Request { organisation: scoped.organisation.clone(), order };
        match scoped.command {
            AppPasswordCommand::Create(create) => {
                let order = Order::CreateAppPassword(new_app_password(create));
                let made: AppPasswordMade = self.one(ask(order)).await?;
                self.output.json(&made);
                self.say(made.text());
            }
            AppPasswordCommand::List => {
                let all: Vec<AppPasswordShown> = self.all(ask(Order::ListAppPasswords)).await?;
                self.say(app_passwords_text(&all));
            }
            AppPasswordCommand::Revoke { id } => {
                let revoked: Value = self.one(ask(Order::RevokeAppPassword(id.to_string()))).await?;
                self.output.json(&revoked);
                self.output.text(format_args!(
                    "App password {id} opens nothing any more; what was signed in with it ends within a second."
                ));
            }
        }
        Ok(())
    }

    pub(crate) async fn oauth_client(&self, scoped: Scoped<OAuthClientCommand>) -> Result<(), Refusal> {
        let ask = |order| Request { organisation: scoped.organisation.clone(), order };
        match scoped.command {
            OAuthClientCommand::Guide(it) => {
                let kind = it.kind.map(|it| it.word().to_owned());
                let order = Order::GuideOAuthClient { service: it.service, kind };
                let guide: OAuthGuideShown = self.one(ask(order)).await?;
                self.output.json(&guide);
                self.say(guide.text());
            }
            OAuthClientCommand::Add(add) => {
                let order = Order::AddOAuthClient(Box::new(new_oauth_client(add)?));
                let added: OAuthClientShown = self.one(ask(order)).await?;
                self.output.json(&added);
                self.say(added.added_text());
            }
            OAuthClientCommand::List => {
                let all: Vec<OAuthClientShown> = self.all(ask(Order::ListOAuthClients)).await?;
                self.say(oauth_clients_text(&all));
            }
            OAuthClientCommand::Remove(it) => {
                let order = Order::RemoveOAuthClient { service: it.service, installation: it.installation };
                let removed: OAuthClientRemoved = self.one(ask(order)).await?;
                self.output.json(&removed);
                self.say(removed.text());
            }
        }
        Ok(())
    }

    pub(crate) async fn person(&self, scoped: Scoped<PersonCommand>) -> Result<(), Refusal> {
        let ask = |order| Request { organisation: scoped.organisation.clone(), order };
        match scoped.command {
            PersonCommand::Add(add) => {
                let order = Order::AddPerson(NewPerson {
                    address: add.address.to_string(),
                    name: add.name,
                    role: add.role.word().to_owned(),
                    location: add.location,
                });
                let added: PersonLink = self.one(ask(order)).await?;
                self.output.json(&added);
                self.output.text(added.invited_text());
            }
            PersonCommand::List => {
                let all: Vec<PersonShown> = self.all(ask(Order::ListPeople)).await?;
                self.output.text(people_text(&all));
            }
            PersonCommand::Disable(it) => {
                let shown: PersonShown = self.one(ask(Order::DisablePerson(it.address.to_string()))).await?;
                self.output.json(&shown);
                self.say(format_args!(
                    "{} is disabled and signed out everywhere; what their app passwords have open ends within a second.\n\nUndo: gatepost person enable {}",
                    shown.name, shown.address
                ));
            }
            PersonCommand::Enable(it) => {
                let shown: PersonShown = self.one(ask(Order::EnablePerson(it.address.to_string()))).await?;
                self.output.json(&shown);
                self.output
                    .text(format_args!("{} may sign in again, and so may their app passwords.", shown.name));
            }
            PersonCommand::ResetTwoStep(it) => {
                let shown: PersonShown = self.one(ask(Order::ResetTwoStep(it.address.to_string()))).await?;
                self.output.json(&shown);
                self.output.text(format_args!(
                    "Two-step verification of {} is off, and they are signed out everywhere. They are told by letter, and set it up anew after the next sign-in.",
                    shown.name
                ));
            }
            PersonCommand::ResetPassword(it) => {
                let made: PersonLink = self.one(ask(Order::ResetPassword(it.address.to_string()))).await?;
                self.output.json(&made);
                self.output.text(made.reset_text());
            }
        }
        Ok(())
    }

    pub(crate) async fn outbox(&self, scoped: Scoped<OutboxCommand>) -> Result<(), Refusal> {
        let ask = |order| Request { organisation: scoped.organisation.clone(), order };
        let order = match scoped.command {
            OutboxCommand::List(list) => {
                let states = list.states.iter().map(|it| it.word().to_owned()).collect();
                let limit = list.limit.or((self.output == Output::People).then_some(SHOWN_LETTERS + 1));
                let mut all: Vec<LetterShown> = self.all(ask(Order::ListLetters { states, limit })).await?;
                let more = list.limit.is_none() && all.len() as u64 > SHOWN_LETTERS;
                if more {
                    all.pop();
                }
                self.say(letters_text(&all, more));
                return Ok(());
            }
            OutboxCommand::Show(it) => Order::ShowLetter(it.id.to_string()),
            OutboxCommand::Explain(login) => {
                let order = Order::ExplainLetter(target(login));
                let explained: ExplainedShown = self.one(ask(order)).await?;
                self.output.json(&explained);
                self.say(explained.text());
                return Ok(());
            }
            OutboxCommand::Retry(it) => Order::RetryLetter(it.id.to_string()),
            OutboxCommand::Hold(it) => Order::HoldLetter(it.id.to_string()),
            OutboxCommand::Release(it) => Order::ReleaseLetter(it.id.to_string()),
            OutboxCommand::Cancel(it) => Order::CancelLetter(it.id.to_string()),
        };
        let letter: LetterShown = self.one(ask(order)).await?;
        self.output.json(&letter);
        self.say(letter.text());
        Ok(())
    }

    /// An answer of one object.
    async fn one<T: DeserializeOwned>(&self, request: Request) -> Result<T, Refusal> {
        understand(self.answer(request, |_| Ok(())).await?)
    }

    /// An answer of many objects: written at once where programs read, gathered where people do.
    async fn all<T: DeserializeOwned + Serialize>(&self, request: Request) -> Result<Vec<T>, Refusal> {
        let mut all = Vec::new();
        self.answer(request, |value| {
            let it: T = understand(value)?;
            match self.output {
                Output::Json => self.output.json(&it),
                Output::People => all.push(it),
            }
            Ok(())
        })
        .await?;
        Ok(all)
    }

    async fn answer(
        &self,
        request: Request,
        item: impl FnMut(Value) -> Result<(), Refusal>,
    ) -> Result<Value, Refusal> {
        Ok(self.carried(request, item).await?.0)
    }

    /// Has the request carried out, by the running server or here, and says which.
    pub(crate) async fn carried(
        &self,
        request: Request,
        mut item: impl FnMut(Value) -> Result<(), Refusal>,
    ) -> Result<(Value, Ended), Refusal> {
        let settings = std::sync::Arc::new(self.settings()?);
        let (mut last, mut misunderstood, mut closing) = (Ok(Value::Null), Ok(()), None);
        let open = {
            let (settings, world, closing) = (settings.clone(), self.world.clone(), &mut closing);
            async move |data_dir| {
                let (app, to_close) = App::open(settings, data_dir, world).await?;
                *closing = Some(to_close);
                Ok(app)
            }
        };
        // Large, because an order may be carried out in this very process.
        let carried = Box::pin(carry(&settings.data_dir, request, open, |line| match line {
            Line::Item(value) if misunderstood.is_ok() => misunderstood = item(value),
            Line::Item(_) => {}
            Line::Done(value) => last = Ok(value),
            Line::Refused(refusal) => last = Err(refusal),
        }))
        .await;
        if let Some(closing) = closing {
            closing.finish().await;
        }
        let ended = carried?;
        misunderstood?;
        Ok((last?, ended))
    }

    fn settings(&self) -> Result<Settings, Refusal> {
        Settings::load(self.config).map_err(|error| Refusal::new(error.to_string()))
    }
}

/// Whether the person at the terminal says yes. Without one nobody is asked.
fn confirmed() -> Result<bool, Refusal> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Ok(true);
    }
    let _ = write!(io::stderr(), "Remove it? Type yes: ");
    let mut line = String::new();
    let read = stdin.lock().take(100).read_line(&mut line);
    read.map_err(|error| Refusal::new(format!("cannot read the answer: {error}")))?;
    Ok(is_yes(&line))
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_lowercase().as_str(), "y" | "yes")
}

/// The commands that `text` proposes, on lines of their own, with the file that `--config` named.
fn with_config(text: &str, config: Option<&Path>) -> String {
    let Some(file) = config.and_then(Path::to_str) else { return text.to_owned() };
    let file = quoted(file);
    let line = |it: &str| {
        if !["Next: gatepost ", "Then: gatepost ", "Undo: gatepost "]
            .iter()
            .any(|begin| it.starts_with(begin))
        {
            return it.to_owned();
        }
        match it.split_once(" < ") {
            Some((command, input)) => format!("{command} --config {file} < {input}"),
            None => format!("{it} --config {file}"),
        }
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn new_oauth_client(add: OAuthClientAdd) -> Result<NewOAuthClient, Refusal> {
    let secret = if add.no_secret {
        None
    } else {
        let prompt = format!("Client secret of {}", add.client_id);
        let read = read_secret(add.secret_stdin, &prompt).map_err(|error| {
            Refusal::new(match error {
                SecretInputError::NoTerminal => "there is no terminal to ask for the client secret on: hand it over on standard input, with --secret-stdin, or leave it out, with --no-secret".to_owned(),
                SecretInputError::Empty => "the client secret is empty: an application without one is entered with --no-secret".to_owned(),
                SecretInputError::TooLong => "the client secret is too long: hand over the secret alone".to_owned(),
                SecretInputError::NotText => "the client secret is not UTF-8 text".to_owned(),
                SecretInputError::Io(error) => format!("cannot read the client secret: {error}"),
            })
        });
        Some(PasswordOnTheWay(read?))
    };
    Ok(NewOAuthClient {
        service: add.one.service,
        client_id: add.client_id,
        secret,
        tenant: add.tenant,
        kind: add.kind.map(|it| it.word().to_owned()),
        verified: add.verified,
        installation: add.one.installation,
    })
}

fn server(given: Option<HostPort>, tls: Option<TlsMode>) -> Option<Server> {
    given.map(|it| Server {
        tls: tls.unwrap_or_else(|| TlsMode::usual_on(it.port)).word().to_owned(),
        host: it.host,
        port: it.port,
    })
}

fn new_account(add: AccountAdd) -> Result<NewAccount, Refusal> {
    let password = if add.sign_in {
        None
    } else if add.provider == crate::cli::SANDBOX && !add.password_stdin {
        // What every mailbox of the sandbox has until it is given another; no secret.
        Some(gatepost_core::SecretText::new("sandbox".to_owned()))
    } else {
        let prompt = format!("Password of {}", add.address);
        Some(read_secret(add.password_stdin, &prompt).map_err(|error| Refusal::new(error.to_string()))?)
    };
    let short_name = add.short_name.unwrap_or_else(|| add.address.local_part().to_owned());
    Ok(NewAccount {
        provider: add.provider,
        author_name: add.author_name.unwrap_or_default(),
        short_name,
        user_name: add.user_name.unwrap_or_else(|| add.address.to_string()),
        smtp: server(add.smtp, add.smtp_tls),
        imap: server(add.imap, add.imap_tls),
        pop3: server(add.pop3, add.pop3_tls),
        address: add.address.to_string(),
        password: password.map(PasswordOnTheWay),
    })
}

fn served(organisation: bool, location: Option<String>, person: Option<EmailAddress>) -> Option<Served> {
    match (organisation, location, person) {
        (true, _, _) => Some(Served::Organisation),
        (_, Some(location), _) => Some(Served::Location(location)),
        (_, _, person) => person.map(|it| Served::Person(it.to_string())),
    }
}

fn edited_account(edit: AccountEdit) -> EditedAccount {
    let serves = served(edit.for_organisation, edit.for_location, edit.for_person);
    let is_given = edit.send_as_itself_only || !edit.send_as.is_empty();
    EditedAccount {
        address: edit.address.to_string(),
        short_name: edit.short_name,
        author_name: edit.author_name,
        user_name: edit.user_name,
        opens: edit.opens.map(|it| it.to_string()),
        send_as: is_given.then(|| edit.send_as.iter().map(ToString::to_string).collect()),
        serves,
        never_falls_back: edit.never_falls_back,
    }
}

fn new_app_password(create: AppPasswordCreate) -> NewAppPassword {
    NewAppPassword {
        target: target(create.login),
        name: create.name,
        allow: create.allow.iter().map(|it| it.word().to_owned()).collect(),
        networks: create.networks.iter().map(ToString::to_string).collect(),
        expires_after_days: create.expires,
        repair_line_ends: create.repair_line_ends,
    }
}

fn target(login: LoginArgs) -> Target {
    match (login.account, login.person, login.location) {
        (Some(account), _, _) => Target::Account(account.to_string()),
        (None, Some(person), _) => Target::Person(person.to_string()),
        (None, None, location) => Target::Location(location.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (line, want) in [("yes\n", true), ("Y\n", true), ("\n", false), ("", false), ("yesterday", false)]
        {
            assert_eq!(is_yes(line), want, "{line:?}");
        }
    }

    #[test]
    fn proposed_commands_are_about_the_same_installation() {
        for (text, config, want) in [
            ("a\n\nNext: gatepost account list", None, "a\n\nNext: gatepost account list"),
            (
                "a\nNext: gatepost account list",
                Some("f.toml"),
                "a\nNext: gatepost account list --config f.toml",
            ),
            (
                "Then: gatepost x --stdin < FILE",
                Some("/a b/f"),
                "Then: gatepost x --stdin --config '/a b/f' < FILE",
            ),
            ("Undo: gatepost x\n", Some("it's"), "Undo: gatepost x --config 'it'\\''s'\n"),
            ("the gatepost program", Some("f"), "the gatepost program"),
        ] {
            assert_eq!(with_config(text, config.map(Path::new)), want);
        }
    }
}
