//! What `deploy/` offers works: the image, the compose file and the systemd unit.

mod compose;
mod image;
mod unit;
