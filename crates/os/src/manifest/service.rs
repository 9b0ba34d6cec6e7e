//! Units, what tells whether they are well, and the ports that they listen on.

use super::Origin;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A systemd unit: a whole one (`text`), or what is added to a package's own (`overrides`), or neither.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct UnitDefinition {
    /// The whole unit: written to `/etc/systemd/system/NAME`.
    pub text: Option<String>,
    /// A drop-in for a unit that a package brings: written to `/etc/systemd/system/NAME.d/nival.conf`.
    pub overrides: Option<String>,
    /// Units that want this one.
    pub wanted_by: Vec<String>,
    /// Units that require this one.
    pub required_by: Vec<String>,
    /// Whether the links of `wantedBy` and `requiredBy` are made; false leaves the unit to be started by others.
    pub enable: bool,
    /// What happens to the running unit when its files or its reload triggers change.
    pub reload_on: ReloadOn,
    /// A digest of what the unit must be restarted for, beside its own text.
    pub restart_triggers: String,
    /// A digest of what the unit must be reloaded for, beside its own files.
    pub reload_triggers: String,
    /// The generated files that concern this unit.
    pub files: Vec<String>,
    /// The packages that the unit runs, where the unit is not a package's own.
    pub packages: Vec<String>,
    /// How long the unit must stay up after it was started by a switch to count as well;
    /// where it is missing, 5 seconds, and 1 where it has a readiness protocol or a check.
    pub settle_seconds: Option<f64>,
    /// Where it is defined.
    pub origin: Vec<Origin>,
    /// Prefixes of the options that it is made from, such as `services.nginx`.
    pub options: Vec<String>,
}

/// What a change of a unit's files does to it. A change of the unit's own text or program always restarts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReloadOn {
    /// It reads its files again.
    Reload,
    /// It is stopped and started.
    #[default]
    Restart,
    /// It is left alone.
    None,
}

/// Something that must answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Check {
    /// Its name, shown to the user.
    pub name: String,
    /// The unit that it is about; empty where it is about the machine.
    #[serde(default)]
    pub unit: String,
    /// What is asked.
    pub kind: CheckKind,
    /// How long the answer may take to become right; 30 seconds where it is missing.
    #[serde(default = "thirty")]
    pub timeout_seconds: f64,
    /// How long a switch bears answers that are plainly wrong; half a second where it is missing.
    #[serde(default = "half", skip_serializing_if = "is_half")]
    pub grace_seconds: f64,
    /// Where it is defined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origin: Vec<Origin>,
}

fn half() -> f64 {
    0.5
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_half(value: &f64) -> bool {
    (*value - half()).abs() < f64::EPSILON
}

/// What a check asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum CheckKind {
    /// A page over HTTP from the machine itself.
    #[serde(rename_all = "camelCase")]
    Http {
        /// `http://ADDRESS[:PORT]/PATH`; the address is numeric or `localhost`.
        url: String,
        /// The `Host:` header, where it is not the address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<String>,
        /// The status that must come; where it is missing, any below 500.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// A text that the page must hold.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contains: Option<String>,
    },
    /// A port that must accept a connection.
    Tcp {
        /// The port.
        port: u16,
    },
    /// A program that must end with 0.
    Command(Vec<String>),
}

/// A program that is run in the new root, with nothing changed yet; it must end with 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Preflight {
    /// Its name, shown to the user.
    pub name: String,
    /// The unit that it is about.
    #[serde(default)]
    pub unit: String,
    /// The program with its arguments.
    pub command: Vec<String>,
    /// Where it is defined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origin: Vec<Origin>,
}

/// The kind of a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

/// A port that a service listens on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Port {
    /// The number.
    pub port: u16,
    /// Its kind.
    #[serde(default)]
    pub protocol: Protocol,
    /// The unit that listens.
    #[serde(default)]
    pub unit: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
}

fn thirty() -> f64 {
    30.0
}

/// How a service is started in a container of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Start {
    /// The program with its arguments; a shell that prepares folders and becomes the service.
    pub command: Vec<String>,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// The unit that it is in a machine.
    pub unit: String,
    /// Ports that it listens on, as `6379/tcp`.
    pub ports: Vec<String>,
    /// Folders that hold what it writes.
    pub volumes: Vec<String>,
    /// The units that other services run for it, in a machine.
    pub needs: Vec<String>,
    /// What the service is, in a few words.
    pub description: String,
}
