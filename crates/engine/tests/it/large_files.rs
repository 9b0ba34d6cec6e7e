//! Large files of git LFS, from a server on loopback and from the storage of a repository.

use super::world::Folder;
use nival_store_model::Hash;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

const CONTENTS: &str = "the large contents\n";

fn hash() -> String {
    Hash::sha256(CONTENTS.as_bytes()).base16()
}

/// A repository with a pointer, a file that is none, and a file that is not filtered.
fn repository(folder: &Folder) {
    let pointer = format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n",
        hash(),
        CONTENTS.len()
    );
    let files = [
        (".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n"),
        ("sub/a.bin", pointer.as_str()),
        ("no.bin", "no pointer\n"),
        ("plain", pointer.as_str()),
    ];
    for (name, text) in files {
        folder.write(&format!("repo/{name}"), text);
    }
    // The filter itself may be installed, and would ask for the contents.
    let off = ["-c", "filter.lfs.clean=cat", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false"];
    folder.git("repo", &["init", "-q", "-b", "main"]);
    for words in [&["add", "."][..], &["commit", "-q", "-m", "one"]] {
        folder.git("repo", &[&off[..], words].concat());
    }
}

/// Hands out the files of a folder, those below `object` for a ticket only, and answers to the batch interface.
fn serve(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback can be listened on");
    let address = format!("http://{}", listener.local_addr().expect("it has one"));
    let own = address.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (folder, own) = (folder.clone(), own.clone());
            std::thread::spawn(move || answer(&folder, &own, stream));
        }
    });
    address
}

fn answer(folder: &Path, own: &str, stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let (mut head, mut length) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let lower = line.to_ascii_lowercase();
            if let Some(number) = lower.strip_prefix("content-length:") {
                length = number.trim().parse().ok()?;
            }
            if line == "\r\n" {
                break;
            }
            head.push(if head.is_empty() { line.trim_end().to_owned() } else { lower.trim_end().to_owned() });
        }
        let mut sent = vec![0; length];
        reader.read_exact(&mut sent).ok()?;
        let mut words = head.first()?.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let path = path.split('?').next()?;
        let body = if method == "POST" && path.ends_with("/info/lfs/objects/batch") {
            Some(batch(own, &sent, &head)?)
        } else if path.starts_with("/object/") && !head.contains(&"x-ticket: 7".to_owned()) {
            None
        } else {
            std::fs::read(folder.join(path.trim_start_matches('/'))).ok()
        };
        let (status, body) = body.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len()).ok()?;
        stream.write_all(&body).ok()?;
    }
}

fn batch(own: &str, sent: &[u8], head: &[String]) -> Option<Vec<u8>> {
    let asked: serde_json::Value = serde_json::from_slice(sent).ok()?;
    assert!(head.contains(&"accept: application/vnd.git-lfs+json".to_owned()), "{head:?}");
    assert_eq!(asked["operation"], "download");
    let objects: Vec<_> = asked["objects"].as_array()?.iter().map(|object| {
        let (oid, size) = (&object["oid"], &object["size"]);
        let href = format!("{own}/object/{}", oid.as_str().unwrap_or_default());
        serde_json::json!({ "oid": oid, "size": size, "actions": { "download": { "href": href, "header": { "X-Ticket": "7" } } } })
    }).collect();
    Some(serde_json::json!({ "transfer": "basic", "objects": objects }).to_string().into_bytes())
}

#[test]
fn large_files_come_from_the_server_and_are_kept() {
    let folder = Folder::new();
    repository(&folder);
    let bare = folder.text("web/repo.git");
    folder.git("repo", &["clone", "-q", "--bare", ".", &bare]);
    folder.git("web/repo.git", &["update-server-info"]);
    folder.write(&format!("web/object/{}", hash()), CONTENTS);
    let address = serve(folder.path("web"));
    let text = |large: &str| {
        format!(
            r#"let t = builtins.fetchGit {{ url = "{address}/repo.git"; {large} }}; in
               [ (builtins.readFile "${{t}}/sub/a.bin") (builtins.readFile "${{t}}/no.bin") (builtins.stringLength (builtins.readFile "${{t}}/plain")) ]"#
        )
    };
    let wanted = serde_json::json!([CONTENTS, "no pointer\n", 127]);
    let mut session = folder.session("");
    let got = super::world::json(&mut session, &text("lfs = true;"));
    let got = got.unwrap_or_else(|error| panic!("{:?}", error.diagnostic()));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&got).expect("JSON"), wanted);
    let (_, warnings) = session.take_messages();
    assert!(warnings.iter().any(|warning| warning.message.contains("`no.bin`")), "{warnings:?}");
    assert_eq!(folder.eval(&text(""))[0].as_str().map(str::len), Some(127));
    let flake =
        format!(r#"builtins.readFile "${{builtins.fetchTree "git+{address}/repo.git?lfs=1"}}/sub/a.bin""#);
    assert_eq!(folder.eval(&flake), CONTENTS);
    // What was fetched once is not asked for again.
    std::fs::remove_dir_all(folder.path("web/object")).expect("it is there");
    let again = folder.text("again");
    folder.git("repo", &["clone", "-q", "--bare", ".", &again]);
    let text = format!(
        r#"builtins.readFile "${{builtins.fetchGit {{ url = "file://{again}"; lfs = true; }}}}/sub/a.bin""#
    );
    assert_eq!(folder.eval(&text), CONTENTS);
}

#[test]
fn large_files_with_other_contents_are_refused() {
    let folder = Folder::new();
    repository(&folder);
    let bare = folder.text("web/repo.git");
    folder.git("repo", &["clone", "-q", "--bare", ".", &bare]);
    folder.git("web/repo.git", &["update-server-info"]);
    folder.write(&format!("web/object/{}", hash()), "the other contents\n");
    let address = serve(folder.path("web"));
    let (code, message) =
        folder.failure("", &format!(r#"builtins.fetchGit {{ url = "{address}/repo.git"; lfs = true; }}"#));
    assert_eq!(code, "NV0418", "{message}");
    assert!(message.contains(&hash()), "{message}");
}

#[test]
fn large_files_come_from_the_storage_of_a_repository_on_this_machine() {
    let folder = Folder::new();
    repository(&folder);
    let repo = folder.text("repo");
    let text = format!(
        r#"builtins.readFile "${{builtins.fetchGit {{ url = "{repo}"; ref = "main"; lfs = true; }}}}/sub/a.bin""#
    );
    let (code, message) = folder.failure("", &text);
    assert_eq!(code, "NV0419", "{message}");
    let hash = hash();
    folder.write(&format!("repo/.git/lfs/objects/{}/{}/{hash}", &hash[..2], &hash[2..4]), CONTENTS);
    assert_eq!(folder.eval(&text), CONTENTS);
}
