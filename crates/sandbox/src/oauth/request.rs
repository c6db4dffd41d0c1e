//! What an application asks for (RFC 6749 §4.1.1).

use url::Url;

use super::{Client, Clients, Scope, parse_scopes};

/// An authorization request that can be answered.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client: Client,
    redirect: Url,
    /// As it was sent: the token endpoint must see the same.
    pub(crate) redirect_text: String,
    state: Option<String>,
    pub(crate) scopes: Vec<Scope>,
    /// BASE64URL(SHA-256(verifier)).
    pub(crate) challenge: String,
    pub(crate) nonce: Option<String>,
    pub(crate) login_hint: Option<String>,
    pub(crate) prompt: Prompt,
}

/// OpenID Connect Core §3.1.2.1: what the person must be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prompt(Vec<String>);

/// Why a request is not answered as asked.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// The person is told and the application is not: it may be somebody else's address.
    Page { status: u16, code: &'static str, sentence: String },
    /// The application is told, at this address.
    Redirect(Url),
}

impl AuthorizationRequest {
    /// Reads the query of `/oauth2/auth`.
    pub(crate) fn check(
        query: &[(String, String)],
        clients: &Clients,
        issuer: &str,
    ) -> Result<Self, Rejection> {
        let fields = Fields(query);
        let page = |status, code, sentence: String| Rejection::Page { status, code, sentence };
        // Whose request it is must be clear before anything is sent anywhere.
        let id = fields.once("client_id").ok_or_else(|| {
            let sentence = "The request does not say, or says twice, which application it is from.";
            page(400, "invalid_request", sentence.to_owned())
        })?;
        let client = clients.find(id).ok_or_else(|| {
            page(401, "invalid_client", format!("No application with the id {id:?} is registered here."))
        })?;
        let redirect_text = fields.once("redirect_uri").unwrap_or_default().to_owned();
        let redirect = if client.takes(&redirect_text) { redirect_text.parse::<Url>().ok() } else { None };
        let redirect = redirect.ok_or_else(|| {
            let sentence = format!(
                "The redirect address in the request, {redirect_text:?}, is none of those registered for {}.",
                client.name
            );
            page(400, "redirect_uri_mismatch", sentence)
        })?;
        let text = |name| fields.once(name).map(str::to_owned);
        let mut request = Self {
            client,
            redirect,
            redirect_text,
            state: text("state"),
            scopes: Vec::new(),
            challenge: String::new(),
            nonce: text("nonce"),
            login_hint: text("login_hint"),
            prompt: Prompt::default(),
        };
        match request.read_rest(&fields) {
            Ok(()) => Ok(request),
            Err((error, description)) => {
                Err(Rejection::Redirect(request.refusal(error, &description, issuer)))
            }
        }
    }

    /// What the application is told about: RFC 6749 §4.1.2.1.
    fn read_rest(&mut self, fields: &Fields<'_>) -> Result<(), (&'static str, String)> {
        if let Some(name) = fields.twice() {
            return Err(("invalid_request", format!("The parameter {name} is there twice.")));
        }
        match fields.once("response_type") {
            Some("code") => {}
            Some(_) => {
                return Err(("unsupported_response_type", "Only the type code is answered.".to_owned()));
            }
            None => return Err(("invalid_request", "The parameter response_type is missing.".to_owned())),
        }
        // RFC 7636 §4.4.1; the method plain is refused, as RFC 9700 §2.1.1 advises.
        let is_s256 = fields.once("code_challenge_method") == Some("S256");
        let challenge = fields.once("code_challenge").filter(|it| is_s256 && is_challenge(it));
        let no_challenge = "PKCE is required: send code_challenge with the method S256.";
        challenge.ok_or(("invalid_request", no_challenge.to_owned()))?.clone_into(&mut self.challenge);
        self.scopes = parse_scopes(fields.once("scope").unwrap_or_default())
            .map_err(|word| ("invalid_scope", format!("The scope {word:?} is not known.")))?;
        if self.scopes.is_empty() {
            return Err(("invalid_scope", "The parameter scope is missing.".to_owned()));
        }
        self.prompt = Prompt::parse(fields.once("prompt").unwrap_or_default())
            .ok_or(("invalid_request", "The prompt is not known.".to_owned()))?;
        Ok(())
    }

    /// Where the browser goes with a code (RFC 6749 §4.1.2), naming us (RFC 9207).
    pub(crate) fn answer(&self, code: &str, issuer: &str) -> Url {
        self.return_with(&[("code", Some(code)), ("iss", Some(issuer))])
    }

    /// Where the browser goes with a refusal (RFC 6749 §4.1.2.1).
    pub(crate) fn refusal(&self, error: &str, description: &str, issuer: &str) -> Url {
        let description = Some(description).filter(|it| !it.is_empty());
        self.return_with(&[("error", Some(error)), ("error_description", description), ("iss", Some(issuer))])
    }

    fn return_with(&self, fields: &[(&str, Option<&str>)]) -> Url {
        let state = ("state", self.state.as_deref());
        let fields = fields.iter().copied().chain([state]);
        let mut url = self.redirect.clone();
        url.query_pairs_mut().extend_pairs(fields.filter_map(|(name, value)| Some((name, value?))));
        url
    }

    /// The site that the browser is sent back to, such as `http://127.0.0.1:8025`.
    pub(crate) fn redirect_origin(&self) -> String {
        self.redirect.origin().ascii_serialization()
    }
}

impl Prompt {
    const WORDS: [&str; 4] = ["none", "login", "consent", "select_account"];

    fn parse(text: &str) -> Option<Self> {
        let words: Vec<_> = text.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect();
        let is_known = words.iter().all(|it| Self::WORDS.contains(&it.as_str()));
        let prompt = Self(words);
        // `none` stands alone.
        (is_known && (!prompt.has("none") || prompt.0.len() == 1)).then_some(prompt)
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.0.iter().any(|it| it == word)
    }
}

/// 43 to 128 unreserved characters (RFC 7636 §4.1).
pub(super) fn is_challenge(text: &str) -> bool {
    let is_unreserved = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.' | b'_' | b'~');
    (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved)
}

/// The parameters of a request.
pub(super) struct Fields<'a>(pub(super) &'a [(String, String)]);

impl<'a> Fields<'a> {
    /// The value of a parameter that is there once. RFC 6749 §3.1: without a value it is as if it were not there.
    pub(super) fn once(&self, name: &str) -> Option<&'a str> {
        let mut found = self.0.iter().filter(|(it, _)| it == name).map(|(_, value)| value.as_str());
        let only = found.next().filter(|_| found.next().is_none())?;
        Some(only).filter(|it| !it.is_empty())
    }

    /// The first parameter that is there more than once, which RFC 6749 §3.1 forbids.
    pub(super) fn twice(&self) -> Option<&'a str> {
        let n = |name: &str| self.0.iter().filter(|(it, _)| it == name).count();
        self.0.iter().map(|(name, _)| name.as_str()).find(|name| n(name) > 1)
    }
}
