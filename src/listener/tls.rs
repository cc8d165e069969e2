//! HTTPS: one certificate with its key, read again when the files change.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use borgos_actors::error::chain;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::{net::TcpStream, task::spawn_blocking, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::config::TlsFiles;

/// How long a client may take to agree on keys.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);
/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// What is spoken inside, in the order of preference.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read, or holds no PEM of its kind.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: pem::Error,
    },
    /// The file is not there.
    #[error("{} cannot be looked at", path.display())]
    Absent {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The file has no certificate.
    #[error("{} holds no certificate", .0.display())]
    Empty(PathBuf),
    /// Key and certificate do not belong together, or are of a kind that is not known.
    #[error("certificate and key do not fit together")]
    Unfit(#[source] rustls::Error),
}

/// Takes HTTPS connections. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    files: TlsFiles,
}

/// The certificate that new connections get.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

/// By which a change of the files is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version([(SystemTime, u64); 2]);

impl Tls {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// Says what is wrong with which file.
    pub fn load(files: TlsFiles) -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let current = Arc::new(Current(RwLock::new(Arc::new(read(&files, &provider)?))));
        let versions = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::Unfit)?;
        let mut config = versions
            .with_no_client_auth()
            .with_cert_resolver(current.clone() as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            current,
            files,
        })
    }

    /// Agrees on keys with a client.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        match timeout(HANDSHAKE_DEADLINE, self.acceptor.accept(stream)).await {
            Ok(accepted) => accepted,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Reads the files again whenever they change. A pair that cannot be used is told of, and the one before it stays.
    pub(super) async fn keep_fresh(self) {
        let mut seen = version(&self.files).ok();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let tls = self.clone();
            // Whether the files are on a disk that hangs is not known.
            let looked = spawn_blocking(move || tls.look(seen)).await;
            seen = looked.unwrap_or(seen);
        }
    }

    fn look(&self, seen: Option<Version>) -> Option<Version> {
        let found = match version(&self.files) {
            Ok(found) if Some(found) == seen => return seen,
            Err(error) => {
                // Told once: in the middle of a change one may be missing for a moment.
                if seen.is_some() {
                    tracing::error!(
                        error = chain(&error),
                        "the certificate that was read before stays in use"
                    );
                }
                return None;
            }
            Ok(found) => found,
        };
        match read(&self.files, &ring::default_provider()) {
            Ok(fresh) => {
                *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
                tracing::info!("a new certificate is in use, from {}", self.files.cert.display());
            }
            Err(error) => tracing::error!(
                error = chain(&error),
                "the new certificate cannot be used; the one before it stays in use"
            ),
        }
        Some(found)
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.files.cert).finish()
    }
}

fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |cause| Error::Unreadable { path, cause }
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(&files.cert)
        .map_err(unreadable(&files.cert))?
        .collect();
    let chain = chain.map_err(unreadable(&files.cert))?;
    if chain.is_empty() {
        return Err(Error::Empty(files.cert.clone()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(unreadable(&files.key))?;
    CertifiedKey::from_der(chain, key, provider).map_err(Error::Unfit)
}

fn version(files: &TlsFiles) -> Result<Version, Error> {
    let of = |path: &Path| {
        let looked = fs::metadata(path).and_then(|metadata| Ok((metadata.modified()?, metadata.len())));
        looked.map_err(|cause| Error::Absent {
            path: path.to_owned(),
            cause,
        })
    };
    Ok(Version([of(&files.cert)?, of(&files.key)?]))
}
