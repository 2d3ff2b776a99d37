//! Over HTTP a method is in the session; over a WebSocket, and where it blocks, it takes it from
//! its extensions.

use futures_util::{SinkExt as _, StreamExt as _};
use jsonrpsee::{
    RpcModule,
    server::{Extensions, Server, ServerHandle},
};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio_tungstenite::tungstenite::Message;
use tower::ServiceBuilder;
use tower_openreplay::{
    SessionLayer,
    openreplay_session::{SessionId, current, scope, sync_scope},
};

use crate::{ID, socket};

fn text() -> String {
    current().map_or("none".to_owned(), |id| id.to_string())
}

fn session_of(extensions: &Extensions) -> Option<SessionId> {
    extensions.get().copied()
}

fn methods() -> RpcModule<()> {
    let mut module = RpcModule::new(());
    module.register_method("sync", |_, (), _| text()).unwrap();
    module
        .register_method("sync_scoped", |_, (), extensions| {
            sync_scope(session_of(extensions), text)
        })
        .unwrap();
    module
        .register_async_method("async", |_, _, _| async { text() })
        .unwrap();
    module
        .register_async_method("async_scoped", |_, _, extensions| {
            scope(session_of(&extensions), async { text() })
        })
        .unwrap();
    module
        .register_blocking_method("blocking", |_, _, _| text())
        .unwrap();
    module
        .register_blocking_method("blocking_scoped", |_, _, extensions| {
            sync_scope(session_of(&extensions), text)
        })
        .unwrap();
    module
        .register_subscription(
            "subscribe",
            "item",
            "unsubscribe",
            |_, pending, _, extensions| {
                scope(session_of(&extensions), async {
                    let sink = pending.accept().await?;
                    sink.send(serde_json::value::to_raw_value(&text())?).await?;
                    Ok(())
                })
            },
        )
        .unwrap();
    module
}

async fn serve() -> (SocketAddr, ServerHandle) {
    let http = ServiceBuilder::new().layer(SessionLayer::new().with_extension());
    let server = Server::builder()
        .set_http_middleware(http)
        .build("127.0.0.1:0")
        .await
        .unwrap();
    (server.local_addr().unwrap(), server.start(methods()))
}

fn call(method: &str) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method }).to_string()
}

#[tokio::test]
async fn a_method_over_http_is_in_the_session_and_a_blocking_one_takes_it_from_its_extensions() {
    let (address, _server) = serve().await;
    let id = ID.to_string();
    for (method, expected) in [
        ("sync", &*id),
        ("async", &id),
        ("async_scoped", &id),
        ("blocking", "none"),
        ("blocking_scoped", &id),
    ] {
        let request = reqwest::Client::new().post(format!("http://{address}/"));
        let request = request
            .header("content-type", "application/json")
            .header("openReplaySession.id", &id);
        let response = request.body(call(method)).send().await.unwrap();
        let response: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(response["result"], expected, "{method}");
    }
}

#[tokio::test]
async fn a_method_over_a_websocket_takes_the_session_from_its_extensions() {
    let (address, _server) = serve().await;
    let mut socket = socket(address, None).await;
    let id = ID.to_string();
    for (method, expected) in [
        ("sync", "none"),
        ("sync_scoped", &id),
        ("async", "none"),
        ("async_scoped", &id),
        ("blocking", "none"),
        ("blocking_scoped", &id),
    ] {
        socket.send(Message::text(call(method))).await.unwrap();
        let response = socket.next().await.unwrap().unwrap();
        let response: Value = serde_json::from_str(response.to_text().unwrap()).unwrap();
        assert_eq!(response["result"], expected, "{method}");
    }

    socket.send(Message::text(call("subscribe"))).await.unwrap();
    let item = loop {
        let message = socket.next().await.unwrap().unwrap();
        let message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        if message["method"] == "item" {
            break message["params"]["result"].clone();
        }
    };
    assert_eq!(item, id);
}
