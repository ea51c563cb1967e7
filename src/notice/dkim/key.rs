//! The private key of a DKIM signature: RSA of 2048 bits or more, or Ed25519 (RFC 8463).

use crate::fault::{Fault, Finding, Result};
use crate::platform::Folder;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::Path;

/// Others than the owner may not read it, and the group may not write it.
const OPEN: u32 = 0o027;

const REMEDY: &str = "make one: openssl genpkey -algorithm ed25519 -out dkim.pem (or: -algorithm RSA -pkeyopt \
                      rsa_keygen_bits:2048)";

pub struct Key(Pair);

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    /// Reads PEM: PKCS#8, or PKCS#1 for RSA. A file that others can read is refused: whoever has the key signs as the
    /// domain.
    pub fn load(file: &Path) -> Result<Key> {
        let fault =
            |code, cause: String, remedy: String| -> Fault { Finding::error(code, cause, remedy).in_file(file).into() };
        if let Some(mode) = mode(file)?.filter(|mode| mode & OPEN != 0) {
            let cause = format!("other accounts may use the key for signing mail (mode {mode:04o})");
            return Err(fault("dkim-key-open", cause, format!("chmod 600 {}", file.display())));
        }
        let bad = |cause: &str| fault("dkim-key", cause.to_owned(), REMEDY.to_owned());
        let pem = fs_err::read(file)?;
        let der = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| bad("there is no private key in it, as PEM"))?;
        let pair = match &der {
            PrivateKeyDer::Pkcs1(der) => {
                RsaKeyPair::from_der(der.secret_pkcs1_der()).map(|pair| Pair::Rsa(pair.into()))
            }
            // OpenSSL writes Ed25519 without the public half, which ring then works out.
            PrivateKeyDer::Pkcs8(der) => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der())
                .map(Pair::Ed25519)
                .or_else(|_| RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map(|pair| Pair::Rsa(pair.into()))),
            _ => return Err(bad("the key is neither RSA nor Ed25519")),
        };
        // ring's one word for the reason: TooSmall, WrongAlgorithm, InvalidEncoding.
        pair.map(Key).map_err(|error| bad(&format!("the key is of no use: {error}; RSA needs 2048 to 8192 bits")))
    }

    /// The value of `a=`.
    pub fn algorithm(&self) -> &'static str {
        match self.0 {
            Pair::Rsa(_) => "rsa-sha256",
            Pair::Ed25519(_) => "ed25519-sha256",
        }
    }

    /// An RSA signature takes twenty times as long as the other.
    pub fn is_slow(&self) -> bool {
        matches!(self.0, Pair::Rsa(_))
    }

    /// As a person knows it.
    pub fn words(&self) -> String {
        match &self.0 {
            Pair::Rsa(pair) => format!("RSA with {} bits", pair.public().modulus_len() * 8),
            Pair::Ed25519(_) => "Ed25519".to_owned(),
        }
    }

    /// The same each time: neither PKCS#1 v1.5 nor Ed25519 draws by chance.
    pub fn sign(&self, text: &[u8]) -> Vec<u8> {
        match &self.0 {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                // Chance only blinds the arithmetic against who measures its time.
                let signed = pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature);
                signed.expect("the system has randomness, and the signature its length");
                signature
            }
            // RFC 8463 section 3: over the digest.
            Pair::Ed25519(pair) => pair.sign(&Sha256::digest(text)).as_ref().to_vec(),
        }
    }

    /// The values of `k=` and `p=` in the record: SubjectPublicKeyInfo for RSA, the bare key for Ed25519.
    pub fn public(&self) -> (&'static str, Vec<u8>) {
        match &self.0 {
            Pair::Rsa(pair) => ("rsa", subject_public_key_info(pair.public_key().as_ref())),
            Pair::Ed25519(pair) => ("ed25519", pair.public_key().as_ref().to_vec()),
        }
    }
}

fn mode(file: &Path) -> Result<Option<u32>> {
    let file = fs_err::canonicalize(file)?;
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return Ok(None) };
    Ok(Folder::open(folder)?.look(name)?.and_then(|look| look.mode))
}

/// `RSAPublicKey` (RFC 8017 appendix A.1.1) within its algorithm (RFC 5280 section 4.1.2.7).
fn subject_public_key_info(key: &[u8]) -> Vec<u8> {
    /// SEQUENCE { rsaEncryption, NULL }
    const ALGORITHM: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let unused_bits = [&[0], key].concat();
    let bits = element(0x03, &unused_bits);
    element(0x30, &[&ALGORITHM[..], &bits].concat())
}

/// Tag, length, content (X.690).
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1)..];
    let mut out = vec![tag];
    if content.len() >= 128 {
        out.push(0x80 | length.len() as u8);
    }
    out.extend_from_slice(length);
    out.extend_from_slice(content);
    out
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.words())
    }
}
