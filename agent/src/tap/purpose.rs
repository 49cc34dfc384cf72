//! What a channel is tapped for. Each purpose has its own end ([`super::cargo`]).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::store::recording::{Notice, Order, Policy};

/// What a channel is tapped for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A recording that the account may hear.
    Recording(Wanted),
}

/// Who wants a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The order, if there is one.
    pub order_id: Option<Uuid>,
    /// Who ordered it.
    pub ordered_by: String,
    /// The account whose recording it is.
    pub account_id: Option<String>,
    /// Days for which it is kept, 0 for ever.
    pub days: i32,
    /// Seconds between two beeps that both sides hear, 0 for one at the start; `None` for none.
    pub beep_seconds: Option<i32>,
}

impl Wanted {
    /// What an order wants.
    #[must_use]
    pub fn by(order: &Order) -> Wanted {
        Wanted {
            order_id: Some(order.id),
            ..Wanted::without_order(&order.ordered_by, Some(order.account_id.clone()), &order.policy)
        }
    }

    /// What somebody wants of one call, by the rules of its account.
    #[must_use]
    pub fn without_order(ordered_by: &str, account_id: Option<String>, policy: &Policy) -> Wanted {
        Wanted {
            order_id: None,
            ordered_by: ordered_by.to_owned(),
            account_id,
            days: policy.days,
            beep_seconds: (policy.notice == Notice::Beep).then_some(policy.beep_seconds),
        }
    }
}

impl Purpose {
    /// The order by which it is, if there is one.
    #[must_use]
    pub fn order_id(&self) -> Option<Uuid> {
        match self {
            Purpose::Recording(wanted) => wanted.order_id,
        }
    }
}
