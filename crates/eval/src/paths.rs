//! Paths as text: joining and shortening without looking at the disk.

/// An absolute path without `.`, `..`, doubled slashes or a slash at the end.
pub(crate) fn canonical(path: &str) -> String {
    let is_name = |part: &[u8]| !matches!(part, b"" | b"." | b"..");
    if let Some(rest) = path.as_bytes().strip_prefix(b"/")
        && rest.split(|byte| *byte == b'/').all(is_name)
    {
        return path.to_owned();
    }
    let mut out = String::with_capacity(path.len() + 1);
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => out.truncate(out.rfind('/').unwrap_or(0)),
            part => {
                out.push('/');
                out.push_str(part);
            }
        }
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

/// The folder that holds a path; `/` for `/`.
pub(crate) fn parent(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(at) => &path[..at],
    }
}

/// The last component.
pub(crate) fn base_name(path: &str) -> &str {
    let path = path.strip_suffix('/').unwrap_or(path);
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn what_is_short_stays_and_all_else_is_shortened() {
        for path in ["/", "/a", "/a/b.c/...", "/.a/..b"] {
            assert_eq!(canonical(path), path);
        }
        for (path, short) in
            [("", "/"), ("//", "/"), ("/a/", "/a"), ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("a/b", "/a/b")]
        {
            assert_eq!(canonical(path), short);
        }
        assert_eq!(canonical("/.."), "/");
    }
}
