//! SS-5: one message never becomes two.

use gatepost_identity::AppPasswordLimits;

use crate::house::{House, limits};

/// What might be taken for a line end, before the dot and behind it.
const ENDS: [&[u8]; 5] = [b"\n", b"\r", b"\r\n", b"\0\r\n", b"\r\r\n"];

/// A letter that would follow, if the first were over.
const SECOND: &[u8] =
    b"MAIL FROM:<second@example.test>\r\nRCPT TO:<evil@example.org>\r\nDATA\r\nFrom: second@example.test\r\n\r\nsmuggled";

/// One dialogue: a message with a doubtful end in it, then the true one. `at` is where the doubtful end stands.
fn message(before: &[u8], behind: &[u8], at: &str) -> (Vec<u8>, usize) {
    let doubtful = [before, b".", behind].concat();
    let head: &[u8] = match at {
        "start" => b"",
        _ => b"From: reception@example.test\r\n\r\ntext",
    };
    let tail: &[u8] = match at {
        "end" => b"",
        _ => SECOND,
    };
    ([head, &doubtful, tail, b"\r\n.\r\n"].concat(), head.len())
}

/// Postfix CVE-2023-51764, Sendmail CVE-2023-51765, Exim CVE-2023-51766, chasquid CVE-2023-52354, Postal CVE-2024-27938.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn smuggle_eod_matrix() {
    let house = House::open().await;
    let mut n_expected = 0;
    for before in ENDS {
        for behind in ENDS {
            for at in ["start", "middle", "end"] {
                let (bytes, doubt) = message(before, behind, at);
                // Where the end is a true one, what follows it is commands, and that is right.
                if is_true_end(&bytes, doubt, before, behind) {
                    continue;
                }
                for split in
                    doubt.saturating_sub(1)..=(doubt + before.len() + behind.len() + 2).min(bytes.len())
                {
                    let mut client = house.signed_in().await;
                    client.open_data().await;
                    let (one, two) = bytes.split_at(split);
                    client.send_pieces([one, two]).await;
                    let case = format!("{:?} {at}, split at {split}", bytes.escape_ascii().to_string());
                    let reply = client.reply().await;
                    if has_bare_line_end(&bytes) {
                        assert!(reply.starts_with("550 5.5.2 The message has a line end"), "{case}: {reply}");
                        assert_eq!(client.rest().await, "", "{case}");
                    } else if reply.starts_with("250 ") {
                        n_expected += 1;
                        assert_eq!(client.ask("NOOP").await, "250 2.0.0 OK\r\n", "{case}");
                    } else {
                        assert!(reply.starts_with("55"), "{case}: {reply}");
                        assert_eq!(client.ask("NOOP").await, "250 2.0.0 OK\r\n", "{case}");
                    }
                }
            }
        }
    }
    let letters = house.letters().await;
    assert_eq!(letters.len(), n_expected);
    assert!(letters.iter().all(|it| it.from.as_ref().unwrap().as_str() == "reception@example.test"));
}

/// D4: a line end that was repaired ends nothing either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repaired_line_ends_never_end_a_message() {
    let house = House::open().await;
    let (_, password) =
        house.create_app_password(AppPasswordLimits { repairs_line_ends: true, ..limits() }).await;
    let mut client = house.signed_in_with(&password).await;
    let mut n = 0;
    for before in ENDS {
        for behind in ENDS {
            let (bytes, doubt) = message(before, behind, "middle");
            if is_true_end(&bytes, doubt, before, behind) {
                continue;
            }
            for split in [
                0,
                doubt,
                doubt + 1,
                doubt + before.len(),
                doubt + before.len() + 1,
                doubt + before.len() + 2,
            ] {
                client.open_data().await;
                let (one, two) = bytes.split_at(split);
                client.send_pieces([one, two]).await;
                let case = bytes.escape_ascii().to_string();
                let reply = client.reply().await;
                assert!(reply.starts_with("250 2.0.0 Accepted"), "{case}: {reply}");
                n += 1;
            }
        }
    }
    let letters = house.letters().await;
    assert_eq!(letters.len(), n);
    for letter in &letters {
        assert_eq!(letter.recipients[0].address.as_str(), "a@b.test");
        let text = house.text(letter.id).await;
        assert!(text.ends_with(b"smuggled\r\n"));
        let bare = text.iter().enumerate().any(|(at, byte)| *byte == b'\n' && text[at - 1] != b'\r');
        assert!(!bare, "{}", text.escape_ascii());
    }
}

/// The words of RFC 5321 §4.1.1.4: CRLF, dot, CRLF, and the CRLF of the DATA command counts.
fn is_true_end(bytes: &[u8], doubt: usize, before: &[u8], behind: &[u8]) -> bool {
    let upto = doubt + before.len() + 1 + behind.len();
    let seen = [b"\r\n", &bytes[..upto]].concat();
    seen.windows(5).any(|it| it == b"\r\n.\r\n")
}

fn has_bare_line_end(bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|at| match bytes[at] {
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        b'\n' => at == 0 || bytes[at - 1] != b'\r',
        _ => false,
    })
}

/// Lettre RUSTSEC-2021-0069, from the other side: a dot that was doubled is one dot again, whatever the pieces.
#[tokio::test]
async fn dot_stuffing() {
    let house = House::open().await;
    let mut client = house.signed_in().await;
    let message = b"From: reception@example.test\r\nDate: now\r\nMessage-ID: <1@x.test>\r\n\r\n..\r\n...a\r\nb.\r\n..\r\n\r\n.\r\n";
    client.open_data().await;
    client.send_pieces(message.chunks(1)).await;
    assert_eq!(client.code().await, 250);
    let letters = house.letters().await;
    let text = house.text(letters[0].id).await;
    assert!(text.ends_with(b"\r\n\r\n.\r\n..a\r\nb.\r\n.\r\n\r\n"), "{}", text.escape_ascii());
}

/// GHSA-c7w3-x93f-qmm8: an envelope cannot carry a line of its own.
#[tokio::test]
async fn envelope_crlf() {
    let house = House::open().await;
    for line in [
        "MAIL FROM:<reception@example.test> SIZE=1\rRCPT TO:<evil@example.org>",
        "MAIL FROM:<reception@example.test> SIZE=1\nRCPT TO:<evil@example.org>",
        "MAIL FROM:<reception@example.test\0>",
        "MAIL FROM:<\"a\rb\"@example.test>",
        "MAIL FROM:<reception@example.test> ENVID=a+0D+0Ab",
        "MAIL FROM:<reception@example.test> AUTH=a+0Ab",
    ] {
        let mut client = house.signed_in().await;
        let reply = client.ask(line).await;
        assert!(reply.starts_with("50"), "{line:?}: {reply}");
        // Whatever was behind it, no recipient was taken.
        client.send("DATA\r\n").await;
        while !client.reply().await.starts_with("503 5.5.1 Say MAIL first") {}
    }
}
