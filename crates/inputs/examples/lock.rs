//! Locks, fetches: `lock FOLDER RELEASE [-r] PACKAGE...`, with the mirrors of this machine's apt.

use nival_inputs::{Inputs, Lock, Mirrors, Mode, RootRequest, difference, fetch, resolve};
use nival_transport::{Cancel, NoProgress, Options, Transport};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

fn run() -> Result<(), nival_inputs::Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, release) = (PathBuf::from(&arguments[0]), arguments[1].clone());
    let recommends = arguments.iter().any(|argument| argument == "-r");
    let packages: Vec<String> = arguments[2..].iter().filter(|argument| *argument != "-r").cloned().collect();
    let transport = Transport::new(Options::default(), Cancel::default())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
    let mirrors = Mirrors::from_apt(Path::new("/"))?;
    let inputs = Inputs::new(&transport, folder.join("cache"), mirrors, now);
    let path = folder.join("nival.lock");
    let old = Lock::read(&path)?;
    let request = RootRequest {
        name: "root".to_owned(),
        release: release.clone(),
        packages,
        recommends,
        sources: Vec::new(),
    };
    let start = Instant::now();
    let lock = resolve(&inputs, &[request], &[], old.as_ref(), &Mode::Keep, &NoProgress)?;
    eprintln!("resolved in {:?}", start.elapsed());
    for change in difference(&old.unwrap_or_default(), &lock).changes {
        println!("{} {:?}{}", change.name, change.kind, if change.security { " (security)" } else { "" });
    }
    lock.write(&path)?;
    let start = Instant::now();
    let files =
        fetch(&inputs, &lock, &release, &lock.packages_of("root"), &folder.join("downloads"), &NoProgress)?;
    eprintln!("fetched {} files in {:?}", files.len(), start.elapsed());
    Ok(())
}

fn main() {
    if let Err(error) = run() {
        let shown = nival_diagnostics::render(
            &error.diagnostic(),
            &nival_diagnostics::Sources::default(),
            Default::default(),
        );
        eprintln!("{shown}");
        std::process::exit(1);
    }
}
