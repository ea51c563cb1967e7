//! WHAT EACH ONE GETS: the files collected or made for one person, packed, read back.
