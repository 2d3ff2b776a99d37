//! A TCP proxy that cuts connections at chosen bytes.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Where a connection is cut: after so many bytes of one way.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// Of what the client sends.
    Request(usize),
    /// Of the server's responses.
    Response(usize),
}

impl Cut {
    /// One or the other, at random: a request within these bytes, a response within a twentieth of
    /// them.
    #[must_use]
    pub fn random(random: &mut fastrand::Rng, bytes: usize) -> Self {
        if random.bool() {
            Self::Request(random.usize(..bytes))
        } else {
            Self::Response(random.usize(..bytes / 20))
        }
    }
}

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
    responses_cut: AtomicUsize,
    /// The next response is not passed on.
    loses: AtomicBool,
    /// Nothing is passed on, and no connection made.
    is_down: AtomicBool,
    cut: Box<dyn Fn(usize) -> Option<Cut> + Send + Sync>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

impl Proxy {
    /// Listens. `cut` decides, for the first, second … connection, whether it is cut.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub fn start(target: &str, cut: impl Fn(usize) -> Option<Cut> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let shared = Arc::new(Shared {
            target: target.to_owned(),
            stop: AtomicBool::new(false),
            cuts: AtomicUsize::new(0),
            responses_cut: AtomicUsize::new(0),
            loses: AtomicBool::new(false),
            is_down: AtomicBool::new(false),
            cut: Box::new(cut),
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

    /// Loses the next response, and is down from then on until [`heal`](Self::heal).
    pub fn lose_next_response(&self) {
        self.shared.loses.store(true, Ordering::SeqCst);
    }

    /// Whether a response was lost, and the proxy is down since.
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

    /// How many of the [`cuts`](Self::cuts) met a response, the others a request.
    #[must_use]
    pub fn responses_cut(&self) -> usize {
        self.shared.responses_cut.load(Ordering::Relaxed)
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
    let (request, response) = match (shared.cut)(number) {
        None => (None, None),
        Some(Cut::Request(bytes)) => (Some(bytes), None),
        Some(Cut::Response(bytes)) => (None, Some(bytes)),
    };
    let ways = [
        (client.try_clone(), server.try_clone(), false, request),
        (Ok(server), Ok(client), true, response),
    ];
    for (from, to, is_response, limit) in ways {
        let (Ok(from), Ok(to)) = (from, to) else {
            return;
        };
        let shared = Arc::clone(shared);
        thread::spawn(move || copy(from, to, is_response, limit, &shared));
    }
}

fn copy(
    mut from: TcpStream,
    mut to: TcpStream,
    is_response: bool,
    mut left: Option<usize>,
    shared: &Shared,
) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if is_response && shared.loses.swap(false, Ordering::SeqCst) {
            shared.is_down.store(true, Ordering::SeqCst);
            break;
        }
        let room = left.map_or(length, |left| left.min(length));
        if to.write_all(&buffer[..room]).is_err() {
            break;
        }
        if room < length {
            shared.cuts.fetch_add(1, Ordering::Relaxed);
            let responses = usize::from(is_response);
            shared.responses_cut.fetch_add(responses, Ordering::Relaxed);
            break;
        }
        left = left.map(|left| left - room);
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
