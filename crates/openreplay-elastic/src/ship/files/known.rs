//! What is known from the checkpoint, and found again.

use std::io;
use std::path::Path;

use super::{Files, Places};
use crate::ship::folders::{Folders, Lookup};
use crate::ship::system::Seen;
use crate::ship::tail::Tail;

impl Files {
    /// A file that was not followed yet, from where it is known to be delivered.
    pub(super) fn opened(&mut self, path: &Path) -> io::Result<Tail> {
        let mut tail = Tail::open(path)?;
        for (at, known) in self.known.iter().enumerate() {
            if tail.continues(known)? {
                tail.resume(&self.known.swap_remove(at));
                break;
            }
        }
        Ok(tail)
    }

    /// Files that were renamed while no one was looking lie beside where they were; what is nowhere is forgotten.
    pub(super) fn look_for_known(&mut self, places: &mut Places, folders: &mut Folders) {
        let is_first = self.searched.is_none();
        for mut position in std::mem::take(&mut self.known) {
            let path = match folders.find(&position.path, position.identity.inode()) {
                Lookup::Nowhere => continue,
                Lookup::Unknown(_) => {
                    self.known.push(position);
                    continue;
                }
                Lookup::Found(path) => path,
            };
            let Ok(seen) = Seen::at(&path) else {
                self.known.push(position);
                continue;
            };
            if places.contains_key(&seen.node) {
                // which is followed as another file by now
                continue;
            }
            if !is_first {
                position.path = path;
                self.known.push(position);
                continue;
            }
            self.make_room(None);
            let opened = Tail::open(&path).and_then(|mut tail| {
                let continues = tail.continues(&position)?;
                tail.resume(&position);
                Ok(continues.then_some(tail))
            });
            match opened {
                Ok(Some(tail)) => {
                    places.insert(tail.node(), self.tails.len());
                    self.tails.push(tail);
                }
                Ok(None) => {}
                Err(error) => {
                    self.troubles.add(&path, &error);
                    self.known.push(position);
                }
            }
        }
    }
}
