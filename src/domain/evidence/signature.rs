//! Who vouches for the evidence: Ed25519 (RFC 8032) over the manifest.
//!
//! Promises: (1) keys are read in the forms that OpenSSL writes (RFC 8410): a
//! private one as PKCS#8, a public one as SubjectPublicKeyInfo, both in PEM;
//! (2) a private key prints nowhere; (3) the same key and manifest give the
//! same signature.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer, pem::PemObject as _};

/// What stands before the 32 bytes of a public key (RFC 8410, section 4).
const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A text is no key of the kind that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No private key.
    #[error("no Ed25519 private key in PEM form")]
    Private,
    /// No public key.
    #[error("no Ed25519 public key in PEM form")]
    Public,
}

/// The private key.
pub struct Signer(Ed25519KeyPair);

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.public()).finish()
    }
}

impl Signer {
    /// Reads a key as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    /// [`KeyError::Private`].
    pub fn from_pem(pem: &str) -> Result<Signer, KeyError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::Private)?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der());
        pair.map(Signer).map_err(|_| KeyError::Private)
    }

    /// The signature: 64 bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).as_ref().to_vec()
    }

    /// The public key to it.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(key)
    }
}

/// The public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads a key as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    /// [`KeyError::Public`].
    pub fn from_pem(pem: &[u8]) -> Result<PublicKey, KeyError> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| KeyError::Public)?;
        let key = der.as_ref().strip_prefix(&PREFIX).and_then(|key| key.try_into().ok());
        key.map(PublicKey).ok_or(KeyError::Public)
    }

    /// As `openssl pkey -pubout` writes it.
    #[must_use]
    pub fn to_pem(self) -> String {
        let der = STANDARD.encode([&PREFIX[..], &self.0].concat());
        format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n")
    }

    /// The key in hex, for people who compare.
    #[must_use]
    pub fn hex(self) -> String {
        hex::encode(self.0)
    }

    /// Whether this key's owner signed these bytes.
    #[must_use]
    pub fn has_signed(self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8410, section 10.3, and its public key of section 10.1.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn keys_of_the_standard_are_read_and_only_their_owner_has_signed() {
        let signer = Signer::from_pem(PRIVATE).unwrap();
        assert_eq!(signer.public().to_pem(), PUBLIC);
        assert_eq!(PublicKey::from_pem(PUBLIC.as_bytes()), Ok(signer.public()));
        let signature = signer.sign(b"manifest");
        assert_eq!((signature.len(), &signature), (64, &signer.sign(b"manifest")));
        assert!(signer.public().has_signed(b"manifest", &signature));
        assert!(!signer.public().has_signed(b"manifesT", &signature));
        assert!(!signer.public().has_signed(b"manifest", &signature[1..]));
        assert!(!PublicKey([7; 32]).has_signed(b"manifest", &signature));
        assert!(!format!("{signer:?}").contains("d4ee72db"), "{signer:?}");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "key", PUBLIC, &PRIVATE.replace("MC4C", "MC4D")] {
            assert_eq!(Signer::from_pem(text).err(), Some(KeyError::Private), "{text}");
        }
        for text in ["", "key", PRIVATE, &PUBLIC.replace("AyEA", "AyEB"), &PUBLIC.replace("Gb9E", "")] {
            assert_eq!(PublicKey::from_pem(text.as_bytes()).err(), Some(KeyError::Public), "{text}");
        }
    }
}
