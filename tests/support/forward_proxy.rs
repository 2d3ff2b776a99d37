//! A stand-in for a company's HTTP proxy, which forwards every host to one server.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Forwards to one server until the process ends.
#[derive(Debug)]
pub struct ForwardProxy {
    address: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: String,
    /// The required value of `Proxy-Authorization`.
    auth: Option<String>,
    /// The first line of each request.
    requests: Mutex<Vec<String>>,
}

impl ForwardProxy {
    /// Forwards every connection to `target`, a host with a port. If `auth` is set, requests
    /// without this `Proxy-Authorization` get the status 407.
    ///
    /// # Panics
    ///
    /// Panics if no port is free.
    #[must_use]
    pub fn start(target: &str, auth: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let shared = Arc::new(Shared {
            target: target.to_owned(),
            auth: auth.map(str::to_owned),
            requests: Mutex::default(),
        });
        let its = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&its);
                // if one side closes the connection, the other side detects it
                thread::spawn(move || serve(client, &shared));
            }
        });
        Self { address, shared }
    }

    /// Returns the address, as `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the first line of each request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        lock(&self.shared.requests).clone()
    }
}

fn serve(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let head = read_head(&mut reader)?;
    let Some(first) = head.first().cloned() else {
        return Ok(());
    };
    lock(&shared.requests).push(first.trim_end().to_owned());
    let header = |name: &str| {
        head.iter().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    };
    let length = header("content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    if shared.auth.is_some() && header("proxy-authorization") != shared.auth {
        let response = "HTTP/1.1 407 X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        return client.write_all(response.as_bytes());
    }
    let mut server = TcpStream::connect(&shared.target)?;
    if first.starts_with("CONNECT ") {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
    } else {
        server.write_all(&for_server(&first, &head[1..])?)?;
        server.write_all(&body)?;
        server.shutdown(Shutdown::Write)?;
    }
    let _ = io::copy(&mut server, &mut client);
    client.shutdown(Shutdown::Both)
}

/// Reads the lines before a request's body.
fn read_head(reader: &mut impl BufRead) -> io::Result<Vec<String>> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            return Ok(head);
        }
        head.push(line);
    }
}

/// Returns a request for the server, with only the path and without the headers for the proxy.
fn for_server(first: &str, headers: &[String]) -> io::Result<Vec<u8>> {
    let whole = first.split_once(" http://");
    let (method, rest) = whole.ok_or(io::ErrorKind::InvalidData)?;
    let path = rest.find('/').map_or(rest, |at| &rest[at..]);
    let is_own = |line: &&String| line.to_lowercase().starts_with("proxy-");
    let headers = headers.iter().filter(|line| !is_own(line));
    let headers: String = headers.cloned().collect();
    Ok(format!("{method} {path}{headers}\r\n").into_bytes())
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
