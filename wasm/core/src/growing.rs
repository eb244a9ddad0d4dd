//! A list that grows by steps of one size. A `Vec` doubles: while it does, it holds three times what it needs.

use crate::OutOfMemory;

const STEP_BITS: u32 = 15;
/// Entries a step: for the index's 28-byte entries 0.9 MiB, the most that lies unused.
const STEP: usize = 1 << STEP_BITS;

pub struct Growing<T> {
    steps: Vec<Vec<T>>,
    length: usize,
}

impl<T> Growing<T> {
    pub const fn new() -> Self {
        Self { steps: Vec::new(), length: 0 }
    }

    pub fn len(&self) -> usize {
        self.length
    }

    pub fn memory_bytes(&self) -> usize {
        self.steps.iter().map(Vec::capacity).sum::<usize>() * size_of::<T>()
    }

    /// Makes room for `count` more, so that as many calls of `push` cannot fail.
    pub fn reserve(&mut self, count: usize) -> Result<(), OutOfMemory> {
        let end = self.length + count;
        self.steps.try_reserve(end.div_ceil(STEP).saturating_sub(self.steps.len())).map_err(|_| OutOfMemory)?;
        for number in (self.length >> STEP_BITS)..end.div_ceil(STEP) {
            if number == self.steps.len() {
                self.steps.push(Vec::new());
            }
            let step = &mut self.steps[number];
            let wanted = STEP.min(end - (number << STEP_BITS));
            // A small index doubles like a Vec, a large one takes whole steps.
            let capacity = if wanted > STEP / 2 { STEP } else { wanted.next_power_of_two() };
            step.try_reserve_exact(capacity.saturating_sub(step.len())).map_err(|_| OutOfMemory)?;
        }
        Ok(())
    }

    pub fn push(&mut self, entry: T) {
        self.steps[self.length >> STEP_BITS].push(entry);
        self.length += 1;
    }

    pub fn get(&self, index: usize) -> &T {
        &self.steps[index >> STEP_BITS][index & (STEP - 1)]
    }

    pub fn last_mut(&mut self) -> Option<&mut T> {
        self.steps.get_mut(self.length.wrapping_sub(1) >> STEP_BITS)?.last_mut()
    }

    /// Number of entries at the front that satisfy `before`, which must hold for a prefix of the list only.
    pub fn partition_point(&self, before: impl Fn(&T) -> bool) -> usize {
        let (mut low, mut high) = (0, self.length);
        while low < high {
            let middle = low.midpoint(high);
            if before(self.get(middle)) { low = middle + 1 } else { high = middle }
        }
        low
    }
}
