//! Whom a mail server's certificate may be from.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

/// How servers are recognised: by the authorities that browsers trust, or by one's own
/// alone, as PEM.
pub(super) fn client_config(authorities: Option<&str>) -> Result<Arc<ClientConfig>, String> {
    let roots = match authorities {
        Some(pem) => own(pem)?,
        None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn own(pem: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| format!("is no PEM: {error}"))?;
        roots
            .add(certificate)
            .map_err(|error| format!("has a certificate that cannot be used: {error}"))?;
    }
    if roots.is_empty() {
        return Err("has no certificate; give the authority's, as PEM".to_owned());
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_authorities_are_known() {
        assert!(client_config(None).is_ok());
    }

    #[test]
    fn what_is_no_certificate_is_told() {
        let cases = [
            ("", "has no certificate"),
            ("a text", "has no certificate"),
            (
                "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n",
                "is no PEM",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "has a certificate that cannot be used",
            ),
        ];
        for (pem, expected) in cases {
            let told = client_config(Some(pem)).map(|_| ()).expect_err(pem);
            assert!(told.starts_with(expected), "{pem}: {told}");
        }
    }
}
