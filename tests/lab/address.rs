//! Loopback addresses: each part has one of its own, so that all can use their default ports.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

/// Nothing else listens here; a bound socket on it is the claim to the address.
const CLAIM_PORT: u16 = 64_999;

/// An address of 127.64.0.0/10 (Linux answers on all of 127/8) that no other part, of this process or another, has
/// while this value lives.
#[derive(Debug)]
pub struct Address {
    ip: Ipv4Addr,
    _claim: UdpSocket,
}

impl Address {
    /// Claims a free address.
    #[must_use]
    pub fn claim() -> Address {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        for _ in 0..10_000 {
            // Processes start far apart, so that they rarely try the same address.
            let offset = std::process::id().wrapping_mul(257).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
            let ip = Ipv4Addr::from(0x7F40_0000 | (offset & 0x003F_FFFF));
            if let Ok(claim) = UdpSocket::bind((ip, CLAIM_PORT)) {
                return Address { ip, _claim: claim };
            }
        }
        panic!("no free address in 127.64.0.0/10: is something bound to port {CLAIM_PORT} of every address?");
    }

    /// The address.
    #[must_use]
    pub fn ip(&self) -> Ipv4Addr {
        self.ip
    }

    /// The address with a port.
    #[must_use]
    pub fn port(&self, port: u16) -> SocketAddr {
        SocketAddr::from((self.ip, port))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ip.fmt(f)
    }
}
