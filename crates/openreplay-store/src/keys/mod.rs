//! API keys in Elasticsearch's format: an id and a secret, sent as `ApiKey base64(id:secret)`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use self::file::{Entry, FILE, Loaded, Secret, load, update, version};
use crate::error::{Error, Kind};
use crate::folder;

mod file;

/// Like Elasticsearch, it does not require padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const OPENREPLAY: &str = "openreplay";
const WRITER: &str = "writer";
/// The first two keys.
const FIRST: [(&str, Rights); 2] = [(OPENREPLAY, Rights::Read), (WRITER, Rights::Write)];
/// How long a key that was removed from the file can still be used.
const COMPARE: Duration = Duration::from_secs(1);

/// The permissions of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rights {
    /// Permits searching only, for OpenReplay.
    Read,
    /// Permits adding records only, for apps.
    Write,
    /// Permits searching and adding records.
    ReadWrite,
}

impl Rights {
    /// Returns whether these rights include others.
    pub(crate) fn include(self, needed: Self) -> bool {
        self == Self::ReadWrite || self == needed
    }
}

/// An API key with its secret.
///
/// Only new keys and the first two keys have their secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// The id, which OpenReplay's form calls "API Key ID".
    pub id: String,
    /// The secret, which OpenReplay's form calls "API Key".
    pub api_key: String,
}

impl Key {
    /// Returns the id and the secret in base64, for `ELASTICSEARCH_API_KEY` and the header
    /// `Authorization`.
    #[must_use]
    pub fn encoded(&self) -> String {
        STANDARD.encode(format!("{}:{}", self.id, self.api_key))
    }
}

/// Shows only the id.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The API keys of a store. Clones refer to the same keys.
///
/// The keys are stored in the file `keys.json`, which only its owner can read. For the first two
/// keys, of OpenReplay and of the first app, the file contains the secret, so that it can be shown
/// again. For all other keys, it contains a hash.
///
/// To revoke a key, remove its entry from the file. A running server rejects the key within a
/// second. If the entry of one of the first two keys is missing, [`open`](Keys::open) creates a new
/// key.
#[derive(Clone, Debug)]
pub struct Keys {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// The file of the keys, or `None` if no key is required.
    path: Option<PathBuf>,
    file: RwLock<Loaded>,
    /// When the file was last compared with its version in memory.
    compared: Mutex<Instant>,
}

impl Keys {
    /// Opens the keys of the store in a folder, and creates the first two keys if there are none.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder or its `keys.json` cannot be used.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = folder.as_ref();
        folder::create(folder)?;
        let path = folder.join(FILE);
        let mut loaded = load(&path)?;
        if !has_first(&loaded.keys) {
            loaded = update(&path, add_first)?;
        }
        Ok(Self {
            inner: Arc::new(Inner {
                path: Some(path),
                file: RwLock::new(loaded),
                compared: Mutex::new(Instant::now()),
            }),
        })
    }

    /// Requires no key: any client that can connect can search and add records.
    ///
    /// Only use this for addresses that no other machine or user can reach. Because web pages in a
    /// browser on this machine can connect, too, the host of a request must be `localhost` or a
    /// loopback address, and records must be sent as JSON (`Content-Type`).
    #[must_use]
    pub fn none() -> Self {
        Self {
            inner: Arc::new(Inner {
                path: None,
                file: RwLock::default(),
                compared: Mutex::new(Instant::now()),
            }),
        }
    }

    /// Returns the key for OpenReplay's form, or `None` if no key is required.
    #[must_use]
    pub fn openreplay(&self) -> Option<Key> {
        self.shown(OPENREPLAY)
    }

    /// Returns the key of the first app, or `None` if no key is required.
    #[must_use]
    pub fn writer(&self) -> Option<Key> {
        self.shown(WRITER)
    }

    /// Creates another key, whose secret cannot be shown again.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written, or if no key is required.
    pub fn create(&self, name: &str, rights: Rights) -> Result<Key, Error> {
        let Some(path) = &self.inner.path else {
            return Err(Error::new(
                Kind::Io,
                "this store was opened without keys, so no key can be created",
            ));
        };
        let key = new_key()?;
        let loaded = update(path, |keys| {
            keys.push(Entry {
                id: key.id.clone(),
                name: name.to_owned(),
                rights: rights.into(),
                secret: Secret::Sha256(hash(&key.api_key)),
            });
            Ok(())
        })?;
        self.replace(loaded);
        Ok(key)
    }

    pub(crate) fn are_required(&self) -> bool {
        self.inner.path.is_some()
    }

    /// Returns the rights of this `Authorization` header, or `None` if it is missing or wrong.
    pub(crate) fn rights(&self, authorization: Option<&[u8]>) -> Option<Rights> {
        let Some(path) = &self.inner.path else {
            return Some(Rights::ReadWrite);
        };
        let (id, secret) = credentials(authorization?)?;
        if self.is_due() {
            self.reread(path);
        }
        self.check(&id, &secret).or_else(|| {
            // another process may have created it just now
            self.reread(path);
            self.check(&id, &secret)
        })
    }

    /// Returns whether the file was not compared for a while: a key may have been removed.
    fn is_due(&self) -> bool {
        let compared = self.inner.compared.lock();
        let mut compared = compared.unwrap_or_else(PoisonError::into_inner);
        let is_due = compared.elapsed() >= COMPARE;
        if is_due {
            *compared = Instant::now();
        }
        is_due
    }

    /// Loads the file again if it was changed. If it cannot be read, the keys stay as they are.
    fn reread(&self, path: &Path) {
        if self.loaded().version != version(path)
            && let Ok(loaded) = load(path)
        {
            self.replace(loaded);
        }
    }

    fn loaded(&self) -> RwLockReadGuard<'_, Loaded> {
        let file = self.inner.file.read();
        file.unwrap_or_else(PoisonError::into_inner)
    }

    fn replace(&self, loaded: Loaded) {
        let file = self.inner.file.write();
        *file.unwrap_or_else(PoisonError::into_inner) = loaded;
    }

    fn check(&self, id: &str, secret: &str) -> Option<Rights> {
        let file = self.loaded();
        let entry = file.keys.iter().find(|entry| entry.id == id)?;
        let expected = match &entry.secret {
            Secret::ApiKey(api_key) => hash(api_key),
            Secret::Sha256(hash) => hash.clone(),
        };
        let is_right: bool = hash(secret).as_bytes().ct_eq(expected.as_bytes()).into();
        is_right.then(|| entry.rights.get()).flatten()
    }

    fn shown(&self, name: &str) -> Option<Key> {
        let file = self.loaded();
        file.keys.iter().find_map(|entry| match &entry.secret {
            Secret::ApiKey(api_key) if entry.name == name => Some(Key {
                id: entry.id.clone(),
                api_key: api_key.clone(),
            }),
            _ => None,
        })
    }
}

fn has(keys: &[Entry], name: &str) -> bool {
    keys.iter().any(|entry| entry.name == name)
}

fn has_first(keys: &[Entry]) -> bool {
    FIRST.iter().all(|(name, _)| has(keys, name))
}

/// Adds those of the first two keys that are missing.
fn add_first(keys: &mut Vec<Entry>) -> Result<(), Error> {
    for (name, rights) in FIRST {
        if !has(keys, name) {
            let key = new_key()?;
            keys.push(Entry {
                id: key.id,
                name: name.to_owned(),
                rights: rights.into(),
                secret: Secret::ApiKey(key.api_key),
            });
        }
    }
    Ok(())
}

/// Returns the id and the secret in the value of the header.
///
/// As in Elasticsearch, the scheme is case-insensitive: OpenReplay's Go client sends `APIKey`.
/// Shippers without an option for API keys send the id and the secret as user and password.
fn credentials(authorization: &[u8]) -> Option<(String, String)> {
    let text = str::from_utf8(authorization).ok()?;
    let (scheme, encoded) = text.trim().split_once(' ')?;
    let is_known = |known| scheme.eq_ignore_ascii_case(known);
    if !is_known("apikey") && !is_known("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn hash(secret: &str) -> String {
    let digest = Sha256::digest(secret.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Creates a key of the same length as Elasticsearch's: an id of 20 characters, and a secret of 22.
fn new_key() -> Result<Key, Error> {
    let mut bytes = [0; 31];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(Kind::Io, "the system has no random numbers for a key").with_source(error)
    })?;
    let (id, secret) = bytes.split_at(15);
    let encode = |bytes| URL_SAFE_NO_PAD.encode(bytes);
    Ok(Key {
        id: encode(id),
        api_key: encode(secret),
    })
}

#[cfg(test)]
mod tests;
