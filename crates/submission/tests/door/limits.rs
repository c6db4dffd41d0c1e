//! SS-7, SS-8, SS-9, SS-17: one less than the limit, the limit, one more.

use crate::client::{Client, base64, plain};
use crate::house::{House, USER};

/// A command line of exactly so many octets with its CRLF.
fn padded(start: &str, fill: char, octets: usize) -> String {
    let n = octets - 2 - start.len();
    format!("{start}{}", String::from(fill).repeat(n))
}

/// SS-7; RFC 5321 §4.5.3.1.4.
#[tokio::test]
async fn command_lines_have_their_limits() {
    let house = House::open().await;
    let mut client = house.signed_in().await;
    for (start, limit, ok) in [
        ("NOOP ", 512, "250 2.0.0 OK\r\n"),
        ("MAIL FROM:<> ENVID=", 2_048, "501 5.5.4 The value of ENVID is not valid\r\n"),
        ("RCPT TO:<a@b.test> ORCPT=rfc822;", 2_048, "503 5.5.1 Say MAIL first\r\n"),
    ] {
        for octets in [limit - 1, limit] {
            let line = padded(start, 'a', octets);
            let reply = client.ask(&line).await;
            assert!(
                reply == ok || reply.starts_with("501 5.5.4 The value of ORCPT"),
                "{start} {octets}: {reply}"
            );
        }
        let reply = client.ask(&padded(start, 'a', limit + 1)).await;
        assert_eq!(reply, "500 5.5.2 The command line is too long\r\n", "{start}");
        // What was left of the line was not taken for a command.
        assert_eq!(client.ask("NOOP").await, "250 2.0.0 OK\r\n");
    }
}

/// SS-7; RFC 4954 §4. A password that long is refused for being wrong, and one octet more for its length.
#[tokio::test]
async fn auth_lines_have_their_limit() {
    let house = House::open().await;
    let mut client = Client::connect_tls(&house).await;
    client.ask("HELO client.test").await;
    // 12,288 octets with CRLF: base64 comes in fours, so the longest response has 12,284 letters.
    let longest = base64(vec![b'a'; 12_284 / 4 * 3]);
    assert_eq!(client.ask("AUTH PLAIN").await, "334 \r\n");
    assert_eq!(
        client.ask(&longest).await,
        "501 5.5.2 The response does not have the form of its mechanism\r\n"
    );
    assert_eq!(client.ask("AUTH PLAIN").await, "334 \r\n");
    client.send(format!("{longest}aaaa\r\n")).await;
    assert_eq!(client.rest().await, "421 4.7.0 This line does not end\r\n");
}

/// SS-7: a gibibyte without a line end takes no memory and no patience.
#[tokio::test]
async fn an_endless_command_line_ends_the_session() {
    let house = House::open().await;
    let mut client = house.signed_in().await;
    let piece = vec![b'a'; 16 * 1024];
    client.send_pieces(std::iter::repeat_n(&piece[..], 16)).await;
    let rest = client.rest().await;
    assert!(rest.is_empty() || rest == "421 4.7.0 This line does not end\r\n", "{rest}");
}

/// SS-7: text lines beyond 998 octets pass on as they are, and stop at 1 MiB.
#[tokio::test]
async fn long_text_lines_pass_and_endless_ones_do_not() {
    let house = House::open_with(|it| it.max_message_bytes = 8 << 20).await;
    let mut client = house.signed_in().await;
    for length in [998, 999, 5_000, 1 << 20] {
        let body = vec![b'x'; length];
        let message = [b"From: reception@example.test\r\n\r\n", &body[..]].concat();
        assert!(client.send_letter(message).await.starts_with("250 "), "{length}");
        let text = house.text(house.letters().await.last().unwrap().id).await;
        assert!(text.ends_with(&[b"\r\n\r\n", &body[..], b"\r\n"].concat()), "{length}");
    }
    client.open_data().await;
    client.send_pieces([&vec![b'x'; (1 << 20) + 1][..]]).await;
    assert_eq!(client.rest().await, "554 5.6.0 A line of the message is longer than 1 MiB\r\n");
}

/// SS-8.
#[tokio::test]
async fn size_is_checked_when_announced_and_when_it_comes() {
    let house = House::open_with(|it| it.max_message_bytes = 1_000).await;
    let mut client = house.signed_in().await;
    for (octets, want) in [
        (999, "250 2.1.0 OK"),
        (1_000, "250 2.1.0 OK"),
        (1_001, "552 5.3.4 The message is larger than 1000 bytes"),
    ] {
        let reply = client.ask(&format!("MAIL FROM:<> SIZE={octets}")).await;
        assert_eq!(reply, format!("{want}\r\n"));
        client.ask("RSET").await;
    }
    let reply = client.ask("MAIL FROM:<> SIZE=99999999999999999999").await;
    assert_eq!(reply, "552 5.3.4 The message is larger than 1000 bytes\r\n");
    let header = "From: reception@example.test\r\n\r\n";
    for (octets, want) in [(999, "250"), (1_000, "250"), (1_001, "552"), (100_000, "552")] {
        // The CRLF before the dot belongs to the message.
        let body = "x".repeat(octets - header.len() - 2);
        let reply = client.send_letter(format!("{header}{body}")).await;
        assert!(reply.starts_with(want), "{octets}: {reply}");
        client.open_data().await;
        client.ask("From: reception@example.test\r\n\r\n.").await;
    }
    // A provider's own limit holds too, at both places.
    house.accounts.limit(500);
    let reply = client.ask("MAIL FROM:<> SIZE=501").await;
    assert_eq!(reply, "552 5.3.4 The message is larger than 500 bytes\r\n");
    let reply = client.send_letter(format!("{header}{}", "x".repeat(500))).await;
    assert_eq!(reply, "552 5.3.4 The message is larger than 500 bytes\r\n");
}

/// SS-9.
#[tokio::test]
async fn recipients_beyond_the_limit_are_put_off_one_by_one() {
    let house = House::open().await;
    let mut client = house.signed_in().await;
    let mut group = "MAIL FROM:<reception@example.test>\r\n".to_owned();
    for n in 0..540 {
        group.push_str(&format!("RCPT TO:<r{n}@example.org>\r\n"));
    }
    // One that was named before needs no place.
    group.push_str("RCPT TO:<r7@example.org>\r\nDATA\r\n");
    client.send(group).await;
    client.expect("250 2.1.0 OK\r\n").await;
    for n in 0..540 {
        let want = if n < 500 {
            "250 2.1.5 OK\r\n"
        } else {
            "452 4.5.3 At most 500 recipients a message: send the rest in another\r\n"
        };
        assert_eq!(client.reply().await, want, "{n}");
    }
    client.expect("250 2.1.5 OK\r\n").await;
    assert_eq!(client.code().await, 354);
    assert!(client.ask("From: reception@example.test\r\n\r\n.").await.starts_with("250 "));
    let letters = house.letters().await;
    assert_eq!(letters[0].recipients.len(), 500);
    assert_eq!(letters[0].recipients[499].address.as_str(), "r499@example.org");
}

/// SS-17.
#[tokio::test]
async fn a_header_has_its_limits() {
    let house = House::open().await;
    let mut client = house.signed_in().await;
    let from = "From: reception@example.test\r\n";
    for (n_fields, want) in
        [(999, "250 "), (1_000, "250 "), (1_001, "554 5.6.0 The header has more than 1000 fields")]
    {
        let header = format!("{from}{}", "X: y\r\n".repeat(n_fields - 1));
        let reply = client.send_letter(format!("{header}\r\nHello")).await;
        assert!(reply.starts_with(want), "{n_fields}: {reply}");
    }
    let longest = 256 * 1024;
    for (octets, want) in
        [(longest - 1, "250 "), (longest, "250 "), (longest + 1, "552 5.3.4 The header is longer")]
    {
        let mut header = from.to_owned();
        while header.len() + 1_000 < octets {
            header.push_str(&format!("X: {}\r\n", "y".repeat(900)));
        }
        header.push_str(&format!("X: {}\r\n", "y".repeat(octets - header.len() - 5)));
        let reply = client.send_letter(format!("{header}\r\nHello")).await;
        assert!(reply.starts_with(want), "{octets}: {reply}");
    }
}

/// SS-7, SS-16: local part 64, domain 255, path 256.
#[tokio::test]
async fn addresses_have_their_limits() {
    let house = House::open().await;
    let mut client = house.signed_in().await;
    client.ask("MAIL FROM:<>").await;
    let local = |n: usize| format!("{}@example.org", "a".repeat(n));
    let whole = |n: usize| {
        let labels = format!("{}.{}.{}.", "b".repeat(60), "c".repeat(60), "d".repeat(60));
        format!("a@{labels}{}", "e".repeat(n - 4 - 180 - 1 + 2))
    };
    for (address, want) in [
        (local(63), "250"),
        (local(64), "250"),
        (local(65), "501 5.1.3 The address is too long"),
        (whole(240), "250"),
        (format!("{}@{}.{}.{}.test", "a".repeat(64), "b".repeat(63), "c".repeat(63), "d".repeat(56)), "250"),
        (
            format!("{}@{}.{}.{}.test", "a".repeat(64), "b".repeat(63), "c".repeat(63), "d".repeat(57)),
            "501 5.1.3 The address is too long",
        ),
    ] {
        let reply = client.ask(&format!("RCPT TO:<{address}>")).await;
        assert!(reply.starts_with(want), "{} octets: {reply}", address.len());
    }
}

/// MP-18; nginx CVE-2025-53859: lengths are counted, and a NUL ends nothing.
#[tokio::test]
async fn auth_buffer_bounds() {
    let house = House::open().await;
    let password = house.password.reveal();
    for (case, want) in [
        (String::new(), "535 5.7.8"),
        (base64("\0\0"), "535 5.7.8"),
        (base64(format!("\0{USER}\0")), "535 5.7.8"),
        (base64(format!("\0\0{password}")), "535 5.7.8"),
        (base64(format!("\0{USER}\0{password}\0")), "501 5.5.2"),
        (base64(format!("\0{USER}\0{password}\0x")), "501 5.5.2"),
        (base64(format!("\0{USER}{password}")), "501 5.5.2"),
        (plain(USER, &format!("{password}\u{1}")), "535 5.7.8"),
        (plain(&"u".repeat(8_000), password), "535 5.7.8"),
        (plain(USER, password), "235 2.7.0"),
    ] {
        // The empty response of LOGIN is the user name's; of PLAIN it is none of its forms.
        let mut client = Client::connect_tls(&house).await;
        client.ask("HELO client.test").await;
        let reply = if case.is_empty() {
            client.ask("AUTH LOGIN =").await
        } else {
            client.ask(&format!("AUTH PLAIN {case}")).await
        };
        assert!(reply.starts_with(want), "{case}: {reply}");
    }
}
