//! Signatures of store paths: Ed25519 over a fingerprint of what a path is.
//!
//! Keys and signatures are written `NAME:BASE64`. What is signed is the text that [`fingerprint`] makes, so a
//! signature holds for a path with that NAR and those references, wherever it comes from.

use crate::base64;
use crate::hash::Hash;
use crate::store_path::{StoreDir, StorePath};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use std::fmt;
use std::str::FromStr;

/// A key that signs.
#[derive(Clone)]
pub struct SecretKey {
    name: String,
    key: SigningKey,
}

/// A key that checks signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    key: VerifyingKey,
}

/// A signature and the name of the key that made it. Whether it is right is not known before it is checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signature {
    key: String,
    bytes: Vec<u8>,
}

/// Why a text is no key or signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// It is not `NAME:BASE64`. A secret key's text is not part of the error.
    Form(&'static str),
    /// The bytes are no key: too few, too many, or no point of the curve.
    Bytes(&'static str),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(what) => write!(f, "a {what} has the form `NAME:BASE64`, and this has not"),
            Self::Bytes(what) => write!(f, "the bytes behind the name are no {what}"),
        }
    }
}

impl std::error::Error for KeyError {}

/// The text that is signed for a path: its name, NAR and references.
pub fn fingerprint(
    dir: &StoreDir,
    path: &StorePath,
    nar_hash: &Hash,
    nar_size: u64,
    references: &[StorePath],
) -> String {
    let mut references: Vec<_> = references.iter().collect();
    references.sort();
    references.dedup();
    let references: Vec<_> = references.into_iter().map(|reference| dir.print(reference)).collect();
    let hash = nar_hash.prefixed_base32();
    format!("1;{};{hash};{nar_size};{}", dir.print(path), references.join(","))
}

fn split(text: &str, what: &'static str) -> Result<(String, Vec<u8>), KeyError> {
    let form = || KeyError::Form(what);
    let (name, bytes) = text.trim_end_matches(['\n', '\r']).split_once(':').ok_or_else(form)?;
    let bytes = base64::decode(bytes).filter(|bytes| !bytes.is_empty()).ok_or_else(form)?;
    if name.is_empty() { Err(form()) } else { Ok((name.to_owned(), bytes)) }
}

impl SecretKey {
    /// The key that 32 random bytes give.
    pub fn from_seed(name: &str, seed: [u8; 32]) -> Self {
        Self { name: name.to_owned(), key: SigningKey::from_bytes(&seed) }
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key that checks what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// Signs bytes.
    pub fn sign(&self, bytes: &[u8]) -> Signature {
        Signature { key: self.name.clone(), bytes: self.key.sign(bytes).to_bytes().to_vec() }
    }

    /// The key as text, to be kept secret.
    pub fn to_text(&self) -> String {
        format!("{}:{}", self.name, base64::encode(&self.key.to_keypair_bytes()))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.name)
    }
}

impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, bytes) = split(text, "secret key")?;
        let wrong = KeyError::Bytes("secret key");
        let bytes = <[u8; 64]>::try_from(bytes.as_slice()).map_err(|_| wrong.clone())?;
        let key = SigningKey::from_keypair_bytes(&bytes).map_err(|_| wrong)?;
        Ok(Self { name, key })
    }
}

impl PublicKey {
    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a signature names this key and is right for the bytes.
    pub fn verifies(&self, bytes: &[u8], signature: &Signature) -> bool {
        let Ok(raw) = ed25519_dalek::Signature::from_slice(&signature.bytes) else { return false };
        signature.key == self.name && self.key.verify_strict(bytes, &raw).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, base64::encode(self.key.as_bytes()))
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, bytes) = split(text, "public key")?;
        let wrong = KeyError::Bytes("public key");
        let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| wrong.clone())?;
        Ok(Self { name, key: VerifyingKey::from_bytes(&bytes).map_err(|_| wrong)? })
    }
}

impl Signature {
    /// The name of the key that is said to have made it.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.key, base64::encode(&self.bytes))
    }
}

impl FromStr for Signature {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (key, bytes) = split(text, "signature")?;
        Ok(Self { key, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // nix-store --generate-binary-cache-key test.example-1 secret public
    const SECRET: &str = "test.example-1:+p1oAxbtaD4u+qEl+FfG38CgzjY4kqZRczUKgiUHc67SpQW4UGjpPob0eM2zOM2aPoQ2Z90B9IA16mnRKapeLg==";
    const PUBLIC: &str = "test.example-1:0qUFuFBo6T6G9HjNszjNmj6ENmfdAfSANepp0SmqXi4=";

    #[test]
    fn keys_and_signatures_agree_with_nix() {
        let secret: SecretKey = SECRET.parse().unwrap();
        assert_eq!(secret.to_text(), SECRET);
        assert_eq!(secret.public().to_string(), PUBLIC);
        let public: PublicKey = PUBLIC.parse().unwrap();
        let text = fingerprint(
            &StoreDir::default(),
            &StorePath::parse("mxfyh6dq3pj8wggqhb10ckc4xipf75gk-b").unwrap(),
            &Hash::parse("sha256:12z778d8j2vhfx6jqslhn880gxprjj0sbx1sg0df5bcy5yjgzbag", None).unwrap(),
            160,
            &[StorePath::parse("12wigjpizrn8axaqxj288q1b751qmwya-a").unwrap()],
        );
        // nix store sign --key-file secret; nix path-info --sigs
        let signature: Signature = "test.example-1:MLuMivapRfvHf/4DeGO1eFd1Q0Cep1jgvS4R1y995wJrWciyHb2j8p6HHVNBhP+2U9Wsy5/cWdWLzJTDJAIqBg==".parse().unwrap();
        assert!(public.verifies(text.as_bytes(), &signature));
        assert_eq!(secret.sign(text.as_bytes()), signature);
        assert!(!public.verifies(b"something else", &signature));
        let renamed: Signature =
            signature.to_string().replace("test.example", "other.example").parse().unwrap();
        assert!(!public.verifies(text.as_bytes(), &renamed));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "name", ":AAAA", "name:", "name:*", "name:AAAA"] {
            assert!(text.parse::<PublicKey>().is_err(), "{text}");
            let error = text.parse::<SecretKey>().unwrap_err().to_string();
            assert!(!error.contains("AAAA"), "{error}");
        }
        assert!(
            "name:AAAA"
                .parse::<Signature>()
                .is_ok_and(|signature| { !PUBLIC.parse::<PublicKey>().unwrap().verifies(b"", &signature) })
        );
    }
}
