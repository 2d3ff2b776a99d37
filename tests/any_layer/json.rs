use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tracing_subscriber::{Layer as _, fmt, fmt::MakeWriter};

use crate::{BoxedLayer, Seen, forms::in_every_form, library, seen, with_layer};

#[test]
fn fmt_writes_message_tags_and_types() {
    check(
        |sink| fmt::layer().json().with_writer(sink).boxed(),
        "library",
    );
}

#[test]
fn json_subscriber_writes_message_tags_and_types() {
    // it takes `log` records for events of the target `log`, wrapped or not
    check(
        |sink| json_subscriber::layer().with_writer(sink).boxed(),
        "log",
    );
}

fn check(layer: impl Fn(Sink) -> BoxedLayer, log_target: &str) {
    let expected = [
        seen(
            "[openReplaySession.id=42] cart opened",
            json!({ "target": HERE, "items": 3, "paid": false }),
        ),
        seen(
            "[openReplaySession.id=42] slow",
            json!({ "target": HERE, "path": "/cart" }),
        ),
        seen(
            "[openReplaySession.id=42] out of stock",
            json!({ "target": HERE, "code": -7, "tags": "error" }),
        ),
        seen(
            "[openReplaySession.id=42] lost",
            json!({ "target": log_target, "log.target": "library", "log.line": 7, "tags": "error" }),
        ),
        seen("no session", json!({ "target": HERE })),
    ];
    in_every_form(&expected, |run| {
        let sink = Sink::default();
        run(layer(sink.clone()));
        sink.seen()
    });

    let alone = Sink::default();
    with_layer(layer(alone.clone()), library);
    assert_eq!(alone.seen()[0].fields["target"], log_target);
}

const HERE: &str = "any_layer";

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn seen(&self) -> Vec<Seen> {
        let written = self.0.lock().unwrap();
        let lines = written
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        let seen = lines.map(|line| {
            let mut record: Value = serde_json::from_slice(line).unwrap();
            let mut fields = record["fields"].take();
            fields["target"] = record["target"].take();
            let message = fields.as_object_mut().unwrap().remove("message").unwrap();
            Seen {
                message: message.as_str().unwrap().to_owned(),
                fields,
            }
        });
        seen.collect()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
