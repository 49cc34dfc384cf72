//! How many calls a line, an account or a gateway may have at once, over all nodes.

use std::fmt;

/// A limit of calls at once, and how many of them other nodes have. Shown as what is left to this node, which its dialplan holds exactly: `0` for no
/// limit, `full` when nothing is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cap {
    /// Calls at once, 0 for no limit.
    pub most: i32,
    /// Those of other nodes, as of a second or two ago; 0 where nobody can be asked.
    pub elsewhere: i64,
}

impl Cap {
    /// Whether other nodes have all of them.
    #[must_use]
    pub fn is_full(self) -> bool {
        self.most > 0 && self.elsewhere >= i64::from(self.most)
    }

    /// The same limit for this node alone.
    #[must_use]
    pub fn here(self) -> Cap {
        Cap { elsewhere: 0, ..self }
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_full() {
            return f.write_str("full");
        }
        write!(f, "{}", if self.most > 0 { i64::from(self.most) - self.elsewhere } else { 0 })
    }
}
