//! Commits that have to be signed by keys that are named: `verifyCommit`, `publicKey`, `keytype`, `publicKeys`.

use super::program::Git;
use crate::fetchers::attributes::Attributes;
use crate::fetchers::error::{At as _, Error};
use crate::fetchers::fetch::{Fetcher, Staged};
use nival_store_model::{Hash, base64};
use nival_sys::fs;

/// The types of keys as `keytype` names them, and as `ssh` does.
const TYPES: [(&str, &str); 6] = [
    ("ssh-dsa", "ssh-dsa"),
    ("ssh-ecdsa", "ssh-ecdsa"),
    ("ssh-ecdsa-sk", "sk-ecdsa-sha2-nistp256@openssh.com"),
    ("ssh-ed25519", "ssh-ed25519"),
    ("ssh-ed25519-sk", "sk-ssh-ed25519@openssh.com"),
    ("ssh-rsa", "ssh-rsa"),
];
const USUAL_TYPE: &str = "ssh-ed25519";

struct Key {
    kind: String,
    key: String,
}

/// Whether commits have to be signed.
pub(super) fn is_wanted(attributes: &Attributes) -> Result<bool, Error> {
    if attributes.has("verifyCommit") {
        return attributes.flag("verifyCommit");
    }
    Ok(attributes.has("publicKey") || attributes.has("publicKeys"))
}

/// Refuses a commit that none of the named keys has signed.
pub(super) fn verify(
    fetcher: &Fetcher,
    git: &Git,
    attributes: &Attributes,
    revision: &str,
) -> Result<(), Error> {
    let keys = keys(attributes)?;
    let mut signers = String::new();
    for Key { kind, key } in &keys {
        let Some((_, kind)) = TYPES.iter().find(|(name, _)| name == kind) else {
            let known: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
            let known = known.join(", ");
            return Err(Error::Reference(format!("`{kind}` is no type of a public key: they are {known}")));
        };
        signers.push_str(&format!("* {kind} {key}\n"));
    }
    let folder = Staged(fetcher.staging("signers"));
    fs::create_dir_all(&folder.0).at(&folder.0)?;
    let file = folder.0.join("allowed");
    fs::write_new(&file, signers.as_bytes(), 0o600).at(&file)?;
    let setting = format!("gpg.ssh.allowedSignersFile={}", file.display());
    let refused = |said: String| Error::Program { doing: format!("verify the commit `{revision}`"), said };
    let said = git.said(&["-c", &setting, "verify-commit", revision]).map_err(refused)?;
    // Git is content with keys of other kinds that the user trusts, too.
    for Key { key, .. } in &keys {
        let Some(bytes) = base64::decode(key) else {
            return Err(Error::Reference(format!("`{key}` is no public key")));
        };
        let print = base64::encode(Hash::sha256(&bytes).digest());
        let print = print.trim_end_matches('=');
        let good = |line: &str| {
            line.starts_with("Good \"git\" signature for * with ")
                && line.split_once("key SHA256:").is_some_and(|(_, found)| found.trim() == print)
        };
        if said.lines().any(good) {
            return Ok(());
        }
    }
    Err(refused(format!("none of the named keys has signed it\n{said}")))
}

/// The keys that are named.
fn keys(attributes: &Attributes) -> Result<Vec<Key>, Error> {
    let mut keys = Vec::new();
    if let Some(text) = attributes.text("publicKeys")? {
        let wrong = || Error::Reference(format!("`publicKeys` is no list of keys: {text}"));
        let listed: serde_json::Value = serde_json::from_str(text).map_err(|_| wrong())?;
        for entry in listed.as_array().ok_or_else(wrong)? {
            let field = |name: &str| entry.get(name).and_then(serde_json::Value::as_str);
            let kind = field("type").unwrap_or(USUAL_TYPE).to_owned();
            keys.push(Key { kind, key: field("key").ok_or_else(wrong)?.to_owned() });
        }
    }
    if let Some(key) = attributes.text("publicKey")? {
        let kind = attributes.text("keytype")?.unwrap_or(USUAL_TYPE).to_owned();
        keys.push(Key { kind, key: key.to_owned() });
    }
    Ok(keys)
}
