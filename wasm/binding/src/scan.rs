//! Scanning, and the fingerprint of a single range.

use crate::memory::bytes;
use blockvault_core::chunker::Chunker;
use blockvault_core::fingerprint::{self, Key};
use blockvault_core::scan::Scanner as CoreScanner;
use wasm_bindgen::prelude::wasm_bindgen;

/// Fingerprint of a range; empty when the key is not 32 bytes.
#[wasm_bindgen]
pub fn fingerprint(key: &[u8], address: usize, length: usize) -> Vec<u8> {
    match Key::try_from(key) {
        Ok(key) => fingerprint::fingerprint(&key, bytes(address, length)).to_vec(),
        Err(_) => Vec::new(),
    }
}

#[wasm_bindgen]
pub struct Scanner(CoreScanner);

#[wasm_bindgen]
impl Scanner {
    /// Nothing when the size or the key is out of bounds.
    pub fn fixed(size: u32, key: &[u8]) -> Option<Scanner> {
        let key = Key::try_from(key).ok()?;
        Some(Scanner(CoreScanner::new(Chunker::fixed(size)?, key)))
    }

    /// Nothing when a size or the key is out of bounds.
    pub fn fastcdc(min: u32, average: u32, max: u32, key: &[u8]) -> Option<Scanner> {
        let key = Key::try_from(key).ok()?;
        Some(Scanner(CoreScanner::new(Chunker::fastcdc(min, average, max, &key)?, key)))
    }

    /// Scans a range and returns the number of chunks; the addresses below are of what it found, valid until the
    /// next call.
    pub fn scan(&mut self, address: usize, length: usize) -> usize {
        self.0.scan(bytes(address, length)).lengths.len()
    }

    /// Zero flags and change tags of chunks whose lengths are known; the addresses of both are valid until the next call.
    pub fn tag(&mut self, address: usize, length: usize, lengths: &[u32]) {
        self.0.tag(bytes(address, length), lengths);
    }

    pub fn lengths(&self) -> usize {
        self.0.found().lengths.as_ptr() as usize
    }

    pub fn zero(&self) -> usize {
        self.0.found().zero.as_ptr() as usize
    }

    pub fn fingerprints(&self) -> usize {
        self.0.found().fingerprints.as_ptr() as usize
    }

    pub fn change_tags(&self) -> usize {
        self.0.found().change_tags.as_ptr() as usize
    }
}
