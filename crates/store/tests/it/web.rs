//! A web server on loopback that hands out a folder, and lies where it is told to.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens to a file on its way.
#[derive(Clone, Debug)]
pub enum Lie {
    /// It is not there.
    Gone,
    /// The server fails.
    Fails,
    /// These bytes come in its place.
    Other(Vec<u8>),
    /// It says its length and closes after half of it.
    Half,
    /// It goes on for ever.
    Endless,
    /// The connection breaks after this many bytes, each time.
    BreaksAfter(usize),
    /// It takes a while.
    Slow(Duration),
}

struct Shared {
    folder: PathBuf,
    /// By the end of the name.
    lies: Mutex<HashMap<String, Lie>>,
    requests: AtomicU64,
    stop: AtomicBool,
}

/// The server; it stops when it is dropped.
pub struct Web {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl Web {
    pub fn start(folder: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback can be listened on");
        let address = listener.local_addr().expect("it has one");
        let shared = Arc::new(Shared {
            folder,
            lies: Mutex::default(),
            requests: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        });
        let server = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if server.stop.load(Ordering::SeqCst) {
                    return;
                }
                let server = Arc::clone(&server);
                std::thread::spawn(move || {
                    // A client that went away is no fault of the server's.
                    let _ = serve(&server, stream.expect("it came"));
                });
            }
        });
        Self { shared, address }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::SeqCst)
    }

    pub fn lie(&self, name_end: &str, lie: Lie) {
        self.shared.lies.lock().expect("nobody panicked").insert(name_end.to_owned(), lie);
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(shared: &Shared, stream: TcpStream) -> std::io::Result<()> {
    let mut input = BufReader::new(stream.try_clone()?);
    let mut out = stream;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let name = line.split(' ').nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
        let (mut start, mut length) = (0, 0);
        loop {
            let mut header = String::new();
            input.read_line(&mut header)?;
            let header = header.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(number) = header.strip_prefix("content-length: ") {
                length = number.parse().expect("a number");
            }
            if let Some(range) = header.strip_prefix("range: bytes=") {
                start = range.trim_end_matches('-').parse().expect("a number");
            }
        }
        shared.requests.fetch_add(1, Ordering::SeqCst);
        if line.starts_with("PUT ") {
            let mut bytes = vec![0; length];
            std::io::Read::read_exact(&mut input, &mut bytes)?;
            take(shared, &name, &bytes, &mut out)?;
        } else if !answer(shared, &name, start, &mut out)? {
            return Ok(());
        }
    }
}

/// Takes a file that a client sends, unless it lies about that name.
fn take(shared: &Shared, name: &str, bytes: &[u8], out: &mut TcpStream) -> std::io::Result<()> {
    let lies = shared.lies.lock().expect("nobody panicked");
    let is_refused = lies.keys().any(|end| name.ends_with(end.as_str()));
    drop(lies);
    if is_refused {
        return write!(out, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    }
    let path = shared.folder.join(name);
    std::fs::create_dir_all(path.parent().expect("it is below the folder"))?;
    std::fs::write(path, bytes)?;
    write!(out, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
}

/// Whether the connection stays.
fn answer(shared: &Shared, name: &str, start: usize, out: &mut TcpStream) -> std::io::Result<bool> {
    let lies = shared.lies.lock().expect("nobody panicked");
    let lie = lies.iter().find(|(end, _)| name.ends_with(end.as_str())).map(|(_, lie)| lie.clone());
    drop(lies);
    let bytes = std::fs::read(shared.folder.join(name));
    let (status, bytes) = match (&lie, bytes) {
        (Some(Lie::Other(bytes)), _) => ("200 OK", bytes.clone()),
        (Some(Lie::Fails), _) => ("500 Broken", Vec::new()),
        (Some(Lie::Gone), _) | (_, Err(_)) => ("404 Not Found", Vec::new()),
        (_, Ok(bytes)) => ("200 OK", bytes),
    };
    if let Some(Lie::Endless) = lie {
        write!(out, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
        out.write_all(&bytes)?;
        loop {
            out.write_all(&[0; 4096])?;
        }
    }
    let rest = &bytes[start.min(bytes.len())..];
    let length = rest.len();
    if start > 0 {
        let (last, all) = (bytes.len() - 1, bytes.len());
        write!(out, "HTTP/1.1 206 Partial\r\nContent-Range: bytes {start}-{last}/{all}\r\n")?;
    } else {
        write!(out, "HTTP/1.1 {status}\r\n")?;
    }
    write!(out, "Content-Length: {length}\r\n\r\n")?;
    let sent = match lie {
        Some(Lie::Half) => length / 2,
        Some(Lie::BreaksAfter(most)) => length.min(most),
        Some(Lie::Slow(time)) => {
            std::thread::sleep(time);
            length
        }
        _ => length,
    };
    out.write_all(&rest[..sent])?;
    Ok(sent == length)
}
