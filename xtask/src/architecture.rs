//! Holds the picture of the crates against their manifests: layers, purity, and the rows of ARCHITECTURE.md.

use crate::command::{Failure, cargo};
use serde_json::Value;
use std::collections::BTreeMap;

struct Package {
    layer: u64,
    pure: bool,
    description: String,
    dependencies: Vec<String>,
}

/// Fails with all that does not fit.
pub fn check() -> Result<(), Failure> {
    let packages = packages()?;
    let mut wrong = Vec::new();
    for (name, package) in &packages {
        for dependency in &package.dependencies {
            let Some(other) = packages.get(dependency) else { continue };
            if other.layer >= package.layer {
                wrong.push(format!(
                    "{name} (layer {}) depends on {dependency} (layer {}), which is not below it",
                    package.layer, other.layer
                ));
            }
            if package.pure && !other.pure {
                wrong.push(format!("{name} is pure and depends on {dependency}, which is not"));
            }
        }
    }
    check_rows(&packages, &mut wrong)?;
    if wrong.is_empty() {
        println!("architecture: {} crates, layers and rows agree", packages.len());
        return Ok(());
    }
    Err(Failure::Said(format!("the architecture does not hold:\n  {}", wrong.join("\n  "))))
}

fn packages() -> Result<BTreeMap<String, Package>, Failure> {
    let output = cargo(&["metadata", "--format-version", "1", "--no-deps"]).output();
    let output = output.map_err(|error| Failure::Command(format!("cargo metadata ({error})")))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::Said(format!("cargo metadata gave no JSON: {error}")))?;
    let mut packages = BTreeMap::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default().to_owned();
        let about = &package["metadata"]["nival"];
        let layer = about["layer"].as_u64();
        let layer = layer.ok_or_else(|| Failure::Said(format!("{name} names no layer in its Cargo.toml")))?;
        let all = package["dependencies"].as_array().into_iter().flatten();
        let dependencies = all
            .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
            .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned))
            .collect();
        let pure = about["pure"].as_bool().unwrap_or(false);
        let description = package["description"].as_str().unwrap_or_default().to_owned();
        packages.insert(name, Package { layer, pure, description, dependencies });
    }
    Ok(packages)
}

/// ARCHITECTURE.md has a row `### NAME` for each crate, which begins with the crate's description.
fn check_rows(packages: &BTreeMap<String, Package>, wrong: &mut Vec<String>) -> Result<(), Failure> {
    let text = std::fs::read_to_string("ARCHITECTURE.md")
        .map_err(|error| Failure::Said(format!("ARCHITECTURE.md: {error}")))?;
    let rows: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    for row in &rows {
        if !packages.contains_key(*row) {
            wrong.push(format!("ARCHITECTURE.md has a row for {row}, and there is no such crate"));
        }
    }
    for (name, package) in packages {
        if !rows.contains(&name.as_str()) {
            wrong.push(format!("ARCHITECTURE.md has no row for {name}"));
        } else if !text.contains(&package.description) {
            wrong.push(format!(
                "the row of {name} does not say what its Cargo.toml says: {}",
                package.description
            ));
        }
    }
    Ok(())
}
