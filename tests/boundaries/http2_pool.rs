//! One HTTP/2 connection that the requests of three sessions share.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use axum::{Router, routing::get, serve::ListenerExt as _};
use openreplay_session::{SessionId, scope};
use tracing::{Instrument as _, info, info_span, subscriber::NoSubscriber};

use crate::log;

/// Serves HTTP/2 on a thread of its own, whose records nobody sees; counts the connections.
fn serve() -> (SocketAddr, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || {
        // set rather than left out: a callsite that is met here first would count as off in all
        // threads
        let _nobody = tracing::subscriber::set_default(NoSubscriber::new());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            let listener = listener.tap_io(move |_| {
                count.fetch_add(1, Ordering::Relaxed);
            });
            let app = Router::new().route("/", get(|| async { "stock" }));
            axum::serve(listener, app).await.unwrap();
        });
    });
    (receiver.recv().unwrap(), connections)
}

#[tokio::test]
async fn what_the_connection_logs_is_in_no_session_or_in_that_of_the_request_at_hand() {
    let (address, connections) = serve();
    let logged = log("info,h2=debug");
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();

    let mut seen = 0;
    for id in [1_u64, 2, 3] {
        let call = async {
            info!("requesting");
            let response = client
                .get(format!("http://{address}/"))
                .send()
                .await
                .unwrap();
            assert_eq!(response.text().await.unwrap(), "stock");
        };
        scope(SessionId::from(id), call.instrument(info_span!("request"))).await;
        // what the connection has left to do for it
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;

        let id = id.to_string();
        let records = logged.records().split_off(seen);
        seen += records.len();
        assert!(records.contains(&(Some(id.clone()), "requesting".to_owned())));
        for (session, message) in &records {
            let fits = session.as_ref().is_none_or(|session| *session == id);
            assert!(fits, "in a request of {id}: {session:?} {message}");
        }
        // the task of the connection wrote and read
        for frame in ["send frame=Headers", "received frame=Headers"] {
            let of_nobody = |(session, message): &(Option<String>, String)| {
                session.is_none() && message.starts_with(frame)
            };
            assert!(records.iter().any(of_nobody), "{frame}: {records:#?}");
        }
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}
