//! The core as a WebAssembly module. Bytes stay in this module's memory, where JavaScript reads files straight into
//! them; a call takes addresses and lengths. `src/core/memory.ts` is the only caller that knows addresses, and checks
//! every range against the buffer it belongs to.

mod argon2id;
mod codecs;
mod index;
mod memory;
mod scan;
mod streams;
mod zstd_parts;
