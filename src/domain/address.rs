//! Which addresses of the Internet a URL that others wrote may lead to.
//!
//! Promises (threats O1): (1) an address of an inner network, of a link, of
//! this machine or of a cloud's metadata service is not public, in none of the
//! forms in which IPv6 can write an IPv4 address; (2) what is reserved or not
//! known is not public either.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether everybody can reach this address (IANA's registries of special
/// addresses, RFC 6890 and what updates it).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    match address.octets() {
        // This network, private, shared (RFC 6598), this machine.
        [0 | 10 | 127, ..] | [100, 64..=127, ..] => false,
        // Links, with the metadata services of clouds.
        [169, 254, ..] => false,
        // Private.
        [172, 16..=31, ..] | [192, 168, ..] => false,
        // Protocols, documentation, the former 6to4 relays, benchmarks.
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            false
        }
        // Groups, and what is reserved.
        [224..=255, ..] => false,
        _ => true,
    }
}

/// Only what is handed out as global unicast, less what is special in it. So
/// neither `::ffff:10.0.0.1` nor `64:ff9b::10.0.0.1` leads inside.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Protocols, with Teredo; documentation; 6to4, which holds an IPv4 address.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_inner_is_public_in_any_form() {
        for inner in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:a00:1::1",
            "2001:0:1::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(inner.parse().unwrap()), "{inner}");
        }
        for public in
            ["1.1.1.1", "100.63.0.1", "172.32.0.1", "192.0.1.1", "140.82.112.3", "2606:4700::1111", "2a01::1"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }
}
