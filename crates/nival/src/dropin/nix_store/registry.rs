//! The database itself: what is registered, dumped, loaded and verified.

use super::{Call, failed};
use crate::building::Building;
use crate::context::Context;
use crate::dropin::words::usage;
use crate::error::Error;
use nival_build::{Request, Wanted};
use nival_store::{Corruption, PathInfo, Remedy, Repair, Verification, archive, canonicalise};
use nival_store_model::{Hash, StorePath};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::BufRead;
use std::process::ExitCode;

/// Prints what is registered, in the form that `--load-db` reads.
pub fn dump(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    call.no_more_flags()?;
    let store = call.store()?;
    let infos = if call.words.is_empty() {
        store.all_infos()?
    } else {
        call.paths()?.iter().map(|path| store.valid_info(path)).collect::<Result<_, _>>()?
    };
    let mut text = String::new();
    for info in infos {
        let print = |path: &StorePath| store.dir().print(path);
        let deriver = info.deriver.as_ref().map(print).unwrap_or_default();
        let _ = write!(
            text,
            "{}\n{}\n{}\n{deriver}\n{}\n",
            print(&info.path),
            info.nar_hash.base16(),
            info.nar_size,
            info.references.len()
        );
        for reference in &info.references {
            let _ = writeln!(text, "{}", print(reference));
        }
    }
    call.context.output.text(&text, false);
    Ok(ExitCode::SUCCESS)
}

/// Registers what `--dump-db` printed.
pub fn load(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    call.no_more_flags()?;
    call.no_words()?;
    register_input(call, true, true, false)
}

/// Registers paths that lie at their places.
pub fn register(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let (again, given) = (call.take(&["--reregister"]), call.take(&["--hash-given"]));
    call.no_more_flags()?;
    call.no_words()?;
    register_input(call, again, given, true)
}

fn register_input(call: &mut Call<'_>, again: bool, hash_given: bool, form: bool) -> Result<ExitCode, Error> {
    let store = call.store()?;
    let mut lines = std::io::stdin().lock().lines();
    let mut infos: BTreeMap<StorePath, PathInfo> = BTreeMap::new();
    while let Some(mut info) = read_info(&store, &mut lines, hash_given)? {
        if store.is_valid(&info.path)? && !again {
            continue;
        }
        let place = store.physical(&info.path);
        if form {
            canonicalise(&place)?;
        }
        if !hash_given {
            (info.nar_hash, info.nar_size) = archive::hash(&place, None)?;
        }
        infos.insert(info.path.clone(), info);
    }
    let infos: Vec<_> = infos.into_values().collect();
    store.register_all(&infos)?;
    Ok(ExitCode::SUCCESS)
}

/// Reads one path's lines: name, where given hash and size, deriver, number of references, references.
fn read_info(
    store: &nival_store::LocalStore,
    lines: &mut impl Iterator<Item = std::io::Result<String>>,
    hash_given: bool,
) -> Result<Option<PathInfo>, Error> {
    let parse = |text: &str| store.dir().parse(text).map_err(nival_store::Error::from);
    let mut line = |what: &str| {
        let line = lines.next().transpose().map_err(|error| failed("read standard input", error))?;
        line.ok_or_else(|| usage(&format!("the input ends where {what} should be")))
    };
    let Ok(name) = line("a path") else { return Ok(None) };
    if name.is_empty() {
        return Ok(None);
    }
    let mut info = PathInfo::new(parse(&name)?, Hash::sha256(b""), 0);
    if hash_given {
        let hash = Hash::parse(&line("a hash")?, Some(nival_store_model::Algorithm::Sha256));
        info.nar_hash = hash.map_err(|error| usage(&error.to_string()))?;
        let size = line("a size")?;
        info.nar_size = size.parse().map_err(|_| usage(&format!("`{size}` is no size")))?;
    }
    let deriver = line("a deriver")?;
    info.deriver = if deriver.is_empty() { None } else { Some(parse(&deriver)?) };
    let count = line("a number")?;
    let count: usize = count.parse().map_err(|_| usage(&format!("`{count}` is no number of references")))?;
    for _ in 0..count {
        info.references.push(parse(&line("a reference")?)?);
    }
    info.references.sort();
    Ok(Some(info))
}

/// Tells whether paths are valid.
pub fn check(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let print = call.take(&["--print-invalid"]);
    call.no_more_flags()?;
    let store = call.store()?;
    for path in call.paths()? {
        if !store.is_valid(&path)? {
            let printed = store.dir().print(&path);
            if !print {
                return Err(nival_store::Error::NotValid(printed).into());
            }
            call.print(&printed);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the database where there is none.
pub fn init(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    call.no_more_flags()?;
    call.no_words()?;
    call.store()?.all()?;
    Ok(ExitCode::SUCCESS)
}

/// Compares the store with the database.
pub fn verify(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    let (contents, repair) = (call.take(&["--check-contents"]), call.take(&["--repair"]));
    call.no_more_flags()?;
    call.no_words()?;
    let store = call.store()?;
    let output = call.context.output;
    output.say("reading the Nix store...\nchecking path existence...");
    if contents {
        output.say("checking store hashes...");
    }
    let context = &mut *call.context;
    let mut mend =
        |path: &StorePath| repair_one(context, path).map_err(|error| error.into_diagnostic().message);
    let found = store.verify_with(
        Verification {
            contents,
            forget: true,
            repair: if repair { Some(&mut mend as Repair<'_>) } else { None },
        },
        &mut |_| {},
    )?;
    let mut left = false;
    for (corruption, remedy) in found {
        output.say(&told(&store, &corruption, remedy));
        left |= remedy == Remedy::None;
    }
    if left {
        output.say("warning: not all store errors were fixed");
    }
    Ok(if left { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn told(store: &nival_store::LocalStore, corruption: &Corruption, remedy: Remedy) -> String {
    let print = |path: &StorePath| store.dir().print(path);
    match (corruption, remedy) {
        (Corruption::Missing(path), Remedy::Forgotten) => {
            format!("path '{}' disappeared, removing from database...", print(path))
        }
        (Corruption::Missing(path), _) => {
            format!("path '{}' disappeared, but it still has valid referrers!", print(path))
        }
        (Corruption::Modified { path, wanted, got }, _) => format!(
            "path '{}' was modified! expected hash '{}', got '{}'",
            print(path),
            wanted.prefixed_base32(),
            got.prefixed_base32()
        ),
        (Corruption::Link { name, got }, _) => {
            format!("link '.links/{name}' was modified! expected hash {name}, got '{got}'")
        }
        (Corruption::Unreadable(path, error), _) => format!("error: {}: {error}", print(path)),
        (Corruption::Database(text), _) => format!("error: {text}"),
    }
}

/// Compares single paths with what is registered of them.
pub fn verify_path(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    call.no_more_flags()?;
    let store = call.store()?;
    let mut code = ExitCode::SUCCESS;
    for path in call.paths()? {
        let info = store.valid_info(&path)?;
        let (hash, _) = archive::hash(&store.physical(&path), None)?;
        if hash != info.nar_hash {
            let corruption = Corruption::Modified { path, wanted: info.nar_hash, got: hash };
            call.context.output.say(&told(&store, &corruption, Remedy::None));
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

/// Brings the contents of paths back.
pub fn repair_path(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    call.no_more_flags()?;
    for path in call.paths()? {
        repair_one(call.context, &path)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Fetches a path again, or builds it again where its derivation is there.
pub fn repair_one(context: &mut Context, path: &StorePath) -> Result<(), Error> {
    let store = context.store()?;
    let deriver = store.info(path)?.and_then(|info| info.deriver);
    let built = match deriver {
        Some(deriver) if store.is_valid(&deriver)? => Request::Outputs(deriver, Wanted::All),
        _ => Request::Path(path.clone()),
    };
    let building = Building { repair: true, ..Building::default() };
    let (answers, _) = super::paths::build(context, &[built], &building)?;
    for answer in answers {
        answer.map_err(|error| Error::plain(error.diagnostic()))?;
    }
    let wanted = store.valid_info(path)?.nar_hash;
    let (got, _) = archive::hash(&store.physical(path), None)?;
    if got != wanted {
        let path = store.dir().print(path);
        let error = nival_store::Error::OtherContents { path, wanted: wanted.sri(), got: got.sri() };
        return Err(error.into());
    }
    Ok(())
}

/// Links equal files.
pub fn optimise(call: &mut Call<'_>) -> Result<ExitCode, Error> {
    call.no_more_flags()?;
    call.no_words()?;
    let done = call.store()?.optimise(&mut |_| {})?;
    let freed = crate::collecting::megabytes(done.bytes);
    call.context.output.say(&format!("{freed} freed by hard-linking {} files", done.files));
    Ok(ExitCode::SUCCESS)
}
