//! How letters go out.
