# The phases of `debian.build`; runs in the builder's folder, inside a root of Debian packages.
set -euo pipefail
export HOME="$NIX_BUILD_TOP/home" CARGO_HOME="$NIX_BUILD_TOP/home/cargo"
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-1}"
export MAKEFLAGS="-j$NIX_BUILD_CORES"
umask 022
mkdir -p "$HOME"

# Runs a phase: the text of the variable `NAMEPhase` where there is one, else the function of that name.
phase() {
    local name="$1Phase"
    if [ -n "${!name+set}" ] && [ -z "${!name}" ]; then
        return
    fi
    printf '@nix {"action":"setPhase","phase":"%s"}\n' "$name"
    if [ -n "${!name+set}" ]; then
        eval "${!name}"
    else
        "$name"
    fi
}

unpackPhase() {
    if [ -n "${sourceFiles:-}" ]; then
        unpackSourcePackage
    elif [ -d "$src" ]; then
        cp -r --no-preserve=mode,ownership "$src" source
        cd source
    else
        mkdir source
        tar --extract --file "$src" --directory source --strip-components=1 --no-same-owner
        cd source
    fi
}

# Unpacks a Debian source package and applies its patches, which `dpkg-source` of the root does.
unpackSourcePackage() {
    local files=($sourceFiles) names=($sourceNames) at description=
    mkdir package
    for at in "${!files[@]}"; do
        ln -s "${files[$at]}" "package/${names[$at]}"
        case "${names[$at]}" in *.dsc) description="package/${names[$at]}" ;; esac
    done
    # The hashes of all files were checked when they were fetched.
    dpkg-source --no-check --no-copy --extract "$description" source
    cd source
    SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -S Timestamp)
}

patchPhase() {
    local one
    for one in ${patches:-}; do
        patch -p1 --input "$one"
    done
}

configurePhase() {
    if [ -x ./configure ]; then
        ./configure --prefix="$out" ${configureFlags:-}
    fi
}

buildPhase() {
    make ${makeFlags:-}
}

checkPhase() {
    make ${makeFlags:-} ${checkTarget:-check}
}

installPhase() {
    make ${makeFlags:-} ${installFlags:-} install
}

# Lays the fetched crates out as cargo wants them in place of its registries.
vendorCrates() {
    local files=($crateFiles) names=($crateNames) hashes=($crateHashes) at one
    mkdir -p "$NIX_BUILD_TOP/crates" "$CARGO_HOME"
    for at in "${!files[@]}"; do
        one="$NIX_BUILD_TOP/crates/${names[$at]}"
        tar --extract --gzip --file "${files[$at]}" --directory "$NIX_BUILD_TOP/crates" --no-same-owner
        printf '{"files":{},"package":"%s"}' "${hashes[$at]}" > "$one/.cargo-checksum.json"
    done
    {
        printf '[source.crates-io]\nreplace-with = "fetched"\n'
        printf '[source.fetched]\ndirectory = "%s"\n' "$NIX_BUILD_TOP/crates"
        for one in $registries; do
            # The usual registry is the one above.
            case "$one" in
            sparse+*) printf '[source."%s"]\nregistry = "%s"\nreplace-with = "fetched"\n' "$one" "$one" ;;
            esac
        done
    } > "$CARGO_HOME/config.toml"
}

# Installs the programs that lie right in a folder.
installPrograms() {
    mkdir -p "$out/bin"
    find "$1" -maxdepth 1 -type f -executable -exec install -m 755 -t "$out/bin" {} +
}

phase unpack
phase patch
phase configure
phase build
phase check
phase install
