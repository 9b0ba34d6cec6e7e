//! A table that only grows, read without looking at its length.

/// Rows of one kind, named by the number that [`Table::push`] gave.
pub(crate) struct Table<T>(Vec<T>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// A vector that has room for many rows from the beginning. What lies behind its end takes address space and no memory,
/// while one that grows by doubling is copied each time, and has been there twice.
pub(crate) fn roomy<T>(rows: usize) -> Vec<T> {
    let mut rows_of = Vec::new();
    // Where there is no such room, it grows as others do.
    let _ = rows_of.try_reserve_exact(rows);
    rows_of
}

impl<T: Copy> Table<T> {
    /// A table that has room for many rows from the beginning; see [`roomy`].
    pub(crate) fn roomy(rows: usize) -> Self {
        Self(roomy(rows))
    }

    /// Adds a row; its number.
    pub(crate) fn push(&mut self, row: T) -> u32 {
        self.0.push(row);
        self.0.len() as u32 - 1
    }

    /// Adds rows; the number of the first.
    pub(crate) fn extend(&mut self, rows: &[T]) -> u32 {
        let start = self.0.len() as u32;
        self.0.extend_from_slice(rows);
        start
    }

    /// How many rows there are.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        self.0.len() as u32
    }

    /// The row of a number that this table gave.
    #[inline(always)]
    pub(crate) fn get(&self, row: u32) -> T {
        debug_assert!((row as usize) < self.0.len());
        // SAFETY: numbers of rows come from `push` and `extend` of this very table (the program that the
        // compiler makes names no others), and rows are never removed.
        unsafe { *self.0.get_unchecked(row as usize) }
    }

    /// As `get`, where it lies.
    #[inline(always)]
    pub(crate) fn at(&self, row: u32) -> &T {
        debug_assert!((row as usize) < self.0.len());
        // SAFETY: as in `get`.
        unsafe { self.0.get_unchecked(row as usize) }
    }

    /// Overwrites a row.
    #[inline(always)]
    pub(crate) fn set(&mut self, row: u32, value: T) {
        debug_assert!((row as usize) < self.0.len());
        // SAFETY: as in `get`.
        unsafe { *self.0.get_unchecked_mut(row as usize) = value }
    }

    /// All rows.
    pub(crate) fn rows(&self) -> &[T] {
        &self.0
    }

    /// All rows, to be overwritten.
    pub(crate) fn rows_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}
