use std::fs;
use std::path::PathBuf;

use super::Auth;
use crate::transport::error::Error;

/// A file with an API key or with a user's password. It may be replaced at any time.
#[derive(Clone, Debug)]
pub(crate) struct AuthFile {
    path: PathBuf,
    user: Option<String>,
}

impl AuthFile {
    pub(super) fn api_key(path: PathBuf) -> Self {
        Self { path, user: None }
    }

    pub(super) fn password(user: String, path: PathBuf) -> Self {
        let user = Some(user);
        Self { path, user }
    }

    pub(crate) fn read(&self) -> Result<Auth, Error> {
        let path = self.path.display();
        let secret = fs::read_to_string(&self.path).map_err(|error| {
            Error::config(format!("{path} cannot be read: {error}")).with_source(error)
        })?;
        if secret.trim().is_empty() {
            return Err(Error::config(format!("{path} is empty")));
        }
        match &self.user {
            None => Auth::api_key(&secret),
            Some(user) => Auth::basic(user, secret.trim_end_matches(['\r', '\n'])),
        }
    }
}
