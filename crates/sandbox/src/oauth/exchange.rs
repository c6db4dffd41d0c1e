//! The work behind the token and the revocation endpoint (RFC 6749 §5, RFC 7009).

use gatepost_core::{EmailAddress, SecretText};
use serde_json::{Value, json};

use super::code::Redeemed;
use super::grants::{NoRefresh, Tokens};
use super::id_token::{self, Claims};
use super::request::{Fields, is_challenge};
use super::{Client, Digest, OAuth, Scope, parse_scopes, write_scopes};
use crate::SandboxError;

/// A request to an endpoint that clients speak to.
pub(super) struct ClientRequest {
    pub(super) fields: Vec<(String, String)>,
    pub(super) header: ClientHeader,
}

/// What an Authorization header says.
pub(super) enum ClientHeader {
    Absent,
    Unreadable,
    Basic { id: String, secret: SecretText },
}

/// Why there is no token (RFC 6749 §5.2).
#[derive(Debug)]
pub(super) enum TokenError {
    InvalidRequest(&'static str),
    InvalidClient,
    InvalidGrant(&'static str),
    /// It came back although it was used before; the grant of this account is gone.
    Reused(EmailAddress),
    UnsupportedGrantType,
    InvalidScope,
    Failed(SandboxError),
}

/// A client that has proved itself, with its secret if it has one.
struct Proven {
    client: Client,
    secret: Option<SecretText>,
}

impl OAuth {
    /// What is answered with 200. Blocks.
    pub(super) fn token(&self, request: &ClientRequest) -> Result<Value, TokenError> {
        let fields = Fields(&request.fields);
        if fields.twice().is_some() {
            return Err(TokenError::InvalidRequest("A parameter is there twice."));
        }
        match fields.once("grant_type") {
            Some("authorization_code") => self.by_code(&fields, &self.authenticate(request)?),
            Some("refresh_token") => self.by_refresh(&fields, &self.authenticate(request)?),
            Some(_) => Err(TokenError::UnsupportedGrantType),
            None => Err(TokenError::InvalidRequest("grant_type is missing.")),
        }
    }

    /// RFC 7009 §2: ends the grant that a token of either kind belongs to; gives whose it was. Blocks.
    pub(super) fn revoke(&self, request: &ClientRequest) -> Result<Option<EmailAddress>, TokenError> {
        let proven = self.authenticate(request)?;
        let token = Fields(&request.fields).once("token");
        let token = token.ok_or(TokenError::InvalidRequest("token is missing."))?;
        let Some(grant) = self.grants.find(&SecretText::new(token.to_owned())) else { return Ok(None) };
        if grant.client_id != proven.client.id {
            return Err(TokenError::InvalidGrant("The token is another application's."));
        }
        self.grants.revoke(grant.id).map_err(TokenError::Failed)
    }

    /// RFC 6749 §2.3: by header or in the body, not both.
    fn authenticate(&self, request: &ClientRequest) -> Result<Proven, TokenError> {
        let fields = Fields(&request.fields);
        let in_body = fields.once("client_secret").map(|it| SecretText::new(it.to_owned()));
        let (id, secret) = match &request.header {
            ClientHeader::Basic { .. } if in_body.is_some() => {
                return Err(TokenError::InvalidRequest("The secret is in the header and in the body."));
            }
            ClientHeader::Basic { id, secret } => {
                (id.as_str(), Some(secret.clone()).filter(|it| !it.reveal().is_empty()))
            }
            ClientHeader::Unreadable => return Err(TokenError::InvalidClient),
            ClientHeader::Absent => (fields.once("client_id").ok_or(TokenError::InvalidClient)?, in_body),
        };
        let client = self.clients.find(id).ok_or(TokenError::InvalidClient)?;
        let is_right = client.secret == secret.as_ref().map(|it| Digest::of(it.reveal()));
        if is_right { Ok(Proven { client, secret }) } else { Err(TokenError::InvalidClient) }
    }

    fn by_code(&self, fields: &Fields<'_>, proven: &Proven) -> Result<Value, TokenError> {
        let text = fields.once("code").ok_or(TokenError::InvalidRequest("code is missing."))?;
        let verifier = fields.once("code_verifier");
        let verifier = verifier.ok_or(TokenError::InvalidRequest("code_verifier is missing."))?;
        let code = match self.codes.redeem(text) {
            Redeemed::Code(code) => code,
            Redeemed::Again(grant) => {
                // Whoever came first may have been a thief (RFC 6749 §10.5).
                let account = self.grants.revoke(grant).map_err(TokenError::Failed)?;
                let spent = TokenError::InvalidGrant("The code was used before.");
                return Err(account.map_or(spent, TokenError::Reused));
            }
            Redeemed::Unknown => {
                return Err(TokenError::InvalidGrant("The code is not known, or its time is over."));
            }
        };
        if code.client_id != proven.client.id {
            return Err(TokenError::InvalidGrant("The code is another application's."));
        }
        if fields.once("redirect_uri") != Some(&code.redirect) {
            return Err(TokenError::InvalidGrant("The redirect address is not that of the sign-in."));
        }
        // RFC 7636 §4.6.
        if !is_challenge(verifier) || Digest::of(verifier).to_text() != code.challenge {
            return Err(TokenError::InvalidGrant("The code verifier is wrong."));
        }
        let added = self.grants.add(code.account, &proven.client, code.scopes, &self.settings.get());
        let tokens = added.map_err(TokenError::Failed)?;
        self.codes.note(text, tokens.grant);
        Ok(self.write(&tokens, proven, code.nonce.as_deref()))
    }

    fn by_refresh(&self, fields: &Fields<'_>, proven: &Proven) -> Result<Value, TokenError> {
        let token = fields.once("refresh_token");
        let token = token.ok_or(TokenError::InvalidRequest("refresh_token is missing."))?;
        let token = SecretText::new(token.to_owned());
        let asked = fields.once("scope").map(parse_scopes).transpose();
        let asked = asked.map_err(|_unknown| TokenError::InvalidScope)?;
        let tokens = self.grants.refresh(&proven.client, &token, asked.as_deref(), &self.settings.get());
        let tokens = tokens.map_err(|error| match error {
            NoRefresh::Unknown => TokenError::InvalidGrant("Token has been expired or revoked."),
            NoRefresh::Reused(account) => TokenError::Reused(account),
            NoRefresh::TooMuch => TokenError::InvalidScope,
            NoRefresh::Storage(error) => TokenError::Failed(error),
        })?;
        Ok(self.write(&tokens, proven, None))
    }

    /// RFC 6749 §5.1.
    fn write(&self, tokens: &Tokens, proven: &Proven, nonce: Option<&str>) -> Value {
        let mut answer = json!({
            "access_token": tokens.access.reveal(),
            "token_type": "Bearer",
            "expires_in": tokens.expires_in_s,
            "scope": write_scopes(&tokens.scopes),
        });
        if let Some(refresh) = &tokens.refresh {
            answer["refresh_token"] = refresh.reveal().into();
        }
        if tokens.scopes.contains(&Scope::OpenId) {
            let claims = Claims {
                issuer: &self.issuer,
                client_id: &proven.client.id,
                account: &tokens.account,
                nonce,
                now: self.world.now(),
                lifetime_s: tokens.expires_in_s,
                has_email: tokens.scopes.contains(&Scope::Email),
            };
            answer["id_token"] = id_token::write(&claims, proven.secret.as_ref()).into();
        }
        answer
    }
}

/// What userinfo says of an account (OpenID Connect Core §5.3); `None` if the token does not reach that far.
pub(super) fn describe(account: &EmailAddress, scopes: &[Scope]) -> Option<Value> {
    let mut answer = json!({ "sub": id_token::subject(account) });
    if scopes.contains(&Scope::Email) {
        answer["email"] = account.as_str().into();
        answer["email_verified"] = true.into();
    } else if !scopes.contains(&Scope::OpenId) {
        return None;
    }
    Some(answer)
}
