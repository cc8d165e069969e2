//! Browsers of other sites, proxies in between, limits, and HTTPS.

use std::{fs, path::Path, process::Stdio};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::{Client, Method, tls::TlsInfo};
use serde_json::json;

use super::{TOKEN, address, raw};
use crate::support::{Answer, Runtime, Setup, World, eventually, free_port, install_tls_provider};

const ORIGIN: &str = "https://board.example";

fn handshake(world: &World, origin: &str) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nOrigin: {origin}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        address(world)
    )
}

#[tokio::test]
async fn pages_of_listed_origins_may_and_others_may_not() {
    let setup = Setup::new(Runtime::Process).token(TOKEN);
    let world = setup.variable("BORGOS_CORS_ORIGINS", ORIGIN).start().await;
    let ask = async |method: Method, origin: &str| {
        let request = world.request(method, "/api/v1/projects").header("origin", origin);
        Answer::to(request.header("access-control-request-method", "POST"))
            .await
            .unwrap()
    };
    let preflight = world.with(None).request(Method::OPTIONS, "/api/v1/projects");
    let preflight = preflight
        .header("origin", ORIGIN)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type");
    let preflight = Answer::to(preflight).await.unwrap();
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), ORIGIN);
    assert!(preflight.header("access-control-allow-methods").contains("POST"));
    assert!(
        preflight
            .header("access-control-allow-headers")
            .contains("Authorization")
    );

    let listed = ask(Method::GET, ORIGIN).await;
    assert_eq!(listed.header("access-control-allow-origin"), ORIGIN);
    assert!(listed.header("access-control-expose-headers").contains("X-Total-Count"));
    assert_eq!(listed.header("access-control-allow-credentials"), "");
    listed.expect(200);
    assert_eq!(ask(Method::POST, ORIGIN).await.status, 415, "only its body is wrong");
    assert!(
        raw(&world, &handshake(&world, ORIGIN))
            .await
            .starts_with("HTTP/1.1 101")
    );

    for other in ["https://evil.example", "https://board.example.evil", "null"] {
        let answer = ask(Method::GET, other).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{other}");
        assert_eq!(answer.header("vary"), "origin");
        ask(Method::POST, other).await.expect(403);
        assert!(raw(&world, &handshake(&world, other)).await.starts_with("HTTP/1.1 403"));
    }
    world.close().await;
}

#[tokio::test]
async fn every_answer_forbids_what_a_page_of_another_site_could_do_with_it() {
    let world = Setup::new(Runtime::Process).start().await;
    for path in ["/health", "/api/v1/projects", "/no/such/path"] {
        let answer = world.get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-resource-policy", "same-origin"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
    }
    world.close().await;
}

#[tokio::test]
async fn a_trusted_proxy_tells_who_the_client_is() {
    let setup = Setup::new(Runtime::Process).token(TOKEN);
    let world = setup.variable("BORGOS_TRUSTED_PROXIES", "127.0.0.1/32").start().await;
    let wrong = world.with(Some("Bearer wrong"));
    let status = async |header: (&'static str, &str)| {
        let request = wrong
            .request(Method::GET, "/api/v1/projects")
            .header(header.0, header.1);
        Answer::to(request).await.unwrap().status
    };
    for _ in 0..20 {
        assert_eq!(status(("x-forwarded-for", "203.0.113.9, 192.0.2.7")).await, 401);
    }
    assert_eq!(status(("x-forwarded-for", "203.0.113.10, 192.0.2.7")).await, 429);
    assert_eq!(
        status(("forwarded", "for=192.0.2.8;proto=https")).await,
        401,
        "another client"
    );
    let logins = world.get("/api/v1/audit?action=auth.login&limit=2").await.expect(200);
    assert_eq!(logins[0]["source_address"], "192.0.2.8");
    assert_eq!(logins[1]["source_address"], "192.0.2.7");

    // Who is no trusted proxy may claim what they like.
    let stranger = wrong.from([127, 0, 0, 5]);
    let request = stranger.request(Method::GET, "/api/v1/projects");
    let answer = Answer::to(request.header("x-forwarded-for", "192.0.2.7"))
        .await
        .unwrap();
    assert_eq!(answer.status, 401);
    let logins = world.get("/api/v1/audit?action=auth.login&limit=1").await.expect(200);
    assert_eq!(logins[0]["source_address"], "127.0.0.5");
    world.close().await;
}

#[tokio::test]
async fn a_token_may_have_a_limit_of_its_own() {
    let setup = Setup::new(Runtime::Process).token(TOKEN);
    let world = setup.variable("BORGOS_RATE_LIMIT", "60/1000").start().await;
    let limit = json!({"per_minute": 1, "burst": 2});
    let body = json!({"name": "slow", "scope": "read", "rate_limit": limit});
    let created = world.post("/api/v1/tokens", &body).await.expect(201);
    assert_eq!(created["rate_limit"], limit);
    let bearer = format!("Bearer {}", created["token"].as_str().unwrap());
    let slow = world.with(Some(&bearer));
    let first = slow.get("/api/v1/projects").await;
    assert_eq!(first.header("x-ratelimit-limit"), "1");
    assert_eq!(
        first.header("ratelimit-policy"),
        "\"default\";q=1;w=60, \"burst\";q=2;w=120"
    );
    assert_eq!(first.header("ratelimit"), "\"burst\";r=1;t=60");
    slow.get("/api/v1/projects").await.expect(200);
    assert_eq!(slow.get("/api/v1/projects").await.expect(429)["code"], "RATE_LIMITED");
    world.get("/api/v1/projects").await.expect(200);
    world.close().await;
}

/// Writes a certificate and its key, and returns what a client sees of it.
fn write_pair(directory: &Path) -> Vec<u8> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(directory.join("key.pem"), signing_key.serialize_pem()).unwrap();
    fs::write(directory.join("cert.pem"), cert.pem()).unwrap();
    cert.der().to_vec()
}

/// Asks over a new connection; returns the certificate, if there was an answer.
async fn look(url: &str) -> Result<Vec<u8>, String> {
    install_tls_provider();
    let client = Client::builder()
        .no_proxy()
        .tls_danger_accept_invalid_certs(true)
        .tls_info(true)
        .build()
        .unwrap();
    let answer = client.get(format!("{url}/health")).send().await;
    let answer = answer.map_err(|error| format!("{error:?}"))?;
    let info = answer.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
    Ok(info.unwrap().to_vec())
}

/// Returns which version of HTTP is agreed on.
async fn version(url: &str) -> String {
    let mut command = tokio::process::Command::new("curl");
    command.args([
        "--silent",
        "--insecure",
        "--http2",
        "--noproxy",
        "*",
        "--output",
        "/dev/null",
    ]);
    command.args(["--write-out", "%{http_version}", &format!("{url}/health")]);
    String::from_utf8(command.output().await.unwrap().stdout).unwrap()
}

#[tokio::test]
async fn https_takes_a_new_certificate_without_a_restart() {
    let mut world = Setup::new(Runtime::Process).start().await;
    world.terminate().await;
    let files = tempfile::tempdir().unwrap();
    let first = write_pair(files.path());
    let port = free_port();
    let mut command = world.command();
    command
        .env("BORGOS_LISTEN", format!("127.0.0.1:{port}"))
        .env("BORGOS_TLS_CERT", files.path().join("cert.pem"))
        .env("BORGOS_TLS_KEY", files.path().join("key.pem"))
        .stderr(Stdio::piped());
    let mut server = command.spawn().unwrap();
    let url = format!("https://127.0.0.1:{port}");
    assert_eq!(eventually("it speaks HTTPS", async || look(&url).await).await, first);
    assert_eq!(version(&url).await, "2");
    assert!(
        look(&url.replace("https", "http")).await.is_err(),
        "clear text is not answered"
    );

    let second = write_pair(files.path());
    let is_in_use = async |wanted: &Vec<u8>| match look(&url).await {
        Ok(seen) if seen == *wanted => Ok(()),
        other => Err(other.map(|_| "another certificate")),
    };
    eventually("the new certificate is in use", async || is_in_use(&second).await).await;

    fs::write(files.path().join("key.pem"), "no key").unwrap();
    let mut log = tokio::io::BufReader::new(server.stderr.take().unwrap());
    wait_for_line(&mut log, "the one before it stays in use").await;
    is_in_use(&second).await.unwrap();
    server.kill().await.unwrap();
    world.boot().await;
    world.close().await;
}

async fn wait_for_line(log: &mut (impl tokio::io::AsyncBufRead + Unpin), text: &str) {
    use tokio::io::AsyncBufReadExt;
    let mut line = String::new();
    let found = async {
        while !line.contains(text) {
            line.clear();
            assert_ne!(log.read_line(&mut line).await.unwrap(), 0, "the log ended");
        }
    };
    let deadline = std::time::Duration::from_secs(30);
    tokio::time::timeout(deadline, found)
        .await
        .expect("the line is written");
}
