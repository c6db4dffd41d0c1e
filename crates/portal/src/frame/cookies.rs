//! The cookies of docs/decisions/0010.

use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use gatepost_identity::{NewSession, Role, Token};

use super::Theme;

/// Each cookie there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieName {
    /// 128 random bits for form tokens.
    Visitor,
    /// Who is signed in.
    Session,
    /// Who is between the two steps.
    PreSession,
    /// A browser that somebody has signed in with: known, and perhaps not asked for the second step.
    Device,
    /// System, light or dark.
    Theme,
    /// Was led on from another site just now.
    Onward,
    /// Has begun to sign in at a provider's page: brings the answer, and no other browser does (OC-2).
    SignIn,
}

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// Makes and reads the cookies of one door.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookies {
    /// Whether browsers reach the door by HTTPS. Otherwise it is on loopback, where neither `Secure` nor the prefix works (WP-1).
    pub(crate) is_secure: bool,
    /// The port that the public address names. Without HTTPS it is part of the names: cookies are not kept apart by ports
    /// (RFC 6265 §8.5), and an installation and a demo on one computer would sign each other out.
    pub(crate) port: Option<u16>,
}

impl CookieName {
    const fn word(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Session => "session",
            Self::PreSession => "pre-session",
            Self::Device => "device",
            Self::Theme => "theme",
            Self::Onward => "onward",
            Self::SignIn => "sign-in",
        }
    }
}

impl Cookies {
    /// Those of the door with this public address.
    pub(crate) fn of(public_url: &str) -> Self {
        let port = public_url.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        Self { is_secure: public_url.starts_with("https://"), port }
    }

    /// The name in the header. `__Host-` keeps other hosts of the same domain from setting it.
    pub(crate) fn name(self, name: CookieName) -> String {
        match self.port {
            _ if self.is_secure => format!("__Host-{}", name.word()),
            Some(port) => format!("{}-{port}", name.word()),
            None => name.word().to_owned(),
        }
    }

    /// What the browser sent.
    pub(crate) fn find(self, jar: &CookieJar, name: CookieName) -> Option<String> {
        jar.get(&self.name(name)).map(|it| it.value().to_owned())
    }

    /// A token that the browser sent, if it looks like one.
    pub(crate) fn find_token(self, jar: &CookieJar, name: CookieName) -> Option<Token> {
        self.find(jar, name).filter(|it| !it.is_empty()).and_then(|it| Token::parse(&it))
    }

    pub(crate) fn visitor(self, value: &str) -> Cookie<'static> {
        self.make(CookieName::Visitor, value, None)
    }

    /// For whoever is signed in from now on.
    pub(crate) fn session(self, new: &NewSession) -> Cookie<'static> {
        let life = new.session.is_lasting.then_some(30 * DAY);
        let mut cookie = self.make(CookieName::Session, new.token.reveal(), life);
        if new.session.person.role == Role::Administrator {
            cookie.set_same_site(SameSite::Strict);
        }
        cookie
    }

    pub(crate) fn pre_session(self, token: &Token) -> Cookie<'static> {
        self.make(CookieName::PreSession, token.reveal(), Some(10 * MINUTE))
    }

    pub(crate) fn device(self, token: &Token) -> Cookie<'static> {
        self.make(CookieName::Device, token.reveal(), Some(365 * DAY))
    }

    pub(crate) fn theme(self, theme: Theme) -> Cookie<'static> {
        self.make(CookieName::Theme, theme.word(), Some(365 * DAY))
    }

    pub(crate) fn onward(self) -> Cookie<'static> {
        self.make(CookieName::Onward, "yes", Some(10))
    }

    /// For as long as somebody may take on a provider's page.
    pub(crate) fn sign_in(self, token: &Token) -> Cookie<'static> {
        self.make(CookieName::SignIn, token.reveal(), Some(10 * MINUTE))
    }

    /// Takes a cookie away.
    pub(crate) fn end(self, name: CookieName) -> Cookie<'static> {
        self.make(name, "", Some(0))
    }

    fn make(self, name: CookieName, value: &str, seconds: Option<i64>) -> Cookie<'static> {
        let life = seconds.map(|it| format!("; Max-Age={it}")).unwrap_or_default();
        let secure = if self.is_secure { "; Secure" } else { "" };
        // Names and values are tokens and words of ours: none holds a sign that a cookie may not have.
        let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{life}", self.name(name));
        Cookie::parse(text).expect("a cookie of ours can be parsed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_carry_what_the_table_says() {
        let (bare, secure) = (Cookies::of("http://localhost"), Cookies::of("https://mail.example:8443"));
        let demo = Cookies::of("http://localhost:8025");
        assert_eq!(demo.visitor("x").to_string(), "visitor-8025=x; HttpOnly; SameSite=Lax; Path=/");
        assert_eq!(Cookies::of("http://[::1]").name(CookieName::Session), "session");
        assert_eq!(bare.visitor("x").to_string(), "visitor=x; HttpOnly; SameSite=Lax; Path=/");
        assert_eq!(
            secure.visitor("x").to_string(),
            "__Host-visitor=x; HttpOnly; SameSite=Lax; Secure; Path=/"
        );
        assert_eq!(
            secure.theme(Theme::Dark).to_string(),
            "__Host-theme=dark; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=31536000"
        );
        assert_eq!(
            secure.end(CookieName::Session).to_string(),
            "__Host-session=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0"
        );
    }
}
