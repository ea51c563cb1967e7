//! Tests with real programs: each names the ones it needs, starts its own servers on loopback in a temporary folder, and
//! stops them. Where a program is missing the test is ignored with the line that installs it; with
//! `FLAGDAY_REQUIRE_PEERS=1` it fails with that line.

#[allow(dead_code, unused_imports, reason = "each test target uses its own part of it")]
#[path = "../harness/mod.rs"]
mod harness; // the built program on a copy of the sample campaign

mod certificate; // a certificate of its own for a server that speaks TLS
mod dovecot; // a Dovecot, alone in a temporary folder
mod need; // what a test needs, and how to get it
mod postfix; // a whole Postfix, alone in a temporary folder
mod server; // a free port, and waiting without guessing
mod sink; // Postfix's smtp-sink: takes every message and keeps it
mod smtp; // the words of SMTP over a plain socket, to try the servers above

mod strace; // the system calls of a run, and the same run with one of them hit
mod sweep; // a command tried at its system calls, point by point
mod whole; // folders with modes and times

mod crowd; // thousands of messages: killed again and again, on a disk that fills up
mod dkim; // signatures checked by dkimpy
mod browser; // the confirm page in Chromium and w3m
mod floppy_images; // fsck.fat and mtools on disk images
mod packages; // what `build` writes, read by fsck.fat, mtools and unzip
mod reading_mail; // `intake` from Dovecot
mod sample_trees; // the sample's generator writes what is committed
mod sending; // `send` to smtp-sink and Postfix
mod system_calls; // every step of the cutover, killed and failed at its system calls
mod plans_change; // amend, postpone, abort, killed and failed at their system calls
mod share; // a cutover on a network share, where one is named
mod service_unit; // the unit for systemd, read by systemd
mod submission; // logins at Postfix, and what never shows
mod servers_work; // the servers above do what their callers rely on
mod volumes; // full, read-only, immutable, foreign and other volumes

fn main() -> std::process::ExitCode {
    let arguments = libtest_mimic::Arguments::from_args();
    let trials = [
        browser::trials(),
        floppy_images::trials(),
        packages::trials(),
        sample_trees::trials(),
        servers_work::trials(),
        reading_mail::trials(),
        sending::trials(),
        system_calls::trials(),
        plans_change::trials(),
        volumes::trials(),
        crowd::trials(),
        share::trials(),
        service_unit::trials(),
        submission::trials(),
        dkim::trials(),
    ];
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit_code()
}
