//! Integration tests of BorgOS, linked into one binary: a second one would cost another 100 MB of linking.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod support;
