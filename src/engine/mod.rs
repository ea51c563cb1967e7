//! WHEN: the stages put together.
