//! An archive on the disk, signed by a key of its own.

use nival_inputs::{Inputs, Keys, Mirrors, RootRequest};
use nival_transport::{Cancel, Options, Transport};
use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, KeyType, SecretKeyParamsBuilder, SignedPublicKey, SignedSecretKey,
};
use pgp::ser::Serialize as _;
use pgp::types::Password;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The present of all tests: Sun, 02 Nov 2025 00:00:00 UTC.
pub const NOW: i64 = 1_762_041_600;

/// Makes a key that signs.
pub fn key() -> SignedSecretKey {
    let parameters = SecretKeyParamsBuilder::default()
        .key_type(KeyType::Ed25519Legacy)
        .can_certify(true)
        .can_sign(true)
        .created_at(pgp::types::Timestamp::from_secs(1_700_000_000))
        .primary_user_id("archive".into())
        .build()
        .expect("the parameters are fit");
    parameters.generate(rand::thread_rng()).expect("a key can be made")
}

/// The public part, as bytes.
pub fn public(key: &SignedSecretKey) -> Vec<u8> {
    SignedPublicKey::from(key.clone()).to_bytes().expect("a key can be written")
}

/// Signs a text as `InRelease` files are, an hour before the present of the tests.
pub fn sign(text: &str, key: &SignedSecretKey) -> String {
    sign_at(text, key, NOW - 3600)
}

/// Signs a text at a time in seconds since 1970.
pub fn sign_at(text: &str, key: &SignedSecretKey, now: i64) -> String {
    use pgp::packet::{SignatureConfig, SignatureType, Subpacket, SubpacketData};
    use pgp::types::KeyDetails as _;
    let mut config = SignatureConfig::from_key(rand::thread_rng(), &key.primary_key, SignatureType::Text)
        .expect("it can sign");
    let made = SubpacketData::SignatureCreationTime(pgp::types::Timestamp::from_secs(now as u32));
    let by = SubpacketData::IssuerFingerprint(key.primary_key.fingerprint());
    config.hashed_subpackets =
        [made, by].into_iter().map(|data| Subpacket::regular(data).expect("it is fit")).collect();
    let message =
        CleartextSignedMessage::new(text, config, &key.primary_key, &Password::empty()).expect("it can sign");
    message.to_armored_string(ArmorOptions::default()).expect("it can be written")
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// An archive with the three suites of a release.
pub struct Archive {
    pub folder: tempfile::TempDir,
    pub key: SignedSecretKey,
    pub transport: Transport,
}

/// A package of an archive: name, version, and further fields.
pub type Stanza<'a> = (&'a str, &'a str, &'a str);

impl Archive {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is one");
        let options = Options { retries: 0, timeout: Duration::from_secs(5), ..Options::default() };
        let transport = Transport::new(options, Cancel::default()).expect("the options are fit");
        let archive = Self { folder, key: key(), transport };
        for suite in ["trixie", "trixie-updates", "trixie-security"] {
            archive.publish(suite, &[]);
        }
        archive
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    pub fn inputs(&self) -> Inputs<'_> {
        let mirror = vec![self.root().display().to_string()];
        let mirrors = Mirrors { main: mirror.clone(), security: mirror, past: Vec::new() };
        let mut inputs = Inputs::new(&self.transport, self.folder.path().join("cache"), mirrors, NOW);
        inputs.archive_keys = Some(Keys::parse(&public(&self.key)).expect("it is a key"));
        inputs
    }

    /// Writes a suite with these packages, signed.
    pub fn publish(&self, suite: &str, stanzas: &[Stanza<'_>]) {
        let text = self.release(suite, stanzas, "amd64", "Date: Sat, 01 Nov 2025 00:00:00 UTC\n");
        self.write_release(suite, &sign(&text, &self.key));
    }

    pub fn write_release(&self, suite: &str, text: &str) {
        std::fs::write(self.root().join("dists").join(suite).join("InRelease"), text)
            .expect("it can be written");
    }

    /// Writes the packages and indices of a suite; the text of its release, not signed.
    pub fn release(&self, suite: &str, stanzas: &[Stanza<'_>], architecture: &str, fields: &str) -> String {
        let mut packages = String::new();
        for (name, version, more) in stanzas {
            let file = version.replace(':', "%3a");
            let path = format!("pool/{name}_{file}_amd64.deb");
            let bytes = format!("{name} {version}").repeat(10);
            write(&self.root().join(&path), bytes.as_bytes());
            let sha256 = hex(&Sha256::digest(&bytes));
            let _ = write!(
                packages,
                "Package: {name}\nVersion: {version}\nArchitecture: amd64\nFilename: {path}\nSize: {}\nSHA256: {sha256}\n{more}\n",
                bytes.len()
            );
        }
        let index = format!("main/binary-{architecture}/Packages");
        write(&self.root().join("dists").join(suite).join(&index), packages.as_bytes());
        let hash = hex(&Sha256::digest(&packages));
        format!("Suite: {suite}\nCodename: {suite}\n{fields}SHA256:\n {hash} {} {index}\n", packages.len())
    }
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
    std::fs::write(path, bytes).expect("it can be written");
}

/// A request of one root called `web`.
pub fn request(packages: &[&str]) -> RootRequest {
    RootRequest {
        name: "web".to_owned(),
        release: "trixie".to_owned(),
        packages: packages.iter().map(|package| (*package).to_owned()).collect(),
        recommends: false,
        sources: Vec::new(),
    }
}
