//! THE FACE at the keyboard: one file a command.
