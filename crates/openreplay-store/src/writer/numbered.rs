use openreplay_buffer::Framing;

const DIGITS: usize = 16;

/// Prefixes each line with a counter, so that stored records keep the order of the log calls:
/// warnings and errors are stored ahead of the rest.
#[derive(Debug, Default)]
pub(super) struct Numbered {
    next: u64,
}

impl Framing for Numbered {
    const OVERHEAD: usize = DIGITS + 1;

    fn frame(&mut self, out: &mut Vec<u8>, line: &[u8]) {
        let mut digits = [0; DIGITS];
        for (at, digit) in digits.iter_mut().enumerate() {
            let nibble = self.next >> (4 * (DIGITS - 1 - at)) & 15;
            *digit = b"0123456789abcdef"[nibble as usize];
        }
        self.next += 1;
        out.extend_from_slice(&digits);
        out.extend_from_slice(line);
        out.push(b'\n');
    }
}

/// The numbers and lines of a chunk.
pub(super) fn lines(chunk: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    let framed = chunk.split_inclusive(|byte| *byte == b'\n');
    framed.filter_map(|line| {
        let (number, line) = line.split_at_checked(DIGITS)?;
        Some((str::from_utf8(number).ok()?, line.strip_suffix(b"\n")?))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_come_back_with_numbers_that_sort(texts in prop::collection::vec("[^\n]{0,20}", 0..20)) {
            let mut framing = Numbered { next: 250 };
            let mut chunk = Vec::new();
            for text in &texts {
                framing.frame(&mut chunk, text.as_bytes());
            }
            let found: Vec<_> = lines(&chunk).collect();
            let length: usize = texts.iter().map(|text| text.len() + Numbered::OVERHEAD).sum();
            prop_assert_eq!(chunk.len(), length);
            prop_assert!(found.is_sorted_by(|one, other| one.0 < other.0));
            let lines: Vec<_> = found.iter().map(|(_, line)| line.to_vec()).collect();
            let expected: Vec<_> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
            prop_assert_eq!(lines, expected);
        }
    }
}
