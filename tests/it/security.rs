//! What an article may not do, whatever it says: name a file, write to a terminal, reach a network. `docs/security.md`
//! has the whole list.

use crate::made_feed::generate::{Feed, Mixture};
use crate::support::{Folder, fixture, json, line, rows, text_of};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a name must not do in a path, a message or a terminal.
const HOSTILE: [&str; 13] = [
    "../escaped",
    "../../escaped",
    "/tmp/escaped-from-a-feed",
    "inner/../../escaped",
    "escaped\0.jsonl",
    "two\nlines",
    "forged\nerror: all is lost\nwarning: indeed",
    "back\rover",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]0;title\u{7}",
    "\u{9b}2J",
    "turned\u{202e}round",
    "-o",
];

/// The binary in `inner` of a folder.
fn inner(folder: &Folder, args: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_samestory"))
        .args(args)
        .current_dir(folder.path("inner"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut pipe = child.stdin.take().expect("it is piped");
    let bytes = stdin.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = pipe.write_all(&bytes);
    });
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("a reader that leaves is no panic");
    output
}

/// The files and folders under a folder, each from it.
fn tree(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            found.push(path.strip_prefix(folder).expect("it lies in it").display().to_string());
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Lines in which every field that a feed may have is hostile, and some that are no records.
fn hostile_feed() -> String {
    let story = text_of("ferry-grounding/base");
    let mut lines = vec![line("plain", &story)];
    for (number, name) in HOSTILE.iter().enumerate() {
        let record = json!({
            "id": name, "title": name, "source": name, "language": name, "url": name, "slug": name, "version": name,
            "published": name, "text": format!("{name} {story} {name} {number} {name}"),
        });
        lines.push(record.to_string());
        lines.push(format!("{{\"id\": \"broken{number}\", {name}"));
        lines.push(line(&format!("short{name}"), name));
    }
    lines.join("\n") + "\n"
}

fn assert_harmless(what: &str, said: &[u8]) {
    let said = std::str::from_utf8(said).expect("messages are in UTF-8");
    let is_harmful = |c: &char| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c);
    let found: Vec<char> = said.chars().filter(is_harmful).collect();
    assert!(found.is_empty(), "{what}: {found:?} in {said:?}");
    assert!(!said.lines().any(|line| line.contains("all is lost") && line.starts_with("error")), "{what}: {said}");
}

#[test]
fn names_of_a_feed_are_no_file_names_and_reach_no_terminal() {
    let feed = hostile_feed();
    // Two texts under one id: an error that names both.
    let twice: Vec<String> =
        HOSTILE.iter().flat_map(|name| [line(name, "Rain fell."), line(name, "Snow fell.")]).collect();
    let folder = Folder::new()
        .write("inner/feed.jsonl", &feed)
        .write("inner/texts/a.txt", "Rain fell.")
        .write("inner/twice.jsonl", twice.join("\n"))
        .write("inner/forged.jsonl", twice[2 * 6..2 * 6 + 2].join("\n"));
    let cluster = "cluster feed.jsonl -o clusters.jsonl --pairs pairs.jsonl --links links.csv --report report.html \
                   --stats stats.json --rejects rejects.jsonl --notices notices.jsonl";
    let mut runs: Vec<(Vec<&str>, &[u8])> = [
        cluster,
        "cluster feed.jsonl -o clusters.csv --versions newest",
        "cluster feed.jsonl -o clusters.sqlite",
        "cluster feed.jsonl -o clusters.parquet",
        "cluster feed.jsonl -o clusters.jsonl --id-field title --text-field slug",
        "cluster twice.jsonl -o none.jsonl",
        "cluster forged.jsonl -o none.jsonl",
        "dedup feed.jsonl -o kept.jsonl --removed removed.jsonl",
        "index add seen feed.jsonl",
        "index query seen feed.jsonl",
        "index clusters seen -o live.jsonl",
        "index stories seen",
        "index stats seen",
        "index check seen",
        "plan feed.jsonl",
        "weights feed.jsonl -o words.weights",
        "audit clusters.jsonl feed.jsonl --list asked.jsonl",
        "eval feed.jsonl clusters.jsonl",
    ]
    .into_iter()
    .map(|args| (args.split_whitespace().collect(), &b""[..]))
    .collect();
    runs.push(("filter --index passed".split(' ').collect(), feed.as_bytes()));
    for name in HOSTILE.iter().filter(|name| !name.contains('\0')) {
        runs.push((vec!["compare", "--feed", "feed.jsonl", "plain", "--", *name], &b""[..]));
        runs.push((vec!["index", "remove", "seen", "--", *name], &b""[..]));
        runs.push((vec!["cluster", "--", *name], &b""[..]));
    }
    let mut num_told = 0;
    for (args, stdin) in &runs {
        let output = inner(&folder, args, stdin);
        assert!(matches!(output.status.code(), Some(0..=3)), "{args:?}: {output:?}");
        assert_harmless(&args.join(" "), &output.stderr);
        if args[0] == "compare" {
            assert_harmless(&args.join(" "), &output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        num_told += usize::from(["escaped", "all is lost", "[31mred", "round"].iter().any(|part| said.contains(part)));
    }
    assert!(num_told > 5, "only {num_told} runs had something hostile to say");
    // What was named on the command line, and what an index always has.
    let expected = [
        "asked.jsonl",
        "clusters.csv",
        "clusters.jsonl",
        "clusters.parquet",
        "clusters.sqlite",
        "feed.jsonl",
        "forged.jsonl",
        "kept.jsonl",
        "links.csv",
        "live.jsonl",
        "notices.jsonl",
        "pairs.jsonl",
        "passed",
        "rejects.jsonl",
        "removed.jsonl",
        "report.html",
        "seen",
        "stats.json",
        "texts",
        "texts/a.txt",
        "twice.jsonl",
        "words.weights",
    ];
    let of_index = |name: &str| {
        let stem = name.split_once('/').filter(|(index, _)| ["passed", "seen"].contains(index)).map(|(_, file)| file);
        let known = |file: &str| {
            let digits = file.trim_matches(|c: char| !c.is_ascii_digit());
            ["lock", "manifest.toml", "stories.jsonl"].contains(&file)
                || ["articles-#.seg", "keys-#.seg", "state-#.seg", "log-#.log"].contains(&&*file.replace(digits, "#"))
        };
        stem.is_some_and(known)
    };
    for name in tree(&folder.path("inner")) {
        assert!(expected.contains(&&*name) || of_index(&name), "{name} was made");
    }
    assert_eq!(folder.names(), ["inner"]);
    assert!(!Path::new("/tmp/escaped-from-a-feed").exists());
    // Outputs for programs keep what the feed says, escaped; the report's page has no tag of it.
    let clusters = std::fs::read_to_string(folder.path("inner/clusters.jsonl")).expect("it was written");
    assert!(!clusters.contains('\u{1b}') && clusters.lines().all(|line| json(line).is_object()));
}

#[test]
fn a_message_about_a_file_names_it_harmlessly() {
    let name = "\u{1b}[31m\nred.jsonl";
    let folder = Folder::new().write(&format!("inner/{name}"), "{\"id\": 1,\n");
    let output = inner(&folder, &["cluster", name, "-o", "-"], b"");
    assert_harmless("a file's name", &output.stderr);
    assert!(String::from_utf8_lossy(&output.stderr).contains("red.jsonl:1"), "{output:?}");
}

/// What others may do with a file.
#[cfg(unix)]
fn rights(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).map_or(0, |found| found.permissions().mode() & 0o777)
}

#[test]
#[cfg(target_os = "linux")]
fn temporary_files_are_private_and_nameless() {
    use std::os::unix::fs::MetadataExt;

    let folder = Folder::new().write("inner/tmp/keep", "");
    let args = "cluster - -o clusters.jsonl --pairs pairs.jsonl --memory 16MiB --temp-dir tmp --quiet";
    let mut child = Command::new(env!("CARGO_BIN_EXE_samestory"))
        .args(args.split(' '))
        .current_dir(folder.path("inner"))
        .stdin(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut pipe = child.stdin.take().expect("it is piped");
    for made in Feed::new(11, Mixture::News, 500).take(12_000) {
        writeln!(pipe, "{}", line(&made.id, &made.text)).expect("it reads on");
    }
    pipe.flush().expect("it reads on");
    // It waits for more. What lies in files by now is open.
    let temporary = folder.path("inner/tmp").canonicalize().expect("it is there").display().to_string();
    let open_files = || {
        let entries = std::fs::read_dir(format!("/proc/{}/fd", child.id())).expect("it still runs");
        let paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        let lies_there = |path: &&std::path::PathBuf| {
            std::fs::read_link(path).is_ok_and(|target| target.display().to_string().starts_with(&temporary))
        };
        paths.iter().filter(lies_there).filter_map(|path| std::fs::metadata(path).ok()).collect::<Vec<_>>()
    };
    let mut found = open_files();
    for _ in 0..600 {
        if !found.is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        found = open_files();
    }
    assert!(!found.is_empty(), "nothing was put away");
    for file in &found {
        assert_eq!((file.mode() & 0o777, file.nlink()), (0o600, 0), "{file:?}");
    }
    drop(pipe);
    assert!(child.wait().expect("it ends").success());
    assert_eq!(tree(&folder.path("inner")), ["clusters.jsonl", "pairs.jsonl", "tmp", "tmp/keep"]);
}

#[test]
#[cfg(unix)]
fn an_output_is_private_until_it_is_whole() {
    let folder = Folder::new();
    let mut output = samestory::output::Output::create(&folder.path("clusters.jsonl")).expect("a file can be made");
    output.write(b"{}\n").expect("it can be written");
    let staged = folder.names();
    assert!(matches!(&staged[..], [name] if name.starts_with(".samestory-")), "{staged:?}");
    assert_eq!(rights(&folder.path(&staged[0])), 0o600);
    output.finish().and_then(|whole| whole.publish()).expect("it can be renamed");
    // As the system makes any new file.
    std::fs::write(folder.path("other"), "").expect("a file can be written");
    assert_eq!(folder.names(), ["clusters.jsonl", "other"]);
    assert_eq!(rights(&folder.path("clusters.jsonl")), rights(&folder.path("other")));
}

/// The names that an ELF file of 64 bits takes from the libraries it is run with.
#[cfg(target_os = "linux")]
fn imported_names(elf: &[u8]) -> Vec<String> {
    assert_eq!(elf[..6], *b"\x7fELF\x02\x01", "64 bits, little-endian");
    let number =
        |at: usize, len: usize| elf[at..at + len].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let (sections, section_len, num_sections) = (number(0x28, 8), number(0x3a, 2), number(0x3c, 2));
    let section = |index: usize| {
        let at = sections + section_len * index;
        // Kind, place, length, linked section.
        (number(at + 4, 4), number(at + 24, 8), number(at + 32, 8), number(at + 40, 4))
    };
    const DYNAMIC_SYMBOLS: usize = 11;
    let mut names = Vec::new();
    for (kind, start, len, link) in (0..num_sections).map(section) {
        if kind != DYNAMIC_SYMBOLS {
            continue;
        }
        let (_, strings, ..) = section(link);
        for symbol in (start..start + len).step_by(24) {
            let is_imported = number(symbol + 6, 2) == 0;
            if is_imported {
                let name = &elf[strings + number(symbol, 4)..];
                let end = name.iter().position(|byte| *byte == 0).expect("a name ends");
                names.push(String::from_utf8_lossy(&name[..end]).into_owned());
            }
        }
    }
    names
}

#[test]
#[cfg(target_os = "linux")]
fn the_binary_knows_no_way_to_a_network() {
    let elf = std::fs::read(env!("CARGO_BIN_EXE_samestory")).expect("the binary is there");
    let names = imported_names(&elf);
    assert!(names.iter().any(|name| name == "write"), "{names:?}");
    let network = [
        "socket",
        "connect",
        "bind",
        "listen",
        "accept",
        "accept4",
        "send",
        "sendto",
        "sendmsg",
        "recv",
        "recvfrom",
        "recvmsg",
        "getaddrinfo",
        "gethostbyname",
        "gethostbyname_r",
        "res_query",
    ];
    let found: Vec<&String> = names.iter().filter(|name| network.contains(&name.as_str())).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
#[cfg(target_os = "linux")]
#[allow(clippy::print_stderr, reason = "a test that could not be made must not pass in silence")]
fn all_work_is_done_where_there_is_no_network() {
    const ALONE: [&str; 4] = ["--user", "--map-root-user", "--net", "--"];
    let can_be_alone = Command::new("unshare").args(ALONE).arg("true").output().is_ok_and(|ran| ran.status.success());
    if !can_be_alone {
        eprintln!("NOT TESTED: this system lets nobody make an empty network namespace; scripts/offline says the same");
        return;
    }
    let folder = Folder::new();
    let feed = fixture("feed.jsonl").display().to_string();
    let run = |args: String, stdin: Stdio| {
        Command::new("unshare")
            .args(ALONE)
            .arg(env!("CARGO_BIN_EXE_samestory"))
            .args(args.split_whitespace())
            .current_dir(folder.path(""))
            .stdin(stdin)
            .output()
            .expect("unshare starts")
    };
    for args in [
        format!("cluster {feed} -o clusters.jsonl --pairs pairs.parquet --report report.html --memory 16MiB --quiet"),
        format!("dedup {feed} -o kept.jsonl --quiet"),
        format!("index add seen {feed} --quiet"),
        "index clusters seen -o live.jsonl --quiet".to_string(),
        format!("plan {feed} --quiet"),
    ] {
        let ran = run(args.clone(), Stdio::null());
        assert!(ran.status.success(), "{args}: {ran:?}");
    }
    let input = std::fs::File::open(&feed).expect("the fixture is in the tree");
    let ran = run("filter --index passed --quiet".to_string(), Stdio::from(input));
    assert!(ran.status.success(), "{ran:?}");
    assert!(rows(&String::from_utf8_lossy(&ran.stdout)).len() > 100);
    assert_eq!(folder.read("clusters.jsonl"), folder.read("live.jsonl"));
    let alone = Command::new("unshare").args(ALONE).args(["cat", "/proc/net/dev"]).output().expect("unshare starts");
    let devices = String::from_utf8_lossy(&alone.stdout).lines().skip(2).count();
    assert_eq!(devices, 1, "there is a network: {alone:?}");
}
