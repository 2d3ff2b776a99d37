//! The metadata of a rewritten event: that of the original, its callsite's identity included, with
//! the fields that are added.
//!
//! An event's metadata must be `'static`, so one is leaked the first time that an event with a
//! given metadata is rewritten. Metadata belongs to a callsite and is static itself, so their
//! number is that of the callsites in the program; `log` records come from one callsite a level. An
//! event that is rewritten again finds what was made for it the first time.

use std::{
    cell::Cell,
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use tracing_core::{Kind, Level, Metadata, field::FieldSet};

use openreplay_record::field;

/// The name of the field in which `tracing`'s macros put the text.
const MESSAGE: &str = "message";

/// What is added to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Addition {
    /// The prefix in `message`, and `tags` on an error.
    PrefixAndTags,
    /// The prefix in `message`.
    Prefix,
    /// The field that Sentry reads as a tag.
    SentryTag,
}

impl Addition {
    /// The field that is added at the end of an event, unless the event has one of that name.
    fn field(self, level: Level) -> Option<&'static str> {
        match self {
            Self::PrefixAndTags => (level == Level::ERROR).then_some(field::TAGS),
            Self::Prefix => None,
            Self::SentryTag => Some("tags.openReplaySession.id"),
        }
    }
}

/// The metadata of a rewritten event, and where its fields are.
#[derive(Debug)]
pub(super) struct Rewritten {
    pub(super) metadata: &'static Metadata<'static>,
    pub(super) addition: Addition,
    pub(super) names: &'static [&'static str],
    /// The indexes of the fields named `message`.
    pub(super) messages: &'static [usize],
    /// The index of the original's first field: 1 where a `message` was put in front, as a macro
    /// would have put it.
    pub(super) first: usize,
    /// The index of the field that was added at the end.
    pub(super) added: Option<usize>,
    /// The index of the event's own field of that name.
    pub(super) own: Option<usize>,
}

impl Rewritten {
    /// `None` for an event that has been rewritten like this already, by a layer around.
    pub(super) fn of(
        original: &'static Metadata<'static>,
        addition: Addition,
    ) -> Option<&'static Self> {
        let key = (address(original), addition);
        RECENT.with(|recent| {
            let slot = &recent[slot_of(key)];
            match slot.get() {
                Some((found, rewritten)) if found == key => rewritten,
                _ => {
                    let rewritten = known(key, original);
                    slot.set(Some((key, rewritten)));
                    rewritten
                }
            }
        })
    }

    fn leak(original: &'static Metadata<'static>, addition: Addition) -> &'static Self {
        let own: Vec<_> = original.fields().iter().map(|field| field.name()).collect();
        let message = match addition {
            Addition::SentryTag => None,
            Addition::Prefix | Addition::PrefixAndTags => {
                (!own.contains(&MESSAGE)).then_some(MESSAGE)
            }
        };
        let field = addition.field(*original.level());
        let at = own.iter().position(|name| field == Some(*name));
        let last = field.filter(|_| at.is_none());
        let names: Vec<_> = message.into_iter().chain(own).chain(last).collect();
        let names: &'static [&'static str] = names.leak();
        let metadata = Metadata::new(
            original.name(),
            original.target(),
            *original.level(),
            original.file(),
            original.line(),
            original.module_path(),
            FieldSet::new(names, original.callsite()),
            Kind::EVENT,
        );
        Box::leak(Box::new(Self {
            metadata: Box::leak(Box::new(metadata)),
            addition,
            names,
            messages: (names.iter().enumerate())
                .filter(|(_, name)| **name == MESSAGE)
                .map(|(index, _)| index)
                .collect::<Vec<_>>()
                .leak(),
            first: message.iter().len(),
            added: last.map(|_| names.len() - 1),
            own: at.map(|at| message.iter().len() + at),
        }))
    }
}

type Key = (usize, Addition);
type Known = Option<&'static Rewritten>;

static ALL: RwLock<Option<HashMap<Key, Known>>> = RwLock::new(None);

thread_local! {
    // in front of the lock; without a destructor, so that it is there as long as the thread is
    static RECENT: [Cell<Option<(Key, Known)>>; SLOTS] = const { [const { Cell::new(None) }; SLOTS] };
}

const SLOTS: usize = 64;

fn slot_of((address, _): Key) -> usize {
    // the upper bits of a product with the golden ratio: neighbours in memory are spread evenly
    ((address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as usize
}

/// Two callsites never share a static, and one callsite's identity can stand for two: it is the
/// address that counts.
fn address(metadata: &'static Metadata<'static>) -> usize {
    std::ptr::from_ref(metadata).addr()
}

fn known(key: Key, original: &'static Metadata<'static>) -> Known {
    let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.as_ref().and_then(|all| all.get(&key)) {
        return *known;
    }
    drop(all);
    let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
    let all = all.get_or_insert_default();
    if let Some(known) = all.get(&key) {
        return *known;
    }
    let rewritten = Rewritten::leak(original, key.1);
    all.insert(key, Some(rewritten));
    all.insert((address(rewritten.metadata), key.1), None);
    Some(rewritten)
}

#[cfg(test)]
mod tests {
    use std::{ptr, thread};

    use tracing::callsite::{Callsite, DefaultCallsite};

    use super::*;

    static CALLSITE: DefaultCallsite = DefaultCallsite::new(&METADATA);
    static METADATA: Metadata<'static> = Metadata::new(
        "event",
        "target",
        Level::ERROR,
        Some("file.rs"),
        Some(7),
        Some("module"),
        FieldSet::new(&["a", "b"], tracing::callsite::Identifier(&CALLSITE)),
        Kind::EVENT,
    );

    #[test]
    fn is_made_once_for_a_metadata() {
        let first = Rewritten::of(&METADATA, Addition::PrefixAndTags).unwrap();
        for _ in 0..10 {
            let there = || Rewritten::of(&METADATA, Addition::PrefixAndTags).unwrap();
            assert!(ptr::eq(first, there()));
            assert!(ptr::eq(first, thread::spawn(there).join().unwrap()));
        }
    }

    #[test]
    fn keeps_all_of_the_original() {
        let rewritten = Rewritten::of(CALLSITE.metadata(), Addition::PrefixAndTags).unwrap();
        let metadata = rewritten.metadata;
        assert_eq!(metadata.callsite(), METADATA.callsite());
        assert_eq!((metadata.name(), metadata.target()), ("event", "target"));
        assert_eq!(
            (metadata.file(), metadata.line()),
            (Some("file.rs"), Some(7))
        );
        assert_eq!(
            (metadata.module_path(), metadata.level()),
            (Some("module"), &Level::ERROR)
        );
        assert!(metadata.is_event());
        assert_eq!(rewritten.names, ["message", "a", "b", "tags"]);
    }

    #[test]
    fn is_not_rewritten_the_same_way_again() {
        let prefixed = Rewritten::of(&METADATA, Addition::PrefixAndTags)
            .unwrap()
            .metadata;
        assert!(Rewritten::of(prefixed, Addition::PrefixAndTags).is_none());
        let both = Rewritten::of(prefixed, Addition::SentryTag).unwrap();
        assert_eq!(
            both.names,
            ["message", "a", "b", "tags", "tags.openReplaySession.id"]
        );
    }
}
