//! Nix's base 32: its own alphabet, digits from the last bits to the first.

const ALPHABET: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";

/// How many characters `bytes` bytes take.
pub const fn encoded_length(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes * 8 - 1) / 5 + 1 }
}

/// What a digit stands for; `None` for characters that are none.
pub const fn value(digit: u8) -> Option<u8> {
    let value = VALUES[digit as usize];
    if value < 32 { Some(value) } else { None }
}

const VALUES: [u8; 256] = {
    let mut values = [255; 256];
    let mut n = 0;
    while n < 32 {
        values[ALPHABET[n] as usize] = n as u8;
        n += 1;
    }
    values
};

/// Encodes bytes.
pub fn encode(bytes: &[u8]) -> String {
    let digit = |n: usize| {
        let (byte, bit) = (n * 5 / 8, n * 5 % 8);
        let low = bytes.get(byte).copied().unwrap_or(0) >> bit;
        let high = bytes.get(byte + 1).copied().map_or(0, |b| if bit > 3 { b << (8 - bit) } else { 0 });
        char::from(ALPHABET[usize::from((low | high) & 31)])
    };
    let mut text = String::with_capacity(encoded_length(bytes.len()));
    (0..encoded_length(bytes.len())).rev().for_each(|n| text.push(digit(n)));
    text
}

/// Decodes characters into exactly `length` bytes; `None` where a character is foreign or bits are left over.
pub fn decode(text: &str, length: usize) -> Option<Vec<u8>> {
    if text.len() != encoded_length(length) {
        return None;
    }
    let mut bytes = vec![0u8; length];
    for (n, character) in text.bytes().rev().enumerate() {
        let value = ALPHABET.iter().position(|c| *c == character)? as u8;
        let (byte, bit) = (n * 5 / 8, n * 5 % 8);
        if byte < length {
            bytes[byte] |= value << bit;
        }
        let carry = if bit > 3 { value >> (8 - bit) } else { 0 };
        match bytes.get_mut(byte + 1) {
            Some(next) => *next |= carry,
            None if carry != 0 => return None,
            None => {}
        }
    }
    Some(bytes)
}

/// Tells whether a character belongs to the alphabet.
pub fn is_digit(character: u8) -> bool {
    matches!(character, b'0'..=b'9' | b'a'..=b'd' | b'f'..=b'n' | b'p'..=b's' | b'v'..=b'z')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_nix_hash() {
        let sha256_of_abc: [u8; 32] = [
            0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
            0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
        ];
        let text = encode(&sha256_of_abc);
        assert_eq!(text, "1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s");
        assert_eq!(decode(&text, 32).unwrap(), sha256_of_abc);
        assert_eq!(decode("z", 0), None);
        assert_eq!(decode("zz", 1), None);
        assert!((0..=u8::MAX).all(|byte| is_digit(byte) == ALPHABET.contains(&byte)));
    }
}
