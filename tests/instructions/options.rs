//! The options of `json()`: each switched on, and each switched on and off again.

use tracing_openreplay::Json;

use crate::{
    Case, Comparison,
    records::{BOTH, EVENT, SPAN, Scene, Sink, Subject, comparison, json_with},
};

type Set = fn(Json<Sink>) -> Json<Sink>;

struct Setting {
    name: &'static str,
    on: Set,
    /// `None` if the option cannot be switched off.
    off: Option<Set>,
    /// Where the option costs something.
    scene: Scene,
    /// What `json()` does that is compared with it.
    peer: Scene,
    /// The most instructions with the option, in percent of those of `json()`.
    limit: f64,
}

/// The same for an option that is switched off again.
const OFF: f64 = 101.0;

const SETTINGS: [Setting; 7] = [
    Setting {
        name: "thread name",
        on: |json| json.with_thread_name(true),
        off: Some(|json| json.with_thread_name(false)),
        scene: EVENT,
        peer: EVENT,
        limit: 110.0,
    },
    Setting {
        name: "thread id",
        on: |json| json.with_thread_id(true),
        off: Some(|json| json.with_thread_id(false)),
        scene: EVENT,
        peer: EVENT,
        limit: 110.0,
    },
    Setting {
        name: "process id",
        on: |json| json.with_process_id(true),
        off: Some(|json| json.with_process_id(false)),
        scene: EVENT,
        peer: EVENT,
        limit: 110.0,
    },
    Setting {
        name: "constant field",
        on: |json| json.with_field("deployment.region", "eu"),
        off: None,
        scene: EVENT,
        peer: EVENT,
        limit: 110.0,
    },
    // a quarter more bytes
    Setting {
        name: "replay url",
        on: |json| json.with_replay_url("https://openreplay.example.com/1234"),
        off: None,
        scene: EVENT,
        peer: EVENT,
        limit: 113.0,
    },
    // the text is put together when the span is created
    Setting {
        name: "spans in message",
        on: |json| json.with_span_fields_in_message(true),
        off: Some(|json| json.with_span_fields_in_message(false)),
        scene: BOTH,
        peer: BOTH,
        limit: 112.0,
    },
    // one more record a span
    Setting {
        name: "span close",
        on: |json| json.with_span_close(true),
        off: Some(|json| json.with_span_close(false)),
        scene: SPAN,
        peer: BOTH,
        limit: 110.0,
    },
];

pub(crate) fn cases() -> impl Iterator<Item = Case> {
    let subjects = SETTINGS.into_iter().flat_map(|setting| {
        let on = Subject::in_session(&setting.is_on(), json_with(setting.on));
        let off = setting.off.map(|off| {
            let dispatch = json_with(|json| off((setting.on)(json)));
            Subject::in_session(&setting.is_off(), dispatch)
        });
        [Some(on), off]
    });
    let subjects = subjects.flatten();
    subjects.flat_map(|subject| subject.in_scenes([EVENT, SPAN, BOTH]))
}

pub(crate) fn comparisons() -> impl Iterator<Item = Comparison> {
    SETTINGS.into_iter().flat_map(|setting| {
        let (scene, peer) = (setting.scene, setting.peer);
        let on = comparison((&setting.is_on(), scene), ("json()", peer), setting.limit);
        let off = setting.off.map(|_| {
            let of = |scene| comparison((&setting.is_off(), scene), ("json()", scene), OFF);
            [of(EVENT), of(SPAN)]
        });
        [on].into_iter().chain(off.into_iter().flatten())
    })
}

impl Setting {
    fn is_on(&self) -> String {
        format!("json(), {}", self.name)
    }

    fn is_off(&self) -> String {
        format!("json(), {} off again", self.name)
    }
}
