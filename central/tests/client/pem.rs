//! PEM and base64, written out so that the tests do not check central with central's own code.

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// A request for a certificate of this key, which asks for more than anybody would be given.
pub(crate) fn request(key: &KeyPair) -> String {
    let mut params = CertificateParams::new(["central.example".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.serialize_request(key).unwrap().pem().unwrap()
}

/// The bytes of a certificate.
pub(crate) fn bytes(pem: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(crate) fn base64url(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        for digit in 0..=three.len() {
            text.push(DIGITS[(number >> (18 - 6 * digit) & 63) as usize] as char);
        }
    }
    text
}

/// Base64url as hexadecimal digits.
pub(crate) fn hex(text: &str) -> String {
    let mut bits = text.bytes().flat_map(|digit| {
        let value = DIGITS.iter().position(|d| *d == digit).unwrap();
        (0..6).rev().map(move |bit| value >> bit & 1)
    });
    (0..text.len() * 6 / 4)
        .map(|_| (0..4).fold(0, |n, _| n << 1 | bits.next().unwrap()))
        .map(|nibble| char::from_digit(nibble as u32, 16).unwrap())
        .take(64)
        .collect()
}
