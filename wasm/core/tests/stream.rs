//! Streams come back whatever parts and pieces they went in; what is no stream is refused, whatever a store hands over.

mod common;

use blockvault_core::stream::{Decoder, Encoder, StreamError};
use common::Random;
use zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Codec {
    Zlib,
    Bz2,
    Zstd,
}

const CODECS: [Codec; 3] = [Codec::Zlib, Codec::Bz2, Codec::Zstd];
/// Those that are written here.
const WRITTEN: [Codec; 2] = [Codec::Zlib, Codec::Bz2];

fn encoder(codec: Codec, level: i32) -> Encoder {
    match codec {
        Codec::Zlib => Encoder::zlib(level),
        Codec::Bz2 => Encoder::bz2(level),
        Codec::Zstd => panic!("parts of zstd are written by the binding"),
    }
}

fn decoder(codec: Codec) -> Decoder {
    match codec {
        Codec::Zlib => Decoder::zlib(),
        Codec::Bz2 => Decoder::bz2(),
        Codec::Zstd => Decoder::zstd().expect("a decoder"),
    }
}

fn part(encoder: &mut Encoder, plain: &[u8], last: bool) -> Vec<u8> {
    let mut target = vec![0; encoder.bound(plain.len())];
    let encoded = encoder.encode(plain, &mut target, last).expect("a part");
    target.truncate(encoded.length);
    target
}

/// A zlib stream needs its header and trailer around the parts.
fn framed(codec: Codec, parts: Vec<u8>, plain: &[u8]) -> Vec<u8> {
    match codec {
        Codec::Zlib => [&[0x78, 0x9c], &parts[..], &adler32(plain).to_be_bytes()].concat(),
        _ => parts,
    }
}

/// As RFC 1950 defines it.
fn adler32(plain: &[u8]) -> u32 {
    let (low, high) = plain.iter().fold((1, 0), |(low, high), &byte| {
        let low = (low + u32::from(byte)) % 65521;
        (low, (high + low) % 65521)
    });
    high << 16 | low
}

/// A frame as the library's stream writes it, flushed after each part.
fn zstd_frame(level: i32, plain: &[u8], part_bytes: usize) -> Vec<u8> {
    let mut context = CCtx::create();
    context.set_parameter(CParameter::CompressionLevel(level)).expect("a level");
    context.set_pledged_src_size(Some(plain.len() as u64)).expect("a length");
    let mut frame = vec![0; plain.len() * 2 + 1000 + plain.len() / part_bytes * 20];
    let mut output = OutBuffer::around(&mut frame[..]);
    let mut finish = |part: &[u8], end| {
        let mut input = InBuffer::around(part);
        while context.compress_stream2(&mut output, &mut input, end).expect("room") > 0 {}
    };
    plain.chunks(part_bytes).for_each(|part| finish(part, ZSTD_EndDirective::ZSTD_e_flush));
    finish(&[], ZSTD_EndDirective::ZSTD_e_end);
    let length = output.pos();
    frame.truncate(length);
    frame
}

fn compressed(codec: Codec, level: i32, plain: &[u8], part_bytes: usize) -> Vec<u8> {
    if codec == Codec::Zstd {
        return zstd_frame(level.clamp(-7, 19), plain, part_bytes);
    }
    let mut encoder = encoder(codec, level);
    let mut parts = Vec::new();
    let mut rest = plain;
    loop {
        let length = part_bytes.min(rest.len());
        parts.extend(part(&mut encoder, &rest[..length], length == rest.len()));
        if length == rest.len() {
            return framed(codec, parts, plain);
        }
        rest = &rest[length..];
    }
}

/// All that comes out, given in pieces and taken in pieces; `most` bounds it, as a caller's target does.
fn decompressed(codec: Codec, stream: &[u8], pieces: (usize, usize), most: usize) -> Result<Vec<u8>, StreamError> {
    let mut decoder = decoder(codec);
    let mut plain = Vec::new();
    let mut target = vec![0; pieces.1];
    let (mut at, mut full) = (0, false);
    while (at < stream.len() || full) && plain.len() <= most {
        let piece = &stream[at..stream.len().min(at + pieces.0)];
        let decoded = decoder.decode(piece, &mut target)?;
        full = decoded.produced == target.len();
        assert!(full || decoded.consumed == piece.len(), "stops only when the target is full");
        plain.extend_from_slice(&target[..decoded.produced]);
        at += decoded.consumed;
    }
    decoder.finish().map(|()| plain)
}

#[test]
fn what_is_compressed_comes_back() {
    let mut random = Random::seeded();
    for codec in CODECS {
        for level in [-100, -1, 0, 1, 3, 6, 9, 100] {
            for bound in [1, 2, 100, 5_000, 300_000] {
                let length = random.below(bound);
                let plain = random.image(length);
                let stream = compressed(codec, level, &plain, 1 + random.below(bound));
                let pieces = (1 + random.below(bound), 1 + random.below(bound));
                let case = format!("{codec:?} {level} {} {pieces:?}", plain.len());
                assert!(decompressed(codec, &stream, pieces, plain.len()) == Ok(plain), "{case}");
            }
        }
    }
}

#[test]
fn parts_of_many_encoders_are_one_stream_and_the_same_bytes() {
    let plain = Random::seeded().image(400_000);
    for codec in WRITTEN {
        let mut parts = Vec::new();
        let mut chunks = plain.chunks(70_001).peekable();
        while let Some(chunk) = chunks.next() {
            parts.extend(part(&mut encoder(codec, 6), chunk, chunks.peek().is_none()));
        }
        let stream = framed(codec, parts, &plain);
        assert!(stream == compressed(codec, 6, &plain, 70_001), "{codec:?}");
        assert!(decompressed(codec, &stream, (5_000, 5_000), plain.len()).as_ref() == Ok(&plain), "{codec:?}");
    }
}

#[test]
fn adler32_is_that_of_the_plaintext() {
    let mut random = Random::seeded();
    for length in [1, 2, 5551, 5552, 5553, 100_000] {
        let plain = random.image(length);
        let mut encoder = Encoder::zlib(1);
        let mut target = vec![0; encoder.bound(length)];
        assert_eq!(encoder.encode(&plain, &mut target, true).map(|part| part.adler32), Ok(adler32(&plain)), "{length}");
    }
    assert_eq!(Encoder::zlib(1).encode(&[], &mut [], false).map(|part| part.adler32), Ok(1));
}

#[test]
fn noise_keeps_to_the_bound() {
    let mut random = Random::seeded();
    for codec in WRITTEN {
        for level in [-7, 0, 1, 3, 6, 9] {
            for length in [1, 100, 70_000, 1_000_000] {
                let noise: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
                part(&mut encoder(codec, level), &noise, true);
            }
        }
    }
}

#[test]
fn a_cut_stream_is_not_whole() {
    let plain = Random::seeded().image(3_000);
    for codec in CODECS {
        let stream = compressed(codec, 3, &plain, 1_000);
        // Whole streams of bz2 end after each part.
        let whole = |length: usize| {
            codec == Codec::Bz2 && decompressed(codec, &stream[..length], (length, 10_000), plain.len()).is_ok()
        };
        let accepted: Vec<usize> = (0..stream.len()).filter(|&length| whole(length)).collect();
        assert_eq!(accepted.len(), if codec == Codec::Bz2 { 2 } else { 0 }, "{codec:?} {accepted:?}");
        for length in (0..stream.len()).filter(|length| !accepted.contains(length)) {
            assert_eq!(
                decompressed(codec, &stream[..length], (100, 100), plain.len()),
                Err(StreamError::Damaged),
                "{codec:?} {length}"
            );
        }
    }
}

#[test]
fn a_small_target_gets_all_that_a_large_one_gets() {
    // So few bytes that every place to stop can be tried, and one is the end of a block.
    let plain = [7; 300_000];
    for codec in CODECS {
        let stream = compressed(codec, 3, &plain, 200_000);
        for part in 0..=stream.len() {
            let produced = |target_bytes: usize| {
                let (mut decoder, mut target) = (decoder(codec), vec![0; target_bytes]);
                let (mut at, mut produced) = (0, 0);
                loop {
                    let decoded = decoder.decode(&stream[at..part], &mut target).expect("no damage");
                    at += decoded.consumed;
                    produced += decoded.produced;
                    if decoded.produced < target.len() {
                        return produced;
                    }
                }
            };
            assert_eq!(produced(10_000), produced(400_000), "{codec:?} {part}");
        }
    }
}

#[test]
fn damage_stays_damage() {
    for codec in CODECS {
        let mut decoder = decoder(codec);
        let stream = compressed(codec, 3, b"what was written", 100);
        assert_eq!(decoder.decode(b"no such stream", &mut [0; 100]), Err(StreamError::Damaged), "{codec:?}");
        assert_eq!(decoder.decode(&stream, &mut [0; 100]), Err(StreamError::Damaged), "{codec:?}");
        assert_eq!(decoder.finish(), Err(StreamError::Damaged), "{codec:?}");
    }
}

#[test]
fn altered_streams_end_in_bounded_output() {
    let mut random = Random::seeded();
    for codec in CODECS {
        let plain = random.image(20_000);
        let stream = compressed(codec, 3, &plain, 7_000);
        for _ in 0..2_000 {
            let mut altered = stream.clone();
            for _ in 0..=random.below(3) {
                let place = if random.below(2) == 0 { random.below(20) } else { random.below(stream.len()) };
                altered[place] = random.next() as u8;
            }
            altered.truncate(stream.len() - if random.below(4) == 0 { random.below(stream.len()) } else { 0 });
            let pieces = (1 + random.below(10_000), 1 + random.below(30_000));
            // Any answer but a panic; checksums make a wrong plaintext unlikely, zstd's frames have none.
            let answer = decompressed(codec, &altered, pieces, plain.len());
            assert!(codec == Codec::Zstd || answer.is_err() || plain.starts_with(&answer.unwrap()), "{codec:?}");
        }
    }
}

#[test]
fn misuse_is_told_from_damage() {
    let mut target = [0; 2000];
    for codec in WRITTEN {
        let noise: Vec<u8> = (0..1000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for room in [0, 1, 20] {
            let answer = encoder(codec, 3).encode(&noise, &mut target[..room], true);
            assert_eq!(answer, Err(StreamError::Misused), "{codec:?}, room for {room}");
        }
    }
}
