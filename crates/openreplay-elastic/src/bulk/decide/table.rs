//! The table in ARCHITECTURE.md, row by row: each is what [`decide`] does.

use std::path::Path;

use super::super::cluster::Measured;
use super::super::pace::Pace;
use super::super::state::Form;
use super::super::wire::{FailureKind, Item, ItemError, NoResponse, Presence, QueryError};
use super::*;

/// What is known of a batch of four records, or of a single one; the alias leads to `logs-2`.
struct Known {
    name: &'static str,
    records: usize,
    state: State,
}

fn now() -> Instant {
    Instant::now() + 2 * OWN_FAULT
}

fn known(name: &'static str, change: impl FnOnce(&mut State)) -> Known {
    let mut state = State::default();
    change(&mut state);
    let records = if name.contains("single") { 1 } else { 4 };
    Known {
        name,
        records,
        state,
    }
}

fn lost(state: &mut State) {
    let before = "logs-1".to_owned();
    state.place = Place::Lost { before };
}

fn pinned(state: &mut State) {
    state.place = Place::pinned("logs-1");
}

fn single(state: &mut State, now: Instant) {
    state.tries.failures = ODD_ONE;
    state.alone = Some(now - OWN_FAULT);
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

fn pace(wait: Option<Wait>) -> &'static str {
    match wait.map(|wait| wait.retry.pace) {
        None => "at once",
        Some(Pace::Soon) => "soon",
        Some(Pace::Slow) => "slowly",
    }
}

/// An action in words.
fn words(action: &Action) -> String {
    match action {
        Action::QueryWriteIndex => "query where `logs` leads".into(),
        Action::QueryExists(index) => format!("query whether `{index}` exists"),
        Action::Search { from, to } => format!("search from `{from}` to `{to}`"),
        Action::Send(Route {
            place,
            announce,
            is_risky,
        }) => {
            let before = if *announce {
                "notify the sender, then "
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
        Action::Settle(settlement) => settled(settlement),
    }
}

fn settled(settlement: &Settlement) -> String {
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
    for part in parts.iter().take(1) {
        let how = match (&part.records, parts.len()) {
            (Records::Fitting(_), _) => "in two parts that fit",
            (_, 2) if parts[0].state == parts[1].state => "in halves",
            _ => "again",
        };
        words.push(format!("{how}, {}", pace(settlement.wait)));
    }
    words.extend(places(parts));
    words.dedup();
    words.extend(marks(settlement).map(str::to_owned));
    words.join("; ")
}

fn places(parts: &[Part]) -> impl Iterator<Item = String> {
    parts.iter().filter_map(|part| match &part.state.place {
        Place::Open => None,
        Place::Lost { before } => Some(format!("lost since `{before}`")),
        Place::Pinned {
            index,
            blocked: None,
        } => Some(format!("pinned to `{index}`")),
        Place::Pinned { index, .. } => Some(format!("pinned to `{index}`, which is blocked")),
    })
}

fn marks(Settlement { parts, wait, .. }: &Settlement) -> impl Iterator<Item = &'static str> {
    let is = |is: fn(&State) -> bool| parts.iter().any(|part| is(&part.state));
    let is_blamed = is(|state| state.suspicion == Suspicion::Blamed);
    let is_rejected_alone = is(|state| state.suspicion == Suspicion::RejectedAlone);
    let marks = [
        (is(|state| state.form == Form::Minimal), "in minimal form"),
        (is_blamed, "blamed"),
        (is_rejected_alone, "suspected to be at fault"),
        (is(|state| state.alone.is_some()), "in doubt"),
        (wait.is_some_and(|wait| wait.aside > 0), "set aside"),
        (wait.is_some_and(|wait| wait.probe), "after a probe"),
    ];
    let marks = marks.into_iter().filter(|(is_set, _)| *is_set);
    marks.map(|(_, mark)| mark)
}

fn rows() -> Vec<String> {
    let now = now();
    let unknown = QueryError {
        retry: Pace::Soon.into(),
        status: None,
        failure: None,
        is_fault_of_index: false,
        text: String::new(),
    };
    let found = |presence| [("logs-1".to_owned(), presence)];
    let (present, absent) = (found(Presence::Present), found(Presence::Absent));
    let all = |status, name| [(); 4].map(|()| item(status, name));
    let one = |status, name| [item(status, name)];
    let some = [item(201, ""), item(500, "x"), item(201, ""), item(201, "")];
    let may_be = [item(201, ""), item(503, "x"), item(201, ""), item(201, "")];
    let invalid = [
        item(201, ""),
        item(400, "document_parsing_exception"),
        item(201, ""),
        item(201, ""),
    ];
    let (busy, blocked) = (all(429, "x"), all(403, "cluster_block_exception"));
    let (missing, forbidden) = (all(404, "x"), all(403, "security_exception"));
    let (spoiled, unclear) = (all(400, "parse_exception"), all(400, "x"));
    let (failed_item, unclear_item) = (one(500, "x"), one(400, "x"));
    let failed = |status, is_named: bool| Event::Failed {
        kind: FailureKind::of(status, is_named.then_some("index_not_found_exception")),
        retry_after: None,
    };
    let open = || known("open", |_| {});
    let in_doubt = || known("single, in doubt for long", move |state| single(state, now));
    let blamed = |form: Form| {
        let name = match form {
            Form::Whole => "single, in doubt for long, blamed",
            Form::Minimal => "single, minimal, in doubt for long, blamed",
        };
        known(name, move |state| {
            single(state, now);
            state.suspicion = Suspicion::Blamed;
            state.form = form;
        })
    };
    let often = || {
        known("failed eight times", |state| {
            state.tries.failures = TOGETHER;
        })
    };
    let rejected_alone = |name: &'static str, form| {
        known(name, move |state| {
            state.suspicion = Suspicion::RejectedAlone;
            state.form = form;
        })
    };
    let long_blocked = known("pinned, blocked for a minute", move |state| {
        state.place = Place::Pinned {
            index: "logs-1".into(),
            blocked: Some(now - BLOCKED),
        };
    });
    let always = known("open, pinned always", |state| {
        state.pinning = Pinning::Always;
    });
    let cases: Vec<(Known, &str, Event<'_>)> = vec![
        (open(), "its turn", Event::Due),
        (known("lost", lost), "its turn", Event::Due),
        (known("pinned", pinned), "its turn", Event::Due),
        (
            always,
            "`logs` leads to `logs-2`",
            Event::WriteIndex("logs-2"),
        ),
        (
            known("lost", lost),
            "`logs` leads to `logs-1`",
            Event::WriteIndex("logs-1"),
        ),
        (
            known("lost", lost),
            "`logs` leads to `logs-2`",
            Event::WriteIndex("logs-2"),
        ),
        (
            known("lost", lost),
            "a record is found in `logs-1`",
            Event::Searched(&present),
        ),
        (
            known("lost", lost),
            "no record is found",
            Event::Searched(&absent),
        ),
        (
            known("pinned", pinned),
            "`logs` leads to `logs-2`",
            Event::WriteIndex("logs-2"),
        ),
        (
            known("pinned", pinned),
            "`logs-1` exists",
            Event::Exists(true),
        ),
        (
            known("pinned", pinned),
            "`logs-1` is missing",
            Event::Exists(false),
        ),
        (
            long_blocked,
            "`logs` leads to `logs-2`",
            Event::WriteIndex("logs-2"),
        ),
        (
            known("lost", lost),
            "a query fails",
            Event::QueryFailed(&unknown),
        ),
        (open(), "all stored", Event::Stored { index: "logs-2" }),
        (
            open(),
            "no connection",
            Event::NoResponse(NoResponse::NotSent),
        ),
        (open(), "no response", Event::NoResponse(NoResponse::Lost)),
        (often(), "no response", Event::NoResponse(NoResponse::Lost)),
        (
            known("pinned", pinned),
            "no response",
            Event::NoResponse(NoResponse::Lost),
        ),
        (
            open(),
            "no response in time",
            Event::NoResponse(NoResponse::TimedOut),
        ),
        (
            known("single, short", |_| {}),
            "no response in time",
            Event::NoResponse(NoResponse::TimedOut),
        ),
        (
            known("single, the longest so far", |_| {}),
            "no response in time",
            Event::NoResponse(NoResponse::TimedOut),
        ),
        (open(), "a response that cannot be read", Event::Unreadable),
        (open(), "429", failed(429, true)),
        (open(), "401, 403 or 404", failed(401, true)),
        (open(), "502 or 503", failed(503, true)),
        (open(), "408 or 504", failed(504, true)),
        (open(), "500 of the engine", failed(500, true)),
        (open(), "400 of the engine", failed(400, true)),
        (open(), "400 of a proxy", failed(400, false)),
        (open(), "413", failed(413, false)),
        (known("single", |_| {}), "413", failed(413, false)),
        (
            rejected_alone("single, suspected to be at fault", Form::Whole),
            "413",
            failed(413, false),
        ),
        (
            rejected_alone("single, minimal, suspected to be at fault", Form::Minimal),
            "413",
            failed(413, false),
        ),
        (
            rejected_alone("single, minimal, suspected to be at fault", Form::Minimal),
            "400 of the engine",
            failed(400, true),
        ),
        (in_doubt(), "500 of the engine", failed(500, true)),
        (blamed(Form::Whole), "500 of the engine", failed(500, true)),
        (
            blamed(Form::Minimal),
            "500 of the engine",
            failed(500, true),
        ),
        (open(), "all busy (429)", Event::Items(&busy)),
        (
            open(),
            "one unavailable (503), others stored",
            Event::Items(&may_be),
        ),
        (
            open(),
            "one failed (500), others stored",
            Event::Items(&some),
        ),
        (in_doubt(), "failed (500)", Event::Items(&failed_item)),
        (
            open(),
            "one invalid (400), others stored",
            Event::Items(&invalid),
        ),
        (open(), "all unclear (400)", Event::Items(&unclear)),
        (
            known("single, minimal", |state| state.form = Form::Minimal),
            "unclear (400)",
            Event::Items(&unclear_item),
        ),
        (open(), "all unreadable (400)", Event::Items(&spoiled)),
        (
            known("pinned", pinned),
            "the index rejects all writes",
            Event::Items(&blocked),
        ),
        (
            known("pinned", pinned),
            "the index is missing (404)",
            Event::Items(&missing),
        ),
        (
            known("pinned", pinned),
            "the index is forbidden (403)",
            Event::Items(&forbidden),
        ),
    ];
    let mut cluster = Cluster::new("logs", Duration::from_secs(30));
    let measured = Measured {
        bytes: 500,
        took: Duration::ZERO,
        now,
    };
    let stored = Event::Stored { index: "logs-2" };
    cluster.observe(&State::default(), measured, &stored);
    let rows = cases.into_iter().map(|(known, name, event)| {
        let facts = Facts {
            records: known.records,
            bytes: match known.name {
                "single, short" => 100,
                _ => 1_000,
            },
            cluster: &cluster,
            now,
        };
        let action = words(&decide(&known.state, &facts, &event));
        format!("| {} | {name} | {action} |", known.name)
    });
    rows.collect()
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
    let rows = rows();
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
