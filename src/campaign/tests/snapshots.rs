//! What a person reads: place, line, cause and remedy, all of it at once.

use super::{SITE, findings};

#[test]
fn one_file_with_many_faults_shows_all_of_them() {
    let text =
        SITE.replace("America/Chicago", "America/Chigaco").replace("from =", "form =").replace("[msmail]", "[msmial]")
            + "[notice.change-date]\naudiense = \"remote-users\"\nat = \"two weeks before\"\n\
           [gate.disks-held]\nacknowledgement = \"disk-recieved\"\nshare = 2\n\
           [[step]]\nname = \"close-p1\"\nbefore = [\"p1-quite\"]\n";
    insta::assert_snapshot!(findings(&text));
}

#[test]
fn syntax_errors_do_not_hide_the_rest_nor_invent_more() {
    let text = SITE.replace("contact =", "contact").replace("name = \"HQ\"", "name = \"HQ\nnmae = \"HQ\"")
        + "[gate.disks-held\nshare = 2\n[notice.change-date]\nat = \"T-14\"\n";
    insta::assert_snapshot!(findings(&text));
}

#[test]
fn a_file_with_nothing_in_it_says_what_belongs_there() {
    insta::assert_snapshot!(findings(""));
}

#[test]
fn a_windows_path_in_double_quotes_has_its_own_remedy() {
    insta::assert_snapshot!(findings(&SITE.replace("\"postoffice\"", r#""M:\MAILDATA""#)));
}

#[test]
fn a_playbook_alone_asks_for_the_sites_own_facts() {
    let own = SITE.split_once("[msmail]").expect("the section").0;
    insta::assert_snapshot!(findings(own));
}
