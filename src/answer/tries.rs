//! How often somebody may type something wrong on the confirm page: slowed from the first time on, shut after ten for
//! one person, and after a hundred a day for one address.

use chrono::{DateTime, Duration, Utc};

pub const MOST_OF_PERSON: u32 = 10;
pub const MOST_OF_SOURCE: u32 = 100;
/// In which the tries of one address are counted.
pub const DAY: Duration = Duration::hours(24);
/// The longest pause between two tries, in seconds.
const LONGEST_PAUSE: i64 = 60;

/// What was typed wrong before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tries {
    /// For this person, acknowledgement and revision.
    pub of_person: u32,
    pub last: Option<DateTime<Utc>>,
    /// From this address within [`DAY`].
    pub of_source: u32,
}

/// Why something typed is not even looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// For so many seconds more.
    Wait(i64),
    /// The person has to answer another way.
    PersonLocked,
    /// Nobody answers from this address today.
    SourceLocked,
}

impl Tries {
    /// Whether one more may be made now. Each wrong one doubles the pause: 1, 2, 4 … 60 seconds.
    pub fn judge(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        if self.of_person >= MOST_OF_PERSON {
            return Err(Refusal::PersonLocked);
        }
        if self.of_source >= MOST_OF_SOURCE {
            return Err(Refusal::SourceLocked);
        }
        let Some(last) = self.last else { return Ok(()) };
        let pause = (1_i64 << self.of_person.saturating_sub(1).min(10)).min(LONGEST_PAUSE);
        let left = last + Duration::seconds(pause) - now;
        if left > Duration::zero() {
            return Err(Refusal::Wait((left.num_milliseconds() + 999) / 1_000));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries(of_person: u32, of_source: u32) -> Tries {
        Tries { of_person, last: (of_person > 0).then(DateTime::default), of_source }
    }

    #[test]
    fn each_wrong_try_makes_the_next_one_wait_longer() {
        let after = |seconds| DateTime::default() + Duration::seconds(seconds);
        assert_eq!(tries(0, 0).judge(after(0)), Ok(()));
        for (wrong, pause) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (9, 60)] {
            assert_eq!(tries(wrong, wrong).judge(after(0)), Err(Refusal::Wait(pause)), "{wrong}");
            assert_eq!(tries(wrong, wrong).judge(after(pause - 1)), Err(Refusal::Wait(1)), "{wrong}");
            assert_eq!(tries(wrong, wrong).judge(after(pause)), Ok(()), "{wrong}");
        }
    }

    #[test]
    fn ten_shut_the_person_and_a_hundred_the_address() {
        let late = DateTime::default() + Duration::days(30);
        assert_eq!(tries(10, 10).judge(late), Err(Refusal::PersonLocked));
        assert_eq!(tries(0, 99).judge(late), Ok(()));
        assert_eq!(tries(0, 100).judge(late), Err(Refusal::SourceLocked));
    }
}
