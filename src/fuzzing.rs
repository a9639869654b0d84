//! What the targets of `fuzz/` hold against any bytes, a function a target. The tests below hold the same against the
//! fixtures and against what was found: `fixtures/fuzz/TARGET`.

use crate::article::Article;
use crate::bits::{Width, limit_width};
use crate::engine::{Engine, Index, Texts};
use crate::hash::hash64;
use crate::index::{KeyRun, Kind, Manifest, NUM_LISTS, Segment, forge, read_log};
use crate::input::{Blocks, FieldNames, Format, Options, Reject};
use crate::profile::{Profile, Weights};
use crate::report::{Run, to_html};
use crate::shingle::shingle_hashes;
use crate::sketch::{EMPTY_SLOT, MinHasher};
use crate::tests::naive;
use crate::text::{Document, TokenFlags, normalize};
use crate::verify::Relation;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A target: its name, what it holds against any bytes, the fixtures it begins with as patterns under `fixtures`.
pub type Target = (&'static str, fn(&[u8]), &'static [&'static str]);

/// Every target.
pub const TARGETS: &[Target] = &[
    ("arrow", arrow, &["formats-in/table.arrow", "formats-in/stream.arrows", "bad/arrow-*"]),
    ("compare", compare, &["families/*.txt", "formats-in/note.txt"]),
    ("csv", csv, &["formats-in/table.csv", "formats-in/table.tsv", "bad/csv-*"]),
    ("index_file", index_file, &[]),
    ("index_folder", index_folder, &[]),
    ("json", json, &["formats-in/list.json", "formats-in/feed.json", "formats-in/items.ninjs.json", "bad/*.json"]),
    ("jsonl", jsonl, &["formats-in/table.jsonl", "bad/jsonl-*.jsonl"]),
    ("packed", packed, &["formats-in/crawl.wet.gz", "bad/*.gz", "bad/*.zst", "bad/*.bz2", "bad/*.xz"]),
    ("parquet", parquet, &["formats-in/table.parquet", "bad/parquet-*"]),
    ("profile", profile, &[]),
    ("report", report, &["formats-in/note.txt", "formats-in/page.html", "formats-in/feed.rss"]),
    ("text", text, &["formats-in/note.txt", "formats-in/page.html", "bad/text-*", "bad/page-*"]),
    ("tokens", tokens, &["formats-in/note.txt", "families/*.txt"]),
    ("warc", warc, &["formats-in/crawl.warc", "formats-in/crawl.wet", "bad/wet-*", "bad/warc-*"]),
    ("weights", weights, &[]),
    (
        "xml",
        xml,
        &[
            "formats-in/feed.rss",
            "formats-in/feed.atom",
            "formats-in/message.newsml.xml",
            "formats-in/story.nitf.xml",
            "bad/rss-*",
            "bad/atom-*",
            "bad/newsml-*",
            "bad/nitf-*",
        ],
    ),
];

/// A stream that hands out a few bytes at a time.
struct Dribble {
    bytes: Vec<u8>,
    at: usize,
    step: usize,
}

impl Read for Dribble {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = self.step.min(buffer.len()).min(self.bytes.len() - self.at);
        buffer[..len].copy_from_slice(&self.bytes[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }
}

/// What was read of a stream, in order.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    articles: Vec<String>,
    texts: Vec<String>,
    notices: Vec<String>,
    /// Number and reason. How much of a damaged record is kept, and where it is said to begin, depends on how much of the
    /// stream was there when it was found.
    rejects: Vec<(u64, String)>,
}

fn read(name: &str, bytes: &[u8], step: usize, format: Option<Format>, options: Options) -> Outcome {
    let mut outcome = Outcome::default();
    let raw = Box::new(Dribble { bytes: bytes.to_vec(), at: 0, step });
    let blocks = match Blocks::of_stream(name, raw, format, options) {
        Ok(blocks) => blocks,
        Err(error) => {
            outcome.rejects.push((0, error.to_string()));
            return outcome;
        }
    };
    for block in blocks {
        let parsed = block.expect("nothing is left to be opened").parse(&FieldNames::default());
        // Rows of Arrow's have no bytes of their own.
        assert!(parsed.records.len() == parsed.articles.len() || parsed.format == Format::Arrow);
        for (article, record) in parsed.articles.iter().zip(&parsed.records) {
            let is_row = matches!(parsed.format, Format::Parquet | Format::Arrow);
            assert!(is_row || record.end <= parsed.bytes.len() && record.start <= record.end, "{record:?}");
            outcome.articles.push(format!(
                "{} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {}",
                article.id,
                article.title,
                article.source,
                article.published,
                article.url,
                article.language,
                article.slug,
                article.version,
                article.origin.place,
            ));
            outcome.texts.push(article.text.clone());
        }
        outcome.notices.extend(parsed.notices.iter().map(|notice| format!("{} {}", notice.id, notice.aside)));
        outcome.rejects.extend(parsed.rejects.into_iter().map(|reject| (reject.line, reject.reason)));
    }
    outcome
}

/// How packed streams begin.
const PACKED: [&[u8]; 4] = [&[0x1f, 0x8b], &[0x28, 0xb5, 0x2f, 0xfd], b"BZh", &[0xfd, b'7', b'z']];

/// A stream is read in the same way however it comes, and within any bound on its records. But of one that is packed and
/// damaged, what is found again behind the damage depends on how much of it was there.
fn read_both_ways(name: &str, bytes: &[u8], format: Option<Format>) {
    let options = Options { max_ratio: 50, ..Options::default() };
    let whole = read(name, bytes, usize::MAX, format, options);
    let step = 1 + bytes.len() % 61;
    let dribbled = read(name, bytes, step, format, options);
    let is_packed = PACKED.iter().any(|mark| bytes.starts_with(mark));
    if !is_packed || whole.rejects.is_empty() && dribbled.rejects.is_empty() {
        assert_eq!(whole, dribbled, "{step} bytes at a time");
    }
    let narrow = Options { max_record: 1 + bytes.len() % 300, ..options };
    read(name, bytes, step, format, narrow);
}

/// The first byte chooses one of several.
fn choose<'a, T: Copy>(of: &[T], bytes: &'a [u8]) -> Option<(T, &'a [u8])> {
    let (first, rest) = bytes.split_first()?;
    Some((of[usize::from(*first) % of.len()], rest))
}

/// Articles as lines, and every text in a line of its own comes back.
pub fn jsonl(bytes: &[u8]) {
    read_both_ways("feed.jsonl", bytes, Some(Format::Jsonl));
    let text = String::from_utf8_lossy(bytes);
    let line = serde_json::json!({ "id": "1", "text": text }).to_string();
    let outcome = read("feed.jsonl", line.as_bytes(), usize::MAX, Some(Format::Jsonl), Options::default());
    assert_eq!(outcome.texts, [text]);
}

/// Lists of JSON, of all formats made of them; and each text in a list comes back.
pub fn json(bytes: &[u8]) {
    for format in [Format::Json, Format::JsonFeed, Format::Ninjs] {
        read_both_ways("feed.json", bytes, Some(format));
    }
    read_both_ways("feed.json", bytes, None);
    let text = String::from_utf8_lossy(bytes);
    let list = serde_json::json!([{ "id": "1", "text": text }, { "id": "2", "text": "two" }]).to_string();
    let outcome = read("feed.json", list.as_bytes(), 7, Some(Format::Json), Options::default());
    assert_eq!(outcome.texts, [&text, "two"]);
}

/// Tables; and each text in a quoted cell comes back.
pub fn csv(bytes: &[u8]) {
    read_both_ways("feed.csv", bytes, Some(Format::Csv));
    let text = String::from_utf8_lossy(bytes);
    let table = format!("id,text\n1,\"{}\"\n2,two\n", text.replace('"', "\"\""));
    let outcome = read("feed.csv", table.as_bytes(), 7, Some(Format::Csv), Options::default());
    assert_eq!(outcome.texts, [&text, "two"]);
}

/// RSS, Atom, NewsML-G2 and NITF.
pub fn xml(bytes: &[u8]) {
    for format in [Format::Feed, Format::NewsMl, Format::Nitf] {
        read_both_ways("feed.xml", bytes, Some(format));
    }
    read_both_ways("feed.xml", bytes, None);
}

/// WARC and WET.
pub fn warc(bytes: &[u8]) {
    read_both_ways("crawl.warc", bytes, Some(Format::Warc));
}

/// Packed streams of a format that has to be found out.
pub fn packed(bytes: &[u8]) {
    read_both_ways("feed", bytes, None);
}

/// Files of text and pages.
pub fn text(bytes: &[u8]) {
    static FILES: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(format!("{}", std::process::id()));
        (folder, path)
    });
    std::fs::write(&FILES.1, bytes).expect("a temporary file");
    for format in [Format::Text, Format::Html] {
        let blocks = Blocks::open(std::slice::from_ref(&FILES.1), Some(format)).expect("it is there");
        for block in blocks {
            let parsed = block.expect("it is there").parse(&FieldNames::default());
            assert_eq!(parsed.articles.len() + parsed.rejects.len() + parsed.notices.len(), 1);
            if let (Format::Text, Ok(text), [article]) = (format, std::str::from_utf8(bytes), &parsed.articles[..])
                && !PACKED.iter().any(|mark| bytes.starts_with(mark))
            {
                assert_eq!(article.text, text.strip_prefix('\u{feff}').unwrap_or(text));
            }
        }
    }
}

/// Parquet, as a stream.
pub fn parquet(bytes: &[u8]) {
    #[cfg(feature = "parquet")]
    read("feed.parquet", bytes, usize::MAX, Some(Format::Parquet), Options::default());
    let _ = bytes;
}

/// Arrow, files and streams.
pub fn arrow(bytes: &[u8]) {
    #[cfg(feature = "parquet")]
    read("feed.arrow", bytes, usize::MAX, Some(Format::Arrow), Options::default());
    let _ = bytes;
}

/// A table of weights comes back as it was, and every token weighs something. The checksum is put right, so that more
/// than that is looked at.
pub fn weights(bytes: &[u8]) {
    let _ = Weights::from_bytes("w", bytes);
    let Some((body, _)) = bytes.split_last_chunk::<8>() else { return };
    let mended = [body, &hash64(body, Weights::CHECKSUM_SEED).to_le_bytes()].concat();
    let Ok(table) = Weights::from_bytes("w", &mended) else { return };
    let again = Weights::from_bytes("w", &table.to_bytes()).expect("what was written can be read");
    assert_eq!(again.to_bytes(), table.to_bytes());
    assert_eq!((again.len(), again.checksum()), (table.len(), table.checksum()));
    for hash in body.chunks(4).map(|four| hash64(four, 0) as u32) {
        assert!(table.idf(hash) > 0);
        assert_eq!(table.idf(hash), again.idf(hash));
    }
}

/// A profile comes back with its ids, and whatever it asks for can be done.
pub fn profile(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(profile) = Profile::from_toml("p", text) else { return };
    let again = Profile::from_toml("p", &profile.to_toml()).expect("what was written can be read");
    assert_eq!(again.sketch_id(), profile.sketch_id());
    assert_eq!(again.verdict_id(), profile.verdict_id());
    let engine = Engine::new(profile).with_threads(1);
    let articles = [("a", STORY), ("b", OTHER), ("c", &STORY[40..]), ("d", STORY)].map(|(id, t)| Article::new(id, t));
    let clustering = engine.cluster(articles).expect("the ids differ");
    assert_eq!(clustering.members.len(), 4);
}

const STORY: &str = "The ferry Santa Odilia ran aground on a reef off Batanes on Monday with 214 passengers aboard, and \
                     fishermen from Ivana brought most of them ashore before the coast guard arrived.";
const OTHER: &str = "Two people were hurt when the ferry Santa Odilia struck a reef off Batanes. \"We heard a noise like \
                     thunder,\" said Rosa Abad, one of 214 aboard. Fishermen took them to Ivana.";

/// Tokens lie in order within the text, whatever instructions find them; shingles and signatures are those of the slow
/// twins; case does not count.
pub fn tokens(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let plain = normalize(text);
    assert_eq!(normalize(&plain), plain, "once is enough");
    let document = Document::new(text, 1000);
    let mut before = document.body.start;
    for token in &document.tokens {
        let (start, end) = (token.start as usize, token.end as usize);
        assert!(before <= start && start < end && end <= document.body.end);
        assert!(document.text.is_char_boundary(start) && document.text.is_char_boundary(end));
        before = end;
    }
    assert!(document.tokens.is_sorted_by_key(|token| token.sentence));
    let fewer = Document::new(text, 10);
    assert!(fewer.tokens.len() <= 10);
    let hasher = MinHasher::new(40, 1);
    for shingle_len in [1, 5] {
        let shingles = shingle_hashes(&document.tokens, shingle_len);
        assert_eq!(shingles, naive::shingle_hashes(&document.tokens, shingle_len));
        let signature = hasher.signature(&shingles);
        assert_eq!(signature, naive::signature(&shingles, &hasher.functions()));
        assert_eq!(shingles.is_empty(), signature.iter().all(|slot| *slot == EMPTY_SLOT));
    }
    for width in Width::ALL {
        limit_width(width);
        let other = Document::new(text, 1000);
        assert_eq!((&other.text, &other.body, &other.credits), (&document.text, &document.body, &document.credits));
        assert_eq!(other.tokens, document.tokens, "{width:?}");
        assert_eq!(other.fingerprint(), document.fingerprint(), "{width:?}");
        assert_eq!(
            hasher.signature(&shingle_hashes(&other.tokens, 5)),
            hasher.signature(&shingle_hashes(&document.tokens, 5))
        );
    }
    for token in &document.tokens {
        // A word in small letters is hashed as it stands.
        let form = document.form(token);
        if !token.flags.has(TokenFlags::NUMBER) && form.bytes().all(|b| b.is_ascii_lowercase()) {
            assert_eq!(token.hash, crate::hash::hash_word(form.as_bytes()), "{form}");
        }
    }
}

/// Two texts: the second is the rest of the bytes, or the first with a piece put elsewhere.
fn two_texts(bytes: &[u8]) -> (String, String) {
    let Some(((), rest)) = choose(&[()], bytes) else { return Default::default() };
    let first = bytes[0];
    if first < 128 {
        let cut = rest.len() * usize::from(first) / 128;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        return (text(&rest[..cut]), text(&rest[cut..]));
    }
    let text = String::from_utf8_lossy(rest).into_owned();
    let mut words: Vec<&str> = text.split_inclusive(' ').collect();
    let len = words.len();
    words.rotate_left(usize::from(first % 16).min(len));
    words.truncate(len - len * usize::from(first / 16 % 8) / 9);
    let other = words.concat();
    (text, other)
}

/// A pair is judged in the same way from either end, and an article with itself is exact.
pub fn compare(bytes: &[u8]) {
    static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(Profile::default()).with_threads(1));
    let (first, second) = two_texts(bytes);
    let published = |at: usize| bytes.get(at).map(|byte| i64::from(*byte) << 12);
    let article =
        |id: &str, text: &str, at| Article { published: published(at).map(crate::Timestamp), ..Article::new(id, text) };
    let (a, b) = (article("a", &first, 1), article("b", &second, 2));
    let (forth, back) = (ENGINE.judge(&a, &b), ENGINE.judge(&b, &a));
    assert_eq!(forth.margin, back.margin);
    assert_eq!(forth.probability_e4, back.probability_e4);
    assert_eq!(forth.evidence.values, back.evidence.values);
    assert_eq!(forth.is_correction, back.is_correction);
    if a.published != b.published && forth.evidence.values == back.evidence.values {
        assert_eq!((forth.of_first(), forth.of_second()), (back.of_second(), back.of_first()));
    }
    let same = ENGINE.judge(&a, &a);
    assert!(matches!(same.relation, Relation::Exact | Relation::Undecidable), "{:?}", same.relation);
}

/// Nothing of an article's text or name gets into the page as markup.
pub fn report(bytes: &[u8]) {
    let (first, second) = two_texts(bytes);
    // What follows the signs is nowhere else in the page.
    let marked =
        |text: &str| text.replace('<', "<zq9").replace('"', "\"zq9").replace('\'', "'zq9").replace('&', "&zq9");
    let title = marked(&first.chars().take(80).collect::<String>());
    let article = |id: &str, text: &str| Article {
        source: Some(title.as_str().into()),
        ..Article::new(format!("{id}{title}"), marked(text)).with_title(&title)
    };
    let engine = Engine::new(Profile::default()).with_threads(1).with_texts(Texts::Held);
    let articles =
        [article("a", &first), article("b", &second), article("c", &format!("{STORY} {first}")), article("d", STORY)];
    let clustering = engine.cluster(articles).expect("the ids differ");
    let rejects =
        [Reject { block: 1, line: 1, file: title.clone(), offset: 0, reason: marked(&second), record: marked(&first) }];
    let run =
        Run { inputs: vec![title.clone()], rejects: &rejects, num_rejects: rejects.len() as u64, ..Run::default() };
    let page = to_html(&clustering, &run);
    for sign in ["<zq9", "&zq9"] {
        assert!(!page.contains(sign), "{sign}");
    }
    for sign in ["\"zq9", "'zq9"] {
        // Within the JSON of a script a quote has a stroke before it, and an apostrophe means nothing.
        let (mut markup, mut rest) = (String::new(), page.as_str());
        while let Some((before, script)) = rest.split_once("<script") {
            markup.push_str(before);
            rest = script.split_once("</script>").expect("a script ends").1;
        }
        markup.push_str(rest);
        assert!(!markup.contains(sign), "{sign}");
    }
}

/// The sketch id that forged files state.
const SKETCH: &str = "0123456789abcdef";

fn scratch_file() -> &'static Path {
    static FILE: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("file");
        (folder, path)
    });
    &FILE.1
}

/// A file of an index is read or refused, with its checksums as they come and put right: segments, runs of keys, logs,
/// manifests.
pub fn index_file(bytes: &[u8]) {
    let Some((kind, rest)) = choose(&[0, 1, 2], bytes) else { return };
    for is_mended in [false, true] {
        let mut file = rest.to_vec();
        match kind {
            0 => {
                if is_mended {
                    forge::mend_segment(&mut file);
                }
                read_segment(&file);
            }
            1 => {
                if is_mended {
                    forge::mend_log(&mut file);
                }
                std::fs::write(scratch_file(), &file).expect("a temporary file");
                if let Ok((frames, len)) = read_log(scratch_file(), SKETCH) {
                    let payloads: usize = frames.iter().map(|frame| frame.payload.len()).sum();
                    assert_eq!(len as usize, 64 + 32 * frames.len() + payloads);
                }
            }
            _ => {
                let mut text = String::from_utf8_lossy(&file).into_owned();
                if is_mended {
                    text = forge::mend_manifest(&text);
                }
                let folder = scratch_file().parent().expect("it lies in a folder");
                std::fs::write(folder.join("manifest.toml"), text).expect("a temporary file");
                let _ = Manifest::read(folder);
            }
        }
    }
}

fn read_segment(file: &[u8]) {
    // A file that is mapped must not be cut: each is a new one.
    let _ = std::fs::remove_file(scratch_file());
    std::fs::write(scratch_file(), file).expect("a temporary file");
    for (kind, num_sections) in [(Kind::Articles, 5), (Kind::Keys, 2), (Kind::State, 1), (Kind::Changes, 1)] {
        if let Ok(segment) = Segment::open(scratch_file(), kind, SKETCH, num_sections) {
            for section in 0..num_sections {
                let len = segment.section_len(section);
                if segment.bytes(section, 0, len).is_ok() {
                    assert_eq!(segment.unchecked(section).len(), len);
                }
                let _ = segment.bytes(section, len / 2, 8);
                assert!(segment.bytes(section, len, 1).is_err());
            }
            segment.check_all();
        }
    }
    if let Ok(run) = KeyRun::open(scratch_file(), SKETCH) {
        let mut entries = Vec::new();
        for list in 0..NUM_LISTS {
            entries.clear();
            let _ = run.list_entries(list, &mut entries);
            for entry in entries.iter().take(4) {
                let _ = run.find((list as u64) << 32 | entry >> 32, &mut Vec::new());
            }
            let _ = run.find((list as u64) << 32 | 0x1234_5678, &mut Vec::new());
        }
    }
}

/// Files by name, and answers one after another.
type Told = (Vec<(String, Vec<u8>)>, Vec<Vec<String>>);

/// The files of a small index, and what it said before any change that its log holds and after each.
static FOLDER: LazyLock<Told> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("index");
    let mut index = Index::open(&path, index_engine()).expect("a new index");
    let articles = |part: usize| {
        let texts = [STORY, OTHER, &STORY[40..], &OTHER[30..], STORY];
        texts.iter().enumerate().map(|(at, text)| Article::new(format!("{part}-{at}"), *text)).collect::<Vec<_>>()
    };
    index.add(articles(0)).expect("added");
    index.flush().expect("flushed");
    index.remove(["0-2"]).expect("removed");
    index.flush().expect("flushed");
    let said = || answers(&path).expect("it is whole");
    let mut told = vec![said()];
    index.add(articles(1)).expect("added");
    told.push(said());
    index.remove(["0-3"]).expect("removed");
    told.push(said());
    drop(index);
    assert!(Index::check(&path).expect("it is whole").problems.is_empty());
    let names = std::fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<(String, Vec<u8>)> = names
        .map(|path| {
            let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("it is there"))
        })
        .collect();
    files.sort();
    (files, told)
});

fn index_engine() -> Engine {
    Engine::new(Profile::default()).with_threads(1)
}

/// What an index says: its clusters, and what it has for two queries; nothing where it says that it is damaged.
fn answers(folder: &Path) -> Option<Vec<String>> {
    let index = Index::read(folder, index_engine()).ok()?;
    let mut said = Vec::new();
    for (id, text) in [("q", STORY), ("0-1", OTHER)] {
        let hits = index.query(&Article::new(id, text)).ok()?;
        said.extend(hits.iter().map(|hit| format!("{} {:?}", hit.id, hit.relation)));
    }
    let clusters = index.clusters().ok()?;
    let name = |rank: u32| clusters.articles.get(rank).id();
    said.extend(clusters.members.iter().map(|m| format!("{} {} {:?}", name(m.article), name(m.cluster), m.relation)));
    Some(said)
}

/// An index with bytes changed in any of its files gives the answers that it gave before, or says that it is damaged; it is
/// looked through and written to, if it can be. Whoever puts the checksums right, too, may write to the folder and is
/// trusted. Where the log and what it tells of stories are both damaged, the last changes may be taken for one that was being
/// written: then the answers are those of before.
pub fn index_folder(bytes: &[u8]) {
    let (whole, told) = &*FOLDER;
    let mut files = whole.clone();
    for patch in bytes.chunks_exact(5).take(4) {
        let num_files = files.len();
        let file = &mut files[usize::from(patch[0]) % num_files].1;
        let at = usize::from(patch[1]) << 16 | usize::from(patch[2]) << 8 | usize::from(patch[3]);
        if let Some(byte) = at.checked_rem(file.len()).and_then(|at| file.get_mut(at)) {
            *byte = patch[4];
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, file) in &files {
        std::fs::write(folder.path().join(name), file).expect("a temporary file");
    }
    let _ = Index::check(folder.path());
    let pairs = whole.iter().zip(&files);
    let changed: Vec<&str> =
        pairs.filter(|(before, after)| before.1 != after.1).map(|(before, _)| before.0.as_str()).collect();
    let hides_last = changed.contains(&"stories.jsonl") && changed.iter().any(|name| name.starts_with("log-"));
    let (last, earlier) = told.split_last().expect("it said something before any change");
    if let Some(said) = answers(folder.path()) {
        assert!(said == *last || hides_last && earlier.contains(&said), "{changed:?}: {said:?}, not {last:?}");
    }
    if let Ok(mut index) = Index::open(folder.path(), index_engine()) {
        let _ = index.add(vec![Article::new("new", OTHER)]);
        let _ = index.remove(["0-0"]);
        let _ = index.compact();
    }
}

/// What the targets begin with that is no fixture.
#[must_use]
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let with = |first: u8, file: &[u8]| [&[first], file].concat();
    match target {
        "index_file" => {
            let kind = |name: &str| if name.ends_with(".seg") { 0 } else { 1 + u8::from(!name.ends_with(".log")) };
            let named = |name: &String| [".seg", ".log", ".toml"].iter().any(|end| name.ends_with(end));
            // The forged files state a sketch id of their own.
            let of = Profile::default().sketch_id();
            let renamed = |file: &[u8]| {
                let mut file = file.to_vec();
                if let Some(at) = file.windows(16).position(|bytes| bytes == of.as_bytes()) {
                    file[at..at + 16].copy_from_slice(SKETCH.as_bytes());
                }
                file
            };
            FOLDER
                .0
                .iter()
                .filter(|(name, _)| named(name))
                .map(|(name, file)| with(kind(name), &renamed(file)))
                .collect()
        }
        "index_folder" => (0..FOLDER.0.len() as u8).map(|file| vec![file, 0, 1, 8, 1]).collect(),
        "profile" => vec![Profile::default().to_toml().into_bytes()],
        "weights" => {
            let counts = [(5, 1000), (9, 10), (u32::MAX, 2), (77, 1)].into_iter().collect();
            vec![Weights::from_counts("en", 1000, &counts, 1).to_bytes()]
        }
        "compare" | "report" => [60, 200, 255].map(|first| with(first, format!("{STORY} {OTHER}").as_bytes())).to_vec(),
        "tokens" => vec![STORY.into(), OTHER.into(), "東京で四日、道路が二本。 “Łódź” e\u{301} 3.5 million".into()],
        _ => Vec::new(),
    }
}

/// The files that a target begins with, under the folder `fixtures`.
#[must_use]
pub fn fixtures(patterns: &[&str], folder: &Path) -> Vec<PathBuf> {
    let found = |pattern: &&str| {
        let pattern = folder.join(pattern);
        let paths = glob::glob(pattern.to_str().expect("the tree's own path is text")).expect("a pattern");
        paths.map(|path| path.expect("the tree can be read"))
    };
    patterns.iter().flat_map(found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixtures_seeds_and_finds_hold() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let mut broken = Vec::new();
        for (name, hold, patterns) in TARGETS {
            let mut inputs: Vec<(String, Vec<u8>)> =
                seeds(name).into_iter().enumerate().map(|(at, seed)| (format!("seed {at}"), seed)).collect();
            for file in [fixtures(patterns, &folder), fixtures(&[&format!("fuzz/{name}/*")], &folder)].concat() {
                let bytes = std::fs::read(&file).expect("a fixture can be read");
                inputs.push((file.display().to_string(), bytes));
            }
            assert!(!inputs.is_empty(), "{name} begins with nothing");
            let breaks = |(_, bytes): &(String, Vec<u8>)| std::panic::catch_unwind(|| hold(bytes)).is_err();
            broken.extend(inputs.into_iter().filter(breaks).map(|(input, _)| format!("{name}: {input}")));
        }
        assert!(broken.is_empty(), "{broken:#?}");
    }
}
