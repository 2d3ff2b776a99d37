//! What a compressed file has and others lack.

use std::collections::HashMap;

use super::read::LongLine;
use super::{Comparison, Ending, Origin, Tail};
use crate::ship::content::Content;

#[derive(Debug)]
pub(super) struct Compressed {
    origin: Origin,
    /// What the file was found not to be a copy of, by seed, until it changes.
    compared: HashMap<u64, Comparison>,
    /// Why the text ends at `length`; `None` if that is not known.
    pub(super) ending: Option<Ending>,
    /// The line that a reading stopped within.
    pub(super) long: Option<LongLine>,
}

impl Default for Compressed {
    fn default() -> Self {
        Self {
            origin: Origin::Unsettled,
            compared: HashMap::new(),
            ending: None,
            long: None,
        }
    }
}

impl Compressed {
    /// Drops what is known of the text, because the file changed.
    pub(super) fn check_again(&mut self) {
        self.compared.clear();
        self.ending = None;
    }
}

impl Tail {
    pub(in crate::ship) fn is_compressed(&self) -> bool {
        self.compressed.is_some()
    }

    pub(in crate::ship) fn origin(&self) -> Origin {
        let compressed = self.compressed.as_ref();
        compressed.map_or(Origin::Own, |compressed| compressed.origin)
    }

    /// Sets the origin of a compressed file.
    pub(in crate::ship) fn set_origin(&mut self, origin: Origin) {
        let Some(compressed) = &mut self.compressed else {
            return;
        };
        compressed.origin = origin;
        if origin == Origin::Own {
            compressed.compared = HashMap::new();
        }
    }

    pub(super) fn ending(&self) -> Option<&Ending> {
        self.compressed.as_ref()?.ending.as_ref()
    }

    /// Returns whether all readable text of a compressed file is delivered.
    pub(in crate::ship) fn is_finished(&self) -> bool {
        self.ending().is_some() && !self.has_more() && !self.is_in_flight()
    }

    pub(super) fn is_all_delivered(&self) -> bool {
        self.ending() == Some(&Ending::Complete) && self.offset() >= self.length
    }

    /// Frees the memory for decompression.
    pub(in crate::ship) fn release(&mut self) {
        if let Some(compressed) = &mut self.compressed {
            compressed.long = None;
        }
        if let Some(content) = &self.content {
            content.release();
        }
    }

    /// Returns what is wrong with the compressed data, and whether that is certain.
    pub(in crate::ship) fn damage(&self) -> Option<(String, bool)> {
        let (length, ending) = match self.ending() {
            Some(ending) => (self.length, ending.clone()),
            None => self.content.as_ref().and_then(Content::ending)?,
        };
        let (what, is_certain) = ending.damage()?;
        let text = format!(
            "{what}; the {length} bytes of text before that are delivered up to the last whole line"
        );
        Some((text, is_certain))
    }

    /// Returns the stored result of a comparison with the file that has this seed. A comparison
    /// decompresses the text, so it is not repeated after each batch.
    pub(in crate::ship) fn compared(&self, seed: u64) -> Option<Comparison> {
        self.compressed.as_ref()?.compared.get(&seed).copied()
    }

    pub(in crate::ship) fn note_comparison(&mut self, seed: u64, result: Comparison) {
        if let Some(compressed) = &mut self.compressed
            && result.is_final()
        {
            compressed.compared.insert(seed, result);
        }
    }
}
