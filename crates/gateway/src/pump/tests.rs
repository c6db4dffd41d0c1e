use std::future::pending;
use std::sync::atomic::Ordering;

use gatepost_wire::{imap, pop3};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const LONG: Duration = Duration::from_mins(10);
const SHORT: Duration = Duration::from_millis(50);

/// What a client hears last that may be spoken to.
const OURS: &str = "* BYE\r\n";

/// Both ends of a connection.
async fn pair() -> (Connection, TcpStream) {
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (far, near) = tokio::join!(TcpStream::connect(door.local_addr().unwrap()), door.accept());
    (Connection::from_tcp(near.unwrap().0).unwrap(), far.unwrap())
}

/// How a session went.
struct Went {
    ending: Ending,
    may_speak: bool,
    /// Octets down and up.
    moved: (u64, u64),
}

/// Passes on what two peers say, who run beside it.
async fn pass<F: Follower>(
    follower: F,
    (idle, stuck): (Duration, Duration),
    ended: impl Future<Output = Ending>,
    peers: impl AsyncFnOnce(TcpStream, TcpStream),
) -> Went {
    let ((mut client, far_client), (mut provider, far_provider)) = tokio::join!(pair(), pair());
    let moved = Moved::default();
    let passing = async {
        let mut pump = Pump::new(&mut client, &mut provider, follower, &moved);
        let ending = pump.run((idle, stuck), ended).await;
        let may_speak = pump.settle().await;
        take_leave(&mut provider, &ending).await;
        if may_speak {
            client.part(OURS.as_bytes()).await;
        }
        drop((client, provider));
        (ending, may_speak)
    };
    let both = async { tokio::join!(passing, peers(far_client, far_provider)) };
    let ((ending, may_speak), ()) =
        tokio::time::timeout(Duration::from_secs(60), both).await.expect("it ends by itself");
    let n = |it: &AtomicU64| it.load(Ordering::Relaxed);
    Went { ending, may_speak, moved: (n(&moved.down), n(&moved.up)) }
}

async fn read_to_end(mut stream: TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    all
}

/// Else a program that hangs up behind its last command would lose what that did.
#[tokio::test]
async fn what_a_client_says_last_arrives_before_its_end() {
    let said = "a STORE 1 +FLAGS (\\Deleted)\r\nb EXPUNGE\r\nc LOGOUT\r\n";
    let went = pass(imap::Follower::default(), (LONG, LONG), pending(), async |mut client, mut provider| {
        // The provider is in the middle of something, and the client does not want it any more.
        provider.write_all(b"* 1 FETCH (BODY[] {100000}\r\n").await.unwrap();
        provider.write_all(&[b'x'; 50_000]).await.unwrap();
        client.write_all(said.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(String::from_utf8(read_to_end(provider).await).unwrap(), said);
    });
    let went = went.await;
    assert!(matches!(went.ending, Ending::SignedOut), "{}", went.ending);
    assert_eq!(went.moved.1, said.len() as u64);
}

/// The log must not call broken what has ended as it should.
#[tokio::test]
async fn who_signs_out_is_told_from_who_goes_away_whoever_closes_first() {
    const BYE: &str = "* BYE see you\r\na OK\r\n";
    for (said, answer, provider_closes, want) in [
        ("a LOGOUT\r\n", BYE, true, "the client signed out"),
        ("a LOGOUT\r\n", BYE, false, "the client signed out"),
        ("a LOGOUT\r\n", "", false, "the client signed out"),
        ("a NOOP\r\n", "a OK\r\n", false, "the client went away: the other side closed the connection"),
        ("a LOGOUT\r\nb NOOP\r\n", BYE, false, "the client went away: the other side closed the connection"),
        (
            "a NOOP\r\n",
            "a OK\r\n",
            true,
            "the provider ended the connection: the other side closed the connection",
        ),
        ("a LOGOUT\r\n", "", true, "the provider ended the connection: the other side closed the connection"),
    ] {
        let went =
            pass(imap::Follower::default(), (LONG, LONG), pending(), async |mut client, mut provider| {
                client.write_all(said.as_bytes()).await.unwrap();
                let mut heard = vec![0; said.len()];
                provider.read_exact(&mut heard).await.unwrap();
                provider.write_all(answer.as_bytes()).await.unwrap();
                let mut heard = vec![0; answer.len()];
                client.read_exact(&mut heard).await.unwrap();
                let (first, second) = if provider_closes { (provider, client) } else { (client, provider) };
                drop(first);
                read_to_end(second).await;
            });
        assert_eq!(went.await.ending.to_string(), want, "{said:?} {answer:?}");
    }
}

#[test]
fn last_words_are_sentences_that_begin_alike() {
    for (ending, words) in [
        (Ending::Ended("the mailbox was paused in Gatepost"), Some("The mailbox was paused in Gatepost")),
        (Ending::Removed, Some("This app password was removed or has expired")),
        (Ending::SignedOut, None),
        (Ending::Goodbye, None),
    ] {
        assert_eq!(ending.words().as_deref(), words);
    }
}

/// MP-11: else whoever left long ago would hold a place at the provider.
#[tokio::test]
async fn a_client_that_leaves_while_its_words_wait_is_missed() {
    for n in [10, KEPT_BYTES, 100_000] {
        let said = format!("a APPEND INBOX {{{n}+}}\r\n{}\r\n", "x".repeat(n));
        let went = pass(imap::Follower::default(), (LONG, SHORT), pending(), async |mut client, provider| {
            // More than is kept may find nobody who takes it.
            let _sent = tokio::time::timeout(SHORT, client.write_all(said.as_bytes())).await;
            drop(client);
            read_to_end(provider).await;
        });
        let went = went.await;
        assert!(matches!(went.ending, Ending::Stuck), "{n}: {}", went.ending);
    }
    // As long as somebody may still want them, they wait.
    let went = pass(imap::Follower::default(), (LONG, LONG), pending(), async |mut client, mut provider| {
        client.write_all(b"a APPEND INBOX {5+}\r\nhello\r\n").await.unwrap();
        drop(client);
        let mut line = [0; 20];
        provider.read_exact(&mut line).await.unwrap();
        assert_eq!(&line, b"a APPEND INBOX {5}\r\n");
        provider.write_all(b"+ go on\r\n").await.unwrap();
        assert_eq!(read_to_end(provider).await, b"hello\r\n");
    });
    let went = went.await;
    assert!(matches!(went.ending, Ending::ClientGone(_)), "{}", went.ending);
}

#[tokio::test]
async fn a_provider_that_leaves_is_told_at_a_boundary_alone() {
    for (said, may_speak) in [
        ("* 1 EXISTS\r\n", true),
        ("", true),
        ("* 1 FETCH (BODY[] {10}\r\nabc", false),
        ("* 1 EXI", false),
        ("* BYE over\r\n", false),
    ] {
        let went = pass(imap::Follower::default(), (LONG, LONG), pending(), async |client, mut provider| {
            provider.write_all(said.as_bytes()).await.unwrap();
            drop(provider);
            let heard = String::from_utf8(read_to_end(client).await).unwrap();
            // Behind all that was said, and nowhere else.
            let ours = if may_speak { OURS } else { "" };
            assert_eq!(heard, format!("{said}{ours}"));
        });
        let went = went.await;
        assert!(matches!(went.ending, Ending::ProviderGone(_)), "{said}: {}", went.ending);
        assert_eq!(went.may_speak, may_speak, "{said}");
    }
}

/// MP-13.
#[tokio::test]
async fn whoever_stops_in_the_middle_or_takes_nothing_is_given_up() {
    let went = pass(imap::Follower::default(), (LONG, SHORT), pending(), async |client, mut provider| {
        provider.write_all(b"* 1 FETCH (BODY[] {10}\r\nabc").await.unwrap();
        read_to_end(client).await;
    });
    assert!(matches!(went.await.ending, Ending::Stuck));
    let went = pass(imap::Follower::default(), (LONG, SHORT), pending(), async |mut client, provider| {
        client.write_all(b"a APPEND x {10}\r\n").await.unwrap();
        let mut provider = provider;
        provider.write_all(b"+ go on\r\n").await.unwrap();
        client.write_all(b"abc").await.unwrap();
        read_to_end(client).await;
    });
    assert!(matches!(went.await.ending, Ending::Stuck));
    let went = pass(pop3::Follower::default(), (LONG, SHORT), pending(), async |mut client, mut provider| {
        client.write_all(b"RETR 1\r\n").await.unwrap();
        provider.write_all(b"+OK\r\n").await.unwrap();
        // More than the systems between them hold; the client reads none of it.
        let flood = provider.write_all(&[b'x'; 64 << 20]).await;
        assert!(flood.is_err(), "the other end is gone");
        drop(client);
    });
    assert!(matches!(went.await.ending, Ending::Stuck));
}

/// MP-11.
#[tokio::test]
async fn a_session_in_which_nothing_is_said_ends() {
    let went = pass(imap::Follower::default(), (SHORT, LONG), pending(), async |client, _provider| {
        read_to_end(client).await;
    });
    let went = went.await;
    assert!(matches!(went.ending, Ending::TimedOut) && went.may_speak);
    let went = pass(pop3::Follower::default(), (SHORT, LONG), pending(), async |client, _provider| {
        read_to_end(client).await;
    });
    let went = went.await;
    assert!(matches!(went.ending, Ending::TimedOut) && !went.may_speak, "no answer is due");
}

/// The client reads nothing, and both directions are full.
#[tokio::test]
async fn an_end_from_outside_waits_for_nobody() {
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let ended = async {
        ended.await.unwrap();
        Ending::Removed
    };
    let went = pass(imap::Follower::default(), (LONG, LONG), ended, async |client, mut provider| {
        let flood = async {
            provider.write_all(b"* 1 FETCH (BODY[] {99999999999}\r\n").await.unwrap();
            let piece = vec![b'x'; 1 << 20];
            while provider.write_all(&piece).await.is_ok() {}
        };
        let ending = async {
            // The first octets are through, so the session is at work.
            client.readable().await.unwrap();
            end.send(()).unwrap();
        };
        tokio::join!(flood, ending);
        drop(client);
    });
    let went = went.await;
    assert!(matches!(went.ending, Ending::Removed) && !went.may_speak);
}

#[tokio::test]
async fn what_cannot_be_followed_ends_both() {
    let went = pass(imap::Follower::default(), (LONG, LONG), pending(), async |mut client, provider| {
        client.write_all(b"a NOOP\nb LOGIN x y\r\n").await.unwrap();
        assert_eq!(read_to_end(provider).await, b"");
        drop(client);
    });
    let went = went.await;
    assert!(matches!(went.ending, Ending::Lost(Lost::NotACommand)) && went.may_speak);
}

/// Both speak at once, more than fits anywhere.
#[tokio::test]
async fn much_goes_both_ways_at_the_same_time() {
    const SIZE: usize = 8 << 20;
    let went = pass(imap::Follower::default(), (LONG, LONG), pending(), async |client, provider| {
        let message = format!("* 1 FETCH (BODY[] {{{SIZE}}}\r\n");
        let append = format!("a APPEND x {{{SIZE}}}\r\n");
        let (mut client_in, mut client_out) = client.into_split();
        let (mut provider_in, mut provider_out) = provider.into_split();
        let up = async {
            client_out.write_all(append.as_bytes()).await.unwrap();
            client_out.write_all(&vec![b'u'; SIZE]).await.unwrap();
            client_out.write_all(b"\r\n").await.unwrap();
        };
        let down = async {
            provider_out.write_all(b"+ go on\r\n").await.unwrap();
            provider_out.write_all(message.as_bytes()).await.unwrap();
            provider_out.write_all(&vec![b'd'; SIZE]).await.unwrap();
            provider_out.write_all(b")\r\na OK done\r\n").await.unwrap();
        };
        let hears = async {
            let mut heard = vec![0; "+ go on\r\n".len() + message.len() + SIZE + ")\r\na OK done\r\n".len()];
            client_in.read_exact(&mut heard).await.unwrap();
            assert!(heard.ends_with(b"ddd)\r\na OK done\r\n"));
        };
        let takes = async {
            let mut taken = vec![0; append.len() + SIZE + 2];
            provider_in.read_exact(&mut taken).await.unwrap();
            assert!(taken.starts_with(append.as_bytes()) && taken.ends_with(b"uuu\r\n"));
        };
        tokio::join!(up, down, hears, takes);
    });
    assert!(matches!(went.await.ending, Ending::ClientGone(_) | Ending::ProviderGone(_)));
}
