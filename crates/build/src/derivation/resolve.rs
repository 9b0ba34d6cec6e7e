//! Placeholders for paths that are not known before something is built, and putting the paths in their places.

use nival_store_model::{Derivation, Hash, OutputKind, StoreDir, StorePath, store_path::output_path_name};
use std::collections::BTreeMap;

/// What stands for a derivation's own output in its environment.
pub fn output_placeholder(output: &str) -> String {
    format!("/{}", Hash::sha256(format!("nix-output:{output}").as_bytes()).base32())
}

/// What stands in a derivation for the output of an input whose path is not known before it is built.
pub fn downstream_placeholder(drv: &StorePath, output: &str) -> String {
    let name = output_path_name(drv.name().trim_end_matches(".drv"), output);
    let text = format!("nix-upstream-output:{}:{name}", drv.hash_part());
    format!("/{}", Hash::sha256(text.as_bytes()).base32())
}

/// The derivation with the paths of its inputs in place of the derivations; `inputs` tells the path of each output of
/// each input derivation. Outputs whose path waited for this get it.
pub fn resolve(
    derivation: &Derivation,
    dir: &StoreDir,
    inputs: &BTreeMap<(StorePath, String), StorePath>,
) -> Derivation {
    let mut resolved = derivation.clone();
    resolved.input_derivations.clear();
    let mut rewrites = Vec::new();
    for ((drv, output), path) in inputs {
        resolved.input_sources.insert(path.clone());
        rewrites.push((downstream_placeholder(drv, output).into_bytes(), dir.print(path).into_bytes()));
    }
    let change = |text: &[u8]| rewrite(text, &rewrites);
    resolved.builder = change(&resolved.builder);
    resolved.arguments = resolved.arguments.iter().map(|argument| change(argument)).collect();
    resolved.environment =
        resolved.environment.iter().map(|(name, value)| (change(name), change(value))).collect();
    // Without inputs that float the paths follow from the derivation itself.
    let known = resolved.fill_outputs::<nival_store_model::StorePathError>(dir, |_| {
        Ok(nival_store_model::derivation::Modulo::Deferred)
    });
    debug_assert!(known.is_ok(), "a name that was a derivation's is an output's");
    resolved
}

/// A text with each of several texts replaced by another one.
pub fn rewrite(text: &[u8], rewrites: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut text = text.to_vec();
    for (from, to) in rewrites {
        if from.is_empty() || text.len() < from.len() {
            continue;
        }
        let mut changed = Vec::with_capacity(text.len());
        let mut at = 0;
        while let Some(found) = find(&text[at..], from) {
            changed.extend_from_slice(&text[at..at + found]);
            changed.extend_from_slice(to);
            at += found + from.len();
        }
        if at > 0 {
            changed.extend_from_slice(&text[at..]);
            text = changed;
        }
    }
    text
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// Whether a derivation must be resolved before it is built: where its own outputs or those of an input are known
/// only by their contents.
pub fn must_resolve(derivation: &Derivation) -> bool {
    derivation.outputs.values().any(|output| {
        matches!(output.kind, OutputKind::Floating { .. } | OutputKind::Deferred | OutputKind::Impure { .. })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_agree_with_nix() {
        // nix-instantiate --eval -E 'builtins.placeholder "out"'
        assert_eq!(output_placeholder("out"), "/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9");
    }

    #[test]
    fn every_place_is_rewritten() {
        let rewrites = [(b"ab".to_vec(), b"xyz".to_vec()), (b"q".to_vec(), b"".to_vec())];
        assert_eq!(rewrite(b"abqab-a-b", &rewrites), b"xyzxyz-a-b");
    }
}
