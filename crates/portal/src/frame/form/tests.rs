//! Forms as browsers send them, and as nobody should.

use serde::Deserialize;

use super::*;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    name: String,
    note: Option<String>,
    location: Vec<String>,
    agreed: bool,
    misses: u8,
    password: Secret,
}

#[test]
fn a_form_is_read_as_it_was_typed() {
    let raw = RawForm::parse(
        "name=Praxis+S%C3%BCd&location=a&location=b&agreed=on&misses=2&password=x%26y&other=1&&note"
            .as_bytes(),
    )
    .unwrap();
    let typed: Typed = raw.read().unwrap();
    assert_eq!(typed.name, "Praxis Süd");
    assert_eq!(typed.note.as_deref(), Some(""));
    assert_eq!(typed.location, ["a", "b"]);
    assert!(typed.agreed && typed.misses == 2);
    assert_eq!(typed.password.text().reveal(), "x&y");
}

#[test]
fn an_empty_form_is_all_defaults() {
    let typed: Typed = RawForm::default().read().unwrap();
    assert!(typed.name.is_empty() && typed.note.is_none() && typed.location.is_empty() && !typed.agreed);
    assert!(typed.password.is_empty());
}

#[test]
fn a_count_that_no_page_wrote_is_refused() {
    for typed in ["misses=two", "misses=-1", "misses=256", "misses="] {
        assert!(RawForm::parse(typed.as_bytes()).unwrap().read::<Typed>().is_none(), "{typed}");
    }
}

#[test]
fn what_is_no_text_is_refused() {
    for bytes in [&b"a=%ff"[..], b"a=%", b"a=%4", b"a=%zz", b"%ff=a", b"a=\xff", b"a=%00"] {
        assert!(RawForm::parse(bytes).is_none(), "{bytes:?}");
    }
    let many = "a=b&".repeat(MOST_FIELDS + 1);
    assert!(RawForm::parse(many.as_bytes()).is_none());
}

#[test]
fn what_is_carried_through_a_page_holds_no_secret() {
    let raw = RawForm::parse(
        b"name=TDO&secret=s&password=a&password_again=b&code=123456&proof_code=1&proof_password=2&form_token=t&recovery_code=x&note=n",
    )
    .unwrap();
    let kept: Vec<_> = raw.without_secrets().into_iter().map(|(name, _)| name).collect();
    assert_eq!(kept, ["name", "note"]);
}

#[test]
fn a_field_that_is_taken_out_is_gone() {
    let mut raw = RawForm::parse(b"proof_code=1&a=2&proof_code=3").unwrap();
    assert_eq!(raw.take("proof_code").map(|it| it.reveal().to_owned()).as_deref(), Some("1"));
    assert!(raw.find("proof_code").is_none() && raw.find("a").is_some());
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_a_form_fail_otherwise_than_by_being_refused(bytes in proptest::collection::vec(0_u8..=255, 0..200)) {
        if let Some(raw) = RawForm::parse(&bytes) {
            let _read = raw.read::<Typed>();
            let _kept = raw.without_secrets();
        }
    }
}
