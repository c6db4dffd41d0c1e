//! What a grant allows.

use serde::{Deserialize, Serialize};

/// One permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Scope {
    #[serde(rename = "openid")]
    OpenId,
    #[serde(rename = "email")]
    Email,
    #[serde(rename = "offline_access")]
    OfflineAccess,
    #[serde(rename = "mail.send")]
    MailSend,
    #[serde(rename = "mail.read.imap")]
    MailReadImap,
    #[serde(rename = "mail.read.pop3")]
    MailReadPop3,
}

impl Scope {
    pub(crate) const ALL: [Self; 6] = [
        Self::OpenId,
        Self::Email,
        Self::OfflineAccess,
        Self::MailSend,
        Self::MailReadImap,
        Self::MailReadPop3,
    ];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::OpenId => "openid",
            Self::Email => "email",
            Self::OfflineAccess => "offline_access",
            Self::MailSend => "mail.send",
            Self::MailReadImap => "mail.read.imap",
            Self::MailReadPop3 => "mail.read.pop3",
        }
    }

    /// What people read on the consent page.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::OpenId => "Know that it is you",
            Self::Email => "See your email address",
            Self::OfflineAccess => "Keep this access until you take it back",
            Self::MailSend => "Send mail as you (SMTP)",
            Self::MailReadImap => "Read, change and delete your mail (IMAP)",
            Self::MailReadPop3 => "Read and delete your mail (POP3)",
        }
    }

    /// Whether people may leave it out: those that say who they are come with the sign-in.
    pub(crate) const fn is_optional(self) -> bool {
        matches!(self, Self::MailSend | Self::MailReadImap | Self::MailReadPop3)
    }
}

/// Reads a list of words with single spaces between them (RFC 6749 §3.3), each once; the first unknown word is the error.
pub(crate) fn parse(text: &str) -> Result<Vec<Scope>, String> {
    let mut scopes = Vec::new();
    for word in text.split(' ').filter(|it| !it.is_empty()) {
        let scope = Scope::ALL.into_iter().find(|it| it.word() == word).ok_or_else(|| word.to_owned())?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(scopes)
}

pub(crate) fn write(scopes: &[Scope]) -> String {
    scopes.iter().map(|it| it.word()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_words_and_each_counts_once() {
        assert_eq!(parse("mail.send  openid mail.send"), Ok(vec![Scope::MailSend, Scope::OpenId]));
        assert_eq!(parse(""), Ok(Vec::new()));
        assert_eq!(parse("openid Mail.Send x"), Err("Mail.Send".to_owned()));
        assert_eq!(parse(&write(&Scope::ALL)), Ok(Scope::ALL.to_vec()));
        for scope in Scope::ALL {
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.word(), "files say it in the same words");
        }
    }
}
