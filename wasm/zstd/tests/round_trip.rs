//! What the encoder writes, the reference decoder reads back.

mod common;

use blockvault_zstd::Encoder;
use common::Random;
use zstd_safe::DCtx;

fn check(encoder: &mut Encoder, reference: &mut DCtx, plain: &[u8]) -> usize {
    let mut packed = vec![0; plain.len()];
    let length = encoder.compress(plain, &mut packed);
    assert!(length == 0 || length < plain.len());
    if length > 0 {
        let mut back = vec![0xA5; plain.len()];
        let read = reference.decompress(&mut back[..], &packed[..length]).map_err(zstd_safe::get_error_name);
        assert_eq!(read, Ok(plain.len()), "{} bytes", plain.len());
        assert!(back == plain);
    }
    length
}

#[test]
fn images_of_all_sizes_come_back() {
    let mut random = Random::seeded();
    let (mut encoder, mut reference) = (Encoder::new(), DCtx::create());
    for round in 0..4_000 {
        let length =
            random.below([20, 300, 3_000, 70_000, 300_000, 1_200_000][if round % 50 == 0 { 5 } else { round % 5 }]);
        let plain = random.image(length);
        check(&mut encoder, &mut reference, &plain);
    }
}

#[test]
fn the_same_bytes_give_the_same_frame_whatever_came_before() {
    let mut random = Random::seeded();
    let mut used = Encoder::new();
    for _ in 0..30 {
        let length = 1 + random.below(400_000);
        let plain = random.image(length);
        let (mut one, mut other) = (vec![0; length], vec![0; length]);
        let lengths = (used.compress(&plain, &mut one), Encoder::new().compress(&plain, &mut other));
        assert_eq!(lengths.0, lengths.1);
        assert!(one[..lengths.0] == other[..lengths.0]);
    }
}

#[test]
fn edges_come_back() {
    let (mut encoder, mut reference) = (Encoder::new(), DCtx::create());
    let mut random = Random::seeded();
    for length in [0, 1, 7, 8, 9, 255, 256, 65_791, 65_792, 131_071, 131_072, 131_073, 262_144] {
        check(&mut encoder, &mut reference, &vec![7; length]);
        let skewed: Vec<u8> = (0..length).map(|_| (random.next() as u8).leading_zeros() as u8).collect();
        check(&mut encoder, &mut reference, &skewed);
        let rare: Vec<u8> = (0..length).map(|at| if at % 1000 == 999 { random.next() as u8 } else { 0 }).collect();
        check(&mut encoder, &mut reference, &rare);
    }
    // Fibonacci counts make the deepest Huffman tree there is.
    let mut deep = Vec::new();
    let (mut a, mut b) = (1usize, 1usize);
    for symbol in 0..24u8 {
        deep.extend(std::iter::repeat_n(symbol, a));
        (a, b) = (b, a + b);
    }
    for at in (1..deep.len()).rev() {
        deep.swap(at, random.below(at + 1));
    }
    assert!(check(&mut encoder, &mut reference, &deep) > 0);
}

#[test]
fn the_longest_frame_comes_back_and_a_longer_one_is_refused() {
    let (mut encoder, mut reference) = (Encoder::new(), DCtx::create());
    let mut random = Random::seeded();
    // Its end repeats its beginning, as far away as it can be, with nothing between that takes the places of the table.
    let mut plain = vec![0; 16 << 20];
    let record: Vec<u8> = (0..20_000).flat_map(|_| random.next().to_le_bytes().map(|byte| byte >> 5)).collect();
    let from = plain.len() - record.len();
    plain[..record.len()].copy_from_slice(&record);
    plain[from..].copy_from_slice(&record);
    let once = check(&mut encoder, &mut reference, &plain[..from]);
    let length = check(&mut encoder, &mut reference, &plain);
    assert!(length > 0 && length < once + once / 4, "{once} {length}");
    plain.push(0);
    let mut packed = vec![0; plain.len()];
    assert_eq!(encoder.compress(&plain, &mut packed), 0);
}

#[test]
fn noise_is_refused() {
    let mut random = Random::seeded();
    for length in [1, 100, 10_000, 131_072, 1 << 20] {
        let plain = random.noise(length);
        assert_eq!(Encoder::new().compress(&plain, &mut vec![0; 2 * length]), 0);
    }
}

#[test]
fn a_target_too_short_is_refused_and_the_next_call_works() {
    let plain = Random::seeded().image(300_000);
    let mut encoder = Encoder::new();
    let mut whole = vec![0; plain.len()];
    let length = encoder.compress(&plain, &mut whole);
    assert!(length > 0);
    for room in [0, 1, 5, 9, 10, length / 2, length - 1] {
        assert_eq!(encoder.compress(&plain, &mut vec![0; room]), 0, "{room}");
    }
    assert_eq!(encoder.compress(&plain, &mut vec![0; length]), length);
}
