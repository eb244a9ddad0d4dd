//! Ranges of this module's memory as slices: the `unsafe` of the project is here and in zstd_parts.rs.

use std::alloc::{Layout, alloc, dealloc};
use wasm_bindgen::prelude::wasm_bindgen;

/// A page: O_DIRECT reads need their target aligned to the device's block, and no block is larger.
const ALIGNMENT: usize = 4096;

/// Address of `bytes` fresh bytes, or 0 when memory is out or `bytes` is 0. Their content is whatever was there before.
#[wasm_bindgen]
pub fn allocate(bytes: usize) -> usize {
    match Layout::from_size_align(bytes, ALIGNMENT) {
        // SAFETY: the layout has a size above 0.
        Ok(layout) if bytes > 0 => unsafe { alloc(layout) as usize },
        _ => 0,
    }
}

/// Gives a range back.
#[wasm_bindgen]
pub fn release(address: usize, bytes: usize) {
    if let Ok(layout) = Layout::from_size_align(bytes, ALIGNMENT) {
        // SAFETY: memory.ts calls this once for each address that `allocate` gave, with the same `bytes`, and its buffer
        // answers no address after.
        unsafe { dealloc(address as *mut u8, layout) }
    }
}

/// The bytes of a range, to read.
pub fn bytes<'call>(address: usize, length: usize) -> &'call [u8] {
    // SAFETY: memory.ts passes only ranges inside one allocation that is not yet released; such bytes hold whatever was
    // written and any value is a valid u8. The slice does not outlive the exported call, and nothing else runs meanwhile:
    // the memory is not shared with other threads.
    unsafe { std::slice::from_raw_parts(address as *const u8, length) }
}

/// The bytes of a range, to write.
pub fn bytes_mut<'call>(address: usize, length: usize) -> &'call mut [u8] {
    // SAFETY: as for `bytes`; and callers pass ranges that `overlap` has told apart, so no other slice sees these bytes.
    unsafe { std::slice::from_raw_parts_mut(address as *mut u8, length) }
}

pub fn overlap(first: usize, first_length: usize, second: usize, second_length: usize) -> bool {
    first < second.saturating_add(second_length) && second < first.saturating_add(first_length)
}
