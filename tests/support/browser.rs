//! A real Chromium, used as a person uses it.

use std::{fmt::Debug, fs, path::PathBuf, process::Stdio, str::FromStr};

use fantoccini::{
    Client, ClientBuilder, Locator,
    actions::{InputSource, KeyAction, KeyActions},
    key::Key,
    wd::WebDriverCompatibleCommand,
};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    sync::{Mutex, MutexGuard},
};

use super::{World, eventually, free_port};

/// A browser needs much memory, so there is one at a time.
static TURN: Mutex<()> = Mutex::const_new(());
/// What Chromium is started with: without a window, as root, and with nothing that makes pictures differ.
const ARGUMENTS: [&str; 6] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-prefers-reduced-motion",
];
/// Where pictures are left for people to look at.
const PICTURES: &str = "target/browser";

/// How large the window is, and whether it is dark.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    pub(crate) name: &'static str,
    pub(crate) theme: &'static str,
    width: u32,
    height: u32,
}

impl Screen {
    pub(crate) const DESKTOP: Self = Self::new("desktop-light", "light", 1360, 1000);
    pub(crate) const ALL: [Self; 4] = [
        Self::DESKTOP,
        Self::new("desktop-dark", "dark", 1360, 1000),
        Self::new("phone-light", "light", 390, 844),
        Self::new("phone-dark", "dark", 390, 844),
    ];

    const fn new(name: &'static str, theme: &'static str, width: u32, height: u32) -> Self {
        Self {
            name,
            theme,
            width,
            height,
        }
    }
}

/// A browser before the dashboard of a world. End it with [`Browser::close`].
#[derive(Debug)]
pub(crate) struct Browser {
    client: Client,
    /// Ends with this value; the browser ends with its driver.
    _driver: Child,
    _profile: TempDir,
    _turn: MutexGuard<'static, ()>,
    base_url: String,
}

/// A command that only Chromium's driver has.
#[derive(Debug)]
struct Vendor {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, <Url as FromStr>::Err> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _request_url: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

impl Browser {
    /// Starts a browser that has not been anywhere.
    pub(crate) async fn open(world: &World) -> Self {
        let turn = TURN.lock().await;
        let profile = TempDir::with_prefix("borgos-browser-").expect("a temporary directory");
        let port = free_port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver can be started");
        let arguments = ARGUMENTS.map(str::to_owned).into_iter();
        let arguments: Vec<String> = arguments
            .chain([format!("--user-data-dir={}", profile.path().display())])
            .collect();
        let wanted = json!({
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let Value::Object(capabilities) = wanted else {
            unreachable!("it is written as an object");
        };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities);
        let client = eventually("the browser is there", async || {
            builder.connect(&format!("http://127.0.0.1:{port}")).await
        })
        .await;
        let browser = Self {
            client,
            _driver: driver,
            _profile: profile,
            _turn: turn,
            base_url: world.base_url(),
        };
        browser.resize(Screen::DESKTOP).await;
        browser
    }

    /// Goes to a page of the dashboard, such as `/projects`, as if it was opened in a new tab.
    ///
    /// Network interfaces come and go while other tests start containers, and Chromium then gives up what it is loading: it
    /// is told to load that again.
    pub(crate) async fn visit(&self, path: &str) {
        let address = format!("{}/#{path}", self.base_url);
        eventually(&format!("{path} is loaded"), async || {
            self.client.goto("about:blank").await.expect("there is a blank page");
            self.client.goto(&address).await.expect("the page can be opened");
            match self.text("main").await {
                Some(_) => Ok(()),
                None => Err(self.complaints().await),
            }
        })
        .await;
    }

    /// Runs a function body in the page and returns what it returns.
    pub(crate) async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        let result = self.client.execute(script, arguments).await;
        result.unwrap_or_else(|error| panic!("a script failed: {error}"))
    }

    /// Runs a function body that calls its last argument with the result.
    pub(crate) async fn run_async(&self, script: &str) -> Value {
        let result = self.client.execute_async(script, Vec::new()).await;
        result.unwrap_or_else(|error| panic!("a script failed: {error}"))
    }

    /// Returns what can be read in the first element that matches; nothing when there is none.
    pub(crate) async fn text(&self, selector: &str) -> Option<String> {
        let script = "return document.querySelector(arguments[0])?.innerText ?? null";
        let text = self.run(script, vec![selector.into()]).await;
        text.as_str().map(str::to_owned)
    }

    /// Waits until this can be read in the first element that matches.
    pub(crate) async fn shows(&self, selector: &str, text: &str) {
        eventually(&format!("`{selector}` shows {text:?}"), async || {
            match self.text(selector).await {
                Some(shown) if shown.contains(text) => Ok(()),
                other => Err(other),
            }
        })
        .await;
    }

    /// Waits until nothing matches any more.
    pub(crate) async fn lacks(&self, selector: &str) {
        eventually(&format!("`{selector}` is gone"), async || {
            self.text(selector).await.map_or(Ok(()), Err)
        })
        .await;
    }

    /// Clicks the first element that matches, as soon as it is there.
    pub(crate) async fn click(&self, selector: &str) {
        self.click_on(Locator::Css(selector)).await;
    }

    /// Clicks the first button with this text, as soon as it is there and can be clicked.
    pub(crate) async fn press(&self, label: &str) {
        self.click_on(Locator::XPath(&format!(
            "//button[normalize-space()='{label}' and not(@disabled)]"
        )))
        .await;
    }

    /// Clicks the button of a row that has this text somewhere in it.
    pub(crate) async fn press_row(&self, text: &str) {
        self.click_on(Locator::XPath(&format!(
            "//*[@data-row]//button[contains(., '{text}')]"
        )))
        .await;
    }

    async fn click_on(&self, locator: Locator<'_>) {
        // What was found may be replaced before it is clicked, by the next event.
        eventually(&format!("{locator:?} is clicked"), async || {
            self.client.find(locator).await?.click().await
        })
        .await;
    }

    /// Types into the first field that matches, after what is there has been taken away.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let field = self.client.wait().for_element(Locator::Css(selector)).await;
        let field = field.unwrap_or_else(|error| panic!("no field `{selector}`: {error}"));
        field.clear().await.expect("a field can be emptied");
        field.send_keys(text).await.expect("a field can be typed into");
    }

    /// Presses keys one after the other, wherever the focus is.
    pub(crate) async fn keys(&self, keys: &str) {
        let actions = keys
            .chars()
            .fold(KeyActions::new("keyboard".to_owned()), |actions, key| {
                actions
                    .then(KeyAction::Down { value: key })
                    .then(KeyAction::Up { value: key })
            });
        self.client.perform_actions(actions).await.expect("keys can be pressed");
    }

    /// Presses a key while Ctrl is held.
    pub(crate) async fn ctrl(&self, key: char) {
        let control = char::from(Key::Control);
        let actions = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: control })
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key })
            .then(KeyAction::Up { value: control });
        self.client.perform_actions(actions).await.expect("keys can be pressed");
    }

    /// Changes size and theme.
    pub(crate) async fn resize(&self, screen: Screen) {
        let size = json!({
            "width": screen.width, "height": screen.height, "deviceScaleFactor": 1, "mobile": screen.width < 600,
        });
        let body = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": size});
        self.vendor("goog/cdp/execute", body).await;
        let theme = json!([{"name": "prefers-color-scheme", "value": screen.theme}]);
        let body = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": theme}});
        self.vendor("goog/cdp/execute", body).await;
    }

    /// Leaves a picture of what is shown below `target/browser`.
    pub(crate) async fn picture(&self, name: &str) {
        let picture = self.client.screenshot().await.expect("a picture can be taken");
        let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(PICTURES);
        fs::create_dir_all(&directory).expect("a directory can be made");
        fs::write(directory.join(format!("{name}.png")), picture).expect("a picture can be kept");
    }

    /// Returns what the browser complained about since it was asked last: scripts that fail, and what the policy forbids.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let entries = self.vendor("se/log", json!({"type": "browser"})).await;
        let entries = entries.as_array().cloned().unwrap_or_default();
        let messages = entries.iter().map(|entry| entry["message"].to_string());
        // The browser's own pages complain, too, and so it does about the interfaces of other tests.
        messages
            .filter(|message| message.contains(&self.base_url) && !message.contains("ERR_NETWORK_CHANGED"))
            .collect()
    }

    async fn vendor(&self, path: &'static str, body: Value) -> Value {
        let answer = self.client.issue_cmd(Vendor { path, body }).await;
        answer.unwrap_or_else(|error| panic!("{path} failed: {error}"))
    }

    /// Ends the browser.
    pub(crate) async fn close(self) {
        self.client.close().await.expect("a browser can be closed");
    }
}
