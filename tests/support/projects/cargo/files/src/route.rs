//! Ways of parcels.

pub fn first() -> u32 {
    let stops = [1, 2, 3;
    stops[0]
}
