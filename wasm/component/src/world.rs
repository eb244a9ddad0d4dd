//! The world's functions and resources over the modules that do the work.

use crate::exports::blockvault::reader::{chunks, codecs, objects};
use crate::index::{TRAILER_BYTES, directory, directory_place, open_frame, packs};
use crate::keys::Keyring;
use crate::seal::{HEADER_BYTES, Kind, Opener};
use crate::{INDEX_BYTES_MAX, MANIFEST_BYTES_MAX, config, core_codec, key32, manifest, map_node, slot};
use blockvault_core::change_tag::ChangeTagger;
use blockvault_core::chunker::Chunker;
use blockvault_core::codec::Codecs;
use blockvault_core::{fingerprint, scan};
use objects::{Frame, NodeEntry, Pack, Problem, Secret};
use std::cell::RefCell;

thread_local! {
    /// The codecs' contexts, made once. A component runs one call at a time.
    static CODECS: RefCell<Codecs> = RefCell::default();
}

/// Plaintexts are at most this long, whatever is expected.
const PLAIN_BYTES_MAX: u32 = 1 << 24;

pub struct Component;

impl chunks::Guest for Component {
    type Scanner = Scanner;

    fn fingerprint(key: Vec<u8>, chunk: Vec<u8>) -> Option<Vec<u8>> {
        Some(fingerprint::fingerprint(&key32(&key).ok()?, &chunk).to_vec())
    }

    fn change_tag(key: Vec<u8>, chunk: Vec<u8>) -> Option<Vec<u8>> {
        Some(ChangeTagger::new(&key32(&key).ok()?).tag(&chunk).to_vec())
    }
}

pub struct Scanner(RefCell<scan::Scanner>);

impl chunks::GuestScanner for Scanner {
    fn open(chunker: chunks::Chunker, key: Vec<u8>) -> Option<chunks::Scanner> {
        let key = key32(&key).ok()?;
        let chunker = match chunker {
            chunks::Chunker::Fixed(size) => Chunker::fixed(size)?,
            chunks::Chunker::Fastcdc(sizes) => Chunker::fastcdc(sizes.min, sizes.average, sizes.max, &key)?,
        };
        Some(chunks::Scanner::new(Self(RefCell::new(scan::Scanner::new(chunker, key)))))
    }

    fn scan(&self, segment: Vec<u8>) -> Vec<chunks::ScannedChunk> {
        let mut scanner = self.0.borrow_mut();
        let found = scanner.scan(&segment);
        let lists = found.lengths.iter().zip(&found.zero).zip(found.fingerprints.iter().zip(&found.change_tags));
        lists
            .map(|((&length, &zero), (fingerprint, tag))| chunks::ScannedChunk {
                length,
                zero: zero == 1,
                fingerprint: fingerprint.to_vec(),
                change_tag: tag.to_vec(),
            })
            .collect()
    }
}

impl codecs::Guest for Component {
    fn compress(codec: codecs::Codec, level: i32, source: Vec<u8>) -> Option<Vec<u8>> {
        let mut target = vec![0; source.len()];
        let length = CODECS.with_borrow_mut(|codecs| codecs.compress(core_codec(codec), level, &source, &mut target));
        target.truncate(length);
        (length > 0).then_some(target)
    }

    fn decompress(codec: codecs::Codec, source: Vec<u8>, expected: u32) -> Option<Vec<u8>> {
        if expected > PLAIN_BYTES_MAX {
            return None;
        }
        let mut target = vec![0; expected as usize];
        CODECS.with_borrow_mut(|codecs| codecs.decompress(core_codec(codec), &source, &mut target)).then_some(target)
    }
}

impl objects::Guest for Component {
    type Repository = Repository;

    fn header_bytes() -> u32 {
        HEADER_BYTES as u32
    }

    fn directory_place(trailer: Vec<u8>, pack_length: u32) -> Result<(u32, u32), Problem> {
        directory_place(&trailer, pack_length)
    }
}

pub struct Repository {
    id: String,
    keyring: Keyring,
    encrypted: bool,
}

impl Repository {
    fn opener(&self, kind: Kind, name: &str, header: &[u8]) -> Result<Opener, Problem> {
        Opener::new(kind, name, header, &self.id, &self.keyring, self.encrypted)
    }

    /// The plaintext of an object that is one sealed piece.
    fn whole(&self, kind: Kind, name: &str, object: &[u8], bytes_max: usize) -> Result<Vec<u8>, Problem> {
        if object.len() > bytes_max {
            return Err(Problem::Malformed);
        }
        let (header, sealed) = object.split_at_checked(HEADER_BYTES).ok_or(Problem::NotAnObject)?;
        self.opener(kind, name, header)?.open(0, sealed)
    }

    /// Not of the world: what the native tests open with.
    pub fn unlock(config: &[u8], slots: &[Vec<u8>], secret: &Secret) -> Result<Self, Problem> {
        let config = config::read(config)?;
        let keyring = match (config.encrypted, secret) {
            (false, Secret::None) => Keyring::unencrypted(&config.id),
            (true, Secret::Key(_) | Secret::Passphrase(_)) => slot::open(slots, &config.id, secret)?,
            _ => return Err(Problem::Encryption),
        };
        if !config.is_signed_by(&keyring) {
            return Err(Problem::Seal);
        }
        Ok(Self { id: config.id, keyring, encrypted: config.encrypted })
    }
}

impl objects::GuestRepository for Repository {
    fn open(config: Vec<u8>, slots: Vec<Vec<u8>>, secret: Secret) -> Result<objects::Repository, Problem> {
        Self::unlock(&config, &slots, &secret).map(objects::Repository::new)
    }

    fn id(&self) -> String {
        self.id.clone()
    }

    fn fingerprint_key(&self) -> Vec<u8> {
        self.keyring.fingerprint_key.to_vec()
    }

    fn manifest(&self, name: String, object: Vec<u8>) -> Result<String, Problem> {
        manifest::check(&self.whole(Kind::Manifest, &name, &object, MANIFEST_BYTES_MAX)?, &name)
    }

    fn index(&self, name: String, object: Vec<u8>) -> Result<Vec<Pack>, Problem> {
        packs(&self.whole(Kind::Index, &name, &object, INDEX_BYTES_MAX)?)
    }

    fn directory(&self, name: String, header: Vec<u8>, sealed: Vec<u8>, pack_length: u32) -> Result<Pack, Problem> {
        directory(&self.opener(Kind::Pack, &name, &header)?, &name, &sealed, pack_length)
    }

    fn pack(&self, name: String, object: Vec<u8>) -> Result<Pack, Problem> {
        let length = u32::try_from(object.len()).map_err(|_| Problem::Malformed)?;
        let trailer =
            object.len().checked_sub(TRAILER_BYTES).and_then(|from| object.get(from..)).ok_or(Problem::NotAnObject)?;
        let (offset, bytes) = directory_place(trailer, length)?;
        let sealed = &object[offset as usize..(offset + bytes) as usize];
        directory(&self.opener(Kind::Pack, &name, &object[..HEADER_BYTES])?, &name, sealed, length)
    }

    fn open_frame(
        &self,
        pack_name: String,
        header: Vec<u8>,
        frame: Frame,
        sealed: Vec<u8>,
    ) -> Result<Vec<u8>, Problem> {
        let opener = self.opener(Kind::Pack, &pack_name, &header)?;
        CODECS.with_borrow_mut(|codecs| open_frame(&opener, &frame, &sealed, &self.keyring.fingerprint_key, codecs))
    }

    fn node(&self, bytes: Vec<u8>, level: u8, total: u32) -> Result<Vec<NodeEntry>, Problem> {
        map_node::read(&bytes, level, total)
    }
}
