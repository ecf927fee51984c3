//! A mail server with STARTTLS and sign-in, as far as a client needs one (RFC 5321, 3207, 4954).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::{decode, eventually};

/// A message that came.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// Whether the connection was secret.
    pub(crate) tls: bool,
    /// What was said to sign in.
    pub(crate) signed_in: String,
    pub(crate) to: Vec<String>,
    /// Header and body, as they came.
    pub(crate) text: String,
    /// What was answered.
    pub(crate) answer: String,
}

impl Mail {
    /// A field of the header, unfolded, as it came.
    pub(crate) fn field(&self, name: &str) -> String {
        let head = self.text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
        let line = head
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with(&format!("{}:", name.to_lowercase())));
        line.map(|line| line.split_once(':').unwrap().1.trim().to_owned()).unwrap_or_default()
    }

    /// The body, decoded from quoted-printable or base64 where it is not plain.
    pub(crate) fn body(&self) -> String {
        let body = self.text.split_once("\r\n\r\n").unwrap().1;
        match self.field("content-transfer-encoding").as_str() {
            "quoted-printable" => unquoted(body),
            "base64" => String::from_utf8(decode(&body.replace("\r\n", ""))).unwrap(),
            _ => body.to_owned(),
        }
    }
}

fn unquoted(text: &str) -> String {
    let text = text.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'=' {
            let (code, after) = rest.split_at(2);
            bytes.push(u8::from_str_radix(std::str::from_utf8(code).unwrap(), 16).unwrap());
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[derive(Default)]
struct Inner {
    got: Vec<Mail>,
    /// What the next messages are answered, in place of `250 taken`.
    answers: VecDeque<String>,
}

/// The server.
#[derive(Clone)]
pub(crate) struct MailServer {
    at: SocketAddr,
    inner: Arc<Mutex<Inner>>,
    tls: TlsAcceptor,
}

impl MailServer {
    /// Start one; the certificate that it is believed by is written to a file.
    pub(crate) async fn start(certificate: &Path) -> Self {
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        std::fs::write(certificate, own.pem()).unwrap();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], private)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let server = Self { at, inner: Arc::default(), tls: TlsAcceptor::from(Arc::new(config)) };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.at.port()
    }

    /// What the next message is answered.
    pub(crate) fn answer(&self, answer: &str) {
        self.inner.lock().unwrap().answers.push_back(answer.to_owned());
    }

    pub(crate) fn got(&self) -> Vec<Mail> {
        self.inner.lock().unwrap().got.clone()
    }

    pub(crate) async fn wait(&self, messages: usize) -> Vec<Mail> {
        eventually(&format!("{messages} messages"), async || {
            let got = self.got();
            (got.len() >= messages).then_some(got)
        })
        .await
    }

    async fn serve(self, stream: TcpStream) {
        let mut plain = BufReader::new(stream);
        plain.write_all(b"220 localhost ESMTP\r\n").await.unwrap();
        if self.session(&mut plain, false).await {
            let secret = self.tls.clone().accept(plain.into_inner()).await.unwrap();
            self.session(&mut BufReader::new(secret), true).await;
        }
    }

    /// Speak until the end, or until it is to become secret.
    async fn session<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: &mut BufReader<S>, tls: bool) -> bool {
        let (mut signed_in, mut to) = (String::new(), Vec::new());
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return false;
            }
            let line = line.trim_end();
            let answer = match line.to_ascii_uppercase().split([' ', ':']).next().unwrap() {
                "EHLO" if tls => "250-localhost\r\n250 AUTH PLAIN".to_owned(),
                "EHLO" => "250-localhost\r\n250 STARTTLS".to_owned(),
                "STARTTLS" => {
                    stream.write_all(b"220 go on\r\n").await.unwrap();
                    return true;
                }
                "AUTH" => {
                    line.clone_into(&mut signed_in);
                    "235 welcome".to_owned()
                }
                "MAIL" => "250 ok".to_owned(),
                "RCPT" => {
                    to.push(line.to_owned());
                    "250 ok".to_owned()
                }
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await.unwrap();
                    let text = text(stream).await;
                    let mut inner = self.inner.lock().unwrap();
                    let answer = inner.answers.pop_front().unwrap_or("250 taken".to_owned());
                    let (signed_in, to) = (signed_in.clone(), std::mem::take(&mut to));
                    inner.got.push(Mail { tls, signed_in, to, text, answer: answer.clone() });
                    answer
                }
                "QUIT" => return false,
                _ => "502 unknown".to_owned(),
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        }
    }
}

async fn text<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> String {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if line == ".\r\n" || line.is_empty() {
            return text;
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
