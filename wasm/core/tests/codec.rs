//! Codecs give back what they were given, keep to their bounds, and survive whatever a store hands them.

mod common;

use blockvault_core::codec::{Codec, Codecs};
use common::Random;

const CODECS: [Codec; 3] = [Codec::Zstd, Codec::Lz4, Codec::Deflate];
const LEVELS: [i32; 9] = [-100, -5, -1, 0, 1, 3, 6, 9, 100];

#[test]
fn what_is_compressed_comes_back() {
    let (mut random, mut codecs) = (Random::seeded(), Codecs::default());
    for codec in CODECS {
        for level in LEVELS {
            for bound in [2, 100, 5_000, 70_000, 300_000] {
                let length = 1 + random.below(bound);
                let plain = random.image(length);
                let mut target = vec![0; plain.len() + random.below(100)];
                let compressed = codecs.compress(codec, level, &plain, &mut target);
                assert!(compressed < plain.len());
                assert!(
                    compressed == 0 || codecs.gives(codec, &target[..compressed], &plain),
                    "{codec:?} {level} {}",
                    plain.len()
                );
            }
        }
    }
}

#[test]
fn what_would_not_be_shorter_is_refused() {
    let (mut random, mut codecs) = (Random::seeded(), Codecs::default());
    let noise: Vec<u8> = (0..100_000).map(|_| random.next() as u8).collect();
    for codec in CODECS {
        for length in [0, 1, 2, 100, 65_536, 100_000] {
            let mut target = vec![0; 2 * length + 100];
            assert_eq!(codecs.compress(codec, 1, &noise[..length], &mut target), 0, "{codec:?} {length}");
        }
    }
    assert_eq!(codecs.compress(Codec::None, 0, &[0; 100], &mut [0; 100]), 0);
}

#[test]
fn a_target_too_short_is_refused_and_the_next_call_works() {
    let mut codecs = Codecs::default();
    let plain = Random::seeded().image(100_000);
    for codec in CODECS {
        let mut whole = vec![0; plain.len()];
        let length = codecs.compress(codec, 1, &plain, &mut whole);
        assert!(length > 0);
        for capacity in [0, 1, 10, length / 2, length - 1] {
            assert_eq!(codecs.compress(codec, 1, &plain, &mut vec![0; capacity]), 0, "{codec:?} {capacity}");
        }
        let mut again = vec![0; plain.len()];
        assert_eq!(codecs.compress(codec, 1, &plain, &mut again), length);
        assert!(again == whole);
    }
}

#[test]
fn the_same_bytes_come_out_of_a_used_context() {
    let mut random = Random::seeded();
    let plain = random.image(200_000);
    for codec in CODECS {
        let compressed = |codecs: &mut Codecs| {
            let mut target = vec![0; plain.len()];
            let length = codecs.compress(codec, 3, &plain, &mut target);
            target[..length].to_vec()
        };
        let fresh = compressed(&mut Codecs::default());
        let mut used = Codecs::default();
        for level in LEVELS {
            used.compress(codec, level, &random.image(50_000), &mut [0; 50_000]);
            used.decompress(codec, &fresh[..fresh.len() / 2], &mut [0; 1000]);
        }
        assert!(compressed(&mut used) == fresh, "{codec:?}");
    }
}

#[test]
fn altered_streams_never_write_past_the_target() {
    let (mut random, mut codecs) = (Random::seeded(), Codecs::default());
    for codec in CODECS {
        let plain = random.image(20_000);
        let mut target = vec![0; plain.len()];
        let length = codecs.compress(codec, 3, &plain, &mut target);
        for _ in 0..2_000 {
            let mut altered = target[..length].to_vec();
            for _ in 0..=random.below(3) {
                let place = if random.below(2) == 0 { random.below(20) } else { random.below(length) };
                altered[place] = random.next() as u8;
            }
            altered.truncate(length - if random.below(4) == 0 { random.below(length) } else { 0 });
            // The guard behind the expected bytes must stay as it was; what stands before it may be anything.
            let expected = random.below(2 * plain.len());
            let mut guarded = vec![0xA5; expected + 4096];
            codecs.decompress(codec, &altered, &mut guarded[..expected]);
            assert!(guarded[expected..].iter().all(|&byte| byte == 0xA5));
        }
    }
}
