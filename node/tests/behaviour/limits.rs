//! What peers cannot make grow.
