//! WHAT HAPPENED: status, people, report.
