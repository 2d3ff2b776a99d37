use proptest::prelude::*;

use super::*;

#[test]
fn refuses_what_is_no_age_or_size_and_says_what_is() {
    for text in [
        "",
        "d",
        "7",
        "7 d",
        "-7d",
        "1.5d",
        "7w",
        "99999999999999999999d",
        "999999999999999999d",
        "7d7d",
    ] {
        let error = text.parse::<Age>().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{text:?} is no span of time: expected one such as 7d, 12h, 30m or 45s")
        );
        assert!(error.is_config());
    }
    let error = "20".parse::<Size>().unwrap_err();
    assert_eq!(
        error.to_string(),
        r#""20" is no size: expected one such as 20gb or 500mb"#
    );
}

proptest! {
    #[test]
    fn any_text_is_an_age_that_reads_back_or_none(text in "[0-9]{0,12}[dhms]?.?") {
        if let Ok(age) = text.parse::<Age>() {
            prop_assert_eq!(age.to_string().parse::<Age>().unwrap().duration(), age.duration());
        }
    }
}

/// The units of Elasticsearch (`ByteSizeUnit`, `TimeValue`), in either case.
#[test]
fn each_unit_is_what_elasticsearch_makes_of_it() {
    for (unit, bytes) in [
        ("b", 1),
        ("kb", 1_024),
        ("mb", 1_048_576),
        ("gb", 1_073_741_824),
        ("tb", 1_099_511_627_776),
    ] {
        for text in [format!("3{unit}"), format!("3{}", unit.to_uppercase())] {
            let size: Size = text.parse().unwrap();
            assert_eq!(
                (size.bytes(), size.to_string()),
                (3 * bytes, format!("3{unit}"))
            );
        }
    }
    for (unit, seconds) in [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)] {
        for text in [format!("3{unit}"), format!("3{}", unit.to_uppercase())] {
            let age: Age = text.parse().unwrap();
            assert_eq!(
                (age.duration().as_secs(), age.to_string()),
                (3 * seconds, format!("3{unit}"))
            );
        }
    }
}

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
