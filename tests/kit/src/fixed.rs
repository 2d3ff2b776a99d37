//! A stand-in for what the real engines of `tests/engines` lack: it gives fixed responses.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::http::{Outcome, Request, Response, Server};

/// Method, path without query, status and body of a response.
pub type FixedResponse = (&'static str, &'static str, u16, Value);

/// Responds to each request as it was told, and to any other as an engine responds to a route that
/// it does not know.
#[derive(Debug)]
pub struct FixedServer {
    server: Server,
    requests: Arc<Mutex<Vec<String>>>,
}

impl FixedServer {
    /// Starts on a port of its own.
    ///
    /// # Panics
    ///
    /// If no port is free.
    #[must_use]
    pub fn start(responses: Vec<FixedResponse>) -> Self {
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&requests);
        let server = Server::start(move |request| respond(request, &responses, &seen));
        Self { server, requests }
    }

    /// Returns `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// Returns the method and the path of each request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn respond(
    request: &Request,
    responses: &[FixedResponse],
    requests: &Mutex<Vec<String>>,
) -> Outcome {
    let method = request.method();
    let path = request.path().split('?').next().unwrap_or_default();
    let mut requests = requests.lock().unwrap_or_else(PoisonError::into_inner);
    requests.push(format!("{method} {path}"));
    let told = responses
        .iter()
        .find(|response| (response.0, response.1) == (method, path));
    let unknown =
        json!({"error": format!("no handler found for uri [{path}] and method [{method}]")});
    let (status, body) = told.map_or((400, &unknown), |told| (told.2, &told.3));
    Outcome::Respond(Response::new(status, body.to_string()))
}
