//! How often a call was forwarded before it came to us: a carrier that sends back what it was sent would else go round with us for ever.

use crate::call::{Call, Step};

/// What the call's `Diversion` header (RFC 5806) says, if it has one.
pub(super) async fn before(call: &mut impl Call) -> Step<u32> {
    let headers = call.get(&["PJSIP_HEADER(read,Diversion)"]).await?;
    Ok(headers.first().map_or(0, |header| count(header)))
}

/// Each of its values counts for what it says, or once.
fn count(header: &str) -> u32 {
    let values = header.split(',').filter(|value| value.contains("sip:") || value.contains("tel:"));
    let counted = values.map(|value| {
        let counter = value.split(';').find_map(|parameter| parameter.trim().strip_prefix("counter="));
        counter.map_or(1, |counter| counter.trim().parse().unwrap_or(1))
    });
    counted.fold(0, u32::saturating_add)
}
