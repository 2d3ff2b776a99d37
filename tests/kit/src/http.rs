//! The little of HTTP/1.1 that a stand-in for a server needs, on plain threads.

use std::{
    fmt::Write as _,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use flate2::read::GzDecoder;

/// A server on a port of its own, until dropped. Each connection has a thread.
#[derive(Debug)]
pub struct Server {
    url: String,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// Starts a server that does with each request what `handle` returns.
    ///
    /// # Panics
    ///
    /// If no port is free.
    #[must_use]
    pub fn start(handle: impl Fn(&Request) -> Outcome + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let stop = Arc::<AtomicBool>::default();
        let (stopped, handle) = (Arc::clone(&stop), Arc::new(handle));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(stream) = stream {
                    let (stopped, handle) = (Arc::clone(&stopped), Arc::clone(&handle));
                    thread::spawn(move || serve(&stream, &stopped, &*handle));
                }
            }
        });
        Self { url, stop }
    }

    /// Returns `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // lets go of `accept`
        drop(TcpStream::connect(self.address()));
    }
}

/// One connection, until either side ends it.
fn serve(mut stream: &TcpStream, stop: &AtomicBool, handle: &dyn Fn(&Request) -> Outcome) {
    let mut reader = BufReader::new(stream);
    while let Ok(Some(request)) = Request::read(&mut reader) {
        let (bytes, ends) = match handle(&request) {
            Outcome::Respond(response) => (response.bytes(), false),
            Outcome::Truncate(response, length) => {
                let mut bytes = response.bytes();
                bytes.truncate(length.min(bytes.len() - 1));
                (bytes, true)
            }
            Outcome::HangUp => break,
        };
        if stream.write_all(&bytes).is_err() || ends || stop.load(Ordering::Relaxed) {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

/// What a server does with a request.
#[derive(Debug)]
pub enum Outcome {
    /// Responds.
    Respond(Response),
    /// Sends only so many bytes of the response, and breaks the connection.
    Truncate(Response, usize),
    /// Breaks the connection.
    HangUp,
}

/// A request as it was received.
#[derive(Debug)]
pub struct Request {
    /// The first line and the headers, as they came.
    pub head: String,
    /// The body, inflated.
    pub body: Vec<u8>,
    /// The length of the body as it came.
    pub length: usize,
}

impl Request {
    /// Reads the next request of a connection; `None` at its end.
    fn read(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Self>> {
        let mut head = String::new();
        loop {
            let before = head.len();
            if reader.read_line(&mut head)? == 0 {
                return Ok(None);
            }
            if head.len() - before <= 2 {
                break;
            }
        }
        let mut request = Self {
            head,
            body: Vec::new(),
            length: 0,
        };
        let length = request.header("content-length");
        request.length = length.and_then(|value| value.parse().ok()).unwrap_or(0);
        if request.header("expect").is_some() {
            reader
                .get_mut()
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let mut body = vec![0; request.length];
        reader.read_exact(&mut body)?;
        if request.header("content-encoding") == Some("gzip") {
            GzDecoder::new(&body[..]).read_to_end(&mut request.body)?;
        } else {
            request.body = body;
        }
        Ok(Some(request))
    }

    /// Returns the value of a header; case does not matter.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &str {
        self.head.split(' ').next().unwrap_or_default()
    }

    /// Returns the path with its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// Returns the first part of the path: the index, the alias, or `_bulk`.
    #[must_use]
    pub fn target(&self) -> &str {
        let path = self.path().trim_start_matches('/');
        path.split(['/', '?']).next().unwrap_or_default()
    }
}

/// A response in JSON. Each names Elasticsearch as the product, as OpenReplay's client demands.
#[derive(Debug)]
pub struct Response {
    status: u16,
    headers: String,
    body: String,
}

impl Response {
    /// Creates a response without further headers.
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: String::new(),
            body: body.into(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        let _ = write!(self.headers, "{name}: {value}\r\n");
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let Self {
            status,
            headers,
            body,
        } = self;
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} As told\r\nX-Elastic-Product: Elasticsearch\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n"
        );
        [head.as_bytes(), body.as_bytes()].concat()
    }
}
