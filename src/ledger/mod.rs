//! WHAT WE KNOW: the database of the campaign.
