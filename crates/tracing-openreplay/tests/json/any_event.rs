//! Properties of events and spans with any names and values, with manually created metadata.

use std::{collections::BTreeMap, error::Error, fmt};

use openreplay_session::{SessionId, sync_scope};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;
use test_kit::Lines;
use tracing::{
    Dispatch, Event, Metadata, callsite::Identifier, field, metadata::Kind, span::Attributes,
    subscriber::with_default,
};
use tracing_core::{Callsite, Interest, Level, field::FieldSet, span};
use tracing_openreplay::json;
use tracing_subscriber::{Registry, prelude::*};

use crate::ID;

/// A static callsite, like those of the macros.
struct Site(std::sync::OnceLock<Metadata<'static>>);

impl Callsite for Site {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.0.get().unwrap()
    }
}

fn site(kind: Kind, level: Level, name: &str, names: &[String]) -> &'static Metadata<'static> {
    let site: &'static Site = Box::leak(Box::new(Site(std::sync::OnceLock::new())));
    let names: Vec<&'static str> = names.iter().map(|name| &*name.clone().leak()).collect();
    let fields = FieldSet::new(names.leak(), Identifier(site));
    let name = name.to_owned().leak();
    site.0.get_or_init(|| {
        Metadata::new(
            name,
            "any \"target\"",
            level,
            Some("a\\b.rs"),
            Some(7),
            None,
            fields,
            kind,
        )
    })
}

#[derive(Clone, Debug)]
pub(crate) enum Any {
    U64(u64),
    I64(i64),
    U128(u128),
    I128(i128),
    F64(f64),
    Bool(bool),
    Str(String),
    Bytes(Vec<u8>),
    Display(String),
    Error(Vec<String>),
    Nothing,
}

#[derive(Debug)]
pub(crate) struct Chain(String, Option<Box<Chain>>);

impl Chain {
    pub(crate) fn of(texts: &[String]) -> Option<Box<Self>> {
        let (first, rest) = texts.split_first()?;
        Some(Box::new(Self(first.clone(), Self::of(rest))))
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A `Display` may write several pieces.
        let half = (0..=self.0.len() / 2)
            .rev()
            .find(|&at| self.0.is_char_boundary(at))
            .unwrap();
        f.write_str(&self.0[..half])?;
        f.write_str(&self.0[half..])
    }
}

impl Error for Chain {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_ref().map(|cause| cause as _)
    }
}

impl Any {
    fn value(&self) -> Box<dyn field::Value> {
        match self {
            Self::U64(value) => Box::new(*value),
            Self::I64(value) => Box::new(*value),
            Self::U128(value) => Box::new(*value),
            Self::I128(value) => Box::new(*value),
            Self::F64(value) => Box::new(*value),
            Self::Bool(value) => Box::new(*value),
            Self::Str(value) => Box::new(value.clone()),
            Self::Bytes(value) => Box::new(value.clone().into_boxed_slice()),
            Self::Display(value) => Box::new(field::display(value.clone())),
            Self::Error(texts) => Box::new(Chain::of(texts).unwrap() as Box<dyn Error + 'static>),
            Self::Nothing => Box::new(field::Empty),
        }
    }

    /// Returns the value that must be read back.
    fn read_back(&self) -> Option<Value> {
        Some(match self {
            Self::U64(value) => (*value).into(),
            Self::I64(value) => (*value).into(),
            Self::U128(value) => {
                u64::try_from(*value).map_or_else(|_| value.to_string().into(), Value::from)
            }
            Self::I128(value) => match (u64::try_from(*value), i64::try_from(*value)) {
                (Ok(value), _) => value.into(),
                (_, Ok(value)) => value.into(),
                _ => value.to_string().into(),
            },
            Self::F64(value) if value.is_finite() => (*value).into(),
            Self::F64(value) => value.to_string().into(),
            Self::Bool(value) => (*value).into(),
            Self::Str(value) | Self::Display(value) => value.clone().into(),
            Self::Bytes(value) => format!("{value:02x?}").replace(',', "").into(),
            Self::Error(texts) => texts.join(": ").into(),
            Self::Nothing => return None,
        })
    }
}

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "(?s).{0,20}",
        "[\u{0}-\u{20}\"\\\\=]{0,20}",
        "(openReplaySession|[.]|id|İd|=|42| ){0,8}",
        vec(any::<char>(), 0..20).prop_map(String::from_iter),
    ]
}

fn value() -> impl Strategy<Value = Any> {
    prop_oneof![
        any::<u64>().prop_map(Any::U64),
        any::<i64>().prop_map(Any::I64),
        any::<u128>().prop_map(Any::U128),
        any::<i128>().prop_map(Any::I128),
        any::<i64>().prop_map(|small| Any::I128(small.into())),
        any::<f64>().prop_map(Any::F64),
        any::<u64>().prop_map(|bits| Any::F64(f64::from_bits(bits))),
        any::<bool>().prop_map(Any::Bool),
        text().prop_map(Any::Str),
        vec(any::<u8>(), 0..8).prop_map(Any::Bytes),
        text().prop_map(Any::Display),
        vec(text(), 1..4).prop_map(Any::Error),
        Just(Any::Nothing),
    ]
}

pub(crate) type Pairs = Vec<(String, Any)>;

pub(crate) fn pairs(most: usize) -> impl Strategy<Value = Pairs> {
    let name = prop_oneof![
        "[a-c]",
        "r#[a-c]",
        text(),
        Just("message".to_owned()),
        Just("log.target".to_owned()),
        Just("@timestamp".to_owned()),
    ];
    vec((name, value()), 0..most)
}

/// An error with these fields.
pub(crate) fn log_any(pairs: &Pairs, in_session: bool) {
    let names: Vec<_> = pairs.iter().map(|(name, _)| name.clone()).collect();
    let site = site(Kind::EVENT, Level::ERROR, "an event", &names);
    sync_scope(in_session.then(|| SessionId::from(ID)), || {
        with_values(site, pairs, |values| Event::dispatch(site, values));
    });
}

/// Returns the last value of each key.
fn expected<'a>(pairs: impl IntoIterator<Item = &'a (String, Any)>) -> BTreeMap<String, Value> {
    let key = |name: &str| match name.strip_prefix("r#").unwrap_or(name) {
        "" => "_".to_owned(),
        key => key.to_owned(),
    };
    let read_back = |(name, value): &'a (String, Any)| Some((key(name), value.read_back()?));
    pairs.into_iter().filter_map(read_back).collect()
}

fn object(value: Option<&Value>) -> BTreeMap<String, Value> {
    let object = value
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    object.into_iter().collect()
}

/// Calls `f` with the values of at most eight pairs, since a value set has a fixed length.
fn with_values(
    metadata: &'static Metadata<'static>,
    pairs: &Pairs,
    f: impl FnOnce(&field::ValueSet<'_>),
) {
    let fields: Vec<_> = metadata.fields().iter().collect();
    let values: Vec<_> = pairs.iter().map(|(_, value)| value.value()).collect();
    let Some(first) = fields.first() else {
        return f(&metadata.fields().value_set(&[]));
    };
    let entries: [(&field::Field, Option<&dyn field::Value>); 8] =
        std::array::from_fn(|at| match (fields.get(at), values.get(at)) {
            (Some(field), Some(value)) => (field, Some(&**value)),
            // Absent values are not visited.
            _ => (first, None),
        });
    f(&metadata.fields().value_set(&entries));
}

fn limit() -> impl Strategy<Value = usize> {
    prop_oneof![
        any::<usize>(),
        (0..64_usize).prop_map(|less| usize::MAX - less),
        0..40_000_usize,
        (8_100..8_300_usize),
    ]
}

/// A text of any length around the limit, with characters of one to six bytes in JSON.
fn long() -> impl Strategy<Value = String> {
    (
        prop_oneof![
            Just("a"),
            Just("é"),
            Just("😀"),
            Just("\""),
            Just("\u{1}"),
            Just("x,\":")
        ],
        0..20_000_usize,
    )
        .prop_map(|(text, times)| text.repeat(times))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_record_is_longer_than_its_limit(
        limit in limit(),
        service in prop_oneof![Just(String::new()), long()],
        constant in prop_oneof![Just(String::new()), long()],
        project in prop_oneof![Just(String::new()), long()],
        texts in vec(long(), 6),
        is_log in any::<bool>(),
        in_session in any::<bool>(),
    ) {
        let written = Lines::default();
        let writer = written.clone();
        let layer = json()
            .with_service_name(&service)
            .with_record_limit(limit)
            .with_field("region", &constant)
            .with_replay_url(&project)
            .with_writer(move || writer.clone());
        let session = in_session.then(|| SessionId::from(u64::MAX));
        let [a, b, c, d, target, file] = &*texts else { unreachable!("six") };
        sync_scope(session, || with_default(Registry::default().with(layer), || {
            let _span = tracing::info_span!("request", a, d).entered();
            if is_log {
                let mut record = tracing_log::log::Record::builder();
                record.level(tracing_log::log::Level::Error).target(target).file(Some(file)).line(Some(u32::MAX));
                tracing_log::format_trace(&record.args(format_args!("{c}")).build()).unwrap();
            } else {
                tracing::error!(a, b, error = Chain::of(&texts).as_deref().unwrap() as &(dyn Error + 'static), "{c}");
            }
        }));
        // As documented, the minimum is 8 KiB plus the length of the constant parts.
        let member = |key: &str, text: &str| format!(",\"{key}\":{}", serde_json::json!(text)).len();
        let configured = member("service.name", &service)
            + member("region", &constant)
            + serde_json::json!(format!("{project}/session/")).to_string().len();
        let length = written.text().len();
        prop_assert!(length <= limit.max(8 * 1024 + configured), "{length} of {limit}");
        let record = &written.records()[0];
        let message = record["message"].as_str().unwrap();
        // Only the limit cuts text.
        if limit > 2_000_000 {
            prop_assert!(message.contains(c.as_str()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_event_is_one_object_that_reads_back(
        event in pairs(8),
        span in pairs(8),
        again in vec(value(), 8),
        name in text(),
        in_session in any::<bool>(),
        with_fields in any::<bool>(),
    ) {
        let written = Lines::default();
        let writer = written.clone();
        let layer = json().with_fields_in_message(with_fields).with_writer(move || writer.clone());
        let dispatch = Dispatch::new(Registry::default().with(layer));
        let names = |pairs: &Pairs| pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let session = in_session.then(|| SessionId::from(ID));

        let span_site = site(Kind::SPAN, Level::INFO, &name, &names(&span));
        let event_site = site(Kind::EVENT, Level::INFO, "an event", &names(&event));
        let recorded: Pairs = span.iter().zip(again).map(|((name, _), value)| (name.clone(), value)).collect();
        sync_scope(session, || tracing::dispatcher::with_default(&dispatch, || {
            let mut id = None;
            with_values(span_site, &span, |values| id = Some(dispatch.new_span(&Attributes::new(span_site, values))));
            let id = id.unwrap();
            with_values(span_site, &recorded, |values| dispatch.record(&id, &span::Record::new(values)));
            dispatch.enter(&id);
            with_values(event_site, &event, |values| Event::dispatch(event_site, values));
            dispatch.exit(&id);
        }));

        let records = written.records();
        prop_assert_eq!(records.len(), 1);
        let record = &records[0];

        // The first field `message` with a value is the message, and the others are fields.
        let message = event.iter().position(|(name, value)| name == "message" && !matches!(value, Any::Nothing));
        let fields = event.iter().enumerate().filter(|&(at, _)| Some(at) != message).map(|(_, pair)| pair);
        prop_assert_eq!(object(record.get("fields")), expected(fields));

        let span_record = &record["spans"][0];
        prop_assert_eq!(&span_record["name"], &Value::from(name));
        prop_assert_eq!(object(span_record.get("fields")), expected(span.iter().chain(&recorded)));

        let text = record["message"].as_str().unwrap();
        let prefix = format!("[openReplaySession.id={ID}] ");
        let rest = if in_session {
            prop_assert_eq!(&record["openReplaySession.id"], &Value::from(ID.to_string()));
            text.strip_prefix(&prefix)
        } else {
            prop_assert_eq!(record.get("openReplaySession.id"), None);
            Some(text)
        };
        let rest = rest.expect("the prefix is exact");
        prop_assert!(!rest.is_empty());
        let folded = rest.to_lowercase().replace("i\u{307}", "i");
        prop_assert!(!folded.contains("openreplaysession.id"), "{}", rest);
    }
}
