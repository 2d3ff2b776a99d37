//! The whole way of a newcomer: docs/quick-start.md, then docs/elasticsearch.md, each from the top
//! down.

use std::{fs, path::Path};

use integration_tests::{Elasticsearch, Terminal, engine::PASSWORD, guide};

use crate::{SESSION, quick_start::QuickStart, root, soon};

const PAGE: &str = "docs/elasticsearch.md";

#[test]
#[ignore = "needs Chromium, nginx and Elasticsearch"]
fn the_guide_leads_from_nothing_to_the_row_of_a_click() {
    let quick_start = QuickStart::new();
    let folder = quick_start.folder();
    let engine = Elasticsearch::start();
    let checkout = root();
    let password = format!("ELASTICSEARCH_PASSWORD={PASSWORD}");
    let instead = [
        ("https://elastic.example.com:9200", engine.url()),
        ("ELASTICSEARCH_PASSWORD=…", &password),
        ("CHECKOUT", checkout.to_str().unwrap()),
        ("~/quick-start", folder.to_str().unwrap()),
        ("$HOME/quick-start", folder.to_str().unwrap()),
    ];
    let [
        install,
        tell,
        setup,
        api_key,
        check,
        writer,
        run,
        ship,
        rows,
        rotate,
    ] = guide::commands(PAGE, &instead);

    let mut terminal = quick_start.terminal();
    quick_start.init(&mut terminal);
    quick_start.serve(&mut terminal);
    install_it(&mut terminal, &install, &folder);
    terminal.ok(&tell);
    terminal.ok(&setup);
    let printed = terminal.ok(&api_key);
    let fields = printed.lines().map(|line| line[2..14].trim_end());
    assert_eq!(
        fields.take(4).collect::<Vec<_>>(),
        ["URL", "API Key ID", "API Key", "Indexes"]
    );
    terminal.ok(&check.replace('…', key(&printed)));
    let printed = terminal.ok(&writer);
    quick_start.run(&mut terminal, &run);
    terminal.start(&ship.replace('…', key(&printed)));

    quick_start.click();
    let rows_now = soon(&mut terminal, &rows).out;
    let row = format!("[openReplaySession.id={SESSION}] Endpoint accessed\n");
    assert!(rows_now.contains(&row), "{rows_now}");
    terminal.ok(&rotate);
    assert_eq!(terminal.ok(&rows), rows_now);
}

#[test]
fn the_container_that_the_page_names_is_there_with_its_address_and_password() {
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    let compose = fs::read_to_string(root().join("examples/compose/compose.yaml")).unwrap();
    for (shown, there) in [
        (
            "`docker compose up --detach --wait elasticsearch`",
            "\n  elasticsearch:\n",
        ),
        ("`http://localhost:9200`", "\"127.0.0.1:9200:9200\""),
        (
            "`only-for-trying-it-out`",
            "${ELASTIC_PASSWORD:-only-for-trying-it-out}",
        ),
    ] {
        assert!(page.contains(shown), "{shown}");
        assert!(compose.contains(there), "{there}");
    }
}

/// Installs the command below this folder, of what is built already, and lets it come first on the
/// path.
fn install_it(terminal: &mut Terminal, line: &str, folder: &Path) {
    terminal.ok(&format!(
        "(cd {} && CARGO_INSTALL_ROOT={} {} --debug)",
        root().canonicalize().unwrap().display(),
        folder.display(),
        line.trim()
    ));
    let programs = folder.join("bin");
    terminal.ok(&format!("export PATH={}:$PATH", programs.display()));
    let found = terminal.ok("command -v openreplay-elastic");
    assert_eq!(Path::new(found.trim()), programs.join("openreplay-elastic"));
}

/// What stands behind `ELASTICSEARCH_API_KEY=`.
fn key(printed: &str) -> &str {
    let (_, key) = printed.split_once("ELASTICSEARCH_API_KEY=").expect("a key");
    key.split_whitespace().next().expect("a key")
}
