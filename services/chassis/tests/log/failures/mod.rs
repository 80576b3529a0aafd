//! The failures that the log was designed for, each on a real PostgreSQL.
//!
//! | failure | tests in | what must hold |
//! |---|---|---|
//! | two and more replicas at one budget; repeats of a request sent to each | `replicas` | nothing overdrawn, nothing twice, nobody starves |
//! | a connection lost in a commit: before the batch arrives, before the answer does | `outcome` | the batch is there once, and its answers are right |
//! | a backend frozen with an unread batch, then thawed, before and after the batch was written again, or another replica wrote there | `outcome` | as above |
//! | a backend that falls silent, a table that is locked | `outcome` | the writer gives the connection up and goes on |
//! | PostgreSQL killed in commits; stopped; connections ended; a full disk; a database that lost events | `postgres` | nothing acknowledged is lost, nothing is there twice |
//! | a long foreign snapshot | `postgres` | a commit costs what it did |
//! | a poisoned command in a batch of hundreds: it panics, or PostgreSQL refuses it, or its event is too large; an unreadable event | `poison` | it fails alone |
//! | cold loads racing the head, with and without room for what they load | `cold` | every state is as the events tell it |
//! | bounds: waiting bytes, waiting commands, cache, refusals kept; events kept for loads | `bounds`; `cold` | what is beyond is turned away, the rest goes on |
//! | a clock that goes back, or differs from PostgreSQL's | `clock` | `recorded_at` never goes back; nothing is written with a wrong time |
//! | shutdown under load, behind a slow commit, and without PostgreSQL | `shutdown` | what is in is answered |

mod bounds;
mod clock;
mod cold;
mod outcome;
mod poison;
mod postgres;
mod replicas;
mod shutdown;
