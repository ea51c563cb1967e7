//! THE POSTOFFICE: what is documented of a Microsoft Mail postoffice, checked.
