//! What a new user reads first: help, version, completions, the manual, and what is said of a wrong word.

use crate::support::Folder;

/// The commands that help lists, but for `help` itself.
fn commands(folder: &Folder) -> Vec<String> {
    let help = folder.done("--help").stdout;
    let (_, list) = help.split_once("\nCommands:\n").expect("help lists the commands");
    let (list, _) = list.split_once("\n\n").expect("a blank line ends the list");
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let commands: Vec<String> =
        names.filter(|name| !name.is_empty() && *name != "help").map(ToString::to_string).collect();
    assert!(commands.len() >= 8, "{help}");
    commands
}

#[test]
fn every_command_has_help_with_examples() {
    let folder = Folder::new();
    for command in commands(&folder) {
        let ran = folder.done(&format!("{command} --help"));
        let (_, examples) = ran.stdout.split_once("\nExamples:\n").unwrap_or_else(|| panic!("no examples in {ran}"));
        assert!(examples.contains(&format!("samestory {command} ")), "{ran}");
        assert!(ran.stderr.is_empty());
        assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{ran}");
        // The short and the long call say the same.
        assert_eq!(folder.done(&format!("{command} -h")).stdout, ran.stdout);
        assert_eq!(folder.done(&format!("help {command}")).stdout, ran.stdout);
    }
}

#[test]
fn the_first_screen() {
    let ran = Folder::new().run("");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    for part in ["Finds the same story told twice", "\nUsage: samestory ", "\nCommands:\n", "\nExamples:\n"] {
        assert!(ran.stderr.contains(part), "{part} in {ran}");
    }
}

#[test]
fn the_version_says_what_binds_files_to_it() {
    let profile = samestory::Profile::default();
    let expected = format!(
        "samestory {} (profile news, sketch {}, verdict {}, profile format {})\n",
        env!("CARGO_PKG_VERSION"),
        profile.sketch_id(),
        profile.verdict_id(),
        samestory::profile::PROFILE_FORMAT
    );
    let folder = Folder::new();
    for args in ["--version", "-V", "cluster --version"] {
        let ran = folder.done(args);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (expected.as_str(), ""));
    }
}

#[test]
fn a_wrong_word_is_told_the_right_one() {
    let folder = Folder::new().write("news.jsonl", "");
    for (args, part) in [
        ("help clutser", "a similar subcommand exists: 'cluster'"),
        (
            "news.jsonl -o -",
            "tip: to group the articles of a file by story: samestory cluster news.jsonl -o clusters.jsonl\n",
        ),
        ("clutser feed.jsonl", "a similar subcommand exists: 'cluster'"),
        ("cluster feed.jsonl -o - --treads 2", "a similar argument exists: '--threads'"),
        ("cluster feed.jsonl -o - --level exakt", "a similar value exists: 'exact'"),
        ("cluster feed.jsonl -o - --threads two", "expected a whole number up to 256; 0 for one a core"),
        ("cluster feed.jsonl", "  --output <FILE>"),
        ("cluster -o -", "  <INPUT>..."),
        ("completions bsh", "a similar value exists: 'bash'"),
    ] {
        let ran = folder.run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran}");
        assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains(part), "{ran}");
    }
}

#[test]
fn completions_know_every_command() {
    let folder = Folder::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = folder.done(&format!("completions {shell}")).stdout;
        for word in commands(&folder).iter().map(String::as_str).chain(["text-field", "color", "print-config"]) {
            assert!(script.contains(word), "{word} in the completions of {shell}");
        }
    }
}

#[test]
fn the_manual_has_a_page_a_command() {
    let folder = Folder::new();
    let main = folder.done("man").stdout;
    assert!(main.contains(".TH samestory 1"), "{main}");
    folder.done("man pages/man1");
    assert_eq!(folder.read("pages/man1/samestory.1"), main);
    for command in commands(&folder) {
        let page = folder.read(&format!("pages/man1/samestory-{command}.1"));
        for part in [&format!(".TH samestory-{command} 1"), ".SH OPTIONS", ".SH EXAMPLES"] {
            assert!(page.contains(part), "{part} in {page}");
        }
    }
    let folder = folder.write("taken", "");
    let ran = folder.run("man taken");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.starts_with("error: taken: cannot create: "), "{ran}");
}
