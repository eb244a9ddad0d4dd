//! Compression of frames, one file a codec. The numbers stand in packs: never reuse one.
//!
//! Invariant: `decompress` fills `target` exactly, from exactly the given bytes, or says no; it never allocates by what
//! the bytes ask for. `compress` answers only what is shorter than the source.

mod deflate;
mod lz4;
pub mod zstd;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Codec {
    None = 0,
    Zstd = 1,
    Lz4 = 2,
    Deflate = 3,
}

impl Codec {
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::None, Self::Zstd, Self::Lz4, Self::Deflate].get(number as usize).copied()
    }
}

/// The contexts of all codecs, made at first use and used again: making one costs as much as compressing 100 KiB.
#[derive(Default)]
pub struct Codecs {
    zstd: zstd::Zstd,
    lz4: lz4::Lz4,
    deflate: deflate::Deflate,
    checked: Vec<u8>,
}

impl Codecs {
    /// Compresses into the front of `target` and returns the length, or 0 when the result would not be shorter than
    /// `source` or does not fit. `level` is zstd's or deflate's.
    pub fn compress(&mut self, codec: Codec, level: i32, source: &[u8], target: &mut [u8]) -> usize {
        let shorter = source.len().saturating_sub(1).min(target.len());
        let target = &mut target[..shorter];
        if target.is_empty() {
            return 0;
        }
        match codec {
            Codec::None => 0,
            Codec::Zstd => self.zstd.compress(level, source, target),
            Codec::Lz4 => self.lz4.compress(source, target),
            Codec::Deflate => self.deflate.compress(level, source, target),
        }
    }

    /// True when `source` is one whole stream that fills `target` exactly.
    pub fn decompress(&mut self, codec: Codec, source: &[u8], target: &mut [u8]) -> bool {
        match codec {
            Codec::None => {
                let same = source.len() == target.len();
                if same {
                    target.copy_from_slice(source);
                }
                same
            }
            Codec::Zstd => self.zstd.decompress(source, target),
            Codec::Lz4 => lz4::decompress(source, target),
            Codec::Deflate => self.deflate.decompress(source, target),
        }
    }

    /// True when `compressed` gives `source` back: finds a defect or failing memory before a backup depends on it.
    pub fn gives(&mut self, codec: Codec, compressed: &[u8], source: &[u8]) -> bool {
        let mut checked = std::mem::take(&mut self.checked);
        // Bytes left from the frame before could hide a decoder that writes nothing.
        checked.clear();
        checked.resize(source.len(), 0);
        let same = self.decompress(codec, compressed, &mut checked) && checked == source;
        self.checked = checked;
        same
    }
}
