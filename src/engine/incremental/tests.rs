//! The index against its slow twin, a run over all that is live; and against a disk that stops anywhere.

use super::*;
use crate::article::Article;
use crate::engine::Versions;
use crate::hash::mix64;
use crate::index::{Faults, FileEntry};
use crate::lsh::Crowd;
use crate::profile::Profile;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 += 1;
        mix64(self.0)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// Stories from a few hundred words: copies, trims, rewordings, templates with other figures, exact copies, stubs.
fn feed(num: usize, random: &mut Random) -> Vec<Article> {
    const NAMES: [&str; 40] = [
        "ferry",
        "harbour",
        "minister",
        "Odilia",
        "Batanes",
        "coast",
        "guard",
        "wheat",
        "futures",
        "Chicago",
        "glacier",
        "Kestrel",
        "tribunal",
        "ruling",
        "copper",
        "mine",
        "strike",
        "Antofagasta",
        "vaccine",
        "trial",
        "Leeds",
        "bridge",
        "collapse",
        "inquiry",
        "senate",
        "Lusaka",
        "drought",
        "reservoir",
        "turbine",
        "Aalborg",
        "orchestra",
        "Porto",
        "festival",
        "cyclist",
        "verdict",
        "refinery",
        "Basra",
        "satellite",
        "launch",
        "Kourou",
    ];
    const VERBS: [&str; 16] = [
        "reached",
        "closed",
        "opened",
        "rejected",
        "approved",
        "delayed",
        "blamed",
        "rescued",
        "carried",
        "promised",
        "warned",
        "inspected",
        "measured",
        "repaired",
        "counted",
        "ended",
    ];
    let sentence = |random: &mut Random| {
        let mut words = vec!["The"];
        for _ in 0..3 + random.below(4) {
            words.push(NAMES[random.below(NAMES.len())]);
            words.push(VERBS[random.below(VERBS.len())]);
            words.push(NAMES[random.below(NAMES.len())]);
        }
        format!("{} {}.", words.join(" "), random.below(900) + 20)
    };
    let mut stories: Vec<Vec<String>> = Vec::new();
    let template: Vec<String> = (0..6).map(|_| sentence(random)).collect();
    (0..num)
        .map(|number| {
            let kind = random.below(10);
            let mut sentences = match kind {
                0..=2 if !stories.is_empty() => {
                    let mut copy = stories[random.below(stories.len())].clone();
                    let at = random.below(copy.len());
                    match random.below(4) {
                        0 => copy[at] = sentence(random),
                        1 => copy.truncate(1 + copy.len() * 2 / 3),
                        2 => copy.swap(0, at),
                        _ => {}
                    }
                    copy
                }
                3 | 4 => {
                    let figure = random.below(5000);
                    template.iter().map(|part| part.replace("The", &format!("On Monday {figure} of the"))).collect()
                }
                5 if number % 3 == 0 => vec!["Closed.".to_string()],
                _ => (0..4 + random.below(6)).map(|_| sentence(random)).collect(),
            };
            if sentences.len() > 2 && random.below(12) == 0 {
                sentences.insert(0, "CORRECTED: figures in the second paragraph.".to_string());
            }
            let mut article = Article::new(format!("id-{}", mix64(number as u64) % 100_000), sentences.join(" "));
            article.published = (random.below(5) > 0).then(|| Timestamp(1_700_000_000 + random.below(500_000) as i64));
            article.origin.place = format!("feed:{number}").into();
            stories.push(sentences);
            article
        })
        .collect()
}

fn engine(bucket_cap: usize, component_limit: usize) -> Engine {
    let profile = Profile::default();
    let sketch = crate::profile::SketchParams { bucket_cap, ..profile.sketch().clone() };
    let mut engine = Engine::new(profile.with_sketch(sketch).unwrap()).with_threads(2).with_versions(Versions::Newest);
    engine.component_limit = component_limit;
    engine
}

type Row = (String, String, String, Option<&'static str>, u16, u32);

fn rows(clustering: &Clustering) -> Vec<Row> {
    let id = |rank: u32| clustering.articles.get(rank).id().to_string();
    let row = |member: &crate::engine::Member| {
        let relation = member.relation.map(|relation| relation.name());
        let ids = [member.article, member.cluster, member.representative].map(id);
        let [article, cluster, representative] = ids;
        (article, cluster, representative, relation, member.probability_e4, member.size)
    };
    clustering.members.iter().map(row).collect()
}

/// What lies in the log of stories, followed from its beginning.
fn followed(folder: &Path) -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(folder.join(files::EVENTS)).unwrap();
    let mut stories = BTreeMap::new();
    for line in text.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let article = event["article"].as_str().map(str::to_string);
        match event["event"].as_str().unwrap() {
            "join" => {
                stories.insert(article.unwrap(), event["story"].as_u64().unwrap());
            }
            "leave" => {
                let article = article.unwrap();
                // A new version may have come before the old one's going is told.
                if stories.get(&article) == event["story"].as_u64().as_ref() {
                    stories.remove(&article);
                }
            }
            _ => {}
        }
    }
    stories
}

fn assert_as_batch(index: &Index, live: &BTreeMap<String, Article>, engine: &Engine, what: &str) {
    let batch = engine.cluster(live.values().cloned()).unwrap();
    let mine = index.clusters().unwrap();
    let other: Vec<(Row, Row)> =
        rows(&mine).into_iter().zip(rows(&batch)).filter(|(mine, batch)| mine != batch).take(3).collect();
    assert!(other.is_empty() && mine.members.len() == batch.members.len(), "{what}: {other:?}");
    // A story is a cluster with a name that lasts.
    let stories: BTreeMap<String, u32> = index.stories().unwrap().into_iter().collect();
    let mut cluster_of: BTreeMap<u32, &str> = BTreeMap::new();
    let mine = rows(&mine);
    for (article, cluster, ..) in &mine {
        assert_ne!(stories[article], 0, "{what}");
        assert_eq!(*cluster_of.entry(stories[article]).or_insert(cluster), cluster, "{what}: {article}");
    }
    let clusters: std::collections::BTreeSet<&String> = mine.iter().map(|row| &row.1).collect();
    assert_eq!(cluster_of.len(), clusters.len(), "{what}");
}

/// Each crowded bucket that is kept is as one made anew; how many there are.
fn assert_crowds(index: &Index, what: &str) -> usize {
    let crowds = index.crowds.all();
    for (key, crowd) in &crowds {
        let mut members = Vec::new();
        index.runs.find(*key, &mut members).unwrap();
        members.dedup();
        members.retain(|ordinal| index.state.takes_part(*ordinal));
        index.sort_by_id(&mut members).unwrap();
        assert_eq!(format!("{crowd:?}"), format!("{:?}", Crowd::new(index.bucket(*key), members)), "{what}");
    }
    crowds.len()
}

#[test]
fn portions_removals_and_expiry_end_as_one_run() {
    let mut num_crowds = 0;
    for seed in 0..8 {
        let mut random = Random(seed << 32);
        let engine = if seed % 2 == 0 { engine(8, 20) } else { engine(32, 400) };
        let engine = if seed < 6 { engine } else { engine.with_records(Records::Thin) };
        let articles = feed(260, &mut random);
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("index");
        let mut index = Index::open(&folder, engine.clone()).unwrap();
        index.flush_len = 64;
        let mut live: BTreeMap<String, Article> = BTreeMap::new();
        let mut all = articles.into_iter().peekable();
        let mut step = 0;
        while all.peek().is_some() {
            step += 1;
            let portion: Vec<Article> = all.by_ref().take(1 + random.below(60)).collect();
            let cutoff = index.state.cutoff;
            for article in portion.iter().filter(|article| article.published.is_none_or(|time| time.0 >= cutoff)) {
                let id = article.id.to_string();
                // Of one id the newest stands.
                let newer = |old: &Article| {
                    let key = |a: &Article| (a.published, crate::hash::hash128(a.text.as_bytes()));
                    key(article) > key(old)
                };
                if live.get(&id).is_none_or(newer) {
                    live.insert(id, article.clone());
                }
            }
            index.add(portion).unwrap();
            match random.below(6) {
                0 => {
                    let ids: Vec<String> = live.keys().filter(|_| random.below(6) == 0).cloned().collect();
                    assert_eq!(index.remove(ids.iter().map(String::as_str)).unwrap(), ids.len() as u64);
                    ids.iter().for_each(|id| drop(live.remove(id)));
                }
                1 => {
                    let before = Timestamp(1_700_000_000 + random.below(120_000) as i64);
                    if random.below(2) == 0 {
                        index.expire(before).unwrap();
                    } else {
                        index.hide_before(before).unwrap();
                    }
                    live.retain(|_, article| article.published.is_none_or(|time| time.0 >= index.state.cutoff));
                }
                2 => {
                    drop(index);
                    index = Index::open(&folder, engine.clone()).unwrap();
                    index.flush_len = 64;
                }
                3 => index.compact().unwrap(),
                4 => index.flush().unwrap(),
                // An offer that is not taken.
                _ => drop(index.offer(feed(20, &mut Random(seed << 32 | step)))),
            }
            // What has expired may not come back.
            let cutoff = index.state.cutoff;
            live.retain(|_, article| article.published.is_none_or(|time| time.0 >= cutoff));
            let what = format!("seed {seed}, step {step}");
            let reader = Index::read(&folder, engine.clone()).unwrap();
            for article in live.values().skip(random.below(9)).step_by(9) {
                let text = article.text.split_once(' ').map_or("", |(_, rest)| rest);
                let guest = Article::new(format!("~ {}", article.id), text);
                let hits = index.query(&guest).unwrap();
                // A reader derives what follows from an expiry.
                if index.is_expiry_done {
                    assert!(hits == reader.query(&guest).unwrap(), "{what}: {}", article.id);
                }
            }
            num_crowds += assert_crowds(&index, &what);
            index.finish_expiry().unwrap();
            assert_crowds(&index, &what);
            if step % 3 == 0 {
                assert_as_batch(&index, &live, &engine, &what);
            }
        }
        assert_as_batch(&index, &live, &engine, &format!("seed {seed}"));
        assert_eq!(index.len(), live.len());
        let stories = index.stories().unwrap();
        let told: Vec<(String, u64)> = followed(&folder).into_iter().collect();
        assert_eq!(told, stories.into_iter().map(|(id, story)| (id, u64::from(story))).collect::<Vec<_>>(), "{seed}");
        let checked = Index::check(&folder).unwrap();
        assert!(checked.problems.is_empty() && checked.foreign.is_empty(), "{checked:?}");
        // A reader sees the same.
        assert_as_batch(&Index::read(&folder, engine.clone()).unwrap(), &live, &engine, "reader");
    }
    assert!(num_crowds > 1000, "{num_crowds}");
}

#[test]
fn what_came_before_a_moment_ahead_is_gone_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(8, 20);
    let mut index = Index::open(&folder.path().join("index"), engine.clone()).unwrap();
    let mut articles = feed(60, &mut Random(5));
    articles.iter_mut().for_each(|article| article.published = None);
    let ahead = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64 + 1_000_000;
    index.add(articles[..30].to_vec()).unwrap();
    index.hide_before(Timestamp(ahead)).unwrap();
    // What comes without a date is from now, and so from before.
    assert_eq!(index.add(articles[30..].to_vec()).unwrap().num_expired, 30);
    articles.iter_mut().for_each(|article| article.published = Some(Timestamp(ahead)));
    index.add(articles.clone()).unwrap();
    assert_crowds(&index, "all are dated");
    let live = articles.into_iter().map(|article| (article.id.to_string(), article)).collect();
    assert_as_batch(&index, &live, &engine, "all are dated");
}

/// What a disk that stops at any step leaves behind is an index that holds what was acknowledged, and perhaps what was being
/// written.
#[test]
fn a_disk_that_stops_anywhere_loses_nothing() {
    let engine = engine(8, 20);
    let articles = feed(90, &mut Random(77));
    let story = |folder: &Path, disk: &Disk, done: &mut usize| -> Result<()> {
        let mut index = Index::open_on(disk, folder, engine.clone())?;
        index.flush_len = 40;
        *done = 1;
        for portion in articles.chunks(18) {
            index.add(portion.to_vec())?;
            *done += 1;
        }
        index.flush()?;
        index.remove([articles[3].id.as_str(), articles[40].id.as_str()])?;
        *done += 1;
        index.flush()?;
        assert!(!index.manifest.changes.is_empty(), "what became of the state is written, not all of it");
        index.expire(Timestamp(1_700_060_000))?;
        *done += 1;
        index.compact()?;
        *done += 1;
        index.add(feed(100, &mut Random(78))[90..].to_vec())?;
        *done += 1;
        Ok(())
    };
    // What the index says after each step that was done.
    let rows_after = |num_steps: usize| -> Vec<Row> {
        let mut live: BTreeMap<String, Article> = BTreeMap::new();
        let put = |live: &mut BTreeMap<String, Article>, some: &[Article], cutoff: i64| {
            for article in some.iter().filter(|article| article.published.is_none_or(|time| time.0 >= cutoff)) {
                let key = |a: &Article| (a.published, crate::hash::hash128(a.text.as_bytes()));
                if live.get(article.id.as_str()).is_none_or(|old| key(article) > key(old)) {
                    live.insert(article.id.to_string(), article.clone());
                }
            }
        };
        let num_portions = articles.len().div_ceil(18);
        for step in 1..num_steps {
            if step <= num_portions {
                put(&mut live, &articles[(step - 1) * 18..articles.len().min(step * 18)], i64::MIN);
            } else if step == num_portions + 1 {
                live.remove(articles[3].id.as_str());
                live.remove(articles[40].id.as_str());
            } else if step == num_portions + 2 {
                live.retain(|_, article| article.published.is_none_or(|time| time.0 >= 1_700_060_000));
            } else if step == num_portions + 4 {
                put(&mut live, &feed(100, &mut Random(78))[90..], 1_700_060_000);
            }
        }
        rows(&engine.cluster(live.into_values()).unwrap())
    };
    let temporary = tempfile::tempdir().unwrap();
    let whole = Arc::new(Faults::after(1 << 40));
    let mut num_steps = 0;
    story(&temporary.path().join("whole"), &Disk::with_faults(&whole), &mut num_steps).unwrap();
    let num_writes = whole.num_taken(1 << 40);
    assert!(num_writes > 60, "{num_writes}");
    let expected: Vec<Vec<Row>> = (0..=num_steps).map(rows_after).collect();
    for stop in 0..num_writes {
        for power in ["on", "off", "off, with zeros left"] {
            let folder = temporary.path().join(format!("{stop}-{power}"));
            let faults = Arc::new(Faults::after(stop));
            let mut done = 0;
            let failed = story(&folder, &Disk::with_faults(&faults), &mut done);
            assert!(failed.is_err() && faults.has_stopped(), "step {stop}");
            if power != "on" {
                faults.lose_power(power.ends_with("left"));
            }
            // A reader finds what was there, or nothing where not even that was written.
            let index = match Index::open(&folder, engine.clone()) {
                Ok(index) => index,
                Err(error) => panic!("step {stop}, power {power}: {error}"),
            };
            let found = rows(&index.clusters().unwrap());
            assert!(
                found == expected[done] || found == expected[done + 1],
                "step {stop}, power {power}: {done} steps were acknowledged"
            );
            let checked = Index::check(&folder).unwrap();
            assert!(checked.problems.is_empty(), "step {stop}: {:?}", checked.problems);
            assert!(checked.leftovers.is_empty() && checked.foreign.is_empty(), "step {stop}: {checked:?}");
            std::fs::remove_dir_all(&folder).unwrap();
        }
    }
}

/// A byte that was changed or a file that was cut is named when the index is opened, looked at or asked; nothing else comes
/// out, and nothing panics.
#[test]
fn damage_is_named() {
    let engine = engine(32, 400);
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("index");
    let mut index = Index::open(&folder, engine.clone()).unwrap();
    index.flush_len = 60;
    let articles = feed(150, &mut Random(5));
    for portion in articles.chunks(50) {
        index.add(portion.to_vec()).unwrap();
    }
    index.flush().unwrap();
    assert_eq!(index.remove([articles[7].id.as_str()]).unwrap(), 1);
    index.flush().unwrap();
    assert!(!index.manifest.changes.is_empty(), "there is a file of changes");
    index.add(feed(160, &mut Random(5))[150..].to_vec()).unwrap();
    let expected = rows(&index.clusters().unwrap());
    drop(index);
    let files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("lock") && !path.ends_with(files::EVENTS))
        .collect();
    let mut random = Random(9);
    for round in 0..500 {
        let path = &files[round % files.len()];
        let whole = std::fs::read(path).unwrap();
        let mut bytes = whole.clone();
        let at = random.below(bytes.len());
        let is_cut = round % 3 == 0;
        if is_cut {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1 << random.below(8);
        }
        std::fs::write(path, &bytes).unwrap();
        let is_named = match Index::check(&folder) {
            Ok(checked) => !checked.problems.is_empty(),
            Err(_) => true,
        };
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(is_named, "{name}, byte {at}, cut {is_cut}");
        match Index::read(&folder, engine.clone()).and_then(|index| index.clusters()) {
            Ok(clustering) => assert_eq!(rows(&clustering), expected, "{name}, byte {at}"),
            Err(error) => assert!(matches!(error, Error::IndexDamaged { .. } | Error::IndexFormat { .. }), "{error:?}"),
        }
        std::fs::write(path, &whole).unwrap();
    }
    assert!(Index::check(&folder).unwrap().problems.is_empty());
    assert_eq!(rows(&Index::open(&folder, engine).unwrap().clusters().unwrap()), expected);
}

/// Who finds no index, waits for the lock and gets it when another has made one, takes nothing away.
#[test]
fn an_index_is_made_once() {
    let engine = engine(32, 400);
    let temporary = tempfile::tempdir().unwrap();
    let mut index = Index::open(temporary.path(), engine.clone()).unwrap();
    index.add(feed(30, &mut Random(1))).unwrap();
    let len = index.len();
    drop(index);
    Index::create(&Disk::default(), temporary.path(), &engine).unwrap();
    assert_eq!(Index::open(temporary.path(), engine).unwrap().len(), len);
}

/// Segments that the manifest speaks of otherwise than they do are refused, and named.
#[test]
fn a_manifest_of_other_segments_is_refused() {
    let engine = engine(32, 400);
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    let mut index = Index::open(folder, engine.clone()).unwrap();
    for portion in feed(90, &mut Random(11)).chunks(60) {
        index.add(portion.to_vec()).unwrap();
        index.flush().unwrap();
    }
    let whole = index.manifest.clone();
    drop(index);
    assert!(whole.keys.len() == 2 && whole.articles.len() == 2);
    let refused = |manifest: &Manifest| {
        manifest.write(&Disk::default(), folder).unwrap();
        assert!(!Index::check(folder).unwrap().problems.is_empty());
        Index::read(folder, engine.clone()).unwrap_err().to_string()
    };
    // As many in all, parted elsewhere.
    let parted = |entries: &[FileEntry]| {
        let [mut first, mut second] = [entries[0], entries[1]];
        (first.num, second.first, second.num) = (first.num - 1, second.first - 1, second.num + 1);
        vec![first, second]
    };
    let error = refused(&Manifest { keys: parted(&whole.keys), ..whole.clone() });
    assert!(error.contains("keys-") && error.contains("other articles"), "{error}");
    let error = refused(&Manifest { articles: parted(&whole.articles), ..whole.clone() });
    assert!(error.contains("articles-") && error.contains("other articles"), "{error}");
    whole.write(&Disk::default(), folder).unwrap();
    assert!(Index::check(folder).unwrap().problems.is_empty());
}

/// Changes are kept to be written in place of the state only while that is less to write.
#[test]
fn changes_longer_than_the_state_are_let_go() {
    let engine = engine(32, 400);
    let temporary = tempfile::tempdir().unwrap();
    let mut index = Index::open(temporary.path(), engine.clone()).unwrap();
    let articles = feed(60, &mut Random(13));
    index.add(articles.clone()).unwrap();
    index.flush().unwrap();
    let state_len = std::fs::metadata(files::state_path(temporary.path(), index.manifest.state)).unwrap().len();
    let live: BTreeMap<String, Article> =
        articles.iter().map(|article| (article.id.to_string(), article.clone())).collect();
    let mut most = 0;
    for article in live.values().take(40) {
        assert_eq!(index.remove([article.id.as_str()]).unwrap(), 1);
        index.add(vec![article.clone()]).unwrap();
        most = most.max(index.unsaved.len());
    }
    assert!(most > 0 && 2 * most as u64 <= state_len, "{most} bytes of a state of {state_len}");
    assert_eq!(index.unsaved.len(), 0, "they were let go");
    index.flush().unwrap();
    assert!(index.manifest.changes.is_empty(), "the state is written whole");
    assert_as_batch(&Index::read(temporary.path(), engine.clone()).unwrap(), &live, &engine, "after a whole state");
}

/// A long log is put away, whether articles or removals made it long.
#[test]
fn a_log_does_not_grow_without_a_bound() {
    let temporary = tempfile::tempdir().unwrap();
    let mut index = Index::open(temporary.path(), engine(32, 400)).unwrap();
    let articles = feed(60, &mut Random(17));
    index.add(articles.clone()).unwrap();
    index.flush().unwrap();
    (index.flush_bytes, index.flush_len) = (1_000, usize::MAX);
    let log_len = |index: &Index| index.writing.as_ref().unwrap().log.len();
    let mut most = 0;
    for article in &articles[..40] {
        index.remove([article.id.as_str()]).unwrap();
        most = most.max(log_len(&index));
    }
    assert!(most < 1_000 && index.manifest.log > 1, "{most} bytes");
    let logs = index.manifest.log;
    index.add(articles[..10].to_vec()).unwrap();
    assert!(index.manifest.log > logs && log_len(&index) < 1_000);
}

/// A change that touches one cluster of a component writes that one.
#[test]
fn clusters_that_stay_are_not_written_again() {
    let temporary = tempfile::tempdir().unwrap();
    let mut index = Index::open(temporary.path(), engine(8, 20)).unwrap();
    let (mut num_formed, mut num_stayed) = (0, 0);
    for article in feed(160, &mut Random(19)) {
        let offer = index.offer(vec![article]).unwrap();
        for group in &offer.delta.formed {
            num_formed += 1;
            num_stayed += usize::from(index.state.groups.get(&group.story) == Some(group));
        }
        index.commit(offer).unwrap();
    }
    assert!(num_formed > 20 && num_stayed == 0, "{num_stayed} of {num_formed} were there before");
}

/// One that is made as another, but for the verdict: it takes more to match.
fn stricter(engine: &Engine) -> Engine {
    let verdict = crate::profile::VerdictParams { match_percent: 99, ..engine.profile().verdict().clone() };
    engine.clone().with_profile(engine.profile().clone().with_verdict(verdict).unwrap())
}

fn stories_of(index: &Index) -> BTreeMap<String, u64> {
    index.stories().unwrap().into_iter().map(|(id, story)| (id, u64::from(story))).collect()
}

/// What has expired and was not derived yet is told too.
#[test]
fn what_has_expired_is_told_when_all_is_judged_anew() {
    let temporary = tempfile::tempdir().unwrap();
    let mild = engine(32, 400);
    let mut index = Index::open(temporary.path(), mild.clone()).unwrap();
    index.add(feed(120, &mut Random(3))).unwrap();
    let len = index.len();
    index.hide_before(Timestamp(1_700_060_000)).unwrap();
    drop(index);
    let index = Index::judge_anew(temporary.path(), stricter(&mild)).unwrap();
    assert!((1..len).contains(&index.len()), "{} of {len}", index.len());
    assert_eq!(followed(temporary.path()), stories_of(&index));
}

/// What happened to stories when all was judged anew comes with the new manifest: lines that were lost are told again.
#[test]
fn what_is_judged_anew_is_told_for_good() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    let mild = engine(32, 400);
    let mut index = Index::open(folder, mild.clone()).unwrap();
    index.add(feed(120, &mut Random(3))).unwrap();
    drop(index);
    let events = folder.join(files::EVENTS);
    let told_before = std::fs::read(&events).unwrap();
    let strict = stricter(&mild);
    let index = Index::judge_anew(folder, strict.clone()).unwrap();
    let stories = stories_of(&index);
    drop(index);
    let told = std::fs::read(&events).unwrap();
    assert!(told.len() > told_before.len(), "no story was parted");
    assert_eq!(followed(folder), stories);
    std::fs::write(&events, &told_before).unwrap();
    drop(Index::open(folder, strict).unwrap());
    assert_eq!(followed(folder), stories);
}

#[test]
fn one_writes_and_many_read() {
    let engine = engine(32, 400);
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("index");
    assert!(matches!(Index::read(&folder, engine.clone()), Err(Error::NoIndex { .. })));
    let mut index = Index::open(&folder, engine.clone()).unwrap();
    index.add(feed(30, &mut Random(1))).unwrap();
    assert!(matches!(Index::open(&folder, engine.clone()), Err(Error::IndexInUse { .. })));
    let mut reader = Index::read(&folder, engine.clone()).unwrap();
    let before = rows(&reader.clusters().unwrap());
    index.add(feed(60, &mut Random(2))).unwrap();
    index.flush().unwrap();
    index.compact().unwrap();
    // The reader sees what was there when it opened the index, also when the files have gone.
    assert_eq!(rows(&reader.clusters().unwrap()), before);
    assert!(reader.add(Vec::new()).is_err());
    assert!(Index::read(&folder, engine.clone()).unwrap().len() > reader.len());
    let other = Engine::new(Profile::default()).with_level(crate::verify::Level::Near);
    assert!(matches!(Index::read(&folder, other), Err(Error::OtherIndex { .. })));
    let occupied = temporary.path().join("occupied");
    std::fs::create_dir(&occupied).unwrap();
    std::fs::write(occupied.join("letter.txt"), "x").unwrap();
    assert!(matches!(Index::open(&occupied, engine), Err(Error::ForeignFolder { .. })));
}

#[test]
fn an_index_knows_what_it_keeps() {
    let (whole, thin) = (engine(32, 400), engine(32, 400).with_records(Records::Thin));
    let articles = feed(60, &mut Random(5));
    let folder = tempfile::tempdir().unwrap();
    let paths = ["whole", "thin"].map(|name| folder.path().join(name));
    for (path, engine) in paths.iter().zip([&whole, &thin]) {
        let mut index = Index::open(path, engine.clone()).unwrap();
        index.add(articles.clone()).unwrap();
        index.compact().unwrap();
    }
    // Who does not ask takes what is there.
    let index = Index::open(&paths[1], whole.clone()).unwrap();
    assert_eq!(index.stats().records, Records::Thin);
    let expected = Index::read(&paths[1], thin.clone()).unwrap();
    assert_eq!(rows(&index.clusters().unwrap()), rows(&expected.clusters().unwrap()));
    assert_eq!(index.query(&articles[7]).unwrap(), expected.query(&articles[7]).unwrap());
    assert!(index.articles.record(3).content.len() < whole.analyze(&articles[3]).record.record().content.len());
    let refused = Index::open(&paths[0], thin).unwrap_err();
    assert!(matches!(refused, Error::OtherIndex { field: "records", .. }), "{refused}");
}

#[test]
fn what_has_expired_is_hidden_before_it_is_derived() {
    let engine = engine(8, 20);
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("index");
    let mut index = Index::open(&folder, engine.clone()).unwrap();
    let articles = feed(150, &mut Random(3));
    index.add(articles.clone()).unwrap();
    let moment = Timestamp(1_700_250_000);
    index.hide_before(moment).unwrap();
    let is_left = |article: &&Article| article.published.is_none_or(|time| time >= moment);
    let live: BTreeMap<String, Article> =
        articles.iter().filter(is_left).map(|article| (article.id.to_string(), article.clone())).collect();
    assert!(live.len() < articles.len() && index.len() == live.len());
    for article in articles.iter().filter(|article| !is_left(article)) {
        assert!(index.query(article).unwrap().iter().all(|hit| live.contains_key(&hit.id)));
    }
    // For the writer, for a reader of what it left, and for the next writer.
    assert_eq!(rows(&index.clusters().unwrap()), rows(&engine.cluster(live.values().cloned()).unwrap()));
    let reader = Index::read(&folder, engine.clone()).unwrap();
    assert_as_batch(&reader, &live, &engine, "reader");
    drop(index);
    let mut index = Index::open(&folder, engine.clone()).unwrap();
    assert_as_batch(&index, &live, &engine, "writer");
    // Stories that part have the same numbers for both.
    index.expire(moment).unwrap();
    assert_eq!(index.stories().unwrap(), reader.stories().unwrap());
}

#[test]
fn a_clock_that_runs_backwards_makes_nothing_older() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("index");
    let mut index = Index::open(&folder, engine(32, 400)).unwrap();
    // What a clock far ahead has left.
    let ahead = 9_000_000_000;
    index.state.arrival = ahead;
    index.add(vec![Article::new("a", "Rain fell.")]).unwrap();
    assert_eq!((index.whens[0], index.newest()), (ahead, ahead));
    drop(index);
    let mut index = Index::open(&folder, engine(32, 400)).unwrap();
    index.add(vec![Article::new("b", "Snow fell.")]).unwrap();
    assert_eq!(index.whens, [ahead, ahead]);
    // A date far ahead of its arrival is not believed, so that it lets nothing expire.
    let mut wrong = Article::new("c", "Hail fell.");
    wrong.published = Some(Timestamp(ahead * 2));
    index.add(vec![wrong]).unwrap();
    assert_eq!(index.newest(), ahead + 86_400);
}

#[test]
fn the_log_of_stories_is_mended_from_its_end() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("index");
    let engine = engine(32, 400);
    let mut index = Index::open(&folder, engine.clone()).unwrap();
    // Lines of one change that are longer than what is looked at first.
    let many: Vec<Article> = (0..6000).map(|n| Article::new(format!("{n:>60}"), "Rain.")).collect();
    index.add(vec![Article::new("first", "Snow fell.")]).unwrap();
    index.flush().unwrap();
    index.add(many).unwrap();
    drop(index);
    let path = folder.join(files::EVENTS);
    let whole = std::fs::read(&path).unwrap();
    assert!(whole.len() > 1 << 19);
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for len in [whole.len() - 1, whole.len() / 2, first + 7, first, first - 1, 0] {
        std::fs::write(&path, &whole[..len]).unwrap();
        drop(Index::open(&folder, engine.clone()).unwrap());
        // What lies in segments is not told again.
        let told = std::fs::read(&path).unwrap();
        assert_eq!(told.len(), if len < first { whole.len() - first } else { whole.len() }, "{len}");
        assert!(whole.ends_with(&told));
    }
}

#[test]
fn an_id_with_another_text_is_refused_or_a_version() {
    let story = |text: &str| {
        let long = "The ferry Santa Odilia ran aground off Batanes on Monday with passengers aboard, and fishermen                     brought most of them ashore before the coast guard came.";
        Article::new("a", format!("{long} {text}"))
    };
    let temporary = tempfile::tempdir().unwrap();
    let strict = Engine::new(Profile::default()).with_threads(1);
    let mut index = Index::open(&temporary.path().join("strict"), strict).unwrap();
    index.add(vec![story("One.")]).unwrap();
    assert!(matches!(index.add(vec![Article::new("b", "x"), story("Two.")]), Err(Error::RepeatedId { .. })));
    // Nothing of the portion is in.
    assert_eq!((index.len(), index.query(&story("One.")).unwrap().len()), (1, 1));
    assert_eq!(index.add(vec![story("One.")]).unwrap(), Added { num_repeated: 1, ..Added::default() });
    let mut index = Index::open(&temporary.path().join("newest"), engine(32, 400)).unwrap();
    index.add(vec![story("One.")]).unwrap();
    let mut newer = story("Two.");
    newer.version = Some(2);
    let added = index.add(vec![newer]).unwrap();
    assert_eq!((added.num_added, added.num_replaced, index.len()), (1, 1, 1));
    // The story goes on.
    assert_eq!(index.stories().unwrap(), [("a".to_string(), 1)]);
    let mut older = story("Three.");
    let stale = index.offer(vec![Article::new("b", "Rain.")]).unwrap();
    let fresh = index.offer(vec![Article::new("c", "Snow.")]).unwrap();
    assert!(matches!(index.commit(stale), Err(Error::StaleOffer)));
    index.commit(fresh).unwrap();
    // Compacting gives articles other ordinals: an offer from before is stale, also where as many were made since.
    let stale = index.offer(vec![Article::new("d", "Hail.")]).unwrap();
    index.compact().unwrap();
    drop(index.offer(vec![Article::new("e", "Fog.")]).unwrap());
    assert!(matches!(index.commit(stale), Err(Error::StaleOffer)));
    assert_eq!((index.len(), index.remove(["c"]).unwrap()), (2, 1));
    older.version = Some(1);
    assert_eq!(index.add(vec![older]).unwrap(), Added { num_older: 1, ..Added::default() });
}
