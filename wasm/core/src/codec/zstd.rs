//! zstd (RFC 8878): one frame, no dictionary. The C library, compiled to WASM with 64-bit
//! arithmetic (zstd-wide.h): 1.3 times as fast there as `structured-zstd`, the fastest in pure Rust.

use zstd_safe::{CCtx, CParameter, DCtx, ResetDirective, find_frame_compressed_size};

/// From level 20 on the window may pass `WINDOW_BYTES_MAX` and memory 100 MiB, and speed has long fallen below any network's.
pub const LEVELS: std::ops::RangeInclusive<i32> = -7..=19;
/// What RFC 8878 recommends every decoder to support, and all we accept.
const WINDOW_BYTES_MAX: u64 = 8 << 20;
const MAGIC: [u8; 4] = 0xFD2F_B528u32.to_le_bytes();
/// A context numbers the bytes it has seen, from frame to frame and part to part. It is made anew before the numbers come near 2 GiB, where
/// zstd-wide.h would no longer be sound; a new one costs 0.1 ms.
pub const CONTEXT_BYTES_MAX: usize = 1 << 30;

#[derive(Default)]
pub struct Zstd {
    compressor: Option<Compressor>,
    decompressor: Option<DCtx<'static>>,
}

struct Compressor {
    context: CCtx<'static>,
    level: i32,
    seen_bytes: usize,
}

impl Zstd {
    pub fn compress(&mut self, level: i32, source: &[u8], target: &mut [u8]) -> usize {
        let level = level.clamp(*LEVELS.start(), *LEVELS.end());
        let Some(context) = self.context(level, source.len()) else { return 0 };
        match context.compress2(target, source) {
            Ok(length) => length,
            // Too long for `target`: the context stays in the middle of a frame until told otherwise.
            Err(_) => {
                let _ = context.reset(ResetDirective::SessionOnly);
                0
            }
        }
    }

    pub fn decompress(&mut self, source: &[u8], target: &mut [u8]) -> bool {
        // The library would go on into further and skippable frames, and has no bound on a window it does not allocate.
        if !frame_fits(source, target.len() as u64) || find_frame_compressed_size(source) != Ok(source.len()) {
            return false;
        }
        if self.decompressor.is_none() {
            self.decompressor = DCtx::try_create();
        }
        let Some(context) = &mut self.decompressor else { return false };
        context.decompress(target, source) == Ok(target.len())
    }

    /// A context set to `level`, about to see `bytes` more.
    fn context(&mut self, level: i32, bytes: usize) -> Option<&mut CCtx<'static>> {
        let kept = self.compressor.take().filter(|kept| kept.seen_bytes.saturating_add(bytes) <= CONTEXT_BYTES_MAX);
        let fresh = || Some(Compressor { context: CCtx::try_create()?, level: 0, seen_bytes: 0 });
        let compressor = self.compressor.insert(kept.or_else(fresh)?);
        if compressor.level != level {
            compressor.context.set_parameter(CParameter::CompressionLevel(level)).ok()?;
            compressor.level = level;
        }
        compressor.seen_bytes = compressor.seen_bytes.saturating_add(bytes);
        Some(&mut compressor.context)
    }
}

/// Reads a frame header (RFC 8878, 3.1.1.1): a plain zstd frame without dictionary, whose window is bounded and whose
/// content size, where it is given, is `expected`.
fn frame_fits(source: &[u8], expected: u64) -> bool {
    let Some((&descriptor, rest)) = source.strip_prefix(&MAGIC).and_then(|rest| rest.split_first()) else {
        return false;
    };
    let single_segment = descriptor & 0x20 != 0;
    let (reserved, dictionary) = (descriptor & 0x08 != 0, descriptor & 0x03 != 0);
    if reserved || dictionary {
        return false;
    }
    let rest = if single_segment {
        rest
    } else {
        let Some((&window, rest)) = rest.split_first() else { return false };
        let base = 1u64 << (10 + (window >> 3));
        if base + base / 8 * u64::from(window & 7) > WINDOW_BYTES_MAX {
            return false;
        }
        rest
    };
    let (size_bytes, bias) = match (descriptor >> 6, single_segment) {
        (0, false) => return true,
        (0, true) => (1, 0),
        (1, _) => (2, 256),
        (2, _) => (4, 0),
        _ => (8, 0),
    };
    let Some(field) = rest.get(..size_bytes) else { return false };
    let mut size = [0; 8];
    size[..size_bytes].copy_from_slice(field);
    u64::from_le_bytes(size).checked_add(bias) == Some(expected)
}
