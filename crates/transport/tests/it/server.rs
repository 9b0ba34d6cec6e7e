//! A small HTTP server on loopback that behaves as told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What the server does.
#[derive(Clone, Copy, Debug)]
pub enum Behaviour {
    /// Hands the file out, in ranges too.
    Good,
    /// Hands the file out from its beginning whatever is asked for.
    NoRanges,
    /// Closes each connection after so many bytes.
    BreakAfter(usize),
    /// Has nothing.
    Missing,
    /// Answers with a status.
    Status(u16),
    /// Answers with status 500 so many times, then hands the file out.
    FailFirst(u64),
}

struct Shared {
    bytes: Vec<u8>,
    behaviour: Behaviour,
    requests: AtomicU64,
    sent: AtomicU64,
    stop: AtomicBool,
    heads: Mutex<String>,
}

/// The server; it stops when it is dropped.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl Server {
    pub fn start(bytes: Vec<u8>, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback can be listened on");
        let address = listener.local_addr().expect("it has one");
        let shared = Arc::new(Shared {
            bytes,
            behaviour,
            requests: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            heads: Mutex::new(String::new()),
        });
        let server = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if server.stop.load(Ordering::SeqCst) {
                    return;
                }
                let server = Arc::clone(&server);
                std::thread::spawn(move || serve(&server, stream.expect("it came")));
            }
        });
        Self { shared, address }
    }

    pub fn address(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::SeqCst)
    }

    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }

    pub fn heads(&self) -> String {
        self.shared.heads.lock().expect("nobody panicked").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// Answers the requests of one connection; a client that goes away ends it.
fn serve(shared: &Shared, stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let mut start = 0;
        let mut head = String::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(range) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
                start = range.split('-').next().and_then(|n| n.trim().parse().ok()).unwrap_or(0);
            }
            head.push_str(&line);
            if line == "\r\n" {
                break;
            }
        }
        shared.heads.lock().expect("nobody panicked").push_str(&head);
        if head.starts_with("CONNECT") {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
            continue;
        }
        let count = shared.requests.fetch_add(1, Ordering::SeqCst) + 1;
        answer(shared, &mut stream, start, count)?;
    }
}

fn answer(shared: &Shared, stream: &mut TcpStream, start: usize, count: u64) -> Option<()> {
    let status = match shared.behaviour {
        Behaviour::Missing => 404,
        Behaviour::Status(status) => status,
        Behaviour::FailFirst(failures) if count <= failures => 500,
        _ => 200,
    };
    if status != 200 {
        return stream
            .write_all(format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n").as_bytes())
            .ok();
    }
    let start = if matches!(shared.behaviour, Behaviour::NoRanges) { 0 } else { start };
    let total = shared.bytes.len();
    if start >= total {
        return stream.write_all(b"HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n").ok();
    }
    let length = total - start;
    let head = if start == 0 {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")
    } else {
        format!(
            "HTTP/1.1 206 Part\r\nContent-Length: {length}\r\nContent-Range: bytes {start}-{}/{total}\r\n\r\n",
            total - 1
        )
    };
    stream.write_all(head.as_bytes()).ok()?;
    let end = match shared.behaviour {
        Behaviour::BreakAfter(count) => total.min(start + count),
        _ => total,
    };
    shared.sent.fetch_add((end - start) as u64, Ordering::SeqCst);
    stream.write_all(&shared.bytes[start..end]).ok()?;
    if end < total {
        return None;
    }
    Some(())
}
