//! Statistics of the sketches: fixed seeds, two-sided bounds. A bound that fails is a changed estimator, not bad luck.

use samestory::hash::derived_seed;
use samestory::lsh::Bands;
use samestory::shingle::shingle_hashes;
use samestory::sketch::{MinHasher, RecordBuf, estimated_jaccard, simhash};
use samestory::text::Document;
use samestory::{Article, Profile};

const NUM_SLOTS: usize = 128;
/// Elements of the union of two sets.
const UNION_LEN: u64 = 1000;

/// Two sets whose union has [`UNION_LEN`] elements, of which `shared` are in both.
fn two_sets(shared: u64, seed: u64) -> (Vec<u64>, Vec<u64>) {
    let element = |i| derived_seed(seed, i);
    let only_first = (UNION_LEN - shared) / 2;
    let first = (0..shared + only_first).map(element).collect();
    let second = (0..shared).chain(shared + only_first..UNION_LEN).map(element).collect();
    (first, second)
}

/// Estimates of a Jaccard similarity under as many seeds of sets and functions.
fn estimates(shared: u64, num_trials: u64) -> Vec<f64> {
    (0..num_trials)
        .map(|trial| {
            let (first, second) = two_sets(shared, 1_000_003 * shared + trial);
            let hasher = MinHasher::new(NUM_SLOTS, trial);
            estimated_jaccard(&hasher.signature(&first), &hasher.signature(&second))
        })
        .collect()
}

#[test]
fn minhash_is_unbiased_with_the_variance_of_independent_slots() {
    let num_trials = 400;
    for shared in [100, 300, 500, 800] {
        let jaccard = shared as f64 / UNION_LEN as f64;
        let estimates = estimates(shared, num_trials);
        let n = num_trials as f64;
        let mean = estimates.iter().sum::<f64>() / n;
        let variance = estimates.iter().map(|e| (e - mean) * (e - mean)).sum::<f64>() / (n - 1.0);
        let expected_variance = jaccard * (1.0 - jaccard) / NUM_SLOTS as f64;
        let standard_error = (expected_variance / n).sqrt();
        assert!(
            (mean - jaccard).abs() < 4.0 * standard_error,
            "J {jaccard}: mean {mean:.4}, error {standard_error:.4}"
        );
        let share = variance / expected_variance;
        assert!((0.65..1.35).contains(&share), "J {jaccard}: variance {share:.2} times the expected");
    }
}

#[test]
fn pairs_meet_in_a_band_as_the_curve_says() {
    let params = Profile::default().sketch().clone();
    let wanted = |percent: u32| f64::from(percent) / 100.0;
    let shipped = Bands::choose(NUM_SLOTS, wanted(params.band_similarity_percent), wanted(params.band_recall_percent));
    let num_trials = 400u32;
    let mut middling = 0;
    for bands in [shipped, Bands { num_bands: 16, num_rows: 8 }, Bands { num_bands: 32, num_rows: 4 }] {
        for shared in [100, 200, 300, 400, 500, 650, 800] {
            let mut met = 0u32;
            for trial in 0..num_trials {
                let (first, second) = two_sets(shared, 7_000_003 * shared + u64::from(trial));
                let hasher = MinHasher::new(NUM_SLOTS, 90_000 + u64::from(trial));
                let (first, second) = (hasher.signature(&first), hasher.signature(&second));
                let shares = |band| {
                    let key = bands.key(&first, band, 0);
                    key.is_some() && key == bands.key(&second, band, 0)
                };
                met += u32::from((0..bands.num_bands).any(shares));
            }
            let jaccard = shared as f64 / UNION_LEN as f64;
            let (rate, expected) = (f64::from(met) / f64::from(num_trials), bands.recall_at(jaccard));
            let sigma = (expected * (1.0 - expected) / f64::from(num_trials)).sqrt();
            // Half a trial: where nearly none or nearly all meet, the count cannot be nearer.
            let bound = 4.0 * sigma + 0.5 / f64::from(num_trials);
            assert!(
                (rate - expected).abs() <= bound,
                "{bands:?}, J {jaccard}: {rate:.4} for {expected:.4} ± {bound:.4}"
            );
            middling += u32::from((0.05..0.95).contains(&expected));
        }
    }
    assert!(middling >= 5, "only {middling} points tested the slope of the curve");
}

/// The fingerprint of a text of `num_shared` common words and 200 - `num_shared` of its own.
fn fingerprint(num_shared: u64, own: u64, profile: &Profile) -> u64 {
    // Words of random letters: none is a stop word, all are as rare as can be.
    let word = |seed: u64, i: u64| -> String {
        let mut bits = derived_seed(seed, i);
        (0..9)
            .map(|_| {
                let letter = b"bdfgklmnprtv"[(bits % 12) as usize];
                bits /= 12;
                char::from(letter)
            })
            .collect()
    };
    let shared = (0..num_shared).map(|i| word(11, i));
    let rest = (num_shared..200).map(|i| word(own, i));
    let text: Vec<String> = shared.chain(rest).collect();
    let mut article = Article::new("x", text.join(" "));
    article.language = Some("en".to_string());
    let document = Document::new(&article.text, 1000);
    assert_eq!(document.tokens.len(), 200);
    let shingles = shingle_hashes(&document.tokens, 5);
    simhash(&RecordBuf::new(&article, &document, &shingles, profile).record(), profile.sketch().seed)
}

#[test]
fn simhash_distance_falls_as_overlap_grows() {
    let profile = Profile::default();
    let num_trials = 100;
    let mean_distance = |num_shared: u64| {
        let total: u32 = (0..num_trials)
            .map(|trial| {
                let prints = [1000 + trial, 5000 + trial].map(|own| fingerprint(num_shared, own, &profile));
                (prints[0] ^ prints[1]).count_ones()
            })
            .sum();
        f64::from(total) / num_trials as f64
    };
    let means: Vec<f64> = [0, 50, 100, 150, 180, 200].into_iter().map(mean_distance).collect();
    assert!(means.is_sorted_by(|a, b| a > b), "{means:?}");
    // Unrelated: 64 fair coins, a standard deviation of 4, so 0.4 over the trials.
    assert!((means[0] - 32.0).abs() < 4.0 * 0.4, "{means:?}");
    // Charikar's theorem: two vectors at angle θ differ in θ/π of the bits; here the cosine is the shared part. The
    // shared words are the same in all trials, so their own chance part does not average out.
    for (mean, cosine) in means.iter().zip([0.0f64, 0.25, 0.5, 0.75, 0.9, 1.0]) {
        let expected = 64.0 * cosine.acos() / std::f64::consts::PI;
        assert!((mean - expected).abs() < 3.0, "{mean:.1} bits for {expected:.1}: {means:?}");
    }
    assert_eq!(means[5], 0.0);
}
