use super::*;

#[test]
fn rolls_over_between_two_seconds_of_records() {
    for (now, wait) in [
        (0, 350),
        (349, 1),
        (350, 0),
        (351, 999),
        (999, 351),
        (1_000, 350),
    ] {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_000 + now);
        assert_eq!(until_quiet(now), Duration::from_millis(wait), "{now:?}");
    }
}
