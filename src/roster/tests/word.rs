//! Finding one person by what somebody typed.

use super::*;

fn roster() -> Roster {
    sound(
        "id,name,mailbox,email\n\
         ann,Ann Miller,ANNM,ann@corp.example\n\
         bob,Bob Miller,BOBM,bob@corp.example\n\
         bob2,bob miller,BOB2,bob2@corp.example\n\
         annm,Anna Meier,ANNA,anna@corp.example\n",
    )
}

#[test]
fn a_person_is_found_by_id_mailbox_address_or_whole_name_in_any_case() {
    let roster = roster();
    for (word, id) in [
        ("ann", "ann"),
        ("ANN", "ann"),
        (" Bob2 ", "bob2"),
        ("bobm", "bob"),
        ("Anna@Corp.Example", "annm"),
        ("ann MILLER", "ann"),
        // The id comes before the mailbox.
        ("ANNM", "annm"),
    ] {
        assert_eq!(roster.find(word).map(|person| person.id.as_str()), Ok(id), "{word}");
    }
}

#[test]
fn a_name_that_two_bear_and_a_part_of_a_name_find_nobody() {
    let roster = roster();
    let said = |word| shown(&[roster.find(word).expect_err("nobody")]);
    insta::assert_snapshot!(said("Bob Miller"), @r" Error ambiguous-person: 'Bob Miller' is more than one person | name one by id: 'bob', 'bob2'");
    insta::assert_snapshot!(said("miller"), @r" Error unknown-person: nobody in the rosters is 'miller' | did you mean 'ann', 'bob', 'bob2'?");
    insta::assert_snapshot!(said("anm"), @r" Error unknown-person: nobody in the rosters is 'anm' | did you mean 'ann'?");
    insta::assert_snapshot!(said("zzzzzzzz"), @r" Error unknown-person: nobody in the rosters is 'zzzzzzzz' | name a person by id, mailbox, address or whole name; `flagday who` lists them");
    insta::assert_snapshot!(said(""), @r" Error unknown-person: nobody in the rosters is '' | name a person by id, mailbox, address or whole name; `flagday who` lists them");
    insta::assert_snapshot!(said("\u{1b}[2J"), @r" Error unknown-person: nobody in the rosters is ' [2J' | name a person by id, mailbox, address or whole name; `flagday who` lists them");
}
