//! The metadata of a rewritten event: those of the original event, including the identity of its
//! callsite, with the added fields.
//!
//! The metadata of an event must be `'static`, so they are leaked the first time that an event of a
//! callsite is rewritten, and reused from then on. The number of callsites in a program is finite;
//! `log` records have one callsite per level.

use std::{
    cell::Cell,
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use tracing_core::{Kind, Level, Metadata, field::FieldSet};

use openreplay_record::field;

/// The name of the field in which `tracing`'s macros store the message.
const MESSAGE: &str = "message";

/// What is added to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Addition {
    /// The prefix in `message`, and `tags` if the event is an error.
    PrefixAndTags,
    /// The prefix in `message`.
    Prefix,
    /// The field that `sentry-tracing` converts to a tag.
    SentryTag,
}

impl Addition {
    fn parts(self, level: Level) -> Parts {
        Parts {
            prefix: self != Self::SentryTag,
            tags: self == Self::PrefixAndTags && level == Level::ERROR,
            sentry_tag: self == Self::SentryTag,
        }
    }
}

/// The parts that rewriting adds to an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) prefix: bool,
    pub(super) tags: bool,
    pub(super) sentry_tag: bool,
}

impl Parts {
    /// Returns the parts that are not in `other`.
    fn without(self, other: Self) -> Self {
        Self {
            prefix: self.prefix && !other.prefix,
            tags: self.tags && !other.tags,
            sentry_tag: self.sentry_tag && !other.sentry_tag,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            prefix: self.prefix || other.prefix,
            tags: self.tags || other.tags,
            sentry_tag: self.sentry_tag || other.sentry_tag,
        }
    }

    /// Returns the field that is appended to an event, unless the event has a field of that name.
    fn field(self) -> Option<&'static str> {
        match self {
            Self { tags: true, .. } => Some(field::TAGS),
            Self {
                sentry_tag: true, ..
            } => Some("tags.openReplaySession.id"),
            _ => None,
        }
    }
}

/// The metadata of a rewritten event, and the positions of its fields.
#[derive(Debug)]
pub(super) struct Rewritten {
    pub(super) metadata: &'static Metadata<'static>,
    /// What is added to the original event.
    pub(super) adds: Parts,
    /// What outer layers and this one have added.
    has: Parts,
    pub(super) names: &'static [&'static str],
    /// The indexes of the fields named `message`.
    pub(super) messages: &'static [usize],
    /// The index of the first original field. It is 1 if a `message` was inserted before the
    /// fields, where the macros put it.
    pub(super) first: usize,
    /// The index of the field that was appended.
    pub(super) added: Option<usize>,
    /// The index of the event's own field with the same name.
    pub(super) own: Option<usize>,
}

impl Rewritten {
    /// Returns the metadata for an event, or `None` if outer layers have already added everything.
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

    /// Returns whether the original event was rewritten by an outer layer.
    #[inline]
    pub(super) fn is_nested(&self) -> bool {
        self.has != self.adds
    }

    /// Creates the metadata for an event to which outer layers have added `before`.
    fn leak(original: &'static Metadata<'static>, before: Parts, adds: Parts) -> &'static Self {
        let own: Vec<_> = original.fields().iter().map(|field| field.name()).collect();
        let message = (adds.prefix && !own.contains(&MESSAGE)).then_some(MESSAGE);
        let field = adds.field();
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
            adds,
            has: before.and(adds),
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

static ALL: RwLock<Option<All>> = RwLock::new(None);

#[derive(Default)]
struct All {
    known: HashMap<Key, Known>,
    /// The rewritten events, by the address of their metadata.
    rewritten: HashMap<usize, &'static Rewritten>,
}

thread_local! {
    // A cache that avoids the lock. Without a destructor, it is accessible until the thread has
    // ended.
    static RECENT: [Cell<Option<(Key, Known)>>; SLOTS] = const { [const { Cell::new(None) }; SLOTS] };
}

const SLOTS: usize = 64;

fn slot_of((address, _): Key) -> usize {
    // Multiplying by the golden ratio and taking the upper bits distributes adjacent addresses
    // evenly.
    ((address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as usize
}

/// Returns the address of the metadata, which identifies a callsite. `callsite()` does not, since
/// two metadata can have the same callsite's identity.
fn address(metadata: &'static Metadata<'static>) -> usize {
    std::ptr::from_ref(metadata).addr()
}

fn known(key: Key, original: &'static Metadata<'static>) -> Known {
    let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.as_ref().and_then(|all| all.known.get(&key)) {
        return *known;
    }
    drop(all);
    let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
    let All { known, rewritten } = all.get_or_insert_default();
    *known.entry(key).or_insert_with(|| {
        let (address, addition) = key;
        let before = rewritten
            .get(&address)
            .map_or(Parts::default(), |of| of.has);
        let adds = addition.parts(*original.level()).without(before);
        if adds == Parts::default() {
            return None;
        }
        let new = Rewritten::leak(original, before, adds);
        rewritten.insert(self::address(new.metadata), new);
        Some(new)
    })
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
    fn is_created_once_per_metadata() {
        let first = Rewritten::of(&METADATA, Addition::PrefixAndTags).unwrap();
        for _ in 0..10 {
            let there = || Rewritten::of(&METADATA, Addition::PrefixAndTags).unwrap();
            assert!(ptr::eq(first, there()));
            assert!(ptr::eq(first, thread::spawn(there).join().unwrap()));
        }
    }

    #[test]
    fn keeps_the_metadata_of_the_original() {
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
    fn is_not_rewritten_twice_in_the_same_way() {
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
