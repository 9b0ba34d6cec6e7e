//! `nival copy`

use crate::commands::subjects::Subjects;
use crate::context::{Context, absolute};
use crate::environment;
use crate::error::Error;
use crate::output::bytes;
use crate::stores::SettingArguments;
use clap::Args;
use nival_store::Profile;
use nival_store::binary_cache::read_secret_key;
use nival_store::stores::{CopyOptions, Reference, Store, Trust, closure, copy};
use nival_store_model::StorePath;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// What can be typed behind `nival copy`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    subjects: Subjects,
    /// The store that is copied from; the own one where it is not given
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// The store that is copied to; the own one where it is not given
    #[arg(long, value_name = "ADDRESS", required_unless_present = "from")]
    to: Option<String>,
    /// Copy everything that the store has
    #[arg(long, conflicts_with = "words")]
    all: bool,
    /// Leave out what the paths refer to
    #[arg(long)]
    no_recursive: bool,
    /// Let the other machine fetch from its own caches what they have, where it can
    #[arg(short, long)]
    substitute_on_destination: bool,
    /// Take paths without a signature of a trusted key
    #[arg(long, alias = "no-require-sigs")]
    no_check_sigs: bool,
    /// Sign what is copied with the key in this file; may be given several times
    #[arg(long, value_name = "FILE")]
    key_file: Vec<PathBuf>,
    /// How many paths are copied at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 8)]
    jobs: usize,
    /// Make a link to what was copied, which the collector regards as a root
    #[arg(short, long, value_name = "LINK")]
    out_link: Option<PathBuf>,
    /// Let this profile lead to what was copied
    #[arg(long, value_name = "PROFILE")]
    profile: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingArguments,
}

/// Copies paths between stores.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let settings = arguments.settings.read()?;
    let opener = context.opener(&settings)?;
    let mut side = |address: &Option<String>, create: bool| -> Result<Arc<dyn Store>, Error> {
        match address {
            Some(address) => Ok(opener.open(address, create)?.0),
            None => context.any_store(&opener),
        }
    };
    let (from, to) = (side(&arguments.from, false)?, side(&arguments.to, true)?);
    let open = arguments.to.as_deref().map(Reference::parse).transpose()?;
    let unsigned = open.as_ref().and_then(|to| to.parameter("require-sigs"));
    let trusts_all = arguments.no_check_sigs || matches!(unsigned, Some("false" | "0" | "no"));
    let options = CopyOptions {
        trust: if trusts_all { Trust::everything() } else { settings.trust()? },
        closure: !arguments.no_recursive,
        jobs: arguments.jobs,
        keys: arguments.key_file.iter().map(|file| read_secret_key(file)).collect::<Result<_, _>>()?,
    };
    let paths = match arguments.all {
        true => from.all()?,
        false => arguments.subjects.paths(context, from.dir())?,
    };
    if let Some(there) = to.builder().filter(|_| arguments.substitute_on_destination) {
        let all = if arguments.no_recursive {
            paths.clone()
        } else {
            closure(&*from, &paths)?.into_keys().collect()
        };
        context.interruptible(|_| there.substitute(&all))?;
    }
    let output = context.output;
    let url = to.url();
    let begin = |info: &nival_store::PathInfo| {
        output.say(&format!("copying path '{}' to '{url}'...", from.dir().print(&info.path)));
    };
    let copied = context.interruptible(|_| copy(&*from, &*to, &paths, &options, &begin))?;
    make_links(context, arguments, &paths)?;
    let printed: Vec<_> = copied.paths.iter().map(|path| from.dir().print(path)).collect();
    if context.output.is_json() {
        context.output.result("", || json!({ "paths": printed, "bytes": copied.bytes }));
    } else {
        context.output.say(&format!("copied {} paths, {}", printed.len(), bytes(copied.bytes)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the links to what is in the own store now.
fn make_links(context: &mut Context, arguments: &Arguments, paths: &[StorePath]) -> Result<(), Error> {
    let store = context.store()?;
    if let Some(link) = &arguments.out_link {
        for (number, path) in paths.iter().enumerate() {
            let mut name = absolute(link.clone()).into_os_string();
            if number > 0 {
                name.push(format!("-{}", number + 1));
            }
            store.add_indirect_root(&PathBuf::from(name), path)?;
        }
    }
    if let (Some(link), [path]) = (&arguments.profile, paths) {
        let profile = Profile::new(&absolute(link.clone()));
        let _lock = profile.lock()?;
        environment::set(&store, &profile, path)?;
    }
    Ok(())
}
