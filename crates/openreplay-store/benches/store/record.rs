//! The records that are stored.

use std::fmt::Write as _;
use std::ops::Range;

/// As many sessions are active at a time, and each has so many records.
const ACTIVE: usize = 200;
pub(crate) const RECORDS_EACH: usize = 50;
/// 2026-07-01, in milliseconds.
const START: u64 = 1_782_864_000_000;

struct Line {
    id: String,
    session: u64,
    line: String,
}

/// A record of about 450 bytes, as `json()` writes it.
fn record(number: usize) -> Line {
    let cohort = number / (ACTIVE * RECORDS_EACH);
    let session_number = (cohort * ACTIVE + number % ACTIVE) as u64;
    let time = START + number as u64;
    // as OpenReplay numbers them: by the time of their start, in milliseconds since 2019
    let session = (START + session_number - 1_550_000_000_000) << 24;
    let stamp = format!(
        "2026-07-01T{:02}:{:02}:{:02}.{:03}000Z",
        number / 3_600_000 % 24,
        number / 60_000 % 60,
        number / 1_000 % 60,
        number % 1_000
    );
    let mut random = fastrand::Rng::with_seed(number as u64);
    let (user, took, order) = (random.u32(..100_000), random.u32(1..900), random.u64(..));
    let line = format!(
        concat!(
            r#"{{"@timestamp":"{stamp}","utc_time":"{stamp}","level":"info","message":"[openReplaySession.id={session}] "#,
            r#"request finished status=200 took_ms={took} user=u{user:05} order={order:016x}","openReplaySession.id":"{session}","#,
            r#""log.logger":"shop::checkout","service.name":"shop","fields":{{"status":200,"took_ms":{took},"user":"u{user:05}","#,
            r#""order":"{order:016x}"}},"spans":[{{"name":"request","method":"GET","path":"/api/orders"}}]}}"#,
        ),
        stamp = stamp,
        session = session,
        took = took,
        user = user,
        order = order,
    );
    Line {
        id: format!("{time:x}-{number:08x}"),
        session,
        line,
    }
}

/// The body of a `_bulk` request with these records.
pub(crate) fn body(numbers: Range<usize>) -> String {
    let mut body = String::with_capacity(numbers.len() * 600);
    for record in numbers.map(record) {
        let _ = writeln!(
            body,
            "{{\"create\":{{\"_id\":\"{}\"}}}}\n{}",
            record.id, record.line
        );
    }
    body
}

/// The sessions that all their records are stored of, if so many records are.
pub(crate) fn sessions(records: usize) -> impl Iterator<Item = u64> {
    let cohorts = 0..records / (ACTIVE * RECORDS_EACH);
    cohorts.flat_map(|cohort| {
        (0..ACTIVE).map(move |nth| record(cohort * ACTIVE * RECORDS_EACH + nth).session)
    })
}
