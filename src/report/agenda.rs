//! The calendar as a person reads it: a heading for each moment, under it what happens then, and to how many.

use crate::engine::{Engine, Planned};
use crate::fault::Result;
use chrono::{DateTime, Duration, Utc};

/// One moment of the campaign, at which the clocks of its people may stand at different hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// As it stands in the file: `T-14d 09:00`.
    pub moment: String,
    /// When it comes for the first and for the last of its people.
    pub first: DateTime<Utc>,
    pub last: DateTime<Utc>,
    /// By the clock of those it concerns, where all of them have the same and it is another than the campaign's.
    pub there: Option<String>,
    pub lines: Vec<Line>,
}

/// What happens at a moment, with all whom it concerns in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub what: String,
    pub notice: String,
    pub audience: String,
    pub people: usize,
    pub state: String,
    pub why: String,
}

/// Clocks are no farther apart than from UTC-12 to UTC+14, and a summer's hour. What was put off beyond that has an hour of
/// its own.
const ZONES: Duration = Duration::hours(28);

/// The moments in the order in which each begins. `plan` has a row for each zone of an audience.
pub fn agenda(rows: &[Planned]) -> Vec<Moment> {
    let mut moments: Vec<Moment> = Vec::new();
    for row in rows {
        // What has no name in the file happens at an instant.
        let near = |it: &Moment| row.at - it.first < ZONES && it.first - row.at < ZONES;
        let same =
            |it: &Moment| it.moment == row.moment && if row.moment.is_empty() { it.first == row.at } else { near(it) };
        let at = moments.iter().position(same).unwrap_or_else(|| {
            moments.push(Moment {
                moment: row.moment.clone(),
                first: row.at,
                last: row.at,
                there: row.local.clone(),
                lines: Vec::new(),
            });
            moments.len() - 1
        });
        moments[at].add(row);
    }
    moments
}

/// The next moments at which something is not done; what is due or held stands first, because its hour has come.
pub fn coming(engine: &Engine, most: usize) -> Result<Vec<Moment>> {
    let open: Vec<Planned> = engine.plan(None)?.into_iter().filter(|planned| planned.state != "done").collect();
    let mut moments = agenda(&open);
    moments.truncate(most);
    Ok(moments)
}

impl Line {
    /// `change-date to remote-users`, `reminder, to those silent of remote-users`.
    pub fn words(&self) -> String {
        let what = match self.what.as_str() {
            "notice" => format!("{} to", self.notice),
            what if self.notice.is_empty() || what.starts_with(&self.notice) => format!("{what} of"),
            what => format!("{what}, '{}' to", self.notice),
        };
        format!("{what} {}", self.audience)
    }
}

impl Moment {
    fn add(&mut self, row: &Planned) {
        self.first = self.first.min(row.at);
        self.last = self.last.max(row.at);
        self.there = self.there.take().filter(|there| row.local.as_ref() == Some(there));
        let line = Line {
            what: row.what.clone(),
            notice: row.notice.clone(),
            audience: row.audience.clone(),
            people: 0,
            state: row.state.clone(),
            why: row.why.clone(),
        };
        let same = |it: &&mut Line| Line { people: 0, ..(**it).clone() } == line;
        match self.lines.iter_mut().find(same) {
            Some(known) => known.people += row.people,
            None => self.lines.push(Line { people: row.people, ..line }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(moment: &str, hours: i64, audience: &str, state: &str, local: Option<&str>) -> Planned {
        Planned {
            at: DateTime::UNIX_EPOCH + Duration::hours(hours),
            local: local.map(str::to_owned),
            until: DateTime::UNIX_EPOCH + Duration::hours(hours + 24),
            what: "notice".into(),
            notice: "news".into(),
            audience: audience.into(),
            moment: moment.into(),
            people: 2,
            state: state.into(),
            why: String::new(),
        }
    }

    #[test]
    fn zones_of_one_moment_are_one_line_and_what_stands_otherwise_is_another() {
        let rows = [
            row("T-2d 09:00", 8, "staff", "done", Some("09:00 EST")),
            row("T-2d 09:00", 9, "staff", "to come", None),
            row("T-2d 09:00", 10, "staff", "to come", Some("09:00 MST")),
            row("T-2d 09:00", 9, "guests", "to come", None),
            row("T-1d", 9, "staff", "to come", Some("09:00 CET")),
        ];
        let moments = agenda(&rows);
        let lines: Vec<Vec<_>> = moments
            .iter()
            .map(|it| it.lines.iter().map(|line| (line.audience.as_str(), line.state.as_str(), line.people)).collect())
            .collect();
        assert_eq!(
            lines,
            [
                vec![("staff", "done", 2), ("staff", "to come", 4), ("guests", "to come", 2)],
                vec![("staff", "to come", 2)]
            ]
        );
        assert_eq!((moments[0].last - moments[0].first, moments[0].there.as_deref()), (Duration::hours(2), None));
        assert_eq!(moments[1].there.as_deref(), Some("09:00 CET"));
    }

    #[test]
    fn what_has_no_name_of_its_own_is_told_apart_by_its_instant() {
        assert_eq!(agenda(&[row("", 1, "a", "due", None), row("", 2, "a", "due", None)]).len(), 2);
        // Put off to a day of its own.
        let put_off = [row("T-2d", 9, "a", "passed over", None), row("T-2d", 9 + 72, "b", "to come", None)];
        assert_eq!(agenda(&put_off).len(), 2);
    }
}
