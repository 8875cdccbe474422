//! What a letter says, by whom, and how far it can be believed.
