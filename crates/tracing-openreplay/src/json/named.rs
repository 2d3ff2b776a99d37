//! Checks the names of constant fields.

use openreplay_record::field;

/// Panics if the name has an empty part, or conflicts with a record's own field or with one of the
/// `others`, the constant fields that were set before.
///
/// For Elasticsearch, a dot denotes a nested object, so `log` is the parent of `log.logger`, and a
/// record with both is rejected.
pub(super) fn check<'a>(name: &str, others: impl IntoIterator<Item = &'a str>) {
    assert!(
        name.split('.').all(|part| !part.trim().is_empty()),
        "a field's name has an empty part: {name:?}"
    );
    for own in field::ALL {
        assert!(
            own != name && !is_below(own, name) && !is_below(name, own),
            "`{name}` conflicts with a record's own field `{own}`"
        );
    }
    for other in others {
        assert!(
            !is_below(other, name) && !is_below(name, other),
            "`{name}` conflicts with the constant field `{other}`"
        );
    }
}

fn is_below(name: &str, above: &str) -> bool {
    name.strip_prefix(above)
        .is_some_and(|rest| rest.starts_with('.'))
}
