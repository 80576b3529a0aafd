//! Bad requests: every fault at its field, all at once.
