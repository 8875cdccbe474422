//! From a letter to an event.
