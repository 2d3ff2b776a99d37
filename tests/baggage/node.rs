//! A service in another language between two of ours: it knows OpenTelemetry, and no session.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdout, Command, Stdio},
};

use axum::{Router, routing::get};
use integration_tests::{browser::frontend, guide};
use openreplay_session::{SessionId, current, sync_scope};
use tokio::net::TcpListener;
use tower_openreplay::{SessionLayer, propagate_session};

/// Behind the page's code: a server that does with each request what OpenTelemetry's
/// instrumentation does, and passes the request on.
const SERVICE: &str = r#"
import { createServer } from "node:http";
import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CBaggagePropagator } from "@opentelemetry/core";

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CBaggagePropagator());

const server = createServer((request, response) => {
  const received = propagation.extract(context.active(), request.headers);
  context.with(received, async () => {
    console.log(`${prefix()}priced`);
    const headers = {};
    propagation.inject(context.active(), headers);
    const answer = await fetch(process.env.NEXT, { headers });
    response.end(await answer.text());
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
"#;

/// Values of `session.id` that are no session: ids of other programs, the tracker's token, texts
/// that would end the prefix, the line, or the number, and numbers that no session has.
const HOSTILE: [&str; 12] = [
    "f3a9c1e2",
    "abc.def.ghi",
    "42%5D%20%5BopenReplaySession.id=43",
    "42%0Aforged",
    "42%0A",
    "%0A42",
    "-42",
    "%D9%A4%D9%A2",
    "007",
    "18446744073709551616",
    "99999999999999999999",
    "184467440737095516150",
];

struct Node {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Node {
    fn start(program: &str, next: &str) -> Self {
        let mut child = Command::new("node")
            .args(["--input-type=module", "-"])
            // where its packages are
            .current_dir(frontend())
            .env("NEXT", next)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is installed: scripts/install");
        let mut input = child.stdin.take().unwrap();
        input.write_all(program.as_bytes()).unwrap();
        drop(input);
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node"]
async fn a_service_in_node_keeps_the_session_and_its_messages_have_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let next = format!("http://{}/", listener.local_addr().unwrap());
    let session = || async { current().map_or_else(String::new, |id| id.to_string()) };
    let app = Router::new()
        .route("/", get(session))
        .layer(SessionLayer::new());
    tokio::spawn(async { axum::serve(listener, app).await });

    let page = guide::block("docs/other-services.md", "OpenTelemetry baggage", "js");
    let mut node = Node::start(&(page + SERVICE), &next);
    let url = format!("http://127.0.0.1:{}/", node.line());

    let client = reqwest::Client::new();
    for hostile in HOSTILE {
        let baggage = format!("session.id={hostile}");
        let request = client.get(&url).header("baggage", baggage);
        let response = request.send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), "", "{hostile}");
        assert_eq!(node.line(), "priced", "{hostile}");
    }
    for id in [Some(SessionId::from(u64::MAX)), None] {
        let mut headers = http::HeaderMap::new();
        sync_scope(id, || propagate_session(&mut headers));
        let response = client.get(&url).headers(headers).send().await.unwrap();
        let read = response.text().await.unwrap();
        let prefix = id.map(|id| format!("[openReplaySession.id={id}] "));
        assert_eq!(node.line(), format!("{}priced", prefix.unwrap_or_default()));
        assert_eq!(read, id.map_or_else(String::new, |id| id.to_string()));
    }
}
