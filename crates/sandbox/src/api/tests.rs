//! The JSON door over real sockets.

use serde_json::json;

use crate::tests::Testbed;

#[tokio::test]
async fn an_address_without_messages_has_an_empty_list() {
    let bed = Testbed::start().await;
    assert_eq!(bed.json("/api/mailboxes/nobody@sandbox.test/messages").await, json!([]));
    assert_eq!(bed.json("/api/phone").await, json!([]));
    assert_eq!(bed.json("/api/mailboxes").await, json!([]), "asking makes no mailbox");
    assert_eq!(bed.page("/healthz").await, "ok\n");
}

#[tokio::test]
async fn what_is_not_understood_is_answered_with_a_sentence() {
    let bed = Testbed::start().await;
    for (path, body, want) in [
        ("/api/faults", "", "This is not a fault in JSON: "),
        ("/api/faults", "{\"fault\":\"cut\",\"x\":1}", "unknown field `x`"),
        ("/api/faults", "{\"fault\":\"burn\"}", "Use one of none, refuse_sign_in"),
        ("/api/faults", "{\"fault\":\"cut\",\"phase\":\"noon\"}", "Use one of connect, starttls, auth"),
        ("/api/faults", "{\"fault\":\"cut\",\"account\":\"x\"}", "is not an address"),
        ("/api/mailboxes/nobody", "{}", "is not an address"),
        ("/api/mailboxes/a@b.c", "{\"passwort\":\"x\"}", "Send a JSON object with password"),
        ("/api/mailboxes/a@b.c", "{\"password\":\"\"}", "at least one character"),
        ("/api/mailboxes/a@b.c", "{\"app_password\":\"abc\"}", "16 letters"),
    ] {
        let (status, answer) = bed.http("PUT", path, body).await;
        assert_eq!(status, 400, "{path} {body}");
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        assert!(answer["error"].as_str().unwrap().contains(want), "{path} {body}: {answer}");
    }
    assert_eq!(bed.json("/api/faults").await, json!([]));
}

#[tokio::test]
async fn faults_are_listed_as_they_were_set() {
    let bed = Testbed::start().await;
    bed.fault(r#"{"fault":"slow","phase":"mail","milliseconds":7,"account":null}"#).await;
    let slow = json!({"door": null, "account": null, "fault": "slow", "phase": "mail", "recipient": null, "text": null, "milliseconds": 7, "times": null});
    assert_eq!(bed.json("/api/faults").await, json!([slow]));
    bed.fault(r#"{"fault":"none"}"#).await;
    assert_eq!(bed.json("/api/faults").await, json!([]));
}

#[tokio::test]
async fn no_address_and_no_id_leads_out_of_the_folder() {
    let bed = Testbed::start().await;
    std::fs::write(bed.data.path().join("secret.eml"), "secret").unwrap();
    for address in
        ["..%2F..@x.test", "%2E%2E%2Fsecret@x.test", "%2Fetc%2Fpasswd@x.test", "a%00@x.test", "..", "%2E%2E"]
    {
        for path in [format!("/api/mailboxes/{address}/messages"), format!("/mailboxes/{address}")] {
            let (status, body) = bed.http("GET", &path, "").await;
            assert!(
                [200, 400, 404].contains(&status) && !body.contains("secret\n"),
                "{path}: {status} {body}"
            );
        }
    }
    for id in ["..%2Fsecret", "secret", "%2E%2E%2F%2E%2E%2Fsecret", "0000000000000000"] {
        let (status, _) = bed.http("GET", &format!("/api/mailboxes/a@x.test/messages/{id}/raw"), "").await;
        assert_eq!(status, 404, "{id}");
        assert_eq!(bed.http("GET", &format!("/mailboxes/a@x.test/{id}"), "").await.0, 404, "{id}");
    }
}
