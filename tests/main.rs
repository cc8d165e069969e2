//! Integration tests of BorgOS, linked into one binary.
