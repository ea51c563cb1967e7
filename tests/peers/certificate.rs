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
        // Without it openssl makes an authority.
        Certificate::with(folder, &["-addext", "basicConstraints=critical,CA:FALSE"])
    }

    /// The same, as plain `openssl req -x509` makes it: marked as an authority.
    pub fn make_authority(folder: &Path) -> Certificate {
        Certificate::with(folder, &[])
    }

    fn with(folder: &Path, extensions: &[&str]) -> Certificate {
        let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
        output(
            command("openssl")
                .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
                .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
                .args(extensions)
                .arg("-keyout")
                .arg(&key)
                .arg("-out")
                .arg(&certificate),
        );
        Certificate { certificate, key }
    }
}
