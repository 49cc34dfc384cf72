//! [`Call`](crate::call::Call), once for each way a call reaches the agent.

pub mod ari;
pub mod fastagi;
pub mod simulator;
