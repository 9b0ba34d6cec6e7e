//! A value in eight bytes: five bits of tag, 27 bits of detail, a 32-bit handle.
//!
//! ```text
//! 63            32 31          5 4   0
//! | handle        | detail      | tag |
//! ```
//!
//! Small integers take the upper 59 bits. A closure is its code and its frame,
//! so making one allocates nothing; a delayed expression is the same with
//! another tag, and lives in the very slot that its value will take.

use crate::heap::Handle;

/// A value, forced or not; a handle into its evaluator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value(u64);

pub(crate) const TAG_BITS: u32 = 5;
const TAG_MASK: u64 = (1 << TAG_BITS) - 1;
/// The largest detail that fits.
pub(crate) const MAX_DETAIL: u32 = (1 << 27) - 1;

/// The lowest five bits.
pub(crate) mod tag {
    pub(crate) const NULL: u64 = 0;
    pub(crate) const BOOL: u64 = 1;
    pub(crate) const INT: u64 = 2;
    /// An integer that needs a word of its own.
    pub(crate) const WIDE_INT: u64 = 3;
    pub(crate) const FLOAT: u64 = 4;
    /// Detail: context.
    pub(crate) const STRING: u64 = 5;
    pub(crate) const PATH: u64 = 6;
    /// Detail: length; handle: first element.
    pub(crate) const LIST: u64 = 7;
    pub(crate) const ATTRS: u64 = 8;
    /// Detail: function; handle: frame.
    pub(crate) const LAMBDA: u64 = 9;
    /// Detail: function; handle: its frame and the number of arguments so far, then those.
    pub(crate) const PARTIAL: u64 = 11;
    /// Detail: native function; handle: count word and arguments so far, or 0.
    pub(crate) const NATIVE: u64 = 10;
    /// The first tag of what is not forced.
    pub(crate) const DELAYED: u64 = 16;
    /// Detail: node; handle: frame.
    pub(crate) const THUNK: u64 = 16;
    /// Handle: the slot that holds the value.
    pub(crate) const REF: u64 = 17;
    /// Detail: number of arguments; handle: function, then arguments.
    pub(crate) const CALL: u64 = 18;
    /// Detail: native lazy value; handle: count word and captures.
    pub(crate) const LAZY: u64 = 19;
    /// Being forced right now.
    pub(crate) const BLACKHOLE: u64 = 20;
    /// A function applied to an element of a list, to name and value of an attribute, or to a number. Detail: which one;
    /// handle: the function, then the list, the set, or `null`.
    pub(crate) const MAPPED: u64 = 21;
}

/// The kind of a forced value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Null,
    Bool,
    Int,
    Float,
    String,
    Path,
    List,
    Attrs,
    Function,
}

impl Value {
    /// `null`
    pub const NULL: Self = Self(tag::NULL);
    /// `true`
    pub const TRUE: Self = Self(tag::BOOL | (1 << TAG_BITS));
    /// `false`
    pub const FALSE: Self = Self(tag::BOOL);
    pub(crate) const BLACKHOLE: Self = Self(tag::BLACKHOLE);

    /// `true` or `false`
    #[inline]
    pub const fn bool(value: bool) -> Self {
        if value { Self::TRUE } else { Self::FALSE }
    }

    #[inline]
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    #[inline]
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) const fn new(tag: u64, detail: u32, handle: Handle) -> Self {
        Self(tag | ((detail as u64) << TAG_BITS) | ((handle as u64) << 32))
    }

    #[inline]
    pub(crate) const fn tag(self) -> u64 {
        self.0 & TAG_MASK
    }

    #[inline]
    pub(crate) const fn detail(self) -> u32 {
        (self.0 as u32) >> TAG_BITS
    }

    #[inline]
    pub(crate) const fn handle(self) -> Handle {
        (self.0 >> 32) as Handle
    }

    /// A small integer, if it fits.
    #[inline]
    pub(crate) const fn small_int(value: i64) -> Option<Self> {
        let shifted = value << TAG_BITS;
        if shifted >> TAG_BITS == value { Some(Self(shifted as u64 | tag::INT)) } else { None }
    }

    #[inline]
    pub(crate) const fn as_small_int(self) -> i64 {
        (self.0 as i64) >> TAG_BITS
    }

    #[inline]
    pub(crate) const fn is_delayed(self) -> bool {
        self.tag() >= tag::DELAYED
    }

    /// Delayed, and not yet in a slot of its own.
    #[inline]
    pub(crate) const fn is_raw_delayed(self) -> bool {
        self.tag() >= tag::DELAYED && self.tag() != tag::REF
    }

    #[inline]
    pub(crate) const fn reference(slot: Handle) -> Self {
        Self::new(tag::REF, 0, slot)
    }

    #[inline]
    pub(crate) const fn list(first: Handle, len: usize) -> Self {
        Self::new(tag::LIST, len as u32, first)
    }

    /// Whether a forced value refers to nothing from a mark of the heap on.
    #[inline]
    pub(crate) const fn is_older_than(self, mark: usize) -> bool {
        self.tag() <= tag::INT || (self.handle() as usize) < mark
    }

    /// A list with elements. Printing tells such lists apart by the slot that holds
    /// them, as C++ Nix does, so they are referred to and not copied.
    #[inline]
    pub(crate) const fn is_filled_list(self) -> bool {
        self.tag() == tag::LIST && self.detail() > 0
    }

    #[inline]
    pub(crate) const fn attrs(at: Handle) -> Self {
        Self::new(tag::ATTRS, 0, at)
    }

    #[inline]
    pub(crate) const fn is_attrs(self) -> bool {
        self.tag() == tag::ATTRS
    }

    #[inline]
    pub(crate) const fn is_string(self) -> bool {
        self.tag() == tag::STRING
    }

    /// The kind; `None` while delayed.
    pub(crate) const fn known_kind(self) -> Option<Kind> {
        Some(match self.tag() {
            tag::NULL => Kind::Null,
            tag::BOOL => Kind::Bool,
            tag::INT | tag::WIDE_INT => Kind::Int,
            tag::FLOAT => Kind::Float,
            tag::STRING => Kind::String,
            tag::PATH => Kind::Path,
            tag::LIST => Kind::List,
            tag::ATTRS => Kind::Attrs,
            tag::LAMBDA | tag::PARTIAL | tag::NATIVE => Kind::Function,
            _ => return None,
        })
    }
}
