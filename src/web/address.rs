//! Who asks: the address of the connection, or the one that a proxy we know tells of.

use crate::campaign::Network;
use axum::http::{HeaderMap, Version};
use std::net::{IpAddr, SocketAddr};

/// Headers that only something between us and the browser adds (RFC 7239, RFC 9110 section 7.6.3, and the habits of
/// servers); those that begin with `x-forwarded-` besides.
const FORWARDED: [&str; 12] = [
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-host",
    "x-original-forwarded-for",
    "true-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
    "x-proxyuser-ip",
    "cdn-loop",
];

/// The browser's address. `X-Forwarded-For` is read from its end, where our own proxies have written, and no further
/// than to the first address that is none of theirs: what stands before it anybody may have made up.
pub fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let known = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
    let mut client = peer;
    // What a browser made up before our proxies wrote may be any octets.
    let values: Vec<_> =
        headers.get_all("x-forwarded-for").iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    for text in values.iter().rev().flat_map(|value| value.rsplit(',')) {
        if !known(client) {
            break;
        }
        match address(text.trim()) {
            Some(address) => client = address,
            None => break,
        }
    }
    client
}

/// Some proxies write the port as well.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

/// Nothing stands between us and the browser, as far as anybody says. A web server that passes requests on without a word
/// of its own does so in HTTP/1.0, as nginx does unless it is told otherwise; no browser and no scraper asks in that.
pub fn is_direct(version: Version, headers: &HeaderMap) -> bool {
    let forwarded = |name: &str| name.starts_with("x-forwarded-") || FORWARDED.contains(&name);
    version >= Version::HTTP_11 && !headers.keys().any(|name| forwarded(name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", axum::http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let proxies: Vec<Network> = proxies.iter().map(|text| text.parse().unwrap()).collect();
        client(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn whatever_tells_of_a_proxy_is_not_direct() {
        let headers = |name: &'static str| HeaderMap::from_iter([(name.parse().unwrap(), "x".parse().unwrap())]);
        for name in ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "via", "x-real-ip"] {
            assert!(!is_direct(Version::HTTP_11, &headers(name)), "{name}");
        }
        assert!(is_direct(Version::HTTP_11, &headers("accept")));
        assert!(!is_direct(Version::HTTP_10, &headers("accept")));
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        assert_eq!(seen("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(seen("192.0.2.1", &["198.51.100.7"], &["127.0.0.1"]), "192.0.2.1");
        assert_eq!(seen("127.0.0.1", &["198.51.100.7"], &["127.0.0.1"]), "198.51.100.7");
        assert_eq!(seen("127.0.0.1", &["1.2.3.4, 198.51.100.7"], &["127.0.0.1"]), "198.51.100.7");
        assert_eq!(
            seen("127.0.0.1", &["1.2.3.4", "198.51.100.7, 10.0.0.2"], &["127.0.0.1", "10.0.0.0/8"]),
            "198.51.100.7"
        );
        assert_eq!(seen("127.0.0.1", &["é, 198.51.100.7:4711"], &["127.0.0.1"]), "198.51.100.7");
        assert_eq!(seen("127.0.0.1", &["[2001:db8::7]:443"], &["127.0.0.1"]), "2001:db8::7");
        assert_eq!(seen("127.0.0.1", &["[2001:db8::7]"], &["127.0.0.1"]), "2001:db8::7");
        assert_eq!(seen("127.0.0.1", &["nonsense"], &["127.0.0.1"]), "127.0.0.1");
        assert_eq!(seen("127.0.0.1", &[], &["127.0.0.1"]), "127.0.0.1");
    }
}
