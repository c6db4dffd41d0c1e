//! What can be wrong with the facts.

/// Why a data file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Not TOML, or a key that this section does not have.
    #[error("the data is not as it should be")]
    Format(#[from] toml::de::Error),
    /// A pattern that is no regular expression.
    #[error("the pattern of rule {rule} is not valid")]
    Pattern {
        /// The rule's name.
        rule: String,
        /// What is wrong with it.
        #[source]
        source: Box<regex::Error>,
    },
    /// Anything else that contradicts itself.
    #[error("{0}")]
    Contradiction(String),
}
