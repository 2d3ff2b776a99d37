//! The guide's table of frameworks, with each of them: where the session is, and what
//! takes it there.

mod async_graphql;
mod buffer;
mod jsonrpsee;
mod lambda;
mod salvo;
mod tonic;
mod uploads;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{client::IntoClientRequest as _, http::HeaderValue},
};
use tower_openreplay::openreplay_session::{SessionId, current};

/// The session of the visitor in each test.
const ID: u64 = 4_950_498_349_085_463_837;

fn session() -> Option<SessionId> {
    Some(SessionId::from(ID))
}

/// The sessions that something ran in.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Option<SessionId>>>>);

impl Seen {
    fn note(&self) {
        self.0.lock().unwrap().push(current());
    }

    #[track_caller]
    fn all_in(&self, session: Option<SessionId>) {
        let seen = self.0.lock().unwrap();
        assert!(
            !seen.is_empty() && seen.iter().all(|id| *id == session),
            "{seen:?}"
        );
    }
}

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    address
}

/// Opens a WebSocket in the visitor's session.
async fn socket(
    address: SocketAddr,
    protocol: Option<&'static str>,
) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let mut request = format!("ws://{address}/").into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert("openReplaySession.id", HeaderValue::from(ID));
    if let Some(protocol) = protocol {
        headers.insert("sec-websocket-protocol", HeaderValue::from_static(protocol));
    }
    tokio_tungstenite::connect_async(request).await.unwrap().0
}

/// Each framework with its version, as the first cells of the table have them: `tonic 0.14`.
fn rows(page: &str) -> Vec<(&str, &str)> {
    let (_, section) = page.split_once("\n## Frameworks\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let table = section.lines().filter(|line| line.starts_with("| "));
    table
        .skip(1) // its head
        .map(|line| {
            let mut words = line[2..].split([' ', ',']);
            (words.next().unwrap(), words.next().unwrap())
        })
        .collect()
}

#[test]
fn the_guide_names_the_versions_that_are_tested() {
    let page = include_str!("../../docs/spawns-streams-websockets.md");
    let lock = include_str!("../../Cargo.lock");
    let rows = rows(page);
    assert_eq!(rows.len(), 7, "{rows:?}");
    for (name, version) in rows {
        let resolved = format!("name = \"{name}\"\nversion = \"{version}.");
        assert!(
            lock.contains(&resolved),
            "{name} {version} is not in Cargo.lock"
        );
    }
}
