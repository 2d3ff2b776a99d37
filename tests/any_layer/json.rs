use integration_tests::Lines;
use serde_json::json;
use tracing_subscriber::{Layer as _, fmt};

use crate::{BoxedLayer, Seen, forms::in_every_form, library, seen, with_layer};

#[test]
fn fmt_writes_message_tags_and_types() {
    check(
        |lines| fmt::layer().json().with_writer(lines).boxed(),
        "library",
    );
}

#[test]
fn json_subscriber_writes_message_tags_and_types() {
    // it takes `log` records for events of the target `log`, wrapped or not
    check(
        |lines| json_subscriber::layer().with_writer(lines).boxed(),
        "log",
    );
}

fn check(layer: impl Fn(Lines) -> BoxedLayer, log_target: &str) {
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
        let lines = Lines::default();
        run(layer(lines.clone()));
        written(&lines)
    });

    let alone = Lines::default();
    with_layer(layer(alone.clone()), library);
    assert_eq!(written(&alone)[0].fields["target"], log_target);
}

const HERE: &str = "any_layer";

fn written(lines: &Lines) -> Vec<Seen> {
    let seen = lines.records().into_iter().map(|mut record| {
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
