//! Templates, and when to rest.
