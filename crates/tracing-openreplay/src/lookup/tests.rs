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

/// The sessions of the events that happen in `run`, of which only those spans are seen that are not
/// named `hidden`.
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

/// A layer that sees all spans and remembers nothing, such as `fmt::layer()`.
struct OfOthers;

impl<S: Subscriber> Layer<S> for OfOthers {}

/// The sessions that a layer which sees all spans finds, and those that one which does not see the
/// hidden ones finds.
#[derive(Debug, PartialEq)]
struct Seen {
    all: Vec<Option<SessionId>>,
    filtered: Vec<Option<SessionId>>,
}

/// What both layers of one subscriber find.
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
fn a_layer_that_does_not_see_a_boundary_gives_no_other_layer_its_session() {
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
fn a_root_stays_a_boundary_behind_work_that_left_another_session() {
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
        kept::remembered(&span.extensions()).is_some()
    })
}

/// How a span comes about: in which scope, and where it hangs. Indices are of spans before it.
#[derive(Clone, Debug)]
struct Made {
    scope: Scope,
    parent: Parent,
    /// Whether one of two layers does not see it.
    hidden: bool,
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
            // `Span::none` takes no span away, but here none is entered
            (_, parent, hidden) => parent.unwrap_or(&Span::none()).in_scope(|| match hidden {
                false => info_span!("inside"),
                true => info_span!("hidden"),
            }),
        })
    }
}

/// Creates the spans and logs one record in each, in no scope.
fn log_in_each(made: &[Made]) {
    let mut spans: Vec<Span> = Vec::new();
    for one in made {
        let span = one.create(&spans);
        span.in_scope(|| info!("in no scope"));
        spans.push(span);
    }
}

/// The spans around this one that a layer sees, itself included, the innermost first.
fn seen_around(spans: &[Made], at: usize, sees_hidden: bool) -> Vec<&Made> {
    if spans[at].hidden && !sees_hidden {
        // no span that this layer sees is entered
        return Vec::new();
    }
    let chain = std::iter::successors(Some(at), |at| spans[*at].parent(*at));
    chain
        .map(|at| &spans[at])
        .filter(|span| sees_hidden || !span.hidden)
        .collect()
}

/// The session of a record in the first of these spans, from all that is known of every span.
fn expected(around: &[&Made]) -> Option<SessionId> {
    let known = |made: &&Made| !matches!(made.scope, Scope::Unset);
    let at = around.iter().position(known)?;
    let session = around[at].scope.session()?;
    (!is_in_root_of(&around[at..], session)).then_some(session)
}

/// Whether an explicit root of this session is around a span of it, with no span of another session
/// between.
fn is_in_root_of(around: &[&Made], session: SessionId) -> bool {
    let mut of_session = around
        .iter()
        .take_while(|made| made.scope.session().is_none_or(|other| other == session));
    of_session.any(|made| made.scope.session().is_some() && matches!(made.parent, Parent::Root))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// What spans leave out, since their ancestors imply it, changes nothing.
    #[test]
    fn whatever_spans_are_in_one_another_a_record_finds_the_session_of_its_cause_or_none(
        made in vec(made(), 1..10),
    ) {
        // alone, each layer knows the spans that it sees: a boundary that is hidden is none
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

        // together, a boundary that one layer sees takes sessions away from both and adds none
        for filtered_first in [false, true] {
            let seen = seen_by_two(filtered_first, || log_in_each(&made));
            for at in 0..made.len() {
                prop_assert!([None, of_all[at]].contains(&seen.all[at]));
                prop_assert!([None, of_visible[at]].contains(&seen.filtered[at]));
                if made.iter().all(|made| !made.hidden) {
                    prop_assert_eq!(seen.all[at], of_all[at]);
                }
                // what the session itself creates inside a boundary has none for either layer
                if of_all[at].is_none() && matches!(made[at].scope, Scope::Session(_)) {
                    prop_assert_eq!(seen.filtered[at], None);
                }
            }
        }
    }
}
