//! The core's operations in native Rust, for bench/core.ts: `bench INPUT RUNS`, one JSON object a line, the median of the
//! runs. Sizes, levels and names are those of bench/core.ts.

use blockvault_core::chunk_index::ChunkIndex;
use blockvault_core::chunker::Chunker;
use blockvault_core::codec::{Codec, Codecs};
use blockvault_core::fingerprint::{Key, fingerprint};
use blockvault_core::scan::Scanner;
use std::hint::black_box;
use std::time::Instant;

const SEGMENT_BYTES: usize = 4 << 20;
const FRAME_BYTES: usize = 1 << 20;
const CHUNK_BYTES: usize = 64 << 10;
const INDEX_CHUNKS: usize = 1 << 20;
const KEY: Key = [7; 32];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(input), Some(runs)) = (arguments.next(), arguments.next().and_then(|runs| runs.parse().ok())) else {
        eprintln!("usage: bench INPUT RUNS");
        std::process::exit(2);
    };
    let bytes = std::fs::read(&input).unwrap_or_else(|error| panic!("{input}: {error}"));
    scans(&bytes, runs);
    for (codec, level, label) in [(Codec::Zstd, 1, "zstd 1"), (Codec::Lz4, 0, "lz4"), (Codec::Deflate, 1, "deflate 1")]
    {
        compression(&bytes, runs, codec, level, label);
    }
    lookups(runs);
}

fn scans(bytes: &[u8], runs: usize) {
    let fixed = || Chunker::fixed(CHUNK_BYTES as u32).expect("a size within bounds");
    let fastcdc = Chunker::fastcdc(8 << 10, 64 << 10, 128 << 10, &KEY).expect("sizes within bounds");
    let zeros = vec![0; bytes.len()];
    for (operation, chunker, bytes) in
        [("scan fixed", fixed(), bytes), ("scan fastcdc", fastcdc, bytes), ("scan zeros", fixed(), &zeros)]
    {
        let mut scanner = Scanner::new(chunker, KEY);
        measure(operation, bytes.len(), runs, || {
            for segment in bytes.chunks(SEGMENT_BYTES) {
                black_box(scanner.scan(segment));
            }
        });
    }
    measure("fingerprint", bytes.len(), runs, || {
        for chunk in bytes.chunks(CHUNK_BYTES) {
            black_box(fingerprint(&KEY, chunk));
        }
    });
}

fn compression(bytes: &[u8], runs: usize, codec: Codec, level: i32, label: &str) {
    let mut codecs = Codecs::default();
    let mut target = vec![0; 2 * FRAME_BYTES];
    measure(&format!("compress {label}"), bytes.len(), runs, || {
        for frame in bytes.chunks(FRAME_BYTES) {
            black_box(codecs.compress(codec, level, frame, &mut target));
        }
    });
    measure(&format!("compress {label}, checked"), bytes.len(), runs, || {
        for frame in bytes.chunks(FRAME_BYTES) {
            let length = codecs.compress(codec, level, frame, &mut target);
            assert!(length == 0 || codecs.gives(codec, &target[..length], frame));
        }
    });
    let mut stored = Vec::new();
    for frame in bytes.chunks(FRAME_BYTES) {
        let length = codecs.compress(codec, level, frame, &mut target);
        if length > 0 {
            stored.push((target[..length].to_vec(), frame.len()));
        }
    }
    let amount = stored.iter().map(|(_, plain_bytes)| plain_bytes).sum();
    measure(&format!("decompress {label}"), amount, runs, || {
        for (frame, plain_bytes) in &stored {
            assert!(codecs.decompress(codec, frame, &mut target[..*plain_bytes]));
        }
    });
}

/// As many look-ups as chunks are held, half of them of chunks that are, in no order.
fn lookups(runs: usize) {
    let mut random = 1;
    let held: Vec<[u8; 32]> = (0..INDEX_CHUNKS).map(|_| random_fingerprint(&mut random)).collect();
    let mut index = ChunkIndex::default();
    index.load(&index_block(&held)).expect("a sound block");
    let asked: Vec<[u8; 32]> = (0..INDEX_CHUNKS)
        .map(|number| {
            let other = random_fingerprint(&mut random);
            if number % 2 == 0 {
                held[u32::from_le_bytes(*other.first_chunk().unwrap()) as usize % INDEX_CHUNKS]
            } else {
                other
            }
        })
        .collect();
    measure("index has", INDEX_CHUNKS, runs, || {
        black_box(asked.iter().filter(|fingerprint| index.has(fingerprint)).count());
    });
}

/// Packs of 16 frames of 16 chunks of 64 KiB, in the words of docs/format.md.
fn index_block(fingerprints: &[[u8; 32]]) -> Vec<u8> {
    let mut block = (fingerprints.len() as u32 / 256).to_le_bytes().to_vec();
    for (pack, number) in fingerprints.chunks(256).zip(0u128..) {
        block.extend(number.to_le_bytes());
        block.extend([1 << 24, 16].map(u32::to_le_bytes).as_flattened());
        for frame in pack.chunks(16) {
            block.extend([FRAME_BYTES as u32 / 2, FRAME_BYTES as u32].map(u32::to_le_bytes).as_flattened());
            block.extend([Codec::Zstd as u8, 0, 16, 0]);
            for chunk in frame {
                block.extend((CHUNK_BYTES as u32).to_le_bytes());
                block.extend(chunk);
            }
        }
    }
    block
}

/// xorshift64 (Marsaglia, 2003).
fn random_fingerprint(state: &mut u64) -> [u8; 32] {
    let mut fingerprint = [0; 32];
    for word in fingerprint.as_chunks_mut().0 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *word = state.to_le_bytes();
    }
    fingerprint
}

fn measure(operation: &str, amount: usize, runs: usize, mut work: impl FnMut()) {
    work();
    let mut seconds: Vec<f64> = (0..runs.max(1))
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    println!(r#"{{"operation":"{operation}","amount":{amount},"seconds":{median}}}"#);
}
