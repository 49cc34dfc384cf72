//! Sealed parts as the buffer ships them. Taps put them into the spool themselves.

use std::io;

use super::item;
use crate::buffer::segment::Segment;
use crate::buffer::spool::Spool;
use crate::buffer::{Cargo, Unsent};
use crate::store::interception::{Part, Sealed};
use crate::store::writer::{Unwritten, Writer};

/// What was intercepted.
#[derive(Debug)]
pub struct Interceptions {
    /// Writes the central data.
    pub writer: Writer,
}

impl Cargo for Interceptions {
    const NAME: &'static str = "interceptions";
    type Row = (Part, Sealed);

    fn gather(&mut self, _spool: &Spool) -> io::Result<Vec<Segment>> {
        Ok(Vec::new())
    }

    fn survey(&mut self, _spool: &Spool, _segment: &Segment) -> io::Result<u64> {
        Ok(1)
    }

    fn row_length(&self, bytes: &[u8], ended: bool) -> Option<usize> {
        item::length(bytes, ended)
    }

    fn read(&mut self, _node: &str, row: &[u8]) -> Result<(Part, Sealed), String> {
        item::read(row)
    }

    async fn send(&mut self, rows: &[(Part, Sealed)]) -> Result<(), Unsent> {
        for (part, sealed) in rows {
            self.writer.add_interception(part, sealed).await.map_err(|error| match error {
                Unwritten::Later(error) => Unsent::Later(error.to_string()),
                Unwritten::Refused(why) => Unsent::Refused(why),
            })?;
        }
        Ok(())
    }
}
