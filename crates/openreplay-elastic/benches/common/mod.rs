//! What both benchmarks share.

/// A record of about 400 bytes, as the JSON layer writes it.
pub(crate) fn line(number: usize) -> String {
    format!(
        concat!(
            r#"{{"@timestamp":"2026-07-01T10:00:00.{:06}Z","utc_time":"2026-07-01T10:00:00.{:06}Z","level":"info","#,
            r#""message":"[openReplaySession.id=4950498349085463837] request finished status=200 took_ms=12 user=u{:05}","#,
            r#""openReplaySession.id":"4950498349085463837","log.logger":"shop::checkout","service.name":"shop","#,
            r#""fields":{{"status":200,"took_ms":12,"user":"u{:05}"}},"spans":[{{"name":"request","method":"GET"}}]}}"#,
            "\n"
        ),
        number % 1_000_000,
        number % 1_000_000,
        number % 100_000,
        number % 100_000,
    )
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
