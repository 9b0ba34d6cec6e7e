//! Answers to what a client sets, and to what it asks of roots and of garbage.

use super::answers::{Done, Question, refused};
use crate::gc::{GcAction, GcOptions};
use crate::protocol::put_path;
use crate::wire::{ReadWire as _, WriteWire as _};
use std::io::{Read, Write};

impl<R: Read, W: Write + Send> Question<'_, R, W> {
    pub(super) fn set_options(&mut self) -> Done {
        let mut settings = Vec::new();
        let flag = |on: bool| if on { "true" } else { "false" }.to_owned();
        for name in ["keep-failed", "keep-going", "fallback"] {
            settings.push((name.to_owned(), flag(self.input.flag()?)));
        }
        self.input.number()?;
        let jobs = self.input.number()?;
        settings.push(("max-silent-time".to_owned(), self.input.number()?.to_string()));
        for _ in 0..4 {
            self.input.number()?;
        }
        settings.push(("cores".to_owned(), self.input.number()?.to_string()));
        settings.push(("substitute".to_owned(), flag(self.input.flag()?)));
        settings.push(("max-jobs".to_owned(), jobs.to_string()));
        for _ in 0..self.input.number()? {
            settings.push((self.input.text()?, self.input.text()?));
        }
        // What the owner of the machine decides, nobody else changes.
        let free =
            ["timeout", "max-silent-time", "keep-going", "keep-failed", "fallback", "substitute", "cores"];
        settings.retain(|(name, _)| self.host.is_trusted || free.contains(&name.as_str()));
        // Which builders are used here is this machine's own affair.
        settings.retain(|(name, _)| {
            !matches!(name.as_str(), "builders" | "experimental-features" | "plugin-files")
        });
        self.builder.set(&settings);
        Ok(())
    }

    pub(super) fn roots(&mut self, out: &mut Vec<u8>) -> Done {
        let roots = self.host.store.roots(&mut |_| {})?;
        out.put(roots.len() as u64)?;
        for root in roots {
            let place = if self.host.is_trusted { root.source.to_string() } else { "{censored}".to_owned() };
            out.put_text(&place)?;
            put_path(out, self.host.store.dir(), Some(&root.path))?;
        }
        Ok(())
    }

    pub(super) fn collect(&mut self, out: &mut Vec<u8>) -> Done {
        let action = self.input.number()?;
        let paths = self.paths()?;
        let (ignore, most) = (self.input.flag()?, self.input.number()?);
        for _ in 0..3 {
            self.input.number()?;
        }
        if ignore {
            return refused("nothing that is alive is deleted");
        }
        let options = GcOptions {
            action: match action {
                0 => GcAction::Live,
                1 => GcAction::Dead,
                _ => GcAction::Delete,
            },
            max_freed: (most < u64::MAX >> 1).then_some(most),
            ..GcOptions::default()
        };
        if action > 2 {
            let freed = self.host.store.delete_paths(&paths, crate::DeleteOptions::default(), &mut |_| {})?;
            self.put_paths(out, &paths)?;
            out.put(freed.bytes)?;
            return Ok(out.put(0)?);
        }
        let result = self.host.store.collect_garbage(&options, &mut |_| {})?;
        let names = result.names.iter().map(|name| self.host.store.dir().as_str().to_owned() + "/" + name);
        out.put_texts(names.collect::<Vec<_>>().iter().map(String::as_str))?;
        out.put(result.bytes)?;
        Ok(out.put(0)?)
    }
}
