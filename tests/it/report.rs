//! `samestory cluster --report`: the page stands whatever the feed holds, says what the other outputs say, and shows
//! nothing of a feed but as text. What the page does in a browser is tested by `scripts/browser-test`.

use crate::support::{Folder, Ran, family, json, line, shuffled, text_of};

/// The page of a feed of these lines.
fn page(lines: &[impl AsRef<str>], options: &str) -> (String, Ran) {
    let folder = Folder::with_feed(lines);
    let ran = folder.done(&format!("cluster feed.jsonl -o out.jsonl --report report.html {options}"));
    (folder.read("report.html"), ran)
}

/// The page without what changes from run to run: its lines with a time.
fn without_times(page: &str) -> String {
    page.lines().filter(|line| !line.contains("made-at") && !line.contains("class=\"times\"")).collect()
}

/// A feed of the same text under many ids.
fn crowd(num_articles: usize) -> Vec<String> {
    let text = text_of("ferry-grounding/base");
    (0..num_articles).map(|i| line(&format!("{i:05}"), &text)).collect()
}

#[test]
fn the_page_says_what_the_run_found() {
    let folder = Folder::with_feed(&family());
    let ran = folder.done("cluster feed.jsonl -o out.jsonl --report report.html --stats stats.json");
    assert!(ran.stderr.contains("  the report is in report.html\n"), "{ran}");
    let (page, stats) = (folder.read("report.html"), json(&folder.read("stats.json")));
    let verdict =
        format!("{} articles tell {} stories; {} repeat one.", stats["articles"], stats["clusters"], stats["repeats"]);
    assert!(page.contains(&format!("<h1 id=\"verdict\">{verdict}</h1>")), "{verdict}");
    for part in [
        stats["sketch_id"].as_str().unwrap(),
        "<span class=\"label stands\">stands for the story</span>",
        "<span class=\"label\">rewrite</span>",
        "<h2 id=\"includes-h\">Roundups and what they include</h2>",
        "<mark>",
        "<b class=\"changed\">",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn one_set_of_articles_gives_one_page() {
    let (first, _) = page(&family(), "--threads 1");
    let (second, _) = page(&shuffled(family(), 7), "--threads 4");
    assert!(without_times(&first) == without_times(&second));
    assert!(first.len() - without_times(&first).len() > 0);
}

#[test]
fn no_article_and_one_make_a_page() {
    let (empty, _) = page(&[""; 0], "");
    assert!(empty.contains("<h1 id=\"verdict\">No article was read.</h1>"));
    assert!(empty.contains("There is nothing to count."));
    let (one, _) = page(&[line("a", &text_of("ferry-grounding/base"))], "");
    assert!(one.contains("1 article tells 1 story; none repeats another."));
    assert!(one.contains("No story is told more than once."));
    let (blank, _) = page(&[line("a", ""), line("b", "")], "");
    assert!(blank.contains("2 articles told once are too short or empty to compare."));
}

#[test]
fn without_dates_nobody_is_first() {
    let (page, _) = page(&crowd(3), "");
    assert!(page.contains("No two tellings of a story have a time of publication"));
    assert!(page.contains("No article names its source."));
    assert!(!page.contains(" later</span>"));
}

#[test]
fn other_scripts_keep_their_direction() {
    let arabic = "جنحت العبارة قبالة الجزيرة يوم الاثنين وعلى متنها 214 راكبا ونقل الصيادون معظمهم إلى الشاطئ قبل وصول \
                  خفر السواحل إلى المكان وقال متحدث إن أحدا لم يصب بأذى";
    let chinese =
        "渡轮星期一在岛外搁浅，船上有二百一十四名乘客，渔民在海岸警卫队到达之前将大多数人送上岸，没有人受伤。";
    let lines = [line("ar-1", arabic), line("ar-2", arabic), line("zh-1", chinese), line("zh-2", chinese)];
    let (page, _) = page(&lines, "");
    assert!(page.contains("dir=\"auto\"><mark>جنحت"));
    assert!(page.contains("<bdi>Chinese</bdi> 2"));
    assert!(page.contains("dir=\"auto\">渡轮"));
}

#[test]
fn a_text_of_five_megabytes_is_shown_by_its_beginning() {
    let text = text_of("ferry-grounding/base") + &" And so on, and on.".repeat(280_000);
    assert!(text.len() > 5_000_000);
    let lines = ["a", "b"].map(|id| serde_json::json!({"id": id, "text": text, "title": text}).to_string());
    let (page, _) = page(&lines, "");
    assert!(page.contains("<p class=\"note\">The first 20,000 of 5,"));
    assert!(page.len() < 300_000, "{}", page.len());
}

#[test]
fn ten_thousand_tellings_of_one_story() {
    let (page, _) = page(&crowd(10_000), "");
    assert!(page.contains("10,000 articles tell 1 story; 9,999 repeat one."));
    assert!(page.contains("<p class=\"rule\">Of a story with many members are listed the one that stands for it"));
    let num_listed = page.matches("<li class=\"member\"").count();
    assert!((50..100).contains(&num_listed), "{num_listed}");
    assert!(page.contains(&format!("9,{} articles more of this story are not listed.", 1000 - num_listed)));
    assert!(page.len() < 2_000_000, "{}", page.len());
}

#[test]
fn a_hostile_feed_is_text() {
    let hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\" onclick='alert(3)' {{ 7*7 }}<!--";
    let text = format!("{} {hostile}", text_of("ferry-grounding/base"));
    let one = |id: &str| {
        serde_json::json!({"id": format!("{id}{hostile}"), "text": text, "title": hostile, "source": hostile})
            .to_string()
    };
    let bad = format!("{{\"id\": \"{}", hostile.replace('"', ""));
    let (page, _) = page(&[one("a"), one("b"), bad], "");
    assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (2, 2));
    for part in ["<img", "onclick='", "<!--", "}}49"] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)") && page.contains("{{ 7*7 }}"));
    assert!(page.contains("default-src 'none'") && page.contains("script-src 'sha256-"));
    // A name of the picture format, no address.
    let page = page.replace("http://www.w3.org/2000/svg", "");
    for address in ["http://", "https://", "src=\"", "@import", "url("] {
        assert!(!page.contains(address), "{address}");
    }
}

#[test]
fn texts_can_be_left_out() {
    let (full, _) = page(&family(), "");
    let (none, _) = page(&family(), "--report-text none");
    let mut num_shown = 0;
    for line in family() {
        let article = json(&line);
        let text = article["text"].as_str().unwrap_or_default();
        // A stretch that is written as it is.
        for words in text.split(['\n', '"', '\'', '&', '/']).filter(|part| part.len() > 60) {
            num_shown += usize::from(full.contains(words));
            assert!(!none.contains(words), "{words}");
        }
    }
    assert!(num_shown > 0);
    assert!(none.contains("This page was made without the text of articles."));
    assert!(none.contains("<table class=\"differs\">"));
}

#[test]
fn rejects_are_named() {
    let lines = [line("a", "Rain."), "{\"id\": \"b\", \"text\": ".to_string(), "[]".to_string()];
    let (page, _) = page(&lines, "");
    assert!(page.contains("2 records skipped.") && page.contains("<bdi>feed.jsonl:2</bdi>"));
}

#[test]
fn a_page_that_cannot_be_written_is_an_error_before_the_run() {
    for (path, reason) in [("no/such/report.html", "there is no folder no/such"), ("folder", "Is a directory")] {
        let folder = Folder::with_feed(&family()).write("folder/keep", "");
        let ran = folder.run(&format!("cluster feed.jsonl -o out.jsonl --report {path}"));
        assert_eq!(ran.code, 1, "{ran}");
        assert!(ran.stderr.starts_with(&format!("error: {path}: cannot create: {reason}")), "{ran}");
        assert_eq!(folder.names(), ["feed.jsonl", "folder"]);
    }
    let folder = Folder::with_feed(&family());
    assert_eq!(folder.run("cluster feed.jsonl -o out.jsonl --report ./out.jsonl").code, 2);
    assert_eq!(folder.run("cluster feed.jsonl -o out.jsonl --report feed.jsonl").code, 2);
    assert_eq!(folder.run("cluster feed.jsonl -o out.jsonl --report-text none").code, 2);
    assert_eq!(folder.names(), ["feed.jsonl"]);
}
