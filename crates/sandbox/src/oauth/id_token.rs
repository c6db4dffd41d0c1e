//! Whose mailbox it is, as a JSON Web Token (OpenID Connect Core §2).
//!
//! Signed with the client's secret (HS256, §10.1). A client without one gets it unsigned, which the standard allows where it
//! comes from the token endpoint alone: whoever reads it there trusts the connection.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepost_core::{EmailAddress, SecretText, Timestamp};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Digest;

/// What it says.
pub(super) struct Claims<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) account: &'a EmailAddress,
    pub(super) nonce: Option<&'a str>,
    pub(super) now: Timestamp,
    pub(super) lifetime_s: u64,
    /// Whether the address may be told.
    pub(super) has_email: bool,
}

/// The same for an account at all times, and for no other.
pub(super) fn subject(account: &EmailAddress) -> String {
    Digest::of(&account.to_key()).to_text()
}

pub(super) fn write(claims: &Claims<'_>, secret: Option<&SecretText>) -> String {
    let now_s = claims.now.seconds();
    let mut body = json!({
        "iss": claims.issuer,
        "aud": claims.client_id,
        "sub": subject(claims.account),
        "iat": now_s,
        "exp": now_s.saturating_add(i64::try_from(claims.lifetime_s).unwrap_or(i64::MAX)),
    });
    if let Some(nonce) = claims.nonce {
        body["nonce"] = nonce.into();
    }
    if claims.has_email {
        body["email"] = claims.account.as_str().into();
        body["email_verified"] = true.into();
    }
    let header = json!({ "alg": if secret.is_some() { "HS256" } else { "none" }, "typ": "JWT" });
    let encode = |it: &Value| URL_SAFE_NO_PAD.encode(it.to_string());
    let signed = format!("{}.{}", encode(&header), encode(&body));
    let signature = secret.map_or_else(String::new, |it| sign(&signed, it));
    format!("{signed}.{signature}")
}

/// RFC 7518 §3.2.
fn sign(text: &str, secret: &SecretText) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes());
    let mut mac = mac.expect("a key of any length will do");
    mac.update(text.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_everything_that_is_compared() {
        let account = "Ana@sandbox.test".parse().unwrap();
        let claims = Claims {
            issuer: "http://127.0.0.1:8026",
            client_id: "c",
            account: &account,
            nonce: Some("n"),
            now: Timestamp::from_millis(5_000),
            lifetime_s: 60,
            has_email: true,
        };
        let secret = SecretText::new("key".to_owned());
        for (secret, alg) in [(None, "none"), (Some(&secret), "HS256")] {
            let token = write(&claims, secret);
            let parts: Vec<_> = token.split('.').collect();
            let read =
                |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
            assert_eq!(parts.len(), 3);
            assert_eq!(read(parts[0]), json!({"alg": alg, "typ": "JWT"}));
            let sub = subject(&"Ana@SANDBOX.test".parse().unwrap());
            let want = json!({
                "iss": "http://127.0.0.1:8026", "aud": "c", "sub": sub, "iat": 5, "exp": 65, "nonce": "n",
                "email": "Ana@sandbox.test", "email_verified": true
            });
            assert_eq!(read(parts[1]), want);
            assert_eq!(parts[2].is_empty(), secret.is_none());
        }
        // RFC 4231 §4.3.
        let key = SecretText::new("Jefe".to_owned());
        let mac = URL_SAFE_NO_PAD.decode(sign("what do ya want for nothing?", &key)).unwrap();
        assert_eq!(mac[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    }
}
