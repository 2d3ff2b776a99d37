use std::sync::{Arc, Mutex};

use openreplay_session::{sync_scope, sync_without_session};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};
use tracing::{Span, info, info_span};
use tracing_core::{LevelFilter, Subscriber};
use tracing_subscriber::{Layer, Registry, filter::filter_fn, prelude::*};

use super::*;

/// Notes the session of every event, and how many spans had to remember one.
#[derive(Clone, Default)]
struct Probe(Arc<Mutex<Vec<Option<SessionId>>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Probe {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        remember(attributes, id, &ctx);
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        self.0.lock().unwrap().push(of_event(event, &ctx));
    }
}

/// The sessions of the events that happen in `run`, of which only those spans are seen that are not named `hidden`.
fn sessions(run: impl FnOnce()) -> Vec<Option<SessionId>> {
    let probe = Probe::default();
    let visible = filter_fn(|metadata| metadata.name() != "hidden");
    let subscriber = Registry::default()
        .with(Probe::default().with_filter(LevelFilter::INFO))
        .with(probe.clone().with_filter(visible));
    tracing::subscriber::with_default(subscriber, run);
    let seen = probe.0.lock().unwrap();
    seen.clone()
}

fn id(number: u64) -> SessionId {
    SessionId::from(number)
}

#[test]
fn the_task_comes_before_the_spans() {
    let seen = sessions(|| {
        let span = sync_scope(id(1), || info_span!("of one"));
        sync_scope(id(2), || span.in_scope(|| info!("x")));
    });
    assert_eq!(seen, [Some(id(2))]);
}

#[test]
fn the_nearest_span_made_in_a_session_gives_it() {
    let seen = sessions(|| {
        let _root = info_span!("outside").entered();
        info!("no session yet");
        let one = sync_scope(id(1), || info_span!("of one"));
        let _one = one.clone().entered();
        info!("one");
        let nested = info_span!("nested outside of the task");
        nested.in_scope(|| info!("one"));
        let two = sync_scope(id(2), || info_span!("of two"));
        two.in_scope(|| info!("two"));
        let back = two.in_scope(|| sync_scope(id(1), || info_span!("of one again")));
        back.in_scope(|| info!("one, not two"));
    });
    assert_eq!(
        seen,
        [None, Some(id(1)), Some(id(1)), Some(id(2)), Some(id(1))]
    );
}

#[test]
fn an_explicit_parent_decides_and_no_parent_is_no_session() {
    let seen = sessions(|| {
        let one = sync_scope(id(1), || info_span!("of one"));
        let two = sync_scope(id(2), || info_span!("of two"));
        let _one = one.entered();
        info!(parent: &two, "two");
        info!(parent: None, "none");
    });
    assert_eq!(seen, [Some(id(2)), None]);
}

/// The session of a record in a span that is entered in no scope, as in a task of its own.
fn session_in(span: impl FnOnce() -> Span) -> Option<SessionId> {
    let seen = sessions(|| span().in_scope(|| info!("x")));
    let [session] = seen[..] else {
        panic!("{seen:?}")
    };
    session
}

#[test]
fn an_explicit_root_remembers_no_session() {
    let root = || sync_scope(id(1), || info_span!(parent: None, "worker"));
    assert_eq!(session_in(root), None);
    // nor does what is created in it
    assert_eq!(session_in(|| root().in_scope(|| info_span!("x"))), None);
}

#[test]
fn what_the_session_of_an_explicit_root_creates_in_it_belongs_to_the_root() {
    let started_in_one = |create: fn() -> Span| {
        session_in(|| sync_scope(id(1), || info_span!(parent: None, "pool").in_scope(create)))
    };
    assert_eq!(started_in_one(|| info_span!("connection")), None);
    let nested = || info_span!("connection").in_scope(|| info_span!("stream"));
    assert_eq!(started_in_one(nested), None);
    // a job of another session
    let job = || sync_scope(id(2), || info_span!("job"));
    assert_eq!(started_in_one(job), Some(id(2)));
}

#[test]
fn by_an_explicit_parent_it_belongs_to_the_root_as_well() {
    let span = || {
        sync_scope(id(1), || {
            let pool = info_span!(parent: None, "pool");
            info_span!(parent: &pool, "connection")
        })
    };
    assert_eq!(session_in(span), None);
}

#[test]
fn a_session_that_is_entered_in_an_explicit_root_of_no_session_is_remembered() {
    // as with tokio's task spans, which are roots: the server's task serves every request
    let span = || {
        let task = info_span!(parent: None, "runtime.spawn");
        task.in_scope(|| sync_scope(id(1), || info_span!("request")))
    };
    assert_eq!(session_in(span), Some(id(1)));
}

#[test]
fn where_the_session_was_left_no_enclosing_span_gives_one() {
    let seen = sessions(|| {
        let request = sync_scope(id(1), || info_span!("request"));
        let _request = request.entered();
        info!("one");
        sync_without_session(|| {
            info!("none");
            info_span!("inside").in_scope(|| info!("none"));
            sync_scope(id(2), || info!("two"));
        });
        info!("one");
    });
    assert_eq!(seen, [Some(id(1)), None, None, Some(id(2)), Some(id(1))]);
}

#[test]
fn spans_created_where_the_session_was_left_remember_that_they_have_none() {
    let request = || sync_scope(id(1), || info_span!("request"));
    let worker = || request().in_scope(|| sync_without_session(|| info_span!("worker")));
    assert_eq!(session_in(worker), None);
    let nested = || worker().in_scope(|| info_span!("nested"));
    assert_eq!(session_in(nested), None);
    let parent = || {
        let request = request();
        sync_without_session(|| info_span!(parent: &request, "worker"))
    };
    assert_eq!(session_in(parent), None);
    let job = || worker().in_scope(|| sync_scope(id(1), || info_span!("job")));
    assert_eq!(session_in(job), Some(id(1)));
}

#[test]
fn a_span_that_another_follows_from_gives_it_no_session() {
    let span = || {
        let request = sync_scope(id(1), || info_span!("request"));
        let span = info_span!("batch");
        span.follows_from(&request);
        span
    };
    assert_eq!(session_in(span), None);
}

#[test]
fn a_span_that_a_filter_hides_neither_gives_a_session_nor_takes_one_away() {
    let seen = sessions(|| {
        let hidden = sync_scope(id(1), || info_span!("hidden"));
        let _hidden = hidden.entered();
        info!("none");
        let two = sync_scope(id(2), || info_span!("of two"));
        let _two = two.entered();
        info_span!("hidden").in_scope(|| info!("two"));
    });
    assert_eq!(seen, [None, Some(id(2))]);
}

#[test]
fn only_the_outermost_span_of_a_session_remembers_it() {
    let subscriber = Registry::default()
        .with(Probe::default())
        .with(Probe::default());
    tracing::subscriber::with_default(subscriber, || {
        sync_scope(id(1), || {
            let outer = info_span!("outer").entered();
            let inner = info_span!("inner").entered();
            assert!(remembers(outer.id().as_ref()));
            assert!(!remembers(inner.id().as_ref()));
        });
    });
}

#[test]
fn a_span_without_a_session_remembers_that_only_inside_one_that_has() {
    tracing::subscriber::with_default(Registry::default().with(Probe::default()), || {
        let outside = sync_without_session(|| info_span!("outside"));
        assert!(!remembers(outside.id().as_ref()));
        let _request = sync_scope(id(1), || info_span!("request")).entered();
        let worker = sync_without_session(|| info_span!("worker"));
        assert!(remembers(worker.id().as_ref()));
    });
}

fn remembers(id: Option<&span::Id>) -> bool {
    tracing::dispatcher::get_default(|dispatch| {
        let registry = dispatch.downcast_ref::<Registry>().unwrap();
        let span = registry.span(id.unwrap()).unwrap();
        span.extensions().get::<Remembered>().is_some()
    })
}

/// How a span comes about: in which scope, and where it hangs. Indices are of spans before it.
#[derive(Clone, Debug)]
struct Made {
    scope: Scope,
    parent: Parent,
}

#[derive(Clone, Debug)]
enum Parent {
    /// Entered while the span is created, if there is a span to enter.
    Entered(Index),
    Named(Index),
    Root,
}

fn made() -> impl Strategy<Value = Made> {
    let scope = select(vec![
        Scope::Session(id(1)),
        Scope::Session(id(2)),
        Scope::NoSession,
        Scope::Unset,
    ]);
    let parent = prop_oneof![
        3 => any::<Index>().prop_map(Parent::Entered),
        1 => any::<Index>().prop_map(Parent::Named),
        1 => Just(Parent::Root),
    ];
    (scope, parent).prop_map(|(scope, parent)| Made { scope, parent })
}

impl Made {
    fn parent(&self, before: usize) -> Option<usize> {
        match &self.parent {
            Parent::Entered(index) | Parent::Named(index) if before > 0 => {
                Some(index.index(before))
            }
            _ => None,
        }
    }

    fn create(&self, before: &[Span]) -> Span {
        let parent = self.parent(before.len()).map(|at| &before[at]);
        match (&self.parent, parent) {
            (Parent::Root, _) => sync_scope(self.scope, || info_span!(parent: None, "root")),
            (Parent::Named(_), Some(span)) => {
                sync_scope(self.scope, || info_span!(parent: span, "named"))
            }
            (_, parent) => parent.unwrap_or(&Span::none()).in_scope(|| {
                // `Span::none` takes no span away, but here none is entered
                sync_scope(self.scope, || info_span!("inside"))
            }),
        }
    }
}

/// The session of a record in this span, from all that is known of every span.
fn expected(spans: &[Made], mut at: usize) -> Option<SessionId> {
    loop {
        match spans[at].scope {
            Scope::Session(id) if !is_in_root_of(spans, at, id) => return Some(id),
            Scope::Session(_) | Scope::NoSession => return None,
            Scope::Unset => at = spans[at].parent(at)?,
        }
    }
}

/// Whether an explicit root of this session is around a span of it, with no span of another session between.
fn is_in_root_of(spans: &[Made], at: usize, session: SessionId) -> bool {
    let mut next = Some(at);
    while let Some(at) = next {
        match spans[at].scope {
            Scope::Session(other) if other != session => return false,
            Scope::Session(_) if matches!(spans[at].parent, Parent::Root) => return true,
            _ => next = spans[at].parent(at),
        }
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// What spans leave out, since their ancestors imply it, changes nothing.
    #[test]
    fn whatever_spans_are_in_one_another_a_record_finds_the_session_of_its_cause_or_none(
        made in vec(made(), 1..10),
    ) {
        let seen = sessions(|| {
            let mut spans: Vec<Span> = Vec::new();
            for one in &made {
                let span = one.create(&spans);
                span.in_scope(|| info!("in no scope"));
                spans.push(span);
            }
        });
        let expected: Vec<_> = (0..made.len()).map(|at| expected(&made, at)).collect();
        prop_assert_eq!(seen, expected);
    }
}
