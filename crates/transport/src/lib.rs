//! The one way out to the network: HTTP with retries, resume, proxies, netrc and progress.
