//! The pages of the guide, and the blocks of code in them.

use std::fs;

pub use crate::engine::workspace;

/// A fenced block of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What stands behind the fence: `sh`, `rust,no_run`.
    pub language: String,
    /// The text of the heading above it.
    pub heading: String,
    /// Its lines, each ended, without the indentation of the fence.
    pub text: String,
}

/// The blocks of a page, from the top down; the page is named from the root of the repository.
///
/// # Panics
///
/// When there is no such page.
#[must_use]
pub fn blocks(page: &str) -> Vec<Block> {
    let text = fs::read_to_string(workspace().join(page))
        .unwrap_or_else(|error| panic!("{page}: {error}"));
    let mut heading = String::new();
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let bare = line.trim_start();
        let indentation = &line[..line.len() - bare.len()];
        if let Some(language) = bare.strip_prefix("```") {
            let inside = lines.by_ref().take_while(|line| line.trim() != "```");
            let text = inside
                .map(|line| line.strip_prefix(indentation).unwrap_or(line).to_owned() + "\n")
                .collect();
            blocks.push(Block {
                language: language.to_owned(),
                heading: heading.clone(),
                text,
            });
        } else if bare.starts_with('#') {
            bare.trim_start_matches('#').trim().clone_into(&mut heading);
        }
    }
    blocks
}

/// The commands of a page, a text for each of its `sh` blocks, with these words instead of the
/// page's.
///
/// # Panics
///
/// When there is no such page, or it lacks one of the words.
#[must_use]
#[track_caller]
pub fn commands<const N: usize>(page: &str, instead: &[(&str, &str)]) -> [String; N] {
    let blocks = blocks(page).into_iter();
    let mut commands: Vec<_> = blocks
        .filter(|block| block.language == "sh")
        .map(|block| block.text)
        .collect();
    for (word, other) in instead {
        assert!(
            commands.iter().any(|text| text.contains(word)),
            "{page} has no {word:?} any more"
        );
        for text in &mut commands {
            *text = text.replace(word, other);
        }
    }
    let count = commands.len();
    commands
        .try_into()
        .unwrap_or_else(|_| panic!("{page} has {count} blocks of commands, not {N}"))
}

/// The first block of a language below a heading.
///
/// # Panics
///
/// When there is none.
#[must_use]
#[track_caller]
pub fn block(page: &str, heading: &str, language: &str) -> String {
    let found = blocks(page)
        .into_iter()
        .find(|block| block.heading == heading && block.language == language);
    found
        .unwrap_or_else(|| panic!("{page} has no {language} below {heading:?}"))
        .text
}
