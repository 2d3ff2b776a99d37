use std::fs;

use super::*;
use crate::ship::hash::HASH;

#[test]
fn a_name_that_leads_to_a_followed_file_by_now_is_another_name_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["app.log", "app.log.1"].map(|name| folder.path().join(name));
    fs::write(&paths[0], "{\"n\":1}\n").unwrap();
    fs::write(&paths[1], "{\"n\":0}\n").unwrap();
    let mut files = Files::new(&[], Vec::new(), HASH).unwrap();
    let mut places = Places::new();
    let at = files.open(&paths[0], &mut places).unwrap();
    // between the look at the second name and its opening
    fs::rename(&paths[0], &paths[1]).unwrap();
    assert_eq!(files.open(&paths[1], &mut places).unwrap(), at);
    assert_eq!((files.tails.len(), &files.tails[at].path), (1, &paths[1]));
}
