//! Labels of parcels.

/// Prints a label.
pub fn label(number: u32) -> String {
    format!("parcel {number}")
}
