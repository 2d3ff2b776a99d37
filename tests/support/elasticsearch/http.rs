//! The little of HTTP that it takes.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use flate2::read::GzDecoder;

pub(super) struct Request {
    pub(super) head: String,
    /// Inflated.
    pub(super) body: Vec<u8>,
    /// Of the body as it came.
    pub(super) length: usize,
}

impl Request {
    /// The next of a connection; `None` at its end.
    pub(super) fn read(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Self>> {
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

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(super) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }
}

pub(super) struct Answer {
    status: u16,
    retry_after: Option<u32>,
    body: String,
}

impl Answer {
    pub(super) fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            retry_after: None,
            body: body.into(),
        }
    }

    pub(super) fn with_retry_after(mut self, seconds: Option<u32>) -> Self {
        self.retry_after = seconds;
        self
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut head = format!(
            "HTTP/1.1 {} As told\r\nX-elastic-product: Elasticsearch\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
            self.status,
            self.body.len()
        );
        if let Some(seconds) = self.retry_after {
            let _ = write!(head, "retry-after: {seconds}\r\n");
        }
        format!("{head}\r\n{}", self.body).into_bytes()
    }
}
