//! Parts against the library's own reader, by way of the core.

use super::*;
use blockvault_core::stream::Decoder;

fn encode(encoder: &mut Encoder, plain: &[u8], place: &Place) -> Result<Vec<u8>, StreamError> {
    let mut target = vec![0; Encoder::bound(plain.len())];
    let length = encoder.encode(plain, &mut target, place)?;
    target.truncate(length);
    Ok(target)
}

fn object(plain: &[u8], part_bytes: usize, encoders: &mut [Encoder]) -> Vec<u8> {
    let count = plain.len().div_ceil(part_bytes).max(1);
    let part = |index: usize| &plain[index * part_bytes..plain.len().min((index + 1) * part_bytes)];
    (0..count)
        .flat_map(|index| {
            let place = Place { first: (index == 0).then_some(plain.len() as u64), last: index + 1 == count };
            let encoder = index % encoders.len();
            encode(&mut encoders[encoder], part(index), &place).expect("a part")
        })
        .collect()
}

fn decoded(frame: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut decoder = Decoder::zstd().expect("a decoder");
    let mut target = vec![0; length + 1];
    let decoded = decoder.decode(frame, &mut target).ok()?;
    decoder.finish().ok()?;
    target.truncate(decoded.produced);
    Some(target)
}

/// Runs, repeats of short and long distance, and noise.
fn plain(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let mut bytes: Vec<u8> = Vec::with_capacity(length + 1000);
    while bytes.len() < length {
        let (kind, count) = (next() % 4, 1 + next() % 1000);
        let from = if bytes.is_empty() { 0 } else { next() % bytes.len() };
        for place in 0..count {
            bytes.push(match kind {
                0 => 0,
                1 => next() as u8,
                2 if from + place < bytes.len() => bytes[from + place],
                _ => b"period"[place % 6],
            });
        }
    }
    bytes.truncate(length);
    bytes
}

#[test]
fn parts_are_one_frame_whoever_compressed_them() {
    let seed = std::time::UNIX_EPOCH.elapsed().map_or(1, |time| time.as_nanos() as u64);
    println!("seed {seed}");
    for level in [-7, 1, 2, 3, 6, 12, 19] {
        for (length, part_bytes) in
            [(1, 1), (1000, 1), (5000, 7), (300_000, 1000), (900_000, 200_000), (3_000_000, 1 << 20)]
        {
            let plain = plain(seed ^ length as u64, length);
            let new = || Encoder::new(level).expect("an encoder");
            let frame = object(&plain, part_bytes, &mut [new(), new(), new()]);
            assert!(decoded(&frame, length) == Some(plain.clone()), "level {level}, {length} in parts of {part_bytes}");
            assert!(
                frame == object(&plain, part_bytes, &mut [new()]),
                "level {level}, {length} in parts of {part_bytes}"
            );
        }
    }
}

/// Each part begins with what the first offsets of a frame (1, 4 and 8) would match, and the part before ends with others.
#[test]
fn a_part_takes_no_offset_of_the_part_before() {
    let periods: Vec<Vec<u8>> = [1usize, 4, 8, 5, 1, 8, 4, 3]
        .iter()
        .map(|period| (0..40_000).map(|at| (at % period) as u8 * 31 + *period as u8).collect())
        .collect();
    let plain = periods.concat();
    for level in [-5, 1, 3, 5, 9, 16, 19] {
        let frame = object(&plain, 40_000, &mut [Encoder::new(level).expect("an encoder")]);
        assert!(decoded(&frame, plain.len()) == Some(plain.clone()), "level {level}");
    }
}

#[test]
fn the_frame_says_its_length_and_no_more_is_taken() {
    let mut encoder = Encoder::new(3).expect("an encoder");
    assert!(decoded(&object(&[], 10, std::slice::from_mut(&mut encoder)), 0) == Some(vec![]));
    let announced = |length: u64, last: bool| Place { first: Some(length), last };
    let first = encode(&mut encoder, &[7; 1000], &announced(3 << 30, false)).expect("a part");
    assert_eq!(zstd_safe::get_frame_content_size(&first).ok().flatten(), Some(3 << 30));
    for place in [announced(999, true), announced(1001, true), announced(999, false)] {
        assert_eq!(encode(&mut encoder, &[7; 1000], &place), Err(StreamError::Misused));
    }
    assert_eq!(encode(&mut encoder, &[], &Place { first: None, last: true }), Err(StreamError::Misused));
    let noise: Vec<u8> =
        plain(9, 1 << 18).into_iter().enumerate().map(|(at, byte)| byte ^ ((at * at) >> 3) as u8).collect();
    assert_eq!(encoder.encode(&noise, &mut [0; 100], &announced(1 << 18, true)), Err(StreamError::Misused));
    assert!(encode(&mut encoder, &noise, &announced(1 << 18, true)).is_ok(), "after an error it is as before");
}
