//! Ending and starting again: in good order, with a full disk, with a second server, with a removed app password.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]
mod harness;

use std::path::Path;
use std::thread;

use harness::{AppPassword, Installation, Provider, Smtp, gatepost_command, serve_by, trusting};

const RECEPTION: &str = "reception@sandbox.test";

/// An installation with one account at a sandbox provider, and an app password for it.
fn connected(provider: &Provider, more: &str) -> (Installation, AppPassword) {
    let house = Installation::towards(&provider.authority(), more);
    house.add_account(RECEPTION, "sandbox", &provider.smtp(), "starttls");
    let password = house.app_password(RECEPTION, &[]);
    (house, password)
}

/// Doors opened before removals of app passwords had been read for the first time, and answered 454.
#[test]
fn applications_that_waited_for_a_restart_sign_in_at_once() {
    let provider = Provider::start();
    let (house, password) = connected(&provider, "");
    for _ in 0..5 {
        // On one processor, so that nothing happens beside what the doors do first.
        let mut command = gatepost_command();
        command.env("TOKIO_WORKER_THREADS", "1");
        let server = serve_by(command, &house.config);
        let (address, tls) =
            (server.text("submission_tls"), trusting(Path::new(&server.text("certificate"))));
        let waiting: Vec<_> = (0..16)
            .map(|_| {
                let (address, tls, password) = (address.clone(), tls.clone(), password.clone());
                thread::spawn(move || Smtp::connect(&address, &tls).and_then(|mut smtp| smtp.auth(&password)))
            })
            .collect();
        for application in waiting {
            let reply = application.join().unwrap().unwrap();
            assert_eq!(reply.code(), 235, "{}", reply.0);
        }
        server.kill();
    }
}
