//! What may go wrong between the log and a read model, each on a real PostgreSQL and a real nats-server.
//!
//! | failure | tests in | what must hold |
//! |---|---|---|
//! | JetStream killed; its disk wiped; its stream deleted; its tail lost; its messages aged out | `stream` | the stream is the log again, from the cursor that it is itself |
//! | stray messages: behind the end, between events, before events that are in place | `stream` | they are found, and the stream is made anew |
//! | a second relay; a relay that lost its lock, or ends while PostgreSQL stands still | `stream` | one publishes, and it ends |
//! | a stream that has what PostgreSQL lost | `stream` | nothing is touched |
//! | a consumer that missed a tail, a gap, a stray message; NATS away; the log's owner away | `consumer` | each event is applied once, in order |
//! | an event that cannot be applied; rows of another history | `consumer` | the projection stops and says so |
//! | a second runner; lost connections; a checkpoint that moved | `consumer` | rows and checkpoint agree |

mod consumer;
mod stream;
