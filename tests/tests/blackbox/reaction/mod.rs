//! What becomes of money when the agreement that it rests on leaves force, over real services, a process each.
//!
//! | what happens | tests in | what must hold |
//! |---|---|---|
//! | termination and instruction meet, in both orders and at once | `race` | each instruction names an agreement that was in force at the position it names, and nothing follows the hold |
//! | NATS is killed; the follower is killed again and again; the owner is away | `outages` | the hold comes, once; what cannot be verified moves no money, and stops nothing else |
//! | events come twice and late, also after the grant's end | `repeats` | nothing changes |
//! | the calendar ends an agreement with nobody acting | `calendar` | the hold comes, and no money moves before it either |
//! | the directory learns a code, a merger, a dissolution, who stands for whom | `parties` | one legal person is funded once, and is one holder; nobody acts on both sides |
//! | from a framework agreement to the second tranche | `walk` | hold, resumption and the books are as they should be |
//!
//! Each ends in [`proof`]: both logs are read, and from nothing but their events it follows that no fen was paid without an
//! agreement in force.

mod calendar;
mod outages;
mod parties;
mod proof;
mod race;
mod repeats;
mod walk;
mod world;
