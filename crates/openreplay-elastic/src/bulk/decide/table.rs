//! The table in ARCHITECTURE.md, row by row: each is what [`decide`] does.

use std::path::Path;

use super::*;
use crate::bulk::backoff::Backoff;
use crate::bulk::cluster::{KNOWN, Measured};
use crate::bulk::state::Form;
use crate::bulk::wire::{FailureKind, Item, ItemError, NoResponse, Presence, QueryError};

/// What is known of a batch of four records, or of a single one; the alias leads to `logs-2`.
struct Known {
    name: &'static str,
    records: usize,
    /// A request of 500 bytes was accepted before.
    bytes: usize,
    state: State,
    is_alias_only: bool,
    now: Instant,
}

impl Known {
    fn cluster(&self, start: Instant) -> Cluster {
        let mut cluster = Cluster::new(Duration::from_secs(30));
        let measured = Measured {
            bytes: 500,
            took: Duration::ZERO,
            now: start,
        };
        let stored = Event::Stored { index: "logs-2" };
        cluster.observe(&State::default(), measured, &stored);
        if self.is_alias_only {
            let forbidden = [item(403, "security_exception")];
            cluster.observe(&pinned().state, measured, &Event::Items(&forbidden));
        }
        cluster
    }
}

fn known(name: &'static str, change: impl FnOnce(&mut State)) -> Known {
    let mut state = State::default();
    change(&mut state);
    Known {
        name,
        records: if name.contains("single") { 1 } else { 4 },
        bytes: match name {
            _ if name.contains("short") => 100,
            _ if name.contains("longer than the room") => 4 << 20,
            _ => 1_000,
        },
        state,
        is_alias_only: false,
        now: start(),
    }
}

/// When the records were sent, at the earliest.
fn start() -> Instant {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    *START.get_or_init(|| Instant::now() + 2 * PROBE_AFTER)
}

fn open(name: &'static str) -> Known {
    known(name, |_| {})
}

fn lost(name: &'static str) -> Known {
    known(name, |state| {
        let before = "logs-1".to_owned();
        state.place = Place::Lost { before };
    })
}

fn pinned() -> Known {
    known("pinned", |state| state.place = Place::pinned("logs-1"))
}

fn in_doubt(name: &'static str, suspicion: Suspicion, form: Form) -> Known {
    known(name, move |state| {
        state.tries.failures = SET_ASIDE_AFTER_FAILURES;
        state.failing_since = Some(start() - PROBE_AFTER);
        state.suspicion = suspicion;
        state.form = form;
    })
}

fn to_probe() -> Known {
    let before = BeforeRetry {
        retry: Backoff::Short.into(),
        nth: 1,
        set_aside: 1,
    };
    let suspicion = Suspicion::ToProbe(before);
    in_doubt(
        "single, in doubt for long, to be probed",
        suspicion,
        Form::Whole,
    )
}

fn rejected_alone(name: &'static str, form: Form) -> Known {
    known(name, move |state| {
        state.suspicion = Suspicion::RejectedAlone;
        state.form = form;
    })
}

fn item(status: u16, name: &'static str) -> Item<'static> {
    let error = ItemError {
        name: Some(name.into()),
        reason: None,
    };
    Item {
        index: "logs-2".into(),
        status,
        error: Some(error),
    }
}

fn backoff(before: Option<BeforeRetry>) -> &'static str {
    match before.map(|before| before.retry.backoff) {
        None => "at once",
        Some(Backoff::Short) => "soon",
        Some(Backoff::Long) => "slowly",
    }
}

/// An action in words.
fn words(action: &Action, before: &State) -> String {
    match action {
        Action::QueryWriteIndex => "query where `logs` leads".into(),
        Action::QueryExists(index) => format!("query whether `{index}` exists"),
        Action::Search { from, to } => format!("search from `{from}` to `{to}`"),
        Action::Probe => "send a probe".into(),
        Action::Split { .. } => "in parts that fit, at once".into(),
        Action::Send(Route {
            place,
            announce,
            is_risky,
        }) => {
            let before = if *announce {
                "notify the observer, then "
            } else {
                ""
            };
            let risk = if *is_risky {
                "; risk a second copy"
            } else {
                ""
            };
            let index = place.index().unwrap_or("logs");
            format!("{before}send to `{index}`{risk}")
        }
        Action::Settle(settlement) => settled(settlement, before),
    }
}

fn settled(settlement: &Settlement, before: &State) -> String {
    let mut words = Vec::new();
    match settlement.stored.count(4) {
        0 => {}
        4 => words.push("done".to_owned()),
        some => words.push(format!("{some} done")),
    }
    if settlement.rejected.count(1) > 0 {
        words.push("reject for good".into());
    }
    let parts = &settlement.parts;
    if let [first, others @ ..] = &parts[..] {
        let how = match others {
            [other] if other.state == first.state => "in halves",
            _ => "again",
        };
        words.push(format!("{how}, {}", backoff(settlement.before)));
    }
    words.extend(places(parts, before));
    words.dedup();
    words.extend(marks(settlement).map(str::to_owned));
    words.join("; ")
}

fn places(parts: &[Part], before: &State) -> impl Iterator<Item = String> {
    let was_open = before.place == Place::Open;
    parts
        .iter()
        .filter_map(move |part| match &part.state.place {
            Place::Open if was_open => None,
            Place::Open => Some("open".to_owned()),
            Place::Lost { before } => Some(format!("lost since `{before}`")),
            Place::Pinned {
                index,
                blocked: None,
            } => Some(format!("pinned to `{index}`")),
            Place::Pinned { index, .. } => Some(format!("pinned to `{index}`, which is blocked")),
        })
}

fn marks(Settlement { parts, before, .. }: &Settlement) -> impl Iterator<Item = &'static str> {
    let is = |is: fn(&State) -> bool| parts.iter().any(|part| is(&part.state));
    let marks = [
        (is(|state| state.form == Form::Minimal), "in minimal form"),
        (is(|state| state.suspicion == Suspicion::Blamed), "blamed"),
        (
            is(|state| state.suspicion == Suspicion::RejectedAlone),
            "suspected to be at fault",
        ),
        (is(|state| state.failing_since.is_some()), "in doubt"),
        (
            is(|state| matches!(state.suspicion, Suspicion::ToProbe(_))),
            "to be probed",
        ),
        (
            before.is_some_and(|before| before.set_aside > 0),
            "set aside",
        ),
    ];
    let marks = marks.into_iter().filter(|(is_set, _)| *is_set);
    marks.map(|(_, mark)| mark)
}

/// The row of a case, in which each of the events gives the same action.
#[track_caller]
fn row(known: &Known, name: &str, events: &[Event<'_>]) -> String {
    let cluster = known.cluster(start());
    let facts = Facts {
        records: known.records,
        bytes: known.bytes,
        cluster: &cluster,
        now: known.now,
    };
    let mut actions: Vec<_> = events
        .iter()
        .map(|event| words(&decide(&known.state, &facts, event), &known.state))
        .collect();
    actions.dedup();
    assert_eq!(actions.len(), 1, "{}, {name}: {actions:?}", known.name);
    format!("| {} | {name} | {} |", known.name, actions[0])
}

fn failed(statuses: &[u16], name: Option<&'static str>) -> Vec<Event<'static>> {
    let event = |status: &u16| Event::Failed {
        kind: FailureKind::of(*status, name),
        retry_after: None,
        why: "",
    };
    statuses.iter().map(event).collect()
}

fn no_response(kind: NoResponse) -> [Event<'static>; 1] {
    [Event::NoResponse { kind, why: "" }]
}

const ENGINE: Option<&str> = Some("index_not_found_exception");
const PROXY: Option<&str> = None;

/// Where the records go.
fn rows_of_queries() -> Vec<String> {
    let error = QueryError {
        retry: Backoff::Short.into(),
        status: None,
        failure: None,
        is_fault_of_index: false,
        text: String::new(),
    };
    let turn = [Event::Due];
    let old = [Event::WriteIndex("logs-1")];
    let new = [Event::WriteIndex("logs-2")];
    let found = |presence| [("logs-1".to_owned(), presence)];
    let (present, absent) = (found(Presence::Present), found(Presence::Absent));
    let unknown = Known {
        now: start() + KNOWN,
        ..open("open, the index unknown for a minute")
    };
    let alias_only = Known {
        is_alias_only: true,
        ..lost("lost, credentials for the alias only")
    };
    let blocked = known("pinned, blocked for a minute", |state| {
        state.place = Place::Pinned {
            index: "logs-1".into(),
            blocked: Some(start() - LEAVE_BLOCKED_AFTER),
        };
    });
    let always = known("open, pinned always", |state| {
        state.pinning = Pinning::Always;
    });
    let leads_to_old = "`logs` leads to `logs-1`";
    let leads_to_new = "`logs` leads to `logs-2`";
    vec![
        row(&open("open"), "its turn", &turn),
        row(&unknown, "its turn", &turn),
        row(&open("open, longer than the room"), "its turn", &turn),
        row(&lost("lost"), "its turn", &turn),
        row(&pinned(), "its turn", &turn),
        row(&always, leads_to_new, &new),
        row(&lost("lost"), leads_to_old, &old),
        row(&lost("lost"), leads_to_new, &new),
        row(&alias_only, leads_to_new, &new),
        row(
            &lost("lost"),
            "a record is found in `logs-1`",
            &[Event::Searched(&present)],
        ),
        row(
            &lost("lost"),
            "no record is found",
            &[Event::Searched(&absent)],
        ),
        row(&pinned(), leads_to_new, &new),
        row(&pinned(), "`logs-1` exists", &[Event::Exists(true)]),
        row(&pinned(), "`logs-1` is missing", &[Event::Exists(false)]),
        row(&blocked, leads_to_new, &new),
        row(
            &lost("lost"),
            "a query fails",
            &[Event::QueryFailed(&error)],
        ),
    ]
}

/// Requests that got one response, or none.
fn rows_of_requests() -> Vec<String> {
    let often = || {
        known("failed eight times", |state| {
            state.tries.failures = SPLIT_AFTER_FAILURES;
        })
    };
    let lost = no_response(NoResponse::Lost);
    let late = no_response(NoResponse::TimedOut);
    let not_sent = no_response(NoResponse::NotSent);
    let missing = failed(&[401, 403, 404], ENGINE);
    let engine_failed = failed(&[500], ENGINE);
    let malformed = failed(&[400], ENGINE);
    let too_large = failed(&[413], PROXY);
    let suspected = || rejected_alone("single, suspected to be at fault", Form::Whole);
    let minimal = || rejected_alone("single, minimal, suspected to be at fault", Form::Minimal);
    let in_doubt_for_long = || in_doubt("single, in doubt for long", Suspicion::None, Form::Whole);
    let blamed = || {
        in_doubt(
            "single, in doubt for long, blamed",
            Suspicion::Blamed,
            Form::Whole,
        )
    };
    let blamed_minimal = || {
        in_doubt(
            "single, minimal, in doubt for long, blamed",
            Suspicion::Blamed,
            Form::Minimal,
        )
    };
    let stored = [Event::Stored { index: "logs-2" }];
    let cases: [(Known, &str, &[Event<'_>]); 30] = [
        (open("open"), "all stored", &stored),
        (open("open"), "no connection", &not_sent),
        (open("open"), "no response", &lost),
        (often(), "no response", &lost),
        (pinned(), "no response", &lost),
        (open("open"), "no response in time", &late),
        (open("single, short"), "no response in time", &late),
        (open("single"), "no response in time", &late),
        (
            open("open"),
            "a response that cannot be read",
            &[Event::Unreadable],
        ),
        (open("open"), "429", &failed(&[429], ENGINE)),
        (open("open"), "401, 403 or 404 of the engine", &missing),
        (open("open"), "502 or 503", &failed(&[502, 503], PROXY)),
        (open("open"), "408 or 504", &failed(&[408, 504], PROXY)),
        (open("open"), "500 of the engine", &engine_failed),
        (open("open"), "400 of the engine", &malformed),
        (
            open("open"),
            "400, 403 or 406 of a proxy",
            &failed(&[400, 403, 406], PROXY),
        ),
        (open("open"), "413", &too_large),
        (open("open, short"), "413", &too_large),
        (pinned(), "413", &too_large),
        (open("single"), "413", &too_large),
        (suspected(), "413", &too_large),
        (minimal(), "413", &too_large),
        (minimal(), "400 of the engine", &malformed),
        (in_doubt_for_long(), "500 of the engine", &engine_failed),
        (to_probe(), "its turn", &[Event::Due]),
        (
            to_probe(),
            "the probe is not stored",
            &[Event::Probed { is_stored: false }],
        ),
        (
            to_probe(),
            "the probe is stored",
            &[Event::Probed { is_stored: true }],
        ),
        (blamed(), "500 of the engine", &engine_failed),
        (blamed_minimal(), "500 of the engine", &engine_failed),
        (open("open"), "another 2xx", &failed(&[202], PROXY)),
    ];
    let rows = cases.iter();
    rows.map(|(known, name, events)| row(known, name, events))
        .collect()
}

/// Requests with a result for each record.
fn rows_of_items() -> Vec<String> {
    let all = |status, name| vec![item(status, name); 4];
    let one = |status, name| vec![item(status, name)];
    let but_one = |status, name| {
        let mut items = all(201, "");
        items[1] = item(status, name);
        items
    };
    let invalid = "document_parsing_exception";
    let minimal = |name| known(name, |state| state.form = Form::Minimal);
    let in_doubt_for_long = in_doubt("single, in doubt for long", Suspicion::None, Form::Whole);
    let cases = [
        (open("open"), "all busy (429)", all(429, "x")),
        (
            open("open"),
            "one unavailable (503), others stored",
            but_one(503, "x"),
        ),
        (
            open("open"),
            "one failed (500), others stored",
            but_one(500, "x"),
        ),
        (in_doubt_for_long, "failed (500)", one(500, "x")),
        (
            open("open"),
            "one invalid (400), others stored",
            but_one(400, invalid),
        ),
        (open("open"), "all invalid (400)", all(400, invalid)),
        (minimal("minimal"), "all invalid (400)", all(400, invalid)),
        (open("open"), "all unclear (400)", all(400, "x")),
        (minimal("single, minimal"), "unclear (400)", one(400, "x")),
        (
            open("open"),
            "all unreadable (400)",
            all(400, "parse_exception"),
        ),
        (
            pinned(),
            "the index rejects all writes",
            all(403, "cluster_block_exception"),
        ),
        (pinned(), "the index is missing (404)", all(404, "x")),
        (
            pinned(),
            "the index is forbidden (403)",
            all(403, "security_exception"),
        ),
    ];
    let rows = cases.iter();
    rows.map(|(known, name, items)| row(known, name, &[Event::Items(items)]))
        .collect()
}

/// The rows of the table with this head in ARCHITECTURE.md.
fn rows_of(page: &str, head: &str) -> Vec<String> {
    let table = page.lines().skip_while(|line| !line.starts_with(head));
    let rows = table.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(str::to_owned).collect()
}

fn architecture() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ARCHITECTURE.md");
    std::fs::read_to_string(page).unwrap()
}

#[test]
fn the_table_in_the_architecture_page_is_what_is_decided() {
    let table = rows_of(&architecture(), "| known | event |");
    let rows = [rows_of_queries(), rows_of_requests(), rows_of_items()].concat();
    assert_eq!(table, rows, "it should be:\n{}", rows.join("\n"));
}

#[test]
fn the_index_in_the_architecture_page_names_functions_of_these_files() {
    let bulk = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bulk");
    let index = rows_of(&architecture(), "| case | decided in |");
    assert!(index.len() > 5, "{index:?}");
    for row in index {
        let cells: Vec<_> = row.split(" | ").collect();
        let code = |cell: &str| -> Vec<String> {
            let quoted = cell.split('`').skip(1).step_by(2);
            quoted.map(str::to_owned).collect()
        };
        let [file] = &code(cells[1])[..] else {
            panic!("not one file: {row}");
        };
        let source = std::fs::read_to_string(bulk.join(file)).expect(file);
        for name in code(cells[2]) {
            let is_there = source.contains(&format!("fn {name}("));
            assert!(is_there, "{file} has no function {name}");
        }
    }
}
