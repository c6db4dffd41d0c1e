//! A letter to see whether a mail account sends. It goes into the outbox like any other, and its page shows what becomes of it.

use std::time::Duration;

use axum::extract::State;
use gatepost_accounts::{MailAccount, Target};
use gatepost_core::{EmailAddress, SubmissionId};
use gatepost_delivery::{Choice, ChosenAccount, Envelope, NewSubmission, Origin, Recipient};
use gatepost_store::StoreError;
use gatepost_wire::message::{Letter, WrittenMessage};
use gatepost_wire::smtp::{BodyKind, ReversePath};
use serde::Deserialize;

use super::home_page;
use crate::frame::{Alert, Answer, App, Form, Page, Problem, Signed, paths, see_other};

/// How old a home page may be whose form still makes a letter: the letter's id says when the page was made, and lists go by ids.
const FORM_LASTS: Duration = Duration::from_hours(24);

/// What the clocks of two nodes may differ by.
const SLACK: Duration = Duration::from_mins(1);

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    /// The id of the letter, which the second of two clicks carries too. Empty on a page that is shown for the first time.
    form_id: String,
    account: String,
    address: String,
}

/// What is wrong with it.
#[derive(Default)]
pub(super) struct Wrong {
    pub(super) account: Option<String>,
    pub(super) address: Option<String>,
}

impl Wrong {
    pub(super) const fn is_any(&self) -> bool {
        self.account.is_some() || self.address.is_some()
    }
}

/// Accounts that the form offers.
const CHOICES_AT_MOST: usize = 100;

/// The form.
pub(super) struct TestLetter {
    pub(super) form_id: String,
    pub(super) accounts: Vec<AccountChoice>,
    pub(super) address: String,
    pub(super) wrong: Wrong,
}

pub(super) struct AccountChoice {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_chosen: bool,
}

impl TestLetter {
    /// The fields to look at again, each with its id.
    pub(super) fn wrong_fields(&self, page: &Page) -> Vec<(&'static str, String)> {
        let account = self.wrong.account.as_ref().map(|_| ("account", "home.test_letter_account"));
        let address = self.wrong.address.as_ref().map(|_| ("address", "home.test_letter_address"));
        let all = [account, address].into_iter().flatten();
        all.map(|(id, key)| (id, page.t.of(key).to_owned())).collect()
    }

    /// For whoever looks after the organisation, once it has a mail account.
    pub(super) async fn of(
        app: &App,
        page: &Page,
        signed: &Signed,
        typed: Typed,
        wrong: Wrong,
    ) -> Result<Option<Self>, Problem> {
        if !page.rules() {
            return Ok(None);
        }
        let accounts = app.rooms.accounts.list(signed.organisation()).await?;
        let is_new = typed.form_id.is_empty();
        let me = Target::Person { id: signed.person().id, home: signed.person().home_location };
        let default = app.rooms.accounts.choose(signed.organisation(), me).await?.account;
        let choice = |it: &MailAccount| AccountChoice {
            id: it.id.to_string(),
            name: it.short_name.clone(),
            is_chosen: if is_new { Some(it.id) == default } else { it.id.to_string() == typed.account },
        };
        let mut accounts: Vec<_> = accounts.iter().map(choice).collect();
        // A list of thousands is no choice; each account's own page sends a letter too.
        accounts.sort_by_key(|it| !it.is_chosen);
        accounts.truncate(CHOICES_AT_MOST);
        Ok((!accounts.is_empty()).then(|| Self {
            accounts,
            form_id: if is_new {
                SubmissionId::new(app.rooms.store.world()).to_string()
            } else {
                typed.form_id
            },
            address: if is_new { signed.person().address.to_string() } else { typed.address },
            wrong,
        }))
    }
}

/// POST: hands it in, and shows its page.
pub(super) async fn send(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Answer {
    let organisation = signed.organisation();
    let id: SubmissionId = typed.form_id.parse().map_err(|_| Problem::Bad)?;
    let on_its_page = || see_other(&format!("{}/{id}", paths::OUTBOX));
    // Sent before, by the same form.
    if app.rooms.outbox.show(organisation, id).await?.is_some() {
        return Ok(on_its_page());
    }
    let (now, mut wrong) = (app.now(), Wrong::default());
    if id < SubmissionId::first_at(now - FORM_LASTS) || id > SubmissionId::first_at(now + SLACK) {
        return Err(Problem::Bad);
    }
    let accounts = app.rooms.accounts.list(organisation).await?;
    let account = accounts.into_iter().find(|it| it.id.to_string() == typed.account);
    let address = typed.address.trim().parse::<EmailAddress>();
    if account.is_none() {
        wrong.account = Some(page.t.of("home.test_letter_no_account").to_owned());
    }
    if address.is_err() {
        wrong.address = Some(page.t.of("common.not_an_address").to_owned());
    }
    let (Some(account), Ok(address)) = (account, address) else {
        return home_page(&app, page, &signed, typed, wrong).await;
    };
    match hand_in(&app, &page, &signed, id, &account, address).await {
        Ok(()) => page.leave(Alert::good(page.t.of("home.test_letter_sent"))),
        // The other of two clicks was faster.
        Err(StoreError::Duplicate { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(on_its_page())
}

async fn hand_in(
    app: &App,
    page: &Page,
    signed: &Signed,
    id: SubmissionId,
    account: &MailAccount,
    to: EmailAddress,
) -> Result<(), StoreError> {
    let (organisation, outbox) = (signed.organisation(), &app.rooms.outbox);
    let running_now = app.rooms.accounts.running_now(organisation, account.id).await?;
    let message_id = format!("<{id}@{}>", account.address.domain());
    let written = write(page, signed, account, &to, &message_id);
    let mut body = outbox.write_body(organisation, id).await?;
    body.write(&written.bytes).await?;
    let letter = NewSubmission {
        id,
        organisation,
        origin: Origin::Test { by: signed.person().id },
        choice: Choice {
            account: Some(ChosenAccount { id: account.id, running_now }),
            because: "chosen for this test letter".to_owned(),
            addresses: Vec::new(),
            max_message_bytes: None,
        },
        envelope: Envelope {
            reverse_path: ReversePath::Address(account.address.clone()),
            is_smtputf8: written.is_smtputf8 || !to.is_ascii(),
            recipients: vec![Recipient { address: to, notify: None, original: None }],
            body: if written.is_8bit { BodyKind::EightBitMime } else { BodyKind::SevenBit },
            dsn_return: None,
            envelope_id: None,
        },
        message_id,
        client: None,
    };
    outbox.accept(letter, body.finish().await?).await
}

fn write(
    page: &Page,
    signed: &Signed,
    account: &MailAccount,
    to: &EmailAddress,
    message_id: &str,
) -> WrittenMessage {
    let t = page.t;
    let who = [("name", signed.person().name.as_str()), ("organisation", page.organisation.as_str())];
    let by = t.fill("home.test_letter_by", &who);
    let way = t.fill("home.test_letter_way", &[("account", account.address.as_str())]);
    Letter {
        author: &account.author_name,
        from: &account.address,
        to,
        subject: t.of("home.test_letter_subject"),
        at: page.now,
        message_id,
        paragraphs: &[by, way],
    }
    .write()
}
