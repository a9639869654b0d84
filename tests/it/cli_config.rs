//! `--config` and `--print-config`: defaults for options, from a file that is named.

use crate::support::{Folder, family, rows};
use serde_json::json;

/// A feed with other names for its fields, and a file that says so.
fn folder() -> Folder {
    let lines: Vec<String> = rows(&family().join("\n"))
        .iter()
        .map(|row| json!({"guid": row["id"], "story": row["text"]}).to_string())
        .collect();
    let names = "# how the agency names things\nid-field = \"guid\"\ntext-field = \"story\"\nthreads = 1\n";
    Folder::with_feed(&lines).write("conf/agency.toml", names)
}

#[test]
fn a_file_stands_for_options() {
    let folder = folder();
    let options = "--id-field guid --text-field story";
    let stated = folder.done(&format!("cluster feed.jsonl -o - {options}")).stdout;
    assert_eq!(folder.done("cluster feed.jsonl -o - --config conf/agency.toml").stdout, stated);
    assert_eq!(folder.done("--config=conf/agency.toml cluster feed.jsonl -o -").stdout, stated);
    // For every command that has the option.
    let ran = folder.run("compare korea-exports/light korea-exports/base --feed feed.jsonl --config conf/agency.toml");
    assert_eq!(ran.code, 0, "{ran}");
    folder.done("eval feed.jsonl feed.jsonl --help --config conf/agency.toml");
}

#[test]
fn the_command_line_wins() {
    let folder = folder().write("near.toml", "level = \"exact\"\nid-field = \"guid\"\ntext-field = \"story\"\n");
    let of = |args: &str| folder.done(&format!("cluster feed.jsonl -o - --config {args}")).stdout;
    assert_ne!(of("near.toml"), of("conf/agency.toml"));
    assert_eq!(of("near.toml --level rewrite"), of("conf/agency.toml"));
}

#[test]
fn commands_of_the_index_take_it_too() {
    let folder = folder().write("near.toml", "level = \"near\"\nid-field = \"guid\"\ntext-field = \"story\"\n");
    folder.done("index add seen feed.jsonl --config near.toml --quiet");
    assert!(folder.done("index stats seen").stdout.starts_with(&format!("{} articles in ", family().len())));
    let printed = folder.done("index add --threads 2 --config near.toml --print-config").stdout;
    for line in ["level = \"near\"", "threads = 2"] {
        assert!(printed.contains(&format!("\n{line}\n")), "{line} in {printed}");
    }
    folder.done("audit --print-config");
}

#[test]
fn a_file_that_is_not_named_is_not_read() {
    let folder = folder().write("samestory.toml", "level = \"exact\"\n");
    let ran = folder.run("--print-config");
    assert!(ran.stdout.contains("\n#level = \"rewrite\"\n"), "{ran}");
}

#[test]
fn what_is_printed_can_be_read() {
    let folder = folder();
    let built_in = folder.done("--print-config").stdout;
    insta::assert_snapshot!(built_in);
    let printed = folder.done("cluster --threads 4 --level near --text-field a\"b\\ --print-config").stdout;
    for line in ["threads = 4", "level = \"near\"", "text-field = 'a\"b\\'", "#near = \"minhash\""] {
        assert!(printed.contains(&format!("\n{line}\n")), "{line} in {printed}");
    }
    let folder = folder.write("mine.toml", &printed).write("empty.toml", &built_in);
    assert_eq!(folder.done("--config mine.toml --print-config").stdout, printed);
    assert_eq!(folder.done("--config empty.toml --print-config").stdout, built_in);
    // A file for one command may be printed by another.
    assert_eq!(folder.done("--config mine.toml eval --print-config").stdout, printed);
}

#[test]
fn files_are_named_from_where_the_config_stands() {
    let folder = folder().write("conf/p.toml", "profile = \"mine.toml\"\n");
    let ran = folder.run("cluster feed.jsonl -o - --config conf/p.toml");
    assert_eq!(ran.stderr, "error: conf/mine.toml: cannot open: No such file or directory (os error 2)\n");
    let printed = folder.done("--config conf/p.toml --print-config").stdout;
    let line = printed.lines().find(|line| line.starts_with("profile = ")).expect("the profile is set");
    assert!(line.contains(":/") || line.starts_with("profile = \"/"), "{line}");
    assert!(line.ends_with("conf/mine.toml\""), "{line}");
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, message) in [
        ("\ntreads = 2", "error: c.toml:2: unknown key treads; did you mean threads?\n"),
        ("on_error = \"fail\"", "error: c.toml:1: unknown key on_error; did you mean on-error?\n"),
        ("zzzz = 1", "error: c.toml:1: unknown key zzzz; --print-config lists those there are\n"),
        (
            "level = \"exakt\"",
            "error: c.toml:1: level is 'exakt', expected exact or near or rewrite; did you mean exact?\n",
        ),
        ("threads = -1", "error: c.toml:1: threads is '-1': expected a whole number up to 256; 0 for one a core\n"),
        ("threads = true", "error: c.toml:1: threads is neither text nor a whole number\n"),
        (
            "keep = \"first\"",
            "error: c.toml:1: keep is 'first': expected earliest, longest, latest, or source: with names\n",
        ),
        ("output = \"x\"", "error: c.toml:1: output is said for each run, on the command line\n"),
        (
            "[sketch]\nnum_trees = 3",
            "error: c.toml:1: unknown table [sketch]; parameters of sketches and verdicts stand in a profile, see \
             --profile\n",
        ),
    ] {
        let folder = folder().write("c.toml", text);
        // 2 also for `compare`, where 1 means another story.
        for args in ["cluster feed.jsonl -o out.jsonl --config c.toml", "--config c.toml compare a b"] {
            let ran = folder.run(args);
            assert_eq!((ran.code, ran.stderr.as_str(), ran.stdout.as_str()), (2, message, ""));
        }
        assert_eq!(folder.names(), ["c.toml", "conf", "feed.jsonl"]);
    }
    let ran = folder().run("compare a b --config absent.toml");
    assert_eq!(ran.stderr, "error: absent.toml: cannot open: No such file or directory (os error 2)\n");
    assert_eq!(ran.code, 2);
    let ran = folder().write("c.toml", "threads = \n").run("compare a b --config c.toml");
    assert!(ran.code == 2 && ran.stderr.starts_with("error: c.toml: TOML parse error at line 1, column 11\n"), "{ran}");
    let ran = folder().write("c.toml", b"level = \"\xff\"").run("--config c.toml compare a b");
    assert_eq!((ran.code, ran.stderr.as_str()), (2, "error: c.toml: not UTF-8\n"));
}
