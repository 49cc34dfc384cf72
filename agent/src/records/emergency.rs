//! Lines of emergency calls, which the dialplan writes, and of their notices, which the agent writes, by `dialplan/README.md`.

use super::line::Fields;
use crate::store::location::Point;
use crate::store::record::{CallId, EmergencyCall, EmergencyNotice};

/// The kind of an emergency call's line.
pub const CALL: &str = "tandem-emergency-1";
/// The kind of a notice's line.
pub const NOTICE: &str = "tandem-notice-1";

pub(super) fn call(node: &str, fields: &mut Fields) -> Result<EmergencyCall, String> {
    let call = CallId { node: node.to_owned(), boot: fields.text()?, uniqueid: fields.text()? };
    let linkedid = fields.text()?;
    let called_at = fields.milliseconds()?.ok_or("has no beginning")?;
    let line_id = fields.optional()?;
    let [device, device_address] = fields.texts()?;
    let account_id = fields.optional()?;
    let [number, callback_number, location] = fields.texts()?;
    let (latitude, longitude) = (fields.degrees()?, fields.degrees()?);
    let location_source = fields.text()?;
    let location_placed_at = fields.milliseconds()?;
    let facility_id = fields.optional_number()?;
    let [facility_name, method] = fields.texts()?;
    let distance_m = fields.optional_number()?;
    let source = fields.text()?;
    Ok(EmergencyCall {
        call,
        linkedid,
        called_at,
        line_id,
        device,
        device_address,
        account_id,
        number,
        callback_number,
        location,
        point: latitude.zip(longitude).map(|(latitude, longitude)| Point { latitude, longitude }),
        location_source,
        location_placed_at,
        facility_id,
        facility_name,
        method,
        distance_m,
        source,
    })
}

pub(super) fn notice(node: &str, fields: &mut Fields) -> Result<EmergencyNotice, String> {
    let call = CallId { node: node.to_owned(), boot: fields.text()?, uniqueid: fields.text()? };
    let [kind, address] = fields.texts()?;
    Ok(EmergencyNotice {
        call,
        kind,
        address,
        created_at: fields.milliseconds()?.ok_or("has no beginning")?,
        delivered_at: fields.milliseconds()?.ok_or("has no end")?,
        tries: fields.number()?,
        last_error: fields.text()?,
    })
}

/// The line of a notice that was delivered, with its line end.
#[must_use]
pub fn notice_line(notice: &EmergencyNotice) -> String {
    let fields = [
        NOTICE.to_owned(),
        notice.call.boot.clone(),
        notice.call.uniqueid.clone(),
        notice.kind.clone(),
        notice.address.clone(),
        notice.created_at.timestamp_millis().to_string(),
        notice.delivered_at.timestamp_millis().to_string(),
        notice.tries.to_string(),
        notice.last_error.chars().filter(|c| !c.is_control()).take(1000).collect(),
    ];
    let quoted = fields.map(|field| format!("\"{}\"", field.replace('"', "\"\"")));
    quoted.join(",") + "\n"
}
