//! Requests that OpenReplay does not send: if one is rejected, the rest of the examination goes on.

use http::StatusCode;

use super::Report;
use crate::transport::error::Error;
use crate::transport::kind::ErrorKind;

impl Report {
    /// Returns the outcome of a request about `what`. A rejected request is noted in the report
    /// instead; an error that OpenReplay's own request would meet as well is returned.
    pub(super) fn optional<T>(
        &mut self,
        what: &str,
        outcome: Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let error = match outcome {
            Ok(response) => return Ok(Some(response)),
            Err(error) => error,
        };
        let note = match error.kind() {
            // Elasticsearch itself reports that these credentials do not suffice, and OpenReplay's
            // need not
            ErrorKind::Status(StatusCode::FORBIDDEN) if error.reason().is_some() => what.to_owned(),
            ErrorKind::Status(StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS) => {
                return Err(error);
            }
            ErrorKind::Status(status) if status.is_server_error() => return Err(error),
            ErrorKind::Status(_) | ErrorKind::UnexpectedResponse => {
                self.rejected.push(format!("{what} ({})", error.text()));
                return Ok(None);
            }
            _ => return Err(error),
        };
        if !self.unexamined.contains(&note) {
            self.unexamined.push(note);
        }
        Ok(None)
    }
}
