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
    let mut digits = vec![0; encoded_length(bytes.len())];
    encode_into(bytes, &mut digits);
    String::from_utf8(digits).unwrap_or_default()
}

/// Encodes bytes into as many digits as they take.
pub(crate) fn encode_into(bytes: &[u8], digits: &mut [u8]) {
    // Five bits at a time, from the first byte on; the first digits are written last. Five bytes are eight digits.
    let (chunks, rest) = bytes.as_chunks::<5>();
    let (head, tail) = digits.split_at_mut(digits.len().saturating_sub(8 * chunks.len()));
    for ([a, b, c, d, e], digits) in chunks.iter().zip(tail.rchunks_exact_mut(8)) {
        let bits = u64::from_le_bytes([*a, *b, *c, *d, *e, 0, 0, 0]);
        for (n, digit) in digits.iter_mut().rev().enumerate() {
            *digit = ALPHABET[(bits >> (5 * n) & 31) as usize];
        }
    }
    let (mut bits, mut count, mut rest) = (0u32, 0, rest.iter());
    for digit in head.iter_mut().rev() {
        if count < 5 {
            bits |= u32::from(rest.next().copied().unwrap_or(0)) << count;
            count += 8;
        }
        *digit = ALPHABET[(bits & 31) as usize];
        bits >>= 5;
        count -= 5;
    }
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
    VALUES[usize::from(character)] < 32
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
