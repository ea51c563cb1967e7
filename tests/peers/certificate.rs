//! A certificate for a server of these tests, made for the occasion: none stands in the repository, so none expires.

use crate::need::{command, output};
use std::path::{Path, PathBuf};

/// PEM files. The certificate signs itself: a client that is to trust it gets `certificate` as its authority.
pub struct Certificate {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Certificate {
    /// For `localhost` and 127.0.0.1, written into a folder.
    pub fn make(folder: &Path) -> Certificate {
        let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
        output(
            command("openssl")
                .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
                .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
                // Without it openssl makes an authority, which rustls does not take for a server.
                .args(["-addext", "basicConstraints=critical,CA:FALSE"])
                .arg("-keyout")
                .arg(&key)
                .arg("-out")
                .arg(&certificate),
        );
        Certificate { certificate, key }
    }
}
