//! Help, the version, completions and man pages.

use super::{SUBCOMMANDS, run};

/// Words that start with two dashes in the README's table, by subcommand.
fn options_in_readme(subcommand: &str) -> Vec<String> {
    let readme = include_str!("../../README.md");
    let row = readme.lines().find_map(|line| {
        let form = line.strip_prefix("| `")?.strip_prefix(subcommand)?;
        (form.starts_with([' ', '`'])).then_some(form)
    });
    let row = row.unwrap_or_else(|| panic!("README.md has no row for {subcommand}"));
    let word = |c: char| c == '-' || c.is_ascii_lowercase();
    row.split(|c| !word(c))
        .filter(|word| word.starts_with("--"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn help_names_every_subcommand_exit_code_and_variable_of_the_readme() {
    let output = run(&["--help"]);
    assert_eq!((output.code, &output.err[..]), (Some(0), ""));
    for name in SUBCOMMANDS {
        assert!(
            output.out.contains(&format!("\n  {name} ")),
            "{name}: {}",
            output.out
        );
    }
    for code in 0..=8 {
        assert!(
            output.out.contains(&format!("\n  {code}  ")),
            "{code}: {}",
            output.out
        );
    }
    for text in ["overrides ELASTICSEARCH_USER", "5 seconds", "30 seconds"] {
        assert!(output.out.contains(text), "{text}: {}", output.out);
    }
    for name in ["URL", "API_KEY", "USER", "PASSWORD", "CLOUD_ID"] {
        assert!(
            output.out.contains(&format!("\n  ELASTICSEARCH_{name} ")),
            "{name}: {}",
            output.out
        );
    }
}

#[test]
fn the_version_names_the_command() {
    let version = concat!("openreplay-elastic ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(run(&["--version"]).out, version);
    let version = concat!("openreplay-elastic-ship ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(run(&["ship", "--version"]).out, version);
}

#[test]
fn completions_and_man_pages_name_every_subcommand() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = run(&["completions", shell]);
        assert_eq!((output.code, &output.err[..]), (Some(0), ""), "{shell}");
        for name in SUBCOMMANDS {
            assert!(output.out.contains(name), "{shell}: {name}");
        }
        assert!(output.out.contains("request-timeout"), "{shell}");
    }
    let whole = run(&["man"]);
    assert!(whole.out.contains(".TH openreplay-elastic 1"), "{whole:?}");
    for name in SUBCOMMANDS {
        let page = name.replace('-', "\\-");
        assert!(whole.out.contains(&page), "{name}: {}", whole.out);
        let output = run(&["man", name]);
        let title = format!(".TH openreplay-elastic-{name} 1");
        assert!(output.out.contains(&title), "{output:?}");
    }
    assert_eq!(run(&["man", "repair"]).code, Some(2));
}

#[test]
fn help_of_each_subcommand_names_the_options_of_the_readme() {
    let mut named = 0;
    for name in SUBCOMMANDS {
        let output = run(&[name, "--help"]);
        assert_eq!((output.code, &output.err[..]), (Some(0), ""), "{name}");
        for option in options_in_readme(name).iter().map(String::as_str).chain([
            "--url",
            "--ca-cert",
            "--json",
        ]) {
            assert!(
                output.out.contains(option),
                "{name} {option}: {}",
                output.out
            );
            named += 1;
        }
    }
    assert!(
        named > 3 * SUBCOMMANDS.len(),
        "the README's table names no option"
    );
}

#[test]
fn the_help_of_each_option_with_a_value_has_its_default() {
    for name in SUBCOMMANDS {
        let output = run(&[name, "--help"]);
        let options = output.out.split("Connection:").next().unwrap();
        for option in options.split("\n      --").skip(1) {
            let takes_value = option.lines().next().unwrap().contains('<');
            // its --file is there instead of Elasticsearch
            let has_none = name == "logs";
            let text = option.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                !takes_value
                    || has_none
                    || text.contains("[default: ")
                    || text.contains("[required]"),
                "{name} --{option}"
            );
        }
    }
}
