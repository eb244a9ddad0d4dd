//! Writes index blocks: the other side of the reader under test, from the words of docs/format.md.

pub struct Pack {
    pub id: [u8; 16],
    pub bytes: u32,
    pub frames: Vec<Frame>,
}

pub struct Frame {
    pub stored_bytes: u32,
    pub codec: u8,
    pub chunks: Vec<(u32, [u8; 32])>,
}

impl Frame {
    pub fn plain_bytes(&self) -> u32 {
        self.chunks.iter().map(|chunk| chunk.0).sum()
    }
}

pub fn write(packs: &[Pack]) -> Vec<u8> {
    let mut block = (packs.len() as u32).to_le_bytes().to_vec();
    for pack in packs {
        block.extend(pack.id);
        block.extend(pack.bytes.to_le_bytes());
        block.extend((pack.frames.len() as u32).to_le_bytes());
        for frame in &pack.frames {
            block.extend(frame.stored_bytes.to_le_bytes());
            block.extend(frame.plain_bytes().to_le_bytes());
            block.extend([frame.codec, 0]);
            block.extend((frame.chunks.len() as u16).to_le_bytes());
            for (bytes, fingerprint) in &frame.chunks {
                block.extend(bytes.to_le_bytes());
                block.extend(fingerprint);
            }
        }
    }
    block
}
