//! DOING IT: steps on real files, journaled before and after, resumed or undone by looking at the files.
