//! Interruptions of `lock` and `build`: what lies on the disk is whole, and the next command works.

use super::lab::{Lab, Setting, share};
use super::report::Report;
use crate::command::Failure;
use std::time::{Duration, Instant};

/// Interrupts `lock` at every point, with nothing fetched before.
pub fn lock(setting: &Setting, mode: &str, every: usize) -> Result<Report, Failure> {
    let lab = setting.lab("locker", false)?;
    let file = lab.folder.join("project/nival.lock");
    let fresh = || {
        let _ = std::fs::remove_file(&file);
        let _ = std::fs::remove_dir_all(lab.folder.join("data/cache/indices"));
    };
    let words = ["lock", "project"];
    fresh();
    let points = lab.points(&words, &["client"])?;
    let wanted = std::fs::read(&file).map_err(|error| Failure::Said(error.to_string()))?;
    let mut report = Report::new(&format!("lock-{mode}"));
    for point in points.iter().step_by(every) {
        fresh();
        let (said, happened) = lab.interrupted(&words, mode, point);
        let start = Instant::now();
        let check = || -> Result<(&str, Duration), String> {
            if !said.is_proper() {
                return Err(format!("`lock` said: {}", said.err));
            }
            let there = std::fs::read(&file).ok();
            if there.as_ref().is_some_and(|text| *text != wanted) {
                return Err("the lock is not whole".to_owned());
            }
            let again = lab.run(&words);
            if again.code != 0 || std::fs::read(&file).ok().as_ref() != Some(&wanted) {
                return Err(format!("the next `lock` failed: {}", again.err));
            }
            let word = if !happened {
                "not met"
            } else if there.is_some() {
                "written"
            } else {
                "none"
            };
            Ok((word, start.elapsed()))
        };
        report.note(&point.text(), check());
    }
    Ok(report)
}

/// What the store holds that a build of the further package adds.
const MORE: &str = "environment.systemPackages = [ \"hello\" \"tree\" ];";

/// Interrupts a `build` that adds packages to a store at every point: a build passes points for each file.
pub fn build(setting: &Setting, mode: &str, every: usize, jobs: usize) -> Result<Report, Failure> {
    let mut labs = Vec::new();
    for job in 0..jobs {
        let lab = setting.lab(&format!("builder{job}"), false)?;
        lab.configure("0", MORE);
        let locked = lab.run(&["lock", "project"]);
        if locked.code != 0 {
            return Err(Failure::Said(locked.err));
        }
        keep(&lab)?;
        labs.push(lab);
    }
    let points = labs[0].points(&["build", "project"], &["client"])?;
    let points = points.into_iter().step_by(every).collect();
    Ok(share(labs, &format!("build-{mode}"), points, |lab, point, report| {
        let _ = put_back(lab);
        let (said, happened) = lab.interrupted(&["build", "project"], mode, point);
        let start = Instant::now();
        let check = || -> Result<(&str, Duration), String> {
            if !said.is_proper() {
                return Err(format!("`build` said: {}", said.err));
            }
            for words in [["build", "project"].as_slice(), &["verify"]] {
                let next = lab.run(words);
                if next.code != 0 {
                    return Err(format!("the next `{}` failed: {}{}", words[0], next.out, next.err));
                }
            }
            let staging = lab.folder.join("data/store/nix/var/nix/staging");
            let left = staging.read_dir().map_or(0, Iterator::count);
            if left > 0 {
                return Err(format!("{left} unfinished trees are left"));
            }
            Ok((if happened { "whole" } else { "not met" }, start.elapsed()))
        };
        report.note(&point.text(), check());
    }))
}

/// Notes what the store holds before.
fn keep(lab: &Lab) -> Result<(), Failure> {
    script(
        lab,
        "cp -a data/store/nix/var kept; ls data/store/nix/store | sort > kept.list; ls data/cache/packages | sort > kept.cache",
    )
}

/// Takes the store and the downloads back to what was noted.
fn put_back(lab: &Lab) -> Result<(), Failure> {
    script(
        lab,
        "rm -rf data/store/nix/var; cp -a kept data/store/nix/var
         ls data/store/nix/store | sort | comm -23 - kept.list | while read -r name; do chmod -R u+w \"data/store/nix/store/$name\"; rm -rf \"data/store/nix/store/$name\"; done
         ls data/cache/packages | sort | comm -23 - kept.cache | while read -r name; do rm -rf \"data/cache/packages/$name\"; done",
    )
}

fn script(lab: &Lab, text: &str) -> Result<(), Failure> {
    let status = std::process::Command::new("sh").args(["-uc", text]).current_dir(&lab.folder).status();
    status.map(drop).map_err(|error| Failure::Said(error.to_string()))
}
