use proptest::prelude::*;
use static_assertions::assert_not_impl_any;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::testing::{half_pair, host, pair, soon, tls_pair, trusting};

// A line may be a password (VA-6).
assert_not_impl_any!(Line: std::fmt::Debug, std::fmt::Display, Clone);

fn at_once() -> Instant {
    Instant::now() + Duration::from_millis(30)
}

async fn line(connection: &mut Connection, limit: usize) -> Result<String, ReadError> {
    let line = connection.read_line(limit, LineEnd::Crlf, soon()).await?;
    Ok(String::from_utf8(line.to_vec()).unwrap())
}

#[tokio::test]
async fn lines_that_came_together_are_read_one_by_one() {
    let (mut ours, mut theirs) = half_pair().await;
    theirs.write_all(b"one\r\n\r\nthree\r\nfo").await.unwrap();
    assert_eq!(line(&mut ours, 10).await.unwrap(), "one");
    assert_eq!(line(&mut ours, 10).await.unwrap(), "");
    assert_eq!(line(&mut ours, 10).await.unwrap(), "three");
    assert_eq!(ours.buffered(), b"fo");
    theirs.write_all(b"ur\r\n").await.unwrap();
    assert_eq!(line(&mut ours, 10).await.unwrap(), "four");
}

#[tokio::test]
async fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
    for (length, fits) in [(9, true), (10, true), (11, false), (5_000, false)] {
        let (mut ours, mut theirs) = half_pair().await;
        theirs.write_all(format!("{}\r\nnext\r\n", "a".repeat(length)).as_bytes()).await.unwrap();
        let read = line(&mut ours, 10).await;
        if fits {
            assert_eq!(read.unwrap().len(), length);
        } else {
            assert!(matches!(read, Err(ReadError::LineTooLong { limit: 10 })), "{length}");
            ours.skip_line(10_000, soon()).await.unwrap();
        }
        assert_eq!(line(&mut ours, 10).await.unwrap(), "next");
    }
}

/// SS-7: a line without end takes no memory.
#[tokio::test]
async fn an_endless_line_is_refused_in_bounded_memory() {
    let (mut ours, mut theirs) = half_pair().await;
    let writer = tokio::spawn(async move {
        let block = vec![b'a'; 64 * 1024];
        while theirs.write_all(&block).await.is_ok() {}
    });
    assert!(matches!(line(&mut ours, 512).await, Err(ReadError::LineTooLong { .. })));
    assert!(matches!(
        ours.skip_line(1 << 20, soon()).await,
        Err(ReadError::LineTooLong { limit: 1_048_576 })
    ));
    assert!(ours.input.capacity() <= 4 * READ_BYTES);
    drop(ours);
    writer.await.unwrap();
}

#[tokio::test]
async fn a_bare_line_feed_is_an_error_where_crlf_is_demanded() {
    let (mut ours, mut theirs) = half_pair().await;
    theirs.write_all(b"a\nb\r\nc\nd\r\n").await.unwrap();
    assert!(matches!(line(&mut ours, 10).await, Err(ReadError::BareLineFeed)));
    assert_eq!(line(&mut ours, 10).await.unwrap(), "b");
    for want in [&b"c"[..], b"d"] {
        assert_eq!(&*ours.read_line(10, LineEnd::CrlfOrLf, soon()).await.unwrap(), want);
    }
}

#[tokio::test]
async fn waiting_ends_at_the_deadline() {
    let (mut ours, _theirs) = half_pair().await;
    assert!(matches!(ours.read_line(10, LineEnd::Crlf, at_once()).await, Err(ReadError::TimedOut)));
    assert!(matches!(ours.fill(at_once()).await, Err(ReadError::TimedOut)));
}

/// A peer that sends a byte now and then does not move the deadline (SS-11).
#[tokio::test]
async fn a_slow_drip_does_not_outlast_the_deadline() {
    let (mut ours, mut theirs) = half_pair().await;
    let dripping = tokio::spawn(async move {
        while theirs.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let deadline = Instant::now() + Duration::from_millis(100);
    assert!(matches!(ours.read_line(100_000, LineEnd::Crlf, deadline).await, Err(ReadError::TimedOut)));
    drop(ours);
    dripping.await.unwrap();
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_given_up() {
    let (mut ours, _theirs) = half_pair().await;
    let body = vec![0; 64 << 20];
    assert!(matches!(ours.write_all(&body, at_once()).await, Err(WriteError::TimedOut)));
    assert!(ours.is_output_torn, "no farewell may land in the middle of it");
}

#[tokio::test]
async fn an_idle_connection_has_no_buffers() {
    let (mut ours, mut theirs) = half_pair().await;
    theirs.write_all(b"EHLO client\r\n").await.unwrap();
    line(&mut ours, 512).await.unwrap();
    ours.queue(b"250 ok\r\n");
    ours.flush(soon()).await.unwrap();
    assert!(matches!(ours.fill(at_once()).await, Err(ReadError::TimedOut)));
    assert_eq!((ours.input.capacity(), ours.output.capacity()), (0, 0));

    let (mut server, mut client) = tls_pair().await;
    client.write_all(b"EHLO client\r\n", soon()).await.unwrap();
    line(&mut server, 512).await.unwrap();
    assert!(matches!(server.fill(at_once()).await, Err(ReadError::TimedOut)));
    assert_eq!((server.input.capacity(), server.output.capacity()), (0, 0));
}

#[tokio::test]
async fn a_short_command_does_not_keep_a_long_buffer() {
    let (mut ours, mut theirs) = half_pair().await;
    theirs.write_all(b"half a line").await.unwrap();
    ours.fill(soon()).await.unwrap();
    assert!(ours.input.capacity() < 64);
}

#[tokio::test]
async fn queued_replies_leave_in_one_piece() {
    let (mut ours, mut theirs) = half_pair().await;
    ours.queue(b"250 one\r\n");
    ours.queue(b"250 two\r\n");
    assert_eq!(ours.queued_bytes(), 18);
    ours.write_all(b"354 go\r\n", soon()).await.unwrap();
    let mut segment = [0; 100];
    let read = theirs.read(&mut segment).await.unwrap();
    assert_eq!(&segment[..read], b"250 one\r\n250 two\r\n354 go\r\n");
}

#[tokio::test]
async fn a_large_body_goes_through_both_ways_under_tls() {
    let (mut server, mut client) = tls_pair().await;
    let body: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let sent = body.clone();
    let sending = tokio::spawn(async move {
        client.queue(b"DATA\r\n");
        client.write_all(&sent, soon()).await.unwrap();
        client.close(soon()).await;
    });
    assert_eq!(line(&mut server, 10).await.unwrap(), "DATA");
    let mut got = Vec::new();
    let end = loop {
        match server.fill(soon()).await {
            Ok(bytes) => {
                let length = bytes.len();
                got.extend_from_slice(bytes);
                server.consume(length);
            }
            Err(end) => break end,
        }
    };
    assert!(got == body);
    assert!(matches!(end, ReadError::Closed), "close_notify is a proper end: {end}");
    drop(server);
    sending.await.unwrap();
}

#[tokio::test]
async fn a_closed_and_a_reset_connection_are_told_apart() {
    let (mut ours, theirs) = half_pair().await;
    drop(theirs);
    assert!(matches!(ours.fill(soon()).await, Err(ReadError::Closed)));

    let (mut ours, mut theirs) = half_pair().await;
    ours.write_all(b"unread", soon()).await.unwrap();
    theirs.readable().await.unwrap();
    theirs.write_all(b"").await.unwrap();
    // Closing with unread input makes the system send a reset.
    drop(theirs);
    assert!(matches!(ours.fill(soon()).await, Err(ReadError::Broken(_))));
}

/// SS-6 (Exim, CVE-2026-45185): an end without close_notify is not an end, and nothing behind close_notify is read.
#[tokio::test]
async fn tls_that_is_cut_off_is_not_a_proper_end() {
    let (mut server, mut client) = tls_pair().await;
    client.write_all(b"half a body", soon()).await.unwrap();
    match &mut client.stream {
        Stream::Client(stream) => stream.get_mut().0.shutdown().await.unwrap(),
        _ => unreachable!(),
    }
    assert_eq!(server.fill(soon()).await.unwrap(), b"half a body");
    server.consume(11);
    assert!(matches!(server.fill(soon()).await, Err(ReadError::Truncated)));
}

#[tokio::test]
async fn bdat_tls_close() {
    let (mut server, mut client) = tls_pair().await;
    client.write_all(b"half a chunk", soon()).await.unwrap();
    match &mut client.stream {
        Stream::Client(stream) => {
            stream.get_mut().1.send_close_notify();
            stream.flush().await.unwrap();
            stream.get_mut().0.write_all(b"X").await.unwrap();
        }
        _ => unreachable!(),
    }
    assert_eq!(server.fill(soon()).await.unwrap(), b"half a chunk");
    server.consume(12);
    assert!(matches!(server.fill(soon()).await, Err(ReadError::Closed)), "the clear X is never read");
    assert!(server.buffered().is_empty());
}

/// SS-4, SC-3: whatever lies behind STARTTLS was not encrypted and must not be taken for it.
#[tokio::test]
async fn tls_does_not_begin_over_waiting_bytes() {
    let (server_tls, client_tls) = trusting("mail.example.org");
    let (mut ours, mut theirs) = half_pair().await;
    theirs.write_all(b"STARTTLS\r\nMAIL FROM:<>\r\n").await.unwrap();
    line(&mut ours, 512).await.unwrap();
    let begun = ours.start_tls_server(&server_tls, &[], soon()).await;
    assert!(matches!(begun, Err(StartTlsError::BytesWaiting)));
    assert!(ours.write_all(b"220", soon()).await.is_err(), "the connection is of no use any more");

    let (mut ours, mut theirs) = half_pair().await;
    theirs.write_all(b"220 go\r\n250 injected\r\n").await.unwrap();
    line(&mut ours, 512).await.unwrap();
    let begun = ours.start_tls_client(&client_tls, &host("mail.example.org"), soon()).await;
    assert!(matches!(begun, Err(StartTlsError::BytesWaiting)));
}

#[tokio::test]
async fn clear_bytes_that_come_later_end_the_handshake() {
    let (server_tls, _) = trusting("mail.example.org");
    for late in [&b"MAIL FROM:<>\r\n"[..], b"\r\n", b"RSET\r\nNOOP\r\n"] {
        let (mut ours, mut theirs) = half_pair().await;
        theirs.write_all(late).await.unwrap();
        theirs.shutdown().await.unwrap();
        let begun = ours.start_tls_server(&server_tls, &[], soon()).await;
        assert!(matches!(begun, Err(StartTlsError::Handshake(_))), "{late:?}");
    }
}

#[tokio::test]
async fn tls_begins_once() {
    let (server_tls, _) = trusting("mail.example.org");
    let (mut server, _client) = tls_pair().await;
    let again = server.start_tls_server(&server_tls, &[], soon()).await;
    assert!(matches!(again, Err(StartTlsError::AlreadyEncrypted)));
}

#[tokio::test]
async fn input_nobody_asked_for_is_noticed_without_waiting() {
    let (mut ours, mut theirs) = half_pair().await;
    assert!(!ours.has_input_waiting() && ours.is_quiet());
    theirs.write_all(b"x").await.unwrap();
    ours.fill(soon()).await.unwrap();
    assert!(ours.has_input_waiting());
    assert!(!ours.is_quiet());
    assert_eq!(ours.take_buffered(), b"x");
    assert!(!ours.has_input_waiting());
    drop(theirs);
    assert!(matches!(ours.fill(soon()).await, Err(ReadError::Closed)));
    assert!(!ours.has_input_waiting() && !ours.is_quiet());
}

/// Closing with unread input would make the system send a reset, which can destroy the reply on its way.
#[tokio::test]
async fn the_last_reply_arrives_although_input_was_not_read() {
    let (mut ours, mut theirs) = pair().await;
    theirs.write_all(&vec![b'x'; 100_000], soon()).await.unwrap();
    ours.fill(soon()).await.unwrap();
    let parting = tokio::spawn(async move { ours.part(b"421 bye\r\n").await });
    assert_eq!(line(&mut theirs, 100).await.unwrap(), "421 bye");
    drop(theirs);
    parting.await.unwrap();
}

#[tokio::test]
async fn it_tells_what_tls_it_has() {
    let (server, client) = tls_pair().await;
    let (plain, _) = half_pair().await;
    assert!(
        server.tls_description().unwrap().starts_with("TLSv1.3 TLS13_AES_"),
        "{:?}",
        server.tls_description()
    );
    assert!(client.is_encrypted() && !plain.is_encrypted());
    assert_eq!(plain.tls_description(), None);
    assert_eq!((server.tls_version(), plain.tls_version()), (Some("TLS 1.3"), None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_cutting_of_the_input_gives_the_same_lines(
        lines in prop::collection::vec("[a-z]{0,20}", 1..8),
        cuts in prop::collection::vec(1usize..12, 1..6),
    ) {
        let wire: String = lines.iter().flat_map(|line| [line.as_str(), "\r\n"]).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let (mut ours, mut theirs) = half_pair().await;
            let mut rest = wire.as_bytes();
            let mut got = Vec::new();
            for cut in cuts.iter().cycle() {
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                theirs.write_all(now).await.unwrap();
                rest = later;
                // What has arrived is read before more is sent.
                while ours.buffered().is_empty() && !now.is_empty() { ours.fill(soon()).await.unwrap(); }
                while ours.buffered().contains(&b'\n') { got.push(line(&mut ours, 20).await.unwrap()); }
                if rest.is_empty() { break; }
                if !ours.buffered().is_empty() {
                    theirs.write_all(&rest[..1]).await.unwrap();
                    rest = &rest[1..];
                    ours.fill_more(soon()).await.unwrap();
                }
            }
            drop(theirs);
            while let Ok(line) = line(&mut ours, 20).await { got.push(line); }
            assert_eq!(got, lines);
        });
    }
}

/// MP-11.
#[tokio::test]
async fn a_peer_that_is_gone_without_a_word_is_asked_for() {
    let (connection, _peer) = half_pair().await;
    connection.find_dead_peer(Duration::from_mins(4)).unwrap();
    let socket = connection.stream.socket().unwrap();
    use rustix::net::sockopt;
    assert!(sockopt::socket_keepalive(socket).unwrap());
    assert_eq!(sockopt::tcp_keepidle(socket).unwrap(), Duration::from_mins(2));
    assert_eq!(sockopt::tcp_keepintvl(socket).unwrap(), Duration::from_secs(30));
    assert_eq!(sockopt::tcp_keepcnt(socket).unwrap(), 4);
    assert_eq!(sockopt::tcp_user_timeout(socket).unwrap(), 240_000);
}

/// What is passed on from where TLS has decrypted it is the same as what is read.
#[tokio::test]
async fn bytes_are_passed_on_from_where_they_were_decrypted() {
    use std::future::poll_fn;
    let ((mut from, mut sender), (mut to, mut receiver)) = tokio::join!(tls_pair(), tls_pair());
    let text: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let sent = async {
        sender.write_all(&text, soon()).await.unwrap();
        sender.close(soon()).await;
    };
    let passed = async {
        let mut n = 0;
        while n < text.len() {
            // Sometimes more is wanted than has come at once.
            if n % 3 == 0 {
                poll_fn(|context| from.poll_more_input(context)).await.unwrap();
            }
            n += poll_fn(|context| {
                let bytes = std::task::ready!(from.poll_input(context)).unwrap();
                let taken = std::task::ready!(to.poll_send(context, bytes)).unwrap();
                from.use_up(taken);
                Poll::Ready(taken)
            })
            .await;
        }
        poll_fn(|context| to.poll_sent(context)).await.unwrap();
        let end = poll_fn(|context| from.poll_input(context).map(|it| it.map(<[u8]>::len))).await;
        assert!(matches!(end, Err(ReadError::Closed)), "{end:?}");
        to.close(soon()).await;
    };
    let received = async {
        let mut all = Vec::new();
        while let Ok(bytes) = receiver.fill(soon()).await {
            all.extend_from_slice(bytes);
            let n = bytes.len();
            receiver.consume(n);
        }
        assert!(all == text, "byte for byte");
    };
    tokio::join!(sent, passed, received);
}
