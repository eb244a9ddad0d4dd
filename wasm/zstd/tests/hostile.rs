//! Whatever a store hands the decoder: it says no, or gives what the reference gives, and it never panics.

mod common;

use blockvault_zstd::{Decoder, Encoder};
use common::Random;
use zstd_safe::{CCtx, CParameter, DCtx};

/// Frames of both encoders, with every feature a level brings.
fn frames(random: &mut Random) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut frames = Vec::new();
    for level in [-5, 1, 3, 7, 13, 19] {
        for length in [40, 1_000, 30_000, 300_000] {
            let plain = random.image(length);
            let mut packed = vec![0; zstd_safe::compress_bound(length)];
            let mut reference = CCtx::create();
            reference.set_parameter(CParameter::CompressionLevel(level)).unwrap();
            reference.set_parameter(CParameter::ChecksumFlag(level == 7)).unwrap();
            let held = reference.compress2(&mut packed[..], &plain).unwrap();
            packed.truncate(held);
            frames.push((packed, plain.clone()));
            let mut packed = vec![0; length];
            let held = Encoder::new().compress(&plain, &mut packed);
            packed.truncate(held);
            if held > 0 {
                frames.push((packed, plain));
            }
        }
    }
    frames
}

#[test]
fn damage_is_refused_or_decoded_as_the_reference_does() {
    let mut random = Random::seeded();
    let (mut decoder, mut reference) = (Decoder::new(), DCtx::create());
    let (mut refused, mut decoded) = (0, 0);
    for (packed, plain) in frames(&mut random) {
        let (mut back, mut expected) = (vec![0; plain.len()], vec![0; plain.len()]);
        for round in 0..400 {
            let mut damaged = packed.clone();
            // Heads of frames and blocks decide most, so they are hit most.
            let reach = if round % 2 == 0 { damaged.len().min(60) } else { damaged.len() };
            for _ in 0..1 + random.below(3) {
                let at = random.below(reach);
                damaged[at] =
                    if random.below(2) == 0 { random.next() as u8 } else { damaged[at] ^ 1 << random.below(8) };
            }
            if random.below(5) == 0 {
                damaged.truncate(random.below(damaged.len()));
            }
            if decoder.decompress(&damaged, &mut back) {
                decoded += 1;
                let read = reference.decompress(&mut expected[..], &damaged);
                assert_eq!(read.map_err(zstd_safe::get_error_name), Ok(plain.len()));
                assert!(back == expected);
            } else {
                refused += 1;
            }
        }
        assert!(decoder.decompress(&packed, &mut back) && back == plain, "a sound frame after damaged ones");
    }
    println!("{refused} refused, {decoded} decoded as the reference does");
}

#[test]
fn truncations_additions_and_other_lengths_are_refused() {
    let mut random = Random::seeded();
    let mut decoder = Decoder::new();
    for (packed, plain) in frames(&mut random) {
        let mut back = vec![0; plain.len()];
        for length in (0..packed.len().min(200)).chain([packed.len() - 1]) {
            assert!(!decoder.decompress(&packed[..length], &mut back), "{length} of {}", packed.len());
        }
        let mut longer = packed.clone();
        longer.push(0);
        assert!(!decoder.decompress(&longer, &mut back));
        let twice = [&packed[..], &packed[..]].concat();
        assert!(!decoder.decompress(&twice, &mut back));
        assert!(!decoder.decompress(&twice, &mut vec![0; 2 * plain.len()]));
        for length in [0, 1, plain.len() - 1, plain.len() + 1, 2 * plain.len()] {
            assert!(!decoder.decompress(&packed, &mut vec![0; length]), "{length} instead of {}", plain.len());
        }
    }
}

#[test]
fn noise_behind_a_sound_head_never_panics() {
    let mut random = Random::seeded();
    let mut decoder = Decoder::new();
    let mut back = vec![0; 70_000];
    for _ in 0..60_000 {
        let size = random.below(400);
        let body = random.noise(size);
        let content = (back.len() as u32).to_le_bytes();
        // Single segment, size in four bytes, then one compressed block that is the last.
        let mut packed = vec![0x28, 0xB5, 0x2F, 0xFD, 0xA0];
        packed.extend(content);
        packed.extend(&((size as u32) << 3 | 2 << 1 | 1).to_le_bytes()[..3]);
        packed.extend(body);
        // Literals that are raw or of one byte let more of the noise reach the sequences.
        if size > 0 && random.below(2) == 0 {
            packed[12] = (packed[12] & 0x3F) & !2;
        }
        assert!(!decoder.decompress(&packed, &mut back) || size > 0);
    }
    for _ in 0..2_000 {
        let length = random.below(300);
        decoder.decompress(&random.noise(length), &mut back);
    }
}

#[test]
fn what_is_not_one_plain_frame_is_refused() {
    let mut decoder = Decoder::new();
    // Content of one byte, one raw block.
    let frame = [0x28, 0xB5, 0x2F, 0xFD, 0x20, 1, 9, 0, 0, 42];
    let mut back = [0];
    assert!(decoder.decompress(&frame, &mut back) && back == [42]);
    let with = |at: usize, byte: u8| {
        let mut other = frame;
        other[at] = byte;
        other
    };
    let mut refused = |frame: &[u8]| assert!(!decoder.decompress(frame, &mut [0]), "{frame:?}");
    // Skippable, reserved bit, dictionary, wrong content size, reserved block type.
    refused(&[0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0]);
    refused(&with(4, 0x28));
    refused(&with(4, 0x21));
    refused(&with(5, 2));
    refused(&with(6, 15));
    // A window of 16 MiB.
    refused(&[0x28, 0xB5, 0x2F, 0xFD, 0x00, 14 << 3, 9, 0, 0, 42]);
    refused(&[]);
}
