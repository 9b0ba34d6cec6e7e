//! Machines from manifest files: `machine FOLDER up FILE.. | down NAME.. | status NAME | exec NAME COMMAND..`.
//!
//! FOLDER holds `data`, `run` and `nix/store` (or the store that `NIVAL_STORE` names).

use nival_os::compose::{Store, compose};
use nival_os::{Config, Error, Machines, Manifest, Program, Publish, State, Up};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some(code) = nival_os::internal_main(&arguments) {
        return code;
    }
    let words: Vec<String> = arguments.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
    match run(&words) {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(255)),
        Err(error) => {
            let diagnostic = error.diagnostic();
            eprintln!("error[{}]: {}", diagnostic.entry.code, diagnostic.message);
            for line in diagnostic.notes.iter().chain(&diagnostic.help) {
                eprintln!("  = {line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<i32, Error> {
    let [folder, command, rest @ ..] = words else { return Ok(2) };
    let folder = PathBuf::from(folder);
    let store = std::env::var_os("NIVAL_STORE").map_or_else(|| folder.clone(), PathBuf::from);
    let machines = Machines::new(Config { data: folder.join("data"), store, runtime: folder.join("run") });
    match (command.as_str(), rest) {
        ("up", files) => {
            let ups = files.iter().map(|file| up(file)).collect::<Result<Vec<_>, _>>()?;
            machines.up(&ups, &mut |event| println!("{}", json(event)))?;
        }
        ("down", names) => {
            for name in names {
                machines.down(name)?;
            }
        }
        ("delete", [name]) => machines.delete(name)?,
        ("compose", [file]) => {
            let (store, state) = (Store::below(&machines.config().store), State::new(folder.join("state")));
            println!("{}", compose(&store, &state, &manifest(file)?)?.key);
        }
        ("plan", [file]) => {
            let manifest = manifest(file)?;
            print!("{}", machines.plan(&manifest.name, &manifest)?.text());
        }
        ("switch", [file]) => {
            let manifest = manifest(file)?;
            let done =
                machines.switch(&manifest.name, &manifest, &mut |event| println!("{}", json(event)))?;
            println!("{}", json(&done));
        }
        ("rollback", [name, number @ ..]) => {
            let number = number.first().and_then(|number| number.parse().ok());
            let done = machines.rollback(name, number, &mut |event| println!("{}", json(event)))?;
            println!("{}", json(&done));
        }
        ("status", [name]) => println!("{}", json(&machines.status(name)?)),
        ("generations", [name]) => println!("{}", json(&machines.generations(name)?)),
        ("logs", [name, arguments @ ..]) => return machines.logs(name, arguments),
        ("exec", [name, command @ ..]) => {
            let user = std::env::var("NIVAL_USER").unwrap_or_default();
            let program =
                Program { command: command.to_vec(), user, terminal: true, environment: Vec::new() };
            return machines.exec(name, &program);
        }
        _ => return Ok(2),
    }
    Ok(0)
}

fn up(file: &str) -> Result<Up, Error> {
    let manifest = manifest(file)?;
    let publish = manifest.ports.iter().map(|port| Publish {
        address: Ipv4Addr::LOCALHOST.into(),
        host: 0,
        guest: port.port,
    });
    Ok(Up { publish: publish.collect(), manifest })
}

fn manifest(file: &str) -> Result<Manifest, Error> {
    let text = std::fs::read(file).map_err(|error| Error::io(format!("read `{file}`"), &error))?;
    Manifest::from_json(&text)
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
