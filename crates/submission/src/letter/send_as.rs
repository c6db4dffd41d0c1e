//! Which addresses a login may send as (SS-14, AP-4).

use gatepost_core::EmailAddress;
use gatepost_wire::smtp::ServerReply;

/// The addresses of the account, or those of them that the app password is for.
pub(crate) struct SendAs(Vec<EmailAddress>);

/// An address that is not among them. The text, for the log, does not name it.
#[derive(Debug, thiserror::Error)]
#[error("an address that this login may not send as")]
pub(crate) struct ForeignAddress {
    address: EmailAddress,
    /// What may be sent as, for people.
    allowed: String,
}

impl SendAs {
    /// `narrowed` is the app password's own list; empty means that it may send as any address of the account.
    pub(crate) fn new(of_account: &[EmailAddress], narrowed: &[EmailAddress]) -> Self {
        let is_allowed = |address: &&EmailAddress| {
            narrowed.is_empty() || narrowed.iter().any(|it| it.is_same_mailbox(address))
        };
        Self(of_account.iter().filter(is_allowed).cloned().collect())
    }

    pub(crate) fn check(&self, address: &EmailAddress) -> Result<(), ForeignAddress> {
        if self.0.iter().any(|it| it.is_same_mailbox(address)) {
            return Ok(());
        }
        Err(ForeignAddress { address: address.clone(), allowed: self.to_words() })
    }

    /// The first three, which is as much as a line of an old device shows.
    fn to_words(&self) -> String {
        const SHOWN: usize = 3;
        let shown: Vec<_> = self.0.iter().take(SHOWN).map(EmailAddress::as_str).collect();
        match self.0.len().saturating_sub(SHOWN) {
            0 => shown.join(" or "),
            n => format!("{} or {n} more", shown.join(" or ")),
        }
    }
}

impl ForeignAddress {
    pub(crate) fn reply(&self) -> ServerReply {
        let Self { address, allowed } = self;
        let text = if allowed.is_empty() {
            format!("{address} is not an address of this mail account: this app password may send as none")
        } else {
            format!("{address} is not an address of this mail account: send as {allowed}")
        };
        ServerReply::new(550, (5, 7, 1), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(all: &[&str]) -> Vec<EmailAddress> {
        all.iter().map(|it| it.parse().unwrap()).collect()
    }

    #[track_caller]
    fn check(of_account: &[&str], narrowed: &[&str], address: &str, want: Result<(), &str>) {
        let list = SendAs::new(&addresses(of_account), &addresses(narrowed));
        let got = list.check(&address.parse().unwrap()).map_err(|it| it.reply().text().to_owned());
        assert_eq!(got, want.map_err(str::to_owned), "{of_account:?} {narrowed:?} {address}");
    }

    /// SS-14, AP-4.
    #[test]
    fn a_login_sends_as_its_account_and_an_app_password_as_less() {
        check(&["a@x.test"], &[], "a@x.test", Ok(()));
        check(&["a@x.test"], &[], "A@X.TEST", Ok(()));
        check(&["a@x.test", "b@x.test"], &["B@x.test"], "b@x.test", Ok(()));
        check(
            &["a@x.test", "b@x.test"],
            &["b@x.test"],
            "a@x.test",
            Err("a@x.test is not an address of this mail account: send as b@x.test"),
        );
        check(
            &["a@x.test", "b@x.test", "c@x.test", "d@x.test", "e@x.test"],
            &[],
            "f@x.test",
            Err(
                "f@x.test is not an address of this mail account: send as a@x.test or b@x.test or c@x.test or 2 more",
            ),
        );
        // An app password does not widen what its account may.
        check(
            &["a@x.test"],
            &["z@x.test"],
            "z@x.test",
            Err("z@x.test is not an address of this mail account: this app password may send as none"),
        );
        check(
            &["a@x.test"],
            &[],
            "a@x.test.evil.test",
            Err("a@x.test.evil.test is not an address of this mail account: send as a@x.test"),
        );
    }
}
