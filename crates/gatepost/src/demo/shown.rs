//! What the demo says: one line of JSON for programs, a page of text for people.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{ADDRESS, ADMINISTRATOR, RECIPIENT};
use crate::answer::AppPasswordMade;
use crate::sandbox::SandboxShown;
use crate::serve::Ready;

/// Where everything is, in the shape that is promised to programs.
#[derive(Serialize)]
pub(super) struct DemoReady {
    pub(super) portal: String,
    pub(super) submission_starttls: SocketAddr,
    pub(super) submission_tls: SocketAddr,
    pub(super) imap_starttls: SocketAddr,
    pub(super) imap_tls: SocketAddr,
    pub(super) pop3_starttls: SocketAddr,
    pub(super) pop3_tls: SocketAddr,
    pub(super) sandbox_pages: String,
    pub(super) sandbox_smtp: SocketAddr,
    pub(super) sandbox_imap: SocketAddr,
    pub(super) sandbox_pop3: SocketAddr,
    pub(super) certificate: PathBuf,
    pub(super) config: PathBuf,
    pub(super) account: &'static str,
    pub(super) app_password: String,
    /// Works once; absent where the demo's administrator was disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sign_in_link: Option<String>,
}

impl DemoReady {
    pub(super) fn new(
        server: &Ready,
        sandbox: &SandboxShown,
        config: &Path,
        made: &AppPasswordMade,
        sign_in_link: Option<String>,
    ) -> Self {
        let first = |all: &[SocketAddr]| *all.first().expect("the demo has one door of each kind");
        Self {
            // Browsers let passkeys work at this name and at no address.
            portal: format!("http://localhost:{}", first(&server.portal).port()),
            submission_starttls: first(&server.submission_starttls),
            submission_tls: first(&server.submission_tls),
            imap_starttls: first(&server.imap_starttls),
            imap_tls: first(&server.imap_tls),
            pop3_starttls: first(&server.pop3_starttls),
            pop3_tls: first(&server.pop3_tls),
            sandbox_pages: sandbox.sandbox_pages.clone(),
            sandbox_smtp: sandbox.sandbox_smtp,
            sandbox_imap: sandbox.sandbox_imap,
            sandbox_pop3: sandbox.sandbox_pop3,
            certificate: server.certificate.clone().expect("the demo has a local authority"),
            config: config.to_owned(),
            account: ADDRESS,
            app_password: made.password.clone(),
            sign_in_link,
        }
    }

    /// Where to look, what to type into an application, and lines to paste.
    pub(super) fn text(&self, first_letter_arrived: bool) -> String {
        let Self { portal, sandbox_pages, account, app_password, .. } = self;
        let letters: String = app_password.split(' ').collect();
        let (starttls, tls) = (self.submission_starttls, self.submission_tls);
        let authority = quoted(&self.certificate.display().to_string());
        let arrived = if first_letter_arrived {
            format!("A first letter from {account} has just arrived at {RECIPIENT}.\n\n")
        } else {
            String::new()
        };
        let sign_in = self.sign_in_link.as_ref().map_or_else(String::new, |link| {
            format!(
                "  Sign in              {link}
                       It works once, and the next start prints another. You are then {ADMINISTRATOR}, the administrator:
                       click App passwords to make one for an application, People to invite somebody. Letters to them
                       arrive in the sandbox's mailboxes, and the pretend phone shows codes for two-step verification.
"
            )
        });
        format!(
            "The Gatepost demo is ready.

{arrived}Look
  Portal               {portal}
{sign_in}  Sandbox mailboxes    {sandbox_pages}
  Pretend phone        {sandbox_pages}/phone

Type into an application
  Server               {ip}, or localhost where it wants a name
  Port for sending     {starttls_port} with STARTTLS, or {tls_port} with TLS
  Port for reading     IMAP: {imap_tls} with TLS, or {imap_starttls} with STARTTLS
                       POP3: {pop3_tls} with TLS, or {pop3_starttls} with STARTTLS
  User name            {account}
  Password             {app_password}
  Authority to trust   {authority}

Send with curl
  printf 'From: {account}\\r\\nTo: {RECIPIENT}\\r\\nSubject: Hello from curl\\r\\n\\r\\nIt works.\\r\\n' | curl --ssl-reqd --cacert {authority} --url smtp://{starttls} --user '{account}:{letters}' --mail-from {account} --mail-rcpt {RECIPIENT} --upload-file -

Send with swaks
  swaks --server {ip} --port {starttls_port} --tls --tls-verify --tls-ca-path {authority} --auth PLAIN --auth-user {account} --auth-password {letters} --from {account} --to {RECIPIENT}

Read with curl
  curl --cacert {authority} --url imaps://{ip}:{imap_tls}/INBOX --user '{account}:{letters}' --request 'STATUS INBOX (MESSAGES)'

See what became of it
  gatepost outbox list --config {config}

ctrl-c ends the demo; starting it again continues here.",
            ip = starttls.ip(),
            starttls_port = starttls.port(),
            tls_port = tls.port(),
            imap_starttls = self.imap_starttls.port(),
            imap_tls = self.imap_tls.port(),
            pop3_starttls = self.pop3_starttls.port(),
            pop3_tls = self.pop3_tls.port(),
            config = quoted(&self.config.display().to_string()),
        )
    }
}

/// For a shell: as it is where that is safe, else between quotes.
pub(crate) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_spaces_is_quoted_for_the_shell() {
        assert_eq!(quoted("/tmp/demo-data/authority.pem"), "/tmp/demo-data/authority.pem");
        assert_eq!(quoted("/tmp/my demo's"), r"'/tmp/my demo'\''s'");
    }
}
