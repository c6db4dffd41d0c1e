//! Applications that are registered at OAuth services.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::table::table;
use super::{DiagnosisShown, minute, plain};

/// A service, and the application that serves there.
#[derive(Debug, Serialize, Deserialize)]
pub struct OAuthClientShown {
    /// The service's word.
    pub service: String,
    /// What people call it.
    pub name: String,
    /// The providers whose mailboxes are signed in to there.
    pub mailboxes: Vec<String>,
    /// The application's id here; this and all below it absent where there is no application.
    pub id: Option<String>,
    /// Whose it is: `organisation` or `installation`.
    pub of: Option<String>,
    /// Its id there.
    pub client_id: Option<String>,
    /// Whether it has a secret.
    pub has_secret: Option<bool>,
    /// The tenant it is registered in.
    pub tenant: Option<String>,
    /// `web` or `desktop`.
    pub kind: Option<String>,
    /// Whether the provider has reviewed it.
    pub verified: Option<bool>,
    /// When it was entered.
    pub created_at: Option<String>,
    /// When the service took id and secret.
    pub proven_at: Option<String>,
    /// Why the service refuses it now.
    pub trouble: Option<DiagnosisShown>,
    /// Since when.
    pub trouble_since: Option<String>,
    /// Where the service sends people back to: with this application, or with one that would suit.
    pub redirect_uri: String,
    /// Whether they paste the address from there.
    pub pasted: bool,
}

/// An application that was removed.
#[derive(Debug, Serialize, Deserialize)]
pub struct OAuthClientRemoved {
    /// Its id here.
    pub id: String,
    /// The service's word.
    pub service: String,
    /// Its id there.
    pub client_id: String,
    /// Addresses of the mailboxes that were connected with it, and go on.
    pub accounts: Vec<String>,
}

/// How to register an application.
#[derive(Debug, Serialize, Deserialize)]
pub struct OAuthGuideShown {
    /// The service's word.
    pub service: String,
    /// What it is.
    pub name: String,
    /// `web` or `desktop`.
    pub kind: String,
    /// Where the service sends people back to.
    pub redirect_uri: String,
    /// Whether they paste the address from there.
    pub pasted: bool,
    /// What must be known before somebody begins.
    pub know: Vec<String>,
    /// What to do there.
    pub steps: Vec<OAuthStepShown>,
    /// What is entered afterwards: `client_id`, `client_secret`, `tenant`.
    pub asks: Vec<String>,
}

/// One step.
#[derive(Debug, Serialize, Deserialize)]
pub struct OAuthStepShown {
    /// What to do.
    pub text: String,
    /// Where.
    pub link: Option<String>,
    /// What to copy.
    pub copy: Vec<OAuthValueShown>,
}

/// A value to copy.
#[derive(Debug, Serialize, Deserialize)]
pub struct OAuthValueShown {
    /// The field it goes into.
    pub label: String,
    /// The value; lines may be many.
    pub value: String,
}

impl OAuthClientShown {
    fn state(&self) -> String {
        match (&self.client_id, &self.trouble, &self.proven_at) {
            (None, _, _) => "–".to_owned(),
            (Some(_), Some(_), _) => "✗ Refused".to_owned(),
            (Some(_), None, Some(at)) => format!("✓ Ready, checked {} UTC", minute(at)),
            (Some(_), None, None) => "? Not checked yet".to_owned(),
        }
    }

    /// After `gatepost oauth-client add`.
    pub(crate) fn added_text(&self) -> String {
        let way = match self.pasted {
            true => "Who signs in pastes the address that their browser shows into Gatepost".to_owned(),
            false => format!("Who signs in comes back to {}", self.redirect_uri),
        };
        format!(
            "{} has taken the application {}. {way}.\n\nMailboxes: {}. They can be connected by signing in from now on.",
            self.name,
            plain(self.client_id.as_deref().unwrap_or_default()),
            self.mailboxes.join(", "),
        )
    }
}

/// The list for people, with what is wrong below it.
pub(crate) fn oauth_clients_text(all: &[OAuthClientShown]) -> String {
    let rows: Vec<[String; 6]> = all
        .iter()
        .map(|it| {
            let dash = |text: &Option<String>| text.as_deref().map_or_else(|| "–".to_owned(), plain);
            [
                it.service.clone(),
                it.mailboxes.join(", "),
                dash(&it.client_id),
                dash(&it.kind),
                dash(&it.of),
                it.state(),
            ]
        })
        .collect();
    let mut text = table(["SERVICE", "MAILBOXES", "CLIENT ID", "KIND", "OF", "STATE"], &rows);
    for (it, trouble) in all.iter().filter_map(|it| Some((it, it.trouble.as_ref()?))) {
        let since = it.trouble_since.as_deref().map_or_else(String::new, minute);
        let _ = write!(text, "\n\n{} refuses it since {since} UTC\n{}", it.name, trouble.text());
    }
    text.push_str("\n\nHow to register one: gatepost oauth-client guide --service SERVICE");
    text
}

impl OAuthGuideShown {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n", self.name);
        for it in &self.know {
            let _ = write!(text, "\n- {it}");
        }
        text.push('\n');
        for (n, step) in self.steps.iter().enumerate() {
            let _ = write!(text, "\n{}. {}", n + 1, step.text);
            if let Some(link) = &step.link {
                let _ = write!(text, "\n   {link}");
            }
            for it in &step.copy {
                let lines = it.value.lines().map(|line| format!("\n       {line}")).collect::<String>();
                let _ = write!(text, "\n   {}:{lines}", it.label);
            }
            text.push('\n');
        }
        if self.pasted {
            text.push_str(
                "\nNo redirect leads back to Gatepost: who signs in pastes the address that their browser shows.\n",
            );
        }
        let asks = |word: &str| self.asks.iter().any(|it| it == word);
        let tenant = if asks("tenant") { " --tenant ID" } else { "" };
        let secret = if asks("client_secret") { " --secret-stdin < FILE" } else { " --no-secret" };
        let Self { service, kind, .. } = self;
        let _ = write!(
            text,
            "\nThen: gatepost oauth-client add --service {service} --kind {kind} --client-id ID{tenant}{secret}"
        );
        text
    }
}

impl OAuthClientRemoved {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let go_on = match self.accounts.as_slice() {
            [] => "No mailbox was connected with it.".to_owned(),
            all => format!("Mailboxes that were connected with it go on: {}.", all.join(", ")),
        };
        format!("The application {} is used no more. {go_on}", plain(&self.client_id))
    }
}
