use gatepost_testkit::fresh_folder;

use super::*;
use crate::tests::{Testbed, plain, settings};

const ANA: &str = "ana@sandbox.test";

#[tokio::test]
async fn a_sandbox_listens_on_loopback_only() {
    let data = fresh_folder();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let address = address.parse().unwrap();
        for settings in [
            SandboxSettings { pages: address, ..settings(&data) },
            SandboxSettings { smtp: address, ..settings(&data) },
            SandboxSettings { imap: address, ..settings(&data) },
            SandboxSettings { pop3: address, ..settings(&data) },
        ] {
            let refused = Sandbox::start(settings, &World::real()).await.err().unwrap();
            assert!(matches!(refused, SandboxError::NotLoopback(it) if it == address));
        }
    }
    assert!(!data.path().join("sandbox").exists(), "nothing half-made");
}

#[tokio::test]
async fn mailboxes_passwords_and_trust_survive_a_restart_and_faults_do_not() {
    let bed = Testbed::start().await;
    bed.signed_in(ANA).await.deliver(ANA, ANA, "Subject: x\r\n\r\ny", 250).await;
    bed.http("PUT", "/api/mailboxes/ana@sandbox.test", r#"{"password":"new"}"#).await;
    bed.fault(r#"{"fault":"refuse_sign_in"}"#).await;
    let authority = std::fs::read(&bed.ready.certificate).unwrap();
    let bed = bed.restart().await;
    assert_eq!(std::fs::read(&bed.ready.certificate).unwrap(), authority);
    assert_eq!(bed.n_messages(ANA).await, 1);
    bed.encrypted().await.ask(&plain(ANA, "new"), 235).await;
}

#[tokio::test]
async fn the_stop_says_goodbye_and_frees_the_folder() {
    let bed = Testbed::start().await;
    assert_eq!(crate::find_living(bed.data.path()).await.unwrap().unwrap(), bed.ready);
    let mut client = bed.signed_in(ANA).await;
    bed.stop();
    assert!(client.expect(421).await.starts_with("421 4.3.2 "));
    client.expect_end().await;
    assert_eq!(crate::find_living(bed.data.path()).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_secret_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let bed = Testbed::start().await;
    let mode =
        |path: &str| std::fs::metadata(bed.data.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("sandbox"), mode("sandbox/authority.key")), (0o700, 0o600));
}
