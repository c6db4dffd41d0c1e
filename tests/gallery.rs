//! Pictures of every page; see `cargo xtask screenshots`.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

#[path = "harness/mod.rs"]
mod harness;

use std::path::PathBuf;

use gatepost_testkit::{fresh_folder, take_slot};
use harness::pages::{self, FilledSandbox, picture};
use harness::portal::{Telephone, sign_in};
use harness::{Browser, LOOKS, demo};

#[test]
fn every_page_is_pictured_in_every_look() {
    let _slot = take_slot();
    let folder = folder();
    let sandbox = FilledSandbox::start();
    let mut browser = Browser::open(&sandbox.address());
    let n_pictures = picture(&folder, &mut browser, &sandbox, pages::SANDBOX);

    assert_eq!(n_pictures, pages::SANDBOX.len() * LOOKS.len());
    let pictures = std::fs::read_dir(&folder).unwrap().flatten();
    let pictures = pictures.filter(|it| it.path().extension().is_some_and(|it| it == "png"));
    assert!(pictures.count() >= n_pictures, "two pages share a name");
}

#[test]
fn every_page_about_app_passwords_is_pictured_in_every_look() {
    let data = fresh_folder();
    let at = demo(&data.path().join("demo"));
    let mut browser = sign_in(&at);
    browser.go("/app-passwords/new");
    Telephone::of(&at).confirm(&mut browser);
    let n_pictures = picture(&folder(), &mut browser, &at, pages::APP_PASSWORDS);
    assert_eq!(n_pictures, pages::APP_PASSWORDS.len() * LOOKS.len());
    at.stop();
}

/// Where whoever runs this wants them; else beside the build.
fn folder() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
    std::env::var_os("SCREENSHOTS").map_or_else(beside, PathBuf::from)
}
