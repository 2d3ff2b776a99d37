//! Names of constant fields.

use openreplay_record::field;

/// Panics if the name is empty, if a record has a field of that name, above it, or below it, or if
/// one of the `others`, the constant fields set before, is above or below it.
///
/// Elasticsearch treats a dot as a step into an object, so `log` is above `log.logger`, and a
/// record with both is rejected.
pub(super) fn check<'a>(name: &str, others: impl IntoIterator<Item = &'a str>) {
    assert!(
        name.split('.').all(|part| !part.trim().is_empty()),
        "a field's name has an empty part: {name:?}"
    );
    for own in field::ALL {
        assert!(
            own != name && !is_below(own, name) && !is_below(name, own),
            "`{name}` is taken by a record's own field `{own}`"
        );
    }
    for other in others {
        assert!(
            !is_below(other, name) && !is_below(name, other),
            "`{name}` is taken by the constant field `{other}`"
        );
    }
}

fn is_below(name: &str, above: &str) -> bool {
    name.strip_prefix(above)
        .is_some_and(|rest| rest.starts_with('.'))
}
