//! Signatures of releases: one valid signature by one known key is enough, as for apt.

use crate::{Error, SignatureProblem};
use pgp::composed::{CleartextSignedMessage, Deserializable as _, SignedPublicKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::Signature;
use pgp::types::{KeyDetails as _, VerifyingKey};

/// Clocks may differ by this many seconds.
const CLOCK_SKEW: i64 = 86_400;

const DEBIAN: [&[u8]; 6] = [
    include_bytes!("../keys/debian-archive-trixie-automatic.pgp"),
    include_bytes!("../keys/debian-archive-trixie-security-automatic.pgp"),
    include_bytes!("../keys/debian-archive-trixie-stable.pgp"),
    include_bytes!("../keys/debian-archive-bookworm-automatic.pgp"),
    include_bytes!("../keys/debian-archive-bookworm-security-automatic.pgp"),
    include_bytes!("../keys/debian-archive-bookworm-stable.pgp"),
];

/// Public keys whose signatures count.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<SignedPublicKey>);

impl Keys {
    /// The keys of Debian's archive.
    ///
    /// # Errors
    /// None that a build with its test passed can have.
    pub fn debian() -> Result<Self, Error> {
        let mut all = Vec::new();
        for bytes in DEBIAN {
            all.extend(Self::parse(bytes)?.0);
        }
        Ok(Self(all))
    }

    /// Reads keys, armored or binary.
    ///
    /// # Errors
    /// Bytes that hold no key.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let unfit = |reason: String| Error::Key { reason };
        let (keys, _) = SignedPublicKey::from_reader_many(bytes).map_err(|error| unfit(error.to_string()))?;
        let keys: Result<Vec<_>, _> = keys.collect();
        let keys = keys.map_err(|error| unfit(error.to_string()))?;
        if keys.is_empty() {
            return Err(unfit("there is no key in it".to_owned()));
        }
        Ok(Self(keys))
    }
}

/// Checks the signatures of an `InRelease` text, and returns the text that was signed.
///
/// # Errors
/// No valid signature by one of the keys; the problem says what was wrong with those that there are.
pub fn verify_release(text: &str, keys: &Keys, now: i64) -> Result<String, SignatureProblem> {
    let (message, _) = CleartextSignedMessage::from_string(text)
        .map_err(|error| SignatureProblem::Malformed(error.to_string()))?;
    let signed = message.signed_text();
    let mut problem = SignatureProblem::UnknownKey { issuers: issuers(&message) };
    for signature in message.signatures() {
        for key in &keys.0 {
            match check(signature, key, signed.as_bytes(), now) {
                Ok(true) => return Ok(signed.replace("\r\n", "\n")),
                Ok(false) => {}
                Err(found) => problem = found,
            }
        }
    }
    Err(problem)
}

fn issuers(message: &CleartextSignedMessage) -> Vec<String> {
    let mut all: Vec<String> = message
        .signatures()
        .iter()
        .flat_map(|signature| signature.issuer_key_id())
        .map(|id| id.to_string().to_ascii_uppercase())
        .collect();
    all.sort();
    all.dedup();
    all
}

/// True where the key made the signature and may have; false where another key made it.
fn check(
    signature: &Signature,
    key: &SignedPublicKey,
    text: &[u8],
    now: i64,
) -> Result<bool, SignatureProblem> {
    let Some(signer) = signer(signature, key) else { return Ok(false) };
    let name = format!("{:X}", signer.fingerprint());
    let strong = matches!(
        signature.hash_alg(),
        Some(
            HashAlgorithm::Sha256
                | HashAlgorithm::Sha384
                | HashAlgorithm::Sha512
                | HashAlgorithm::Sha3_256
                | HashAlgorithm::Sha3_512
        )
    );
    if !strong {
        return Err(SignatureProblem::Weak { key: name });
    }
    if signer.verify(signature, text).is_err() {
        return Err(SignatureProblem::Wrong { key: name });
    }
    let seconds = |time: pgp::types::Timestamp| i64::from(time.as_secs());
    let Some(made) = signature.created().map(seconds) else {
        return Err(SignatureProblem::Wrong { key: name });
    };
    let ends = signature.signature_expiration_time().map(|lasts| made + i64::from(lasts.as_secs()));
    if ends.is_some_and(|end| end < now) || made > now + CLOCK_SKEW {
        return Err(SignatureProblem::OutOfTime { key: name });
    }
    if !key.details.revocation_signatures.is_empty() {
        return Err(SignatureProblem::Revoked { key: name });
    }
    let created = seconds(signer.created_at());
    let expires = signer.lifetime(key).map(|lasts| created + lasts);
    if made < created || expires.is_some_and(|end| made > end) {
        return Err(SignatureProblem::KeyExpired { key: name });
    }
    Ok(true)
}

/// The part of a key that made a signature.
enum Signer<'k> {
    Primary(&'k SignedPublicKey),
    Sub(&'k pgp::composed::SignedPublicSubKey),
}

/// Finds the part of a key that a signature names, if it may sign.
fn signer<'k>(signature: &Signature, key: &'k SignedPublicKey) -> Option<Signer<'k>> {
    let named = |id: &pgp::types::KeyId, fingerprint: &pgp::types::Fingerprint| {
        let fingerprints = signature.issuer_fingerprint();
        if fingerprints.is_empty() {
            signature.issuer_key_id().contains(&id)
        } else {
            fingerprints.contains(&fingerprint)
        }
    };
    let primary = &key.primary_key;
    if named(&primary.legacy_key_id(), &primary.fingerprint()) {
        return Some(Signer::Primary(key));
    }
    key.public_subkeys
        .iter()
        .filter(|sub| named(&sub.key.legacy_key_id(), &sub.key.fingerprint()))
        .find(|sub| {
            sub.verify_bindings(primary).is_ok() && sub.signatures.iter().any(|s| s.key_flags().sign())
        })
        .map(Signer::Sub)
}

impl Signer<'_> {
    fn verify(&self, signature: &Signature, text: &[u8]) -> pgp::errors::Result<()> {
        fn verify(signature: &Signature, key: &impl VerifyingKey, text: &[u8]) -> pgp::errors::Result<()> {
            signature.verify(key, text)
        }
        match self {
            Signer::Primary(key) => verify(signature, &key.primary_key, text),
            Signer::Sub(sub) => verify(signature, &sub.key, text),
        }
    }

    fn fingerprint(&self) -> pgp::types::Fingerprint {
        match self {
            Signer::Primary(key) => key.primary_key.fingerprint(),
            Signer::Sub(sub) => sub.key.fingerprint(),
        }
    }

    fn created_at(&self) -> pgp::types::Timestamp {
        match self {
            Signer::Primary(key) => key.primary_key.created_at(),
            Signer::Sub(sub) => sub.key.created_at(),
        }
    }

    /// How many seconds after its making the part expires, as its newest self-signature says.
    fn lifetime(&self, key: &SignedPublicKey) -> Option<i64> {
        let own: Vec<&Signature> = match self {
            Signer::Primary(_) => {
                let users = key.details.users.iter().flat_map(|user| &user.signatures);
                let mine = |s: &&Signature| s.issuer_key_id().contains(&&key.primary_key.legacy_key_id());
                users.chain(&key.details.direct_signatures).filter(mine).collect()
            }
            Signer::Sub(sub) => sub.signatures.iter().collect(),
        };
        let newest =
            own.into_iter().max_by_key(|signature| signature.created().map(|time| time.as_secs()))?;
        newest.key_expiration_time().map(|lasts| i64::from(lasts.as_secs())).filter(|lasts| *lasts > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::Keys;

    #[test]
    fn the_keys_of_debian_can_be_read() {
        assert_eq!(Keys::debian().expect("they can").0.len(), 6);
    }
}
