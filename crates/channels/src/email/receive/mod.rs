//! How letters come in.
