//! The location as `res_geolocation` puts it into the INVITE: PIDF-LO (RFC 4119, RFC 5139).
