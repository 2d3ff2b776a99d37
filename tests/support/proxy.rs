//! A TCP proxy that cuts connections at chosen bytes.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Passes bytes to `target` and back until dropped.
#[derive(Debug)]
pub struct Proxy {
    address: String,
    shared: Arc<Shared>,
}

struct Shared {
    target: String,
    stop: AtomicBool,
    cuts: AtomicUsize,
    /// The next answer is not passed on.
    loses: AtomicBool,
    /// Nothing is passed on, and no connection made.
    is_down: AtomicBool,
    limit: Box<dyn Fn(usize) -> Option<usize> + Send + Sync>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

impl Proxy {
    /// Listens. `limit` says, for the first, second … connection, after how many bytes it is cut, both ways counted.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub fn start(
        target: &str,
        limit: impl Fn(usize) -> Option<usize> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let shared = Arc::new(Shared {
            target: target.to_owned(),
            stop: AtomicBool::new(false),
            cuts: AtomicUsize::new(0),
            loses: AtomicBool::new(false),
            is_down: AtomicBool::new(false),
            limit: Box::new(limit),
        });
        let its = Arc::clone(&shared);
        thread::spawn(move || {
            for (number, client) in listener.incoming().enumerate() {
                if its.stop.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(client) = client {
                    pass(client, number, &its);
                }
            }
        });
        Self { address, shared }
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Loses the next answer, and is down from then on until [`heal`](Self::heal).
    pub fn lose_next_answer(&self) {
        self.shared.loses.store(true, Ordering::SeqCst);
    }

    /// Whether an answer was lost, and the proxy is down since.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.shared.is_down.load(Ordering::SeqCst)
    }

    /// Passes everything on again.
    pub fn heal(&self) {
        self.shared.is_down.store(false, Ordering::SeqCst);
    }

    /// How many connections were cut.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(&self.address));
    }
}

fn pass(client: TcpStream, number: usize, shared: &Arc<Shared>) {
    let server = TcpStream::connect(&shared.target);
    let Some(server) = server
        .ok()
        .filter(|_| !shared.is_down.load(Ordering::SeqCst))
    else {
        let _ = client.shutdown(Shutdown::Both);
        return;
    };
    let limit = (shared.limit)(number);
    let passed = Arc::new(AtomicUsize::new(0));
    let ways = [
        (client.try_clone(), server.try_clone(), false),
        (Ok(server), Ok(client), true),
    ];
    for (from, to, is_answer) in ways {
        let (Ok(from), Ok(to)) = (from, to) else {
            return;
        };
        let (passed, shared) = (Arc::clone(&passed), Arc::clone(shared));
        thread::spawn(move || copy(from, to, is_answer, &passed, limit, &shared));
    }
}

fn copy(
    mut from: TcpStream,
    mut to: TcpStream,
    is_answer: bool,
    passed: &AtomicUsize,
    limit: Option<usize>,
    shared: &Shared,
) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if is_answer && shared.loses.swap(false, Ordering::SeqCst) {
            shared.is_down.store(true, Ordering::SeqCst);
            break;
        }
        let before = passed.fetch_add(length, Ordering::Relaxed);
        let room = limit.map_or(length, |limit| limit.saturating_sub(before).min(length));
        if to.write_all(&buffer[..room]).is_err() {
            break;
        }
        if room < length {
            shared.cuts.fetch_add(1, Ordering::Relaxed);
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
