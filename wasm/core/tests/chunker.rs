//! Cuts add up, keep to their bounds and follow content that moved.

mod common;

use blockvault_core::chunker::Chunker;
use blockvault_core::fingerprint::derive;
use common::Random;

fn lengths(chunker: &Chunker, mut rest: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    while !rest.is_empty() {
        let length = chunker.cut(rest);
        lengths.push(length);
        rest = &rest[length..];
    }
    lengths
}

#[test]
fn sizes_out_of_bounds_or_order_are_refused() {
    let key = [0; 32];
    for (size, accepted) in [(0, false), (511, false), (512, true), (4 << 20, true), ((4 << 20) + 1, false)] {
        assert_eq!(Chunker::fixed(size).is_some(), accepted, "{size}");
    }
    for (min, average, max, accepted) in [
        (63, 64, 64, false),
        (64, 64, 64, true),
        (65, 64, 128, false),
        (64, 129, 128, false),
        (4 << 20, 4 << 20, 4 << 20, true),
        (64, 64, (4 << 20) + 1, false),
    ] {
        assert_eq!(Chunker::fastcdc(min, average, max, &key).is_some(), accepted, "{min} {average} {max}");
    }
}

#[test]
fn chunks_add_up_and_keep_to_their_bounds() {
    let mut random = Random::seeded();
    for _ in 0..50 {
        let min = 64 + random.below(2000);
        let average = min + random.below(8000);
        let max = average + random.below(30_000);
        let chunker = Chunker::fastcdc(min as u32, average as u32, max as u32, &random.bytes()).unwrap();
        let length = random.below(200_000);
        let segment = random.image(length);
        let lengths = lengths(&chunker, &segment);
        assert_eq!(lengths.iter().sum::<usize>(), segment.len());
        let (_, all_but_last) = lengths.split_last().map_or((&0, &[][..]), |(last, before)| (last, before));
        // A cut found at the first place looked at makes a chunk of min + 1.
        assert!(all_but_last.iter().all(|&length| min.min(max) <= length && length <= max), "{min} {average} {max}");
    }
}

#[test]
fn an_insertion_moves_the_cuts_with_the_content() {
    let mut random = Random::seeded();
    let chunker = Chunker::fastcdc(1024, 4096, 16384, &random.bytes()).unwrap();
    let segment: Vec<u8> = (0..400_000).map(|_| random.next() as u8).collect();
    let mut moved = random.bytes::<17>().to_vec();
    moved.extend_from_slice(&segment);
    let ends = |bytes: &[u8], shift: usize| {
        let mut end = 0;
        lengths(&chunker, bytes)
            .iter()
            .map(|length| {
                end += length;
                end - shift.min(end)
            })
            .collect::<Vec<_>>()
    };
    let (before, after) = (ends(&segment, 0), ends(&moved, 17));
    let kept = before.iter().filter(|end| after.contains(end)).count();
    assert!(kept * 10 > before.len() * 9, "{kept} of {}", before.len());
}

#[test]
fn another_key_cuts_elsewhere() {
    let mut random = Random::seeded();
    let segment: Vec<u8> = (0..200_000).map(|_| random.next() as u8).collect();
    let cuts = |key: &[u8; 32]| lengths(&Chunker::fastcdc(1024, 4096, 16384, key).unwrap(), &segment);
    assert_ne!(cuts(&random.bytes()), cuts(&random.bytes()));
}

/// docs/format.md, word for word.
fn plain_cut(rest: &[u8], min: usize, average: usize, max: usize, gear: &[u64]) -> usize {
    let n = rest.len();
    if n <= min {
        return n;
    }
    let bits = (average as f64).log2().round() as u32;
    let (mask_short, mask_long) = (u64::MAX << (64 - bits - 2), u64::MAX << (64 - bits + 2));
    let mut hash = 0u64;
    for i in min..max.min(n) {
        hash = (hash << 1).wrapping_add(gear[rest[i] as usize]);
        if hash & if i < average { mask_short } else { mask_long } == 0 {
            return i + 1;
        }
    }
    max.min(n)
}

#[test]
fn cuts_are_those_of_the_definition() {
    let mut random = Random::seeded();
    let key = random.bytes();
    let mut bytes = [0; 2048];
    derive(&key, b"blockvault/1 gear", &mut bytes);
    let gear: Vec<u64> = bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
    for _ in 0..60 {
        let min = 64 + random.below(5000);
        let average = min + random.below(60_000);
        let max = average + random.below(100_000);
        let chunker = Chunker::fastcdc(min as u32, average as u32, max as u32, &key).unwrap();
        let length = random.below(600_000);
        let segment = random.image(length);
        let mut rest = &segment[..];
        while !rest.is_empty() {
            let cut = chunker.cut(rest);
            assert_eq!(
                cut,
                plain_cut(rest, min, average, max, &gear),
                "{min} {average} {max} at {}",
                segment.len() - rest.len()
            );
            rest = &rest[cut..];
        }
    }
}
