//! A system of the trade, in so far as the tests need one: HTTP/1.1 over TCP or TLS on one connection, so that a test knows
//! which connection it speaks on.

pub(crate) mod pem;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clearance::ids::Digest;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A certificate and its key.
pub(crate) struct Holder {
    pub(crate) serial: String,
    pub(crate) certificate: String,
    pub(crate) key: KeyPair,
    /// Signs with this instead of the key.
    pub(crate) secret: Option<Vec<u8>>,
}

impl Holder {
    pub(crate) fn new(issued: &Value, key: KeyPair) -> Self {
        let text = |field: &str| issued[field].as_str().unwrap().to_owned();
        Self { serial: text("serial"), certificate: text("certificate"), key, secret: None }
    }

    pub(crate) fn copy(&self) -> Self {
        Self {
            serial: self.serial.clone(),
            certificate: self.certificate.clone(),
            key: KeyPair::from_pem(&self.key.serialize_pem()).unwrap(),
            secret: None,
        }
    }
}

/// What `x5t#S256` says of a certificate.
pub(crate) fn thumbprint(holder: &Holder) -> String {
    pem::base64url(&Digest::of(&pem::bytes(&holder.certificate)).0)
}

/// A body, signed.
pub(crate) fn jws(holder: &Holder, alg: Algorithm, signer: &str, body: &Value, url: Option<&str>) -> String {
    let der = holder.key.serialize_der();
    let key = match (&holder.secret, alg) {
        (Some(secret), _) => EncodingKey::from_secret(secret),
        (None, Algorithm::EdDSA) => EncodingKey::from_ed_der(&der),
        (None, _) => EncodingKey::from_ec_der(&der),
    };
    let mut header = Header::new(alg);
    header.x5t_s256 = Some(signer.to_owned());
    header.url = url.map(str::to_owned);
    jsonwebtoken::encode(&header, body, &key).unwrap()
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) body: Value,
}

pub(crate) struct Channel {
    stream: Box<dyn Stream>,
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Channel")
    }
}

impl Channel {
    pub(crate) async fn plain(at: SocketAddr) -> Self {
        Self { stream: Box::new(TcpStream::connect(at).await.unwrap()) }
    }

    /// A connection from this address that begins and does not end.
    pub(crate) async fn dawdling(from: [u8; 4], to: SocketAddr, start: &[u8]) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((from, 0))).unwrap();
        let mut stream = socket.connect(to).await.unwrap();
        // Turned away already: that is its end.
        let _ = stream.write_all(start).await;
        Self { stream: Box::new(stream) }
    }

    /// TLS; the error is what the server's alert says.
    pub(crate) async fn secure(
        at: SocketAddr,
        servers: &[u8],
        holder: Option<&Holder>,
    ) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(servers).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match holder {
            Some(holder) => {
                let chain = vec![CertificateDer::from_pem_slice(holder.certificate.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(holder.key.serialize_pem().as_bytes()).unwrap();
                config.with_client_auth_cert(chain, key).unwrap()
            }
            None => config.with_no_client_auth(),
        };
        let stream = TcpStream::connect(at).await.unwrap();
        let name = ServerName::from(at.ip());
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        let mut channel = Self { stream: Box::new(stream.map_err(|e| e.to_string())?) };
        // With TLS 1.3 a client hears only afterwards that its certificate is not believed.
        match channel.try_ask("GET", "/healthz", &[], b"").await {
            Ok(_) => Ok(channel),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"").await
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes()).await
    }

    pub(crate) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        self.try_ask(method, path, headers, body).await.unwrap()
    }

    pub(crate) async fn raw(&mut self, request: &[u8]) -> Answer {
        self.stream.write_all(request).await.unwrap();
        self.answer().await.unwrap()
    }

    async fn try_ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, String> {
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: central\r\nContent-Length: {}\r\n", body.len());
        let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = [request.as_bytes(), lines.concat().as_bytes(), b"\r\n", body].concat();
        self.stream.write_all(&request).await.map_err(|e| e.to_string())?;
        self.stream.flush().await.map_err(|e| e.to_string())?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<Answer, String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await.map_err(|e| e.to_string())?);
        }
        let head = String::from_utf8(head).unwrap();
        let field = |name: &str| {
            let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
            line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
        };
        let length = field("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.map_err(|e| e.to_string())?;
        Ok(Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            kind: field("content-type").unwrap_or_default(),
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        })
    }

    /// Wait until the other side has closed it.
    pub(crate) async fn closed(mut self) {
        let mut rest = [0; 4096];
        while matches!(self.stream.read(&mut rest).await, Ok(read) if read > 0) {}
    }

    /// Send a byte now and then until the other side has closed it.
    pub(crate) async fn drip(mut self) {
        let mut every = tokio::time::interval(Duration::from_millis(50));
        let mut rest = [0; 4096];
        loop {
            tokio::select! {
                read = self.stream.read(&mut rest) => match read {
                    Ok(read) if read > 0 => {}
                    _ => return,
                },
                _ = every.tick() => if self.stream.write_all(b"a").await.is_err() { return },
            }
        }
    }
}
