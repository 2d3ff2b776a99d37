//! A stand-in for what the real engines of `tests/engines` lack: it gives fixed responses.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::http::{Outcome, Request, Response, Server};

/// Method, path without query, status and body of a response.
pub type Answer = (&'static str, &'static str, u16, Value);

/// Responds to each request as it was told, and to any other as an engine responds to a route that
/// it does not know.
#[derive(Debug)]
pub struct Answers {
    server: Server,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Answers {
    /// Starts on a port of its own.
    ///
    /// # Panics
    ///
    /// If no port is free.
    #[must_use]
    pub fn start(answers: Vec<Answer>) -> Self {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&asked);
        let server = Server::start(move |request| respond(request, &answers, &seen));
        Self { server, asked }
    }

    /// Returns `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// Returns the method and the path of each request so far.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn respond(request: &Request, answers: &[Answer], asked: &Mutex<Vec<String>>) -> Outcome {
    let method = request.method();
    let path = request.path().split('?').next().unwrap_or_default();
    let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    asked.push(format!("{method} {path}"));
    let told = answers
        .iter()
        .find(|answer| (answer.0, answer.1) == (method, path));
    let unknown =
        json!({"error": format!("no handler found for uri [{path}] and method [{method}]")});
    let (status, body) = told.map_or((400, &unknown), |told| (told.2, &told.3));
    Outcome::Respond(Response::new(status, body.to_string()))
}
