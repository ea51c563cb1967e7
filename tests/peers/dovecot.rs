//! A Dovecot of its own: one user, one Maildir, in a temporary folder, listening on loopback only.

use crate::certificate::Certificate;
use crate::need::command;
use crate::server::start_on_free_port;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use tempfile::TempDir;

/// Debian's `nobody` and `nogroup`: the mailbox is theirs.
const NOBODY: u32 = 65534;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    Clear,
    StartTls,
    Tls,
}

/// Runs until dropped. User `desk`, password `let me in`.
pub struct Dovecot {
    pub port: u16,
    pub certificate: Certificate,
    master: Child,
    folder: TempDir,
}

impl Dovecot {
    pub fn start(speaks: Speaks) -> Dovecot {
        let folder = TempDir::new().expect("a temporary folder");
        let root = folder.path();
        fs_err::set_permissions(root, PermissionsExt::from_mode(0o755)).expect("Dovecot's accounts may enter");
        for name in ["mail", "mail/new", "mail/cur", "mail/tmp"] {
            fs_err::create_dir(root.join(name)).expect("a folder");
            chown(root.join(name), Some(NOBODY), Some(NOBODY)).expect("root gives it away");
        }
        let certificate = Certificate::make(root);
        fs_err::write(root.join("users"), "desk:{PLAIN}let me in::::::\n").expect("users");
        let (master, port) = start_on_free_port(|port| {
            let at = root.display();
            let (plain, secure) = if speaks == Speaks::Tls { (0, port) } else { (port, 0) };
            let ssl = if speaks == Speaks::Clear { "no" } else { "required" };
            let config = format!(
                "protocols = imap\nlisten = 127.0.0.1\nbase_dir = {at}/run\nstate_dir = {at}/state\nlog_path = {at}/log\n\
                 first_valid_uid = 1\nmail_location = maildir:{at}/mail\nssl = {ssl}\nssl_cert = <{}\nssl_key = <{}\n\
                 disable_plaintext_auth = no\nauth_mechanisms = plain login\n\
                 passdb {{\n driver = passwd-file\n args = {at}/users\n}}\n\
                 userdb {{\n driver = static\n args = uid={NOBODY} gid={NOBODY} home={at}/mail allow_all_users=yes\n}}\n\
                 service imap-login {{\n inet_listener imap {{\n port = {plain}\n }}\n inet_listener imaps {{\n port = {secure}\n ssl = yes\n }}\n}}\n",
                certificate.certificate.display(),
                certificate.key.display(),
            );
            fs_err::write(root.join("dovecot.conf"), config).expect("dovecot.conf");
            let mut dovecot = command("dovecot");
            dovecot.arg("-F").arg("-c").arg(root.join("dovecot.conf"));
            dovecot.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("Dovecot starts")
        });
        Dovecot { port, certificate, master, folder }
    }

    /// Puts a letter into the mailbox.
    pub fn deliver(&self, name: &str, text: &str) {
        let path = self.mail("new").join(name);
        fs_err::write(&path, text).expect("a letter");
        chown(&path, Some(NOBODY), Some(NOBODY)).expect("root gives it away");
    }

    /// A folder of the Maildir.
    pub fn mail(&self, folder: &str) -> PathBuf {
        self.folder.path().join("mail").join(folder)
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", fs_err::read_to_string(self.folder.path().join("log")).unwrap_or_default());
        }
        // Its own children end with it on SIGTERM, which `Child` cannot send.
        command("kill").arg(self.master.id().to_string()).status().ok();
        self.master.wait().ok();
    }
}
