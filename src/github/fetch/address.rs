//! Which network addresses may be connected to (threats O1).

use std::{
    error::Error as StdError,
    fmt,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    vec,
};

use hyper_util::client::legacy::connect::dns::Name;
use tower::Service;

use crate::domain::address::is_public;

/// How far a connection may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// To addresses that everybody reaches.
    Public,
    /// To those of private networks too.
    Private,
    /// To this machine alone.
    Here,
}

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Public,
    Private,
    Here,
    /// One link, the services of a cloud, many at once, or nothing at all.
    Special,
}

/// A host is at an address that is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreachable(Purpose);

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Purpose::Private => {
                "its server is at a private address, which is asked only where import_private_hosts in \
                 muster.toml lists its host"
            }
            Purpose::Here => "its server is on this machine, which is not asked",
            Purpose::Special | Purpose::Public => {
                "its server is at an address of one link or of a cloud's own services, which is not asked"
            }
        })
    }
}

impl StdError for Unreachable {}

impl Reach {
    fn allows(self, address: IpAddr) -> Result<(), Unreachable> {
        let purpose = purpose(address);
        let allowed = match (self, purpose) {
            (Reach::Public | Reach::Private, Purpose::Public) | (Reach::Private, Purpose::Private) => true,
            (Reach::Here, Purpose::Here) => true,
            (Reach::Public, Purpose::Private | Purpose::Here | Purpose::Special)
            | (Reach::Private, Purpose::Here | Purpose::Special)
            | (Reach::Here, Purpose::Public | Purpose::Private | Purpose::Special) => false,
        };
        if allowed { Ok(()) } else { Err(Unreachable(purpose)) }
    }

    /// As for a name that was resolved, if the host is an address itself.
    pub(super) fn allows_literal(self, host: &str) -> Result<(), Unreachable> {
        match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(address) => self.allows(address),
            Err(_) => Ok(()),
        }
    }
}

/// What an address is for; one of version 4 in the clothes of version 6 is the
/// one of version 4.
fn purpose(address: IpAddr) -> Purpose {
    let address = address.to_canonical();
    if is_public(address) {
        return Purpose::Public;
    }
    match address {
        IpAddr::V4(address) => match address.octets() {
            [127, ..] => Purpose::Here,
            [10, ..] | [192, 168, ..] | [172, 16..=31, ..] | [100, 64..=127, ..] => Purpose::Private,
            [_, _, _, _] => Purpose::Special,
        },
        IpAddr::V6(address) => match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 1] => Purpose::Here,
            // The metadata service of a cloud.
            [0xfd00, 0x0ec2, ..] => Purpose::Special,
            [0xfc00..=0xfdff, ..] => Purpose::Private,
            [_, _, _, _, _, _, _, _] => Purpose::Special,
        },
    }
}

/// Resolves a name, and hands on only addresses that may be connected to.
#[derive(Debug, Clone)]
pub(in crate::github) struct Guarded {
    reach: Reach,
}

impl Guarded {
    pub(super) fn new(reach: Reach) -> Guarded {
        Guarded { reach }
    }
}

type BoxError = Box<dyn StdError + Send + Sync>;

impl Service<Name> for Guarded {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let reach = self.reach;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One bad address among good ones is a trap, or somebody's mistake.
            found.iter().try_for_each(|address| reach.allows(address.ip()))?;
            Ok(found.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o1_only_addresses_that_everybody_reaches_are_asked() {
        for (address, reach) in [
            ("93.184.216.34", "public"),
            ("2606:2800:220:1:248:1893:25c8:1946", "public"),
            ("::ffff:93.184.216.34", "public"),
            ("10.0.0.1", "private"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.168.1.1", "private"),
            ("100.64.0.1", "private"),
            ("fd12:3456::1", "private"),
            ("::ffff:10.0.0.1", "private"),
            ("64:ff9b::a00:1", "never"),
            ("2002:a00:1::", "never"),
            ("127.0.0.1", "here"),
            ("127.9.9.9", "here"),
            ("::1", "here"),
            ("::ffff:127.0.0.1", "here"),
            ("169.254.169.254", "never"),
            ("::ffff:169.254.169.254", "never"),
            ("64:ff9b::a9fe:a9fe", "never"),
            ("fd00:ec2::254", "never"),
            ("fe80::1", "never"),
            ("fec0::1", "never"),
            ("ff02::1", "never"),
            ("0.0.0.0", "never"),
            ("::", "never"),
            ("::7f00:1", "never"),
            ("192.0.0.192", "never"),
            ("224.0.0.1", "never"),
            ("255.255.255.255", "never"),
            ("2001:db8::1", "never"),
        ] {
            let parsed: IpAddr = address.parse().unwrap();
            let allowed =
                [Reach::Public, Reach::Private, Reach::Here].map(|from| from.allows(parsed).is_ok());
            let expected = match reach {
                "public" => [true, true, false],
                "private" => [false, true, false],
                "here" => [false, false, true],
                _ => [false; 3],
            };
            assert_eq!(allowed, expected, "{address}");
        }
    }

    /// Also one that leads here and elsewhere, as a name that is rebound does:
    /// what is handed on is what was looked at.
    #[tokio::test]
    async fn o1_a_name_of_this_machine_leads_nowhere_else() {
        let resolve = |reach| Guarded::new(reach).call("localhost".parse().unwrap());
        for reach in [Reach::Public, Reach::Private] {
            let refused = resolve(reach).await.unwrap_err();
            assert_eq!(refused.downcast_ref(), Some(&Unreachable(Purpose::Here)), "{reach:?}");
        }
        let mut found = resolve(Reach::Here).await.unwrap();
        assert!(found.all(|address| address.ip().is_loopback()));
    }

    #[test]
    fn a_host_that_is_an_address_is_judged_as_one() {
        for host in ["169.254.169.254", "[::1]", "10.0.0.1"] {
            assert!(Reach::Public.allows_literal(host).is_err(), "{host}");
        }
        assert!(Reach::Public.allows_literal("agency.example.gov").is_ok());
    }
}
