//! A stand-in for what the real engines of `tests/engines` lack: it gives fixed answers.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::{Value, json};

/// Method, path without query, status and body of an answer.
pub type Answer = (&'static str, &'static str, u16, Value);

/// Answers each request as it was told, and any other as an engine answers a question that it does
/// not know.
#[derive(Debug)]
pub struct Answers {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Answers {
    /// Starts on a port of its own; says to be Elasticsearch.
    ///
    /// # Panics
    ///
    /// When no port is free.
    #[must_use]
    pub fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let asked = Arc::default();
        let seen = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // a client that hangs up is done
                let _ = serve(&stream, &answers, &seen);
            }
        });
        Self { url, asked }
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The method and the path of each request so far.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(stream: &TcpStream, answers: &[Answer], asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut input = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if input.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut length = 0;
        loop {
            let mut line = String::new();
            input.read_line(&mut line)?;
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        io::copy(&mut input.by_ref().take(length), &mut io::sink())?;

        let mut words = first.split([' ', '?']);
        let (method, path) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let question = format!("{method} {path}");
        let answer = answers
            .iter()
            .find(|answer| (answer.0, answer.1) == (method, path));
        let unknown =
            json!({"error": format!("no handler found for uri [{path}] and method [{method}]")});
        let (status, body) = answer.map_or((400, &unknown), |answer| (answer.2, &answer.3));
        asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(question);
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} x\r\nX-Elastic-Product: Elasticsearch\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut out = stream;
        out.write_all(head.as_bytes())?;
        out.write_all(body.as_bytes())?;
    }
}
