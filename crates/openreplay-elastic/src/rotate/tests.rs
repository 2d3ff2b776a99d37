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

    #[test]
    fn every_whole_number_with_a_unit_is_a_size(number in 0u64..1_000_000, unit in "b|kb|mb|gb|tb|GB") {
        let size: Size = format!("{number}{unit}").parse().unwrap();
        prop_assert_eq!(size.to_string().parse::<Size>().unwrap(), size);
        prop_assert_eq!(size.bytes() % number.max(1), 0);
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
