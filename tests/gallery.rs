//! Pictures of every page; see `cargo xtask screenshots`.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

#[path = "harness/mod.rs"]
mod harness;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread;

use gatepost_portal::{Kind, RouteRow, routes};
use gatepost_testkit::take_slot;
use harness::pages::{self, Pictured, n_pictures, picture};

#[test]
fn every_page_is_pictured_in_every_look_and_no_address_is_left_out() {
    let folder = folder();
    let pictured: Vec<Pictured> = thread::scope(|scope| {
        let folder = folder.as_path();
        // Each takes a place of its own, so that only as many run at once as the machine bears.
        let scenes = [office, operator, beginning, sandbox].map(|scene| scope.spawn(move || scene(folder)));
        scenes.into_iter().flat_map(|it| it.join().unwrap()).collect()
    });
    let names: BTreeSet<_> = pictured.iter().map(|it| it.name).collect();
    assert_eq!(names.len(), pictured.len(), "two pages share a name");
    let pictures = std::fs::read_dir(&folder).unwrap().flatten();
    let pictures = pictures.filter(|it| it.path().extension().is_some_and(|it| it == "png"));
    assert!(pictures.count() >= n_pictures(&pictured));

    let pages: Vec<_> = routes().into_iter().filter(is_page).map(|it| it.path).collect();
    let reached: BTreeSet<_> = pictured.iter().filter_map(|it| page_of(&pages, &it.path)).collect();
    let missing: Vec<_> = pages.iter().filter(|it| !reached.contains(*it)).collect();
    assert!(missing.is_empty(), "no line of tests/harness/pages leads to {missing:?}");
}

fn office(folder: &Path) -> Vec<Pictured> {
    let scene = pages::Office::start();
    let mut browser = scene.browser();
    let mut pictured = picture(folder, &mut browser, &scene, pages::MAIL);
    pictured.extend(picture(folder, &mut browser, &scene, pages::PEOPLE));
    pictured.extend(picture(folder, &mut browser, &scene, pages::APP_PASSWORDS));
    pictured.extend(picture(folder, &mut browser, &scene, pages::APPLICATIONS));
    pictured.extend(picture(folder, &mut browser, &scene, pages::CONNECT));
    pictured.extend(picture(folder, &mut browser, &scene, pages::ACCOUNTS));
    pictured
}

fn operator(folder: &Path) -> Vec<Pictured> {
    let scene = pages::Operator::start();
    let mut browser = scene.browser();
    let mut pictured = picture(folder, &mut browser, &scene, pages::SECURITY);
    pictured.extend(picture(folder, &mut browser, &scene, pages::ENTRANCE));
    pictured
}

fn beginning(folder: &Path) -> Vec<Pictured> {
    let scene = pages::Beginning::start();
    picture(folder, &mut scene.browser(), &scene, pages::BEGINNING)
}

fn sandbox(folder: &Path) -> Vec<Pictured> {
    let _slot = take_slot();
    let scene = pages::FilledSandbox::start();
    let mut browser = harness::Browser::open(&scene.address());
    // Its addresses are its own.
    let pictured = picture(folder, &mut browser, &scene, pages::SANDBOX);
    pictured.into_iter().map(|it| Pictured { path: String::new(), ..it }).collect()
}

fn is_page(row: &RouteRow) -> bool {
    row.method == "GET" && row.kind == Kind::Page
}

/// The row that a path belongs to: of those that fit, the one with the fewest placeholders.
fn page_of<'a>(pages: &[&'a str], path: &str) -> Option<&'a str> {
    let fits = |row: &str| {
        let (row, path): (Vec<_>, Vec<_>) = (row.split('/').collect(), path.split('/').collect());
        row.len() == path.len() && row.iter().zip(&path).all(|(a, b)| a.starts_with('{') || a == b)
    };
    pages.iter().copied().filter(|it| fits(it)).min_by_key(|it| it.matches('{').count())
}

/// Where whoever runs this wants them; else beside the build.
fn folder() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
    std::env::var_os("SCREENSHOTS").map_or_else(beside, PathBuf::from)
}
