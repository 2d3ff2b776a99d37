//! The page's table of options: it has each option of `json()`, and what it names of other layers
//! is there.

use std::fs;

use integration_tests::{Lines, guide};
use tracing_subscriber::{
    Layer, Registry,
    fmt::{self, format::FmtSpan, time::SystemTime},
};

use crate::PAGE;

/// Each option that the table names of fmt's JSON.
fn of_fmt() -> impl Layer<Registry> {
    let layer = fmt::layer().json();
    let _ = fmt::layer::<Registry>().json().without_time();
    let _ = fmt::layer::<Registry>().json().with_test_writer();
    layer
        .with_writer(Lines::default())
        .log_internal_errors(true)
        .with_timer(SystemTime)
        .with_level(true)
        .with_target(true)
        .with_file(true)
        .with_line_number(true)
        .with_thread_names(true)
        .with_thread_ids(true)
        .with_span_list(true)
        .with_current_span(true)
        .with_span_events(FmtSpan::CLOSE)
        .flatten_event(false)
}

/// Each option that the table names of json-subscriber.
fn of_json_subscriber() -> impl Layer<Registry> {
    let _ = json_subscriber::layer::<Registry>().without_time();
    let mut layer = json_subscriber::layer()
        .with_writer(Lines::default())
        .log_internal_errors(true)
        .with_timer(SystemTime)
        .with_level(true)
        .with_target(true)
        .with_file(true)
        .with_line_number(true)
        .with_thread_names(true)
        .with_thread_ids(true)
        .with_span_list(true)
        .with_current_span(true)
        .flatten_event(false)
        .with_flat_span_list(false)
        .flatten_current_span_on_top_level(false);
    let inner = layer.inner_layer_mut();
    inner.add_static_field("service", "shop".into());
    inner.add_dynamic_field("seven", |_, _| Some(7));
    inner.add_from_span("name", |span| Some(span.name()));
    inner.serialize_extension::<String>("text");
    inner.with_flattened_event_with_renames(|name, ()| name, ());
    layer
}

#[test]
fn the_table_has_each_option_of_json_and_those_of_others_exist() {
    let (_, _) = (of_fmt(), of_json_subscriber());
    let [ours, of_fmt, of_json_subscriber] = columns();

    let source = guide::workspace().join("crates/tracing-openreplay/src/json/mod.rs");
    let source = fs::read_to_string(source).unwrap();
    let mut options: Vec<_> = source
        .split("pub fn ")
        .skip(1)
        .filter_map(|rest| rest.split(['<', '(']).next())
        .filter(|name| *name != "json")
        .collect();
    options.sort_unstable();
    assert_eq!(ours, options);

    let this = include_str!("options.rs");
    let (_, functions) = this.split_once("fn of_fmt()").unwrap();
    let (functions, _) = functions.split_once("#[test]").unwrap();
    let (first, second) = functions.split_once("fn of_json_subscriber()").unwrap();
    assert_eq!(of_fmt, calls(first));
    assert_eq!(of_json_subscriber, calls(second));
}

/// The options that each column names, sorted.
fn columns() -> [Vec<String>; 3] {
    let page = fs::read_to_string(guide::workspace().join(PAGE)).unwrap();
    let (_, section) = page.split_once("## Comparison of JSON layers").unwrap();
    let mut columns: [Vec<String>; 3] = Default::default();
    let rows = section.lines().filter(|line| line.starts_with("| "));
    for row in rows.skip(1) {
        let cells = row.split('|').skip(2);
        for (column, cell) in columns.iter_mut().zip(cells) {
            let names = cell.split('`').skip(1).step_by(2);
            column.extend(
                names
                    .filter(|name| name.contains('_') || *name == "losses")
                    .map(str::to_owned),
            );
        }
    }
    for column in &mut columns {
        column.sort_unstable();
        column.dedup();
    }
    columns
}

/// The options that a piece of this file sets, sorted.
fn calls(source: &str) -> Vec<String> {
    let named = source
        .split('.')
        .skip(1)
        .filter_map(|rest| rest.split(['(', ':', '<']).next());
    let mut calls: Vec<_> = named
        .filter(|name| name.contains('_') && *name != "inner_layer_mut")
        .map(str::to_owned)
        .collect();
    calls.sort_unstable();
    calls.dedup();
    calls
}
