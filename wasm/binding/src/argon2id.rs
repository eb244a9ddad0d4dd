//! Argon2id. All arguments are numbers, so that an instance of its own can be called without the generated glue: memory never
//! shrinks, and 64 MiB for a second's work would stay with a worker for as long as it lives.

use crate::memory::{bytes, bytes_mut};
use blockvault_core::argon2id::{Argon2id, Costs, Inputs};
use std::cell::RefCell;
use wasm_bindgen::prelude::wasm_bindgen;

thread_local! {
    static RUNNING: RefCell<Option<Argon2id>> = const { RefCell::new(None) };
}

/// False when memory is out.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments, reason = "ranges cross the boundary as numbers")]
pub fn argon2id_start(
    passphrase: usize,
    passphrase_bytes: usize,
    salt: usize,
    salt_bytes: usize,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    key_bytes: usize,
) -> bool {
    let inputs =
        Inputs { passphrase: bytes(passphrase, passphrase_bytes), salt: bytes(salt, salt_bytes), ..Inputs::default() };
    let started = Argon2id::new(inputs, Costs { memory_kib, passes, lanes }, key_bytes).ok();
    RUNNING.with_borrow_mut(|running| {
        *running = started;
        running.is_some()
    })
}

/// Makes up to so many blocks of 1 KiB and says whether the key is there.
#[wasm_bindgen]
pub fn argon2id_run(blocks: usize) -> bool {
    RUNNING.with_borrow_mut(|running| running.as_mut().is_none_or(|running| running.run(blocks)))
}

/// Writes the key to a range of `key_bytes` bytes.
#[wasm_bindgen]
pub fn argon2id_key(target: usize, key_bytes: usize) {
    if let Some(done) = RUNNING.take() {
        bytes_mut(target, key_bytes).copy_from_slice(&done.key());
    }
}
