//! What `borgos serve` refuses to start with.

use std::{fs, process::Output};

use tempfile::TempDir;

use crate::support::{Runtime, Setup, free_port, program};

/// Starts a server that is expected to end by itself, with these arguments and this configuration file.
async fn serve(arguments: &[&str], file: &str) -> Output {
    let root = TempDir::with_prefix("borgos-startup-").unwrap();
    fs::write(root.path().join("borgos.toml"), file).unwrap();
    let mut command = program();
    command.arg("serve").args(arguments).env("BORGOS_DATA_DIR", root.path());
    let output = command.output().await.unwrap();
    assert!(
        !root.path().join("borgos.db").exists(),
        "it began to work before it refused"
    );
    output
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn listening_for_others_without_a_token_is_refused_with_advice() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8081"] {
        let output = serve(&["--listen", listen], "").await;
        assert_eq!(output.status.code(), Some(2), "{listen}");
        let text = complaint(&output);
        assert!(text.contains("BORGOS_TOKEN") && text.contains("openssl rand"), "{text}");
    }
}

#[tokio::test]
async fn a_token_that_can_be_guessed_is_refused() {
    let root = TempDir::new().unwrap();
    for token in ["", "short", "with a space in it 123456"] {
        let mut command = program();
        command.env("BORGOS_DATA_DIR", root.path()).env("BORGOS_TOKEN", token);
        let output = command.output().await.unwrap();
        assert_eq!(output.status.code(), Some(2), "{token:?}");
        let text = complaint(&output);
        assert!(text.contains("BORGOS_TOKEN must have 16 to 512"), "{text}");
        assert!(token.is_empty() || !text.contains(token), "the token was shown: {text}");
    }
}

#[tokio::test]
async fn an_unknown_key_of_the_file_is_refused_by_name() {
    let output = serve(&[], "listen = \"127.0.0.1:0\"\nspeeed = \"high\"\n").await;
    assert_eq!(output.status.code(), Some(2));
    let text = complaint(&output);
    assert!(text.contains("speeed") && text.contains("borgos.toml"), "{text}");
}

#[tokio::test]
async fn a_wrong_value_is_refused_by_name() {
    for (arguments, file, name) in [
        (&["--runtime", "swarm"][..], "", "--runtime"),
        (&["--rate-limit", "many"], "", "--rate-limit"),
        (&["--listen", "here"], "", "--listen"),
        (&[], "rate_limit = \"0/0\"", "rate_limit"),
        (&[], "listen = 8081", "listen"),
        (&[], "listen = ", "borgos.toml"),
    ] {
        let output = serve(arguments, file).await;
        assert_eq!(output.status.code(), Some(2), "{name}");
        let text = complaint(&output);
        assert!(text.contains(name), "{text}");
    }
}

#[tokio::test]
async fn a_second_server_on_one_data_directory_is_told_who_holds_it() {
    let world = Setup::new(Runtime::Process).start().await;
    let mut command = world.command();
    command.env("BORGOS_LISTEN", format!("127.0.0.1:{}", free_port()));
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let lock = fs::read_to_string(world.data_dir().join("borgos.lock")).unwrap();
    let text = complaint(&output);
    assert!(text.contains(&format!("(process {})", lock.trim())), "{text}");
    world.get("/health").await.expect(200);
    world.close().await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let world = Setup::new(Runtime::Process).start().await;
    let other = TempDir::new().unwrap();
    let output = world
        .command()
        .env("BORGOS_DATA_DIR", other.path())
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let address = world.base_url().replace("http://", "");
    let text = complaint(&output);
    assert!(text.contains(&format!("cannot listen on {address}")), "{text}");
    world.close().await;
}
