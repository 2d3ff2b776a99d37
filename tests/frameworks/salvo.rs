//! salvo takes a Tower layer as a hoop.

use reqwest::Client;
use salvo::{
    Listener as _, Router, Server,
    conn::{Acceptor as _, TcpListener},
    handler,
    prelude::TowerLayerCompat as _,
};
use tower_openreplay::{SessionLayer, openreplay_session::current};

use crate::ID;

#[handler]
async fn session() -> String {
    tokio::task::yield_now().await;
    current().map_or("none".to_owned(), |id| id.to_string())
}

#[tokio::test]
async fn a_handler_behind_the_layer_is_in_the_session() {
    let acceptor = TcpListener::new("127.0.0.1:0").bind().await;
    let address = acceptor.holdings()[0]
        .local_addr
        .clone()
        .into_std()
        .unwrap();
    let router = Router::new()
        .hoop(SessionLayer::new().compat())
        .get(session);
    tokio::spawn(Server::new(acceptor).serve(router));

    for (id, expected) in [
        (ID.to_string(), ID.to_string()),
        ("undefined".into(), "none".into()),
    ] {
        let request = Client::new().get(format!("http://{address}/"));
        let response = request
            .header("openReplaySession.id", id)
            .send()
            .await
            .unwrap();
        assert_eq!(response.text().await.unwrap(), expected);
    }
}
