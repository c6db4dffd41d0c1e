//! Signing in on a provider's page, and anew with a password.

use std::io::{self, BufRead};

use gatepost_core::SecretText;
use serde_json::Value;

use super::{Asking, server};
use crate::answer::{AccountShown, SignInShown};
use crate::cli::AccountReauthenticate;
use crate::control::{NewAccount, Order, PasswordOnTheWay, Refusal, Request, SigningInAgain};
use crate::output::understand;
use crate::secret_input::read_secret;

/// In bytes; longer than the address of any answer.
const LONGEST: u64 = 20 * 1024;

/// How often somebody may paste something else before it counts as given up.
const TRIES: usize = 3;

impl Asking<'_> {
    /// From the page's address to the connected account.
    pub(super) async fn sign_in(&self, begin: Order, organisation: Option<&str>) -> Result<(), Refusal> {
        let begun: SignInShown = self.one(of(organisation, begin)).await?;
        self.go_on(begun, organisation).await
    }

    /// From a password to the connected account: steps are shown as they are taken.
    pub(super) async fn connect(&self, new: NewAccount, organisation: Option<&str>) -> Result<(), Refusal> {
        let begin = Order::BeginPassword(Box::new(new));
        let begun: SignInShown = self.one(of(organisation, begin)).await?;
        if let Some(note) = &begun.note {
            self.output.text(format_args!("{note}\n"));
        }
        self.finish(&begun, organisation).await
    }

    pub(super) async fn reauthenticate(
        &self,
        it: AccountReauthenticate,
        organisation: Option<&str>,
    ) -> Result<(), Refusal> {
        let order = Order::SignInAgain(Box::new(SigningInAgain {
            address: it.address.to_string(),
            on_page: it.sign_in,
            with_password: it.password_stdin,
            user_name: it.user_name,
            smtp: server(it.smtp, it.smtp_tls),
            imap: server(it.imap, it.imap_tls),
            pop3: server(it.pop3, it.pop3_tls),
        }));
        let begun: SignInShown = self.one(of(organisation, order)).await?;
        if begun.link.is_some() {
            return self.go_on(begun, organisation).await;
        }
        let prompt = format!("Password of {}", begun.address);
        let password =
            read_secret(it.password_stdin, &prompt).map_err(|error| Refusal::new(error.to_string()))?;
        let order = Order::AnswerPassword { id: begun.id.clone(), password: PasswordOnTheWay(password) };
        let _: Value = self.one(of(organisation, order)).await?;
        self.finish(&begun, organisation).await
    }

    async fn go_on(&self, begun: SignInShown, organisation: Option<&str>) -> Result<(), Refusal> {
        self.output.json(&begun);
        self.output.text(begun.text());
        let mut tries = 1;
        loop {
            let pasted = PasswordOnTheWay(read_address(io::stdin().lock())?);
            let order = Order::AnswerSignIn { id: begun.id.clone(), pasted };
            match self.one::<Value>(of(organisation, order)).await {
                Ok(signed_in) => {
                    self.output.json(&signed_in);
                    break;
                }
                Err(refusal) if tries < TRIES && is_of_paste(&refusal) => {
                    tries += 1;
                    let because = refusal.to_string();
                    self.output
                        .json(&serde_json::json!({ "id": begun.id, "signed_in": false, "because": because }));
                    self.output.text(format_args!("\n{refusal}\nPaste the whole address:"));
                }
                Err(refusal) => return Err(refusal),
            }
        }
        self.finish(&begun, organisation).await
    }

    async fn finish(&self, begun: &SignInShown, organisation: Option<&str>) -> Result<(), Refusal> {
        let request = of(organisation, Order::FinishSignIn(begun.id.clone()));
        let it: AccountShown = understand(self.answer(request, |value| self.show_step(value)).await?)?;
        self.output.json(&it);
        let leaves = match begun.waiting {
            1.. if it.status == "connected" => begun.waiting_text(),
            _ => String::new(),
        };
        self.say(format_args!("{leaves}\n{}", it.text()));
        Ok(())
    }
}

fn of(organisation: Option<&str>, order: Order) -> Request {
    Request { organisation: organisation.map(str::to_owned), order }
}

/// Whether another paste may be right: the sign-in itself is not spent.
fn is_of_paste(refusal: &Refusal) -> bool {
    let text = refusal.to_string();
    text.contains("paste") && !text.contains("Who can do this")
}

/// The line that somebody pastes.
fn read_address(input: impl BufRead) -> Result<SecretText, Refusal> {
    for line in input.take(LONGEST).lines() {
        let line = line.map_err(|error| Refusal::new(format!("cannot read the address: {error}")))?;
        if !line.trim().is_empty() {
            return Ok(SecretText::new(line.trim().to_owned()));
        }
    }
    Err(Refusal::new(
        "no address was pasted, so nothing was changed. Give the command again, and sign in once more",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, want: Option<&str>) {
        let got = read_address(input.as_bytes());
        assert_eq!(got.ok().as_ref().map(SecretText::reveal), want, "{input:?}");
    }

    #[test]
    fn an_address_is_one_line() {
        let whole = "http://localhost/?code=4%2F0A&state=abc";
        check("http://localhost/?code=4%2F0A&state=abc\nmore\n", Some(whole));
        check("\n\n  http://localhost/?code=4%2F0A&state=abc  \n", Some(whole));
        check("http://localhost/?code=4%2F0A&state=abc", Some(whole));
        check("", None);
        check("\n \n", None);
    }
}
