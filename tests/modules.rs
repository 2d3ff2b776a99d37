//! The modules of a crate import each other in one direction only. A child may use its parent.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The names that lead to a module, from the root of its crate.
type Module = Vec<String>;
/// The text of each module.
type Modules = BTreeMap<Module, String>;

#[test]
fn the_modules_of_a_crate_import_each_other_in_one_direction() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let (mut circles, mut seen) = (Vec::new(), 0);
    for entry in fs::read_dir(crates).expect("a folder can be read") {
        let folder = entry.expect("an entry can be read").path().join("src");
        let mut modules = Modules::new();
        read(&folder, &[], &mut modules);
        let used = modules
            .keys()
            .map(|module| (module, used_by(module, &modules)));
        let mut used: BTreeMap<_, _> = used.collect();
        seen += used.values().map(BTreeSet::len).sum::<usize>();
        // A module that uses no other is in no circle. The remaining ones are in one, or use one.
        while let Some((&module, _)) = used.iter().find(|(_, used)| used.is_empty()) {
            used.remove(module);
            used.values_mut().for_each(|used| _ = used.remove(module));
        }
        circles.extend(
            used.iter()
                .map(|row| format!("{}: {row:?}", folder.display())),
        );
    }
    assert!(circles.is_empty(), "{circles:#?}");
    assert!(seen > 500, "only {seen} imports were read");
}

fn read(folder: &Path, parent: &[String], modules: &mut Modules) {
    for entry in fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("an entry can be read").path();
        let mut module = parent.to_vec();
        match &*path.file_stem().unwrap_or_default().to_string_lossy() {
            "tests" => continue,
            "lib" | "main" | "mod" => {}
            name => module.push(name.to_owned()),
        }
        if path.is_dir() {
            read(&path, &module, modules);
        } else {
            modules.insert(
                module,
                fs::read_to_string(&path).expect("a file can be read"),
            );
        }
    }
}

/// Returns the modules that a module imports from, without those that it is in.
fn used_by<'a>(module: &[String], modules: &'a Modules) -> BTreeSet<&'a Module> {
    let declarations = modules[module].split(';').filter_map(|text| {
        let (before, tree) = text.rsplit_once("use ")?;
        let visibility = before.rsplit('\n').next()?;
        // A declaration that is indented belongs to an inline module.
        (visibility.is_empty() || visibility.starts_with("pub")).then_some(tree)
    });
    declarations
        .flat_map(paths)
        .filter_map(|path| {
            let path = absolute(&path, module)?;
            let known = |length| modules.get_key_value(&path[..length]);
            (1..=path.len()).rev().find_map(known)
        })
        .map(|(used, _)| used)
        .filter(|used| !module.starts_with(used))
        .collect()
}

/// Takes a tree such as `a::{b, c::{self, d}}` apart.
fn paths(tree: &str) -> Vec<String> {
    let Some((start, branches)) = tree.split_once('{') else {
        return vec![tree.trim().to_owned()];
    };
    let branches = branches.trim_end().strip_suffix('}').unwrap_or(branches);
    let mut depth = 0;
    let is_end = |letter| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        letter == ',' && depth == 0
    };
    let branches = branches.split(is_end).map(str::trim);
    let branches = branches.filter(|branch| !branch.is_empty()).flat_map(paths);
    branches
        .map(|branch| [start.trim(), &branch].concat())
        .collect()
}

/// Returns `None` for an import from another crate.
fn absolute(import: &str, module: &[String]) -> Option<Module> {
    let mut path = module.to_vec();
    for (position, name) in import.split("::").enumerate() {
        match name {
            "crate" => path.clear(),
            "super" => _ = path.pop(),
            "self" => {}
            _ if position == 0 => return None,
            _ => path.push(name.to_owned()),
        }
    }
    Some(path)
}
