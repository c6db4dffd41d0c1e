//! The transaction against a server that says what each test wants, over real sockets.

use std::sync::Arc;

use gatepost_core::{AttemptId, BodyId, NoticeId, SecretText, SubmissionId, Timestamp};
use gatepost_net::{ClientTls, Dialer, Guard, Resolver};
use gatepost_store::RoomMigrations;
use gatepost_testkit::TestStore;
use gatepost_upstream::smtp::{Credential, Greeted, SignIn};
use gatepost_upstream::{Deadlines, Endpoint, TlsMode};
use gatepost_wire::smtp::ReversePath;
use tokio::net::TcpListener;

use super::*;
use crate::state::Delivery;
use crate::submission::{Origin, Recipient, RecipientRow, Submission};
use crate::tests::server::Server;

const ROOMS: &[RoomMigrations] = &[gatepost_store::MIGRATIONS];

struct Case {
    text: Vec<u8>,
    claimed: Claimed,
}

fn case(recipients: &[&str]) -> Case {
    let (world, _) = gatepost_testkit::world();
    let text = b"Subject: x\r\n\r\n.dot\r\nend\r\n".to_vec();
    let row = |(ordinal, address): (u32, &&str)| RecipientRow {
        ordinal,
        account: None,
        recipient: Recipient { address: address.parse().unwrap(), notify: None, original: None },
        delivery: Delivery::new(Some(Timestamp::EPOCH)),
        n_attempts: 1,
        is_in_hand: true,
        is_uncertain: false,
    };
    let submission = Submission {
        id: SubmissionId::new(&world),
        origin: Origin::Notice { of: NoticeId::new(&world) },
        chosen_because: String::new(),
        reverse_path: ReversePath::Address("a@example.org".parse().unwrap()),
        message_id: "<1@example.org>".into(),
        size_bytes: text.len() as u64,
        is_smtputf8: false,
        body: BodyKind::SevenBit,
        dsn_return: None,
        envelope_id: None,
        client: String::new(),
        accepted_at: Timestamp::EPOCH,
        finished_at: None,
        body_erased_at: None,
    };
    let recipients = (0..).zip(recipients).map(row).collect();
    Case {
        text,
        claimed: Claimed { attempt: AttemptId::new(&world), submission, recipients, has_more: false },
    }
}

async fn body(it: &TestStore, text: &[u8], id: SubmissionId) -> BodyReader {
    let id = BodyId::from_uuid(id.uuid());
    let mut writer = it.bodies.write(it.organisation, id).await.unwrap();
    writer.write(text).await.unwrap();
    let (finished, now) = (writer.finish().await.unwrap(), it.world.now());
    it.store.write(move |tx| finished.insert(tx, now)).await.unwrap();
    it.bodies.read(it.organisation, id).await.unwrap()
}

/// Sends the case's letter to the server: how each recipient ended, whether the connection is usable, what was heard.
async fn run(server: Server, case: &Case) -> (Vec<String>, bool, String) {
    let it = gatepost_testkit::sqlite(ROOMS).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        server.talk(socket).await
    });
    let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let dialer = Dialer::new(Resolver::system(), Arc::new(guard));
    let tls = ClientTls::new(&[], &it.world).unwrap();
    let endpoint = Endpoint { host: "127.0.0.1".parse().unwrap(), port, tls: TlsMode::None };
    let (own_name, deadlines) = ("client.example.org".parse().unwrap(), Deadlines::default());
    let greeted = Greeted::connect(&dialer, &tls, &endpoint, &own_name, &deadlines).await.unwrap();
    let credential = Credential::Password(SecretText::new("secret".into()));
    let mut session = greeted.sign_in(&SignIn::new("a".into(), credential)).await.unwrap();
    let reader = body(&it, &case.text, case.claimed.submission.id).await;
    let sent = send(&mut session, &case.claimed, reader).await;
    session.quit().await;
    (sent.ends.iter().map(describe).collect(), sent.is_usable, serving.await.unwrap())
}

fn describe(end: &End) -> String {
    match end {
        End::Accepted(reply) => format!("accepted {}", reply.code),
        End::Refused(phase, reply) => format!("{phase:?} {}", reply.code),
        End::LostBefore(trouble) => format!("lost before: {}", trouble.rule()),
        End::LostAfter(trouble) => format!("lost after: {}", trouble.rule()),
        End::Impossible(trouble) => trouble.rule().to_owned(),
        End::Damaged => "damaged".into(),
        End::Unreadable => "unreadable".into(),
    }
}

const THREE: [&str; 3] = ["b@example.net", "c@example.net", "d@example.net"];

#[tokio::test]
async fn the_letter_arrives_dot_stuffed_and_whole() {
    let (ends, is_usable, heard) = run(Server::good(1), &case(&THREE[..1])).await;
    assert_eq!((ends, is_usable), (vec!["accepted 250".to_owned()], true));
    assert_eq!(
        heard,
        "MAIL FROM:<a@example.org> SIZE=25\r\nRCPT TO:<b@example.net>\r\nDATA\r\n\
         Subject: x\r\n\r\n..dot\r\nend\r\n.\r\nQUIT\r\n"
    );
}

/// SC-11: each recipient has an end of its own.
#[tokio::test]
async fn recipients_are_accepted_and_refused_one_by_one() {
    let mut server = Server::good(3);
    server.recipients = vec!["250 ok", "450 4.2.1 later", "550 5.1.1 unknown"];
    for ehlo in [server.ehlo, "250-server\r\n250 AUTH PLAIN"] {
        let (ends, is_usable, heard) = run(Server { ehlo, ..server.clone() }, &case(&THREE)).await;
        assert_eq!(ends, ["accepted 250", "Recipient 450", "Recipient 550"], "{ehlo}");
        assert!(is_usable && heard.matches("\r\n.\r\n").count() == 1);
    }
}

#[tokio::test]
async fn refusals_before_the_text_end_the_transaction() {
    let good = Server::good(3);
    let refused = vec!["550 5.1.1 no"; 3];
    for (server, want) in [
        (Server { mail: "550 5.7.1 not you", data: "503 no", ..good.clone() }, "Mail 550"),
        (Server { recipients: refused.clone(), data: "554 nobody", ..good.clone() }, "Recipient 550"),
        (Server { recipients: refused, ..good.clone() }, "Recipient 550"),
        (Server { data: "452 4.3.1 full", ..good.clone() }, "Data 452"),
        (Server { message: "554 5.6.0 spam", ..good.clone() }, "Message 554"),
        (Server { message: "421 4.3.2 bye", ..good.clone() }, "Message 421"),
    ] {
        let (ends, is_usable, heard) = run(server, &case(&THREE)).await;
        assert_eq!(ends, [want, want, want], "{heard}");
        assert!(is_usable, "{want}");
    }
}

/// SC-7: only what was lost after the final dot is uncertain.
#[tokio::test]
async fn a_connection_lost_after_the_dot_is_uncertain() {
    let it = case(&THREE[..1]);
    let on_the_wire = it.text.len() + 1 + 3;
    let good = Server::good(1);
    let (ends, is_usable, _) = run(Server { cut_in_message: Some(on_the_wire), ..good.clone() }, &it).await;
    assert_eq!((ends, is_usable), (vec!["lost after: connection-lost".to_owned()], false));
    let (ends, is_usable, _) = run(Server { cut_at_mail: true, ..good }, &it).await;
    assert_eq!((ends, is_usable), (vec!["lost before: connection-lost".to_owned()], false));
}

/// SS-23: what the server cannot take as it is, is not handed over.
#[tokio::test]
async fn what_the_server_cannot_take_is_not_sent() {
    let mut large = case(&THREE[..1]);
    large.claimed.submission.size_bytes = 100_001;
    let (ends, is_usable, heard) = run(Server::good(1), &large).await;
    assert_eq!(
        (ends, is_usable, heard.as_str()),
        (vec!["letter-too-large-for-server".to_owned()], true, "QUIT\r\n")
    );
    let (ends, _, heard) = run(Server::good(1), &case(&["j\u{f6}rg@example.net"])).await;
    assert_eq!((ends, heard.as_str()), (vec!["server-takes-no-utf8-addresses".to_owned()], "QUIT\r\n"));
}

/// QS-12: a text that turns out damaged on the way is cut off before its end, so that nothing of it is delivered.
#[tokio::test]
async fn a_damaged_text_never_reaches_its_end() {
    let mut it = case(&THREE[..1]);
    it.text = vec![b'x'; 200_000];
    it.claimed.submission.size_bytes = 90_000;
    let store = gatepost_testkit::sqlite(ROOMS).await;
    body(&store, &it.text, it.claimed.submission.id).await;
    let shards = std::fs::read_dir(store.folder.path().join("bodies")).unwrap();
    let file = shards
        .flat_map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap())
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[150_000] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let id = BodyId::from_uuid(it.claimed.submission.id.uuid());
    let mut reader = store.bodies.read(store.organisation, id).await.unwrap();
    assert_eq!(reader.next().await.unwrap().map(|piece| piece.len()), Some(65_536));
    reader.next().await.unwrap();
    assert!(matches!(reader.next().await, Err(StoreError::DamagedBody { .. })));
}
