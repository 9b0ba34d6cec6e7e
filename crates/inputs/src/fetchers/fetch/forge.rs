//! Archives that git forges make of a revision.

use super::{Fetcher, Found, Staged};
use crate::fetchers::attributes::{Attribute, Attributes};
use crate::fetchers::error::Error;
use crate::fetchers::input::{Input, parse_revision};
use crate::fetchers::schemes::Scheme;
use nival_transport::Request;

type Headers = Vec<(String, String)>;

pub(super) fn fetch(fetcher: &Fetcher, scheme: Scheme, input: &Input) -> Result<Found, Error> {
    let forge = Forge::new(fetcher, scheme, input)?;
    let revision = match input.revision()? {
        Some(revision) => revision,
        None => forge.revision(input.reference().unwrap_or("HEAD"))?,
    };
    let mut result = input.clone();
    result.attributes.remove("ref");
    result.attributes.set("rev", revision.as_str());
    let known = fetcher.cache.get("revision", &[scheme.name(), &revision]).and_then(|known| {
        let (path, hash) = fetcher.known(known.value.text("hash").ok()??)?;
        Some((path, hash, known.value.int("lastModified").ok()??))
    });
    let (path, hash, modified) = match known {
        Some(known) => known,
        None => {
            let staged = Staged(fetcher.staging("archive"));
            let address = forge.archive(&revision);
            let request = Request {
                address,
                headers: forge.headers.clone(),
                to: staged.0.clone(),
                ..Request::default()
            };
            fetcher.request(&request)?;
            let (path, hash, modified) = fetcher.unpack(&staged.0, &request.address)?;
            let mut value = Attributes::default();
            value.set("hash", hash.sri());
            value.set("lastModified", Attribute::Int(modified));
            fetcher.cache.put("revision", &[scheme.name(), &revision], &value);
            (path, hash, modified)
        }
    };
    if !result.attributes.has("lastModified") {
        result.attributes.set("lastModified", Attribute::Int(modified));
    }
    Ok(Found { path, hash, input: result })
}

/// One repository of a forge.
struct Forge<'f> {
    fetcher: &'f Fetcher,
    scheme: Scheme,
    host: String,
    owner: String,
    repo: String,
    headers: Headers,
}

impl<'f> Forge<'f> {
    fn new(fetcher: &'f Fetcher, scheme: Scheme, input: &Input) -> Result<Self, Error> {
        let usual = match scheme {
            Scheme::GitLab => "gitlab.com",
            Scheme::SourceHut => "git.sr.ht",
            _ => "github.com",
        };
        let host = input.attributes.text("host")?.unwrap_or(usual).to_owned();
        let owner = input.attributes.expect_text("owner")?.to_owned();
        let repo = input.attributes.expect_text("repo")?.to_owned();
        let token = token(fetcher, &host, &format!("{host}/{owner}/{repo}"));
        let headers = token.map(|token| header(scheme, token)).into_iter().collect();
        Ok(Self { fetcher, scheme, host, owner, repo, headers })
    }

    fn ask(&self, address: &str) -> Result<String, Error> {
        let file = self.fetcher.fetch_file(address, "source", &self.headers)?;
        let bytes = super::read(&self.fetcher.physical(&file.path))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn json(&self, address: &str) -> Result<serde_json::Value, Error> {
        let unexpected =
            |why: String| Error::Program { doing: format!("read the answer of `{address}`"), said: why };
        serde_json::from_str(&self.ask(address)?).map_err(|error| unexpected(error.to_string()))
    }

    /// The revision that a branch or tag stands at.
    fn revision(&self, reference: &str) -> Result<String, Error> {
        let Self { host, owner, repo, .. } = self;
        let missing = || Error::Program {
            doing: format!("find `{reference}` of `{owner}/{repo}`"),
            said: format!("{host} does not tell of it"),
        };
        match self.scheme {
            Scheme::GitLab => {
                let json = self.json(&format!(
                    "https://{host}/api/v4/projects/{owner}%2F{repo}/repository/commits?ref_name={reference}"
                ))?;
                parse_revision(json[0]["id"].as_str().ok_or_else(missing)?)
            }
            Scheme::SourceHut => self.listed(reference)?.ok_or_else(missing),
            _ => {
                let base = if host == "github.com" {
                    format!("https://api.{host}")
                } else {
                    format!("https://{host}/api/v3")
                };
                let json = self.json(&format!("{base}/repos/{owner}/{repo}/commits/{reference}"))?;
                parse_revision(json["sha"].as_str().ok_or_else(missing)?)
            }
        }
    }

    /// Looks a branch or tag up in the list that git itself would ask for.
    fn listed(&self, reference: &str) -> Result<Option<String>, Error> {
        let Self { host, owner, repo, .. } = self;
        let base = format!("https://{host}/{owner}/{repo}");
        let wanted = if reference == "HEAD" {
            let head = self.ask(&format!("{base}/HEAD"))?;
            let first = head.lines().next().unwrap_or("").to_owned();
            vec![first.strip_prefix("ref:").unwrap_or(&first).trim().to_owned()]
        } else {
            vec![format!("refs/heads/{reference}"), format!("refs/tags/{reference}")]
        };
        let list = self.ask(&format!("{base}/info/refs"))?;
        let mut lines = list.lines().filter_map(|line| line.split_once(char::is_whitespace));
        let found = lines.find(|(_, name)| wanted.iter().any(|wanted| wanted == name.trim()));
        found.map(|(revision, _)| parse_revision(revision)).transpose()
    }

    /// The address of the archive of a revision.
    fn archive(&self, revision: &str) -> String {
        let Self { host, owner, repo, .. } = self;
        match self.scheme {
            Scheme::GitLab => format!(
                "https://{host}/api/v4/projects/{owner}%2F{repo}/repository/archive.tar.gz?sha={revision}"
            ),
            Scheme::SourceHut => format!("https://{host}/{owner}/{repo}/archive/{revision}.tar.gz"),
            _ if host != "github.com" => {
                format!("https://{host}/api/v3/repos/{owner}/{repo}/tarball/{revision}")
            }
            _ if self.headers.is_empty() => {
                format!("https://{host}/{owner}/{repo}/archive/{revision}.tar.gz")
            }
            _ => format!("https://api.{host}/repos/{owner}/{repo}/tarball/{revision}"),
        }
    }
}

/// The token for a host, or for the longest part of a path on it that has one of its own.
fn token<'f>(fetcher: &'f Fetcher, host: &str, path: &str) -> Option<&'f str> {
    let tokens = &fetcher.settings.access_tokens;
    let fits =
        |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let best = tokens.iter().filter(|(prefix, _)| fits(prefix)).max_by_key(|(prefix, _)| prefix.len());
    best.map(|(_, token)| token.as_str()).or_else(|| tokens.get(host).map(String::as_str))
}

fn header(scheme: Scheme, token: &str) -> (String, String) {
    let (name, value) = match (scheme, token.split_once(':')) {
        (Scheme::GitLab, Some(("OAuth2", token))) => ("Authorization", format!("Bearer {token}")),
        (Scheme::GitLab, Some(("PAT", token))) => ("Private-token", token.to_owned()),
        (Scheme::GitLab, Some((name, value))) => (name, value.to_owned()),
        (Scheme::GitLab | Scheme::SourceHut, _) => ("Authorization", format!("Bearer {token}")),
        _ => ("Authorization", format!("token {token}")),
    };
    (name.to_owned(), value)
}
