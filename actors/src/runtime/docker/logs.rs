//! The last lines of a container's output, as far as the engine still has them.

use bollard::{Docker as Client, query_parameters::LogsOptionsBuilder};
use futures_util::StreamExt;

use super::connect::{QUICK, failed, is_absent, within};
use crate::runtime::{Error, lines::last_lines};

/// How much is read at most, and how much of that is kept: the end.
const MAX_READ_BYTES: usize = 64 * 1024 * 1024;
const MAX_KEPT_BYTES: usize = 1024 * 1024;

/// Reads the last lines, standard output and error together.
pub(super) async fn tail(client: &Client, id: &str, num_lines: usize) -> Result<Vec<String>, Error> {
    let options = LogsOptionsBuilder::default()
        .stdout(true)
        .stderr(true)
        .tail(&num_lines.to_string())
        .build();
    let read = async {
        let mut chunks = client.logs(id, Some(options));
        let (mut output, mut num_read) = (Vec::new(), 0);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?.into_bytes();
            num_read += chunk.len();
            output.extend_from_slice(&chunk);
            if output.len() > 2 * MAX_KEPT_BYTES {
                output.drain(..output.len() - MAX_KEPT_BYTES);
            }
            if num_read > MAX_READ_BYTES {
                break;
            }
        }
        Ok(output)
    };
    match within(QUICK, read).await {
        Ok(output) => Ok(last_lines(&output, num_lines)),
        Err(cause) if is_absent(&cause) => Ok(Vec::new()),
        Err(cause) => Err(failed(cause)),
    }
}
