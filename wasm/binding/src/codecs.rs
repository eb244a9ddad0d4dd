//! Compression of ranges. The codecs' contexts belong to one object, so that each is made once.

use crate::memory::{bytes, bytes_mut, overlap};
use blockvault_core::codec::{Codec, Codecs as CoreCodecs};
use wasm_bindgen::prelude::wasm_bindgen;

const REFUSED: i32 = -1;

#[wasm_bindgen]
#[derive(Default)]
pub struct Codecs(CoreCodecs);

#[wasm_bindgen]
impl Codecs {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Codecs {
        Codecs::default()
    }

    /// Compressed length, or 0 when it would not be shorter than the source, or -1 when `check` is asked for and the
    /// result does not give the source back, or the ranges overlap, or there is no such codec.
    #[allow(clippy::too_many_arguments, reason = "ranges cross the boundary as numbers")]
    pub fn compress(
        &mut self,
        codec: u8,
        level: i32,
        source: usize,
        length: usize,
        target: usize,
        capacity: usize,
        check: bool,
    ) -> i32 {
        let Some(codec) = Codec::from_number(codec) else { return REFUSED };
        if overlap(source, length, target, capacity) {
            return REFUSED;
        }
        let (source, target) = (bytes(source, length), bytes_mut(target, capacity));
        let compressed = self.0.compress(codec, level, source, target);
        if check && compressed > 0 && !self.0.gives(codec, &target[..compressed], source) {
            return REFUSED;
        }
        compressed as i32
    }

    /// True when exactly `expected` bytes came out of exactly `length` bytes.
    pub fn decompress(&mut self, codec: u8, source: usize, length: usize, target: usize, expected: usize) -> bool {
        match Codec::from_number(codec) {
            Some(codec) if !overlap(source, length, target, expected) => {
                self.0.decompress(codec, bytes(source, length), bytes_mut(target, expected))
            }
            _ => false,
        }
    }
}
