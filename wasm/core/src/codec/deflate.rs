//! Deflate in a zlib stream (RFC 1950): its Adler-32 is checked on the way back. Cinder's default, and what a host
//! without WASM can write.

use zlib_rs::{DeflateFlush, Inflate, InflateFlush, Status};

/// -1 is zlib's own default, 6.
const LEVELS: std::ops::RangeInclusive<i32> = -1..=9;
/// The longest window zlib has, 32 KiB.
const WINDOW_BITS: u8 = 15;

#[derive(Default)]
pub struct Deflate {
    compressor: Option<(zlib_rs::Deflate, i32)>,
    decompressor: Option<Inflate>,
}

impl Deflate {
    pub fn compress(&mut self, level: i32, source: &[u8], target: &mut [u8]) -> usize {
        let level = level.clamp(*LEVELS.start(), *LEVELS.end());
        if !matches!(self.compressor, Some((_, current)) if current == level) {
            self.compressor = Some((zlib_rs::Deflate::new(level, true, WINDOW_BITS), level));
        }
        let Some((stream, _)) = &mut self.compressor else { return 0 };
        stream.reset();
        match stream.compress(source, target, DeflateFlush::Finish) {
            Ok(Status::StreamEnd) => stream.total_out() as usize,
            _ => 0,
        }
    }

    pub fn decompress(&mut self, source: &[u8], target: &mut [u8]) -> bool {
        let stream = self.decompressor.get_or_insert_with(|| Inflate::new(true, WINDOW_BITS));
        stream.reset(true);
        let ended = stream.decompress(source, target, InflateFlush::Finish) == Ok(Status::StreamEnd);
        ended && stream.total_in() == source.len() as u64 && stream.total_out() == target.len() as u64
    }
}
