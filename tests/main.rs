//! The behaviours of the program, a file each. The names of the files read as the list.

mod harness; // the built program on a copy of the sample campaign

mod abort; // called off: the queue stops, everyone who was told hears of it, nobody else does
mod actions; // every action stands in any step of a campaign file
mod call_sheets; // whom to call and what to post, without any code
mod calendars; // rehearsals held against calendars written by hand, across changes of the clocks
mod classifying; // what comes in is what it is, in the shapes of real systems
mod hostile_mail; // mail made to do harm
mod in_doubt; // messages that nobody knows to have arrived, settled by what comes back
mod judged_again; // what opened a gate has to hold still on the evening of the change
mod loosened; // a gate that asks for less than it did is told, and in the evening does not count
mod intake; // answers come in by mail
mod changes; // facts that change in mid-rehearsal: amend in simulated time
mod credentials; // the second playbook, from `init` to the all clear, and no word of a postoffice
mod checks; // the checks of the postoffice: what they print, and what a step finds before it begins
mod chosen; // some people, or so many messages, and no others
mod corrected; // an address that is corrected while the letter to it waits
mod deciding; // waivers that run out or need two people, overrides that stay visible
mod drain; // who has fetched their mail: looked at, watched, held, from the broadcast on
mod amendments; // what people were told changes, and they with it
mod hours; // what happens when, by everybody's own clock
mod killing; // killed at any instant, the next run goes on where the files are
mod layers; // the house rules hold in the source itself
mod outdated; // whoever answers what was told before hears of it
mod made_by_hand; // what somebody did to the postoffice beside the steps is told as that, with the way out
mod mishaps; // what goes wrong in a rehearsal: no server, sleep, kill, clock, another date
mod refusals; // what the facts forbid is refused, with its code and exit code
mod echoes; // our own words that come back are no answer
mod fail_closed; // what must not open a gate, lose a notice or reach a real file
mod putting_off; // what a server puts off is told in its words, with the next try
mod rehearsal; // the rehearsal finishes, says the same twice, and touches nothing real
mod running; // exit codes, streams, locks, modes, secrets
mod sample_data; // the sample campaign is what it says
mod serving; // the page behind a link, the rounds, how `serve` starts and stops; `status --watch`
mod sources; // what packages are made of, changed since `build`, or not there
mod unread; // while a mailbox cannot be read nobody is reminded, escalated or called about
mod told_once; // another copy takes the place of what failed or waits, and who has answered gets none
mod two_packages; // a code counts for the package in which it stands
mod two_in_the_morning; // the state of the postoffice, two safe commands, what going back costs
mod walkthrough; // the whole path by hand, command by command
