//! Return addresses: whatever is followed is a page of ours as a browser understands it, and survives being carried along.
#![no_main]

use std::sync::LazyLock;

use gatepost_portal::fuzz::ReturnAddresses;
use libfuzzer_sys::fuzz_target;
use url::Url;

static OURS: LazyLock<ReturnAddresses> = LazyLock::new(ReturnAddresses::of_the_portal);
static BASE: LazyLock<Url> =
    LazyLock::new(|| Url::parse("https://mail.practice.test/people/1").expect("an address"));

fuzz_target!(|text: &str| {
    if let Some(found) = OURS.find(text) {
        assert_eq!(found, text);
        check(&found);
        assert_eq!(OURS.there_and_back(text), Some(found));
    }
    OURS.others(text).iter().for_each(|it| check(it));
    OURS.others(&format!("/sign-in?then={text}")).iter().for_each(|it| check(it));
});

fn check(found: &str) {
    let url = BASE.join(found).expect("a browser understands it");
    assert_eq!(url.origin(), BASE.origin());
    let (path, query) = found.split_once('?').map_or((found, None), |(path, query)| (path, Some(query)));
    assert_eq!((url.path(), url.query(), url.fragment()), (path, query, None));
    assert!(found.bytes().all(|byte| byte.is_ascii_graphic()));
}
