//! The form of a catalogue entry.

/// What the documentation says about one code.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The code, such as `NV0101`: the first two digits name the crate that raises it.
    pub code: &'static str,
    /// One lower-case line without a final period.
    pub title: &'static str,
    /// The page that `nival explain CODE` shows, in Markdown: why it happens and how to mend it.
    pub page: &'static str,
    /// What brings the code about; a test runs it.
    pub example: Example,
}

/// What brings a code about.
#[derive(Debug, PartialEq, Eq)]
pub enum Example {
    /// An expression of the language whose evaluation ends in the code.
    Expression(&'static str),
    /// A machine's configuration whose evaluation ends in the code.
    Configuration(&'static str),
    /// A situation outside of the language, in words, with the name of the test that makes it.
    Situation {
        /// What happened, as a user would tell it.
        story: &'static str,
        /// The test function that makes it happen.
        test: &'static str,
    },
}
