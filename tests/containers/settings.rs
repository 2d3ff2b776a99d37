//! The untested shippers: no setting on the page but those that were looked up, and where.

use std::collections::BTreeSet;

use integration_tests::guide;

use super::PAGE;

/// docs/reference/filebeat of elastic/beats, main of 2026: `filebeat-input-filestream`,
/// `filebeat-input-container`.
const FILEBEAT: [&str; 9] = [
    "container",
    "filebeat.inputs",
    "id",
    "ndjson",
    "overwrite_keys",
    "parsers",
    "paths",
    "prospector.scanner.symlinks",
    "target",
];

/// fluent/fluent-bit, 5.1.1: `plugins/in_tail/tail.c`, `src/multiline/flb_ml_parser_cri.c`,
/// `plugins/filter_parser/filter_parser.c`.
const FLUENT_BIT: [&str; 8] = [
    "[filter]",
    "[input]",
    "buffer_max_size",
    "key_name",
    "match",
    "multiline.parser",
    "name",
    "parser",
];

/// vectordotdev/vector, 0.58.0: `src/sources/kubernetes_logs/mod.rs`, `src/transforms/remap.rs`;
/// the names of the parts are the page's.
const VECTOR: [&str; 7] = [
    "extra_field_selector",
    "inputs",
    "record",
    "shop",
    "source",
    "sources",
    "transforms",
];

#[test]
fn every_setting_of_the_untested_shippers_was_looked_up() {
    for (heading, language, known) in [
        ("Filebeat in Kubernetes", "yaml", &FILEBEAT[..]),
        ("Fluent Bit in Kubernetes", "ini", &FLUENT_BIT),
        ("Vector in Kubernetes", "yaml", &VECTOR),
    ] {
        let block = guide::block(PAGE, heading, language);
        let lines = block.lines().map(str::trim).filter(|line| !line.is_empty());
        let shown: BTreeSet<_> = lines
            .map(|line| {
                let line = line.trim_start_matches("- ");
                let end = line.find([':', ' ']).unwrap_or(line.len());
                line[..end].to_ascii_lowercase()
            })
            .filter(|name| !matches!(name.as_str(), "type" | "path"))
            .collect();
        let known: BTreeSet<_> = known.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(shown, known, "{heading}");
    }
}
