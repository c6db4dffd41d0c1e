use gatepost_core::{SecretBytes, SecretText};
use proptest::prelude::*;

use super::*;
use crate::smtp::AUTH_LINE;

fn plain_credentials(user_name: &str, password: &str) -> Credentials {
    Credentials {
        authorization_id: None,
        user_name: user_name.to_owned(),
        secret: Secret::Password(SecretText::new(password.to_owned())),
    }
}

fn bearer_credentials(user_name: &str, token: &str) -> Credentials {
    Credentials {
        authorization_id: None,
        user_name: user_name.to_owned(),
        secret: Secret::BearerToken(SecretText::new(token.to_owned())),
    }
}

/// `authorization id | user name | secret`.
fn shown(credentials: &Credentials) -> String {
    let (kind, secret) = match &credentials.secret {
        Secret::Password(text) => ("password", text.reveal()),
        Secret::BearerToken(text) => ("token", text.reveal()),
    };
    format!("{:?} {:?} {kind} {secret:?}", credentials.authorization_id, credentials.user_name)
}

fn start(mechanism: Mechanism, message: &[u8]) -> Result<ServerStep, SaslError> {
    ServerExchange::start(mechanism, Some(SecretBytes::new(message.to_vec())))
}

#[track_caller]
fn check(mechanism: Mechanism, message: &str, want: Result<&str, SaslError>) {
    let got = match start(mechanism, message.as_bytes()) {
        Ok(ServerStep::Done(credentials)) => Ok(shown(&credentials)),
        Ok(ServerStep::Challenge(..)) => Ok("asks".to_owned()),
        Err(err) => Err(err),
    };
    assert_eq!(got, want.map(str::to_owned), "{mechanism:?} {message:?}");
}

/// MP-18, `auth_buffer_bounds`: NUL and empty fields.
#[test]
fn plain_is_taken_as_rfc_4616_has_it() {
    use SaslError::{Empty, Malformed};
    let check = |message, want| check(Mechanism::Plain, message, want);
    // RFC 4616 §4, both examples.
    check("\0tim\0tanstaaftanstaaf", Ok("None \"tim\" password \"tanstaaftanstaaf\""));
    check("Ursel\0Kurt\0xipj3plmq", Ok("Some(\"Ursel\") \"Kurt\" password \"xipj3plmq\""));
    check("\0jörg\0pä ß", Ok("None \"jörg\" password \"pä ß\""));
    check("", Err(Malformed));
    check("tim", Err(Malformed));
    check("\0tim", Err(Malformed));
    check("\0tim\0pass\0", Err(Malformed));
    check("\0tim\0pass\0more", Err(Malformed));
    check("\0\0pass", Err(Empty));
    check("\0tim\0", Err(Empty));
    check("\0\0", Err(Empty));
    assert!(matches!(start(Mechanism::Plain, b"\0tim\0\xff"), Err(Malformed)));
}

#[test]
fn xoauth2_is_taken_as_google_and_microsoft_have_it() {
    use SaslError::{Empty, Malformed};
    let check = |message, want| check(Mechanism::XOAuth2, message, want);
    check(
        "user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01",
        Ok("None \"someuser@example.com\" token \"ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\""),
    );
    check(
        "user=a\x01auth=bearer abcd efgh ijkl mnop\x01\x01",
        Ok("None \"a\" token \"abcd efgh ijkl mnop\""),
    );
    check("user=a\x01auth=Bearer t\x01", Err(Malformed));
    check("user=a\x01auth=Basic t\x01\x01", Err(Malformed));
    check("auth=Bearer t\x01\x01", Err(Malformed));
    check("user=a\x01\x01", Err(Malformed));
    check("user=a\x01user=b\x01auth=Bearer t\x01\x01", Err(Malformed));
    check("user=a\x01auth=Bearer t\x01auth=Bearer u\x01\x01", Err(Malformed));
    check("user=\x01auth=Bearer t\x01\x01", Err(Empty));
    check("user=a\x01auth=Bearer \x01\x01", Err(Empty));
    check("user=a\0b\x01auth=Bearer t\x01\x01", Err(Empty));
    check("user=a\x01auth=Bearer t\r\nx\x01\x01", Err(Malformed));
    check("", Err(Malformed));
}

#[test]
fn oauthbearer_is_taken_as_rfc_7628_has_it() {
    use SaslError::{Empty, Malformed};
    let check = |message, want| check(Mechanism::OAuthBearer, message, want);
    // RFC 7628 §4.1.
    check(
        "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01",
        Ok(
            "Some(\"user@example.com\") \"user@example.com\" token \"vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\"",
        ),
    );
    check("n,,\x01auth=Bearer t\x01\x01", Ok("None \"\" token \"t\""));
    check(
        "y,a=x=2Cy=3Dz,\x01auth=Bearer t\x01unknown=1\x01\x01",
        Ok("Some(\"x,y=z\") \"x,y=z\" token \"t\""),
    );
    check("p=tls-unique,,\x01auth=Bearer t\x01\x01", Err(Malformed));
    check("n,a=x=2cy,\x01auth=Bearer t\x01\x01", Err(Malformed));
    check("n,x=y,\x01auth=Bearer t\x01\x01", Err(Malformed));
    check("n,a=,\x01auth=Bearer t\x01\x01", Err(Empty));
    check("n,a=x,\x01host=h\x01\x01", Err(Malformed));
    check("n,a=x,\x01auth=Bearer t\x01auth=Bearer u\x01\x01", Err(Malformed));
    check("n,a=x,\x01\x01", Err(Malformed));
    check("\x01", Err(Malformed));
    check("n,a=x", Err(Malformed));
}

#[test]
fn login_asks_for_name_and_password() {
    let Ok(ServerStep::Challenge(prompt, exchange)) = ServerExchange::start(Mechanism::Login, None) else {
        panic!()
    };
    assert_eq!(prompt, "VXNlcm5hbWU6");
    let Ok(ServerStep::Challenge(prompt, exchange)) = exchange.respond(b"YW5h") else { panic!() };
    assert_eq!(prompt, "UGFzc3dvcmQ6");
    let Ok(ServerStep::Done(credentials)) = exchange.respond(b"c2VjcmV0") else { panic!() };
    assert_eq!(shown(&credentials), "None \"ana\" password \"secret\"");

    // With the user name on the AUTH line, as many clients send it, only the password is asked for.
    let Ok(ServerStep::Challenge(prompt, exchange)) = start(Mechanism::Login, b"ana") else { panic!() };
    assert_eq!(prompt, "UGFzc3dvcmQ6");
    assert!(matches!(exchange.respond(b""), Err(SaslError::Empty)));
    assert!(matches!(start(Mechanism::Login, b""), Err(SaslError::Empty)));
    assert!(matches!(start(Mechanism::Login, b"a\0b"), Err(SaslError::Empty)));
}

/// SS-19.
#[test]
fn a_star_cancels_and_bad_base64_is_refused() {
    for mechanism in Mechanism::ALL {
        let respond = |line: &[u8]| match ServerExchange::start(mechanism, None) {
            Ok(ServerStep::Challenge(_, exchange)) => exchange.respond(line).err(),
            _ => panic!("a challenge comes first"),
        };
        assert_eq!(respond(b"*"), Some(SaslError::Cancelled));
        for line in
            [&b"A"[..], b"YW5h=", b"YW5", b"YW5h\r", b" YW5h", b"YW5h YW5h", b"YW5i*", b"YW5_", b"YW=="]
        {
            assert_eq!(respond(line), Some(SaslError::NotBase64), "{line:?}");
        }
        assert_eq!(respond(&vec![b'A'; AUTH_LINE - 1]), Some(SaslError::TooLong));
        assert_ne!(respond(&vec![b'A'; AUTH_LINE - 4]), Some(SaslError::TooLong));
    }
    assert_eq!(SaslError::Cancelled.reply().code(), 501);
    assert_eq!(SaslError::NotBase64.reply().code(), 501);
    assert_eq!(SaslError::Empty.reply().code(), 535);
}

#[test]
fn mechanisms_are_known_by_name_in_any_case() {
    assert_eq!(Mechanism::from_name("xoauth2"), Some(Mechanism::XOAuth2));
    assert_eq!(Mechanism::from_name("CRAM-MD5"), None);
}

#[test]
fn a_refused_bearer_is_told_why_and_answers_as_the_provider_wants() {
    for (mechanism, answer) in [(Mechanism::XOAuth2, ""), (Mechanism::OAuthBearer, "AQ==")] {
        let mut client = ClientExchange::new(mechanism, bearer_credentials("a@b.test", "t"), "h.test", 587);
        assert!(client.initial_response().is_some());
        assert!(client.initial_response().is_none(), "a secret is sent once");
        let challenge = ServerExchange::refusal(mechanism).unwrap();
        assert_eq!(client.answer(challenge.as_bytes()).unwrap().reveal(), answer);
        assert!(client.refusal().unwrap().starts_with(b"{\"status\":"));
        assert!(matches!(client.answer(b""), Err(SaslError::UnexpectedChallenge)));
    }
    // Google's own example.
    let mut client =
        ClientExchange::new(Mechanism::XOAuth2, bearer_credentials("a@b.test", "t"), "h.test", 587);
    _ = client.initial_response();
    let challenge = b"eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIG1hYyIsInNjb3BlIjoiaHR0cHM6Ly9tYWlsLmdvb2dsZS5jb20vIn0K";
    assert_eq!(client.answer(challenge).unwrap().reveal(), "");
    assert!(client.refusal().unwrap().starts_with(b"{\"status\":\"401\",\"schemes\":\"bearer mac\""));
    assert!(ServerExchange::refusal(Mechanism::Plain).is_none());
}

#[test]
fn a_password_is_never_sent_to_a_second_challenge() {
    for mechanism in [Mechanism::Plain, Mechanism::Login] {
        let mut client = ClientExchange::new(mechanism, plain_credentials("ana", "secret"), "h.test", 587);
        while client.initial_response().is_some() {}
        let answers = std::iter::from_fn(|| client.answer(b"").ok()).count();
        assert_eq!(answers, if mechanism == Mechanism::Login { 2 } else { 0 });
        assert!(matches!(client.answer(b""), Err(SaslError::UnexpectedChallenge)));
    }
}

#[test]
fn the_messages_are_those_of_the_rfcs() {
    let bytes = |mechanism, credentials: Credentials| {
        let mut client = ClientExchange::new(mechanism, credentials, "server.example.com", 143);
        client.initial_response().unwrap().reveal().to_vec()
    };
    assert_eq!(
        bytes(Mechanism::Plain, plain_credentials("tim", "tanstaaftanstaaf")),
        b"\0tim\0tanstaaftanstaaf"
    );
    assert_eq!(
        bytes(Mechanism::OAuthBearer, bearer_credentials("user@example.com", "vF9dft4q==")),
        b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4q==\x01\x01"
    );
    assert_eq!(
        bytes(Mechanism::XOAuth2, bearer_credentials("u@example.com", "ya29")),
        b"user=u@example.com\x01auth=Bearer ya29\x01\x01"
    );
}

/// Plays both sides with and without initial response.
fn dialogue(mechanism: Mechanism, credentials: &Credentials, has_initial: bool) -> Credentials {
    let mut client = ClientExchange::new(mechanism, credentials.clone(), "h.test", 465);
    let initial = if has_initial { client.initial_response() } else { None };
    let mut step = ServerExchange::start(mechanism, initial).unwrap();
    loop {
        step = match step {
            ServerStep::Done(credentials) => return credentials,
            ServerStep::Challenge(challenge, server) => {
                let line = client.answer(challenge.as_bytes()).unwrap();
                server.respond(line.reveal().as_bytes()).unwrap()
            }
        };
    }
}

proptest! {
    #[test]
    fn what_a_client_says_a_server_hears(user in "[^\\x00\\x01]{1,30}", password in "[^\\x00]{1,30}", token in "[!-~]{1,60}", has_initial: bool) {
        for mechanism in Mechanism::ALL {
            let is_bearer = matches!(mechanism, Mechanism::XOAuth2 | Mechanism::OAuthBearer);
            let said = if is_bearer { bearer_credentials(&user, &token) } else { plain_credentials(&user, &password) };
            let heard = dialogue(mechanism, &said, has_initial);
            prop_assert_eq!(&heard.user_name, &said.user_name);
            prop_assert_eq!(heard.secret.text().reveal(), said.secret.text().reveal());
        }
    }

    #[test]
    fn hostile_messages_never_panic(message in proptest::collection::vec(any::<u8>(), 0..60), text in "[n,a=usertho\\x00\\x01 B]{0,40}") {
        for mechanism in Mechanism::ALL {
            for bytes in [&message[..], text.as_bytes()] {
                if let Ok(ServerStep::Done(credentials)) = start(mechanism, bytes) {
                    prop_assert!(!credentials.secret.text().reveal().is_empty());
                    prop_assert!(!credentials.user_name.contains('\0'));
                }
            }
        }
    }
}
