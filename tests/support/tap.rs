//! A TCP forwarder that keeps what its clients send, byte for byte.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Stands before a server until the process ends.
#[derive(Debug)]
pub struct Tap {
    address: String,
    connections: Arc<Mutex<Vec<Sent>>>,
}

/// What one connection sent.
type Sent = Arc<Mutex<Vec<u8>>>;

impl Tap {
    /// Forwards to `target`, a host with its port.
    ///
    /// # Panics
    ///
    /// When no port is free.
    #[must_use]
    pub fn start(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let connections = Arc::<Mutex<Vec<Sent>>>::default();
        let (target, its) = (target.to_owned(), Arc::clone(&connections));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let sent = Sent::default();
                lock(&its).push(Arc::clone(&sent));
                // the client notices that the server is unreachable
                let _ = forward(client, &target, sent);
            }
        });
        Self {
            address,
            connections,
        }
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The header lines of the one request to this path, as they were sent.
    ///
    /// # Panics
    ///
    /// Where there was none, or more than one.
    #[must_use]
    #[track_caller]
    pub fn head(&self, path: &str) -> Vec<String> {
        let mut heads: Vec<Vec<String>> = Vec::new();
        for sent in lock(&self.connections).iter() {
            let text = String::from_utf8_lossy(&lock(sent)).into_owned();
            for after in text.split(&format!(" {path} HTTP/1.")).skip(1) {
                let head = after.split("\r\n\r\n").next().unwrap_or_default();
                heads.push(head.split("\r\n").skip(1).map(str::to_owned).collect());
            }
        }
        assert_eq!(heads.len(), 1, "requests to {path}: {heads:#?}");
        heads.remove(0)
    }
}

fn forward(mut client: TcpStream, target: &str, sent: Sent) -> io::Result<()> {
    let mut server = TcpStream::connect(target)?;
    let (mut responses, mut back) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut responses, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = client.read(&mut buffer) {
            lock(&sent).extend_from_slice(&buffer[..length]);
            if server.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = server.shutdown(Shutdown::Both);
    });
    Ok(())
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
