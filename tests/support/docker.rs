//! The Docker engine of the tests, and the one image that all others are made from.

use std::{fs, io};

use bollard::{Docker, body_full, query_parameters::CreateImageOptionsBuilder};
use futures_util::TryStreamExt;
use tokio::sync::OnceCell;

/// Holds a static busybox as `/bin/busybox`, linked to `sh` and the other names that a Dockerfile's `RUN` wants.
pub(crate) const BASE_IMAGE: &str = "borgos-test-base:1";
const APPLETS: [&str; 11] = [
    "sh", "httpd", "sleep", "cat", "echo", "mkdir", "touch", "env", "cp", "rm", "chmod",
];
/// The same with programs that have the names of package managers, compilers and interpreters. They note how they were
/// called in `www/log`, and whatever they run or build serves `www`.
pub(crate) const STACK_IMAGE: &str = "borgos-test-stack:1";
const SERVE: &str = "exec busybox httpd -f -p \"$PORT\" -h /app/www";
const TOOLS: [(&str, &str); 7] = [
    (
        "npm",
        "mkdir -p www dist && echo \"npm $*\" >>www/log && cp www/* dist/",
    ),
    ("node", SERVE),
    ("pip", "mkdir -p www && echo \"pip $*\" >>www/log"),
    ("python", "[ \"$2\" = venv ] && exec mkdir -p /venv/bin; exec node"),
    ("gunicorn", SERVE),
    (
        "go",
        "[ \"$1\" = build ] || exit 0; mkdir -p /out && cp /bin/node \"$5\"",
    ),
    (
        "cargo",
        "[ \"$1\" = build ] || exit 0; mkdir -p /target/release && cp /bin/node \"/target/release/$5\"",
    ),
];

/// Returns the address of the engine that `tests/run` started, in the form of `DOCKER_HOST`.
pub(crate) fn host() -> String {
    super::variable("BORGOS_TEST_DOCKER_HOST")
}

/// Connects to the engine. A client belongs to the async runtime that it is used on, so each test makes its own.
pub(crate) fn client() -> Docker {
    Docker::connect_with_host(&host()).expect("the engine of the tests can be connected to")
}

/// Makes sure that the engine has [`BASE_IMAGE`], once however many tests ask at the same time.
pub(crate) async fn base_image() -> &'static str {
    static IMPORTED: OnceCell<()> = OnceCell::const_new();
    IMPORTED.get_or_init(import_base_image).await;
    BASE_IMAGE
}

/// Makes sure that the engine has [`STACK_IMAGE`], once however many tests ask at the same time.
pub(crate) async fn stack_image() -> &'static str {
    static IMPORTED: OnceCell<()> = OnceCell::const_new();
    IMPORTED
        .get_or_init(async || {
            let mut archive = root_files().expect("busybox can be packed");
            for (name, script) in TOOLS {
                append_script(&mut archive, name, script).expect("a script can be packed");
            }
            import(STACK_IMAGE, archive).await;
        })
        .await;
    STACK_IMAGE
}

async fn import_base_image() {
    import(BASE_IMAGE, root_files().expect("busybox can be packed")).await;
}

async fn import(image: &str, archive: tar::Builder<Vec<u8>>) {
    let docker = client();
    if docker.inspect_image(image).await.is_ok() {
        return;
    }
    let options = CreateImageOptionsBuilder::default().from_src("-").repo(image).build();
    let files = archive.into_inner().expect("an archive in memory can be ended");
    docker
        .create_image(Some(options), Some(body_full(files.into())), None)
        .try_for_each(async |_| Ok(()))
        .await
        .expect("an image can be imported");
}

fn append_script(archive: &mut tar::Builder<Vec<u8>>, name: &str, script: &str) -> io::Result<()> {
    let text = format!("#!/bin/sh\n{script}\n");
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o755);
    archive.append_data(&mut header, format!("bin/{name}"), text.as_bytes())
}

/// Packs the files of the base image.
fn root_files() -> io::Result<tar::Builder<Vec<u8>>> {
    let busybox = fs::read("/bin/busybox")?;
    let mut archive = tar::Builder::new(Vec::new());
    let mut program = tar::Header::new_gnu();
    program.set_size(busybox.len() as u64);
    program.set_mode(0o755);
    archive.append_data(&mut program, "bin/busybox", busybox.as_slice())?;
    for applet in APPLETS {
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        archive.append_link(&mut link, format!("bin/{applet}"), "busybox")?;
    }
    Ok(archive)
}

#[tokio::test]
async fn a_container_of_the_base_image_can_be_made() {
    let docker = client();
    let image = docker.inspect_image(base_image().await).await.unwrap();
    assert!(image.size.unwrap() > 500_000, "busybox is missing: {image:?}");
}
