//! TLS with certificates always checked, by the system's roots and the campaign's own.

use super::line::Wire;
use super::{BadCertificate, Phase, Trouble};
use crate::fault::{Fault, Finding, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Whom to believe: the system's roots, and every certificate of `ca_file` (PEM).
pub fn trust(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = ca_file {
        add_own(&mut roots, file)?;
    }
    if roots.is_empty() {
        let remedy = "install the system's certificates (ca-certificates), or name your own in [mail] ca_file";
        return Err(Fault::new("tls-roots", "this system trusts no certificate authority", remedy));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks the default versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn add_own(roots: &mut RootCertStore, file: &Path) -> Result<()> {
    let bad = |cause: String| -> Fault {
        Finding::error("ca-file", cause, "give PEM certificates: -----BEGIN CERTIFICATE-----").in_file(file).into()
    };
    let pem = fs_err::read(file)?;
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| bad(format!("it is no PEM: {error}")))?;
        roots.add(certificate).map_err(|error| bad(format!("certificate {} is none: {error}", count + 1)))?;
        count += 1;
    }
    if count == 0 { Err(bad("it holds no certificate".into())) } else { Ok(()) }
}

/// The handshake.
pub async fn wrap(
    wire: Box<dyn Wire>,
    trust: Arc<ClientConfig>,
    host: &str,
    patience: Duration,
) -> Result<Box<dyn Wire>, Trouble> {
    let name = ServerName::try_from(host.to_owned()).map_err(|error| Trouble::Tls { words: error.to_string() })?;
    let deadline = Phase::Handshake.deadline().min(patience);
    match timeout(deadline, TlsConnector::from(trust).connect(name, wire)).await {
        Err(_) => Err(Trouble::Silent(Phase::Handshake)),
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(error)) => Err(why(&error)),
    }
}

fn why(error: &std::io::Error) -> Trouble {
    use CertificateError::*;
    let Some(cause) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return Trouble::Closed(Phase::Handshake);
    };
    let rustls::Error::InvalidCertificate(bad) = cause else {
        return Trouble::Tls { words: cause.to_string() };
    };
    Trouble::Certificate(match bad {
        Expired | ExpiredContext { .. } => BadCertificate::Expired,
        NotValidYet | NotValidYetContext { .. } => BadCertificate::NotYetValid,
        // Signed by somebody of the same name with another key: as unknown as the other.
        UnknownIssuer | BadSignature => BadCertificate::UnknownIssuer,
        NotValidForName | NotValidForNameContext { .. } => BadCertificate::OtherName,
        other => BadCertificate::Other { words: format!("{other:?}") },
    })
}
