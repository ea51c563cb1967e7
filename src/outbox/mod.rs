//! GETTING IT THERE: the life of one message, and the lanes that carry it.
