//! WHAT EACH ONE READS: templates rendered, letters composed byte for byte.
