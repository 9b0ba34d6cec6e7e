//! Options of every command that evaluates expressions.

use crate::build_progress::{BuildProgress, Wishes};
use crate::building::{self, Building};
use crate::context::{Context, absolute, current_folder};
use crate::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use nival_engine::{Argument, Automatic, Expression, LockFlags, NixSettings, OutputSearch, Session};
use nival_eval::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Options of every command that evaluates expressions.
#[derive(Args, Clone, Default)]
pub struct Evaluation {
    #[command(flatten)]
    pub given: Given,
    /// Look `<NAME>` up at this path, before those of NIX_PATH
    #[arg(short = 'I', long, value_name = "[NAME=]PATH")]
    pub include: Vec<String>,
    /// Evaluate for this system instead of this machine's own, such as aarch64-linux
    #[arg(long, value_name = "SYSTEM")]
    pub system: Option<String>,
    /// Let values take at most this much memory, such as 512M or 4G; the default is half of the machine's
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_memory: Option<usize>,
    /// Write a flame graph of the evaluation to this file: which functions took the time, called from where
    #[arg(long, value_name = "FILE.svg")]
    pub flame: Option<PathBuf>,
    /// Let calls nest at most this deeply; the default is 10000
    #[arg(long, value_name = "COUNT")]
    pub max_call_depth: Option<u32>,
    /// Let the value of a flake depend on the environment, the clock, and files outside of it
    #[arg(long)]
    pub impure: bool,
    /// Let values depend on nothing outside of what is evaluated
    #[arg(long, conflicts_with = "impure")]
    pub pure_eval: bool,
    /// Let only files of the search path and allowed addresses be read
    #[arg(long)]
    pub restrict_eval: bool,
    /// Take the settings that a flake asks for by its `nixConfig`
    #[arg(long)]
    pub accept_flake_config: bool,
    /// Switch on parts of the language that are off, such as pipe-operators
    #[arg(long, value_name = "NAMES")]
    pub extra_experimental_features: Vec<String>,
    /// Set a setting of nix.conf
    #[arg(long, num_args = 2, value_names = ["NAME", "VALUE"], action = ArgAction::Append)]
    pub option: Vec<String>,
}

/// Half of what the machine has, so that an endless evaluation ends before the machine does.
fn half_of_memory() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    total.split_whitespace().next()?.parse::<usize>().ok()?.checked_mul(512)
}

/// Reads a number of bytes with `K`, `M`, `G` or `T` behind it.
fn size(text: &str) -> Result<usize, String> {
    let units = [("K", 10), ("M", 20), ("G", 30), ("T", 40)];
    let plain = text.trim_end_matches("iB").trim_end_matches('B');
    let found = units.iter().find_map(|(unit, shift)| Some((plain.strip_suffix(unit)?, *shift)));
    let (digits, shift) = found.unwrap_or((plain, 0));
    let number = digits.trim().parse::<usize>().ok().and_then(|n| n.checked_mul(1 << shift));
    number.filter(|n| *n > 0).ok_or_else(|| "write a size such as 512M or 4G".to_owned())
}

impl Evaluation {
    /// A session with these options; `read_only` ones compute store paths and write nothing.
    ///
    /// A flake is evaluated purely unless something else is said, and with the settings of its own that are trusted.
    pub fn session(
        &self,
        context: &mut Context,
        read_only: bool,
        flakes: &[String],
    ) -> Result<Session, Error> {
        let store = context.store()?;
        let progress = BuildProgress::new(&context.output, Wishes::default(), store.dir().as_str());
        let progress = Arc::new(progress);
        self.session_that_builds(context, read_only, flakes, &Building::default(), progress)
    }

    /// A session that builds, with the options of a command that does, and shows it.
    pub fn session_for_builds(
        &self,
        context: &mut Context,
        building: &Building,
        flakes: &[String],
        progress: Arc<BuildProgress>,
    ) -> Result<Session, Error> {
        self.session_that_builds(context, false, flakes, building, progress)
    }

    fn session_that_builds(
        &self,
        context: &mut Context,
        read_only: bool,
        flakes: &[String],
        building: &Building,
        progress: Arc<BuildProgress>,
    ) -> Result<Session, Error> {
        context.flame = self.flame.clone().map(absolute);
        let mut nix =
            self.nix_settings(!flakes.is_empty()).map_err(|error| Error::plain(error.diagnostic()))?;
        self.warn_of_settings(context, &nix);
        building.apply(&mut nix);
        let asked = asked_by(context, &nix, flakes)?;
        crate::flake_config::apply(context, &mut nix, &asked)?;
        let mut builds = building::builds(context, &nix, &building.source, progress)?;
        builds.settings.debugger = building.debugger()?;
        context.session_with(|options| {
            options.nix = nix;
            options.builds = builds;
            let own = self.include.iter().map(|entry| {
                let (prefix, path) = entry.split_once('=').unwrap_or(("", entry));
                // An address stays as it is; it is fetched when something is looked up there.
                let path = match path.contains(':') {
                    true => path.to_owned(),
                    false => absolute(Path::new(path).to_owned()).to_string_lossy().into_owned(),
                };
                (prefix.to_owned(), path)
            });
            options.search_path = own.collect();
            options.read_only = read_only;
            options.settings.max_memory = self.max_memory.or_else(half_of_memory).unwrap_or(0);
        })
    }

    /// Warns of settings that there are not, and of features that have become settings.
    fn warn_of_settings(&self, context: &Context, nix: &NixSettings) {
        let warn = |text: String, help: &str| {
            let entry = &nival_engine::diagnostics::nix_conf::ENTRY;
            let warning = nival_diagnostics::Diagnostic::warning(entry, text).help(help.to_owned());
            context.output.diagnostic(&warning, &nival_diagnostics::Sources::default(), 0);
        };
        for name in self.option.iter().step_by(2) {
            if !crate::dropin::is_setting(name) && !NixSettings::is_known(name) {
                warn(format!("unknown setting `{name}`"), "`nix config show` lists them");
            }
        }
        if nix.features().contains("no-url-literals") {
            let text = "experimental feature `no-url-literals` has been stabilized and renamed; use `lint-url-literals = fatal` setting instead";
            warn(text.to_owned(), "take the feature out of the settings");
        }
    }

    /// The settings that these options give.
    pub fn settings(&self) -> Result<NixSettings, nival_engine::Error> {
        self.nix_settings(false)
    }

    /// What nix.conf and NIX_CONFIG say, and the options above them.
    fn nix_settings(&self, flake: bool) -> Result<NixSettings, nival_engine::Error> {
        let environment = std::env::vars_os();
        let environment = environment
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let mut settings = NixSettings::read(&environment.collect())?;
        // The variable stands above the files, and options of the command line above the variable.
        if let Ok(path) = std::env::var("NIX_PATH") {
            settings.set("nix-path", &nival_engine::split_nix_path(&path).join(" "));
        }
        if flake && settings.text("pure-eval").is_none() {
            settings.set("pure-eval", "true");
        }
        for (is_set, name, value) in [
            (self.impure, "pure-eval", "false"),
            (self.pure_eval, "pure-eval", "true"),
            (self.restrict_eval, "restrict-eval", "true"),
            (self.accept_flake_config, "accept-flake-config", "true"),
        ] {
            if is_set {
                settings.set(name, value);
            }
        }
        for names in &self.extra_experimental_features {
            settings.set("extra-experimental-features", names);
        }
        if let Some(system) = &self.system {
            settings.set("system", system);
        }
        if let Some(depth) = self.max_call_depth {
            settings.set("max-call-depth", &depth.to_string());
        }
        for pair in self.option.chunks_exact(2) {
            if let [name, value] = pair {
                settings.set(name, value);
            }
        }
        Ok(settings)
    }

    /// As [`Self::automatic`], with more in front of those that were typed.
    pub fn automatic_with(
        &self,
        session: &mut Session,
        more: &[(String, Argument)],
    ) -> Result<Automatic, nival_engine::Error> {
        session.automatic(&[more, &self.given.0].concat())
    }

    /// The arguments that functions are given.
    pub fn automatic(&self, session: &mut Session) -> Result<Automatic, nival_engine::Error> {
        session.automatic(&self.given.0)
    }
}

/// The expression of a file that is typed by its path, as `<name>`, or by an address.
pub fn file_expression(word: &str) -> Expression {
    let is_path = !word.starts_with('<') && !word.contains("://") && !word.starts_with("channel:");
    Expression::File(match is_path && !word.starts_with("flake:") {
        true => absolute(Path::new(word).to_owned()).to_string_lossy().into_owned(),
        false => word.to_owned(),
    })
}

/// The settings that flakes ask for. What is wrong with a flake is told where it is evaluated.
fn asked_by(
    context: &mut Context,
    nix: &NixSettings,
    flakes: &[String],
) -> Result<Vec<(String, String)>, Error> {
    if flakes.is_empty() {
        return Ok(Vec::new());
    }
    let session = context.session_with(|options| options.nix = nix.clone())?;
    let base = current_folder();
    let config = |text: &String| {
        let (reference, _) = session.parse_flake(text, Path::new(&base))?;
        session.flake_config(&reference)
    };
    Ok(flakes.iter().filter_map(|text| config(text).ok()).flatten().collect())
}

/// What is evaluated, in all the ways in which it can be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A file, a folder with `default.nix`, or `<name>`; and what to select there.
    File(String, String),
    /// A flake with what is wanted of it.
    Flake(String),
}

impl Target {
    /// Reads what was typed: `PATH`, `PATH#NAME`, or the reference of a flake. A folder is a flake where it has a
    /// `flake.nix`; what is no path is the name of a flake.
    pub fn parse(text: &str) -> Self {
        let (place, fragment) = text.split_once('#').unwrap_or((text, ""));
        let path = Path::new(if place.is_empty() { "." } else { place });
        let is_file = place.starts_with('<') || path.is_file() && !path.ends_with("flake.nix");
        let is_plain_folder = path.is_dir() && !path.join("flake.nix").exists();
        if is_file || is_plain_folder && (path.join("default.nix").exists() || !text.contains('#')) {
            return Self::File(path.to_string_lossy().into_owned(), fragment.to_owned());
        }
        let named_by_path = place.starts_with(['.', '/']) || place.ends_with(".nix");
        if named_by_path && !path.is_dir() {
            return Self::File(place.to_owned(), fragment.to_owned());
        }
        Self::Flake(text.to_owned())
    }

    /// Those of several that are flakes, as they were typed.
    pub fn flakes(targets: &[Self]) -> Vec<String> {
        let flake = |target: &Self| match target {
            Self::Flake(text) => Some(text.clone()),
            Self::File(..) => None,
        };
        targets.iter().filter_map(flake).collect()
    }

    /// The file that is meant, where it is one that is no flake and is not looked up.
    pub fn plain_file(&self) -> Option<PathBuf> {
        match self {
            Self::File(path, _) if !path.starts_with('<') => Some(path.into()),
            _ => None,
        }
    }

    /// The value that is meant.
    pub fn evaluate(
        &self,
        context: &Context,
        session: &mut Session,
        automatic: &Automatic,
    ) -> Result<Value, nival_engine::Error> {
        let search = OutputSearch::packages(session.system());
        self.evaluate_with(context, session, automatic, &search)
    }

    /// As [`Self::evaluate`], where a flake's outputs are searched in another way.
    pub fn evaluate_with(
        &self,
        context: &Context,
        session: &mut Session,
        automatic: &Automatic,
        search: &OutputSearch,
    ) -> Result<Value, nival_engine::Error> {
        match self {
            Self::File(path, fragment) => {
                let file = match path.starts_with('<') {
                    true => path.clone(),
                    false => absolute(Path::new(path).to_owned()).to_string_lossy().into_owned(),
                };
                let value = session.evaluate(&Expression::File(file))?;
                session.select(value, fragment, automatic)
            }
            Self::Flake(text) => {
                let (reference, fragment) = session.parse_flake(text, Path::new(&current_folder()))?;
                let locked = session.lock_flake(&reference, &LockFlags::default())?;
                if let Some(file) = &locked.written {
                    context.output.say(&format!("wrote {}:\n{}", file.display(), locked.changes.trim_end()));
                }
                Ok(session.flake_output(&locked, &fragment, search)?.0)
            }
        }
    }
}

/// The values of `--arg` and `--argstr`, in the order in which they were typed: the last of one name wins.
#[derive(Clone, Default)]
pub struct Given(Vec<(String, Argument)>);

impl Args for Given {
    fn augment_args(command: Command) -> Command {
        let two = |name: &'static str, what: &'static str, help: &'static str| {
            Arg::new(name)
                .long(name)
                .num_args(2)
                .value_names(["NAME", what])
                .action(ArgAction::Append)
                .help(help)
        };
        command
            .arg(two("arg", "EXPRESSION", "Give functions the value of an expression as an argument"))
            .arg(two("argstr", "TEXT", "Give functions a text as an argument"))
            .arg(two("arg-from-file", "FILE", "Give functions what a file holds as an argument"))
            .arg(
                Arg::new("arg-from-stdin")
                    .long("arg-from-stdin")
                    .value_name("NAME")
                    .help("Give functions what standard input holds as an argument"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Self::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let base = current_folder();
        let mut found = Vec::new();
        if let (Some(mut places), Some(name)) =
            (matches.indices_of("arg-from-stdin"), matches.get_one::<String>("arg-from-stdin"))
        {
            let text = std::io::read_to_string(std::io::stdin()).map_err(|error| unreadable("-", &error))?;
            // As in a shell, the line breaks at its end do not count.
            let text = text.trim_end_matches('\n').to_owned();
            found.push((places.next().unwrap_or(0), name.clone(), Argument::Text(text)));
        }
        for id in ["arg", "argstr", "arg-from-file"] {
            let places: Vec<usize> = matches.indices_of(id).into_iter().flatten().collect();
            let words: Vec<&String> = matches.get_many::<String>(id).into_iter().flatten().collect();
            for (place, pair) in places.chunks_exact(2).zip(words.chunks_exact(2)) {
                let argument = match id {
                    "arg" => Argument::Expression(pair[1].clone(), base.clone()),
                    "arg-from-file" => {
                        let text = std::fs::read(pair[1]).map_err(|error| unreadable(pair[1], &error))?;
                        Argument::Text(String::from_utf8_lossy(&text).into_owned())
                    }
                    _ => Argument::Text(pair[1].clone()),
                };
                found.push((place[0], pair[0].clone(), argument));
            }
        }
        found.sort_by_key(|(place, ..)| *place);
        self.0 = found.into_iter().map(|(_, name, argument)| (name, argument)).collect();
        Ok(())
    }
}

fn unreadable(file: &str, error: &std::io::Error) -> clap::Error {
    clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("cannot read `{file}`: {error}\n"))
}

#[cfg(test)]
mod tests {
    use super::{Target, size};

    #[test]
    fn targets_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        for name in ["flake", "plain", "empty"] {
            std::fs::create_dir(at(name)).expect("made");
        }
        std::fs::write(at("flake/flake.nix"), "{ }").expect("written");
        std::fs::write(at("plain/default.nix"), "{ }").expect("written");
        let file = |path: String, fragment: &str| Target::File(path, fragment.to_owned());
        let flake = |text: String| Target::Flake(text);
        assert_eq!(Target::parse(&at("plain")), file(at("plain"), ""));
        assert_eq!(Target::parse(&format!("{}#a.b", at("plain"))), file(at("plain"), "a.b"));
        assert_eq!(Target::parse(&at("plain/default.nix")), file(at("plain/default.nix"), ""));
        assert_eq!(Target::parse(&at("missing.nix")), file(at("missing.nix"), ""));
        assert_eq!(Target::parse(&format!("{}#x", at("flake"))), flake(format!("{}#x", at("flake"))));
        assert_eq!(Target::parse("nixpkgs#hello"), flake("nixpkgs#hello".to_owned()));
        assert_eq!(Target::parse("github:a/b"), flake("github:a/b".to_owned()));
        assert_eq!(Target::parse("<nixpkgs>"), file("<nixpkgs>".to_owned(), ""));
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("512"), Ok(512));
        assert_eq!(size("4G"), Ok(4 << 30));
        assert_eq!(size("8MiB"), Ok(8 << 20));
        assert!(
            size("").is_err() && size("0").is_err() && size("G").is_err() && size("99999999999T").is_err()
        );
    }
}
