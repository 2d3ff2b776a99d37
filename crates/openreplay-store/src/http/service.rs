use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::Full;
use serde_json::json;
use tower_service::Service;

use super::body::{self, Encoding, Limits, Received, keep_reserved};
use super::bulk::{Bulk, ResponseForm};
use super::error::Problem;
use super::search::{SUPPORTED, Search};
use super::{ALIAS, is_ours, local};
use crate::entry::{Entry, Outcome};
use crate::keys::{Keys, Rights};
use crate::store::Store;

/// Filebeat connects to an Elasticsearch of its own version or a newer one.
const VERSION: &str = "9.99.0";

/// A Tower service that serves a store over HTTP, for axum or hyper.
///
/// | route | serves |
/// |---|---|
/// | `POST` or `GET /{index}/_search` | the two searches of OpenReplay |
/// | `POST` or `PUT /_bulk` and `/{index}/_bulk` | `create` and `index` |
/// | `GET` and `HEAD /` | the version that shippers look for, and the name of this project |
/// | `GET /_cluster/health` and `/_license` | the requests of shippers before they send records |
///
/// `{index}` is `logs`. The response to any other route is a 404.
///
/// The body of `_bulk` can have up to 16 MiB, before and after decompression, and 65,536 lines. All
/// these bodies use at most 18 MiB as they are sent and 16 MiB after decompression, and further
/// requests wait; the beginning of each body does not count. The body of a search can have 64 KiB,
/// and searches do not wait for other requests' bodies. A response to a search ends with the record
/// that reaches 64 MiB. All responses together use about 128 MiB at most, of which each search
/// reserves 64 MiB until its response is created. If unread responses leave less than that, further
/// searches wait for at most a minute, and the response is then 429. The service needs a Tokio
/// runtime with time enabled.
#[derive(Clone, Debug)]
pub struct StoreService {
    store: Store,
    keys: Keys,
    limits: Limits,
}

impl Store {
    /// Returns a Tower service that serves the store to clients with these keys.
    #[must_use]
    pub fn service(&self, keys: Keys) -> StoreService {
        StoreService {
            store: self.clone(),
            keys,
            limits: Limits::default(),
        }
    }
}

/// The response future of [`StoreService`].
pub struct ResponseFuture(Pin<Box<dyn Future<Output = Response<Full<Bytes>>> + Send>>);

impl Future for ResponseFuture {
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context).map(Ok)
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<B> Service<Request<B>> for StoreService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: fmt::Display,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        let service = self.clone();
        ResponseFuture(Box::pin(async move {
            let response = service.serve(request).await;
            finished(response.unwrap_or_else(Problem::into_response))
        }))
    }
}

/// What every response has.
fn finished(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    let headers = response.headers_mut();
    // OpenReplay's Go client accepts no server without it
    headers.insert(
        "x-elastic-product",
        HeaderValue::from_static("Elasticsearch"),
    );
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

enum Route {
    Root,
    Health,
    License,
    Search,
    /// With the index that actions without one have.
    Bulk(Option<&'static str>),
}

impl Route {
    fn of(method: &Method, path: &str) -> Result<Self, Problem> {
        let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
        let is_read = matches!(*method, Method::GET | Method::HEAD);
        let is_sent = matches!(*method, Method::POST | Method::PUT);
        match parts[..] {
            [] if is_read => Ok(Self::Root),
            ["_cluster", "health"] if is_read => Ok(Self::Health),
            ["_license"] if is_read => Ok(Self::License),
            ["_bulk"] if is_sent => Ok(Self::Bulk(None)),
            [index, "_bulk"] if is_sent => ours(index, Self::Bulk(Some(ALIAS))),
            [index, "_search"] if matches!(*method, Method::GET | Method::POST) => {
                ours(index, Self::Search)
            }
            _ => Err(Problem::new(
                StatusCode::NOT_FOUND,
                "resource_not_found_exception",
                format!(
                    "openreplay-store has no handler for uri [{path}] and method [{method}]; it has [/logs/_search], [/_bulk], [/_cluster/health], [/_license] and [/]"
                ),
            )),
        }
    }

    /// Returns the rights that it needs, and Elasticsearch's name for what they permit.
    fn needs(&self) -> Option<(Rights, &'static str)> {
        match self {
            Self::Search => Some((Rights::Read, "indices:data/read/search")),
            Self::Bulk(_) => Some((Rights::Write, "indices:data/write/bulk")),
            Self::Root | Self::Health | Self::License => None,
        }
    }
}

/// A request that only lacks its body.
struct Accepted {
    route: Route,
    encoding: Encoding,
    form: ResponseForm,
}

/// Returns the route if it leads to the one index that the store has.
fn ours(index: &str, route: Route) -> Result<Route, Problem> {
    if is_ours(index) {
        Ok(route)
    } else {
        Err(Problem::no_index(index))
    }
}

impl StoreService {
    async fn serve<B>(self, request: Request<B>) -> Result<Response<Full<Bytes>>, Problem>
    where
        B: Body + Send,
        B::Error: fmt::Display,
    {
        let (head, body) = request.into_parts();
        match self.check(&head) {
            Ok(accepted) => self.respond(accepted, &head.headers, body).await,
            Err(problem) => {
                body::discard(&head.headers, body, problem.status).await;
                Err(problem)
            }
        }
    }

    /// Checks everything but the body.
    fn check(&self, head: &http::request::Parts) -> Result<Accepted, Problem> {
        let rights = self.rights(head)?;
        let route = Route::of(&head.method, head.uri.path())?;
        if !self.keys.are_required() {
            local::check(head, matches!(route, Route::Bulk(_)))?;
        }
        if let Some((needed, action)) = route.needs()
            && !rights.include(needed)
        {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "security_exception",
                format!("action [{action}] is unauthorized for this API key"),
            ));
        }
        let query = head.uri.query().unwrap_or_default();
        match route {
            Route::Bulk(_) => check_bulk_parameters(query)?,
            Route::Search => check_search_parameters(query)?,
            Route::Root | Route::Health | Route::License => {}
        }
        let encoding = match route {
            Route::Root | Route::Health | Route::License => Encoding::Identity,
            Route::Search | Route::Bulk(_) => Encoding::of(&head.headers)?,
        };
        body::check_length(&head.headers)?;
        Ok(Accepted {
            route,
            encoding,
            form: form(query),
        })
    }

    async fn respond<B>(
        self,
        accepted: Accepted,
        headers: &HeaderMap,
        body: B,
    ) -> Result<Response<Full<Bytes>>, Problem>
    where
        B: Body + Send,
        B::Error: fmt::Display,
    {
        match accepted.route {
            Route::Root => Ok(json_response(&root())),
            Route::Health => Ok(json_response(&health())),
            Route::License => Ok(json_response(&license())),
            Route::Search => {
                let body = Limits::receive_short(accepted.encoding, body).await?;
                let limits = self.limits.clone();
                let memory = limits.reserve_response().await?;
                let search = move || {
                    let found = self.search(&body)?;
                    Ok(Response::new(Full::new(keep_reserved(found, memory))))
                };
                limits.run_blocking(search).await
            }
            Route::Bulk(index) => {
                let received = self
                    .limits
                    .receive(headers, accepted.encoding, body)
                    .await?;
                self.bulk(received, index, accepted.form).await
            }
        }
    }

    fn rights(&self, head: &http::request::Parts) -> Result<Rights, Problem> {
        let authorization = head.headers.get(header::AUTHORIZATION);
        let rights = self.keys.rights(authorization.map(HeaderValue::as_bytes));
        rights.ok_or_else(|| {
            let reason = match authorization {
                None => format!(
                    "missing authentication credentials for REST request [{}]",
                    head.uri.path()
                ),
                Some(_) => "unable to authenticate with provided credentials".to_owned(),
            };
            Problem::new(StatusCode::UNAUTHORIZED, "security_exception", reason)
        })
    }

    fn search(&self, body: &[u8]) -> Result<Vec<u8>, Problem> {
        let found = Search::read(body)?.run(&self.store);
        found.map_err(|error| Problem::unavailable(error.to_string()))
    }

    async fn bulk(
        self,
        mut received: Received,
        index: Option<&'static str>,
        form: ResponseForm,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let started = Instant::now();
        let is_long = received.is_long();
        self.limits.reserve_lines(&mut received).await?;
        let read = move || {
            let mut bulk = Bulk::read(&received.bytes, index)?;
            let batch = bulk.take_batch();
            Ok((received, bulk, batch.into_parts()))
        };
        let (received, bulk, (entries, known)) = self.limits.run_by_length(is_long, read).await?;
        let received = Arc::new(received);
        let outcomes = self.store(entries, Arc::clone(&received)).await?;
        let respond = move || {
            let response = bulk.respond(known.fill(outcomes), started, form);
            drop(received);
            Ok(Response::new(Full::from(response)))
        };
        self.limits.run_by_length(is_long, respond).await
    }

    /// Stores the entries of a body.
    ///
    /// If the client disconnects, this future is dropped, but the entries stay queued. What is
    /// reserved for their body is therefore released by the store's thread.
    async fn store(
        &self,
        entries: Vec<Entry>,
        received: Arc<Received>,
    ) -> Result<Vec<Outcome>, Problem> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let (done, outcomes) = tokio::sync::oneshot::channel();
        self.store.submit(entries, move |outcomes| {
            // the client may have disconnected
            let _ = done.send(outcomes);
            drop(received);
        });
        let outcomes = outcomes.await;
        outcomes.map_err(|_| Problem::unavailable("the store is closed"))
    }
}

fn json_response(value: &serde_json::Value) -> Response<Full<Bytes>> {
    Response::new(Full::from(value.to_string()))
}

fn root() -> serde_json::Value {
    json!({
        "name": "openreplay-store",
        "cluster_name": "openreplay-store",
        "cluster_uuid": "openreplay-store-00000",
        "version": {
            "number": VERSION,
            "build_flavor": "default",
            "build_type": "openreplay-store",
            "build_hash": env!("CARGO_PKG_VERSION"),
            "build_snapshot": false,
            "lucene_version": "0.0.0",
            "minimum_wire_compatibility_version": "8.0.0",
            "minimum_index_compatibility_version": "8.0.0",
        },
        "tagline": concat!("openreplay-store ", env!("CARGO_PKG_VERSION"), ", not Elasticsearch"),
    })
}

fn health() -> serde_json::Value {
    json!({
        "cluster_name": "openreplay-store", "status": "green", "timed_out": false,
        "number_of_nodes": 1, "number_of_data_nodes": 1, "active_primary_shards": 1, "active_shards": 1,
        "relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": 0,
    })
}

fn license() -> serde_json::Value {
    json!({"license": {
        "status": "active", "uid": "openreplay-store", "type": "basic", "issued_to": "openreplay-store",
        "issuer": "openreplay-store",
    }})
}

/// The parameters of a query and their values.
fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Parameters that would change what is stored are not passed over.
fn check_bulk_parameters(query: &str) -> Result<(), Problem> {
    for (name, value) in parameters(query) {
        match name {
            // `_none` is Elasticsearch's name for no pipeline
            "pipeline" if value != "_none" => {}
            "require_data_stream" if value != "false" => {}
            _ => continue,
        }
        return Err(Problem::illegal(format!("this store has no [{name}]")));
    }
    Ok(())
}

/// Parameters that would change what is found are not passed over.
fn check_search_parameters(query: &str) -> Result<(), Problem> {
    for (name, _) in parameters(query) {
        match name {
            "allow_no_indices"
            | "allow_partial_search_results"
            | "error_trace"
            | "expand_wildcards"
            | "filter_path"
            | "human"
            | "ignore_unavailable"
            | "preference"
            | "pretty"
            | "request_cache"
            | "timeout"
            | "track_total_hits"
            | "typed_keys" => {}
            _ => {
                return Err(Problem::illegal(format!(
                    "this store does not support the parameter [{name}]; {SUPPORTED}"
                )));
            }
        }
    }
    Ok(())
}

/// Returns the form that a client requests.
fn form(query: &str) -> ResponseForm {
    let filter = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("filter_path="));
    let is_known = |path: &str| {
        matches!(
            path,
            "items.*._index" | "items.*.status" | "items.*.error.type" | "items.*.error.reason"
        )
    };
    match filter {
        Some(filter) if filter.split(',').all(is_known) => ResponseForm::ItemsOnly,
        _ => ResponseForm::Full,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::task::Waker;

    use super::*;
    use crate::keys::Keys;

    /// Otherwise, clients that disconnect could queue any number of bodies.
    #[test]
    fn what_is_reserved_for_a_body_stays_reserved_until_its_records_are_stored() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        let key = format!("ApiKey {}", keys.writer().unwrap().encoded());
        let mut service = store.service(keys);
        let free = service.limits.free();
        let (open, gate) = mpsc::channel();
        store.submit(Vec::new(), move |_| gate.recv().unwrap());

        let request = Request::post("/logs/_bulk").header(header::AUTHORIZATION, key);
        let body = Full::new(Bytes::from("{\"create\":{}}\n{\"message\":\"m\"}\n"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let entered = runtime.enter();
        let mut response = service.call(request.body(body).unwrap());
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut response).poll(&mut context).is_pending());
        drop(response);
        drop(entered);
        assert!(service.limits.free() < free);

        open.send(()).unwrap();
        store.tidy();
        assert_eq!(store.total(), 1);
        assert_eq!(service.limits.free(), free);
    }

    #[tokio::test]
    async fn what_is_reserved_for_a_response_stays_reserved_until_it_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let long = format!(
            r#"{{"message":"openReplaySession.id=7 {}"}}"#,
            "x".repeat(1_000_000)
        );
        let mut batch = crate::Batch::new();
        batch.create(Some("a"), long);
        store.write(batch).unwrap();
        let mut service = store.service(Keys::none());
        let free = service.limits.free();

        let request = Request::post("/logs/_search").body(Full::new(Bytes::new()));
        let response = service.call(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let kept: usize = free
            .iter()
            .zip(service.limits.free())
            .map(|(free, now)| free - now)
            .sum();
        assert!((977..2_000).contains(&kept), "{kept} KiB");
        drop(response);
        assert_eq!(service.limits.free(), free);
    }
}
