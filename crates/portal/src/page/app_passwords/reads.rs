//! What an application will not be able to read, before it finds that out by itself (E1).

use gatepost_accounts::{MailAccount, NoMailbox, NoServer, ReadingProtocol, Target as Reads};
use gatepost_core::OrganisationId;
use gatepost_identity::{Protocol, Protocols};

use crate::frame::{Page, Problem, paths};

/// What is missing with its cure, and where that is done.
pub(super) struct Missing {
    pub(super) words: String,
    pub(super) href: String,
    pub(super) link: String,
}

impl Missing {
    /// For an application that signs in as `whose`, in words; none where it can read as it may. Doors that are closed here are no
    /// business of a mailbox.
    pub(super) async fn of(
        page: &Page,
        organisation: OrganisationId,
        target: Reads,
        whose: &str,
        allowed: Protocols,
    ) -> Result<Option<Self>, Problem> {
        let (t, accounts, mail) = (page.t, &page.app.rooms.accounts, &page.app.settings.mail);
        let all = [
            (Protocol::Imap, ReadingProtocol::Imap, mail.imap.is_open()),
            (Protocol::Pop3, ReadingProtocol::Pop3, mail.pop3.is_open()),
        ];
        let wanted = all.into_iter().filter(|(door, _, is_open)| *is_open && allowed.allow(*door));
        let wanted: Vec<ReadingProtocol> = wanted.map(|(_, protocol, _)| protocol).collect();
        if wanted.is_empty() {
            return Ok(None);
        }
        let at_accounts = |words: String| {
            let link = t.of("accounts.title").to_owned();
            Some(Self { words, href: paths::ACCOUNTS.to_owned(), link })
        };
        Ok(match accounts.mailbox_of(organisation, target).await? {
            Err(NoMailbox::OfPerson) => at_accounts(t.of("app_passwords.reads_no_own").to_owned()),
            Err(NoMailbox::OfLocation) => {
                at_accounts(t.fill("app_passwords.reads_no_default", &[("whose", whose)]))
            }
            Err(NoMailbox::Removed | NoMailbox::OfNobody) => {
                at_accounts(t.of("app_passwords.reads_removed").to_owned())
            }
            Ok(account) => {
                let lacks = |it: ReadingProtocol| Some((it, accounts.no_server(&account, it)?));
                let lacking = wanted.into_iter().filter_map(lacks).next();
                lacking.map(|(protocol, why)| Self {
                    words: words(page, &account, protocol, why),
                    href: format!("{}/{}", paths::ACCOUNTS, account.id),
                    link: account.short_name,
                })
            }
        })
    }
}

fn words(page: &Page, account: &MailAccount, protocol: ReadingProtocol, why: NoServer) -> String {
    let other = match protocol {
        ReadingProtocol::Imap => ReadingProtocol::Pop3,
        ReadingProtocol::Pop3 => ReadingProtocol::Imap,
    };
    let key = match (account.endpoints.can_be_read(), why) {
        (true, NoServer::NotEntered) => "app_passwords.reads_by_other",
        (true, NoServer::NotOffered) => "app_passwords.reads_by_other_alone",
        (false, NoServer::NotEntered) => "app_passwords.reads_nothing",
        (false, NoServer::NotOffered) => "app_passwords.reads_never",
    };
    let values = [
        ("address", account.address.as_str()),
        ("name", account.short_name.as_str()),
        ("protocol", protocol.name()),
        ("other", other.name()),
    ];
    page.t.fill(key, &values)
}
