//! Files of earlier versions: read to the byte; cut, flipped and future ones are refused by name.

use samestory::Error;
use samestory::hash::HashMap;
use samestory::profile::{IDF_ONE, Weights};
use std::path::PathBuf;

/// The table that `fixtures/formats/v1/small.weights` holds.
pub(crate) fn small_table() -> Weights {
    let counts: HashMap<u32, u32> =
        [(0, 40), (7, 1000), (300, 12), (70_000, 2), (u32::MAX, 130), (9, 1)].into_iter().collect();
    Weights::from_counts("de", 1000, &counts, 2)
}

pub(crate) fn path() -> PathBuf {
    crate::support::fixture("formats/v1/small.weights")
}

fn bytes() -> Vec<u8> {
    std::fs::read(path()).expect("the file is in the tree: `cargo test --test it golden -- --ignored` writes it")
}

fn refusal(bytes: &[u8]) -> String {
    match Weights::from_bytes("t.weights", bytes) {
        Err(error @ Error::Weights { .. }) => error.to_string(),
        other => panic!("expected a weights error, got {other:?}"),
    }
}

#[test]
fn a_table_is_written_as_it_was() {
    assert_eq!(small_table().to_bytes(), bytes());
}

#[test]
fn a_table_reads() {
    let table = Weights::from_bytes("t.weights", &bytes()).unwrap();
    assert_eq!((table.language(), table.num_articles(), table.len()), ("de", 1000, 5));
    assert!(table.knows(u32::MAX) && table.knows(0) && !table.knows(9));
    // ln(1000/1000) = 0 counts as 1/16; ln(1000/40) = 3.2; a word unseen is one seen once, ln 1000 = 6.9.
    assert_eq!([7, 0, 9].map(|hash| table.idf(hash)), [1, 51, 110]);
    assert_eq!(table.idf(0) / IDF_ONE, 3);
    assert_eq!(table.to_bytes(), bytes());
    assert_eq!(table.checksum(), small_table().checksum());
}

#[test]
fn a_cut_table_is_refused() {
    let good = bytes();
    assert_eq!(refusal(b""), "weights table t.weights: not a weights table (its first four bytes are not SSWT)");
    assert!(refusal(&good[..20]).contains("not a weights table"));
    for cut in 36..good.len() {
        assert_eq!(
            refusal(&good[..cut]),
            "weights table t.weights: checksum does not match: the file is cut or damaged",
            "cut at {cut}"
        );
    }
    let longer = [&good[..], b"\0"].concat();
    assert!(refusal(&longer).contains("checksum does not match"));
}

#[test]
fn a_flipped_table_is_refused() {
    for at in 0..bytes().len() {
        for bit in 0..8 {
            let mut bad = bytes();
            bad[at] ^= 1 << bit;
            let expected = match at {
                0..4 => "not a weights table",
                4..8 => "format version",
                _ => "checksum does not match",
            };
            assert!(refusal(&bad).contains(expected), "bit {bit} of byte {at}: {}", refusal(&bad));
        }
    }
}

#[test]
fn a_future_table_is_refused() {
    let mut newer = bytes();
    newer[4] = 2;
    assert_eq!(refusal(&newer), "weights table t.weights: format version 2, this program reads version 1");
}

#[test]
fn a_table_with_a_right_checksum_and_wrong_entries_is_refused() {
    let seal = |mut content: Vec<u8>| {
        // The seed of the file's checksum, as `docs/format.md` gives it.
        let checksum = samestory::hash::hash64(&content, 0x5353_5754);
        content.extend_from_slice(&checksum.to_le_bytes());
        content
    };
    let good = bytes();
    let content = &good[..good.len() - 8];
    assert!(Weights::from_bytes("t.weights", &seal(content.to_vec())).is_ok());
    assert!(refusal(&seal(content[..content.len() - 1].to_vec())).contains("entries are missing"));
    assert!(refusal(&seal([content, &[1]].concat())).contains("bytes follow the last entry"));
    let mut more = content.to_vec();
    more[24..28].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(refusal(&seal(more)).contains("entries are missing"));
    let mut fewer_articles = content.to_vec();
    fewer_articles[16..24].copy_from_slice(&3u64.to_le_bytes());
    assert!(refusal(&seal(fewer_articles)).contains("an entry is out of range"));
    let mut language = content.to_vec();
    language[8] = 0xff;
    assert!(refusal(&seal(language)).contains("language is no text"));
}
