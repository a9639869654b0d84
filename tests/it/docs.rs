//! The guides: every command they show is one that the command line takes.

use crate::support::Folder;
use std::path::Path;

/// The commands in the `sh` blocks of a guide: what follows `samestory` or `cargo run … --`, up to a pipe or another command.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for block in text.split("```sh\n").skip(1) {
        let (block, _) = block.split_once("```").expect("a block has an end");
        for line in block.replace("\\\n", " ").lines() {
            for part in line.split(['|', '>', '<', ';']).flat_map(|part| part.split("&&")) {
                let words: Vec<&str> = part.split_whitespace().collect();
                let args = match words.first() {
                    Some(&"samestory") => &words[1..],
                    Some(&"cargo") if part.contains("cargo run --release -- ") => &words[4..],
                    _ => continue,
                };
                // What may be left out is written in brackets.
                found.push(args.iter().map(|word| word.replace(['[', ']'], "")).collect());
            }
        }
    }
    found
}

#[test]
fn commands_are_cut_out() {
    let text = "```sh\nzcat x | samestory cluster - -o - | jq . > y\ncargo run --release -- man [DIR]\n```\n```text\nsamestory x\n```\n";
    assert_eq!(commands(text), [vec!["cluster", "-", "-o", "-"], vec!["man", "DIR"]]);
}

#[test]
fn every_command_in_the_guides_is_known() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut guides: Vec<_> = std::fs::read_dir(root.join("docs"))
        .expect("the guides are in the tree")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    guides.push(root.join("README.md"));
    let folder = Folder::new().write("agency.toml", "");
    let mut num_commands = 0;
    for guide in guides {
        let text = std::fs::read_to_string(&guide).expect("a guide is text");
        for mut words in commands(&text) {
            // N and FILE stand for a value.
            words.iter_mut().filter(|word| *word == "N").for_each(|word| *word = "7".to_string());
            // Parsed in full, and nothing done.
            if words.iter().all(|word| word != "--print-config") {
                words.push("--print-config".to_string());
            }
            let ran = folder.run_args(&words.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}: {words:?}", guide.display());
            assert!(ran.stdout.contains("threads = "), "{words:?}");
            num_commands += 1;
        }
    }
    assert!(num_commands >= 30, "{num_commands}");
}

#[test]
fn every_example_of_a_format_is_read_as_it_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md");
    let text = std::fs::read_to_string(path).expect("the guide is in the tree");
    let (_, examples) = text.split_once("\n## Examples\n").expect("the guide has examples");
    let (examples, _) = examples.split_once("\n## ").expect("something follows them");
    let blocks: Vec<&str> = examples.split("```").skip(1).step_by(2).collect();
    let content = |block: &str| block.split_once('\n').expect("a block has a kind").1.to_string();
    let mut num_read = 0;
    for pair in blocks.chunks_exact(2) {
        let (input, expected) = (content(pair[0]), content(pair[1]));
        // A table is shown as one, and not as its bytes.
        if input.starts_with("id: int64") {
            continue;
        }
        let folder = Folder::new().write("example", &input);
        let blocks = samestory::input::Blocks::open(&[folder.path("example")], None).expect("it was just written");
        let parsed: Vec<_> =
            blocks.map(|block| block.expect("it was just written").parse(&Default::default())).collect();
        let lines: Vec<u8> =
            parsed.iter().flat_map(|parsed| &parsed.articles).flat_map(samestory::output::article_line).collect();
        assert_eq!(String::from_utf8_lossy(&lines), expected, "{input}");
        assert!(parsed.iter().all(|parsed| parsed.rejects.is_empty() && parsed.num_repaired == 0), "{input}");
        num_read += 1;
    }
    assert!(num_read >= 8, "{num_read}");
}
