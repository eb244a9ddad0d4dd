//! The chunk index against a HashMap, and against blocks nobody should have written.

#[path = "common/block.rs"]
mod block;
mod common;

use block::{Frame, Pack, write};
use blockvault_core::chunk_index::{ChunkIndex, ChunkPlace, LoadError};
use blockvault_core::codec::Codec;
use blockvault_core::index_block::Damaged;
use common::Random;
use std::collections::HashMap;

/// A random pack; about a fifth of its chunks repeat one of `known`.
fn random_pack(random: &mut Random, known: &mut Vec<[u8; 32]>, chunks_max: usize) -> Pack {
    let mut frames = Vec::new();
    for _ in 0..1 + random.below(6) {
        let mut chunks = Vec::new();
        for _ in 0..1 + random.below(chunks_max) {
            let fresh = known.is_empty() || random.below(5) > 0;
            let fingerprint = if fresh { random.bytes() } else { known[random.below(known.len())] };
            known.push(fingerprint);
            chunks.push((1 + random.below(1000) as u32, fingerprint));
        }
        frames.push(Frame { stored_bytes: 1 + random.below(5000) as u32, codec: random.below(4) as u8, chunks });
    }
    let stored: u32 = frames.iter().map(|frame| frame.stored_bytes).sum();
    Pack { id: random.bytes(), bytes: 24 + stored + random.below(100) as u32, frames }
}

/// What the index must answer: the first place of each fingerprint.
fn enter(model: &mut HashMap<[u8; 32], ChunkPlace>, first_pack: u32, packs: &[Pack]) {
    for (pack, number) in packs.iter().zip(first_pack..) {
        let mut frame_offset = 24;
        for (frame, frame_number) in pack.frames.iter().zip(0..) {
            let mut chunk_offset = 0;
            for &(chunk_bytes, fingerprint) in &frame.chunks {
                model.entry(fingerprint).or_insert(ChunkPlace {
                    pack: number,
                    frame: frame_number,
                    frame_offset,
                    frame_stored_bytes: frame.stored_bytes,
                    frame_plain_bytes: frame.plain_bytes(),
                    codec: Codec::from_number(frame.codec).unwrap(),
                    chunk_offset,
                    chunk_bytes,
                });
                chunk_offset += chunk_bytes;
            }
            frame_offset += frame.stored_bytes;
        }
    }
}

#[test]
fn answers_like_a_map() {
    let mut random = Random::seeded();
    for _ in 0..20 {
        let (mut index, mut model, mut known) = (ChunkIndex::default(), HashMap::new(), Vec::new());
        let mut ids = Vec::new();
        for _ in 0..random.below(40) {
            let packs: Vec<Pack> = (0..1 + random.below(5)).map(|_| random_pack(&mut random, &mut known, 40)).collect();
            enter(&mut model, ids.len() as u32, &packs);
            ids.extend(packs.iter().map(|pack| (pack.id, pack.bytes)));
            assert_eq!(index.load(&write(&packs)), Ok(packs.len()));
            assert_eq!(index.size(), model.len());
        }
        assert_eq!(index.packs(), ids.len());
        for (number, (id, bytes)) in ids.iter().enumerate() {
            assert_eq!(index.pack(number), Some((id, *bytes)));
        }
        assert_eq!(index.pack(ids.len()), None);
        for (fingerprint, place) in &model {
            assert!(index.has(fingerprint));
            assert_eq!(index.find(fingerprint), Some(*place));
            let mut other = *fingerprint;
            other[random.below(24)] ^= 1 << random.below(8);
            assert_eq!(index.find(&other), None);
        }
        for _ in 0..1000 {
            assert!(!index.has(&random.bytes()));
        }
    }
}

#[test]
fn chunks_that_share_their_first_bytes_are_told_apart() {
    let fingerprint = |last: u8| std::array::from_fn(|byte| if byte == 23 { last } else { 7 });
    let chunks = (0..200).map(|last| (1 + u32::from(last), fingerprint(last))).collect();
    let mut index = ChunkIndex::default();
    assert_eq!(
        index.load(&write(&[Pack {
            id: [1; 16],
            bytes: 25,
            frames: vec![Frame { stored_bytes: 1, codec: 1, chunks }]
        }])),
        Ok(1)
    );
    for last in 0..200 {
        assert_eq!(index.find(&fingerprint(last)).map(|place| place.chunk_bytes), Some(1 + u32::from(last)));
    }
    assert_eq!(index.find(&fingerprint(200)), None);
}

#[test]
fn a_block_cut_anywhere_adds_nothing() {
    let mut random = Random::seeded();
    let packs: Vec<Pack> = (0..3).map(|_| random_pack(&mut random, &mut Vec::new(), 10)).collect();
    let block = write(&packs);
    let mut index = ChunkIndex::default();
    for length in 0..block.len() {
        assert!(
            matches!(index.load(&block[..length]), Err(LoadError::Damaged(Damaged { offset })) if offset <= length)
        );
        assert_eq!((index.size(), index.packs(), index.memory_bytes()), (0, 0, 0));
    }
    assert_eq!(index.load(&block), Ok(3));
}

#[test]
fn each_field_out_of_bounds_is_found_where_it_stands() {
    let chunks = vec![(100, [1; 32]), (28, [2; 32])];
    let sound =
        write(&[Pack { id: [9; 16], bytes: 24 + 50, frames: vec![Frame { stored_bytes: 50, codec: 1, chunks }] }]);
    let mut index = ChunkIndex::default();
    // Offset of a field, bytes put there, offset the reader must name.
    let damages: [(usize, &[u8], usize); 22] = [
        (0, &[0, 0, 0, 0], 0),
        (0, &[2, 0, 0, 0], sound.len()),
        (0, &[255, 255, 255, 255], 0),
        (20, &[23, 0, 0, 0], 20),
        (20, &[24, 0, 0, 0], 28),
        (20, &[73, 0, 0, 0], 28),
        (20, &[0, 0, 0, 0x80], 20),
        (24, &[0, 0, 0, 0], 24),
        (24, &[255, 255, 255, 255], 24),
        (24, &[1, 0, 1, 0], 24),
        (28, &[0, 0, 0, 0], 28),
        (28, &[51, 0, 0, 0], 28),
        (28, &[255, 255, 255, 255], 28),
        (32, &[0, 0, 0, 0], 32),
        (32, &[1, 0, 0, 1], 32),
        (36, &[4], 36),
        (37, &[1], 37),
        (38, &[0, 0], 38),
        (38, &[255, 255], 40),
        (40, &[0, 0, 0, 0], 40),
        (40, &[128, 0, 0, 0], 40),
        (76, &[27, 0, 0, 0], 76),
    ];
    for (place, bytes, offset) in damages {
        let mut block = sound.clone();
        block[place..place + bytes.len()].copy_from_slice(bytes);
        assert_eq!(index.load(&block), Err(LoadError::Damaged(Damaged { offset })), "{place} {bytes:?}");
    }
    let mut longer = sound.clone();
    longer.push(0);
    assert_eq!(index.load(&longer), Err(LoadError::Damaged(Damaged { offset: sound.len() })));
    assert_eq!((index.size(), index.memory_bytes()), (0, 0));
    assert_eq!(index.load(&sound), Ok(1));
}

#[test]
fn altered_blocks_are_refused_whole_or_read_whole() {
    let mut random = Random::seeded();
    let packs: Vec<Pack> = (0..3).map(|_| random_pack(&mut random, &mut Vec::new(), 10)).collect();
    let block = write(&packs);
    for _ in 0..5_000 {
        let mut altered = block.clone();
        for _ in 0..=random.below(3) {
            let place = random.below(altered.len());
            altered[place] = random.next() as u8;
        }
        let mut index = ChunkIndex::default();
        match index.load(&altered) {
            Ok(packs) => assert_eq!(packs, index.packs()),
            Err(_) => assert_eq!((index.size(), index.packs(), index.memory_bytes()), (0, 0, 0)),
        }
    }
}

#[test]
fn takes_at_most_40_bytes_a_chunk() {
    let mut random = Random::seeded();
    let mut index = ChunkIndex::default();
    // Frames of 16 chunks, as 64 KiB chunks in 1 MiB give; sizes around those where the table doubles.
    for _ in 0..400 {
        let frames = (0..256).map(|_| Frame {
            stored_bytes: 1,
            codec: 1,
            chunks: (0..16).map(|_| (1, random.bytes())).collect(),
        });
        index.load(&write(&[Pack { id: [0; 16], bytes: 1 << 20, frames: frames.collect() }])).unwrap();
        let spared_for_the_last_steps = 2 << 20;
        assert!(
            index.memory_bytes() <= 40 * index.size() + spared_for_the_last_steps,
            "{} for {}",
            index.memory_bytes(),
            index.size()
        );
    }
    assert_eq!(index.size(), 400 * 4096);
    assert!(index.memory_bytes() <= 40 * index.size());
}
