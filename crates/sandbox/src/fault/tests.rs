use super::request::FaultError;
use super::*;
use crate::mailbox::SignInAs;

fn request(json: &str) -> FaultRequest {
    serde_json::from_str(json).unwrap()
}

fn set(faults: &Faults, json: &str) {
    faults.carry_out(&request(json).check().unwrap());
}

fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

fn at(phase: Phase) -> Occasion<'static> {
    Occasion { door: Protocol::Smtp, phase, account: None, recipient: None, sign_in: None }
}

/// The reply that strikes, without its line end.
fn strike(faults: &Faults, occasion: &Occasion<'_>) -> Option<String> {
    match faults.strike(occasion).outcome {
        Some(Outcome::Reply(reply)) => Some(reply.to_text()),
        Some(Outcome::Cut) => Some("cut".to_owned()),
        None => None,
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_a_sentence() {
    use FaultError::*;
    for (json, want) in [
        (r#"{"fault":"explode"}"#, UnknownKind("explode".into())),
        (r#"{"fault":"cut","phase":"rset"}"#, UnknownPhase("rset".into())),
        (r#"{"fault":"cut","account":"ana"}"#, BadAddress("ana".into())),
        (r#"{"fault":"cut","account":"a@b.c","phase":"connect"}"#, AccountAtConnect),
        (r#"{"fault":"refuse_sign_in","phase":"data"}"#, OnlyAtAuth("refuse_sign_in")),
        (r#"{"fault":"cut","phase":"data","recipient":"a@b.c"}"#, RecipientElsewhere),
        (r#"{"fault":"reply","text":"go away"}"#, NotAReply),
        (r#"{"fault":"reply","text":"100 x"}"#, NotAReply),
        (r#"{"fault":"reply","text":"550 a\u0000b"}"#, NotAReply),
        (r#"{"fault":"reply","text":"öö"}"#, NotAReply),
        (r#"{"fault":"slow","milliseconds":600001}"#, TooLong),
        (r#"{"fault":"cut","times":0}"#, NoTimes),
        (r#"{"fault":"cut","door":"nntp"}"#, UnknownDoor("nntp".into())),
        (r#"{"fault":"cut","door":"pop3","phase":"data"}"#, NoSuchPhase("pop3", "data")),
        (r#"{"fault":"reply","phase":"starttls","account":"a@sandbox.test"}"#, AccountAtConnect),
        (r#"{"fault":"cut","door":"smtp","phase":"read"}"#, NoSuchPhase("smtp", "read")),
        (r#"{"fault":"reply","door":"pop3","text":"451 4.3.0 x"}"#, NotAPop3Reply),
        (r#"{"fault":"reply","door":"imap","text":"-ERR x"}"#, NotAnImapResponse),
    ] {
        assert_eq!(request(json).check().unwrap_err(), want, "{json}");
    }
    for json in
        [r#"{"fault":"cut","colour":"red"}"#, r#"{}"#, r#"{"fault":7}"#, r#"{"fault":"slow","times":-1}"#]
    {
        assert!(serde_json::from_str::<FaultRequest>(json).is_err(), "{json}");
    }
}

#[test]
fn a_reply_is_written_as_it_goes_on_the_wire() {
    for (text, bytes) in [
        ("421 4.7.0 Later", "421 4.7.0 Later\r\n"),
        ("550-5.7.1 a\r\n550 5.7.1 b", "550-5.7.1 a\r\n550 5.7.1 b\r\n"),
        ("550 5.7.1 a\n550 5.7.1 b\n550 5.7.1 c\n", "550-5.7.1 a\r\n550-5.7.1 b\r\n550 5.7.1 c\r\n"),
        ("550 first\nsecond", "550-first\r\n550 second\r\n"),
        ("550", "550 \r\n"),
        ("554 5.2.0 «grüß»", "554 5.2.0 «grüß»\r\n"),
    ] {
        assert_eq!(FaultReply::parse(text).unwrap().bytes, bytes.as_bytes(), "{text:?}");
    }
}

#[test]
fn a_fault_strikes_at_its_phase_for_its_account_and_recipient() {
    let (ana, bo) = (address("ana@sandbox.test"), address("bo@sandbox.test"));
    let faults = Faults::default();
    set(&faults, r#"{"account":"ANA@sandbox.test","fault":"reply","phase":"mail","text":"450 x"}"#);
    set(&faults, r#"{"fault":"reply","phase":"rcpt","recipient":"bo@sandbox.test","text":"550 y"}"#);
    let mail = at(Phase::Mail);
    assert_eq!(strike(&faults, &Occasion { account: Some(&ana), ..mail }), Some("450 x".into()));
    assert_eq!(strike(&faults, &Occasion { account: Some(&bo), ..mail }), None);
    assert_eq!(strike(&faults, &mail), None);
    let rcpt = Occasion { account: Some(&ana), ..at(Phase::Rcpt) };
    assert_eq!(strike(&faults, &Occasion { recipient: Some(&bo), ..rcpt }), Some("550 y".into()));
    assert_eq!(strike(&faults, &Occasion { recipient: Some(&ana), ..rcpt }), None);
}

#[test]
fn a_fault_of_one_door_leaves_the_others_alone() {
    let faults = Faults::default();
    set(&faults, r#"{"door":"pop3","fault":"reply","phase":"auth","text":"-ERR [AUTH] no"}"#);
    assert_eq!(strike(&faults, &at(Phase::Auth)), None);
    let pop3 = Occasion { door: Protocol::Pop3, ..at(Phase::Auth) };
    assert_eq!(strike(&faults, &pop3), Some("-ERR [AUTH] no".into()));
    // What is said for all doors is said in the words of each.
    let reply = FaultReply::parse("535-5.7.8 a\n535 5.7.8 b").unwrap();
    assert_eq!(reply.to_imap("a1", Some("X")), b"a1 NO [X] 5.7.8 b\r\n");
    assert_eq!(reply.to_imap("* BYE", None), b"* BYE 5.7.8 b\r\n");
    assert_eq!(FaultReply::parse_imap("BYE x").unwrap().to_imap("* BYE", None), b"* BYE x\r\n");
    assert_eq!(FaultReply::parse_imap("no [Y] x").unwrap().to_imap("a1", None), b"a1 no [Y] x\r\n");
    assert_eq!(reply.to_pop3(Some("AUTH")), b"-ERR [AUTH] 5.7.8 b\r\n");
}

#[test]
fn a_fault_strikes_as_often_as_was_asked() {
    let faults = Faults::default();
    set(&faults, r#"{"fault":"cut","phase":"data","times":2}"#);
    let data = at(Phase::Data);
    assert_eq!(strike(&faults, &data), Some("cut".into()));
    assert_eq!(faults.all()[0].times, Some(1));
    assert_eq!(strike(&faults, &data), Some("cut".into()));
    assert_eq!(strike(&faults, &data), None);
    assert!(faults.all().is_empty());
}

#[test]
fn waits_add_up_and_the_latest_outcome_counts() {
    let faults = Faults::default();
    set(&faults, r#"{"fault":"slow","milliseconds":40}"#);
    set(&faults, r#"{"fault":"cut","milliseconds":500,"times":1}"#);
    set(&faults, r#"{"fault":"reply","text":"451 z","milliseconds":2}"#);
    let struck = faults.strike(&at(Phase::Final));
    assert_eq!(struck.wait, Duration::from_millis(42));
    assert!(matches!(struck.outcome, Some(Outcome::Reply(_))));
    // The cut did not strike, so it is still there.
    assert_eq!(faults.all().len(), 3);
}

#[test]
fn a_fault_takes_the_place_of_its_like_and_none_clears() {
    let faults = Faults::default();
    set(&faults, r#"{"account":"a@b.c","fault":"reply","text":"451 one"}"#);
    set(&faults, r#"{"account":"a@b.c","fault":"reply","text":"451 two"}"#);
    set(&faults, r#"{"account":"a@b.c","fault":"cut","phase":"mail"}"#);
    set(&faults, r#"{"fault":"cut","phase":"mail"}"#);
    assert_eq!(faults.all().len(), 3);
    set(&faults, r#"{"account":"a@b.c","fault":"none","phase":"final"}"#);
    assert_eq!(faults.all().len(), 2);
    set(&faults, r#"{"account":"a@b.c","fault":"none"}"#);
    assert_eq!(faults.all().len(), 1);
    set(&faults, r#"{"fault":"none"}"#);
    assert!(faults.all().is_empty());
}

#[test]
fn expired_are_tokens_set_before_the_fault_and_no_passwords() {
    let before = Instant::now();
    let faults = Faults::default();
    set(&faults, r#"{"fault":"expire_tokens"}"#);
    let auth = |sign_in| Occasion { sign_in, ..at(Phase::Auth) };
    let token = |set_at| auth(Some(SignInAs::ByToken { set_at }));
    assert!(strike(&faults, &token(None)).unwrap().starts_with("535 5.7.8"));
    assert!(strike(&faults, &token(Some(before))).is_some());
    assert_eq!(strike(&faults, &token(Some(Instant::now() + Duration::from_secs(1)))), None);
    assert_eq!(strike(&faults, &auth(Some(SignInAs::ByPassword))), None);
    assert_eq!(strike(&faults, &auth(None)), None);
}

#[test]
fn what_is_on_is_shown_as_it_was_asked_for() {
    let json = r#"{"account":"a@b.c","fault":"reply","phase":"rcpt","recipient":"d@e.f","text":"450-4.2.1 x\n450 4.2.1 y","milliseconds":5,"times":3}"#;
    let faults = Faults::default();
    set(&faults, json);
    assert_eq!(FaultRequest::from(&faults.all()[0]), request(json));
}
