//! The commands that stand in the text, not in a block: each parses, and names what is there.
//!
//! Those of `docker` are not looked at: containers are untested, as examples/compose states.

use std::{fs, path::Path, process::Command};

use integration_tests::{CommandOutput, guide, openreplay_elastic};
use serde_json::Value;

use crate::{covered::visit, root};

/// The subcommands that the help lists.
fn subcommands() -> Vec<String> {
    let help = CommandOutput::of(openreplay_elastic().arg("--help")).out;
    let commands = help.split_once("\nCommands:\n").expect("commands").1;
    let lines = commands.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.split_whitespace().next());
    let names: Vec<_> = names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect();
    assert!(names.len() > 5, "{help}");
    names
}

#[test]
fn every_option_and_subcommand_in_the_text_is_one_of_the_programs() {
    let help =
        |subcommand: &str| CommandOutput::of(openreplay_elastic().args([subcommand, "--help"])).out;
    let subcommands = subcommands();
    let helps: Vec<_> = subcommands.iter().map(|name| help(name)).collect();
    let knows = |help: &str, option: &str| {
        let mut words = help.split_whitespace();
        words.any(|word| word.trim_end_matches(',') == option)
    };
    let mut checked = 0;
    for (page, span) in spans() {
        let words: Vec<_> = span
            .split([' ', '[', ']', '|', '\\'])
            .filter(|word| !word.is_empty())
            .collect();
        let output = match &words[..] {
            // the whole command, with a request for help at its end
            ["openreplay-elastic", rest @ ..] => {
                let output = CommandOutput::of(openreplay_elastic().args(rest).arg("--help"));
                assert_eq!(output.code, Some(0), "{page}: `{span}`: {output:?}");
                vec![output.out]
            }
            [subcommand, _, ..] if subcommands.iter().any(|name| name == subcommand) => {
                vec![help(subcommand)]
            }
            [option, ..] if option.starts_with("--") => helps.clone(),
            _ => continue,
        };
        checked += 1;
        for option in words.iter().filter(|word| word.starts_with("--")) {
            let known = output.iter().any(|help| knows(help, option));
            assert!(known, "{page}: `{span}`: no {option}");
        }
    }
    assert!(checked > 0, "no page has a command in its text");
}

#[test]
fn every_cargo_command_in_the_text_names_a_package_and_a_target_that_are_there() {
    let metadata = CommandOutput::of(
        Command::new(env!("CARGO"))
            .args(["metadata", "--no-deps", "--locked", "--format-version", "1"])
            .current_dir(root()),
    );
    let metadata = metadata.json();
    let packages = metadata["packages"].as_array().expect("packages");
    let package = |name: &str| packages.iter().find(|package| package["name"] == name);
    let has_target = |package: &Value, kind: &str, name: &str| {
        let targets = package["targets"].as_array().expect("targets");
        let mut targets = targets.iter();
        targets.any(|target| target["kind"][0] == kind && target["name"] == name)
    };
    let [install, ..]: [String; 10] =
        guide::commands("docs/elasticsearch.md", &[("CHECKOUT/", "")]);

    let mut checked = 0;
    for (page, span) in spans() {
        let words: Vec<_> = span.split(' ').collect();
        let here = format!("{page}: `{span}`");
        match words[..] {
            // the one that is run
            ["cargo", "install", _, _, ..] => {
                assert_eq!(span.replace("CHECKOUT/", ""), install.trim(), "{here}");
            }
            ["cargo", "install", name] => assert!(package(name).is_some(), "{here}"),
            ["cargo", "bench" | "run" | "test", "-p", name, ..] if name != "<crate>" => {
                let package = package(name).unwrap_or_else(|| panic!("{here}"));
                if let [_, _, _, _, kind, target, ..] = words[..]
                    && kind != "--"
                {
                    let kind = kind.trim_start_matches('-');
                    assert!(has_target(package, kind, target), "{here}");
                }
            }
            // what scripts/package tries, and then uploads nothing
            ["cargo", "publish", ..] => {
                let package = fs::read_to_string(root().join("scripts/package")).unwrap();
                let dry = span.replace("publish", "publish --dry-run");
                assert!(package.contains(&dry), "{here}");
            }
            // in a block as well, which another test checks; and a crate to fill in
            ["cargo", "test", "--workspace"] | ["cargo", "bench", "-p", "<crate>"] => {}
            ["cargo", _, ..] => panic!("{here}: nothing checks it"),
            _ => continue,
        }
        checked += 1;
    }
    assert!(checked > 0, "no page has a command of cargo in its text");
}

/// What stands between two backticks, outside of blocks, with its page.
fn spans() -> Vec<(String, String)> {
    let mut found = Vec::new();
    visit(Path::new(""), &mut |page| {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let outside = text.split("```").step_by(2);
        for paragraph in outside.flat_map(|text| text.split("\n\n")) {
            let spans = paragraph.split('`').skip(1).step_by(2);
            found.extend(spans.map(|span| (page.to_owned(), span.replace('\n', " "))));
        }
    });
    found
}
