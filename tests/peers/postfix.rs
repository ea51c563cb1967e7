//! A whole Postfix of its own: configuration, queue, mail and log in one temporary folder, listening on loopback only.
//! It has no transport that leaves the machine.

use crate::certificate::Certificate;
use crate::need::command;
use crate::server::{start_on_free_port, wait_for};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use tempfile::TempDir;

/// Debian's `nobody` and `nogroup`: Postfix delivers as somebody who owns nothing else.
const NOBODY: u32 = 65534;

pub enum Delivery {
    /// Every message is accepted and thrown away.
    Discard,
    /// Mail for these addresses, with or without a `+tag`, goes to a [`Postfix::messages`] of their own. Any other
    /// recipient is taken and bounces, with a real delivery status notification.
    Maildir(&'static [&'static str]),
}

/// How the server knows its one user: Dovecot answers for the password, over a socket (SASL).
struct Login<'a> {
    mechanisms: &'static str,
    user: (&'a str, &'a str),
}

impl Login<'_> {
    /// The program that answers; it listens at `sasl`.
    fn start(&self, root: &Path) -> Child {
        let at = root.display();
        let (name, password) = self.user;
        fs_err::write(root.join("config/users"), format!("{name}:{{PLAIN}}{password}\n")).expect("users");
        let config = format!(
            "protocols =\nssl = no\nbase_dir = {at}/dovecot\nstate_dir = {at}/dovecot\nlog_path = {at}/sasl.log\n\
             auth_failure_delay = 0\n\
             auth_mechanisms = {}\n\
             passdb {{\n driver = passwd-file\n args = {at}/config/users\n}}\n\
             userdb {{\n driver = static\n args = uid={NOBODY} gid={NOBODY} home={at}/mail\n}}\n\
             service anvil {{\n unix_listener anvil-auth-penalty {{\n mode = 0\n }}\n}}\n\
             service auth {{\n unix_listener {at}/sasl {{\n mode = 0666\n }}\n}}\n",
            self.mechanisms.to_lowercase()
        );
        fs_err::write(root.join("config/dovecot.conf"), config).expect("dovecot.conf");
        let mut dovecot = command("dovecot");
        dovecot.arg("-F").arg("-c").arg(root.join("config/dovecot.conf"));
        let child = dovecot.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("Dovecot starts");
        wait_for("Dovecot answers for passwords", || root.join("sasl").exists());
        child
    }

    /// The lines of main.cf.
    fn lines(root: &Path) -> String {
        format!(
            "smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {}/sasl
smtpd_tls_auth_only = yes
smtpd_error_sleep_time = 0
smtpd_client_restrictions = permit_sasl_authenticated, reject
",
            root.display()
        )
    }
}

/// Runs until dropped.
pub struct Postfix {
    pub port: u16,
    /// Of the server, when it offers STARTTLS.
    pub certificate: Option<Certificate>,
    master: Child,
    /// Dovecot, where users log in.
    passwords: Option<Child>,
    folder: TempDir,
}

impl Postfix {
    pub fn start(delivery: &Delivery, tls: bool) -> Postfix {
        Postfix::begin(delivery, tls, None)
    }

    /// Takes mail only from this user, with password, by one of these SASL mechanisms behind STARTTLS. Its certificate is
    /// as plain `openssl` makes it.
    pub fn submission(delivery: &Delivery, mechanisms: &'static str, user: (&str, &str)) -> Postfix {
        Postfix::begin(delivery, true, Some(Login { mechanisms, user }))
    }

    fn begin(delivery: &Delivery, tls: bool, login: Option<Login>) -> Postfix {
        let folder = TempDir::new().expect("a temporary folder");
        let root = folder.path();
        fs_err::set_permissions(root, PermissionsExt::from_mode(0o755)).expect("Postfix's accounts may enter");
        for name in ["config", "queue", "mail"] {
            fs_err::create_dir(root.join(name)).expect("a folder");
        }
        chown(root.join("mail"), Some(NOBODY), Some(NOBODY)).expect("root gives it away");
        let certificate = tls.then(|| match &login {
            Some(_) => Certificate::make_authority(root),
            None => Certificate::make(root),
        });
        let mut main = main_cf(root, delivery, certificate.as_ref());
        let passwords = login.map(|login| {
            main.push_str(&Login::lines(root));
            login.start(root)
        });
        fs_err::write(root.join("config/main.cf"), main).expect("main.cf");
        fs_err::write(root.join("config/mailboxes"), mailboxes(delivery)).expect("mailboxes");

        let (master, port) = start_on_free_port(|port| {
            fs_err::write(root.join("config/master.cf"), master_cf(port)).expect("master.cf");
            postfix(root).arg("start-fg").stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("Postfix starts")
        });
        Postfix { port, certificate, master, passwords, folder }
    }

    /// The Maildir of an address; it appears with the first message.
    pub fn maildir(&self, address: &str) -> PathBuf {
        self.folder.path().join("mail").join(address)
    }

    /// The messages of an address, in no order; each as Postfix stored it, with line feeds alone.
    pub fn messages(&self, address: &str) -> Vec<String> {
        let Ok(entries) = fs_err::read_dir(self.maildir(address).join("new")) else { return Vec::new() };
        let text = |path| String::from_utf8_lossy(&fs_err::read(path).expect("a message")).into_owned();
        entries.map(|entry| text(entry.expect("an entry").path())).collect()
    }

    /// Everything Postfix has logged.
    pub fn log(&self) -> String {
        fs_err::read_to_string(self.folder.path().join("mail.log")).unwrap_or_default()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        // `abort` does not wait for deliveries. A master that has ended by itself has nothing to abort.
        postfix(self.folder.path()).arg("abort").status().ok();
        self.master.wait().ok();
        if let Some(mut dovecot) = self.passwords.take() {
            // Its own children end with it on SIGTERM, which `Child` cannot send.
            command("kill").arg(dovecot.id().to_string()).status().ok();
            dovecot.wait().ok();
        }
    }
}

fn postfix(root: &Path) -> std::process::Command {
    let mut command = command("postfix");
    command.arg("-c").arg(root.join("config")).stderr(Stdio::null());
    command
}

fn main_cf(root: &Path, delivery: &Delivery, certificate: Option<&Certificate>) -> String {
    let root = root.display();
    let mut text = format!(
        "compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file = {root}/mail.log
maillog_file_prefixes = {root}
myhostname = postfix.test.example
mydestination =
alias_maps =
local_recipient_maps =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtputf8_enable = yes
"
    );
    match delivery {
        Delivery::Discard => text.push_str("default_transport = discard:\n"),
        Delivery::Maildir(addresses) => text.push_str(&format!(
            "default_transport = error:5.1.2 this server knows no way to that domain
smtpd_reject_unlisted_recipient = no
virtual_transport = virtual
virtual_mailbox_domains = {}
virtual_mailbox_base = {root}/mail
virtual_mailbox_maps = texthash:{root}/config/mailboxes
virtual_uid_maps = static:{NOBODY}
virtual_gid_maps = static:{NOBODY}
recipient_delimiter = +
",
            addresses.iter().filter_map(|address| Some(address.split_once('@')?.1)).collect::<Vec<_>>().join(", ")
        )),
    }
    if let Some(Certificate { certificate, key }) = certificate {
        text.push_str(&format!(
            "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {}\nsmtpd_tls_key_file = {}\n",
            certificate.display(),
            key.display()
        ));
    }
    text
}

/// A Maildir for each address, named like it.
fn mailboxes(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Discard => String::new(),
        Delivery::Maildir(addresses) => addresses.iter().map(|address| format!("{address} {address}/\n")).collect(),
    }
}

/// The services of master(5) that receiving, queueing, bouncing and local delivery need; no `smtp` client among them.
fn master_cf(port: u16) -> String {
    let mut text = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
    for (service, kind, private, wake, limit, program) in [
        ("cleanup", "unix", "n", "-", "0", "cleanup"),
        ("qmgr", "unix", "n", "300", "1", "qmgr"),
        ("tlsmgr", "unix", "-", "1000?", "1", "tlsmgr"),
        ("rewrite", "unix", "-", "-", "-", "trivial-rewrite"),
        ("bounce", "unix", "-", "-", "0", "bounce"),
        ("defer", "unix", "-", "-", "0", "bounce"),
        ("trace", "unix", "-", "-", "0", "bounce"),
        ("verify", "unix", "-", "-", "1", "verify"),
        ("flush", "unix", "n", "1000?", "0", "flush"),
        ("proxymap", "unix", "-", "-", "-", "proxymap"),
        ("error", "unix", "-", "-", "-", "error"),
        ("retry", "unix", "-", "-", "-", "error"),
        ("discard", "unix", "-", "-", "-", "discard"),
        ("virtual", "unix", "-", "-", "-", "virtual"),
        ("anvil", "unix", "-", "-", "1", "anvil"),
        ("postlog", "unix-dgram", "n", "-", "1", "postlogd"),
    ] {
        let unprivileged = if program == "virtual" { "n" } else { "-" };
        text.push_str(&format!("{service} {kind} {private} {unprivileged} n {wake} {limit} {program}\n"));
    }
    text
}
