//! The image layout: blobs by digest, and the documents that name them, in one tar archive.

use super::Start;
use super::layer::Blob;
use nival_sys::fs;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::path::{Path, PathBuf};

/// An archive that is being written, under another name until it is whole.
pub struct Layout {
    archive: tar::Builder<File>,
    temporary: PathBuf,
    to: PathBuf,
}

fn digest(bytes: &[u8]) -> String {
    crate::names::hex(&Sha256::digest(bytes))
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

impl Layout {
    /// Begins an archive.
    pub fn create(to: &Path) -> std::io::Result<Self> {
        let mut name = to.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let temporary = to.with_file_name(name);
        let _ = fs::remove_file(&temporary);
        let archive = tar::Builder::new(fs::create_new(&temporary, 0o644)?);
        Ok(Self { archive, temporary, to: to.to_owned() })
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_mtime(1);
        header.set_size(bytes.len() as u64);
        self.archive.append_data(&mut header, name, bytes)
    }

    fn blob(&mut self, kind: &str, bytes: &[u8]) -> std::io::Result<Json> {
        let digest = digest(bytes);
        self.file(&format!("blobs/sha256/{digest}"), bytes)?;
        let media = format!("application/vnd.oci.image.{kind}");
        Ok(json!({ "mediaType": media, "digest": format!("sha256:{digest}"), "size": bytes.len() }))
    }

    /// Writes everything and gives the archive its name; returns the digest of the image's manifest.
    pub fn add(&mut self, name: &str, start: &Start, blobs: Vec<Blob>) -> std::io::Result<String> {
        self.file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        let plain: Vec<String> = blobs.iter().map(|blob| format!("sha256:{}", blob.plain)).collect();
        let mut layers = Vec::new();
        for blob in blobs {
            layers.push(self.blob("layer.v1.tar+gzip", &blob.bytes)?);
        }
        let empty = |names: &[String]| {
            names.iter().map(|name| (name.clone(), json!({}))).collect::<serde_json::Map<_, _>>()
        };
        let environment: Vec<String> =
            start.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let configuration = json!({
            "created": "1970-01-01T00:00:01Z",
            "architecture": architecture(),
            "os": "linux",
            "config": {
                "Entrypoint": start.command,
                "Env": environment,
                "ExposedPorts": empty(&start.ports),
                "Volumes": empty(&start.volumes),
                "Labels": { "org.opencontainers.image.title": name, "org.opencontainers.image.description": start.description },
            },
            "rootfs": { "type": "layers", "diff_ids": plain },
        });
        let configuration = self.blob("config.v1+json", configuration.to_string().as_bytes())?;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": configuration,
            "layers": layers,
        });
        let mut manifest = self.blob("manifest.v1+json", manifest.to_string().as_bytes())?;
        let digest = manifest["digest"].as_str().unwrap_or_default().to_owned();
        manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": "latest" });
        manifest["platform"] = json!({ "architecture": architecture(), "os": "linux" });
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [manifest],
        });
        self.file("index.json", index.to_string().as_bytes())?;
        self.archive.finish()?;
        fs::sync(self.archive.get_ref())?;
        fs::rename(&self.temporary, &self.to)?;
        Ok(digest)
    }
}

impl Drop for Layout {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.temporary);
    }
}
