//! Which messages name a session: Elasticsearch and `names_session` agree, whatever character
//! stands next to the phrase.

use std::collections::BTreeSet;

use integration_tests::{Elasticsearch, Engine};
use openreplay_record::names_session;
use openreplay_session::SessionId;
use serde_json::{Value, json};

use crate::store;

/// A search returns so many hits at most.
const MOST_HITS: usize = 10_000;

#[test]
#[ignore = "needs Elasticsearch"]
fn a_message_names_the_sessions_that_elasticsearch_finds_in_it() {
    let engine = Elasticsearch::start();
    let messages: Vec<_> = characters().flat_map(around).chain(long()).collect();
    let id = SessionId::from(12);
    for (part, messages) in messages.chunks(MOST_HITS).enumerate() {
        let found = found(&engine, part, messages);
        assert!(!found.is_empty() && found.len() < messages.len());
        let differs = |nth: &usize| found.contains(nth) != names_session(&messages[*nth], &id);
        let differing = (0..messages.len()).filter(differs);
        let differing: Vec<_> = differing
            .map(|nth| messages[nth].escape_unicode().to_string())
            .collect();
        assert!(differing.is_empty(), "{differing:#?}");
    }
}

/// What stands in messages, but for the few characters that Elasticsearch's version of Unicode
/// knows otherwise.
fn characters() -> impl Iterator<Item = char> {
    const OTHERWISE: [char; 10] = [
        '\u{b8}', '\u{55a}', '\u{55f}', '\u{58a}', '\u{6dd}', '\u{3006}', '\u{309b}', '\u{309c}',
        '\u{30a0}', '\u{70f}',
    ];
    let ranges = [
        // Latin, Greek, Cyrillic, Armenian, Hebrew, Arabic
        0..0x2e5,
        0x300..0x600,
        0x606..0x870,
        // punctuation, signs, lone digits and letters
        0x2000..0x2388,
        0x3000..0x31bb,
        0xac00..0xad00,
        0xff00..0x1_0000,
        // faces
        0x1_f600..0x1_f650,
    ];
    let all = ranges.into_iter().flatten().filter_map(char::from_u32);
    all.filter(|char| !OTHERWISE.contains(char))
}

/// The character in every place where it could join or part words.
fn around(char: char) -> [String; 6] {
    [
        format!("openReplaySession.id=12{char}"),
        format!("openReplaySession.id=12{char}3"),
        format!("openReplaySession.id={char} 12"),
        format!("openReplaySession.id={char}12"),
        format!("{char}openReplaySession.id=12"),
        format!("x{char}openReplaySession.id=12"),
    ]
}

/// Words that reach the length at which the analyser splits them, or pass it.
fn long() -> impl Iterator<Item = String> {
    (200..270).flat_map(|length| {
        ["x", "é", "\u{10400}", "x.", "xx."].map(|piece| {
            let word: String = piece.chars().cycle().take(length).collect();
            format!("{word}openReplaySession.id=12")
        })
    })
}

/// Which of these messages Elasticsearch finds for the session 12.
fn found(engine: &Engine, part: usize, messages: &[String]) -> BTreeSet<usize> {
    let index = format!("words-{part}");
    let mapping = json!({"mappings": {"properties": {"message": {"type": "text"}}}});
    engine.ok("PUT", &format!("/{index}"), &mapping.to_string());
    let records = messages.iter().enumerate();
    let records: Vec<_> = records
        .map(|(nth, message)| json!({"nth": nth, "message": message}))
        .collect();
    store(engine, &index, &records);
    let query = json!({
        "size": MOST_HITS,
        "_source": ["nth"],
        "query": {"match_phrase": {"message": "openReplaySession.id=12"}},
    });
    let response = engine.ok("POST", &format!("/{index}/_search"), &query.to_string());
    let hits = response["hits"]["hits"].as_array().unwrap().iter();
    let nth = |hit: &Value| usize::try_from(hit["_source"]["nth"].as_u64().unwrap()).unwrap();
    hits.map(nth).collect()
}
