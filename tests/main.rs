//! The behaviours of the program, a file each. The names of the files read as the list.

mod layers; // the house rules hold in the source itself
mod sample_data; // the sample campaign is what it says
