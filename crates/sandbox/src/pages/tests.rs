//! The pages over real sockets.

use crate::tests::Testbed;

const ANA: &str = "ana@sandbox.test";

/// Texts that turn into something else where they are not escaped.
const ATTACKS: [&str; 7] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</title><script>alert(1)</script>",
    "{{7*7}}",
    "<svg/onload=alert(1)>",
    "javascript:alert(1)",
];

async fn send(bed: &Testbed, message: &str) {
    bed.signed_in(ANA).await.deliver(ANA, ANA, message, 250).await;
}

/// The pages of the mailbox and of its newest message.
async fn shown(bed: &Testbed) -> [String; 3] {
    let messages = bed.json(&format!("/api/mailboxes/{ANA}/messages")).await;
    let id = messages.as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
    let mailbox = bed.page(&format!("/mailboxes/{ANA}")).await;
    [bed.page("/").await, mailbox, bed.page(&format!("/mailboxes/{ANA}/{id}")).await]
}

#[tokio::test]
async fn nothing_a_sender_writes_becomes_part_of_a_page() {
    let bed = Testbed::start().await;
    for attack in ATTACKS {
        let html = format!(
            "From: \"{0}\" <x@y.z>\r\nTo: {0} <ana@sandbox.test>\r\nSubject: {0}\r\nX-Odd: {0}\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>{0}</p>{0}\r\n\
             --b\r\nContent-Type: text/plain; name=\"{0}\"\r\nContent-Disposition: attachment; filename=\"{0}\"\r\n\r\nx\r\n--b--",
            attack.replace('"', "\\\"")
        );
        let plain = format!("Subject: =?utf-8?q?{}?=\r\n\r\n{attack}", attack.replace(' ', "_"));
        for message in [html, plain] {
            send(&bed, &message).await;
            for page in shown(&bed).await {
                let lower = page.to_ascii_lowercase();
                for tag in [
                    "<script",
                    "<img",
                    "<svg/",
                    "onmouseover='",
                    "onerror=alert(1)>",
                    "</title><",
                    "href=\"javascript",
                ] {
                    assert!(!lower.contains(tag), "{attack:?} shows {tag}: {page}");
                }
            }
        }
    }
}

#[tokio::test]
async fn nothing_on_a_page_is_inline() {
    let bed = Testbed::start().await;
    send(&bed, "Subject: x\r\n\r\ny").await;
    let mut pages = shown(&bed).await.to_vec();
    pages.push(bed.page("/faults").await);
    for page in pages {
        for inline in ["<style", " style=", "<script", " onclick", "http://", "https://"] {
            assert!(!page.contains(inline), "{inline}: {page}");
        }
        assert!(page.len() + bed.page("/style.css").await.len() < 60_000);
    }
}

#[tokio::test]
async fn a_letter_is_shown_as_a_person_would_want_it() {
    let bed = Testbed::start().await;
    send(
        &bed,
        "From: =?utf-8?q?J=C3=B6rg?= <j@sandbox.test>\r\nTo: ana@sandbox.test\r\nSubject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\nK=F6nnen wir=\r\n reden?\r\n--b\r\nContent-Type: application/pdf\r\n\
         Content-Disposition: attachment; filename=\"report.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--",
    )
    .await;
    let [list, mailbox, letter] = shown(&bed).await;
    assert!(list.contains("Grüße") && list.contains("1 letter"), "{list}");
    assert!(mailbox.contains("Grüße") && mailbox.contains("Jörg"), "{mailbox}");
    for text in ["Können wir reden?", "report.pdf", "application/pdf", "3 bytes", "All headers", "/raw\""] {
        assert!(letter.contains(text), "{text}: {letter}");
    }
}

#[tokio::test]
async fn a_web_page_letter_is_shown_as_text() {
    let bed = Testbed::start().await;
    send(&bed, "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<b>Good</b> <i>news</i>")
        .await;
    let [_, _, letter] = shown(&bed).await;
    assert!(letter.contains("Good news") && letter.contains("written as a web page"), "{letter}");
}

#[tokio::test]
async fn an_empty_page_has_a_way_on() {
    let bed = Testbed::start().await;
    assert!(bed.page("/").await.contains("No letters yet"));
    assert!(bed.page("/mailboxes/new@sandbox.test").await.contains("This mailbox is ready"));
    let (status, page) = bed.http("GET", "/nowhere", "").await;
    assert!(status == 404 && page.contains("See the mailboxes"));
    assert_eq!(bed.http("GET", "/open?address=new@sandbox.test", "").await.0, 303);
    let (status, page) = bed.http("GET", "/open?address=%3Cb%3Enew", "").await;
    assert!(
        status == 400
            && page.contains("Write the whole address")
            && page.contains("value=\"&#60;b&#62;new\""),
        "{page}"
    );
}

#[tokio::test]
async fn faults_are_set_and_cleared_by_form() {
    let bed = Testbed::start().await;
    let form = "account=ana%40sandbox.test&fault=reply&phase=rcpt&recipient=&text=450+4.2.1+Later&milliseconds=&times=2";
    assert_eq!(bed.http("POST", "/faults", form).await.0, 303);
    let page = bed.page("/faults").await;
    assert!(page.contains("450 4.2.1 Later") && page.contains("2 more"), "{page}");
    // What was typed wrongly is still there, with what is wrong with it.
    let (status, page) = bed.http("POST", "/faults", "fault=reply&text=nonsense+here&times=many").await;
    assert!(
        status == 400 && page.contains("nonsense here") && page.contains("How often is a whole number."),
        "{page}"
    );
    assert_eq!(bed.http("POST", "/faults", "account=&fault=none").await.0, 303);
    assert!(bed.page("/faults").await.contains("No faults"));
}
