//! Which code runs in the session, and what passes through unchanged.

use std::{
    cell::RefCell,
    future::{Ready, poll_fn, ready},
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use openreplay_session::{SessionId, current, scope, sync_scope};
use tower::{Layer as _, Service, ServiceExt as _, service_fn};
use tower_openreplay::{SessionBody, SessionLayer};

type Seen = Rc<RefCell<Vec<(&'static str, Option<SessionId>)>>>;

/// Records the session in which it is polled and dropped.
struct Probe(Seen);

impl Probe {
    fn note(&self, what: &'static str) {
        self.0.borrow_mut().push((what, current()));
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.note("drop");
    }
}

struct ProbeBody {
    frames: Vec<Frame<Bytes>>,
    probe: Probe,
}

impl Body for ProbeBody {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        self.probe.note("frame");
        Poll::Ready(self.frames.pop().map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(3);
        hint.set_upper(7);
        hint
    }
}

fn id() -> SessionId {
    SessionId::from(42)
}

fn request() -> Request<()> {
    Request::get("/")
        .header("openReplaySession.id", "42")
        .body(())
        .unwrap()
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Returns the current session and the extension in a request to this URI with these headers, for
/// which an outer layer or task has entered session 42.
fn inside_42(uri: &str, ids: &[&str]) -> (Option<SessionId>, Option<SessionId>) {
    let mut request = Request::get(uri).extension(id());
    for id in ids {
        request = request.header("openReplaySession.id", *id);
    }
    let layer = SessionLayer::new()
        .with_query_parameter("id")
        .with_extension();
    let mut service = layer.layer(service_fn(|request: Request<()>| {
        let extension = request.extensions().get().copied();
        ready(Ok::<_, ()>(Response::new((current(), extension))))
    }));
    let call = sync_scope(id(), || service.call(request.body(()).unwrap()));
    match poll_once(pin!(scope(id(), call))) {
        Poll::Ready(response) => *response.unwrap().body().get_ref().unwrap(),
        Poll::Pending => unreachable!(),
    }
}

#[test]
fn different_ids_are_no_session_even_inside_another_session() {
    let none = (None, None);
    assert_eq!(inside_42("/", &["1", "2"]), none);
    assert_eq!(inside_42("/?id=1&id=2", &[]), none);

    let outer = (Some(id()), Some(id()));
    assert_eq!(inside_42("/", &[]), outer);
    assert_eq!(inside_42("/?id=undefined", &["undefined"]), outer);

    let inner = (Some(SessionId::from(1)), Some(SessionId::from(1)));
    assert_eq!(inside_42("/", &["1"]), inner);
    assert_eq!(inside_42("/?id=1", &[]), inner);
}

#[test]
fn the_call_the_future_and_both_drops_are_in_the_session() {
    let seen = Seen::default();
    let service = SessionLayer::new().layer(service_fn(|_: Request<()>| {
        let probe = Probe(seen.clone());
        probe.note("call");
        async move {
            for _ in 0..2 {
                probe.note("poll");
                let mut polled = false;
                poll_fn(|_| {
                    if std::mem::replace(&mut polled, true) {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                })
                .await;
            }
            Ok::<_, &'static str>(Response::new(()))
        }
    }));
    let mut future = Box::pin(service.oneshot(request()));
    while poll_once(future.as_mut()).is_pending() {
        assert_eq!(current(), None);
    }
    let expected: Vec<_> = ["call", "poll", "poll", "drop"]
        .map(|what| (what, Some(id())))
        .into();
    assert_eq!(*seen.borrow(), expected);
}

#[test]
fn a_cancelled_future_is_dropped_in_the_session() {
    let seen = Seen::default();
    let service = SessionLayer::new().layer(service_fn(|_: Request<()>| {
        let probe = Probe(seen.clone());
        async move {
            let _probe = probe;
            std::future::pending::<Result<Response<()>, &'static str>>().await
        }
    }));
    let mut future = Box::pin(service.oneshot(request()));
    assert!(poll_once(future.as_mut()).is_pending());
    drop(future);
    assert_eq!(*seen.borrow(), [("drop", Some(id()))]);
}

fn response(seen: &Seen) -> Response<ProbeBody> {
    Response::new(ProbeBody {
        frames: vec![
            Frame::trailers(HeaderMap::new()),
            Frame::data(Bytes::from_static(b"one")),
        ],
        probe: Probe(seen.clone()),
    })
}

#[tokio::test]
async fn the_frames_the_trailers_and_the_drop_of_the_body_are_in_the_session() {
    let seen = Seen::default();
    let service = SessionLayer::new().layer(service_fn(|_: Request<()>| {
        ready(Ok::<_, &'static str>(response(&seen)))
    }));
    let body = service.oneshot(request()).await.unwrap().into_body();
    let mut body = Box::pin(body);

    assert!(!body.is_end_stream());
    assert_eq!(
        (body.size_hint().lower(), body.size_hint().upper()),
        (3, Some(7))
    );
    let mut next = async || poll_fn(|cx| body.as_mut().poll_frame(cx)).await;
    assert_eq!(next().await.unwrap().unwrap().into_data().unwrap(), "one");
    assert!(next().await.unwrap().unwrap().is_trailers());
    assert!(next().await.is_none());
    assert!(body.is_end_stream());
    assert_eq!(current(), None);
    drop(body);

    // The body is dropped with its last frame, since `is_end_stream` reports the end.
    let expected: Vec<_> = ["frame", "frame", "drop"]
        .map(|what| (what, Some(id())))
        .into();
    assert_eq!(*seen.borrow(), expected);
}

#[tokio::test]
async fn a_body_that_is_never_read_is_dropped_in_the_session() {
    let seen = Seen::default();
    let service = SessionLayer::new().layer(service_fn(|_: Request<()>| {
        ready(Ok::<_, &'static str>(response(&seen)))
    }));
    drop(service.oneshot(request()).await.unwrap());
    assert_eq!(*seen.borrow(), [("drop", Some(id()))]);
}

#[tokio::test]
async fn a_wrapped_body_is_polled_and_dropped_in_its_session_by_a_task_of_another_session() {
    let wrapped: [fn(ProbeBody) -> SessionBody<ProbeBody>; 3] = [
        |body| SessionBody::new(id(), body),
        |body| sync_scope(id(), || SessionBody::in_current_session(body)),
        // wrapped outside any session
        SessionBody::in_current_session,
    ];
    for (wrap, session) in wrapped.into_iter().zip([Some(id()), Some(id()), None]) {
        let seen = Seen::default();
        let body = wrap(response(&seen).into_body());
        assert!(!body.is_end_stream());
        assert_eq!(
            (body.size_hint().lower(), body.size_hint().upper()),
            (3, Some(7))
        );
        let connection = async {
            let mut body = pin!(body);
            poll_fn(|cx| body.as_mut().poll_frame(cx))
                .await
                .unwrap()
                .unwrap();
            assert_eq!(current(), Some(SessionId::from(7)));
        };
        scope(SessionId::from(7), connection).await;
        assert_eq!(*seen.borrow(), [("frame", session), ("drop", session)]);
    }
}

#[tokio::test]
async fn without_an_id_an_outer_session_is_kept() {
    let seen = Seen::default();
    let service = SessionLayer::new().layer(service_fn(|_: Request<()>| {
        let probe = Probe(seen.clone());
        probe.note("call");
        ready(Ok::<_, &'static str>(Response::new(())))
    }));
    service.clone().oneshot(Request::new(())).await.unwrap();
    assert_eq!(*seen.borrow(), [("call", None), ("drop", None)]);

    seen.borrow_mut().clear();
    let outer = SessionId::from(7);
    scope(outer, service.oneshot(Request::new(())))
        .await
        .unwrap();
    assert_eq!(
        *seen.borrow(),
        [("call", Some(outer)), ("drop", Some(outer))]
    );
}

#[tokio::test]
async fn the_id_of_the_request_overrides_an_outer_session() {
    let service = SessionLayer::new().layer(service_fn(|_: Request<()>| async {
        assert_eq!(current(), Some(id()));
        Ok::<_, &'static str>(Response::new(()))
    }));
    scope(SessionId::from(7), service.oneshot(request()))
        .await
        .unwrap();
}

#[tokio::test]
async fn errors_and_responses_pass_unchanged() {
    #[derive(Clone, Debug, PartialEq)]
    struct Own(u8);

    let failing = SessionLayer::new().layer(service_fn(|_: Request<()>| {
        ready(Err::<Response<()>, _>(Own(7)))
    }));
    assert_eq!(failing.oneshot(request()).await.unwrap_err(), Own(7));

    let responding = SessionLayer::new().layer(service_fn(|_: Request<()>| {
        let response = Response::builder()
            .status(418)
            .header("x-own", "1")
            .extension(Own(3))
            .body(());
        ready(response)
    }));
    let response = responding.oneshot(request()).await.unwrap();
    assert_eq!(response.status(), 418);
    assert_eq!(response.headers().len(), 1);
    assert_eq!(response.headers()["x-own"], "1");
    assert_eq!(response.extensions().get(), Some(&Own(3)));
}

/// A service that is ready for one call, and must not be cloned.
#[derive(Default)]
struct OncePerReady {
    ready: bool,
    polls: usize,
}

impl Clone for OncePerReady {
    fn clone(&self) -> Self {
        panic!("the inner service was cloned");
    }
}

impl Service<Request<()>> for OncePerReady {
    type Response = Response<()>;
    type Error = &'static str;
    type Future = Ready<Result<Response<()>, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.polls += 1;
        match self.polls {
            1 => Poll::Pending,
            2 => {
                self.ready = true;
                Poll::Ready(Ok(()))
            }
            _ => Poll::Ready(Err("broken")),
        }
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called without being ready"
        );
        ready(Ok(Response::new(())))
    }
}

#[test]
fn readiness_is_that_of_the_inner_service_and_it_is_never_cloned() {
    let mut service = SessionLayer::new().layer(OncePerReady::default());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_pending());
    assert_eq!(service.poll_ready(&mut cx), Poll::Ready(Ok(())));
    assert!(poll_once(pin!(service.call(request()))).is_ready());
    assert_eq!(service.poll_ready(&mut cx), Poll::Ready(Err("broken")));
}

#[test]
fn a_panic_in_the_call_leaves_no_session_behind() {
    let mut service = SessionLayer::new().layer(service_fn(
        |_: Request<()>| -> Ready<Result<Response<()>, &'static str>> { panic!("on purpose") },
    ));
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        drop(service.call(request()));
    }));
    assert!(panic.is_err());
    assert_eq!(current(), None);
}

#[test]
fn is_send_sync_and_unpin_if_the_inner_parts_are() {
    fn check<T: Send + Sync + Unpin + Clone + std::fmt::Debug>(_: &T) {}
    check(&SessionLayer::new());
    check(&SessionLayer::new().layer(()));
    fn check_parts<T: Send + Sync + Unpin + std::fmt::Debug>() {}
    check_parts::<tower_openreplay::session::ResponseFuture<Ready<()>>>();
    check_parts::<SessionBody<String>>();
}

#[test]
fn a_body_returns_its_inner_body_until_it_has_ended() {
    let mut body = SessionBody::new(id(), "inner");
    assert_eq!(body.get_ref(), Some(&"inner"));
    assert_eq!(body.get_mut(), Some(&mut "inner"));
    assert_eq!(body.into_inner(), Some("inner"));
    assert_eq!(SessionBody::<()>::default().into_inner(), None);
}
