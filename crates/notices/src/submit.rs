//! From a notice to a letter in the outbox.

use gatepost_accounts::{ForNotices, MailAccount};
use gatepost_core::{EmailAddress, SecretText, SubmissionId};
use gatepost_delivery::{Choice, ChosenAccount, Envelope, NewSubmission, Origin, Recipient};
use gatepost_identity::IdentityError;
use gatepost_journal::OpenNotice;
use gatepost_store::StoreError;
use gatepost_wire::message::{Letter, WrittenMessage};
use gatepost_wire::smtp::{BodyKind, ReversePath};

use crate::compose::{Beside, compose};
use crate::notices::Notices;
use crate::schedule::{is_about_link, life};

/// What one try brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Submitted {
    /// The letter is in the outbox, by this try or an earlier one.
    InOutbox,
    /// No account can send: why, in words.
    NoAccount(String),
    /// It must not leave any more: why, in words.
    Over(&'static str),
}

/// What keeps a notice from leaving, for now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("its link could not be made: {0}")]
    Link(IdentityError),
    #[error("its organisation could not be read: {0}")]
    Organisation(IdentityError),
    #[error("handing it to the outbox took too long")]
    TooLong,
}

impl Notices {
    /// The first half of carrying a notice out. Repeating it is safe: the letter has the notice's id.
    pub(crate) async fn submit(&self, notice: &OpenNotice) -> Result<Submitted, Trouble> {
        let desk = self.desk();
        let (organisation, now) = (notice.due.organisation, desk.store.world().now());
        let id = SubmissionId::from_uuid(notice.due.id.uuid());
        // Looked up before a token is made: a new one would end the token in the letter that is there.
        if desk.outbox.show(organisation, id).await?.is_some() {
            return Ok(Submitted::InOutbox);
        }
        if notice.addresses.is_empty() {
            return Ok(Submitted::Over("it has no address to go to"));
        }
        if now.since(notice.created_at) >= life(notice.kind) {
            return Ok(Submitted::Over(if is_about_link(notice.kind) {
                "its link was over before the letter could leave"
            } else {
                "it could not leave for five days"
            }));
        }
        let (account, because, running_now) = match desk.accounts.for_notices(organisation).await? {
            ForNotices::Account { account, because, running_now } => (account, because, running_now),
            ForNotices::Wait { because } => return Ok(Submitted::NoAccount(because)),
        };
        let link = match notice.link {
            Some(link) => (desk.issue)(organisation, link).await.map_err(Trouble::Link)?,
            None => None,
        };
        // Whoever has disabled the person, or used the link, must not silence the others: they leave without it.
        if link.is_none() && is_about_link(notice.kind) {
            return Ok(Submitted::Over("its link was used, replaced, or has run out"));
        }
        let link = link.map(|token| self.address_of(&token));
        let name = self.organisation_name(notice).await?;
        let message_id = format!("<{id}@{}>", account.address.domain());
        let written = self.write(
            notice,
            &account,
            &message_id,
            Beside { organisation: name.as_deref(), link: link.as_ref() },
        );
        let mut body = desk.outbox.write_body(organisation, id).await?;
        body.write(&written.bytes).await?;
        let letter = NewSubmission {
            id,
            organisation,
            origin: Origin::Notice { of: notice.due.id },
            choice: Choice {
                account: Some(ChosenAccount { id: account.id, running_now }),
                because,
                addresses: Vec::new(),
                max_message_bytes: None,
            },
            envelope: envelope(&account, notice, &written),
            message_id,
            client: None,
        };
        match desk.outbox.accept(letter, body.finish().await?).await {
            // Another try, or another node, was faster.
            Ok(()) | Err(StoreError::Duplicate { .. }) => Ok(Submitted::InOutbox),
            Err(error) => Err(error.into()),
        }
    }

    fn write(
        &self,
        notice: &OpenNotice,
        account: &MailAccount,
        message_id: &str,
        beside: Beside<'_>,
    ) -> WrittenMessage {
        let desk = self.desk();
        let words = compose(&desk.texts, notice, &beside);
        Letter {
            author: &account.author_name,
            from: &account.address,
            to: notice.addresses.first().unwrap_or(&account.address),
            subject: &words.subject,
            at: desk.store.world().now(),
            message_id,
            paragraphs: &words.paragraphs,
        }
        .write()
    }

    fn address_of(&self, token: &SecretText) -> SecretText {
        SecretText::new(format!("{}/link?token={}", self.desk().public_url, token.reveal()))
    }

    async fn organisation_name(&self, notice: &OpenNotice) -> Result<Option<String>, Trouble> {
        let all = self.desk().identity.list_organisations().await.map_err(Trouble::Organisation)?;
        Ok(all.into_iter().find(|it| it.id == notice.due.organisation).map(|it| it.name))
    }
}

/// One letter to all addresses, each once; a letter that is about its link goes to the first alone. Reports of failure come
/// into the mailbox of the account, like those of any letter.
fn envelope(account: &MailAccount, notice: &OpenNotice, written: &WrittenMessage) -> Envelope {
    let mut addresses: Vec<&EmailAddress> = Vec::new();
    for address in &notice.addresses {
        if !addresses.iter().any(|it| it.is_same_mailbox(address)) {
            addresses.push(address);
        }
    }
    if is_about_link(notice.kind) {
        addresses.truncate(1);
    }
    let recipient = |it: &EmailAddress| Recipient { address: it.clone(), notify: None, original: None };
    Envelope {
        reverse_path: ReversePath::Address(account.address.clone()),
        is_smtputf8: written.is_smtputf8 || addresses.iter().any(|it| !it.is_ascii()),
        recipients: addresses.into_iter().map(recipient).collect(),
        body: if written.is_8bit { BodyKind::EightBitMime } else { BodyKind::SevenBit },
        dsn_return: None,
        envelope_id: None,
    }
}
