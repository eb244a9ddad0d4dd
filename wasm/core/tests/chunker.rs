//! Cuts add up, keep to their bounds and follow content that moved.

mod common;

use blockvault_core::chunker::Chunker;
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
