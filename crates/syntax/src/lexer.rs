//! From bytes to tokens.
//!
//! The parser asks for one token at a time and says when it reads inside a
//! string, an indented string or a path: the language has other tokens there.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TokenKind {
    End,
    Unknown,
    UnterminatedComment,
    Identifier,
    Int,
    Float,
    /// The first piece of a path; [`Lexer::path_piece`] reads on.
    Path,
    /// `~/...`
    HomePath,
    SearchPath,
    Uri,
    /// `"`
    Quote,
    /// `''` with the spaces and the line break after it
    IndentedQuote,
    /// `${`
    DollarBrace,
    BraceOpen,
    BraceClose,
    BracketOpen,
    BracketClose,
    ParenOpen,
    ParenClose,
    Semicolon,
    Colon,
    Comma,
    Dot,
    Ellipsis,
    At,
    Question,
    Assign,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    AndAnd,
    OrOr,
    Arrow,
    Update,
    Concat,
    Plus,
    Minus,
    Star,
    Slash,
    Bang,
    PipeInto,
    PipeFrom,
    If,
    Then,
    Else,
    Assert,
    With,
    Let,
    In,
    Rec,
    Inherit,
    Or,
}

/// A token: kind, first byte, byte after the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

/// Reads tokens from a text.
#[derive(Clone)]
pub struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    /// A run of path characters that turned out to be no path: what is inside of it is none either.
    no_path: (usize, usize),
    /// A run of characters of a URI's scheme without a colon behind it.
    no_uri: (usize, usize),
}

const IDENT_START: u8 = 1;
const IDENT: u8 = 2;
const PATH: u8 = 4;
const URI: u8 = 8;
const DIGIT: u8 = 16;
const SCHEME: u8 = 32;

static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        let mut class = 0;
        if byte.is_ascii_alphabetic() || byte == b'_' {
            class |= IDENT_START;
        }
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'\'' || byte == b'-' {
            class |= IDENT;
        }
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+') {
            class |= PATH;
        }
        if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.') {
            class |= SCHEME;
        }
        if byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'%' | b'/'
                    | b'?'
                    | b':'
                    | b'@'
                    | b'&'
                    | b'='
                    | b'+'
                    | b'$'
                    | b','
                    | b'-'
                    | b'_'
                    | b'.'
                    | b'!'
                    | b'~'
                    | b'*'
                    | b'\''
            )
        {
            class |= URI;
        }
        if byte.is_ascii_digit() {
            class |= DIGIT;
        }
        table[at] = class;
        at += 1;
    }
    table
}

fn is(byte: u8, class: u8) -> bool {
    CLASS[byte as usize] & class != 0
}

impl<'a> Lexer<'a> {
    /// Starts at the first byte.
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, no_path: (0, 0), no_uri: (0, 0) }
    }

    /// The offset of the next byte that is read.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Goes to an offset.
    pub fn seek(&mut self, at: usize) {
        self.at = at.min(self.text.len());
    }

    pub(crate) fn byte(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    pub(crate) fn text(&self) -> &'a [u8] {
        self.text
    }

    pub(crate) fn at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    fn run(&self, from: usize, class: u8) -> usize {
        let mut at = from;
        while at < self.text.len() && is(self.text[at], class) {
            at += 1;
        }
        at
    }

    /// The first byte of the next token; 0 at the end.
    pub(crate) fn byte_ahead(&self) -> u8 {
        let mut ahead = self.clone();
        ahead.skip_blank();
        ahead.byte(0)
    }

    /// Skips white space and comments; `false` if a comment is not closed.
    fn skip_blank(&mut self) -> bool {
        loop {
            match self.byte(0) {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b'#' => {
                    while self.at < self.text.len() && !matches!(self.text[self.at], b'\n' | b'\r') {
                        self.at += 1;
                    }
                }
                b'/' if self.byte(1) == b'*' => {
                    let start = self.at;
                    self.at += 2;
                    loop {
                        if self.at + 1 >= self.text.len() {
                            self.at = start;
                            return false;
                        }
                        if self.text[self.at] == b'*' && self.text[self.at + 1] == b'/' {
                            break;
                        }
                        self.at += 1;
                    }
                    self.at += 2;
                }
                _ => return true,
            }
        }
    }

    /// The next token outside of strings and paths.
    pub fn token(&mut self) -> Token {
        if !self.skip_blank() {
            let start = self.at as u32;
            self.at = self.text.len();
            return Token { kind: TokenKind::UnterminatedComment, start, end: self.at as u32 };
        }
        let start = self.at;
        let (kind, end) = if start >= self.text.len() {
            (TokenKind::End, start)
        } else {
            let byte = self.text[start];
            if CLASS[byte as usize] & PATH != 0 || byte == b'/' || byte == b'~' {
                self.word(start, byte)
            } else {
                self.operator(start, byte)
            }
        };
        self.at = end;
        Token { kind, start: start as u32, end: end as u32 }
    }

    /// What may be an identifier, number, path or URI.
    fn word(&mut self, start: usize, byte: u8) -> (TokenKind, usize) {
        if byte == b'~' {
            return match self.path_end(start + 1) {
                Some(end) if self.text.get(start + 1) == Some(&b'/') => (TokenKind::HomePath, end),
                _ => (TokenKind::Unknown, start + 1),
            };
        }
        if is(byte, IDENT_START) {
            // Most words are names, and what follows shows that they are nothing longer.
            let end = self.run(start, IDENT);
            if !matches!(self.text.get(end), Some(b'.' | b'+' | b'/' | b':')) {
                return (keyword(&self.text[start..end]), end);
            }
        }
        if !(self.no_path.0..self.no_path.1).contains(&start) {
            let run = self.run(start, PATH);
            if self.text.get(run) == Some(&b'/')
                && let Some(end) = self.path_end(run)
            {
                return (TokenKind::Path, end);
            }
            self.no_path = (start, run);
        }
        if byte.is_ascii_alphabetic()
            && let Some(end) = self.uri_end(start)
        {
            return (TokenKind::Uri, end);
        }
        if is(byte, IDENT_START) {
            let end = self.run(start, IDENT);
            return (keyword(&self.text[start..end]), end);
        }
        if is(byte, DIGIT) || (byte == b'.' && self.text.get(start + 1).is_some_and(u8::is_ascii_digit)) {
            return self.number(start);
        }
        self.operator(start, byte)
    }

    /// The end of a path whose first `/` is at `slash`, if it is one.
    fn path_end(&self, slash: usize) -> Option<usize> {
        let mut at = slash;
        let mut segments = 0;
        loop {
            if self.text.get(at) != Some(&b'/') {
                break;
            }
            let end = self.run(at + 1, PATH);
            if end == at + 1 {
                let interpolated = self.text.get(end) == Some(&b'$') && self.text.get(end + 1) == Some(&b'{');
                if segments > 0 || interpolated {
                    at = end;
                }
                break;
            }
            segments += 1;
            at = end;
        }
        (at > slash).then_some(at)
    }

    fn uri_end(&mut self, start: usize) -> Option<usize> {
        if (self.no_uri.0..self.no_uri.1).contains(&start) {
            return None;
        }
        let colon = self.run(start, SCHEME);
        if self.text.get(colon) != Some(&b':') {
            self.no_uri = (start, colon);
            return None;
        }
        let end = self.run(colon + 1, URI);
        (end > colon + 1).then_some(end)
    }

    fn number(&self, start: usize) -> (TokenKind, usize) {
        let digits = self.run(start, DIGIT);
        let first = self.text[start];
        let dot = self.text.get(digits) == Some(&b'.');
        let fraction = if dot { self.run(digits + 1, DIGIT) } else { digits };
        let plain = dot && first.is_ascii_digit() && first != b'0';
        let short = dot && digits <= start + 1 && (first == b'0' || first == b'.') && fraction > digits + 1;
        if !plain && !short {
            return (TokenKind::Int, digits);
        }
        let mut end = fraction;
        if matches!(self.text.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.text.get(end + 1), Some(b'+' | b'-')));
            let exponent = self.run(end + 1 + sign, DIGIT);
            if exponent > end + 1 + sign {
                end = exponent;
            }
        }
        (TokenKind::Float, end)
    }

    fn operator(&self, start: usize, byte: u8) -> (TokenKind, usize) {
        use TokenKind as K;
        let next = self.text.get(start + 1).copied().unwrap_or(0);
        let two = |kind| (kind, start + 2);
        let one = |kind| (kind, start + 1);
        match (byte, next) {
            (b'"', _) => one(K::Quote),
            (b'\'', b'\'') => (K::IndentedQuote, self.indented_start(start + 2)),
            (b'$', b'{') => two(K::DollarBrace),
            (b'{', _) => one(K::BraceOpen),
            (b'}', _) => one(K::BraceClose),
            (b'[', _) => one(K::BracketOpen),
            (b']', _) => one(K::BracketClose),
            (b'(', _) => one(K::ParenOpen),
            (b')', _) => one(K::ParenClose),
            (b';', _) => one(K::Semicolon),
            (b':', _) => one(K::Colon),
            (b',', _) => one(K::Comma),
            (b'.', b'.') if self.text.get(start + 2) == Some(&b'.') => (K::Ellipsis, start + 3),
            (b'.', _) => one(K::Dot),
            (b'@', _) => one(K::At),
            (b'?', _) => one(K::Question),
            (b'=', b'=') => two(K::Equal),
            (b'=', _) => one(K::Assign),
            (b'!', b'=') => two(K::NotEqual),
            (b'!', _) => one(K::Bang),
            (b'<', b'=') => two(K::LessEqual),
            (b'<', b'|') => two(K::PipeFrom),
            (b'<', _) => self.search_path_end(start).map_or(one(K::Less), |end| (K::SearchPath, end)),
            (b'>', b'=') => two(K::GreaterEqual),
            (b'>', _) => one(K::Greater),
            (b'&', b'&') => two(K::AndAnd),
            (b'|', b'|') => two(K::OrOr),
            (b'|', b'>') => two(K::PipeInto),
            (b'-', b'>') => two(K::Arrow),
            (b'-', _) => one(K::Minus),
            (b'/', b'/') => two(K::Update),
            (b'/', _) => one(K::Slash),
            (b'+', b'+') => two(K::Concat),
            (b'+', _) => one(K::Plus),
            (b'*', _) => one(K::Star),
            _ => one(K::Unknown),
        }
    }

    fn search_path_end(&self, start: usize) -> Option<usize> {
        let mut at = start + 1;
        loop {
            let end = self.run(at, PATH);
            if end == at {
                return None;
            }
            match self.text.get(end) {
                Some(b'/') => at = end + 1,
                Some(b'>') => return Some(end + 1),
                _ => return None,
            }
        }
    }

    /// An indented string drops its first line if that has only spaces.
    fn indented_start(&self, from: usize) -> usize {
        let mut at = from;
        while self.text.get(at) == Some(&b' ') {
            at += 1;
        }
        if self.text.get(at) == Some(&b'\n') { at + 1 } else { from }
    }

    /// The next run of path characters directly after a path or `}`; `None` if the path ends here.
    pub(crate) fn path_piece(&mut self) -> Option<(usize, usize)> {
        let start = self.at;
        let mut at = start;
        loop {
            let end = self.run(at, PATH);
            if self.text.get(end) == Some(&b'/') {
                let after = self.run(end + 1, PATH);
                let interpolated =
                    self.text.get(after) == Some(&b'$') && self.text.get(after + 1) == Some(&b'{');
                if after > end + 1 || end > at || interpolated {
                    at = after;
                    if after == end + 1 {
                        break;
                    }
                    continue;
                }
                at = end;
                break;
            }
            at = end;
            break;
        }
        self.at = at;
        (at > start).then_some((start, at))
    }
}

fn keyword(word: &[u8]) -> TokenKind {
    if word.len() > 7 {
        return TokenKind::Identifier;
    }
    match word {
        b"if" => TokenKind::If,
        b"then" => TokenKind::Then,
        b"else" => TokenKind::Else,
        b"assert" => TokenKind::Assert,
        b"with" => TokenKind::With,
        b"let" => TokenKind::Let,
        b"in" => TokenKind::In,
        b"rec" => TokenKind::Rec,
        b"inherit" => TokenKind::Inherit,
        b"or" => TokenKind::Or,
        _ => TokenKind::Identifier,
    }
}
