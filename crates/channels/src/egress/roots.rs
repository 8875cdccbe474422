//! Whom the certificate of a TLS server may be from.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

/// Authorities that are trusted.
#[derive(Clone)]
pub struct Roots(Arc<RootCertStore>);

impl Roots {
    /// The authorities that browsers trust.
    pub fn public() -> Self {
        Self(Arc::new(browsers()))
    }

    /// One's own authorities alone, as PEM.
    pub fn of_pem(pem: &str) -> Result<Self, String> {
        Self::with(RootCertStore::empty(), pem)
    }

    /// The authorities that browsers trust, and others as PEM: for a platform whose
    /// certificate is from a country's own authority.
    pub fn public_and_pem(pem: &str) -> Result<Self, String> {
        Self::with(browsers(), pem)
    }

    fn with(mut roots: RootCertStore, pem: &str) -> Result<Self, String> {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| format!("is no PEM: {error}"))?;
            roots
                .add(certificate)
                .map_err(|error| format!("has a certificate that cannot be used: {error}"))?;
        }
        if roots.len() == before {
            return Err("has no certificate; give the authority's, as PEM".to_owned());
        }
        Ok(Self(Arc::new(roots)))
    }

    /// What TLS is spoken by.
    pub(super) fn tls(&self) -> Result<ClientConfig, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        Ok(ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(Arc::clone(&self.0))
            .with_no_client_auth())
    }
}

impl PartialEq for Roots {
    fn eq(&self, other: &Self) -> bool {
        self.0.roots == other.0.roots
    }
}

impl Eq for Roots {}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} authorities", self.0.len())
    }
}

fn browsers() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_of_ones_own_are_read() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let pem = made.cert.pem();
        assert_eq!(Roots::of_pem(&pem).unwrap().0.len(), 1);
        let more = Roots::public_and_pem(&pem).unwrap();
        assert_eq!(more.0.len(), Roots::public().0.len() + 1);
        for wrong in ["", "no certificate"] {
            assert!(Roots::of_pem(wrong).is_err());
            assert!(Roots::public_and_pem(wrong).is_err());
        }
        assert!(Roots::public() == Roots::public() && Roots::public() != more);
    }
}
