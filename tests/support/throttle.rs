//! A slow line: a TCP relay that carries so many bytes per second, over all connections.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Stands in front of a server until the process ends.
#[derive(Debug)]
pub struct Throttle {
    url: String,
    line: Arc<Line>,
}

#[derive(Debug)]
struct Line {
    bytes_per_second: u64,
    /// When the bytes that were let through so far have passed.
    free: Mutex<Option<Instant>>,
    carried: AtomicU64,
}

impl Throttle {
    /// Forwards to `target`, a host with its port. Only what clients send is slow.
    ///
    /// # Panics
    ///
    /// When no port is free.
    #[must_use]
    pub fn start(target: &str, bytes_per_second: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let line = Arc::new(Line {
            bytes_per_second,
            free: Mutex::new(None),
            carried: AtomicU64::new(0),
        });
        let (target, its) = (target.to_owned(), Arc::clone(&line));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (target, line) = (target.clone(), Arc::clone(&its));
                // What either side breaks off is the client's to notice.
                thread::spawn(move || forward(&client, &target, &line));
            }
        });
        Self { url, line }
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many bytes of clients the line has carried.
    #[must_use]
    pub fn carried(&self) -> u64 {
        self.line.carried.load(Ordering::Relaxed)
    }
}

impl Line {
    /// Waits until so many bytes have passed.
    fn pass(&self, bytes: usize) {
        let bytes = bytes as u64;
        let time = Duration::from_secs(bytes) / u32::try_from(self.bytes_per_second).unwrap_or(1);
        let end = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let end = free.map_or(now, |free| free.max(now)) + time;
            *free = Some(end);
            end
        };
        thread::sleep(end.saturating_duration_since(Instant::now()));
        self.carried.fetch_add(bytes, Ordering::Relaxed);
    }
}

fn forward(mut client: &TcpStream, target: &str, line: &Line) -> io::Result<()> {
    let server = TcpStream::connect(target)?;
    let (mut responses, mut back) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut responses, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        line.pass(length);
        if (&server).write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    server.shutdown(Shutdown::Both)
}
