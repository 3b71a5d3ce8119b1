//! Values as people write them.

use figment::value::Value;

/// A text from the environment or the command line as the number, truth value, list or text it
/// looks like.
pub(super) fn parse_value(text: &str) -> Value {
    // Parsing cannot fail: what is nothing else is a text.
    text.parse().unwrap_or_else(|_| Value::from(text))
}
