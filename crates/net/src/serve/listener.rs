//! A listening socket.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A listening socket and the address it really has.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.text())]
pub struct BindError {
    /// The address that was wanted.
    pub address: SocketAddr,
    /// What the system says.
    #[source]
    pub source: io::Error,
}

impl BindError {
    fn text(&self) -> String {
        let (ip, port) = (self.address.ip(), self.address.port());
        match self.source.kind() {
            io::ErrorKind::AddrInUse => format!("port {port} on {ip} is in use"),
            io::ErrorKind::PermissionDenied => {
                format!("this user may not listen on port {port}: ports below 1024 need CAP_NET_BIND_SERVICE")
            }
            io::ErrorKind::AddrNotAvailable => format!("this computer does not have the address {ip}"),
            _ => format!("cannot listen on {}", self.address),
        }
    }
}

impl Listener {
    /// Listens on `address`; port 0 lets the system choose. Must be called inside the runtime.
    pub fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let bind = || {
            let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            // A restart must not wait for the old process' connections to be forgotten; on Unix this lets nobody
            // listen beside us.
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            let socket = socket.listen(BACKLOG)?;
            let address = socket.local_addr()?;
            Ok(Self { socket, address })
        };
        bind().map_err(|source| BindError { address, source })
    }

    /// The address, with the port the system chose.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the next connection and tells who it is. May be dropped while it waits: none is lost.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.socket.accept().await
    }
}
