//! `nival store info`

use crate::context::Context;
use crate::error::Error;
use crate::stores::SettingArguments;
use clap::Args;
use serde_json::json;
use std::process::ExitCode;

/// What can be typed behind `nival store info`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    settings: SettingArguments,
}

/// Shows which store is meant, and that it answers.
pub fn run(context: &mut Context, arguments: &Arguments) -> Result<ExitCode, Error> {
    let stores = context.stores(&arguments.settings)?;
    let url = stores.store.url();
    let version = stores.store.version();
    let trusted = stores.store.trusts_client();
    let mut text = format!("Store URL: {url}");
    if let Some(version) = &version {
        text.push_str(&format!("\nVersion: {version}"));
    }
    if let Some(trusted) = trusted {
        text.push_str(&format!("\nTrusted: {}", u8::from(trusted)));
    }
    if context.output.is_json() {
        let mut value = json!({ "url": url });
        if let Some(version) = version {
            value["version"] = version.into();
        }
        if let Some(trusted) = trusted {
            value["trusted"] = trusted.into();
        }
        context.output.result("", || value);
    } else {
        context.output.text(&text, true);
    }
    Ok(ExitCode::SUCCESS)
}
