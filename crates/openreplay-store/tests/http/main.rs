//! The store over real sockets, as OpenReplay, shippers and broken clients use it.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use openreplay_store::{Keys, Store};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use ureq::http::{Method, Request};

mod bad_input;
mod routes;
mod search;
mod slow;

struct Server {
    address: SocketAddr,
    keys: Keys,
    _runtime: Runtime,
    _folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        Self::with(folder, keys)
    }

    fn with(folder: TempDir, keys: Keys) -> Self {
        let store = Store::open(folder.path()).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let service = TowerToHyperService::new(store.service(keys.clone()));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let builder = Builder::new(TokioExecutor::new());
                    let _ = builder
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self {
            address,
            keys,
            _runtime: runtime,
            _folder: folder,
        }
    }

    fn reader(&self) -> String {
        // as OpenReplay's Go client spells it
        format!("APIKey {}", self.keys.openreplay().unwrap().encoded())
    }

    fn writer(&self) -> String {
        format!("ApiKey {}", self.keys.writer().unwrap().encoded())
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (u16, Value) {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        let mut response = agent.run(request.body(body).unwrap()).unwrap();
        assert_eq!(response.headers()["x-elastic-product"], "Elasticsearch");
        let text = response.body_mut().read_to_string().unwrap();
        (
            response.status().as_u16(),
            serde_json::from_str(&text).unwrap_or(Value::Null),
        )
    }

    fn bulk(&self, body: &[u8]) -> (u16, Value) {
        self.request(
            "POST",
            "/logs/_bulk",
            &[("authorization", &self.writer())],
            body,
        )
    }

    fn search(&self, body: &Value) -> (u16, Value) {
        let path = "/logs/_search?track_total_hits=true";
        let body = body.to_string();
        self.request(
            "POST",
            path,
            &[("authorization", &self.reader())],
            body.as_bytes(),
        )
    }

    fn sources(&self, session: u64) -> Vec<Value> {
        let phrase = format!("openReplaySession.id={session}");
        let query = json!({"match_phrase": {"message": phrase}});
        let (status, found) = self.search(&json!({"size": 1_000, "query": query}));
        assert_eq!(status, 200, "{found}");
        let hits = found["hits"]["hits"].as_array().unwrap();
        assert_eq!(found["hits"]["total"]["value"], hits.len());
        hits.iter().map(|hit| hit["_source"].clone()).collect()
    }
}

/// A time that the store keeps.
fn now(nth: u64) -> String {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    (u64::try_from(now.as_millis()).unwrap() + nth).to_string()
}

fn record(session: u64, time: &str, text: &str) -> String {
    let message = format!("[openReplaySession.id={session}] {text}");
    json!({"@timestamp": time, "level": "error", "message": message}).to_string()
}

fn create(id: &str, record: &str) -> String {
    format!("{}\n{record}\n", json!({"create": {"_id": id}}))
}

fn statuses(response: &Value) -> Vec<u64> {
    let items = response["items"]
        .as_array()
        .unwrap_or_else(|| panic!("{response}"));
    let item = |item: &Value| item.as_object().unwrap().values().next().unwrap()["status"].clone();
    items
        .iter()
        .map(|each| item(each).as_u64().unwrap())
        .collect()
}
