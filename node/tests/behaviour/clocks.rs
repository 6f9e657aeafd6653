//! Clocks that are off.
