//! Reading: sign in, open the mailbox, and look for the letter.

use std::time::Duration;

use gatepost_core::MailAccountId;
use gatepost_upstream::imap::ImapSession;
use gatepost_upstream::pop3::Pop3Session;
use gatepost_upstream::{SignIn, UpstreamError, imap, pop3};
use gatepost_wire::imap::SpecialUse;
use tokio::time::{Instant, sleep};

use super::course::Course;
use super::letter::TestLetter;
use super::what::Failure;
use super::{Arrival, Means, Outcome, Reach, Step, deadlines};
use crate::sending::{ReadingProtocol, ReadingServer, SendingAccount};
use crate::standing::What;

/// POP3 servers that want more time than this between two sign-ins are looked at once.
const LONGEST_LOGIN_DELAY: Duration = Duration::from_mins(2);

pub(super) async fn read(
    (account, server): (&SendingAccount, &ReadingServer),
    reach: &Reach,
    means: Means<'_>,
    letter: Option<&TestLetter>,
    course: &mut Course<'_>,
) -> Result<What, Failure> {
    let mut sign_in = account.sign_in().ok_or(UpstreamError::NotSayable)?;
    sign_in.user_name.clone_from(&server.user_name);
    let pop3 = Pop3 { id: account.id, server, reach, means };
    match server.protocol {
        ReadingProtocol::Imap => by_imap(server, reach, &sign_in, letter, course).await?,
        ReadingProtocol::Pop3 => by_pop3(&pop3, &sign_in, letter, course).await?,
    }
    Ok(What::Opened)
}

async fn by_imap(
    server: &ReadingServer,
    reach: &Reach,
    sign_in: &SignIn,
    letter: Option<&TestLetter>,
    course: &mut Course<'_>,
) -> Result<(), UpstreamError> {
    let (deadlines, mut reached) = (deadlines(), |it| course.pass(Step::at(it)));
    let greeted = imap::Greeted::connect_by(reach.way(&deadlines, &mut reached), &server.endpoint).await?;
    let mut session = greeted.sign_in(sign_in).await?;
    course.pass(Step::SignIn);
    session.select_inbox().await?;
    course.pass(Step::Open);
    if let Some(letter) = letter {
        let outcome = look(&mut session, letter, reach.arrival).await?;
        course.end(Step::Arrival, outcome);
    }
    session.logout().await;
    Ok(())
}

/// Looks until it was found anywhere but among sent mail, where a copy lies that never travelled.
async fn look(
    session: &mut ImapSession,
    letter: &TestLetter,
    arrival: Arrival,
) -> Result<Outcome, UpstreamError> {
    let (ends, mut in_sent) = (Instant::now() + arrival.looks_for, false);
    loop {
        match session.find(&letter.sought).await? {
            Some(found) if found.special_use == Some(SpecialUse::Sent) => in_sent = true,
            Some(found) => {
                if letter.is_removed
                    && let Err(failure) = session.mark_seen_and_delete(found.uid).await
                {
                    tracing::debug!(%failure, "a test letter is left where it was found");
                }
                let is_junk = found.special_use == Some(SpecialUse::Junk);
                return Ok(if is_junk { Outcome::PassedInJunk } else { Outcome::Passed });
            }
            None => {}
        }
        if Instant::now() + arrival.looks_every > ends {
            return Ok(Outcome::NotSeen { in_sent });
        }
        sleep(arrival.looks_every).await;
    }
}

/// A session sees what lay there when it began, so a second look takes a second one (RFC 1939 §4). Nothing is ever deleted:
/// QUIT would do it by number, and a mailbox by POP3 is somebody's only copy.
async fn by_pop3(
    pop3: &Pop3<'_>,
    sign_in: &SignIn,
    letter: Option<&TestLetter>,
    course: &mut Course<'_>,
) -> Result<(), UpstreamError> {
    let mut session = pop3.session(sign_in, Some(course)).await?;
    session.stat().await?;
    course.pass(Step::Open);
    let Some(letter) = letter else {
        // Whether the farewell is answered says nothing about the account.
        let _ = session.quit().await;
        return Ok(());
    };
    let delay = session.capabilities().login_delay_seconds.map_or(Duration::ZERO, Duration::from_secs);
    let mut is_found = glance(session, letter).await?;
    if !is_found && delay <= LONGEST_LOGIN_DELAY {
        sleep(pop3.reach.arrival.looks_for.max(delay)).await;
        // That the mailbox can be read is proven by now; whatever keeps us from looking again says nothing against it.
        if let Ok(session) = pop3.session(sign_in, None).await {
            is_found = glance(session, letter).await.unwrap_or(false);
        }
    }
    course.end(Step::Arrival, if is_found { Outcome::Passed } else { Outcome::NotSeen { in_sent: false } });
    Ok(())
}

/// A mailbox's server for POP3.
struct Pop3<'a> {
    id: MailAccountId,
    server: &'a ReadingServer,
    reach: &'a Reach,
    means: Means<'a>,
}

impl Pop3<'_> {
    /// Signs in, and remembers how long the server wants to be left alone after that.
    async fn session(
        &self,
        sign_in: &SignIn,
        mut course: Option<&mut Course<'_>>,
    ) -> Result<Pop3Session, UpstreamError> {
        let Self { id, server, reach, means } = self;
        let mut pass = |step| {
            if let Some(course) = course.as_mut() {
                course.pass(step);
            }
        };
        let (deadlines, mut reached) = (deadlines(), |it| pass(Step::at(it)));
        let way = reach.way(&deadlines, &mut reached);
        let session = pop3::Greeted::connect_by(way, &server.endpoint).await?.sign_in(sign_in).await?;
        let asked = session.capabilities().login_delay_seconds;
        means.sign_ins.took_place(*id, &server.endpoint, asked, means.world.now());
        pass(Step::SignIn);
        Ok(session)
    }
}

/// Whether the letter is among the newest ones. A server without TOP shows no header, and then nobody can know.
async fn glance(mut session: Pop3Session, letter: &TestLetter) -> Result<bool, UpstreamError> {
    let found = match session.find(&letter.sought).await {
        Ok(found) => found.is_some(),
        Err(UpstreamError::Refused { .. }) => false,
        Err(other) => return Err(other),
    };
    let _ = session.quit().await;
    Ok(found)
}
