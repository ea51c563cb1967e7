//! So many requests a second from one address, or one network of IPv6: a token bucket each. Whoever holds a link cannot keep the campaign busy.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Mutex;
use std::time::Duration;

const BURST: f64 = 40.0;
const PER_SECOND: f64 = 4.0;
/// Addresses remembered at most; full buckets are forgotten first.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub struct Buckets(Mutex<HashMap<IpAddr, Bucket>>);

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Duration,
}

impl Bucket {
    fn filled(self, now: Duration) -> Bucket {
        let tokens = self.tokens + now.saturating_sub(self.at).as_secs_f64() * PER_SECOND;
        Bucket { tokens: tokens.min(BURST), at: now }
    }
}

impl Buckets {
    /// Whether this address may ask once more; `now` counts from any fixed moment.
    pub fn take(&self, address: IpAddr, now: Duration) -> bool {
        let address = network(address);
        let mut buckets = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if buckets.len() >= MOST && !buckets.contains_key(&address) {
            buckets.retain(|_, bucket| bucket.filled(now).tokens < BURST);
            if buckets.len() >= MOST {
                return false;
            }
        }
        let bucket = buckets.entry(address).or_insert(Bucket { tokens: BURST, at: now });
        *bucket = bucket.filled(now);
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

/// Of IPv6 the first 64 bits: whoever has one address has all of that network (RFC 4291 section 2.5.4).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_so_many_a_second_and_others_are_not_held_up() {
        let (buckets, one, other) = (Buckets::default(), [192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let at = Duration::from_secs;
        assert_eq!((0..100).filter(|_| buckets.take(one, at(0))).count(), 40);
        assert!(buckets.take(other, at(0)));
        assert_eq!((0..100).filter(|_| buckets.take(one, at(2))).count(), 8);
        assert_eq!((0..100).filter(|_| buckets.take(one, at(1_000))).count(), 40);
    }

    #[test]
    fn all_of_one_ipv6_network_is_one_client_and_a_mapped_address_is_the_ipv4_one() {
        let (buckets, at) = (Buckets::default(), Duration::ZERO);
        let take = |text: &str| buckets.take(text.parse().unwrap(), at);
        assert_eq!((0..100).filter(|n| take(&format!("2001:db8:0:1::{n:x}"))).count(), 40);
        assert!(!take("2001:db8:0:1:ffff::1") && take("2001:db8:0:2::1"));
        assert_eq!((0..40).filter(|_| take("::ffff:192.0.2.1")).count(), 40);
        assert!(!take("192.0.2.1"));
    }

    #[test]
    fn a_flood_of_addresses_stays_bounded() {
        let buckets = Buckets::default();
        for n in 0..20_000_u32 {
            buckets.take(IpAddr::from(n.to_be_bytes()), Duration::ZERO);
        }
        assert_eq!(buckets.0.lock().unwrap().len(), MOST);
        assert!(buckets.take([203, 0, 113, 1].into(), Duration::from_secs(60)), "full buckets made room");
    }
}
