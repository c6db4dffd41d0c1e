//! One attempt: connect if need be, send, judge, and get ready what is to be written down.

use gatepost_accounts::{
    AccountsError, CredentialKind, Direction, Event, NotUsable, SendingAccount, Used, What,
};
use gatepost_core::{BodyId, Diagnosis, Timestamp, Trouble};
use gatepost_store::{FinishedBody, StoreError};
use gatepost_upstream::smtp::{Greeted, SmtpSession};
use gatepost_upstream::{Deadlines, Evidence, UpstreamError};
use gatepost_wire::smtp::Reply;

use super::Shared;
use crate::claim::Claimed;
use crate::conclude::{Concluded, Finished};
use crate::send::judge::{Effect, Judge};
use crate::send::notice::{Author, Report, notice};
use crate::send::smtp::{End, send};
use crate::submission::{ChosenAccount, NewSubmission};

/// A connection that is signed in.
pub(super) struct Open {
    pub(super) session: SmtpSession,
    pub(super) by: Signed,
}

/// What a sign-in was made with, and when it began.
#[derive(Clone, Copy)]
pub(super) struct Signed {
    pub(super) used: Used,
    pub(super) began_at: Timestamp,
}

/// Why there is no connection.
pub(super) enum Unconnected {
    /// The provider, or the way to it.
    Upstream(UpstreamError, Signed),
    /// Its service gave no access token; the account's status says so already.
    NoToken(Box<Diagnosis>),
}

/// Whether the account may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccountState {
    Usable,
    /// It has just sent a letter.
    Proven,
    /// It has to wait or to sign in; the dispatcher looks at it again.
    Stopped,
}

/// What an attempt left behind.
pub(super) struct Done {
    pub(super) finished: Finished,
    pub(super) account: AccountState,
}

/// Sends a claimed letter over `open`, or over a new connection that is left there.
pub(super) async fn attempt(
    shop: &Shared,
    account: &SendingAccount,
    open: &mut Option<Open>,
    claimed: Claimed,
) -> Done {
    loop {
        // A connection that was kept open may have been closed at the other end meanwhile.
        if !open.as_mut().is_some_and(|it| it.session.is_ready()) {
            *open = None;
        }
        let was_used = open.is_some();
        if open.is_none() {
            match connect(shop, account).await {
                Ok(fresh) => *open = Some(fresh),
                Err(why) => return account_trouble(shop, account, claimed, why).await,
            }
        }
        let Some(it) = open.as_mut() else { continue };
        let transaction = match shop.outbox.bodies().read(account.organisation, body_of(&claimed)).await {
            Ok(body) => send(&mut it.session, &claimed, body).await,
            Err(StoreError::DamagedBody { .. }) => untouched(&claimed, &End::Damaged),
            Err(err) => {
                tracing::error!(submission.id = %claimed.submission.id, error = %err, "the text of a letter cannot be read");
                untouched(&claimed, &End::Unreadable)
            }
        };
        let (by, server_tells) = (it.by, it.session.capabilities().dsn);
        if !transaction.is_usable {
            *open = None;
        }
        // Closed at this very moment, or told so by 421 (RFC 5321 §3.8): nothing of this letter can have arrived, so a
        // fresh connection tries at once.
        if was_used && transaction.ends.iter().all(is_stale) {
            *open = None;
            continue;
        }
        return judged(
            shop,
            account,
            Ended { claimed, ends: transaction.ends, by, server_tells, is_fresh: !was_used },
        )
        .await;
    }
}

fn is_stale(end: &End) -> bool {
    match end {
        End::LostBefore(_) => true,
        End::Refused(_, reply) => reply.code == 421,
        _ => false,
    }
}

fn untouched(claimed: &Claimed, end: &End) -> crate::send::smtp::Transaction {
    crate::send::smtp::Transaction { ends: vec![end.clone(); claimed.recipients.len()], is_usable: true }
}

fn body_of(claimed: &Claimed) -> BodyId {
    BodyId::from_uuid(claimed.submission.id.uuid())
}

/// Connects and signs in. An access token that the provider refuses is replaced once, and then it counts (SC-8).
pub(super) async fn connect(shop: &Shared, account: &SendingAccount) -> Result<Open, Unconnected> {
    let mut handed = None;
    if account.kind == CredentialKind::OAuth {
        // The token that the account was handed out with may be over by now.
        let present = shop.accounts.signing_in(account.organisation, account.id).await;
        handed = present.map(Some).or_else(without_token)?;
    }
    let present = handed.as_ref().unwrap_or(account);
    match sign_in(shop, present).await {
        Err(Unconnected::Upstream(refused @ UpstreamError::SignInRefused { .. }, by)) => {
            let anew = shop.accounts.signing_in_anew(account.organisation, account.id, by.used).await;
            match anew.or_else(without_token)? {
                Some(anew) => sign_in(shop, &anew).await,
                None => Err(Unconnected::Upstream(refused, by)),
            }
        }
        signed_in => signed_in,
    }
}

async fn sign_in(shop: &Shared, account: &SendingAccount) -> Result<Open, Unconnected> {
    let Some(sign_in) = &account.sign_in() else {
        let diagnosis = shop.accounts.providers().catalogue().diagnose_trouble(Trouble::PasswordMissing);
        return Err(Unconnected::NoToken(Box::new(diagnosis)));
    };
    let by = Signed { used: account.used, began_at: shop.outbox.store().world().now() };
    let connected = async {
        let deadlines = Deadlines::default();
        let greeted =
            Greeted::connect(&shop.dialer, &shop.tls, &account.endpoint, &shop.host, &deadlines).await?;
        greeted.sign_in(sign_in).await
    };
    match connected.await {
        Ok(session) => Ok(Open { session, by }),
        Err(err) => Err(Unconnected::Upstream(err, by)),
    }
}

/// What speaks against it for other reasons than its token shows when the dispatcher looks at the account again.
fn without_token(why: NotUsable) -> Result<Option<SendingAccount>, Unconnected> {
    match why {
        NotUsable::NoToken { diagnosis } => Err(Unconnected::NoToken(diagnosis)),
        NotUsable::Removed
        | NotUsable::Paused
        | NotUsable::NeedsSignIn { .. }
        | NotUsable::NotBefore(_)
        | NotUsable::NoSecret
        | NotUsable::TokenOver { .. }
        | NotUsable::Store(_) => Ok(None),
    }
}

/// The account could not be used at all.
async fn account_trouble(
    shop: &Shared,
    account: &SendingAccount,
    claimed: Claimed,
    why: Unconnected,
) -> Done {
    let judge = judge(shop, account).await;
    let (concluded, diagnosis) = match why {
        Unconnected::Upstream(err, by) => {
            let catalogue = shop.accounts.providers().catalogue();
            let what = What::failed(&err, catalogue, account.server(Direction::Sending));
            let diagnosis = what.diagnosis().cloned().expect("a failure has a diagnosis");
            let concluded = judge.account_trouble(&claimed.recipients, &diagnosis, reply_of(&err));
            tracing::info!(account.address = account.address.masked(), account.id = %account.id, rule = %diagnosis.rule, error = %err, "no connection for letters of this mail account");
            _ = report(shop, account, by, what).await;
            (concluded, diagnosis)
        }
        Unconnected::NoToken(diagnosis) => {
            let concluded = judge.account_trouble(&claimed.recipients, &diagnosis, None);
            tracing::info!(account.address = account.address.masked(), account.id = %account.id, rule = %diagnosis.rule, "the mail account has no access token");
            (concluded, *diagnosis)
        }
    };
    let diagnoses = vec![Some(diagnosis); concluded.len()];
    let finished = with_notice(shop, account, claimed, (concluded, diagnoses), false).await;
    Done { finished, account: AccountState::Stopped }
}

/// The provider's words, if it said any.
fn reply_of(err: &UpstreamError) -> Option<&Reply> {
    match err.evidence() {
        Evidence::Reply(_, answer) => answer.smtp(),
        Evidence::Trouble(_) => None,
    }
}

/// A transaction that is over.
struct Ended {
    claimed: Claimed,
    ends: Vec<End>,
    by: Signed,
    server_tells: bool,
    /// Whether no letter had gone over this connection before.
    is_fresh: bool,
}

async fn judged(shop: &Shared, account: &SendingAccount, ended: Ended) -> Done {
    let Ended { claimed, ends, by, server_tells, is_fresh } = ended;
    let judgement = judge(shop, account).await.transaction(&claimed.recipients, &ends, is_fresh);
    let (what, state) = match judgement.effect {
        Effect::None => (What::Succeeded, AccountState::Usable),
        Effect::LetterSent => (What::LetterSent, AccountState::Proven),
        Effect::Trouble(diagnosis, reply) => (What::Trouble { diagnosis, reply }, AccountState::Stopped),
        Effect::Blocked(diagnosis, reply) => {
            (What::Blocked { diagnosis, reply: Some(reply) }, AccountState::Stopped)
        }
        Effect::SignInRefused(diagnosis, reply) => {
            (What::SignInRefused { diagnosis, reply: Some(reply) }, AccountState::Stopped)
        }
    };
    _ = report(shop, account, by, what).await;
    for ((row, it), diagnosis) in
        claimed.recipients.iter().zip(&judgement.concluded).zip(&judgement.diagnoses)
    {
        // A refusal's words may name recipients: they stand in the outbox, here stand the catalogue's.
        tracing::info!(
            submission.id = %claimed.submission.id,
            account.address = account.address.masked(),
            account.id = %account.id,
            recipient = row.ordinal,
            result = it.kind.word(),
            code = it.reply.as_ref().map(|reply| reply.code),
            rule = diagnosis.as_ref().map(|it| it.rule.as_str()),
            cause = diagnosis.as_ref().map(|it| it.cause.as_str()),
            "an attempt ended"
        );
    }
    let finished =
        with_notice(shop, account, claimed, (judgement.concluded, judgement.diagnoses), server_tells).await;
    Done { finished, account: state }
}

/// The present time on the account's running clock. Without it, a life would seem longer than it is, never shorter.
async fn running_now(shop: &Shared, account: &SendingAccount) -> Timestamp {
    shop.accounts.running_now(account.organisation, account.id).await.unwrap_or(Timestamp::EPOCH)
}

async fn judge<'a>(shop: &'a Shared, account: &'a SendingAccount) -> Judge<'a> {
    Judge {
        world: shop.outbox.store().world(),
        catalogue: shop.accounts.providers().catalogue(),
        provider_kind: account.provider_kind.as_deref(),
        running_now: running_now(shop, account).await,
    }
}

/// Tells the account what happened. A failure to store it is logged; what it would have released or parked shows again.
pub(super) async fn report(
    shop: &Shared,
    account: &SendingAccount,
    Signed { used, began_at }: Signed,
    what: What,
) -> Result<(), AccountsError> {
    let event = Event { used, began_at, what };
    let reported = shop.accounts.report(account.organisation, account.id, Direction::Sending, event).await;
    match &reported {
        Ok(change) if change.released => {
            if let Err(err) = shop.outbox.account_released(account.organisation, account.id).await {
                tracing::error!(account.id = %account.id, error = %err, "waiting letters could not be made due");
            }
        }
        Ok(_) => {}
        Err(err) => {
            tracing::error!(account.id = %account.id, error = %err, "the account's status could not be stored");
        }
    }
    reported.map(drop)
}

async fn with_notice(
    shop: &Shared,
    account: &SendingAccount,
    claimed: Claimed,
    (concluded, diagnoses): (Vec<Concluded>, Vec<Option<Diagnosis>>),
    server_tells: bool,
) -> Finished {
    let report = Report { claimed: &claimed, concluded: &concluded, diagnoses: &diagnoses, server_tells };
    let notice = loop {
        match try_notice(shop, account, &report).await {
            Ok(notice) => break notice,
            // The sender must be told: the attempt is not over until its bounce can be stored.
            Err(err) => {
                tracing::error!(submission.id = %claimed.submission.id, error = %err, "a bounce cannot be stored yet");
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
    };
    Finished { claimed, concluded, notice }
}

async fn try_notice(
    shop: &Shared,
    account: &SendingAccount,
    report: &Report<'_>,
) -> Result<Option<(NewSubmission, FinishedBody)>, StoreError> {
    let running_now = shop.accounts.running_now(account.organisation, account.id).await?;
    let author = Author {
        organisation: account.organisation,
        address: &account.address,
        host: shop.host.as_str(),
        account: ChosenAccount { id: account.id, running_now },
    };
    notice(&shop.outbox, &author, report).await
}
