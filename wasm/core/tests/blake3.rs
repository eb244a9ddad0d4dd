//! Our BLAKE3 against the crate of its authors.

mod common;

use blockvault_core::blake3::Blake3;
use common::Random;

#[test]
fn every_length_around_blocks_chunks_and_subtrees() {
    let mut random = Random::seeded();
    let key = random.bytes();
    let input: Vec<u8> = (0..300_000).map(|_| random.next() as u8).collect();
    let mut hasher = Blake3::keyed(&key);
    let edges = (1..=290).flat_map(|chunk| [chunk * 1024 - 1, chunk * 1024, chunk * 1024 + 1]);
    for length in (0..=9 * 1024).step_by(7).chain(0..200).chain(edges) {
        assert_eq!(hasher.hash(&input[..length]), *blake3::keyed_hash(&key, &input[..length]).as_bytes(), "{length}");
    }
}

#[test]
fn extended_output_of_any_length() {
    let mut random = Random::seeded();
    let key = random.bytes();
    for _ in 0..100 {
        let input: Vec<u8> = (0..random.below(5000)).map(|_| random.next() as u8).collect();
        let (mut found, mut expected) = (vec![0; random.below(300)], Vec::new());
        expected.resize(found.len(), 0);
        Blake3::keyed(&key).extend(&input, &mut found);
        blake3::Hasher::new_keyed(&key).update(&input).finalize_xof().fill(&mut expected);
        assert_eq!(found, expected);
    }
}
