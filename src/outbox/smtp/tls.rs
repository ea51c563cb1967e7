//! TLS with certificates always checked, by the system's roots and the campaign's own.

use super::line::Wire;
use super::pinned::{OrPinned, is_about_the_issuer};
use super::{BadCertificate, Phase, Trouble};
use crate::fault::{Fault, Finding, Result};
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Whom to believe: the system's roots, and every certificate of `ca_file` (PEM), be it an authority or the server itself.
pub fn trust(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let pinned = ca_file.map(|file| add_own(&mut roots, file)).transpose()?.unwrap_or_default();
    if roots.is_empty() {
        let remedy = "install the system's certificates (ca-certificates), or name your own in [mail] ca_file";
        return Err(Fault::new("tls-roots", "this system trusts no certificate authority", remedy));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
    let webpki = webpki.expect("there is a root, and no list of revocations that could be wrong");
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks the default versions of TLS")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(OrPinned { webpki, pinned }))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn add_own(roots: &mut RootCertStore, file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bad = |cause: String| -> Fault {
        Finding::error("ca-file", cause, "give PEM certificates: -----BEGIN CERTIFICATE-----").in_file(file).into()
    };
    let pem = fs_err::read(file)?;
    let mut own = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| bad(format!("it is no PEM: {error}")))?;
        let number = own.len() + 1;
        roots.add(certificate.clone()).map_err(|error| bad(format!("certificate {number} is none: {error}")))?;
        own.push(certificate);
    }
    if own.is_empty() { Err(bad("it holds no certificate".into())) } else { Ok(own) }
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
        // One that signed itself, as `openssl req -x509` makes it, is an issuer's that is not in ca_file.
        signed_itself if is_about_the_issuer(signed_itself) => BadCertificate::UnknownIssuer,
        NotValidForName | NotValidForNameContext { .. } => BadCertificate::OtherName,
        other => BadCertificate::Other { words: format!("{other:?}") },
    })
}
