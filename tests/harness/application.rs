//! Real applications that send one letter: curl, swaks, msmtp, and Python's smtplib.

use std::process::Command;

use gatepost_testkit::fresh_folder;

use super::{Outcome, Running, output_of, with_input};

/// Which door an application knocks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Starttls,
    Tls,
}

/// One letter of one application.
pub(crate) struct Letter<'a> {
    pub(crate) user_name: &'a str,
    pub(crate) password: &'a str,
    pub(crate) to: &'a str,
    pub(crate) subject: &'a str,
}

impl Letter<'_> {
    fn text(&self) -> String {
        format!(
            "From: {}\r\nTo: {}\r\nSubject: {}\r\n\r\nIt works.\r\n..and a dot.\r\n",
            self.user_name, self.to, self.subject
        )
    }
}

/// Sends a letter with the application of this name.
pub(crate) fn application(name: &str, at: &Running, door: Door, letter: &Letter<'_>) -> Outcome {
    let address = at.text(if door == Door::Tls { "submission_tls" } else { "submission_starttls" });
    let (host, port) = address.rsplit_once(':').unwrap();
    let authority = at.text("certificate");
    match name {
        "curl" => {
            let scheme = if door == Door::Tls { "smtps" } else { "smtp" };
            with_input(
                Command::new("curl")
                    .args(["--silent", "--show-error", "--ssl-reqd", "--cacert", &authority])
                    .args(["--url", &format!("{scheme}://{address}")])
                    .args(["--user", &format!("{}:{}", letter.user_name, letter.password)])
                    .args(["--mail-from", letter.user_name, "--mail-rcpt", letter.to, "--upload-file", "-"]),
                &letter.text(),
            )
        }
        "swaks" => output_of(
            Command::new("swaks")
                .args(["--server", host, "--port", port])
                .args([if door == Door::Tls { "--tls-on-connect" } else { "--tls" }, "--tls-verify"])
                .args(["--tls-ca-path", &authority, "--auth", "LOGIN"])
                .args(["--auth-user", letter.user_name, "--auth-password", letter.password])
                .args(["--from", letter.user_name, "--to", letter.to])
                .args(["--header", &format!("Subject: {}", letter.subject)]),
        ),
        "msmtp" => {
            let folder = fresh_folder();
            let settings = folder.path().join("msmtprc");
            let starttls = if door == Door::Tls { "off" } else { "on" };
            let text = format!(
                "account default\nhost {host}\nport {port}\nfrom {user}\nauth plain\nuser {user}\npassword \"{password}\"\n\
                 tls on\ntls_starttls {starttls}\ntls_trust_file {authority}\n",
                user = letter.user_name,
                password = letter.password,
            );
            std::fs::write(&settings, text).unwrap();
            with_input(Command::new("msmtp").arg("--file").arg(&settings).arg(letter.to), &letter.text())
        }
        "smtplib" => {
            let program = r#"
import smtplib, ssl, sys
door, host, port, authority, user, password, to = sys.argv[1:]
trust = ssl.create_default_context(cafile=authority)
if door == "Tls":
    session = smtplib.SMTP_SSL(host, int(port), context=trust)
else:
    session = smtplib.SMTP(host, int(port))
    session.starttls(context=trust)
session.login(user, password)
session.sendmail(user, [to], sys.stdin.read())
session.quit()
"#;
            let door = format!("{door:?}");
            let args = [&door, host, port, &authority, letter.user_name, letter.password, letter.to];
            with_input(python().arg("-c").arg(program).args(args), &letter.text())
        }
        other => panic!("there is no application {other}"),
    }
}

/// Debian's Python, whatever else is installed.
pub(crate) fn python() -> Command {
    Command::new("/usr/bin/python3")
}
