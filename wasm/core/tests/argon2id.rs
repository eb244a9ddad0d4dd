//! Argon2id gives the RFC's answer, however its work is cut. Other costs are compared with hash-wasm in test/core/argon2id.test.ts.

mod common;

use blockvault_core::argon2id::{Argon2id, Costs, Inputs};
use common::{Random, to_hex};

fn key(inputs: Inputs, costs: Costs, key_bytes: usize, step: usize) -> String {
    let mut argon2id = Argon2id::new(inputs, costs, key_bytes).expect("memory");
    while !argon2id.run(step) {}
    to_hex(&argon2id.key())
}

/// RFC 9106, 5.3.
#[test]
fn the_vector_of_the_rfc() {
    let inputs = Inputs { passphrase: &[1; 32], salt: &[2; 16], secret: &[3; 8], associated: &[4; 12] };
    let costs = Costs { memory_kib: 32, passes: 3, lanes: 4 };
    let expected = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659";
    assert_eq!(key(inputs, costs, 32, 1000), expected);
}

#[test]
fn steps_make_no_difference() {
    let mut random = Random::seeded();
    for _ in 0..20 {
        let lanes = 1 + random.below(4);
        let memory_kib = (8 * lanes + random.below(3_000)) as u32;
        let costs = Costs { memory_kib, passes: 1 + random.below(3) as u32, lanes: lanes as u32 };
        let (passphrase, salt) = (random.bytes::<20>(), random.bytes::<16>());
        let inputs = Inputs { passphrase: &passphrase, salt: &salt, ..Inputs::default() };
        let key_bytes = 4 + random.below(200);
        let step = 1 + random.below(100);
        assert_eq!(key(inputs, costs, key_bytes, step), key(inputs, costs, key_bytes, usize::MAX), "{costs:?}");
    }
}
