//! A certificate that nobody vouches for, for a LAN party: players are warned once, and compare the
//! fingerprint if they care.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, SanType};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::material::{Material, MaterialError};

/// Browsers distrust what claims to be good for longer.
const GOOD_FOR: Duration = Duration::from_hours(397 * 24);
/// Other machines' clocks differ.
const BEFORE: Duration = Duration::from_hours(24);

/// Makes a certificate for this machine, and a key that lives as long as the process.
pub(super) fn make(bind: IpAddr) -> Result<Material, MaterialError> {
    let not_made = |error: rcgen::Error| MaterialError::NotMade(error.to_string());
    let mut params = CertificateParams::new(names()).map_err(not_made)?;
    params.subject_alt_names.extend(addresses(bind).into_iter().map(SanType::IpAddress));
    params.distinguished_name.push(DnType::CommonName, "tickwire, self-signed");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = SystemTime::now();
    (params.not_before, params.not_after) = ((now - BEFORE).into(), (now + GOOD_FOR).into());
    let key = KeyPair::generate().map_err(not_made)?;
    let certificate = params.self_signed(&key).map_err(not_made)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok(Material::new(vec![certificate.der().clone()], key))
}

/// What this machine is called.
fn names() -> Vec<String> {
    let host = host_name().map(|name| name.to_ascii_lowercase());
    // Whatever else a system may be called is no name that a page can be at.
    let host = host.filter(|name| name.len() < 200 && is_dns(name) && name != "localhost");
    let local = host.as_ref().filter(|name| !name.contains('.')).map(|name| format!("{name}.local"));
    std::iter::once("localhost".to_owned()).chain(host).chain(local).collect()
}

fn is_dns(name: &str) -> bool {
    name.split('.').all(|label| {
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.len() < 64 && label.bytes().all(is_good) && !label.starts_with('-') && !label.ends_with('-')
    })
}

#[cfg(unix)]
fn host_name() -> Option<String> {
    rustix::system::uname().nodename().to_str().ok().map(str::to_owned)
}

#[cfg(not(unix))]
fn host_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}

/// Where this machine is reached.
fn addresses(bind: IpAddr) -> BTreeSet<IpAddr> {
    let interfaces = if_addrs::get_if_addrs();
    let interfaces = interfaces.inspect_err(|error| tracing::warn!(%error, "the certificate names no address of this machine but its own"));
    let own = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST), bind];
    let all = interfaces.unwrap_or_default().into_iter().map(|interface| interface.ip()).chain(own);
    all.filter(|address| !address.is_unspecified()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_page_is_at_are_left_out() {
        assert!(["den", "den.example", "a-1"].into_iter().all(is_dns));
        assert!(!["", "a b", "-a", "a-", "a..b", "ä", "a_b"].into_iter().any(is_dns));
        assert!(names().contains(&"localhost".to_owned()));
    }

    #[test]
    fn a_certificate_is_made_for_where_the_server_listens() {
        let bind = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
        assert!(addresses(bind).contains(&bind) && addresses(bind).contains(&IpAddr::V4(Ipv4Addr::LOCALHOST)));
        assert!(!addresses(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).contains(&IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        let left = make(bind).expect("made").expiry().expect("an expiry").duration_since(SystemTime::now());
        assert!(left.is_ok_and(|left| left > Duration::from_hours(390 * 24) && left <= GOOD_FOR));
    }
}
