//! `serve`: the page behind a link, the rounds of the schedule, and how it starts and stops.

use crate::harness::http::{ask, get, nonce, post};
use crate::harness::{Campaign, FUTURE, Served};
use flagday::engine::Engine;
use flagday::system::{Real, World};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const WEB: &str = "[web]\npublic_url = \"http://127.0.0.1:8480\"";

/// Everything is built, nothing is due.
fn built() -> Campaign {
    let campaign = Campaign::ready().change_at(FUTURE);
    campaign.append(WEB).run("build").ends(0);
    campaign
}

/// The disks go out now: their hour came an hour ago.
fn due() -> Campaign {
    let campaign = built();
    let at = hour_ago();
    campaign.append(&format!("[notice.change-date]\nat = {at}"));
    campaign
}

#[expect(clippy::disallowed_methods, reason = "a notice that is due now needs to know when now is")]
fn hour_ago() -> String {
    let now = chrono::Utc::now().with_timezone(&chrono_tz::America::Chicago);
    (now - chrono::Duration::hours(1)).format("%Y-%m-%dT%H:%M:00").to_string()
}

/// Until it holds; the harness has no patience for ever.
#[expect(clippy::disallowed_methods, reason = "another process works on real time")]
fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain: {what}");
}

fn grade(campaign: &Campaign, person: &str) -> String {
    let rows = campaign.run(&format!("who --person {person} --json")).ends(0).json();
    let rows = rows.as_array().or_else(|| rows["people"].as_array()).expect("rows").clone();
    rows[0]["grade"].as_str().expect("a grade").to_owned()
}

#[test]
fn it_asks_before_it_may_send_and_needs_no_yes_for_pages_alone() {
    let campaign = built();
    campaign.run("serve --listen 127.0.0.1:0").ends(3).refuses("not-confirmed");
    let pages = campaign.serve(|command| {
        command.arg("--pages-only");
    });
    assert_eq!(get(pages.address, "/healthz").body, "ok\n");
    assert!(get(pages.address, "/").body.contains("off: this server shows pages only"));
    let taken = pages.address.to_string();
    campaign.run_words(&["serve", "--yes", "--listen", &taken]).ends(1).refuses("listen");
}

#[test]
fn the_link_in_the_mail_takes_the_code_and_the_gate_counts_it() {
    let campaign = built();
    campaign.run("send change-date --yes").ends(0);
    let served = campaign.serve(|_| ());
    let (page, code) = (campaign.link("LINDBERG"), campaign.code("LINDBERG"));
    let form = get(served.address, &page);
    assert_eq!(form.status, 200, "{}", form.body);
    assert_eq!(ask(served.address, &format!("HEAD {page} HTTP/1.1"), "").body, "");
    let fields = |typed| [("nonce", nonce(&form.body)), ("answer", "done"), ("typed", typed)];
    assert_eq!(post(served.address, &page, &fields("")).status, 422);
    assert_eq!(grade(&campaign, "LINDBERG"), "sent");
    let reply = post(served.address, &page, &fields(&code));
    assert_eq!(reply.status, 303, "{}", reply.body);
    assert!(get(served.address, &page).body.contains("Thank you"));
    assert_eq!(grade(&campaign, "LINDBERG"), "possessed");
    let gates = campaign.run("status --json").ends(0).json();
    assert_eq!((&gates["gates"][0]["satisfied"], &gates["gates"][0]["of"]), (&1.into(), &12.into()));
    campaign.run("audit verify").ends(0);
    served.terminate();
    let (status, said) = served.end();
    assert!(status.success(), "{said}");
    for secret in [&code, page.strip_prefix("/c/").expect("a link"), "LINDBERG"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}

/// A reminder's link is of the newest revision, whomever that concerned.
#[test]
fn a_code_counts_on_the_page_until_its_own_package_is_replaced() {
    let campaign = built();
    campaign.run("send change-date --yes").ends(0);
    let code = campaign.code("LINDBERG");
    let amended = |person: &str| {
        campaign.poke(&format!("disks/{person}/CONNECT.GLB"), 400, 0x5a);
        campaign.run("build").ends(0);
        campaign.run("amend --yes").ends(0);
    };
    let link = |person: &str, revision| {
        let engine = Engine::open(campaign.root(), &Real).expect("opened");
        let link = engine.confirm_link(person, "disk-received", revision, Real.now()).expect("a page");
        link.strip_prefix("http://127.0.0.1:8480").expect("its address").to_owned()
    };
    let typed = |served: &Served, page: &str, typed: &str| {
        let form = get(served.address, page);
        post(served.address, page, &[("nonce", nonce(&form.body)), ("answer", "done"), ("typed", typed)])
    };
    let carter = campaign.code("CARTER");
    amended("HARRIS");
    let served = campaign.serve(|command| {
        command.arg("--pages-only");
    });
    let page = link("LINDBERG", 2);
    assert_eq!(typed(&served, &page, &code).status, 303);
    assert!(get(served.address, &page).body.contains("Thank you"));
    assert!(get(served.address, &link("LINDBERG", 1)).body.contains("Thank you"), "by whichever link");
    assert_eq!(grade(&campaign, "LINDBERG"), "possessed");
    served.terminate();
    served.end();

    amended("CARTER");
    let served = campaign.serve(|command| {
        command.arg("--pages-only");
    });
    let page = link("CARTER", 3);
    let old = typed(&served, &page, &carter);
    assert!(old.status == 422 && old.body.contains("older package"), "{}", old.body);
    assert_eq!(typed(&served, &page, &carter).status, 429, "counted, and slowed like anything wrong");
    assert_eq!(grade(&campaign, "CARTER"), "sent");
    served.terminate();
    served.end();
}

#[test]
fn a_link_of_another_campaign_is_no_link_here() {
    let (one, other) = (built(), built());
    one.run("send change-date --yes").ends(0);
    other.run("send change-date --yes").ends(0);
    let served = other.serve(|_| ());
    assert_eq!(get(served.address, &one.link("LINDBERG")).status, 404);
    assert_eq!(get(served.address, &other.link("LINDBERG")).status, 200);
}

#[test]
fn what_is_due_goes_out_once_however_many_do_the_rounds() {
    let campaign = due();
    let first = campaign.serve(|_| ());
    let second = campaign.serve(|_| ());
    for _ in 0..3 {
        let run = campaign.run("tick --yes");
        assert!([0, 5].contains(&run.code), "{run}");
    }
    wait_for("twelve mails", || campaign.outbox("-change_date-").len() >= 12);
    let metrics = get(first.address, "/metrics").body;
    assert!(metrics.contains("flagday_scheduler_up 1\n"), "{metrics}");
    for served in [first, second] {
        served.terminate();
        let (status, said) = served.end();
        assert!(status.success(), "{said}");
    }
    assert_eq!(campaign.outbox("-change_date-").len(), 12);
    campaign.run("tick --yes").ends(0);
    assert_eq!(campaign.outbox("-change_date-").len(), 12);
    let counts = campaign.run("status --json").ends(0).json()["messages"].clone();
    assert_eq!((&counts["sent"], &counts["uncertain"]), (&12.into(), &0.into()), "{counts}");
}

/// A mail server that tells when a whole message has come, and answers it when it is told to.
fn slow_server(listener: TcpListener, came: std::sync::mpsc::Sender<()>, answer: std::sync::mpsc::Receiver<()>) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else { return };
        let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
        let say = |text: &str| (&stream).write_all(text.as_bytes()).is_ok();
        let mut in_data = false;
        say("220 slow\r\n");
        while let Some(Ok(line)) = lines.next() {
            let reply = match (in_data, line.to_ascii_uppercase().as_str()) {
                (true, ".") => {
                    in_data = false;
                    if came.send(()).is_err() || answer.recv().is_err() {
                        return;
                    }
                    "250 taken\r\n"
                }
                (true, _) => continue,
                (false, "DATA") => {
                    in_data = true;
                    "354 go on\r\n"
                }
                (false, "QUIT") => "221 bye\r\n",
                _ => "250 ok\r\n",
            };
            if !say(reply) {
                break;
            }
        }
    }
}

#[test]
fn sigterm_finishes_the_message_in_hand_and_no_other() {
    let campaign = due();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let file = "transport = \"file\" # one .eml a message in .flagday/outbox/; \"smtp://127.0.0.1:2525\" sends them";
    campaign.edit(file, &format!("transport = \"smtp://127.0.0.1:{port}\"\nconnections = 1"));
    let (came, coming) = std::sync::mpsc::channel();
    let (answer, answers) = std::sync::mpsc::channel();
    std::thread::spawn(move || slow_server(listener, came, answers));
    let served = campaign.serve(|_| ());
    coming.recv_timeout(Duration::from_secs(30)).expect("a message comes");
    // While the round waits for the server, answers are served and taken.
    assert_eq!(get(served.address, "/healthz").status, 200);
    assert_eq!(get(served.address, "/").status, 200);
    served.terminate();
    wait_for("nothing new is accepted", || TcpStream::connect(served.address).is_err());
    answer.send(()).expect("the server waits");
    let (status, said) = served.end();
    assert!(status.success() && said.contains("stopping"), "{said}");
    let counts = campaign.run("status --json").ends(0).json()["messages"].clone();
    assert_eq!(
        (&counts["sent"], &counts["planned"], &counts["uncertain"]),
        (&1.into(), &11.into(), &0.into()),
        "{counts}"
    );
}

/// The service manager's side of `sd_notify(3)`.
struct Manager {
    socket: UnixDatagram,
    folder: tempfile::TempDir,
}

impl Manager {
    fn listens() -> Manager {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = UnixDatagram::bind(folder.path().join("notify")).expect("a socket");
        Manager { socket, folder }
    }

    /// Serves with a watchdog of so long.
    fn starts(&self, campaign: &Campaign, watchdog: Duration) -> Served {
        campaign.serve(|command| {
            command.env("NOTIFY_SOCKET", self.folder.path().join("notify"));
            command.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        })
    }

    /// The next word, unless there is none for so long.
    fn word(&self, patience: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(patience)).expect("a timeout");
        let mut bytes = [0; 1_024];
        let count = self.socket.recv(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes[..count]).into_owned())
    }

    fn hears(&self, wanted: &str) {
        loop {
            let word = self.word(Duration::from_secs(30)).unwrap_or_else(|| panic!("{wanted} did not come"));
            if word.starts_with(wanted) {
                return;
            }
        }
    }

    /// Times the watchdog for a while, as systemd does: how long it was kept waiting at most.
    fn longest_wait(&self, during: Duration) -> Duration {
        let begun = Instant::now();
        let (mut fed, mut longest) = (begun, Duration::ZERO);
        while let Some(left) = during.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) {
            let word = self.word(left);
            longest = longest.max(fed.elapsed());
            if word.as_deref() == Some("WATCHDOG=1") {
                fed = Instant::now();
            }
        }
        longest
    }
}

const WATCHDOG: Duration = Duration::from_secs(3);

#[test]
fn the_service_manager_hears_ready_progress_and_stopping() {
    let (campaign, manager) = (built(), Manager::listens());
    let served = manager.starts(&campaign, WATCHDOG);
    manager.hears("READY=1");
    manager.hears("STATUS=next: ");
    manager.hears("WATCHDOG=1");
    // Nothing is due for years, and a round is every minute at least: it is the watchdog that is followed.
    let longest = manager.longest_wait(Duration::from_secs(4));
    assert!(longest < WATCHDOG, "kept waiting for {longest:?}");
    served.terminate();
    manager.hears("STOPPING=1");
    assert!(served.end().0.success());
}

#[test]
fn a_server_that_takes_its_time_is_no_hang() {
    let (campaign, manager) = (due(), Manager::listens());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    campaign.edit("transport = \"file\"", &format!("transport = \"smtp://{address}\""));
    let served = manager.starts(&campaign, WATCHDOG);
    // Five minutes are its due before it greets.
    let silent = listener.accept().expect("it calls");
    manager.hears("WATCHDOG=1");
    let longest = manager.longest_wait(Duration::from_secs(4));
    assert!(longest < WATCHDOG, "kept waiting for {longest:?}");
    served.terminate();
    manager.hears("STOPPING=1");
    assert!(served.end().0.success());
    drop(silent);
}

#[test]
fn a_round_that_hangs_feeds_no_watchdog_though_the_pages_are_served() {
    let (campaign, manager) = (built(), Manager::listens());
    // A password that comes once somebody writes it.
    let pipe = campaign.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let mailbox = "imap = \"imap://desk@127.0.0.1:1/INBOX\"\npassword_command = \"cat pipe\"";
    campaign.append(&format!("[[intake.mailbox]]\n{mailbox}"));
    let watchdog = Duration::from_secs(1);
    let served = manager.starts(&campaign, watchdog);
    manager.hears("READY=1");
    let words = (0..20).map_while(|_| manager.word(watchdog * 2)).count();
    assert!(words < 20, "it went on all the time");
    assert_eq!(get(served.address, "/healthz").body, "ok\n");
    assert_eq!(manager.word(watchdog / 2), None);
    drop(fs_err::OpenOptions::new().write(true).open(&pipe).expect("it is read"));
    manager.hears("WATCHDOG=1");
}

#[test]
fn slow_and_idle_clients_hold_nobody_up_and_are_let_go() {
    let campaign = built();
    campaign.run("send change-date --yes").ends(0);
    let served = campaign.serve(|command| {
        command.args(["--pages-only", "--quiet"]);
    });
    let idle: Vec<TcpStream> = (0..1_000).map(|_| TcpStream::connect(served.address).expect("accepted")).collect();
    let mut slow = TcpStream::connect(served.address).expect("accepted");
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: ").expect("taken");
    assert_eq!(get(served.address, "/healthz").body, "ok\n");
    assert_eq!(get(served.address, "/metrics").status, 200);
    // Others are served within a second. The quickest of ten: this machine may have other work.
    let took = |path: &str| {
        let begun = Instant::now();
        assert_eq!(get(served.address, path).status, 200);
        begun.elapsed()
    };
    let quickest = |path: &str| (0..10).map(|_| took(path)).min().expect("ten of them");
    let page = campaign.link("LINDBERG");
    assert!(quickest("/healthz") < Duration::from_secs(1) && quickest(&page) < Duration::from_secs(1));
    let large = ask(served.address, &format!("GET /healthz HTTP/1.1\r\nX: {}", "a".repeat(9_000)), "");
    assert_eq!(large.status, 431);
    // Ten seconds for the headers; then the connection is closed, with or without a word.
    slow.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).expect("closed by the server");
    assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
    drop(idle);
}

#[test]
fn nothing_but_http_and_nothing_but_loopback_is_needed() {
    let campaign = built();
    let served: Served = campaign.serve(|command| {
        command.arg("--pages-only");
    });
    for text in ["\r\n\r\n", "HELO there\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{16}\u{3}\u{1}"] {
        let mut stream = TcpStream::connect(served.address).expect("accepted");
        stream.write_all(text.as_bytes()).expect("taken");
        stream.shutdown(std::net::Shutdown::Write).expect("half closed");
        stream.read_to_end(&mut Vec::new()).ok();
    }
    assert_eq!(get(served.address, "/healthz").body, "ok\n");
}

#[test]
fn a_watched_status_is_printed_once_for_each_change() {
    let campaign = built();
    campaign.run("send change-date --yes").ends(0);
    let mut watch = Command::new(env!("CARGO_BIN_EXE_flagday"))
        .arg("-C")
        .arg(campaign.root())
        .args(["status", "--watch", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(watch.stdout.take().expect("piped")).lines();
    let mut satisfied = || {
        let line = lines.next().expect("a line").expect("UTF-8");
        let status: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        status["gates"][0]["satisfied"].as_u64()
    };
    assert_eq!(satisfied(), Some(0));
    let code = campaign.code("WEISS");
    campaign.run(&format!("ack record WEISS --by Pat --code {code} --note phone")).ends(0);
    assert_eq!(satisfied(), Some(1));
    watch.kill().expect("it runs");
    watch.wait().expect("it ends");
}

#[test]
fn the_rounds_read_the_mailboxes_before_they_remind() {
    let campaign = built();
    campaign.append("[[intake.mailbox]]\nmaildir = \"Maildir\"\n");
    campaign.run("send change-date --yes").ends(0);
    let answer = |person: &str, address: &str| {
        let notice = campaign.outbox(&format!("{person}-")).pop().expect("a notice");
        let text = String::from_utf8_lossy(&fs_err::read(notice).expect("readable")).into_owned();
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).expect("there");
        let (to, id) = (field("Reply-To"), field("Message-ID"));
        let letter =
            format!("From: {address}\nTo: {to}\nIn-Reply-To: {id}\nSubject: Re: disk\n\n{}\n", campaign.code(person));
        campaign.write(&format!("Maildir/new/{person}"), letter);
    };
    answer("WEISS", "weiss@hq.corp.example");
    campaign.run("tick --yes").ends(0).says("1 letter read, 1 new: 1 reply");
    assert_eq!(grade(&campaign, "WEISS"), "possessed");
    answer("LEROY", "leroy@hq.corp.example");
    let served = campaign.serve(|_| ());
    wait_for("the round reads the mailbox", || grade(&campaign, "LEROY") == "possessed");
    served.terminate();
    let (status, said) = served.end();
    assert!(status.success() && said.contains("1 letter came in"), "{said}");
}
