//! A set of fingerprints: what a running backup has claimed, so that two equal new chunks are stored once.

use crate::OutOfMemory;
use crate::fingerprint::Fingerprint;
use crate::growing::Growing;
use crate::slots::{Found, Slots};

pub struct FingerprintSet {
    slots: Slots,
    entries: Growing<Fingerprint>,
}

impl Default for FingerprintSet {
    fn default() -> Self {
        Self { slots: Slots::default(), entries: Growing::new() }
    }
}

impl FingerprintSet {
    pub fn size(&self) -> usize {
        self.entries.len()
    }

    /// Makes room, so that claiming `count` fingerprints cannot fail halfway. Doubles: a set is filled in small batches.
    pub fn reserve(&mut self, count: usize) -> Result<(), OutOfMemory> {
        let held = self.entries.len();
        self.entries.reserve(count)?;
        if !self.slots.fits(count, held + count) {
            let wanted = held + count.max(held);
            self.slots.rebuild(wanted, wanted)?;
            for number in 0..held {
                let fingerprint = self.entries.get(number);
                if let Found::Vacancy(vacancy) = self.look_up(fingerprint) {
                    self.slots.take(vacancy, hash_of(fingerprint), number as u32);
                }
            }
        }
        Ok(())
    }

    /// True when it was not in the set before; it is now. Room must have been reserved.
    pub fn claim(&mut self, fingerprint: &Fingerprint) -> bool {
        let Found::Vacancy(vacancy) = self.look_up(fingerprint) else { return false };
        self.slots.take(vacancy, hash_of(fingerprint), self.entries.len() as u32);
        self.entries.push(*fingerprint);
        true
    }

    fn look_up(&self, fingerprint: &Fingerprint) -> Found {
        self.slots.find(hash_of(fingerprint), |entry| self.entries.get(entry as usize) == fingerprint)
    }
}

fn hash_of(fingerprint: &Fingerprint) -> u64 {
    u64::from_le_bytes(*fingerprint.first_chunk().expect("a fingerprint is longer than a word"))
}
