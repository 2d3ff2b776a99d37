//! An event with 5,000 fields. No macro can write it: they recurse once a field.

use std::array;
use std::sync::OnceLock;

use tracing::callsite::{Callsite, Identifier};
use tracing::field::{Field, FieldSet, Value};
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata};

const FIELDS: usize = 5_000;

pub(crate) fn log() {
    let metadata = SITE.metadata();
    let fields: Vec<Field> = metadata.fields().iter().collect();
    let values: [_; FIELDS] = array::from_fn(|n| {
        let value: &dyn Value = if n == 0 { &"5,000 distinct names" } else { &7 };
        (&fields[n], Some(value))
    });
    Event::dispatch(metadata, &metadata.fields().value_set(&values));
}

static SITE: Site = Site;

struct Site;

impl Callsite for Site {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        static METADATA: OnceLock<Metadata<'static>> = OnceLock::new();
        METADATA.get_or_init(|| {
            let names = (0..FIELDS).map(|n| match n {
                0 => "message",
                _ => format!("name_{n}").leak(),
            });
            Metadata::new(
                "event of many fields",
                "engine::many_fields",
                Level::ERROR,
                None,
                None,
                None,
                FieldSet::new(
                    names.collect::<Vec<&'static str>>().leak(),
                    Identifier(&SITE),
                ),
                Kind::EVENT,
            )
        })
    }
}
