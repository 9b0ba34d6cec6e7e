//! Zip archives: read by their central directory, since only it tells modes and links.

use super::tree::Target;
use crate::fetchers::error::Error;
use std::fs::File;
use std::io::{BufReader, Read, Seek as _, SeekFrom};

const DIRECTORY_END: &[u8] = b"PK\x05\x06";
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";
const LOCAL_ENTRY: &[u8] = b"PK\x03\x04";
const LONGEST_END: u64 = 22 + 65_535;
const UNIX: u8 = 3;
const LINK_LIMIT: u64 = 4096;

struct Entry {
    name: Vec<u8>,
    mode: u32,
    seconds: u64,
    method: u16,
    packed: u64,
    size: u64,
    offset: u64,
}

fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + width)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

pub(super) fn unpack(file: &mut File, target: &mut Target<'_>) -> Result<(), Error> {
    let failed = |target: &Target<'_>, error: std::io::Error| target.wrong(error.to_string());
    let directory = read_directory(file).map_err(|error| failed(target, error))?;
    let entries = parse(&directory).ok_or_else(|| target.wrong("its directory is malformed"))?;
    for entry in entries {
        target.newest = target.newest.max(entry.seconds);
        if entry.name.ends_with(b"/") || entry.mode & 0o170_000 == 0o040_000 {
            target.folder(&entry.name)?;
            continue;
        }
        let mut contents = open(file, &entry).map_err(|error| failed(target, error))?;
        match entry.mode & 0o170_000 {
            0o120_000 => {
                let mut link = Vec::new();
                let read = contents.take(LINK_LIMIT).read_to_end(&mut link);
                read.map_err(|error| failed(target, error))?;
                target.link(&entry.name, &link)?;
            }
            0 | 0o100_000 => target.file(&entry.name, entry.mode & 0o100 != 0, &mut contents)?,
            _ => {
                let shown = String::from_utf8_lossy(&entry.name);
                return Err(target.wrong(format!("`{shown}` is neither file, folder nor link")));
            }
        }
    }
    Ok(())
}

fn malformed(why: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, why.to_owned())
}

/// The bytes of the central directory.
fn read_directory(file: &mut File) -> std::io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(LONGEST_END);
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    Read::by_ref(file).take(LONGEST_END).read_to_end(&mut end)?;
    let at = end.windows(4).rposition(|window| window == DIRECTORY_END);
    let at = at.ok_or_else(|| malformed("it has no directory"))?;
    let size = number(&end, at + 12, 4).ok_or_else(|| malformed("it ends early"))?;
    let offset = number(&end, at + 16, 4).ok_or_else(|| malformed("it ends early"))?;
    if size == 0xffff_ffff || offset == 0xffff_ffff {
        return Err(malformed("it is larger than 4 GiB"));
    }
    if offset + size > length {
        return Err(malformed("its directory lies outside"));
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut directory = Vec::new();
    Read::by_ref(file).take(size).read_to_end(&mut directory)?;
    Ok(directory)
}

fn parse(directory: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut rest = directory;
    while rest.starts_with(DIRECTORY_ENTRY) {
        let field = |at: usize, width: usize| number(rest, at, width);
        let (name_length, extra, comment) = (field(28, 2)?, field(30, 2)?, field(32, 2)?);
        let made_on = *rest.get(5)?;
        let name = rest.get(46..46 + name_length as usize)?.to_vec();
        let mode = if made_on == UNIX { (field(38, 4)? >> 16) as u32 } else { 0 };
        entries.push(Entry {
            name,
            mode,
            seconds: seconds(field(12, 2)?, field(14, 2)?),
            method: field(10, 2)? as u16,
            packed: field(20, 4)?,
            size: field(24, 4)?,
            offset: field(42, 4)?,
        });
        rest = rest.get((46 + name_length + extra + comment) as usize..)?;
    }
    Some(entries)
}

/// Seconds since 1970 of a date and time as MS-DOS writes them.
fn seconds(time: u64, date: u64) -> u64 {
    let (year, month, day) = (1980 + (date >> 9), (date >> 5 & 15).max(1), (date & 31).max(1));
    let (shifted_year, shifted_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = shifted_year * 365 + shifted_year / 4 - shifted_year / 100
        + shifted_year / 400
        + (shifted_month * 153 + 2) / 5
        + day
        - 1;
    (days - 719_468) * 86_400 + (time >> 11) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2
}

fn open<'f>(file: &'f mut File, entry: &Entry) -> std::io::Result<Box<dyn Read + 'f>> {
    file.seek(SeekFrom::Start(entry.offset))?;
    let mut head = [0; 30];
    file.read_exact(&mut head)?;
    let lengths = number(&head, 26, 2).zip(number(&head, 28, 2)).filter(|_| head.starts_with(LOCAL_ENTRY));
    let (name, extra) = lengths.ok_or_else(|| malformed("an entry is malformed"))?;
    file.seek(SeekFrom::Start(entry.offset + 30 + name + extra))?;
    let packed = BufReader::new(file.take(entry.packed));
    match entry.method {
        0 => Ok(Box::new(packed)),
        8 => Ok(Box::new(flate2::bufread::DeflateDecoder::new(packed).take(entry.size))),
        _ => Err(malformed("an entry is packed by a method that is not known")),
    }
}
