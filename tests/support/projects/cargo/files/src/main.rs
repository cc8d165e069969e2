//! Serves the way of a parcel.

mod route;

fn main() {
    // TODO: read the port from the environment
    println!("{}", labels::label(route::first()));
}
