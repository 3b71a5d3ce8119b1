//! x
pub(crate) fn page(_: &super::Report) -> String {
    String::new()
}
