//! Four 32-bit words side by side, and sums of their 64-bit products.

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub use portable::{Sums, Words};
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub use wasm::{Sums, Words};

/// Key words are words like any other.
pub type Keys = Words;
