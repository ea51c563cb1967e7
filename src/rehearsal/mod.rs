//! WHAT IF: the whole campaign on a copy.
