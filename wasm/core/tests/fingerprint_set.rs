//! The set of claimed fingerprints against a HashSet.

mod common;

use blockvault_core::fingerprint_set::FingerprintSet;
use common::Random;
use std::collections::HashSet;

#[test]
fn answers_like_a_set() {
    let mut random = Random::seeded();
    let (mut set, mut model) = (FingerprintSet::default(), HashSet::new());
    let mut known: Vec<[u8; 32]> = Vec::new();
    for _ in 0..500 {
        let batch: Vec<[u8; 32]> = (0..random.below(300))
            .map(|_| {
                let mut fingerprint = if known.is_empty() || random.below(2) == 0 {
                    random.bytes()
                } else {
                    known[random.below(known.len())]
                };
                // Every byte counts, also those the chunk index does not keep.
                if random.below(8) == 0 {
                    fingerprint[random.below(32)] ^= 1;
                }
                known.push(fingerprint);
                fingerprint
            })
            .collect();
        set.reserve(batch.len()).unwrap();
        for fingerprint in batch {
            assert_eq!(set.claim(&fingerprint), model.insert(fingerprint));
        }
        assert_eq!(set.size(), model.len());
    }
}

#[test]
fn a_repeat_within_a_batch_is_not_new() {
    let mut set = FingerprintSet::default();
    set.reserve(3).unwrap();
    assert_eq!([1, 1, 2].map(|byte| set.claim(&[byte; 32])), [true, false, true]);
}
