//! The browser of the tests finds what is wrong with a page, does what a person does, and ends with its test.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

#[path = "harness/mod.rs"]
mod harness;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use gatepost_testkit::{take_slot, wait_until};
use harness::{Browser, BrowserOptions, Key, LOOKS, Look, Size, Theme};

const HEAD: &str = "<!doctype html><html lang=en><meta name=viewport content=\"width=device-width\"><title>A page</title><link rel=icon href=\"data:,\">";

/// What renews the live parts of pages.
const SCRIPT: &str = include_str!("../crates/web/src/gatepost.js");

/// Serves these pages until the test program ends; gives their address. A page may bring headers, which end with an empty line.
fn pages(pages: &[(&'static str, &str)]) -> String {
    let pages: HashMap<_, _> = pages.iter().map(|(path, page)| (*path, (*page).to_owned())).collect();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            // A browser opens connections that it does not use; nobody waits for them.
            let pages = pages.clone();
            std::thread::spawn(move || answer(&socket, &pages));
        }
    });
    address
}

fn answer(mut socket: &TcpStream, pages: &HashMap<&str, String>) {
    let mut lines = BufReader::new(socket).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let cookie = lines.take_while(|it| !it.is_empty()).any(|it| it.to_lowercase().starts_with("cookie:"));
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (status, page) = match pages.get(path.split('?').next().unwrap_or_default()) {
        Some(page) => ("200 OK", page.clone()),
        None => ("404 Not Found", format!("{HEAD}<main><h1>Nothing here</h1></main>")),
    };
    let (headers, body) = page.split_once("\n\n").unwrap_or(("", &page));
    let body = body.replace("{cookie}", if cookie { "A cookie came back" } else { "No cookie came back" });
    let break_line = if headers.is_empty() { "" } else { "\r\n" };
    let _ = write!(
        socket,
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n{headers}{break_line}\r\n{body}",
        body.len()
    );
}

#[test]
fn a_good_page_passes_in_every_look() {
    let _slot = take_slot();
    let page = format!(
        "{HEAD}<style>:root{{color-scheme:light dark}} p::before{{content:'light'}}
         @media (prefers-color-scheme:dark){{p::before{{content:'dark'}}}}</style>
         <main><h1>Good</h1><p id=look></p></main>"
    );
    let mut browser = Browser::open(&pages(&[("/", &page)]));
    for look in LOOKS {
        browser.change_look(look);
        browser.go("/");
        browser.check_page();
        assert_eq!(browser.script("return innerWidth", &[]), look.width());
        let is_dark = browser.script("return matchMedia('(prefers-color-scheme: dark)').matches", &[]);
        assert_eq!(is_dark, look.theme == Theme::Dark, "{look:?}");
    }
    browser.check_page_in_every_look();
}

#[test]
fn what_is_wrong_with_a_page_is_found() {
    let _slot = take_slot();
    let main = |inner: &str| format!("{HEAD}<main><h1>Bad</h1>{inner}</main>");
    let heavy = main(&"<p>heavy</p>".repeat(6_000));
    let shifting = main(
        "<div id=late></div><p>pushed down</p><script>requestAnimationFrame(() => setTimeout(() => \
         { late.style.height = '300px'; requestAnimationFrame(() => setTimeout(() => document.title = 'Late')); }, 50))</script>",
    );
    let policy = format!("Content-Security-Policy: script-src 'none'\n\n{}", main("<script>inline</script>"));
    let mut browser = Browser::open(&pages(&[
        ("/unlabelled", &main("<input><p style=\"color:#aaa;background:#fff\">pale</p>")),
        ("/heavy", &heavy),
        ("/shifting", &shifting),
        ("/policy", &policy),
        ("/error", &main("<script>throw new Error('broken')</script>")),
        ("/missing-part", &main("<script src=/gone.js></script>")),
        ("/wide", &main("<div style=\"width:700px\">wide</div>")),
    ]));

    browser.go("/unlabelled");
    let broken: Vec<_> =
        browser.violations().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(broken, ["color-contrast", "label"]);
    let told = failure(|| browser.accessible());
    assert!(told.contains("label (\"critical\")") || told.contains("\"label\" (\"critical\")"), "{told}");

    browser.go("/heavy");
    assert!(browser.weight() > 60_000 && failure(|| browser.check_page()).contains("weighs"));

    browser.go("/shifting");
    let moved = wait_until(Duration::from_secs(10), || (browser.layout_shift() > 0.01).then_some(()));
    assert!(moved.is_some() && failure(|| browser.check_page()).contains("shifts by"));

    browser.go("/policy");
    let told = failure(|| browser.is_quiet());
    assert!(told.contains("Content Security Policy"), "{told}");

    browser.go("/error");
    assert!(failure(|| browser.is_quiet()).contains("broken"));
    browser.go("/missing-part");
    assert!(failure(|| browser.is_quiet()).contains("gone.js"));

    browser.change_look(Look { size: Size::Narrow, theme: Theme::Light });
    browser.go("/wide");
    assert!(failure(|| browser.fits()).contains("390 fit"));

    // What is announced is no complaint, and neither is a refusal that the person sees.
    browser.expect_in_console("broken");
    browser.go("/error");
    browser.go("/nowhere");
    browser.see("Nothing here");
    browser.is_quiet();
}

#[test]
fn a_live_part_may_move_what_is_below_it_and_a_page_that_loads_may_not() {
    let _slot = take_slot();
    let page = |script: &str| {
        let live = "<section data-live=/part data-every=1><p>One letter waits</p></section><p>below</p>";
        format!(
            "{HEAD}<main><h1>Live</h1><div id=late></div>{live}</main>{script}<script src=/script></script>"
        )
    };
    let shifting = "<script>requestAnimationFrame(() => setTimeout(() => { late.style.height = '300px'; }, 50))</script>";
    let mut browser = Browser::open(&pages(&[
        ("/", &page("")),
        ("/shifting", &page(shifting)),
        ("/part", &"<p>All have left</p>".repeat(9)),
        ("/script", &format!("Cache-Control: no-store\n\n{SCRIPT}")),
    ]));
    browser.go("/");
    browser.see("All have left");
    browser.check_page();
    browser.go("/shifting");
    browser.see("All have left");
    assert!(failure(|| browser.check_page()).contains("shifts by"));
}

#[test]
fn a_person_finds_things_by_their_words() {
    let _slot = take_slot();
    let form = format!(
        "{HEAD}<main><h1>Form</h1><form action=/done>
         <label for=n>Your name <small>(optional)</small></label><input id=n name=n value=old>
         <label>Colour<select name=c><option>Red<option>Blue</select></label>
         <label><input type=checkbox name=k> Keep me</label>
         <input type=hidden name=h value=hidden><button>Send  it</button></form>
         <ul><li>One <a href=/one>Open</a><li>Two <a href=/two>Open</a></ul>
         <p hidden>unseen</p><a download=list.txt href=\"data:text/plain,a%20list\">Download the list</a></main>"
    );
    let mut browser = Browser::open(&pages(&[
        ("/", &form),
        ("/done", &format!("{HEAD}<main><h1>Done</h1></main>")),
        ("/two", &format!("{HEAD}<main><h1>The second</h1></main>")),
    ]));
    browser.go("/");
    browser.not_see("unseen");
    browser.fill("Your name", "Ana");
    browser.choose("Colour", "Blue");
    browser.tick("Keep me");
    assert!(browser.is_ticked("Keep me") && browser.value("Your name") == "Ana");
    browser.press("Download the list");
    assert_eq!(browser.downloaded("list.txt"), b"a list");
    // By keyboard alone: from the first thing on the page to the box, and back off.
    browser.reload();
    for reached in ["Your name (optional)", "Colour", "Keep me"] {
        browser.keys(&Key::Tab);
        assert!(browser.focused().starts_with(reached), "{reached}: {}", browser.focused());
    }
    browser.keys(" ");
    browser.fill("Your name", "Ana");
    browser.choose("Colour", "Blue");
    assert!(browser.is_ticked("Keep me"));
    browser.press("Send it");
    browser.see("Done");
    assert_eq!(browser.path(), "/done?n=Ana&c=Blue&k=on&h=hidden");
    browser.go_back();
    browser.press_near("Two", "Open");
    browser.see("The second");
    browser.arrives_at("/two");
    // A second tab beside it, on the same pages and in the same look.
    browser.change_look(Look { size: Size::Narrow, theme: Theme::Dark });
    let first = browser.new_tab();
    browser.go("/");
    browser.see("Form");
    assert_eq!(browser.script("return innerWidth", &[]), 390);
    let second = browser.turn_to(first);
    browser.see("The second");
    browser.turn_to(second);
    browser.see("Form");
}

#[test]
fn script_cookies_and_clipboard_can_be_refused() {
    let _slot = take_slot();
    let page = format!(
        "Set-Cookie: visitor=1; Path=/\n\n{HEAD}<main><h1>Switches</h1><p>{{cookie}}</p><noscript>Script is off</noscript>
         <button onclick=\"navigator.clipboard.writeText('copied').then(() => out.textContent = 'Was copied', () => out.textContent = 'Copy by hand')\">Copy</button>
         <p id=out></p></main>"
    );
    let address = pages(&[("/", &page)]);
    let mut browser = Browser::open(&address);
    for (is_allowed, seen) in [(true, "Was copied"), (false, "Copy by hand")] {
        browser.allow_clipboard(is_allowed);
        browser.go("/");
        browser.press("Copy");
        browser.see(seen);
        if is_allowed {
            assert_eq!(browser.clipboard(), "copied");
        }
    }
    browser.go("/");
    browser.see("A cookie came back");
    browser.not_see("Script is off");
    drop(browser);
    let options = BrowserOptions { is_script_on: false, are_cookies_on: false, ..BrowserOptions::default() };
    let mut strict = Browser::open_with(&address, options);
    for _ in 0..2 {
        strict.go("/");
        strict.see("No cookie came back");
        strict.see("Script is off");
    }
}

#[test]
fn nothing_of_a_browser_outlives_its_test_even_one_that_fails() {
    let _slot = take_slot();
    let address = pages(&[("/", &format!("{HEAD}<main><h1>Here</h1></main>"))]);
    let mut profile = String::new();
    let failed = catch_unwind(AssertUnwindSafe(|| {
        let mut browser = Browser::open(&address);
        browser.go("/");
        profile = browser.profile();
        assert!(!processes_of(&profile).is_empty(), "the search finds a living one");
        panic!("as a failed test does");
    }));
    assert!(failed.is_err());
    let gone = wait_until(Duration::from_secs(10), || processes_of(&profile).is_empty().then_some(()));
    assert!(gone.is_some(), "{:?} still run", processes_of(&profile));
    assert!(!std::path::Path::new(&profile).exists());
}

/// The processes with this on their command line.
fn processes_of(profile: &str) -> Vec<String> {
    let folders = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = folders.filter_map(|it| std::fs::read(it.path().join("cmdline")).ok());
    lines
        .map(|it| String::from_utf8_lossy(&it).replace('\0', " "))
        .filter(|it| it.contains(profile))
        .collect()
}

/// What the panic of `check` says.
#[track_caller]
fn failure(check: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(check)).expect_err("this should have failed");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}
