//! A PostgreSQL server of this test process, with a fresh database for each test.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use postgres::NoTls;

use crate::{free_port, fresh_folder, wait_until};

/// A server on loopback that trusts everybody. It syncs like any other, because the store refuses one that does not.
///
/// It ends with this value, and also when the test process is killed: a shell beside it reads a pipe that only this process
/// holds open, stops the server at its end and removes its folder.
pub struct PostgresServer {
    port: u16,
    n_databases: AtomicU32,
    server: Child,
    leash: Option<ChildStdin>,
}

/// Address (`postgres://…`) of a new, empty database on this process' shared server.
pub async fn postgres_url() -> String {
    tokio::task::spawn_blocking(|| PostgresServer::shared().fresh_database())
        .await
        .expect("the launcher says what is wrong")
}

impl PostgresServer {
    /// The server of this process, started at the first call (about a second).
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts a server of its own, for tests that stop it.
    #[must_use]
    pub fn start() -> Self {
        let server_user = ServerUser::choose();
        // The chosen port may be taken before the server binds it, so a start that fails is tried with another.
        let mut log = String::new();
        for _ in 0..5 {
            let folder = server_user.fresh_cluster();
            let port = free_port();
            let (server, leash) = server_user.start_server(&folder, port);
            let mut server = Self { port, n_databases: AtomicU32::new(0), server, leash: Some(leash) };
            if server.is_ready() {
                return server;
            }
            log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        }
        panic!("PostgreSQL does not start:\n{log}");
    }

    /// Makes a new, empty database and returns its address.
    ///
    /// Blocks and must not be called on an async thread; see [`postgres_url`] there.
    pub fn fresh_database(&self) -> String {
        let name = format!("test_{}", self.n_databases.fetch_add(1, Ordering::Relaxed));
        let mut client = postgres::Client::connect(&self.url("postgres"), NoTls)
            .expect("the shared server is still running");
        client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).expect("the name is new");
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://gatepost@127.0.0.1:{}/{database}", self.port)
    }

    /// Waits until the server answers; false when it has ended instead.
    fn is_ready(&mut self) -> bool {
        let url = self.url("postgres");
        let answered = wait_until(Duration::from_secs(60), || {
            if self.server.try_wait().is_ok_and(|ended| ended.is_some()) {
                return Some(false);
            }
            postgres::Client::connect(&url, NoTls).is_ok().then_some(true)
        });
        answered.expect("PostgreSQL starts within a minute")
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.leash.take());
        let _ = self.server.wait();
    }
}

/// Whom the server runs as: it refuses root.
struct ServerUser(Option<(u32, u32)>);

impl ServerUser {
    fn choose() -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self(None);
        }
        let users = std::fs::read_to_string("/etc/passwd").expect("every system lists its users");
        let fields = users.lines().find_map(|line| line.strip_prefix("postgres:")).expect(MISSING);
        let mut ids = fields.split(':').skip(1).map(|id| id.parse().expect("user and group are numbers"));
        let mut id = || ids.next().expect("a user has two ids");
        Self(Some((id(), id())))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Self(Some((user, group))) = self {
            command.uid(*user).gid(*group);
        }
        command
    }

    /// A folder with an empty cluster in `data`. The watcher removes it.
    fn fresh_cluster(&self) -> PathBuf {
        let folder = fresh_folder().keep();
        if let Self(Some((user, group))) = self {
            chown(&folder, Some(*user), Some(*group)).expect("root may give a folder away");
        }
        let out = self
            .command(&program("initdb"))
            .args(["--username=gatepost", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(folder.join("data"))
            .current_dir(&folder)
            .output()
            .expect("initdb starts");
        assert!(out.status.success(), "initdb failed: {}", String::from_utf8_lossy(&out.stderr));
        folder
    }

    /// Starts the server with a watcher beside it that holds the other end of the returned pipe.
    fn start_server(&self, folder: &Path, port: u16) -> (Child, ChildStdin) {
        // `read` returns when the pipe's writer is gone. SIGQUIT is PostgreSQL's "at once"; its pid file goes last.
        const WATCHED: &str = r#"
            folder=$1; shift
            exec 3<&0
            ( {
                read -r _ <&3
                kill -QUIT $$
                n=0
                while [ -e "$folder/data/postmaster.pid" ] && [ $n -lt 100 ]; do n=$((n+1)); sleep 0.1; done
                rm -rf "$folder"
            } >/dev/null 2>&1 & )
            exec "$@" <&- 3<&- >"$folder/log" 2>&1
        "#;
        let mut server = self
            .command(Path::new("/bin/sh"))
            .args(["-c", WATCHED, "watched"])
            .arg(folder)
            .arg(program("postgres"))
            .arg("-D")
            .arg(folder.join("data"))
            .arg("-k")
            .arg(folder)
            .args(["-h", "127.0.0.1", "-p", &port.to_string()])
            .args(["-c", "max_connections=300"])
            .args(["-c", "shared_buffers=32MB", "-c", "log_min_messages=warning"])
            .current_dir(folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .spawn()
            .expect("every system has a shell");
        let leash = server.stdin.take().expect("the pipe was asked for");
        (server, leash)
    }
}

const MISSING: &str = "PostgreSQL is missing: run `cargo xtask test`, or `apt-get install postgresql`";

/// Debian keeps the server's programs beside each version, not in the search path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.max_by_key(|it| it.file_name().to_string_lossy().parse::<u32>().unwrap_or(0));
    let found = newest.map(|it| it.path().join("bin").join(name)).filter(|it| it.exists());
    let path = std::env::var_os("PATH").unwrap_or_default();
    found
        .or_else(|| std::env::split_paths(&path).map(|folder| folder.join(name)).find(|it| it.exists()))
        .expect(MISSING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n_tables(url: &str) -> i64 {
        let mut client = postgres::Client::connect(url, NoTls).unwrap();
        let counted = client.query_one("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", &[]);
        counted.unwrap().get(0)
    }

    #[test]
    fn each_test_has_a_database_of_its_own() {
        let (one, other) =
            (PostgresServer::shared().fresh_database(), PostgresServer::shared().fresh_database());
        postgres::Client::connect(&one, NoTls)
            .unwrap()
            .batch_execute("CREATE TABLE letter (id BIGINT)")
            .unwrap();
        assert_eq!((n_tables(&one), n_tables(&other)), (1, 0));
    }

    #[tokio::test]
    async fn an_async_test_gets_a_database_too() {
        assert_ne!(postgres_url().await, postgres_url().await);
    }

    #[test]
    fn a_dropped_server_stops_answering_and_leaves_nothing() {
        let server = PostgresServer::start();
        let url = server.url("postgres");
        let row =
            postgres::Client::connect(&url, NoTls).unwrap().query_one("SHOW data_directory", &[]).unwrap();
        let data: String = row.get(0);
        drop(server);
        assert!(postgres::Client::connect(&url, NoTls).is_err());
        let gone =
            wait_until(Duration::from_secs(20), || (!Path::new(&data).parent()?.exists()).then_some(()));
        assert!(gone.is_some(), "{data} is still there");
    }
}
