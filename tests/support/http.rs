//! The HTTP client of the tests.

use std::{net::IpAddr, sync::Once, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{
    Client, Method, RequestBuilder,
    header::{AUTHORIZATION, HeaderMap},
};
use serde_json::Value;

/// No answer takes longer, not even one that the server computes on a busy machine.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// What a server said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body as it came.
    pub(crate) text: String,
    /// The body, or null when it is empty or no JSON.
    pub(crate) json: Value,
}

impl Answer {
    /// Sends the request and reads the whole answer.
    pub(crate) async fn to(request: RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Self {
            status,
            headers,
            text,
            json,
        })
    }

    /// Returns the body if the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "unexpected answer: {}", self.text);
        self.json
    }

    /// Returns a header as text, empty when it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("a header of visible characters"))
    }
}

/// Talks to one server.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    base_url: String,
    client: Client,
    authorization: Option<String>,
}

/// Installs what every client needs, TLS or not, once for all of this process.
pub(crate) fn install_tls_provider() {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .expect("no other TLS provider is installed");
    });
}

fn client(address: Option<IpAddr>) -> Client {
    install_tls_provider();
    Client::builder()
        .no_proxy()
        .timeout(ANSWER_TIMEOUT)
        .local_address(address)
        .build()
        .expect("a client without options")
}

impl Http {
    /// Makes a client for the server at `base_url` that sends `token`, if there is one, with each request.
    pub(crate) fn new(base_url: &str, token: Option<&str>) -> Self {
        Self {
            base_url: base_url.to_owned(),
            client: client(None),
            authorization: token.map(|token| format!("Bearer {token}")),
        }
    }

    /// The same server, asked with another `Authorization`.
    pub(crate) fn with(&self, authorization: Option<&str>) -> Self {
        Self {
            authorization: authorization.map(str::to_owned),
            ..self.clone()
        }
    }

    /// The same server, asked by a user.
    pub(crate) fn with_password(&self, name: &str, password: &str) -> Self {
        let pair = STANDARD.encode(format!("{name}:{password}"));
        self.with(Some(&format!("Basic {pair}")))
    }

    /// The same server, asked from this address of the loopback.
    pub(crate) fn from(&self, address: [u8; 4]) -> Self {
        Self {
            client: client(Some(address.into())),
            ..self.clone()
        }
    }

    /// Begins a request, for those that need more than a JSON body.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base_url));
        match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        }
    }

    /// Sends a request; fails when no answer came.
    pub(crate) async fn try_send(&self, method: Method, path: &str, body: Option<&Value>) -> reqwest::Result<Answer> {
        let request = self.request(method, path);
        Answer::to(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.try_send(method, path, body)
            .await
            .unwrap_or_else(|error| panic!("no answer from {path}: {error:?}"))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Posts without a body.
    pub(crate) async fn post_nothing(&self, path: &str) -> Answer {
        self.send(Method::POST, path, None).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }
}
