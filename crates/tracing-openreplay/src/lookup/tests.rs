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

/// A layer that records the session of every event.
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

/// Returns the sessions of the events in `run`, found by a layer that does not see spans named
/// `hidden`.
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

/// A layer that sees all spans and stores nothing, such as `fmt::layer()`.
struct OfOthers;

impl<S: Subscriber> Layer<S> for OfOthers {}

/// The sessions found by a layer that sees all spans, and by a layer that does not see hidden
/// spans.
#[derive(Debug, PartialEq)]
struct Seen {
    all: Vec<Option<SessionId>>,
    filtered: Vec<Option<SessionId>>,
}

/// Returns the sessions that two layers of one subscriber find.
fn seen_by_two(filtered_first: bool, run: impl FnOnce()) -> Seen {
    let (all, filtered) = (Probe::default(), Probe::default());
    let visible = filter_fn(|metadata| metadata.name() != "hidden");
    let mut layers = vec![
        all.clone().boxed(),
        filtered.clone().with_filter(visible).boxed(),
    ];
    if filtered_first {
        layers.reverse();
    }
    tracing::subscriber::with_default(Registry::default().with(layers), run);
    let [all, filtered] = [all, filtered].map(|probe| probe.0.lock().unwrap().clone());
    Seen { all, filtered }
}

#[test]
fn a_layer_that_does_not_see_a_boundary_does_not_affect_other_layers() {
    for filtered_first in [false, true] {
        let seen = seen_by_two(filtered_first, || {
            sync_scope(id(1), || {
                info_span!(parent: None, "hidden").in_scope(|| info_span!("connection"))
            })
            .in_scope(|| {
                info!("of the connection");
                info_span!("hidden").in_scope(|| info!("of a stream"));
                let span = sync_scope(id(1), || info_span!("of one again"));
                span.in_scope(|| info!("of the connection"));
            });
        });
        let none = vec![None; 3];
        let expected = Seen {
            all: none.clone(),
            filtered: none,
        };
        assert_eq!(seen, expected, "filtered first: {filtered_first}");
    }
}

#[test]
fn a_root_remains_a_boundary_inside_work_that_left_another_session() {
    for filtered_first in [false, true] {
        let seen = seen_by_two(filtered_first, || {
            let root = sync_scope(id(1), || info_span!(parent: None, "connection"));
            let other = root.in_scope(|| sync_scope(id(2), || info_span!("hidden")));
            let left = other.in_scope(|| sync_without_session(|| info_span!("worker")));
            let again = left.in_scope(|| sync_scope(id(1), || info_span!("of one again")));
            again.in_scope(|| info!("of the connection"));
        });
        assert_eq!(seen.filtered, [None], "filtered first: {filtered_first}");
    }
}

#[test]
fn the_session_of_the_task_takes_precedence_over_spans() {
    let seen = sessions(|| {
        let span = sync_scope(id(1), || info_span!("of one"));
        sync_scope(id(2), || span.in_scope(|| info!("x")));
    });
    assert_eq!(seen, [Some(id(2))]);
}

#[test]
fn a_record_has_the_session_of_the_nearest_span_that_was_created_in_one() {
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
fn an_explicit_parent_determines_the_session() {
    let seen = sessions(|| {
        let one = sync_scope(id(1), || info_span!("of one"));
        let two = sync_scope(id(2), || info_span!("of two"));
        let _one = one.entered();
        info!(parent: &two, "two");
        info!(parent: None, "none");
    });
    assert_eq!(seen, [Some(id(2)), None]);
}

/// Returns the session of a record in a span that is entered outside any scope, as in another task.
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
    // Neither do spans that are created inside it.
    assert_eq!(session_in(|| root().in_scope(|| info_span!("x"))), None);
}

#[test]
fn spans_that_the_same_session_creates_inside_an_explicit_root_belong_to_the_root() {
    let started_in_one = |create: fn() -> Span| {
        session_in(|| sync_scope(id(1), || info_span!(parent: None, "pool").in_scope(create)))
    };
    assert_eq!(started_in_one(|| info_span!("connection")), None);
    let nested = || info_span!("connection").in_scope(|| info_span!("stream"));
    assert_eq!(started_in_one(nested), None);
    // A job of another session belongs to that session.
    let job = || sync_scope(id(2), || info_span!("job"));
    assert_eq!(started_in_one(job), Some(id(2)));
}

#[test]
fn spans_whose_explicit_parent_is_a_root_belong_to_the_root() {
    let span = || {
        sync_scope(id(1), || {
            let pool = info_span!(parent: None, "pool");
            info_span!(parent: &pool, "connection")
        })
    };
    assert_eq!(session_in(span), None);
}

#[test]
fn a_session_that_is_entered_inside_a_root_without_a_session_is_remembered() {
    // Tokio's task spans are such roots, and the server's task serves every request.
    let span = || {
        let task = info_span!(parent: None, "runtime.spawn");
        task.in_scope(|| sync_scope(id(1), || info_span!("request")))
    };
    assert_eq!(session_in(span), Some(id(1)));
}

#[test]
fn after_the_session_was_left_records_have_no_session_of_an_enclosing_span() {
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
fn spans_that_are_created_after_the_session_was_left_have_no_session() {
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
fn follows_from_does_not_pass_on_the_session() {
    let span = || {
        let request = sync_scope(id(1), || info_span!("request"));
        let span = info_span!("batch");
        span.follows_from(&request);
        span
    };
    assert_eq!(session_in(span), None);
}

#[test]
fn hidden_spans_do_not_affect_the_session() {
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
fn only_the_outermost_span_of_a_session_remembers_the_session() {
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
fn a_span_outside_a_session_only_remembers_it_inside_a_span_with_a_session() {
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
        let remembers = kept::read(&span, |kept| {
            kept.is_some_and(|kept| kept.remembered.is_some())
        });
        remembers.unwrap()
    })
}

/// How a span is created: its scope and its parent. Indices refer to earlier spans.
#[derive(Clone, Debug)]
struct Made {
    scope: Scope,
    parent: Parent,
    /// Whether one of two layers does not see the span.
    hidden: bool,
}

#[derive(Clone, Debug)]
enum Parent {
    /// The span that is entered while this span is created, if any.
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
    let hidden = prop::bool::weighted(0.3);
    (scope, parent, hidden).prop_map(|(scope, parent, hidden)| Made {
        scope,
        parent,
        hidden,
    })
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
        sync_scope(self.scope, || match (&self.parent, parent, self.hidden) {
            (Parent::Root, _, false) => info_span!(parent: None, "root"),
            (Parent::Root, _, true) => info_span!(parent: None, "hidden"),
            (Parent::Named(_), Some(span), false) => info_span!(parent: span, "named"),
            (Parent::Named(_), Some(span), true) => info_span!(parent: span, "hidden"),
            // `Span::none` does not exit the current span, but no span is entered here.
            (_, parent, hidden) => parent.unwrap_or(&Span::none()).in_scope(|| {
                if hidden {
                    info_span!("hidden")
                } else {
                    info_span!("inside")
                }
            }),
        })
    }
}

/// Creates the spans, and logs one record in each outside any scope.
fn log_in_each(made: &[Made]) {
    let mut spans: Vec<Span> = Vec::new();
    for one in made {
        let span = one.create(&spans);
        span.in_scope(|| info!("in no scope"));
        spans.push(span);
    }
}

/// Returns the enclosing spans that a layer sees, including the span itself, the innermost first.
fn seen_around(spans: &[Made], at: usize, sees_hidden: bool) -> Vec<&Made> {
    if spans[at].hidden && !sees_hidden {
        // No span that this layer sees is entered.
        return Vec::new();
    }
    let chain = std::iter::successors(Some(at), |at| spans[*at].parent(*at));
    chain
        .map(|at| &spans[at])
        .filter(|span| sees_hidden || !span.hidden)
        .collect()
}

/// Returns the session of a record in the first of these spans, computed from the full description
/// of every span.
fn expected(around: &[&Made]) -> Option<SessionId> {
    let known = |made: &&Made| !matches!(made.scope, Scope::Unset);
    let at = around.iter().position(known)?;
    let session = around[at].scope.session()?;
    (!is_in_root_of(&around[at..], session)).then_some(session)
}

/// Returns whether an explicit root of this session encloses the span, without a span of another
/// session in between.
fn is_in_root_of(around: &[&Made], session: SessionId) -> bool {
    let mut of_session = around
        .iter()
        .take_while(|made| made.scope.session().is_none_or(|other| other == session));
    of_session.any(|made| made.scope.session().is_some() && matches!(made.parent, Parent::Root))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Not storing an origin that the ancestors imply changes nothing.
    #[test]
    fn a_record_in_any_nesting_of_spans_has_the_session_of_its_cause_or_none(
        made in vec(made(), 1..10),
    ) {
        // A single layer only knows the spans that it sees, so a hidden boundary has no effect.
        let sees = |sees_hidden| {
            let at = 0..made.len();
            at.map(|at| expected(&seen_around(&made, at, sees_hidden))).collect::<Vec<_>>()
        };
        let [of_all, of_visible] = [sees(true), sees(false)];
        for (sees_hidden, expected) in [(true, &of_all), (false, &of_visible)] {
            let probe = Probe::default();
            let visible = filter_fn(move |metadata| sees_hidden || metadata.name() != "hidden");
            let subscriber = Registry::default()
                .with(OfOthers)
                .with(probe.clone().with_filter(visible));
            tracing::subscriber::with_default(subscriber, || log_in_each(&made));
            prop_assert_eq!(&*probe.0.lock().unwrap(), expected);
        }

        // With both layers, a boundary that one of them sees removes sessions from both.
        for filtered_first in [false, true] {
            let seen = seen_by_two(filtered_first, || log_in_each(&made));
            for at in 0..made.len() {
                prop_assert!([None, of_all[at]].contains(&seen.all[at]));
                prop_assert!([None, of_visible[at]].contains(&seen.filtered[at]));
                if made.iter().all(|made| !made.hidden) {
                    prop_assert_eq!(seen.all[at], of_all[at]);
                }
                // Spans that the session itself creates inside a boundary have no session in either
                // layer.
                if of_all[at].is_none() && matches!(made[at].scope, Scope::Session(_)) {
                    prop_assert_eq!(seen.filtered[at], None);
                }
            }
        }
    }
}
