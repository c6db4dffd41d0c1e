//! What proves a sign-in well enough to take it over.

use gatepost_core::{Diagnosis, MailAccountId, RetryClass, Timestamp, TlsMode, Who};

use super::*;
use crate::account::{MailAccount, Overrides, Serves};
use crate::clock::RunningClock;
use crate::endpoint::{Endpoint, Endpoints};

fn record(sending: State, reading: Option<State>) -> Record {
    let (now, world) = (Timestamp::EPOCH, gatepost_testkit::world().0);
    let smtp = Endpoint { host: "smtp.example.org".into(), port: 465, tls: TlsMode::Implicit };
    let account = MailAccount {
        id: MailAccountId::new(&world),
        organisation: OrganisationId::new(&world),
        address: "reception@example.org".parse().unwrap(),
        short_name: "Reception".into(),
        author_name: String::new(),
        provider: "custom".into(),
        user_name: "reception".into(),
        opens: None,
        further_addresses: Vec::new(),
        endpoints: Endpoints { smtp, imap: None, pop3: None },
        serves: Serves::Organisation,
        overrides: Overrides::default(),
        paused_at: None,
        created_at: now,
        removed_at: None,
        clock: RunningClock::default(),
    };
    let standing = |state| Standing { state, ..Standing::unchecked(now) };
    Record { sending: standing(sending), reading: reading.map(standing), ..Record::new(account) }
}

fn diagnosis() -> Diagnosis {
    let (rule, cause, cure) = (String::new(), String::new(), String::new());
    Diagnosis { rule, cause, cure, who: Who::Owner, retry: RetryClass::Hold }
}

/// "Nothing stored changes until the new state is proven."
#[test]
fn what_has_worked_must_work_and_nothing_may_be_refused() {
    use State::{Blocked, Connected, Failing, NeedsSignIn, Unchecked};
    let refused = || What::SignInRefused { diagnosis: diagnosis(), reply: None };
    let trouble = || What::Trouble { diagnosis: diagnosis(), reply: None };
    let (sent, opened) = (|| Some(What::LetterSent), || Some(What::Opened));
    for (n, (before, by_sending, by_reading, want)) in [
        ((Connected, None), None, None, false),
        ((Connected, None), Some(What::Succeeded), None, true),
        ((Connected, None), sent(), None, true),
        ((Connected, None), Some(refused()), None, false),
        ((Connected, None), Some(trouble()), None, false),
        ((Unchecked, None), Some(trouble()), None, false),
        ((Connected, Some(Connected)), sent(), opened(), true),
        ((Connected, Some(Connected)), sent(), Some(refused()), false),
        ((Connected, Some(Connected)), Some(refused()), opened(), false),
        // A server that has worked and is out of reach might refuse it.
        ((Connected, Some(Connected)), sent(), Some(trouble()), false),
        ((Connected, Some(NeedsSignIn)), sent(), Some(trouble()), false),
        ((Connected, Some(Blocked)), sent(), Some(trouble()), false),
        ((NeedsSignIn, Some(Connected)), Some(trouble()), opened(), false),
        ((Blocked, Some(Connected)), Some(trouble()), opened(), false),
        // One that never has is no reason to wait for it; a refusal is one.
        ((Connected, None), sent(), Some(trouble()), true),
        ((Connected, Some(Unchecked)), sent(), Some(trouble()), true),
        ((Connected, Some(Failing)), sent(), Some(trouble()), true),
        ((Failing, Some(Connected)), Some(trouble()), opened(), true),
        ((Connected, Some(Unchecked)), sent(), Some(refused()), false),
        ((Unchecked, Some(Unchecked)), Some(refused()), opened(), false),
        ((Failing, Some(Failing)), Some(trouble()), Some(trouble()), false),
    ]
    .into_iter()
    .enumerate()
    {
        let tried = [(Direction::Sending, by_sending), (Direction::Reading, by_reading)];
        let tried: Vec<_> =
            tried.into_iter().filter_map(|(direction, what)| Some((direction, what?))).collect();
        assert_eq!(is_proven(&record(before.0, before.1), &tried), want, "case {n}: {before:?} {tried:?}");
    }
}
