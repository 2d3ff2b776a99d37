//! Subscriptions run in the task of the upgraded connection.

use async_graphql::{EmptyMutation, Object, Schema, Subscription, http::ALL_WEBSOCKET_PROTOCOLS};
use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::{
    Router,
    extract::{State, WebSocketUpgrade},
    response::Response,
    routing::any,
};
use futures_util::{SinkExt as _, Stream, StreamExt as _, stream};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tower_openreplay::{
    SessionLayer,
    openreplay_session::{Scope, current, scope},
};

use crate::{ID, serve, socket};

fn text() -> String {
    current().map_or("none".to_owned(), |id| id.to_string())
}

struct Query;

#[Object]
impl Query {
    async fn session(&self) -> String {
        text()
    }
}

struct Subscriptions;

#[Subscription]
impl Subscriptions {
    /// The session, as the resolver sees it and as each item does.
    async fn sessions(&self) -> impl Stream<Item = Vec<String>> {
        let resolver = text();
        stream::iter(0..2).map(move |_| vec![resolver.clone(), text()])
    }
}

type Subscribed = Schema<Query, EmptyMutation, Subscriptions>;

async fn taken_along(
    State(schema): State<Subscribed>,
    protocol: GraphQLProtocol,
    upgrade: WebSocketUpgrade,
) -> Response {
    let session = Scope::captured();
    upgrade
        .protocols(ALL_WEBSOCKET_PROTOCOLS)
        .on_upgrade(move |socket| {
            scope(
                session,
                GraphQLWebSocket::new(socket, schema, protocol).serve(),
            )
        })
}

/// What a client gets that subscribes in a session.
async fn subscribe(app: Router<Subscribed>) -> Vec<Value> {
    let schema = Schema::new(Query, EmptyMutation, Subscriptions);
    let address = serve(app.layer(SessionLayer::new()).with_state(schema)).await;
    let mut socket = socket(address, Some("graphql-transport-ws")).await;
    let subscribe = json!({ "id": "1", "type": "subscribe", "payload": { "query": "subscription { sessions }" } });
    for message in [json!({ "type": "connection_init" }), subscribe] {
        socket
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }
    let mut items = Vec::new();
    while let Some(message) = socket.next().await {
        let message: Value = serde_json::from_str(message.unwrap().to_text().unwrap()).unwrap();
        match message["type"].as_str() {
            Some("next") => items.push(message["payload"]["data"]["sessions"].clone()),
            Some("connection_ack") => {}
            _ => break,
        }
    }
    items
}

#[tokio::test]
async fn a_subscription_is_in_the_session_that_its_upgrade_takes_along() {
    let id = ID.to_string();
    let items = subscribe(Router::new().route("/", any(taken_along))).await;
    assert_eq!(items, [json!([id, id]), json!([id, id])]);
}

#[tokio::test]
async fn the_ready_made_service_takes_no_session_along() {
    let schema = Schema::new(Query, EmptyMutation, Subscriptions);
    let service = async_graphql_axum::GraphQLSubscription::new(schema);
    let items = subscribe(Router::new().route_service("/", service)).await;
    assert_eq!(items, [json!(["none", "none"]), json!(["none", "none"])]);
}

#[tokio::test]
async fn a_query_is_in_the_session() {
    let schema = Schema::new(Query, EmptyMutation, Subscriptions);
    let service = async_graphql_axum::GraphQL::new(schema);
    let app = Router::new().route_service("/", service);
    let address = serve(app.layer(SessionLayer::new())).await;
    let request = reqwest::Client::new()
        .post(format!("http://{address}/"))
        .header("content-type", "application/json")
        .header("openReplaySession.id", ID)
        .body(json!({ "query": "{ session }" }).to_string());
    let response = request.send().await.unwrap().text().await.unwrap();
    let response: Value = serde_json::from_str(&response).unwrap();
    assert_eq!(response["data"]["session"], ID.to_string());
}
