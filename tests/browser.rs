//! The dashboard in a real Chromium, as a person uses it. Pictures of all pages are left in `target/browser`.

mod keyboard;
mod live;
mod pages;
mod scene;
mod signing_in;
