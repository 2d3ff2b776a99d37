use bytes::Bytes;

/// The length of each `_id`.
pub(crate) const LENGTH: usize = 23;

const BEFORE_ID: &[u8] = br#"{"create":{"_id":""#;
const AFTER_ID: &[u8] = b"\"}}\n";

const ACTION: usize = BEFORE_ID.len() + LENGTH + AFTER_ID.len();

/// What a line grows by.
pub(crate) const OVERHEAD: usize = ACTION + 1;

/// The line before a document: create it, under an `_id`.
#[derive(Clone, Debug)]
pub(crate) struct Action([u8; ACTION]);

impl Action {
    pub(crate) fn new(id: [u8; LENGTH]) -> Self {
        let mut action = [0; ACTION];
        let (before, rest) = action.split_at_mut(BEFORE_ID.len());
        before.copy_from_slice(BEFORE_ID);
        rest[..LENGTH].copy_from_slice(&id);
        rest[LENGTH..].copy_from_slice(AFTER_ID);
        Self(action)
    }

    #[cfg(test)]
    pub(crate) fn id(&self) -> &[u8] {
        id(&self.0)
    }

    pub(crate) fn id_mut(&mut self) -> &mut [u8] {
        &mut self.0[BEFORE_ID.len()..][..LENGTH]
    }

    /// Writes a line, which has no line feed in it, as `_bulk` wants it.
    #[inline]
    pub(crate) fn frame(&self, out: &mut Vec<u8>, line: &[u8]) {
        out.reserve(line.len() + OVERHEAD);
        out.extend_from_slice(&self.0);
        out.extend_from_slice(line);
        out.push(b'\n');
    }
}

/// The document of one framed record.
pub(crate) fn document(record: &[u8]) -> &[u8] {
    let start = memchr::memchr(b'\n', record).map_or(record.len(), |at| at + 1);
    record[start..].strip_suffix(b"\n").unwrap_or_default()
}

/// The same record, under its `_id`, with another document.
pub(crate) fn with_document(record: &[u8], line: &[u8]) -> Vec<u8> {
    let action = memchr::memchr(b'\n', record).map_or(record.len(), |at| at + 1);
    [&record[..action], line, b"\n"].concat()
}

/// The `_id` of one framed record.
pub(crate) fn id(record: &[u8]) -> &[u8] {
    let rest = record.strip_prefix(BEFORE_ID).unwrap_or_default();
    &rest[..memchr::memchr(b'"', rest).unwrap_or(0)]
}

/// Cuts framed records apart: each is the slice of the body that holds its two lines.
pub(crate) fn records(body: &Bytes) -> impl Iterator<Item = Bytes> {
    let mut feeds = memchr::memchr_iter(b'\n', body);
    let mut start = 0;
    std::iter::from_fn(move || {
        feeds.next()?;
        let end = feeds.next()? + 1;
        let record = body.slice(start..end);
        start = end;
        Some(record)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bulk::Ids;

    proptest! {
        #[test]
        fn what_was_framed_is_cut_apart_again(texts in prop::collection::vec(".*", 0..20)) {
            let lines: Vec<Vec<u8>> = texts
                .iter()
                .map(|text| serde_json::to_vec(&serde_json::json!({ "message": text })).unwrap())
                .collect();
            let mut ids = Ids::new(7);
            let mut body = Vec::new();
            let mut made = Vec::new();
            for line in &lines {
                let before = body.len();
                let action = ids.next();
                made.push(action.id().to_vec());
                action.frame(&mut body, line);
                prop_assert_eq!(body.len() - before, line.len() + OVERHEAD);
            }
            let body = Bytes::from(body);
            let cut: Vec<Bytes> = records(&body).collect();
            prop_assert_eq!(cut.len(), lines.len());
            for ((record, line), made) in cut.iter().zip(&lines).zip(&made) {
                prop_assert_eq!(document(record), &line[..]);
                prop_assert_eq!(id(record), &made[..]);
                let other = with_document(record, b"{}");
                prop_assert_eq!((id(&other), document(&other)), (&made[..], &b"{}"[..]));
                let action: serde_json::Value = serde_json::from_slice(record.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
                prop_assert_eq!(action, serde_json::json!({"create": {"_id": String::from_utf8_lossy(made)}}));
            }
        }
    }
}
