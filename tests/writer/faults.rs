use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use integration_tests::{Cut, Fault, Proxy, StandIn, StoredIn};

use crate::support::*;

/// Writes while the faults are met; every record has to be there once, and the books have to
/// balance all the while.
#[track_caller]
fn survives(name: &str, faults: &[Fault]) {
    survives_with_cuts(name, faults, |_| None);
}

/// The same behind a proxy that cuts connections, see [`Proxy::start`]; gives how often.
#[track_caller]
fn survives_with_cuts(
    name: &str,
    faults: &[Fault],
    cut: impl Fn(usize) -> Option<Cut> + Send + Sync + 'static,
) -> usize {
    let server = StandIn::start();
    let proxy = Proxy::start(server.address(), cut);
    let builder = quick(&proxy.url()).request_timeout(Duration::from_millis(500));
    let (writer, guard) = builder.on_diagnostic(|_| {}).build().unwrap();
    let watch = watch(&writer);
    write(&writer, 0..50);
    assert!(guard.flush(LIMIT).is_complete(), "{name}");
    server.inject(faults.iter().cloned());
    let mut written = 50;
    while server.faults_left() > 0 {
        write(&writer, written..written + 50);
        written += 50;
        let _ = guard.flush(Duration::from_millis(300));
    }
    assert!(guard.flush(LIMIT).is_complete(), "{name}");
    watch.stop();
    assert_once(&server.documents(), 0..written);
    let stats = writer.stats();
    assert_balance(stats);
    assert_eq!((stats.indexed, stats.queued), (written as u64, 0), "{name}");
    proxy.cuts()
}

#[test]
fn every_fault_leaves_each_record_there_once() {
    for (name, fault) in [
        ("429", Fault::Status(429, None)),
        ("429, wait a second", Fault::Status(429, Some(1))),
        ("500", Fault::Status(500, None)),
        ("502", Fault::Status(502, None)),
        ("503", Fault::Status(503, Some(0))),
        ("413, for no reason", Fault::Status(413, None)),
        ("400, for no reason", Fault::Status(400, None)),
        ("429 for each item", Fault::Items(429, 1)),
        ("429 for each third item", Fault::Items(429, 3)),
        ("503 for each seventh item", Fault::Items(503, 7)),
        ("500 for each item", Fault::Items(500, 1)),
        ("garbage, stored", Fault::Garbage { stored: true }),
        ("garbage, not stored", Fault::Garbage { stored: false }),
        ("half a response", Fault::HalfResponse(120)),
        ("nearly a whole response", Fault::HalfResponse(usize::MAX)),
        (
            "a connection broken after it was stored",
            Fault::HangUp { stored: true },
        ),
        (
            "a connection broken before it was stored",
            Fault::HangUp { stored: false },
        ),
        (
            "a stall beyond the time limit",
            Fault::Stall(Duration::from_millis(800)),
        ),
    ] {
        survives(name, &[fault]);
    }
}

#[test]
fn any_mixture_of_faults_and_cuts_leaves_each_record_there_once() {
    let mut cuts = 0;
    for seed in seeds(3) {
        let mut random = fastrand::Rng::with_seed(seed);
        let faults: Vec<_> = (0..20).map(|_| fault(&mut random)).collect();
        cuts += survives_with_cuts(
            &format!("seed {seed}: {faults:?}"),
            &faults,
            move |connection| {
                let mut random = fastrand::Rng::with_seed(seed ^ connection as u64);
                (connection < 60 && random.bool()).then(|| Cut::random(&mut random, 20_000))
            },
        );
    }
    assert!(cuts > 0, "no connection was cut");
}

fn fault(random: &mut fastrand::Rng) -> Fault {
    match random.u8(0..11) {
        0 => Fault::Status(429, None),
        1 => Fault::Status(503, None),
        2 => Fault::Status(413, None),
        3 => Fault::Items(429, random.usize(1..9)),
        4 => Fault::Items(503, random.usize(1..9)),
        5 => Fault::StoredItems(503),
        6 => Fault::Proxy400,
        7 => Fault::Garbage {
            stored: random.bool(),
        },
        8 => Fault::HalfResponse(random.usize(0..4_000)),
        9 => Fault::HangUp {
            stored: random.bool(),
        },
        _ => Fault::Stall(Duration::from_millis(random.u64(1..700))),
    }
}

#[test]
fn a_record_that_is_small_is_never_too_much() {
    survives(
        "a seed that was once rejected",
        &[
            Fault::HangUp { stored: true },
            Fault::Status(413, None),
            Fault::HalfResponse(3042),
            Fault::Items(503, 2),
            Fault::Status(429, None),
            Fault::Status(503, None),
            Fault::Garbage { stored: false },
            Fault::HalfResponse(3080),
            Fault::Items(503, 7),
            Fault::Status(413, None),
            Fault::Status(503, None),
            Fault::Status(413, None),
            Fault::HalfResponse(975),
            Fault::Status(413, None),
        ],
    );
}

#[test]
fn a_proxy_that_responds_with_400_costs_no_record() {
    survives("400 of a proxy", &vec![Fault::Proxy400; 8]);
}

#[test]
fn a_record_that_an_engine_in_trouble_may_have_stored_stays_with_its_index() {
    let server = StandIn::start();
    let (writer, guard) = quick(server.url()).on_diagnostic(|_| {}).build().unwrap();
    server.inject([Fault::StoredItems(503), Fault::Status(429, Some(1))]);
    write(&writer, 0..10);
    wait_until("the faults are met", || server.faults_left() == 0);
    server.roll_over("logs-000002");
    assert!(guard.flush(LIMIT).is_complete());
    assert_once(&server.documents(), 0..10);
    assert_eq!(server.documents_in("logs-000001").len(), 10);
}

#[test]
fn connections_cut_at_random_bytes_leave_each_record_there_once() {
    let mut responses_cut = 0;
    for seed in seeds(3) {
        let server = StandIn::start();
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        let proxy = Proxy::start(server.address(), move |connection| {
            let mut random = fastrand::Rng::with_seed(seed.wrapping_add(connection as u64));
            (!ends.load(Ordering::Relaxed)).then(|| Cut::random(&mut random, 40_000))
        });
        let (writer, guard) = quick(&proxy.url()).on_diagnostic(|_| {}).build().unwrap();
        let watch = watch(&writer);
        let mut written = 0;
        while proxy.cuts() < 20 {
            write(&writer, written..written + 40);
            written += 40;
            let _ = guard.flush(Duration::from_millis(100));
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(guard.flush(LIMIT).is_complete(), "seed {seed}");
        watch.stop();
        assert_once(&server.documents(), 0..written);
        responses_cut += proxy.responses_cut();
    }
    assert!(responses_cut > 0, "only requests were cut");
}

#[test]
fn a_rollover_around_a_lost_response_leaves_each_record_stored_once() {
    for stored_in in [StoredIn::Old, StoredIn::New, StoredIn::NoIndex] {
        survives(
            &format!("{stored_in:?}"),
            &[
                Fault::RollOver {
                    to: "logs-000002",
                    stored_in,
                },
                Fault::HangUp { stored: true },
                Fault::RollOver {
                    to: "logs-000003",
                    stored_in,
                },
            ],
        );
    }
}

#[test]
fn a_rollover_around_the_very_first_response_leaves_each_record_stored_once() {
    for stored_in in [StoredIn::Old, StoredIn::New, StoredIn::NoIndex] {
        let server = StandIn::start();
        server.inject([Fault::RollOver {
            to: "logs-000002",
            stored_in,
        }]);
        let (writer, guard) = quick(server.url()).on_diagnostic(|_| {}).build().unwrap();
        write(&writer, 0..30);
        assert!(guard.shutdown(LIMIT).is_complete());
        assert_once(&server.documents(), 0..30);
    }
}

#[test]
fn reports_that_a_rollover_may_double_if_the_indices_are_closed_to_the_key() {
    let server = StandIn::start();
    server.allow_alias_only();
    server.inject([Fault::HangUp { stored: true }]);
    let reports = Reports::default();
    let (writer, guard) = quick(server.url())
        .on_diagnostic(reports.listen())
        .build()
        .unwrap();
    write(&writer, 0..30);
    assert!(guard.shutdown(LIMIT).is_complete());
    assert_once(&server.documents(), 0..30);
    reports.wait_for("grant `create_doc` on `logs-*` as well");
}

#[test]
fn a_deleted_index_is_not_created_again_by_a_retry() {
    let server = StandIn::start();
    let (writer, guard) = quick(server.url()).on_diagnostic(|_| {}).build().unwrap();
    write(&writer, 0..10);
    assert!(guard.flush(LIMIT).is_complete());
    server.inject([Fault::HangUp { stored: false }]);
    write(&writer, 10..20);
    wait_until("the fault is met", || server.faults_left() == 0);
    server.remove_index("logs-000001");
    server.roll_over("logs-000002");
    assert!(guard.flush(LIMIT).is_complete());
    assert_once(&server.documents(), 10..20);
    assert_eq!(server.indices(), ["logs-000002"]);
}

#[test]
fn an_alias_that_leads_to_no_index_that_takes_records_costs_none() {
    for fault in [
        (
            400,
            "illegal_argument_exception",
            "no write index is defined for alias [logs]",
        ),
        (400, "index_closed_exception", "closed"),
        (
            400,
            "illegal_argument_exception",
            "pipeline with id [x] does not exist",
        ),
        (
            403,
            "cluster_block_exception",
            "index [logs-000001] blocked by: [FORBIDDEN/8/index write (api)];",
        ),
    ] {
        for is_known in [true, false] {
            let server = StandIn::start();
            let reports = Reports::default();
            let builder = quick(server.url()).on_diagnostic(reports.listen());
            let (writer, guard) = builder.build().unwrap();
            let mut expected = 0..10;
            if is_known {
                write(&writer, 10..20);
                expected = 0..20;
                assert!(guard.flush(LIMIT).is_complete());
            }
            server.block(Some(fault));
            write(&writer, 0..10);
            reports.wait_for("no index behind `logs` accepts writes");
            server.block(None);
            assert!(guard.flush(LIMIT).is_complete());
            assert_once(&server.documents(), expected);
            assert!(
                !reports.all().contains("grant `create_doc`"),
                "{}",
                reports.all()
            );
        }
    }
}

#[test]
fn an_engine_in_trouble_for_long_costs_no_record() {
    survives("500 again and again", &vec![Fault::Items(500, 3); 8]);
}

#[test]
fn survives_outages_of_the_server() {
    let server = Arc::new(StandIn::start());
    server.set_down(true);
    let (writer, guard) = quick(server.url()).on_diagnostic(|_| {}).build().unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let flipper = {
        let (server, is_over) = (Arc::clone(&server), Arc::clone(&is_over));
        thread::spawn(move || {
            let mut gone = true;
            while !is_over.load(Ordering::Relaxed) {
                server.set_down(gone);
                gone = !gone;
                thread::sleep(Duration::from_millis(40));
            }
            server.set_down(false);
        })
    };
    for start in (0..4_000).step_by(100) {
        write(&writer, start..start + 100);
        assert_balance(writer.stats());
        thread::sleep(Duration::from_millis(10));
    }
    is_over.store(true, Ordering::Relaxed);
    flipper.join().unwrap();
    assert!(guard.flush(LIMIT).is_complete());
    assert_once(&server.documents(), 0..4_000);
}

#[test]
fn two_rollovers_around_a_lost_response_leave_each_record_stored_once() {
    let server = StandIn::start();
    let (writer, guard) = quick(server.url()).on_diagnostic(|_| {}).build().unwrap();
    write(&writer, 0..10);
    assert!(guard.flush(LIMIT).is_complete());
    // the writer has seen neither
    server.roll_over("logs-000002");
    server.inject([Fault::HangUp { stored: true }, Fault::Status(429, Some(1))]);
    write(&writer, 10..20);
    wait_until("a response is lost", || server.faults_left() < 2);
    server.roll_over("logs-000003");
    assert!(guard.flush(LIMIT).is_complete());
    assert_once(&server.documents(), 0..20);
    assert_eq!(server.documents_in("logs-000002").len(), 10);
}

#[test]
fn a_request_that_is_worked_on_after_a_rollover_doubles_nothing() {
    let server = StandIn::start();
    let (writer, guard) = quick(server.url()).on_diagnostic(|_| {}).build().unwrap();
    write(&writer, 0..10);
    assert!(guard.flush(LIMIT).is_complete());
    let late = Duration::from_millis(1_500);
    server.inject([Fault::Late(late), Fault::Status(429, None)]);
    write(&writer, 10..20);
    wait_until("a response is lost", || server.faults_left() < 2);
    server.roll_over("logs-000002");
    assert!(guard.flush(LIMIT).is_complete());
    // what was meant for the first time comes now
    thread::sleep(late);
    assert_once(&server.documents(), 0..20);
    assert_eq!(server.documents_in("logs-000001").len(), 20);
}

#[test]
fn a_flush_and_the_end_do_not_wait_long_for_the_next_attempt() {
    let server = StandIn::start();
    for ends in [false, true] {
        server.set_down(true);
        let (writer, guard) = quick(server.url()).on_diagnostic(|_| {}).build().unwrap();
        write(&writer, 0..10);
        // by now it pauses for 2.5 seconds at least
        thread::sleep(Duration::from_secs(6));
        let done = thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(300));
                server.set_down(false);
            });
            let limit = Duration::from_secs(2);
            if ends {
                guard.shutdown(limit)
            } else {
                guard.flush(limit)
            }
        });
        assert!(done.is_complete(), "{ends}: {done:?}");
    }
}
