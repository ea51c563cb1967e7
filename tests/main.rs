//! The behaviours of the program, a file each. The names of the files read as the list.
