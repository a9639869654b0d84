//! The floors of the library: what a module imports lies below it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Modules from the ground up; those of one floor know nothing of each other.
const FLOORS: [&[&str]; 16] = [
    &["bits", "error", "fixed", "hash", "map", "reject", "unnamed"],
    &["article"],
    &["fields"],
    &["profile"],
    &["text"],
    &["shingle"],
    &["sketch"],
    &["lsh"],
    &["verify"],
    &["cluster"],
    &["audit", "calibrate", "eval", "index", "input", "plan"],
    &["engine"],
    // Answers are written as the engine gives them.
    &["output"],
    &["report"],
    // Slow twins.
    &["tests"],
    &["fuzzing"],
];

/// What the root names again, and where it lies.
const NAMED_AGAIN: [(&str, &str); 9] = [
    ("Article", "article"),
    ("ArticleId", "article"),
    ("Timestamp", "article"),
    ("Clustering", "engine"),
    ("Engine", "engine"),
    ("Index", "engine"),
    ("Error", "error"),
    ("Result", "error"),
    ("Profile", "profile"),
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

/// The code of a file: without comments, and without the unit tests at its end, which may look anywhere.
fn code(text: &str) -> String {
    let end = text.find("\nmod tests {").unwrap_or(text.len());
    text[..end].lines().map(|line| line.split("//").next().unwrap_or(line)).flat_map(|line| [line, "\n"]).collect()
}

/// The name that a path begins with.
fn first_name(path: &str) -> &str {
    let path = path.trim_start();
    &path[..path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len())]
}

/// The names that follow `root` in code: `root::name`, `root::{name::…, name}`.
fn names_under<'a>(code: &'a str, root: &str) -> Vec<&'a str> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices(root) {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let Some(list) = code[at + root.len()..].strip_prefix('{') else {
            names.push(first_name(&code[at + root.len()..]));
            continue;
        };
        let mut depth = 0;
        let mut start = 0;
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    names.extend(Some(first_name(&list[start..at])).filter(|name| !name.is_empty()));
                    start = at + 1;
                    if c == '}' {
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    names
}

/// The modules that a file of `module` imports. At the top of a module `super` is the root.
fn imports(code: &str, is_top: bool) -> Vec<&str> {
    let mut names = names_under(code, "crate::");
    if is_top {
        names.extend(names_under(code, "super::").into_iter().filter(|name| floor(name).is_some()));
    }
    names
}

/// What is wrong with the imports of a file of `module`.
fn faults(module: &str, text: &str, is_top: bool) -> Vec<String> {
    let Some(own) = floor(module) else { return vec![format!("{module} lies on no floor")] };
    let code = code(text);
    let mut faults = Vec::new();
    for name in imports(&code, is_top) {
        let named_again = NAMED_AGAIN.iter().find(|(known, _)| *known == name);
        let imported = named_again.map_or(name, |(_, module)| module);
        let is_below = match floor(imported) {
            _ if imported == module => true,
            // A macro of another module's stands at the root.
            None => code.contains(&format!("crate::{name}!")),
            Some(floor) => floor < own,
        };
        if !is_below {
            faults.push(format!("{module} imports {imported}"));
        }
    }
    faults
}

/// The library's files with their modules, and whether each is the top of its module.
fn files() -> Vec<(String, bool, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the source is in the tree") {
            let path = entry.expect("an entry").path();
            let inner = path.strip_prefix(&root).expect("it lies in it");
            let names: Vec<&str> = inner.iter().map(|name| name.to_str().expect("a name in UTF-8")).collect();
            let is_code = path.extension().is_some_and(|extension| extension == "rs");
            match names[..] {
                ["bin" | "tests", ..] | ["lib.rs"] => {}
                _ if path.is_dir() => folders.push(path.clone()),
                // Unit tests that have a file of their own.
                [.., "tests.rs"] => {}
                [first, ref rest @ ..] if is_code => {
                    let is_top = matches!(rest, [] | ["mod.rs"]);
                    files.push((first.trim_end_matches(".rs").to_string(), is_top, path.clone()));
                }
                _ => {}
            }
        }
    }
    files
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("the source is in UTF-8")
}

#[test]
fn imports_run_downward_only() {
    let files = files();
    let modules: BTreeSet<&str> = files.iter().map(|(module, ..)| module.as_str()).collect();
    let listed: BTreeSet<&str> = FLOORS.concat().into_iter().filter(|module| *module != "tests").collect();
    assert_eq!(modules, listed);
    let mut num_imports = 0;
    for (module, is_top, path) in &files {
        let text = read(path);
        num_imports += imports(&code(&text), *is_top).len();
        assert_eq!(faults(module, &text, *is_top), Vec::<String>::new(), "{}", path.display());
    }
    assert!(num_imports > 200, "{num_imports} imports were found");
}

#[test]
fn the_engine_is_the_only_user_of_rayon() {
    let users: BTreeSet<String> = files()
        .into_iter()
        .filter(|(.., path)| code(&read(path)).contains("rayon"))
        .map(|(module, ..)| module)
        .collect();
    assert_eq!(users, BTreeSet::from(["engine".to_string()]));
}

#[test]
fn an_upward_import_is_found() {
    for (module, text) in [
        ("sketch", "use crate::engine::Engine;"),
        ("sketch", "use crate::{hash::mix64, engine::Engine};"),
        ("sketch", "use crate::{\n    hash::{mix64, combine},\n    Engine,\n};"),
        ("sketch", "fn run() -> crate::Result<crate::verify::Verdict> {}"),
        ("sketch", "use super::lsh::Bands;"),
        ("input", "use crate::plan::Plan;"),
        ("text", "use crate::telepathy::Mind;"),
        ("telepathy", ""),
    ] {
        assert_eq!(faults(module, text, true).len(), 1, "{module}: {text}");
    }
    for (module, text) in [
        ("sketch", "use crate::{Profile, hash::{mix64, HashMap}};"),
        ("sketch", "use crate::sketch::Record; // not crate::engine"),
        ("sketch", "/// As [`crate::engine::Engine`] has it.\nuse super::record::Record;"),
        ("sketch", "#[cfg(test)]\nmod tests {\n    use crate::engine::Engine;\n}"),
        ("engine", "use crate::lsh::Bands;"),
    ] {
        assert_eq!(faults(module, text, true), Vec::<String>::new(), "{module}: {text}");
    }
}
