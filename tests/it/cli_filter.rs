//! `samestory filter`: what passes, what does not, and what is left when it is killed.

use crate::support::{
    Folder, column, feed_lines, feed_lines_of, field, fixture, gzip, json as value, line, rows, text_of,
};
use samestory::hash::derived_seed;
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

/// The filter, running.
fn start(folder: &Folder, options: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_samestory"))
        .args(["filter", "--index", "seen", "--quiet"])
        .args(options)
        .current_dir(folder.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts")
}

#[test]
fn what_passes_keeps_its_bytes_and_repeats_are_dropped() {
    let lines = feed_lines();
    let folder = Folder::with_feed(&lines);
    let feed = folder.read("feed.jsonl");
    let ran = folder.run_on("filter --index seen", feed.as_bytes());
    assert_eq!(ran.code, 0, "{ran}");
    let mut rest = lines.iter();
    for passed in ran.stdout.lines() {
        // In order, and as it came but for what is said of one that adds something.
        let head = passed.split(",\"duplicate_of\":null").next().expect("a head");
        assert!(rest.any(|line| line == passed || line.strip_suffix('}') == Some(head)), "{passed}");
    }
    let num_passed = ran.stdout.lines().count();
    assert!(num_passed > 150 && num_passed < lines.len() - 100, "{num_passed}");
    // The same feed again adds nothing.
    let again = folder.run_on("filter --index seen", feed.as_bytes());
    assert_eq!(again.stdout, "");
    assert!(again.stderr.starts_with("0 articles new, 356 repeats dropped"), "{again}");
    // What is in the index is clustered as by one run.
    let clusters = folder.done("index clusters seen -o - --quiet").stdout;
    assert_eq!(clusters, folder.done("cluster feed.jsonl -o - --quiet").stdout);
}

#[test]
fn tags_say_what_an_article_is() {
    let of = |kind: &str| format!("korea-exports/{kind}");
    let ids: Vec<String> = ["base", "light", "version", "template", "heavy"].map(of).to_vec();
    let lines = feed_lines_of(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let folder = Folder::new();
    let ran = folder.run_on("filter --index seen --tag --quiet", (lines.join("\n") + "\n").as_bytes());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran}");
    let tagged = rows(&ran.stdout);
    for (line, tagged) in lines.iter().zip(ran.stdout.lines()) {
        assert!(tagged.starts_with(line.strip_suffix('}').expect("an object")));
    }
    let [base, light, version, template, heavy] = &tagged[..] else { panic!("{ran}") };
    assert!(base["duplicate_of"].is_null() && base["relation"].is_null() && base["novel"] == 1.0);
    assert_eq!((field(light, "duplicate_of"), field(light, "relation")), (&*of("base"), "near"));
    assert!(light["novel"].as_f64() < Some(0.3), "{light}");
    // A version with new figures passes and says what it changes.
    assert!(version["duplicate_of"].is_null(), "{version}");
    assert_eq!((field(version, "relation"), field(version, "updates")), ("update", &*of("base")));
    assert!(template["relation"].is_null() && template["story"] != base["story"], "{template}");
    assert_eq!(field(heavy, "duplicate_of").split('/').next(), Some("korea-exports"));
    assert!([light, version, heavy].iter().all(|row| row["story"] == base["story"]));
}

#[test]
fn corrections_and_fuller_tellings_pass() {
    let base = text_of("korea-exports/base");
    let brief = text_of("korea-exports/brief");
    let folder = Folder::new();
    let pass = |lines: &[String]| {
        let ran = folder.run_on("filter --index seen --quiet", (lines.join("\n") + "\n").as_bytes());
        assert_eq!(ran.code, 0, "{ran}");
        rows(&ran.stdout)
    };
    assert_eq!(pass(&[line("brief", &brief)]).len(), 1);
    // The full story after the brief has more.
    let full = pass(&[line("full", &base)]);
    assert_eq!((full.len(), field(&full[0], "updates")), (1, "brief"));
    assert!(pass(&[line("copy", &base), line("brief again", &brief)]).is_empty());
    let corrected = |id: &str| json!({"id": id, "title": "CORRECTED-Exports rise", "text": base}).to_string();
    let passed = pass(&[corrected("correction")]);
    assert_eq!((field(&passed[0], "updates"), &passed[0]["correction"]), ("full", &json!(true)));
    assert!(pass(&[corrected("correction again")]).is_empty());
}

#[test]
fn an_article_without_an_id_is_known_by_its_text() {
    let folder = Folder::new();
    let story = |text: &str| json!({ "text": text }).to_string() + "\n";
    let (ferry, wheat) = (text_of("ferry-grounding/base"), text_of("korea-exports/base"));
    assert_eq!(rows(&folder.run_on("filter --index seen", story(&ferry).as_bytes()).stdout).len(), 1);
    // The first line of another run is another article.
    assert_eq!(rows(&folder.run_on("filter --index seen", story(&wheat).as_bytes()).stdout).len(), 1);
    assert!(folder.run_on("filter --index seen", story(&ferry).as_bytes()).stdout.is_empty());
}

#[test]
fn a_window_lets_old_articles_go() {
    let text = text_of("ferry-grounding/base");
    let story = |id: &str, time: &str| json!({"id": id, "text": text, "published": time}).to_string() + "\n";
    let other = |id: &str, time: &str| {
        json!({"id": id, "text": text_of("korea-exports/base"), "published": time}).to_string() + "\n"
    };
    let folder = Folder::new();
    let ids = |lines: &[String]| -> Vec<String> {
        let ran = folder.run_on("filter --index seen --window 30d --quiet", lines.concat().as_bytes());
        assert_eq!(ran.code, 0, "{ran}");
        rows(&ran.stdout).iter().map(|row| field(row, "id").to_string()).collect()
    };
    let lines =
        [story("a", "2026-01-01"), story("b", "2026-01-20"), story("c", "2026-03-04"), story("d", "2026-03-05")];
    assert_eq!(ids(&lines), ["a", "c"]);
    // Within the window still, then far beyond it; one from before it passes, and is said to be.
    assert_eq!(ids(&[story("e", "2026-03-20"), other("f", "2026-06-01"), story("g", "2026-06-02")]), ["f", "g"]);
    let ran = folder.run_on("filter --index seen --window 30d --tag", story("late", "2026-01-02").as_bytes());
    assert_eq!(rows(&ran.stdout)[0]["before_window"], json!(true));
    assert!(ran.stderr.contains("1 from before the window, passed unjudged"), "{ran}");
    assert_eq!(value(&folder.done("index stats seen --json").stdout)["articles"], 2);
}

#[test]
fn lines_that_cannot_be_read_are_named() {
    let folder = Folder::new();
    let feed = format!("{}\nnot json\n\n{}", line("a", "Rain."), line("b", "Snow."));
    let ran = folder.run_on("filter --index seen --rejects bad.jsonl", feed.as_bytes());
    assert_eq!(ran.code, 0, "{ran}");
    // The last line gets the end that it lacks.
    assert_eq!(ran.stdout, format!("{}\n{}\n", line("a", "Rain."), line("b", "Snow.")));
    assert!(ran.stderr.contains("warning: -:2: no JSON object that can be read"), "{ran}");
    assert_eq!(field(&value(&folder.read("bad.jsonl")), "record"), "not json");
    // The next run goes on with the file: what an earlier one could not read stays.
    assert_eq!(folder.run_on("filter --index seen --rejects bad.jsonl --quiet", b"nor this\n").code, 0);
    let rejects = rows(&folder.read("bad.jsonl"));
    assert_eq!(column(&rejects, "record"), ["not json", "nor this"]);
    let ran = folder.run_on("filter --index seen --on-error fail", b"not json\n");
    assert_eq!(ran.code, 1, "{ran}");
    let ran = folder.run("filter --index seen none.jsonl");
    assert!(ran.code == 1 && ran.stderr.contains("none.jsonl: cannot open"), "{ran}");
}

#[test]
fn a_name_that_no_record_has_lets_nothing_pass() {
    let folder = Folder::new();
    let feed = line("a", "Rain fell on Lima.");
    let ran = folder.run_on("filter --index seen --text-field txet", feed.as_bytes());
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran}");
    assert!(ran.stderr.contains("--text-field: no record has a field 'txet'"), "{ran}");
    assert_eq!(value(&folder.done("index stats seen --json").stdout)["articles"], 0);
}

#[test]
fn a_file_is_judged_alike_in_every_run() {
    let folder = Folder::with_feed(&feed_lines());
    let passed = |number: usize| folder.done(&format!("filter --index seen-{number} feed.jsonl --tag --quiet")).stdout;
    let first = passed(0);
    assert_eq!(first.lines().count(), feed_lines().len());
    for number in 1..6 {
        assert_eq!(passed(number), first);
    }
}

#[test]
fn a_version_is_held_against_the_one_before_however_they_come() {
    let base = text_of("korea-exports/base");
    let article = |version: u32, text: &str| json!({"id": "v", "version": version, "text": text}).to_string() + "\n";
    let corrected = format!("CORRECTION: the share of exports was 48 percent. {base}");
    let lines =
        [article(1, &base), article(1, &base), article(2, &corrected), line("w", &text_of("kenya-tea-auction/base"))];
    let together = Folder::new();
    let ran = together.run_on("filter --index seen --tag --quiet", lines.concat().as_bytes());
    let apart = Folder::new();
    let one_by_one: Vec<String> =
        lines.iter().map(|line| apart.run_on("filter --index seen --tag --quiet", line.as_bytes()).stdout).collect();
    assert_eq!(ran.stdout, one_by_one.concat());
    let tagged = rows(&ran.stdout);
    assert_eq!((field(&tagged[1], "duplicate_of"), field(&tagged[1], "relation")), ("v", "exact"));
    assert_eq!((field(&tagged[2], "updates"), &tagged[2]["correction"]), ("v", &json!(true)));
}

#[test]
fn an_input_that_is_cut_ends_with_a_reject() {
    let feed = feed_lines().join("\n");
    let packed = gzip(feed.as_bytes());
    let folder = Folder::new().write("cut.jsonl.gz", &packed[..packed.len() / 2]);
    let ran = folder.done("filter --index seen cut.jsonl.gz --rejects bad.jsonl");
    assert!(ran.stdout.lines().count() > 20, "{ran}");
    assert!(ran.stderr.contains(": cannot read: "), "{ran}");
    assert!(!folder.read("bad.jsonl").is_empty());
    assert_eq!(folder.run("filter --index other cut.jsonl.gz --on-error fail").code, 1);
    // What unpacks to much more than it takes is refused, unless more is asked for.
    let repeated = gzip((line("a", &"rain ".repeat(8_000_000)) + "\n").as_bytes());
    let folder = Folder::new().write("big.gz", &repeated);
    let ran = folder.done("filter --index seen big.gz --max-ratio 2");
    assert!(ran.stdout.is_empty() && ran.stderr.contains("--max-ratio allows more"), "{ran}");
    let ran = folder.done("filter --index seen big.gz --max-ratio 100000");
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stderr);
}

#[test]
fn what_has_come_is_passed_on_before_more_does() {
    let folder = Folder::new();
    let mut child = start(&folder, &[]);
    let mut input = child.stdin.take().expect("it is piped");
    let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
    for id in ["a", "b", "c"] {
        let sent = line(id, &format!("{id} told the council of Lima on Monday that the bridge is shut.")) + "\n";
        input.write_all(sent.as_bytes()).expect("it reads");
        let mut passed = String::new();
        output.read_line(&mut passed).expect("it writes");
        assert_eq!(passed, sent);
    }
    // A signal ends it as the end of the input does.
    #[cfg(unix)]
    {
        let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill is there");
        assert!(killed.success());
        assert!(child.wait().expect("it ends").success());
    }
    assert_eq!(value(&folder.done("index stats seen --json").stdout)["articles"], 3);
}

#[test]
fn kills_pass_and_name_who_tells_the_story() {
    let item = |id: &str, status: &str, text: &str| {
        let body =
            json!({"uri": id, "type": "text", "pubstatus": status, "version": "1", "headline": id, "body_text": text});
        body.to_string() + "\n"
    };
    let text = text_of("ferry-grounding/base");
    let folder = Folder::new();
    let stories = item("one", "usable", &text) + &item("two", "usable", &text.to_uppercase());
    let ran = folder.run_on("filter --index seen --format ninjs --quiet", stories.as_bytes());
    assert_eq!((ran.code, rows(&ran.stdout).len()), (0, 1), "{ran}");
    let kill = item("one", "canceled", "Kill this story.");
    let ran = folder.run_on("filter --index seen --format ninjs", (kill.clone() + &stories).as_bytes());
    let passed = rows(&ran.stdout);
    assert_eq!((passed.len(), field(&passed[0], "notice")), (1, "canceled"), "{ran}");
    assert!(ran.stdout.starts_with(kill.trim_end().strip_suffix('}').expect("an object")), "{ran}");
    assert_eq!((&passed[0]["copies"], &passed[0]["story"]), (&json!(["one", "two"]), &json!(1)));
    assert!(ran.stderr.contains("1 set aside and passed"), "{ran}");
    let ran = folder.run_on("filter --index seen --format csv", b"");
    assert!(ran.code == 2 && ran.stderr.contains("index add reads every format"), "{ran}");
}

#[test]
fn a_second_writer_is_told() {
    let folder = Folder::new();
    let mut child = start(&folder, &[]);
    let mut input = child.stdin.take().expect("it is piped");
    let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
    input.write_all((line("a", "Rain fell on Lima.") + "\n").as_bytes()).expect("it reads");
    output.read_line(&mut String::new()).expect("it writes");
    let ran = folder.run_on("filter --index seen", b"");
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stderr.contains("seen: another process writes this index; one can at a time"), "{ran}");
    drop(input);
    assert!(child.wait().expect("it ends").success());
}

/// Killed at any moment and started again where its output ended, every article has come out or is told apart by one that
/// did; some may have come twice. What is in the index at the end is what one run says.
#[test]
fn killed_at_any_moment_nothing_is_lost() {
    let lines = feed_lines();
    let folder = Folder::with_feed(&lines);
    let mut num_kills = 0;
    let mut from = 0;
    let mut passed: Vec<String> = Vec::new();
    for round in 0.. {
        let mut child = start(&folder, &["--tag"]);
        let mut input = child.stdin.take().expect("it is piped");
        let rest: Vec<String> = lines[from..].to_vec();
        let feeder = std::thread::spawn(move || {
            // Some at a time, so that there are moments between: of 51 pieces no more than 14 go before a kill.
            for some in rest.chunks(7) {
                if input.write_all((some.join("\n") + "\n").as_bytes()).is_err() {
                    return;
                }
                std::thread::sleep(std::time::Duration::from_millis(25));
            }
        });
        let millis = 30 + derived_seed(7, round) % 300;
        let output = child.stdout.take().expect("it is piped");
        let reader = std::thread::spawn(move || {
            let read = BufReader::new(output).split(b'\n').map_while(Result::ok);
            // The last line may be cut.
            read.filter(|line| line.ends_with(b"}"))
                .map(|line| String::from_utf8_lossy(&line).into_owned())
                .collect::<Vec<_>>()
        });
        std::thread::sleep(std::time::Duration::from_millis(millis));
        let has_ended = child.try_wait().expect("it can be asked").is_some();
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        feeder.join().expect("the feeder ends");
        passed.extend(reader.join().expect("the reader ends"));
        num_kills += usize::from(!has_ended);
        if has_ended || round > 40 {
            break;
        }
        // Like one who follows a log: on from the last article that came out whole.
        let last = passed.last().map(|line| field(&value(line), "id").to_string());
        let at = lines.iter().position(|line| Some(field(&value(line), "id")) == last.as_deref());
        from = at.map_or(0, |at| at + 1);
    }
    assert!(num_kills > 2, "{num_kills}");
    let ran = folder.run_on("filter --index seen --tag --quiet", (lines[from..].join("\n") + "\n").as_bytes());
    assert_eq!(ran.code, 0, "{ran}");
    let mut ids: Vec<String> = passed
        .iter()
        .map(String::as_str)
        .chain(ran.stdout.lines())
        .map(|l| field(&value(l), "id").to_string())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), lines.len());
    // What came out before a kill may not have been made to last: it is fed again at the end.
    folder.done(&format!("index add seen {} --quiet", fixture("feed.jsonl").display()));
    assert_eq!(
        folder.done("index clusters seen -o - --quiet").stdout,
        folder.done("cluster feed.jsonl -o - --quiet").stdout
    );
    assert!(folder.done("index check seen").stderr.starts_with("sound: "));
}
