use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gatepost_core::SecretText;
use gatepost_testkit::fresh_folder;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::data_dir::DataDir;

/// Says what it was asked, counts what it finished, and lists as many items as the limit says.
#[derive(Clone, Default)]
struct Parrot {
    finished: Arc<AtomicUsize>,
    // Held while an order runs in this process, as the wired rooms hold it.
    _folder: Option<Arc<DataDir>>,
}

impl CarryOut for Parrot {
    async fn carry_out(&self, request: Request, report: &Report) -> Result<Value, Refusal> {
        let outcome = match request.order {
            Order::ListLetters { limit, .. } => {
                for n in 0..limit.unwrap_or(0) {
                    report.item(json!(n)).await;
                }
                Ok(Value::Null)
            }
            Order::AddAccount(account) => Ok(json!(account.password.map_or(0, |it| it.0.reveal().len()))),
            other => Err(Refusal::new(format!("{other:?}: no. Try another."))),
        };
        self.finished.fetch_add(1, Ordering::SeqCst);
        outcome
    }
}

struct Running {
    parrot: Parrot,
    stop: CancellationToken,
    served: tokio::task::JoinHandle<()>,
    folder: tempfile::TempDir,
}

fn running() -> Running {
    let folder = fresh_folder();
    let data_dir = DataDir::take(folder.path()).unwrap();
    let socket = ControlSocket::listen(&data_dir).unwrap();
    let (parrot, stop) = (Parrot::default(), CancellationToken::new());
    let served = tokio::spawn({
        let (parrot, stop) = (parrot.clone(), stop.clone());
        async move {
            socket.serve(Arc::new(parrot), stop).await;
            drop(data_dir);
        }
    });
    Running { parrot, stop, served, folder }
}

async fn ask(data_dir: &Path, order: Order) -> (Result<Ended, Refusal>, Vec<Line>) {
    let mut lines = Vec::new();
    let open = |taken| async { Ok(Parrot { _folder: Some(Arc::new(taken)), ..Parrot::default() }) };
    let ended = carry(data_dir, order.into(), open, |line| lines.push(line)).await;
    (ended, lines)
}

fn three() -> Order {
    Order::ListLetters { states: vec![], limit: Some(3) }
}

fn three_lines() -> Vec<Line> {
    vec![Line::Item(json!(0)), Line::Item(json!(1)), Line::Item(json!(2)), Line::Done(Value::Null)]
}

#[tokio::test]
async fn an_order_gives_the_same_lines_with_and_without_a_server() {
    let running = running();
    assert_eq!(ask(running.folder.path(), three()).await, (Ok(Ended::AtTheServer), three_lines()));
    running.stop.cancel();
    running.served.await.unwrap();
    assert_eq!(ask(running.folder.path(), three()).await, (Ok(Ended::Here), three_lines()));
}

#[tokio::test]
async fn a_refusal_comes_with_its_text_and_ends_the_answer() {
    let running = running();
    let want = vec![Line::Refused(Refusal::new("ListAccounts: no. Try another."))];
    assert_eq!(ask(running.folder.path(), Order::ListAccounts).await, (Ok(Ended::AtTheServer), want));
}

#[tokio::test]
async fn a_password_crosses_and_is_shown_nowhere() {
    let running = running();
    let server = Server { host: "h".into(), port: 1, tls: "none".into() };
    let account = NewAccount {
        provider: "custom".into(),
        address: "a@example.org".into(),
        short_name: "a".into(),
        author_name: "a".into(),
        user_name: "a".into(),
        smtp: Some(server),
        imap: None,
        pop3: None,
        password: Some(PasswordOnTheWay(SecretText::new("hunter2".into()))),
    };
    let order = Order::AddAccount(Box::new(account));
    assert!(!format!("{order:?}").contains("hunter2"));
    assert_eq!(ask(running.folder.path(), order).await.1, [Line::Done(json!(7))]);
}

#[tokio::test]
async fn the_socket_is_private_and_a_dead_servers_socket_is_replaced() {
    let folder = fresh_folder();
    let data_dir = DataDir::take(folder.path()).unwrap();
    // A killed server leaves its socket behind, with nobody at the other end.
    drop(std::os::unix::net::UnixListener::bind(socket_path(folder.path())).unwrap());
    drop(data_dir);
    assert_eq!(ask(folder.path(), three()).await, (Ok(Ended::Here), three_lines()));
    let data_dir = DataDir::take(folder.path()).unwrap();
    let _socket = ControlSocket::listen(&data_dir).unwrap();
    assert_eq!(std::fs::metadata(socket_path(folder.path())).unwrap().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_command_waits_while_a_server_is_starting() {
    let folder = fresh_folder();
    let data_dir = DataDir::take(folder.path()).unwrap();
    let stop = CancellationToken::new();
    let starting = async {
        tokio::task::yield_now().await; // By now the command has found the folder taken and no socket.
        let socket = ControlSocket::listen(&data_dir).unwrap();
        socket.serve(Arc::new(Parrot::default()), stop.clone()).await;
    };
    let asking = async {
        let answer = ask(folder.path(), three()).await;
        stop.cancel();
        answer
    };
    assert_eq!(tokio::join!(asking, starting).0, (Ok(Ended::AtTheServer), three_lines()));
}

#[tokio::test]
async fn words_of_another_version_are_refused_without_being_repeated() {
    let running = running();
    for words in
        ["{\"order\":{\"add_account\":{\"password\":\"hunter2\"}}}\n", "\n", "[]\n", "\"sell_everything\"\n"]
    {
        let mut stream = UnixStream::connect(socket_path(running.folder.path())).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("another version") && !answer.contains("hunter2"), "{answer}");
    }
}

#[tokio::test]
async fn an_order_is_finished_when_its_asker_goes_and_before_the_server_stops() {
    let running = running();
    let mut stream = UnixStream::connect(socket_path(running.folder.path())).await.unwrap();
    // More lines than fit in any buffer, so that the order is certainly in the middle when the asker goes.
    let order = Order::ListLetters { states: vec![], limit: Some(200_000) };
    stream.write_all(&Request::from(order).to_line().unwrap()).await.unwrap();
    let mut first = [0; 10];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(running.parrot.finished.load(Ordering::SeqCst), 0);
    drop(stream);
    running.stop.cancel();
    running.served.await.unwrap();
    assert_eq!(running.parrot.finished.load(Ordering::SeqCst), 1);
    assert!(!socket_path(running.folder.path()).exists());
}
